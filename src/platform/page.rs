//! Lists: keyset paging in a whitelisted order, stable while others write, and `updated_since` without a gap.
//!
//! ```text
//!   sort_keys!  the orders of a list ──▶ Page::read(limit, cursor, sort) ──▶ keyset!(query, page, …) in the store
//!                                                                     └────▶ Page::cut(rows) ──▶ PageView
//! ```
//! Every order ends with the row's own key, so that two rows never share a place; the cursor is the place of the
//! last row given. What stands before it is never given again, what stands after always is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, schema::SchemaType};

use super::error::Outcome;
use crate::kernel::{FieldFault, Instant, Refused};

crate::problem_codes! {
    BAD_CURSOR = "bad_cursor", 400, "Curseur illisible",
        "Le curseur ne vient pas de cette liste ou de ce tri ; reprendre sans curseur.";
}

/// Items per page when nothing is asked.
pub const DEFAULT_LIMIT: u32 = 50;
/// Most items per page.
pub const MAX_LIMIT: u32 = 200;

/// What a list may be sorted by; declared by [`sort_keys!`](crate::sort_keys).
pub trait SortKey: Copy + PartialEq + 'static {
    /// Name of the list: a cursor of another list is refused.
    const LIST: &'static str;
    /// Every key, the default first.
    const KEYS: &'static [Self];
    /// The order when nothing is asked.
    const DEFAULT: Order<Self>;
    /// The stable text of the API.
    fn text(self) -> &'static str;
}

/// Declares the sort keys of a list, and the type of its `sort` parameter; the first is the default, `descending` when said so.
#[macro_export]
macro_rules! sort_keys {
    ($name:ident, $order:ident of $list:literal $(, $descending:ident)? { $first:ident => $text:literal $(, $variant:ident => $other:literal)* $(,)? }) => {
        #[doc = concat!("Orders of the list of ", $list, ".")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $first $(, $variant)* }
        #[doc = concat!("A sort key of ", $list, " and its direction.")]
        pub type $order = $crate::platform::page::Order<$name>;
        impl $crate::platform::page::SortKey for $name {
            const LIST: &'static str = $list;
            const KEYS: &'static [Self] = &[Self::$first $(, Self::$variant)*];
            const DEFAULT: $crate::platform::page::Order<Self> =
                $crate::platform::page::Order { by: Self::$first, descending: $crate::sort_keys!(@ $($descending)?) };
            fn text(self) -> &'static str {
                match self { Self::$first => $text $(, Self::$variant => $other)* }
            }
        }
    };
    (@) => { false };
    (@ descending) => { true };
}

/// A sort key and its direction: `name`, or `-name` from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order<K> {
    pub by: K,
    pub descending: bool,
}

impl<K: SortKey> Order<K> {
    fn parse(raw: &str) -> Result<Self, FieldFault> {
        let (name, descending) = raw.strip_prefix('-').map_or((raw, false), |name| (name, true));
        K::KEYS.iter().find(|key| key.text() == name).map(|by| Self { by: *by, descending }).ok_or_else(|| {
            FieldFault::new("unknown_value", format!("Tri inconnu ; tris admis : {}.", Self::names().join(", ")))
        })
    }

    fn names() -> Vec<String> {
        K::KEYS.iter().flat_map(|key| [key.text().to_owned(), format!("-{}", key.text())]).collect()
    }

    fn name(self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.by.text())
    }
}

impl<'de, K: SortKey> Deserialize<'de> for Order<K> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

impl<K: SortKey> utoipa::PartialSchema for Order<K> {
    fn schema() -> RefOr<Schema> {
        let values = ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).enum_values(Some(Self::names()));
        values.default(Some(K::DEFAULT.name().into())).into()
    }
}

impl<K: SortKey> utoipa::ToSchema for Order<K> {}

/// Where a page starts, in which order, and how long it is.
#[derive(Debug, Clone)]
pub struct Page<K> {
    limit: i64,
    pub order: Order<K>,
    after: Option<(String, String)>,
    next_updated_since: Option<Instant>,
}

/// The list and its order, the place of the last row given, and what the first page said of `updated_since`.
#[derive(Serialize, Deserialize)]
struct Cursor(String, String, String, Instant);

/// A sort value as it travels in a cursor.
pub trait CursorValue: Sized {
    fn read(text: &str) -> Option<Self>;
}

impl CursorValue for String {
    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl CursorValue for i64 {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl CursorValue for Instant {
    fn read(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

/// Numbers and instants by their value, other texts as the databases sort them.
fn by_value(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<i64>(), b.parse::<i64>(), Instant::parse(a), Instant::parse(b)) {
        (Ok(a), Ok(b), ..) => a.cmp(&b),
        (.., Some(a), Some(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

fn bad_cursor() -> Refused {
    Refused::new(&BAD_CURSOR, "Le curseur ne vient pas de cette liste ou de ce tri : reprendre sans curseur.")
}

impl<K: SortKey> Page<K> {
    /// Reads `limit`, `cursor` and `sort`.
    pub fn read(limit: Option<u32>, cursor: Option<&str>, sort: Option<Order<K>>) -> Result<Self, Refused> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if limit == 0 || limit > MAX_LIMIT {
            let fault = FieldFault::new("limit_range", format!("limit attendu entre 1 et {MAX_LIMIT}."));
            return Err(Refused::field("limit", &fault, Some(limit.to_string())));
        }
        let order = sort.unwrap_or(K::DEFAULT);
        let mut page = Self { limit: i64::from(limit), order, after: None, next_updated_since: None };
        if let Some(raw) = cursor {
            let bytes = URL_SAFE_NO_PAD.decode(raw).map_err(|_| bad_cursor())?;
            let Cursor(made_for, value, key, since) = serde_json::from_slice(&bytes).map_err(|_| bad_cursor())?;
            if made_for != page.list_and_order() || value.contains(char::is_control) || key.contains(char::is_control) {
                return Err(bad_cursor());
            }
            page.after = Some((value, key));
            page.next_updated_since = Some(since);
        }
        Ok(page)
    }

    /// Everything, in an order: for lists whose last filter is no column.
    #[must_use]
    pub fn whole(order: Order<K>) -> Self {
        Self { limit: i64::from(u32::MAX), order, after: None, next_updated_since: None }
    }

    /// What [`keyset!`](crate::keyset) does, done on rows already read in the order asked: those after the last given,
    /// one more than a page.
    pub fn skim<T>(&self, rows: Vec<T>, place: impl Fn(K, &T) -> (String, String)) -> Vec<T> {
        let fetch = usize::try_from(self.fetch()).unwrap_or(usize::MAX);
        let Some(last) = &self.after else { return rows.into_iter().take(fetch).collect() };
        let at = |row: &T| place(self.order.by, row);
        // The last one given may be gone, or no longer taken: its place still parts the rows.
        let beyond = |row: &T| {
            let here = at(row);
            let ahead = by_value(&here.0, &last.0).then_with(|| here.1.cmp(&last.1));
            if self.order.descending { ahead.is_lt() } else { ahead.is_gt() }
        };
        rows.into_iter().filter(beyond).take(fetch).collect()
    }

    fn list_and_order(&self) -> String {
        format!("{}:{}", K::LIST, self.order.name())
    }

    /// One more than asked, to know whether there is a next page.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// The place of the last row given: its sort value and its key.
    ///
    /// # Errors
    /// `bad_cursor`: somebody else made it.
    pub fn after<V: CursorValue>(&self) -> Outcome<Option<(V, String)>> {
        match &self.after {
            None => Ok(None),
            Some((value, key)) => Ok(Some((V::read(value).ok_or_else(bad_cursor)?, key.clone()))),
        }
    }

    /// Cuts the extra row and makes the next cursor from the last row kept; `place` gives a row's sort value and key.
    pub fn cut<T>(&self, mut rows: Vec<T>, now: Instant, place: impl Fn(K, &T) -> (String, String)) -> PageView<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        // What is not yet seen of the instants before is looked for again next time (see `Tx::changed_since`).
        let next_updated_since = self.next_updated_since.unwrap_or(now);
        let next_cursor = rows.last().filter(|_| more).map(|last| {
            let (value, key) = place(self.order.by, last);
            let cursor = Cursor(self.list_and_order(), value, key, next_updated_since);
            URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
        });
        PageView { data: rows, meta: Meta { limit: self.limit, next_cursor, next_updated_since } }
    }
}

/// Keeps the rows after the cursor and puts them in the order asked, the row's key last.
///
/// `keyset!(query, page, table::key, { Sort::Name => table::name: String, … })`; the sort value is compared as the
/// type given. The condition is written so that an index on (value, key) is walked from the cursor on.
#[macro_export]
macro_rules! keyset {
    ($query:ident, $page:expr, $key:expr, { $($by:path => $column:expr, $value:ty;)+ }) => {
        match ($page.order.by, $page.order.descending) {$(
            ($by, false) => {
                if let Some((value, key)) = $page.after::<$value>()? {
                    $query = $query.filter($column.ge(value.clone()).and($column.gt(value).or($key.gt(key))));
                }
                $query = $query.order(($column.asc(), $key.asc()));
            }
            ($by, true) => {
                if let Some((value, key)) = $page.after::<$value>()? {
                    $query = $query.filter($column.le(value.clone()).and($column.lt(value).or($key.lt(key))));
                }
                $query = $query.order(($column.desc(), $key.desc()));
            }
        )+}
        $query = $query.limit($page.fetch());
    };
}

/// Ce qu'une liste dit d'elle-même.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Meta {
    pub limit: i64,
    /// À redonner dans `cursor` ; nul à la dernière page.
    pub next_cursor: Option<String>,
    /// À redonner comme `updated_since` au prochain passage : aucun changement ne manquera, ceux des dix minutes d'avant
    /// pourront revenir. Le même sur toutes les pages d'un parcours.
    pub next_updated_since: Instant,
}

/// Une page d'une liste.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PageView<T> {
    pub data: Vec<T>,
    pub meta: Meta,
}

impl<T> PageView<T> {
    /// The page as answered, row by row.
    pub fn map<V>(self, view: impl FnMut(T) -> V) -> PageView<V> {
        PageView { data: self.data.into_iter().map(view).collect(), meta: self.meta }
    }

    /// The page as answered, its rows viewed together.
    pub fn map_all<V>(self, views: impl FnOnce(Vec<T>) -> Outcome<Vec<V>>) -> Outcome<PageView<V>> {
        Ok(PageView { data: views(self.data)?, meta: self.meta })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::sort_keys!(Fruit, FruitOrder of "fruits", descending { Name => "name", Weight => "weight" });
    crate::sort_keys!(Tree, TreeOrder of "trees" { Name => "name" });

    fn now() -> Instant {
        Instant::parse("2025-06-05T08:00:00Z").unwrap()
    }

    fn page<K: SortKey>(cursor: Option<&str>, sort: Option<&str>) -> Result<Page<K>, Refused> {
        Page::read(Some(2), cursor, sort.map(|s| Order::parse(s).unwrap()))
    }

    fn cut<K: SortKey>(page: &Page<K>, now: Instant) -> Meta {
        page.cut(vec![3, 2, 1], now, |_, n| (n.to_string(), format!("key {n}"))).meta
    }

    #[test]
    fn the_first_key_is_the_default_and_both_directions_are_read() {
        assert_eq!(page::<Fruit>(None, None).unwrap().order, FruitOrder { by: Fruit::Name, descending: true });
        assert_eq!(page::<Tree>(None, None).unwrap().order, TreeOrder { by: Tree::Name, descending: false });
        assert_eq!(Order::parse("-weight"), Ok(Order { by: Fruit::Weight, descending: true }));
        for bad in ["--weight", "", "-", "colour", "NAME"] {
            let fault = Order::<Fruit>::parse(bad).unwrap_err();
            assert!(fault.message.contains("name, -name, weight, -weight"), "{bad}: {}", fault.message);
        }
    }

    #[test]
    fn a_cursor_serves_its_own_list_and_order_only() {
        let cursor = cut(&page::<Fruit>(None, None).unwrap(), now()).next_cursor.unwrap();
        let next = page::<Fruit>(Some(&cursor), None).unwrap();
        assert_eq!(next.after::<String>().unwrap().unwrap(), ("2".to_owned(), "key 2".to_owned()));
        assert_eq!(next.after::<i64>().unwrap().unwrap().0, 2);
        assert!(next.after::<Instant>().is_err(), "a name is no instant");
        for (list, sort) in [("fruits", "name"), ("fruits", "weight")] {
            assert!(page::<Fruit>(Some(&cursor), Some(sort)).is_err(), "{list} by {sort}");
        }
        assert!(page::<Tree>(Some(&cursor), None).is_err());
        for bad in
            ["", "abc", "bm9u", &URL_SAFE_NO_PAD.encode(r#"["fruits:-name","a\u0000","b","2025-06-05T08:00:00Z"]"#)]
        {
            assert!(page::<Fruit>(Some(bad), None).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_next_updated_since_is_that_of_the_first_page() {
        let first = cut(&page::<Fruit>(None, None).unwrap(), now());
        assert_eq!(first.next_updated_since, now());
        let later = now().plus(chrono::Duration::hours(1));
        let second = cut(&page::<Fruit>(first.next_cursor.as_deref(), None).unwrap(), later);
        assert_eq!(second.next_updated_since, first.next_updated_since);
    }
}
