//! Texts of mails edited since the program was installed: versions, of which the last is in force.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::kernel::text::Note;
use crate::kernel::version::PRECONDITION_FAILED;
use crate::kernel::{Instant, Refused};
use crate::platform::db::Tx;
use crate::platform::db::schema::mail_templates as templates;
use crate::platform::error::{Outcome, on_unique};

/// One version of a text.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = templates)]
pub struct TemplateVersion {
    pub kind: String,
    pub version: i64,
    pub source: String,
    pub reason: String,
    pub author: String,
    pub created_at: Instant,
}

/// Every version of a kind's text, the last first.
///
/// # Errors
/// Those of the database.
pub fn versions(tx: &mut Tx<'_>, kind: &str) -> Outcome<Vec<TemplateVersion>> {
    let own = templates::table.filter(templates::kind.eq(kind));
    Ok(own.order(templates::version.desc()).select(TemplateVersion::as_select()).load(tx.conn())?)
}

/// The version in force of each kind that was edited.
///
/// # Errors
/// Those of the database.
pub fn latest(tx: &mut Tx<'_>) -> Outcome<HashMap<String, TemplateVersion>> {
    let all: Vec<TemplateVersion> =
        templates::table.order(templates::version.asc()).select(TemplateVersion::as_select()).load(tx.conn())?;
    Ok(all.into_iter().map(|version| (version.kind.clone(), version)).collect())
}

/// Writes a version that comes after `read`; 0: the first.
///
/// # Errors
/// `precondition_failed`: another came meanwhile.
pub fn add_version(
    tx: &mut Tx<'_>,
    kind: &str,
    read: i64,
    (source, reason): (&str, &Note),
    author: &str,
) -> Outcome<TemplateVersion> {
    let new = TemplateVersion {
        kind: kind.to_owned(),
        version: read + 1,
        source: source.to_owned(),
        reason: reason.to_string(),
        author: author.to_owned(),
        created_at: tx.now(),
    };
    let written = diesel::insert_into(templates::table)
        .values((
            templates::kind.eq(&new.kind),
            templates::version.eq(new.version),
            templates::source.eq(&new.source),
            templates::reason.eq(&new.reason),
            templates::author.eq(&new.author),
            templates::created_at.eq(new.created_at),
        ))
        .execute(tx.conn());
    on_unique(written, || {
        Refused::new(&PRECONDITION_FAILED, "Ce texte vient d'être modifié par une autre personne : le relire.")
    })?;
    Ok(new)
}
