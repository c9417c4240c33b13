//! A bare actix server: the same token checked, the same SQL run, the rows written as JSON, nothing else.
//!
//! ```text
//!   once      the program answers each address in this process; diesel tells every statement with its values
//!   serving   address ─▶ Tokens::verify ─▶ blocking thread ─▶ those statements, prepared ─▶ rows as JSON
//! ```
//! The statements are heard, not written here: when the program asks the database less, so does the floor.

use std::collections::HashMap;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::pg::Pg;
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::{BigInt, Bool, Date, Text, Timestamp};
use diesel::sqlite::{Sqlite, SqliteType};
use ent_backoffice::access::Tokens;
use ent_backoffice::app::{App, Serving};
use ent_backoffice::kernel::{Clock, Ids};
use ent_backoffice::platform::db::{Database, DatabaseSettings};

use crate::base::settings;
use crate::load::get;
use crate::rows::{Statement, Value};

/// A statement heard, ready to be run again.
struct Heard {
    pieces: Vec<String>,
    values: Vec<Value>,
}

static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn ear() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(|event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            HEARD.lock().unwrap().push(query.to_string());
        }
    }))
}

/// The statements behind each address, learnt from the program itself.
fn learn(url: &str, key: &Path, token: &str, addresses: &[String]) -> HashMap<String, Vec<Heard>> {
    set_default_instrumentation(ear).unwrap();
    let app = App::build(settings(url, key), Clock::system(), Ids::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (started, handle) = mpsc::channel();
    let server = std::thread::spawn(move || {
        let how = Serving { jobs: false, http_threads: 1, on_signals: false };
        app.serve(listener, &how, |handle| started.send(handle).unwrap()).unwrap();
    });
    let handle = handle.recv().unwrap();
    let statements = addresses
        .iter()
        .map(|address| {
            HEARD.lock().unwrap().clear();
            let answer = get(port, address, token);
            assert!(answer.starts_with('{'), "{address}: {answer}");
            let heard: Vec<Heard> = HEARD.lock().unwrap().iter().filter_map(|text| parse(text)).collect();
            assert!(!heard.is_empty(), "no statement was heard");
            (address.clone(), heard)
        })
        .collect();
    drop(handle.stop(false));
    server.join().unwrap();
    set_default_instrumentation(|| None).unwrap();
    statements
}

/// Reads « SELECT … $1 … -- binds: […] », as diesel prints it; a connection that opens in between says other things.
fn parse(text: &str) -> Option<Heard> {
    let (sql, binds) = text.rsplit_once(" -- binds: ")?;
    let mut pieces = vec![String::new()];
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        let numbered = letter == '$' && letters.peek().is_some_and(char::is_ascii_digit);
        if numbered {
            while letters.next_if(char::is_ascii_digit).is_some() {}
        }
        if numbered || letter == '?' {
            pieces.push(String::new());
        } else {
            pieces.last_mut().unwrap().push(letter);
        }
    }
    let mut rest = binds;
    let Value::Texts(values) = value(&mut rest) else { panic!("{text}") };
    assert_eq!(values.len() + 1, pieces.len(), "{text}");
    // The outer list was read as texts: each is read again for what it is.
    let values = values.iter().map(|raw| value(&mut raw.as_str())).collect();
    Some(Heard { pieces, values })
}

/// One value printed by `Debug`: `"text"`, `12`, `Siret("…")`, `[…]`.
fn value(rest: &mut &str) -> Value {
    let raw = rest.trim();
    if let Some(list) = raw.strip_prefix('[').and_then(|r| r.strip_suffix(']')) {
        return Value::Texts(split(list).iter().map(|item| (*item).to_owned()).collect());
    }
    if let Some((name, inner)) = raw.split_once('(')
        && name.chars().all(char::is_alphanumeric)
        && let Some(mut inner) = inner.strip_suffix(')')
    {
        return value(&mut inner);
    }
    if raw.starts_with('"') {
        return Value::Text(serde_json::from_str(raw).unwrap());
    }
    raw.parse().map_or_else(|_| Value::Text(raw.to_owned()), Value::Int)
}

/// Items between the commas of one level.
fn split(list: &str) -> Vec<&str> {
    let (mut items, mut depth, mut quoted, mut start) = (Vec::new(), 0, false, 0);
    for (at, letter) in list.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                items.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if !list[start..].trim().is_empty() {
        items.push(list[start..].trim());
    }
    items
}

/// A row, already JSON.
struct JsonRow(String);

fn object<'r, DB: diesel::backend::Backend, R: NamedRow<'r, DB>>(
    row: &R,
    mut write: impl FnMut(DB::RawValue<'_>, &mut String) -> deserialize::Result<()>,
) -> deserialize::Result<JsonRow> {
    let mut json = String::with_capacity(1_024);
    for at in 0..row.field_count() {
        let field = Row::get(row, at).ok_or("no such field")?;
        json.push_str(if at == 0 { "{\"" } else { ",\"" });
        json.push_str(field.field_name().unwrap_or("?"));
        json.push_str("\":");
        match field.value() {
            None => json.push_str("null"),
            Some(value) => write(value, &mut json)?,
        }
    }
    json.push('}');
    Ok(JsonRow(json))
}

fn quoted(text: &str, json: &mut String) -> deserialize::Result<()> {
    json.push_str(&serde_json::to_string(text)?);
    Ok(())
}

impl QueryableByName<Sqlite> for JsonRow {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        object(row, |value, json| match value.value_type() {
            Some(SqliteType::Long | SqliteType::Integer | SqliteType::SmallInt) => {
                json.push_str(&<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?.to_string());
                Ok(())
            }
            _ => quoted(&<String as FromSql<Text, Sqlite>>::from_sql(value)?, json),
        })
    }
}

impl QueryableByName<Pg> for JsonRow {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        object(row, |value, json| match value.get_oid().get() {
            16 => quoted(&<bool as FromSql<Bool, Pg>>::from_sql(value)?.to_string(), json),
            20 => {
                json.push_str(&<i64 as FromSql<BigInt, Pg>>::from_sql(value)?.to_string());
                Ok(())
            }
            1082 => quoted(&<chrono::NaiveDate as FromSql<Date, Pg>>::from_sql(value)?.to_string(), json),
            1114 => quoted(&<chrono::NaiveDateTime as FromSql<Timestamp, Pg>>::from_sql(value)?.to_string(), json),
            _ => quoted(&<String as FromSql<Text, Pg>>::from_sql(value)?, json),
        })
    }
}

type Known = Arc<HashMap<String, Vec<Heard>>>;

async fn answer(
    request: HttpRequest,
    known: web::Data<Known>,
    db: web::Data<Database>,
    tokens: web::Data<Tokens>,
) -> HttpResponse {
    let token =
        request.headers().get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    if token.is_none_or(|token| tokens.verify(token).is_err()) {
        return HttpResponse::Unauthorized().finish();
    }
    let address = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let done = web::block(move || {
        let statements = known.get(&address)?;
        db.read(|tx| {
            let mut json = String::from("{\"data\":[");
            for heard in statements {
                let statement = Statement { pieces: &heard.pieces, values: &heard.values };
                for row in statement.load_on::<JsonRow>(tx.conn())? {
                    if !json.ends_with('[') {
                        json.push(',');
                    }
                    json.push_str(&row.0);
                }
            }
            json.push_str("]}");
            Ok(json)
        })
        .ok()
    });
    match done.await {
        Ok(Some(json)) => HttpResponse::Ok().content_type("application/json").body(json),
        _ => HttpResponse::InternalServerError().finish(),
    }
}

/// The life of the process: learns, says its port and how many statements each address costs, serves until its
/// standard input ends.
pub fn serve(url: &str, key: &Path, token: &str, addresses: &Path) {
    let addresses: Vec<String> = serde_json::from_slice(&std::fs::read(addresses).unwrap()).unwrap();
    let known: Known = Arc::new(learn(url, key, token, &addresses));
    let counts: Vec<usize> = addresses.iter().map(|a| known[a].len()).collect();
    let config = ent_backoffice::config::Config::default();
    let database = &config.database;
    let readers = if url.starts_with("sqlite:") { database.sqlite_readers } else { database.postgres_readers };
    let settings =
        DatabaseSettings { connections: database.postgres_connections, readers, ..DatabaseSettings::new(url) };
    let db = web::Data::new(Database::open(&settings, Clock::system(), Ids::default()).unwrap());
    let tokens = App::build(crate::base::settings(url, key), Clock::system(), Ids::default()).unwrap().tokens;
    let known = web::Data::new(known);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", serde_json::to_string(&(listener.local_addr().unwrap().port(), counts)).unwrap());
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    actix_web::rt::System::new()
        .block_on(async move {
            HttpServer::new(move || {
                actix_web::App::new()
                    .app_data(known.clone())
                    .app_data(db.clone())
                    .app_data(tokens.clone())
                    .default_service(web::to(answer))
            })
            .listen(listener)?
            .run()
            .await
        })
        .unwrap();
}
