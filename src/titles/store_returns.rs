//! The tables of returned titles and of what was handed in again: facts that nobody changes.

use std::collections::HashMap;

use diesel::prelude::*;

use super::title::{Return, Word};
use crate::kernel::Instant;
use crate::kernel::ids::{ReturnId, TitleId, UserId};
use crate::kernel::text::Note;
use crate::platform::db::schema::{title_resubmissions as resubmissions, title_returns as returns};
use crate::platform::{Outcome, Tx};

type Row = (ReturnId, TitleId, Note, UserId, String, Instant);
type Again = Option<(Note, UserId, String, Instant)>;

fn word((reason, by, by_label, at): (Note, UserId, String, Instant)) -> Word {
    Word { by, by_label, at, reason }
}

/// The last return of each title given.
pub(super) fn last(tx: &mut Tx<'_>, ids: &[TitleId]) -> Outcome<HashMap<TitleId, Return>> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(5000) {
        let rows: Vec<(Row, Again)> = returns::table
            .left_join(resubmissions::table.on(resubmissions::return_id.eq(returns::id)))
            .filter(returns::title_id.eq_any(chunk))
            .order(returns::id.asc())
            .select((
                (
                    returns::id,
                    returns::title_id,
                    returns::reason,
                    returns::returned_by,
                    returns::returned_by_label,
                    returns::returned_at,
                ),
                (
                    resubmissions::reason,
                    resubmissions::resubmitted_by,
                    resubmissions::resubmitted_by_label,
                    resubmissions::resubmitted_at,
                )
                    .nullable(),
            ))
            .load(tx.conn())?;
        found.extend(rows.into_iter().map(|((id, title, reason, by, label, at), again)| {
            (title, Return { id, said: word((reason, by, label, at)), resubmitted: again.map(word) })
        }));
    }
    Ok(found)
}

/// Writes a return.
pub(super) fn insert(tx: &mut Tx<'_>, title: TitleId, r: &Return) -> Outcome<()> {
    diesel::insert_into(returns::table)
        .values((
            returns::id.eq(r.id),
            returns::title_id.eq(title),
            returns::reason.eq(&r.said.reason),
            returns::returned_by.eq(r.said.by),
            returns::returned_by_label.eq(&r.said.by_label),
            returns::returned_at.eq(r.said.at),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Writes that a returned title is handed in again.
pub(super) fn resubmit(tx: &mut Tx<'_>, returned: ReturnId, word: &Word) -> Outcome<()> {
    diesel::insert_into(resubmissions::table)
        .values((
            resubmissions::return_id.eq(returned),
            resubmissions::reason.eq(&word.reason),
            resubmissions::resubmitted_by.eq(word.by),
            resubmissions::resubmitted_by_label.eq(&word.by_label),
            resubmissions::resubmitted_at.eq(word.at),
        ))
        .execute(tx.conn())?;
    Ok(())
}
