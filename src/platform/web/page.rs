//! Keyset paging: `?limit=&cursor=`, stable while others write.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::problem::{BAD_CURSOR, Problem};
use crate::kernel::{FieldFault, Refused};

/// Items per page when nothing is asked.
pub const DEFAULT_LIMIT: u32 = 50;
/// Most items per page.
pub const MAX_LIMIT: u32 = 200;

/// Where a page starts and how long it is.
#[derive(Debug, Clone)]
pub struct Page {
    pub limit: i64,
    /// Sort keys of the last row already seen, the last being the row's own key.
    pub after: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
struct Cursor(String, Vec<String>);

impl Page {
    /// Reads `limit` and `cursor`; `sort` names the order the cursor must have been made for.
    pub fn read(limit: Option<u32>, cursor: Option<&str>, sort: &str, keys: usize) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if limit == 0 || limit > MAX_LIMIT {
            let fault = FieldFault::new("limit_range", format!("limit attendu entre 1 et {MAX_LIMIT}."));
            return Err(Refused::field("limit", &fault, Some(limit.to_string())).into());
        }
        let after = match cursor {
            None => None,
            Some(raw) => {
                let bad = || Problem::new(&BAD_CURSOR, "Le curseur ne vient pas de cette liste ou de ce tri.");
                let bytes = URL_SAFE_NO_PAD.decode(raw).map_err(|_| bad())?;
                let Cursor(order, values) = serde_json::from_slice(&bytes).map_err(|_| bad())?;
                if order != sort || values.len() != keys || values.iter().any(|v| v.contains('\0')) {
                    return Err(bad());
                }
                Some(values)
            }
        };
        Ok(Self { limit: i64::from(limit), after })
    }

    /// One more than asked, to know whether there is a next page.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// The key at a rank of the cursor.
    #[must_use]
    pub fn after(&self, rank: usize) -> Option<&str> {
        self.after.as_ref().and_then(|keys| keys.get(rank)).map(String::as_str)
    }

    /// Cuts the extra row and makes the next cursor from the last row kept.
    pub fn finish<T, V>(
        &self,
        mut rows: Vec<T>,
        sort: &str,
        keys: impl Fn(&T) -> Vec<String>,
        view: impl FnMut(T) -> V,
    ) -> PageView<V> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| {
            let json = serde_json::to_vec(&Cursor(sort.to_owned(), keys(last))).unwrap_or_default();
            URL_SAFE_NO_PAD.encode(json)
        });
        PageView { data: rows.into_iter().map(view).collect(), meta: Meta { limit: self.limit, next_cursor } }
    }
}

/// Ce qu'une liste dit d'elle-même.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Meta {
    pub limit: i64,
    /// À redonner dans `cursor` ; nul à la dernière page.
    pub next_cursor: Option<String>,
}

/// Une page d'une liste.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PageView<T> {
    pub data: Vec<T>,
    pub meta: Meta,
}
