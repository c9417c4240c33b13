//! Rows without types: what stands in a database, what an act changed, and the bare statements that write it again.
//!
//! ```text
//!   snapshot ──act──▶ snapshot ──difference──▶ inserts and updates ──▶ Statement, Statement, … (batches of BATCH)
//! ```
//! The floor must be no straw man: multi-row `VALUES`, typed binds, statements prepared once and found again in the
//! connection's cache, texts built beforehand.

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDate, NaiveDateTime};
use diesel::RunQueryDsl;
use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::pg::{Pg, PgConnection};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Date, Integer, Nullable, Text, Timestamp, Untyped};
use diesel::sqlite::{Sqlite, SqliteConnection, SqliteType};
use ent_backoffice::platform::db::{AnyConnection, BATCH};

/// A value of either database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// Typed like its column: PostgreSQL asks.
    Null(Kind),
    Bool(bool),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Date(NaiveDate),
    Instant(NaiveDateTime),
    /// Of a query only: no column of ours is a list.
    Texts(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Bool,
    Int,
    Text,
    Bytes,
    Date,
    Instant,
}

impl Kind {
    /// SQLite keeps what it is given: there, the kind of a null does not matter.
    fn of(declared: &str) -> Self {
        match declared {
            "boolean" => Self::Bool,
            "bigint" | "integer" => Self::Int,
            "bytea" => Self::Bytes,
            "date" => Self::Date,
            name if name.starts_with("timestamp") => Self::Instant,
            _ => Self::Text,
        }
    }
}

/// One row as read.
pub struct Record(pub Vec<Value>);

impl QueryableByName<Sqlite> for Record {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        (0..row.field_count())
            .map(|at| {
                let field = Row::get(row, at).ok_or("no such field")?;
                let Some(value) = field.value() else { return Ok(Value::Null(Kind::Text)) };
                Ok(match value.value_type() {
                    Some(SqliteType::Long | SqliteType::Integer | SqliteType::SmallInt) => {
                        Value::Int(<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?)
                    }
                    Some(SqliteType::Binary) => Value::Bytes(<Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?),
                    _ => Value::Text(<String as FromSql<Text, Sqlite>>::from_sql(value)?),
                })
            })
            .collect::<deserialize::Result<_>>()
            .map(Self)
    }
}

impl QueryableByName<Pg> for Record {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        (0..row.field_count())
            .map(|at| {
                let field = Row::get(row, at).ok_or("no such field")?;
                let Some(value) = field.value() else { return Ok(Value::Null(Kind::Text)) };
                Ok(match value.get_oid().get() {
                    16 => Value::Bool(<bool as FromSql<Bool, Pg>>::from_sql(value)?),
                    17 => Value::Bytes(<Vec<u8> as FromSql<Binary, Pg>>::from_sql(value)?),
                    20 => Value::Int(<i64 as FromSql<BigInt, Pg>>::from_sql(value)?),
                    23 => Value::Int(<i32 as FromSql<Integer, Pg>>::from_sql(value)?.into()),
                    1082 => Value::Date(<NaiveDate as FromSql<Date, Pg>>::from_sql(value)?),
                    1114 => Value::Instant(<NaiveDateTime as FromSql<Timestamp, Pg>>::from_sql(value)?),
                    _ => Value::Text(<String as FromSql<Text, Pg>>::from_sql(value)?),
                })
            })
            .collect::<deserialize::Result<_>>()
            .map(Self)
    }
}

/// A statement with its values: `pieces` stand around them, one more than there are values.
#[derive(Clone, Copy)]
pub struct Statement<'a> {
    pub pieces: &'a [String],
    pub values: &'a [Value],
}

impl Statement<'_> {
    pub fn execute_on(self, conn: &mut AnyConnection) -> diesel::QueryResult<usize> {
        match conn {
            AnyConnection::Postgresql(c) => self.execute(c),
            AnyConnection::Sqlite(c) => self.execute(c),
        }
    }

    pub fn load_on<T>(self, conn: &mut AnyConnection) -> diesel::QueryResult<Vec<T>>
    where
        T: QueryableByName<Pg> + QueryableByName<Sqlite> + 'static,
    {
        match conn {
            AnyConnection::Postgresql(c) => self.load::<T>(c),
            AnyConnection::Sqlite(c) => self.load::<T>(c),
        }
    }
}

/// Runs one text without values.
pub fn execute(conn: &mut AnyConnection, sql: &str) -> usize {
    Statement { pieces: &[sql.to_owned()], values: &[] }.execute_on(conn).unwrap()
}

/// Reads with one text without values.
pub fn read(conn: &mut AnyConnection, sql: &str) -> Vec<Vec<Value>> {
    let rows: Vec<Record> = Statement { pieces: &[sql.to_owned()], values: &[] }.load_on(conn).unwrap();
    rows.into_iter().map(|row| row.0).collect()
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    // Found in the cache by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<PgConnection> for Statement<'_> {}
impl RunQueryDsl<SqliteConnection> for Statement<'_> {}

static NO_BOOL: Option<bool> = None;
static NO_INT: Option<i64> = None;
static NO_TEXT: Option<&str> = None;
static NO_BYTES: Option<&[u8]> = None;
static NO_DATE: Option<NaiveDate> = None;
static NO_INSTANT: Option<NaiveDateTime> = None;

macro_rules! walk {
    ($self:ident, $out:ident, $texts:pat => $list:expr) => {{
        let mut values = $self.values.iter();
        for piece in $self.pieces {
            $out.push_sql(piece);
            match values.next() {
                None => {}
                Some(Value::Null(Kind::Bool)) => $out.push_bind_param::<Nullable<Bool>, _>(&NO_BOOL)?,
                Some(Value::Null(Kind::Int)) => $out.push_bind_param::<Nullable<BigInt>, _>(&NO_INT)?,
                Some(Value::Null(Kind::Text)) => $out.push_bind_param::<Nullable<Text>, _>(&NO_TEXT)?,
                Some(Value::Null(Kind::Bytes)) => $out.push_bind_param::<Nullable<Binary>, _>(&NO_BYTES)?,
                Some(Value::Null(Kind::Date)) => $out.push_bind_param::<Nullable<Date>, _>(&NO_DATE)?,
                Some(Value::Null(Kind::Instant)) => $out.push_bind_param::<Nullable<Timestamp>, _>(&NO_INSTANT)?,
                Some(Value::Bool(v)) => $out.push_bind_param::<Bool, _>(v)?,
                Some(Value::Int(v)) => $out.push_bind_param::<BigInt, _>(v)?,
                Some(Value::Text(v)) => $out.push_bind_param::<Text, _>(v)?,
                Some(Value::Bytes(v)) => $out.push_bind_param::<Binary, _>(v)?,
                Some(Value::Date(v)) => $out.push_bind_param::<Date, _>(v)?,
                Some(Value::Instant(v)) => $out.push_bind_param::<Timestamp, _>(v)?,
                Some($texts) => $list,
            }
        }
        Ok(())
    }};
}

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> diesel::QueryResult<()> {
        walk!(self, out, Value::Texts(list) => out.push_bind_param::<Array<Text>, _>(list)?)
    }
}

impl QueryFragment<Sqlite> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> diesel::QueryResult<()> {
        walk!(self, out, Value::Texts(_) => {
            return Err(diesel::result::Error::QueryBuilderError("SQLite has no list of values".into()));
        })
    }
}

/// A table: its columns in order, and which of them are its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub columns: Vec<(String, Kind)>,
    key: Vec<usize>,
}

/// Each base has its own row, made by its migration, which no act touches.
const OWN: &str = "base_identity";

/// Written last, by a trigger's word: nothing is added to what is sealed.
const SEALS: (&str, &str) = ("convention_seals", "participation_lines");

/// The tables, those referred to before those that refer.
pub fn tables(conn: &mut AnyConnection) -> Vec<Table> {
    let sqlite = matches!(conn, AnyConnection::Sqlite(_));
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => panic!("a text was expected: {other:?}"),
    };
    let names = read(
        conn,
        if sqlite {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_\\_%' \
             ESCAPE '\\' ORDER BY name"
        } else {
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_%' ORDER BY 1"
        },
    );
    let mut waiting: Vec<(Table, Vec<String>)> = Vec::new();
    for name in names.iter().map(|row| text(&row[0])).filter(|name| name != OWN) {
        let columns = read(
            conn,
            &if sqlite {
                format!("SELECT name, lower(type), pk FROM pragma_table_info('{name}') ORDER BY cid")
            } else {
                format!(
                    "SELECT a.attname::text, format_type(a.atttypid, NULL), (a.attnum = ANY (i.indkey))::int \
                 FROM pg_attribute a JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
                 WHERE a.attrelid = '{name}'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
                )
            },
        );
        let key = (0..columns.len()).filter(|at| columns[*at][2] != Value::Int(0)).collect();
        let columns = columns.iter().map(|c| (text(&c[0]), Kind::of(&text(&c[1])))).collect();
        let needs = read(
            conn,
            &if sqlite {
                format!("SELECT DISTINCT \"table\" FROM pragma_foreign_key_list('{name}') WHERE \"table\" <> '{name}'")
            } else {
                format!(
                    "SELECT DISTINCT confrelid::regclass::text FROM pg_constraint \
                 WHERE contype = 'f' AND conrelid = '{name}'::regclass AND confrelid <> conrelid"
                )
            },
        );
        let mut needs: Vec<String> = needs.iter().map(|row| text(&row[0])).filter(|name| name != OWN).collect();
        needs.extend((name == SEALS.0).then(|| SEALS.1.to_owned()));
        waiting.push((Table { name, columns, key }, needs));
    }
    let mut ordered: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let ready = |needs: &[String]| needs.iter().all(|n| ordered.iter().any(|t| t.name == *n));
        let at = waiting.iter().position(|(_, needs)| ready(needs)).expect("tables refer to one another in a circle");
        ordered.push(waiting.remove(at).0);
    }
    ordered
}

/// Every row of every table, in the order they were written.
pub struct Snapshot(Vec<Vec<Vec<Value>>>);

impl Snapshot {
    pub fn take(conn: &mut AnyConnection, tables: &[Table]) -> Self {
        let order = if matches!(conn, AnyConnection::Sqlite(_)) { "rowid" } else { "ctid" };
        let all = tables.iter().map(|table| {
            let columns: Vec<String> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            read(conn, &format!("SELECT {} FROM {} ORDER BY {order}", columns.join(", "), table.name))
        });
        Self(all.collect())
    }

    /// Whether both hold the same rows; says where they do not.
    pub fn same_as(&self, other: &Self, tables: &[Table]) -> Result<(), String> {
        for (at, table) in tables.iter().enumerate() {
            let mut sides = [self.0[at].clone(), other.0[at].clone()];
            sides.iter_mut().for_each(|rows| rows.sort());
            if sides[0] != sides[1] {
                let first = sides[0].iter().zip(&sides[1]).find(|(a, b)| a != b);
                let (a, b) = (sides[0].len(), sides[1].len());
                return Err(format!("table {} ({a} and {b} rows): {first:?}", table.name));
            }
        }
        Ok(())
    }
}

/// One table's part of what an act changed.
struct Inserted {
    table: usize,
    rows: Vec<Vec<Value>>,
}

struct Updated {
    table: usize,
    /// Columns that moved.
    columns: Vec<usize>,
    /// Key, then the new values of those columns.
    rows: Vec<Vec<Value>>,
}

/// What an act changed.
pub struct Difference {
    inserted: Vec<Inserted>,
    updated: Vec<Updated>,
}

impl Difference {
    pub fn between(before: &Snapshot, after: &Snapshot, tables: &[Table]) -> Self {
        let (mut inserted, mut updated) = (Vec::new(), Vec::new());
        for (at, table) in tables.iter().enumerate() {
            let key = |row: &[Value]| table.key.iter().map(|k| row[*k].clone()).collect::<Vec<_>>();
            let known: HashMap<Vec<Value>, &Vec<Value>> = before.0[at].iter().map(|row| (key(row), row)).collect();
            let mut rows = Vec::new();
            let mut moved: BTreeMap<Vec<usize>, Vec<Vec<Value>>> = BTreeMap::new();
            let mut kept = 0;
            for row in &after.0[at] {
                let Some(old) = known.get(&key(row)) else {
                    rows.push(row.clone());
                    continue;
                };
                kept += 1;
                let changed: Vec<usize> = (0..row.len()).filter(|c| row[*c] != old[*c]).collect();
                if !changed.is_empty() {
                    let mut values = key(row);
                    values.extend(changed.iter().map(|c| row[*c].clone()));
                    moved.entry(changed).or_default().push(values);
                }
            }
            assert_eq!(kept, known.len(), "an act deleted rows of {}: the floor cannot follow", table.name);
            if !rows.is_empty() {
                inserted.push(Inserted { table: at, rows });
            }
            updated.extend(moved.into_iter().map(|(columns, rows)| Updated { table: at, columns, rows }));
        }
        Self { inserted, updated }
    }

    /// Rows inserted, rows updated.
    pub fn counts(&self) -> (usize, usize) {
        (self.inserted.iter().map(|i| i.rows.len()).sum(), self.updated.iter().map(|u| u.rows.len()).sum())
    }

    /// The bare statements that write it.
    pub fn script(&self, tables: &[Table]) -> Script {
        let mut parts = Vec::new();
        for Inserted { table, rows } in &self.inserted {
            let table = &tables[*table];
            let kinds: Vec<Kind> = table.columns.iter().map(|(_, kind)| *kind).collect();
            let columns: Vec<String> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            let head = format!("INSERT INTO {} ({}) VALUES ", table.name, columns.join(", "));
            parts.extend(rows.chunks(BATCH).map(|chunk| part(&head, chunk, &kinds, "")));
        }
        for Updated { table, columns, rows } in &self.updated {
            let table = &tables[*table];
            let kinds: Vec<Kind> = table.key.iter().chain(columns).map(|c| table.columns[*c].1).collect();
            let sets: Vec<String> = (table.key.len() + 1..)
                .zip(columns)
                .map(|(at, c)| format!("\"{}\" = v.column{at}", table.columns[*c].0))
                .collect();
            let keys: Vec<String> = (1..)
                .zip(&table.key)
                .map(|(at, c)| format!("{}.\"{}\" = v.column{at}", table.name, table.columns[*c].0))
                .collect();
            let head = format!("UPDATE {} SET {} FROM (VALUES ", table.name, sets.join(", "));
            let tail = format!(") AS v WHERE {}", keys.join(" AND "));
            parts.extend(rows.chunks(BATCH).map(|chunk| part(&head, chunk, &kinds, &tail)));
        }
        Script(parts)
    }
}

fn part(head: &str, rows: &[Vec<Value>], kinds: &[Kind], tail: &str) -> Part {
    let mut pieces = vec![format!("{head}(")];
    let mut values = Vec::with_capacity(rows.len() * kinds.len());
    for (rank, row) in rows.iter().enumerate() {
        for (at, value) in row.iter().enumerate() {
            if at > 0 {
                pieces.push(", ".to_owned());
            } else if rank > 0 {
                pieces.push("), (".to_owned());
            }
            values.push(match value {
                Value::Null(_) => Value::Null(kinds[at]),
                other => other.clone(),
            });
        }
    }
    pieces.push(format!("){tail}"));
    Part { pieces, values, rows: rows.len() }
}

struct Part {
    pieces: Vec<String>,
    values: Vec<Value>,
    rows: usize,
}

/// Statements ready to run.
pub struct Script(Vec<Part>);

impl Script {
    pub fn run(&self, conn: &mut AnyConnection) -> diesel::QueryResult<()> {
        for part in &self.0 {
            let done = Statement { pieces: &part.pieces, values: &part.values }.execute_on(conn)?;
            assert_eq!(done, part.rows, "{}", part.pieces[0]);
        }
        Ok(())
    }
}
