//! The table of links.

use diesel::prelude::*;

use super::secret::Secret;
use super::standing::{Standing, expiry, standing};
use crate::campaigns::Campaign;
use crate::kernel::ids::{CampaignId, CollectiviteId, EmailId, InvitationId};
use crate::kernel::text::Note;
use crate::kernel::{Instant, Invitation};
use crate::platform::db::schema::invitations;
use crate::platform::db::unreadable::Rows;
use crate::platform::db::{AnyConnection, Tx, lives};
use crate::platform::error::Outcome;
use crate::platform::mail::Dossier;
use crate::platform::page::{Page, PageView};
use crate::{insert_batches, keyset, rows, text_enum};

crate::sort_keys!(InvitationSort, InvitationOrder of "invitations", descending { CreatedAt => "created_at" });

text_enum!(
    /// Par où un lien est parti : `mail` dans un courriel, `shown` montré à un agent.
    LinkOrigin { Mail => "mail", Shown => "shown" }
);

/// Where a row that cannot be read is looked for.
pub(super) const ROWS: &[Rows] = &[rows!("invitations": invitations as Link, "invitation",
    "SELECT id, id AS key FROM invitations ORDER BY id", invitations::id)];

/// A link as kept: never its secret.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = invitations)]
pub(super) struct Link {
    pub id: InvitationId,
    #[diesel(column_name = payer_id)]
    pub payer: CollectiviteId,
    #[diesel(column_name = campaign_id)]
    pub campaign: CampaignId,
    secret_sha256: String,
    pub life_id: String,
    pub origin: LinkOrigin,
    pub email_id: Option<EmailId>,
    attempt: Option<i64>,
    pub created_at: Instant,
    pub created_by: String,
    pub expires_at: Instant,
    pub revoked_at: Option<Instant>,
    pub revoked_by: Option<String>,
    pub revoked_reason: Option<String>,
    pub uses: i64,
    pub last_used_at: Option<Instant>,
    updated_at: Instant,
}

impl Link {
    /// What it is worth in a life of the base.
    pub(super) fn standing(&self, life: &str, now: Instant) -> Standing {
        standing(self.revoked_at.is_some(), self.life_id == life, self.expires_at, now)
    }

    /// What it opens.
    pub(super) const fn opens(&self) -> Invitation {
        Invitation { id: self.id, payer: self.payer, campaign: self.campaign }
    }
}

#[derive(Insertable)]
#[diesel(table_name = invitations, treat_none_as_default_value = false)]
struct Row {
    id: InvitationId,
    payer_id: CollectiviteId,
    campaign_id: CampaignId,
    secret_sha256: String,
    life_id: String,
    origin: LinkOrigin,
    email_id: Option<EmailId>,
    attempt: Option<i64>,
    created_at: Instant,
    created_by: String,
    expires_at: Instant,
    uses: i64,
    updated_at: Instant,
}

/// A link to make: whose, by whom, and the try of the mail it goes with.
pub struct NewLink<'a> {
    pub dossier: Dossier,
    pub campaign: &'a Campaign,
    pub mail: Option<(EmailId, i64)>,
    pub by: &'a str,
}

/// Makes links; their secrets, in the same order.
///
/// # Errors
/// Those of the database.
pub fn mint_all(tx: &mut Tx<'_>, new: &[NewLink<'_>]) -> Outcome<Vec<(InvitationId, Secret, Instant)>> {
    let (life, now) = (lives::current(tx)?.id, tx.now());
    let (mut all, mut given) = (Vec::with_capacity(new.len()), Vec::with_capacity(new.len()));
    for NewLink { dossier, campaign, mail, by } in new {
        let (id, secret) = (InvitationId::new(tx.uuid()), Secret::new(tx.secret()));
        let expires_at = expiry(campaign.said.ends_on, tx.today());
        all.push(Row {
            id,
            payer_id: dossier.payer,
            campaign_id: dossier.campaign,
            secret_sha256: secret.sha256(),
            life_id: life.clone(),
            origin: if mail.is_some() { LinkOrigin::Mail } else { LinkOrigin::Shown },
            email_id: mail.map(|(email, _)| email),
            attempt: mail.map(|(_, attempt)| attempt),
            created_at: now,
            created_by: (*by).to_owned(),
            expires_at,
            uses: 0,
            updated_at: now,
        });
        given.push((id, secret, expires_at));
    }
    insert_batches!(tx, invitations::table, all);
    Ok(given)
}

/// Links of tries whose mail certainly did not leave: nobody has them.
///
/// # Errors
/// Those of the database.
pub fn unsent(tx: &mut Tx<'_>, tries: &[(EmailId, i64)]) -> Outcome<()> {
    for (email, attempt) in tries {
        let own = invitations::table.filter(invitations::email_id.eq(email).and(invitations::attempt.eq(attempt)));
        diesel::delete(own).execute(tx.conn())?;
    }
    Ok(())
}

/// The link a secret is of.
pub(super) fn by_secret(tx: &mut Tx<'_>, secret: &Secret) -> Outcome<Option<Link>> {
    let own = invitations::table.filter(invitations::secret_sha256.eq(secret.sha256()));
    Ok(own.select(Link::as_select()).first(tx.conn()).optional()?)
}

pub(super) fn find(tx: &mut Tx<'_>, id: InvitationId) -> Outcome<Option<Link>> {
    Ok(invitations::table.find(id).select(Link::as_select()).first(tx.conn()).optional()?)
}

/// The same, held until the end of the transaction.
pub(super) fn hold(tx: &mut Tx<'_>, id: InvitationId) -> Outcome<Option<Link>> {
    let own = invitations::table.find(id);
    Ok(match tx.conn() {
        AnyConnection::Postgresql(c) => own.select(Link::as_select()).for_no_key_update().first(c).optional()?,
        conn @ AnyConnection::Sqlite(_) => own.select(Link::as_select()).first(conn).optional()?,
    })
}

/// Revokes a link; false when it was already.
pub(super) fn revoke(tx: &mut Tx<'_>, id: InvitationId, by: &str, reason: &Note) -> Outcome<bool> {
    let now = tx.now();
    let live = invitations::table.find(id).filter(invitations::revoked_at.is_null());
    let done = diesel::update(live)
        .set((
            invitations::revoked_at.eq(now),
            invitations::revoked_by.eq(by),
            invitations::revoked_reason.eq(reason.to_string()),
            invitations::updated_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(done == 1)
}

/// Takes the links of earlier lives of the base into the present one; how many.
///
/// # Errors
/// Those of the database.
pub fn adopt(tx: &mut Tx<'_>) -> Outcome<usize> {
    let (life, now) = (lives::current(tx)?.id, tx.now());
    let others = invitations::table.filter(invitations::life_id.ne(&life).and(invitations::revoked_at.is_null()));
    let moved = (invitations::life_id.eq(&life), invitations::updated_at.eq(now));
    Ok(diesel::update(others).set(moved).execute(tx.conn())?)
}

/// Counts a use.
pub(super) fn used(tx: &mut Tx<'_>, id: InvitationId) -> Outcome<()> {
    let now = tx.now();
    diesel::update(invitations::table.find(id))
        .set((
            invitations::uses.eq(invitations::uses + 1),
            invitations::last_used_at.eq(now),
            invitations::updated_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Links of a payer in a campaign.
pub(super) fn of_dossier(
    tx: &mut Tx<'_>,
    of: Dossier,
    updated_since: Option<Instant>,
    page: &Page<InvitationSort>,
) -> Outcome<PageView<Link>> {
    let mut query = invitations::table
        .filter(invitations::payer_id.eq(of.payer).and(invitations::campaign_id.eq(of.campaign)))
        .select(Link::as_select())
        .into_boxed();
    if let Some(since) = updated_since {
        query = query.filter(invitations::updated_at.ge(since));
    }
    keyset!(query, page, invitations::id, { InvitationSort::CreatedAt => invitations::created_at, Instant; });
    let rows: Vec<Link> = query.load(tx.conn())?;
    Ok(page.cut(rows, tx.now(), |InvitationSort::CreatedAt, link| (link.created_at.to_string(), link.id.to_string())))
}
