//! The lives of a base: a restored copy begins another one, which somebody has to release.
//!
//! ```text
//!   migration ──▶ life 1, released        restore ──▶ life n + 1 ──release (mail resume)──▶ mails leave, links open
//! ```
//! What left since the backup is not in it: mails would leave a second time, and links that were revoked would open
//! again. So nothing leaves a new life, and links belong to the life they were made in.

use diesel::prelude::*;

use super::schema::base_lives;
use super::{AnyConnection, Tx};
use crate::kernel::Instant;
use crate::platform::error::Outcome;

/// The life a base is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    pub id: String,
    pub rank: i64,
    pub began_at: Instant,
    pub released: bool,
}

/// The present one.
///
/// # Errors
/// Those of the database.
pub fn current(tx: &mut Tx<'_>) -> Outcome<Life> {
    let last = base_lives::table.order(base_lives::rank.desc()).select((
        base_lives::id,
        base_lives::rank,
        base_lives::began_at,
        base_lives::released_at,
    ));
    let (id, rank, began_at, released): (String, i64, Instant, Option<Instant>) = last.first(tx.conn())?;
    Ok(Life { id, rank, began_at, released: released.is_some() })
}

/// Begins another life, if this base knows of lives: to be asked right after a restore.
///
/// # Errors
/// Those of the database.
pub fn begin(tx: &mut Tx<'_>) -> Outcome<bool> {
    if !super::identity::has_table(tx.conn(), "base_lives")? {
        return Ok(false);
    }
    let (rank, now) = (current(tx)?.rank + 1, tx.now());
    diesel::insert_into(base_lives::table)
        .values((base_lives::id.eq(tx.uuid().to_string()), base_lives::rank.eq(rank), base_lives::began_at.eq(now)))
        .execute(tx.conn())?;
    Ok(true)
}

/// Lets mails leave and links open in the present life; false when they did already.
///
/// # Errors
/// Those of the database.
pub fn release(tx: &mut Tx<'_>, by: &str) -> Outcome<bool> {
    let (life, now) = (current(tx)?, tx.now());
    let held = base_lives::table.find(&life.id).filter(base_lives::released_at.is_null());
    let released = (base_lives::released_at.eq(now), base_lives::released_by.eq(by));
    let done = match tx.conn() {
        AnyConnection::Postgresql(c) => diesel::update(held).set(released).execute(c)?,
        AnyConnection::Sqlite(c) => diesel::update(held).set(released).execute(c)?,
    };
    Ok(done == 1)
}
