//! Addresses that are written to no more.

use std::collections::HashSet;

use diesel::prelude::*;

use crate::kernel::Instant;
use crate::kernel::contact::EmailAddress;
use crate::kernel::text::Note;
use crate::keyset;
use crate::on_backend;
use crate::platform::db::Tx;
use crate::platform::db::schema::mail_blocks as blocks;
use crate::platform::error::Outcome;
use crate::platform::page::{Page, PageView};

crate::sort_keys!(BlockSort, BlockOrder of "mail_blocks", descending { BlockedAt => "blocked_at" });

/// An address, and why it is written to no more.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = blocks)]
pub struct Block {
    pub address: EmailAddress,
    pub reason: String,
    pub blocked_at: Instant,
    pub blocked_by: String,
}

/// Every address that is written to no more.
///
/// # Errors
/// Those of the database.
pub fn blocked_addresses(tx: &mut Tx<'_>) -> Outcome<HashSet<EmailAddress>> {
    let all: Vec<EmailAddress> = blocks::table.select(blocks::address).load(tx.conn())?;
    Ok(all.into_iter().collect())
}

/// A page of them.
///
/// # Errors
/// A cursor of another list; those of the database.
pub fn blocks(tx: &mut Tx<'_>, since: Option<Instant>, page: &Page<BlockSort>) -> Outcome<PageView<Block>> {
    let mut query = blocks::table.select(Block::as_select()).into_boxed();
    if let Some(since) = since {
        query = query.filter(blocks::blocked_at.ge(since));
    }
    keyset!(query, page, blocks::address, { BlockSort::BlockedAt => blocks::blocked_at, Instant; });
    let rows: Vec<Block> = query.load(tx.conn())?;
    Ok(page
        .cut(rows, tx.now(), |BlockSort::BlockedAt, block| (block.blocked_at.to_string(), block.address.to_string())))
}

/// Writes to an address no more; false when that was said before.
///
/// # Errors
/// Those of the database.
pub fn block(tx: &mut Tx<'_>, address: &EmailAddress, reason: &Note, by: &str) -> Outcome<bool> {
    let now = tx.now();
    let row = (
        blocks::address.eq(address),
        blocks::reason.eq(reason.to_string()),
        blocks::blocked_at.eq(now),
        blocks::blocked_by.eq(by),
    );
    let written = on_backend!(tx.conn(), |c| diesel::insert_into(blocks::table)
        .values(row)
        .on_conflict(blocks::address)
        .do_nothing()
        .execute(c))?;
    Ok(written == 1)
}

/// Writes to an address again; false when nothing stood against it.
///
/// # Errors
/// Those of the database.
pub fn unblock(tx: &mut Tx<'_>, address: &EmailAddress) -> Outcome<bool> {
    Ok(diesel::delete(blocks::table.find(address)).execute(tx.conn())? == 1)
}
