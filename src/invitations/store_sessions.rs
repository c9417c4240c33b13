//! The tables of uses and of sessions.

use chrono::Duration;
use diesel::prelude::*;

use super::secret::Secret;
use super::store::{self, Link};
use crate::kernel::ids::{InvitationId, SessionId};
use crate::kernel::{CallerAddress, Instant};
use crate::platform::db::schema::{invitation_sessions as sessions, invitation_uses as uses, invitations};
use crate::platform::db::{AnyConnection, Tx};
use crate::platform::error::Outcome;
use crate::platform::jobs::Daily;
use crate::text_enum;

text_enum!(
    /// Ce qu'était un usage : `opened` la page du lien affichée (par une personne ou un robot), `entered` le bouton pressé.
    UseKind { Opened => "opened", Entered => "entered" }
);

/// A session ends after so long, whatever happens in it.
const LENGTH: Duration = Duration::hours(8);
/// Sessions of one link at once.
const OPEN: i64 = 20;
/// Sessions that ended are kept for so long.
const KEPT: Duration = Duration::days(30);
/// Longest name of a browser kept.
const AGENT: usize = 200;

/// What each day asks of this room.
pub(super) const DAILY: &[Daily] = &[Daily::new("invitations.purge", |tx, _| {
    let before = tx.now().plus(-KEPT);
    diesel::delete(sessions::table.filter(sessions::expires_at.lt(before))).execute(tx.conn())?;
    super::store_lost::purge(tx)
})];

/// Who used a link, as far as that can be known.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub caller: CallerAddress,
    pub agent: Option<String>,
}

/// Records a use.
pub(super) fn used(tx: &mut Tx<'_>, link: InvitationId, kind: UseKind, origin: &Origin) -> Outcome<()> {
    store::used(tx, link)?;
    let agent =
        origin.agent.as_ref().map(|agent| agent.chars().filter(|c| !c.is_control()).take(AGENT).collect::<String>());
    let now = tx.now();
    diesel::insert_into(uses::table)
        .values((
            uses::id.eq(tx.uuid().to_string()),
            uses::invitation_id.eq(link),
            uses::at.eq(now),
            uses::kind.eq(kind),
            uses::address.eq(origin.caller.to_string()),
            uses::agent.eq(agent),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Whether the same caller used a link in the same way within a minute: once more tells nothing new.
pub(super) fn used_lately(tx: &mut Tx<'_>, link: InvitationId, kind: UseKind, origin: &Origin) -> Outcome<bool> {
    let since = tx.now().plus(-Duration::seconds(60));
    let same = uses::table
        .filter(uses::invitation_id.eq(link).and(uses::at.gt(since)))
        .filter(uses::kind.eq(kind).and(uses::address.eq(origin.caller.to_string())));
    Ok(diesel::select(diesel::dsl::exists(same)).get_result(tx.conn())?)
}

/// A use as kept.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Use {
    pub at: Instant,
    pub kind: UseKind,
    pub address: String,
    pub agent: Option<String>,
}

/// The last uses of a link, the last first.
pub(super) fn last_uses(tx: &mut Tx<'_>, link: InvitationId, most: i64) -> Outcome<Vec<Use>> {
    Ok(uses::table
        .filter(uses::invitation_id.eq(link))
        .order((uses::at.desc(), uses::id.desc()))
        .limit(most)
        .select((uses::at, uses::kind, uses::address, uses::agent))
        .load(tx.conn())?)
}

/// Begins a session; its secret, for the cookie alone.
pub(super) fn begin(tx: &mut Tx<'_>, link: InvitationId) -> Outcome<Secret> {
    let (secret, now) = (Secret::new(tx.secret()), tx.now());
    // Whoever presses the button again and again ends their own oldest sessions.
    let open: Vec<SessionId> = sessions::table
        .filter(sessions::invitation_id.eq(link).and(sessions::ended_at.is_null()).and(sessions::expires_at.gt(now)))
        .order((sessions::began_at.desc(), sessions::id.desc()))
        .offset(OPEN - 1)
        .select(sessions::id)
        .load(tx.conn())?;
    diesel::update(sessions::table.filter(sessions::id.eq_any(&open)))
        .set(sessions::ended_at.eq(now))
        .execute(tx.conn())?;
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(SessionId::new(tx.uuid())),
            sessions::invitation_id.eq(link),
            sessions::secret_sha256.eq(secret.sha256()),
            sessions::began_at.eq(now),
            sessions::expires_at.eq(now.plus(LENGTH)),
        ))
        .execute(tx.conn())?;
    Ok(secret)
}

/// Ends a session.
pub(super) fn end(tx: &mut Tx<'_>, secret: &Secret) -> Outcome<()> {
    let now = tx.now();
    let open = sessions::table.filter(sessions::secret_sha256.eq(secret.sha256()).and(sessions::ended_at.is_null()));
    diesel::update(open).set(sessions::ended_at.eq(now)).execute(tx.conn())?;
    Ok(())
}

/// The link behind a session that goes on; `held`: until the end of the transaction.
pub(super) fn link_of(tx: &mut Tx<'_>, secret: &Secret, held: bool) -> Outcome<Option<Link>> {
    let now = tx.now();
    let open = sessions::table
        .filter(sessions::secret_sha256.eq(secret.sha256()).and(sessions::ended_at.is_null()))
        .filter(sessions::expires_at.gt(now))
        .select(sessions::invitation_id);
    let Some(id) = open.first::<InvitationId>(tx.conn()).optional()? else { return Ok(None) };
    let link = invitations::table.find(id);
    Ok(match tx.conn() {
        // A revocation waits for the act under way, or is seen by it.
        AnyConnection::Postgresql(c) if held => link.select(Link::as_select()).for_share().first(c).optional()?,
        conn => link.select(Link::as_select()).first(conn).optional()?,
    })
}
