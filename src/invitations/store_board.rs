//! Who of a campaign was written to, when, and who cannot be: a reading across conventions, contacts, mails and links.

use std::collections::{HashMap, HashSet};

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::mails::{FRESH_LINK, INVITATION};
use crate::conventions::ConventionState;
use crate::kernel::contact::EmailAddress;
use crate::kernel::ids::{CampaignId, CollectiviteId, ConventionId, EmailId};
use crate::kernel::text::Line;
use crate::kernel::{Instant, Siret};
use crate::platform::db::schema::{collectivites, conventions, email_dossiers, emails, invitations, mail_blocks};
use crate::platform::db::{Tx, lives};
use crate::platform::error::Outcome;
use crate::platform::mail::EmailState;
use crate::platform::page::{Page, PageView};
use crate::{keyset, text_enum};

crate::sort_keys!(BoardSort, BoardOrder of "invitation_board" { Number => "number" });

text_enum!(
    /// Ce que l'on sait de l'adresse d'une collectivité : `known` connue, `missing` aucune, `blocked` signalée.
    AddressState { Known => "known", Missing => "missing", Blocked => "blocked" }
);

/// Mails that carry a link.
const WITH_LINK: [&str; 2] = [INVITATION.name, FRESH_LINK.name];
/// Mails that left, or still will.
const ON_THEIR_WAY: [EmailState; 5] =
    [EmailState::Queued, EmailState::Sending, EmailState::Sent, EmailState::Deferred, EmailState::Uncertain];

/// Payers of a campaign an invitation left for, or waits to.
pub(super) fn invited(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<HashSet<CollectiviteId>> {
    let rows: Vec<CollectiviteId> = email_dossiers::table
        .inner_join(emails::table.on(emails::id.eq(email_dossiers::email_id)))
        .filter(email_dossiers::campaign_id.eq(campaign))
        .filter(emails::kind.eq(INVITATION.name).and(emails::state.eq_any(ON_THEIR_WAY)))
        .select(email_dossiers::payer_id)
        .load(tx.conn())?;
    Ok(rows.into_iter().collect())
}

/// Whether a fresh link waits to leave for a payer.
pub(super) fn waits(tx: &mut Tx<'_>, campaign: CampaignId, payer: CollectiviteId) -> Outcome<bool> {
    let waiting = [EmailState::Queued, EmailState::Sending, EmailState::Deferred];
    let mails = email_dossiers::table
        .inner_join(emails::table.on(emails::id.eq(email_dossiers::email_id)))
        .filter(email_dossiers::campaign_id.eq(campaign).and(email_dossiers::payer_id.eq(payer)))
        .filter(emails::kind.eq(FRESH_LINK.name).and(emails::state.eq_any(waiting)));
    Ok(diesel::select(exists(mails)).get_result(tx.conn())?)
}

/// Which lines of the board.
#[derive(Debug, Clone, Default)]
pub(super) struct BoardFilter {
    pub address: Option<AddressState>,
    pub invited: Option<bool>,
    pub opened: Option<bool>,
    pub status: Option<ConventionState>,
    pub updated_since: Option<Instant>,
}

/// One line: a convention, its payer, and how it is reached.
#[derive(Debug, Clone, Queryable)]
pub(super) struct BoardLine {
    pub convention: ConventionId,
    pub number: String,
    pub state: ConventionState,
    pub payer: CollectiviteId,
    pub siret: Siret,
    pub name: Line,
    pub contact: Option<EmailAddress>,
}

/// What is known of the way to a payer.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    /// The last mail with a link.
    pub mail: Option<(EmailId, EmailState, Instant)>,
    pub links: usize,
    pub last_used_at: Option<Instant>,
    pub blocked: bool,
}

pub(super) fn board(
    tx: &mut Tx<'_>,
    campaign: CampaignId,
    filter: &BoardFilter,
    page: &Page<BoardSort>,
) -> Outcome<PageView<BoardLine>> {
    let mut query = conventions::table
        .inner_join(collectivites::table.on(collectivites::id.eq(conventions::collectivite_id)))
        .filter(conventions::campaign_id.eq(campaign).and(conventions::state.ne(ConventionState::Cancelled)))
        .select((
            conventions::id,
            conventions::number,
            conventions::state,
            collectivites::id,
            collectivites::siret,
            collectivites::name,
            collectivites::contact_email,
        ))
        .into_boxed();
    let blocked =
        || exists(mail_blocks::table.filter(mail_blocks::address.nullable().eq(collectivites::contact_email)));
    query = match filter.address {
        None => query,
        Some(AddressState::Missing) => query.filter(collectivites::contact_email.is_null()),
        Some(AddressState::Blocked) => query.filter(blocked()),
        Some(AddressState::Known) => query.filter(collectivites::contact_email.is_not_null()).filter(not(blocked())),
    };
    let mailed = || {
        exists(
            email_dossiers::table
                .inner_join(emails::table.on(emails::id.eq(email_dossiers::email_id)))
                .filter(email_dossiers::payer_id.eq(conventions::collectivite_id))
                .filter(email_dossiers::campaign_id.eq(campaign))
                .filter(emails::kind.eq_any(WITH_LINK).and(emails::state.eq_any(ON_THEIR_WAY))),
        )
    };
    query = match filter.invited {
        None => query,
        Some(true) => query.filter(mailed()),
        Some(false) => query.filter(not(mailed())),
    };
    let opened = || {
        exists(
            invitations::table
                .filter(invitations::payer_id.eq(conventions::collectivite_id))
                .filter(invitations::campaign_id.eq(campaign).and(invitations::uses.gt(0_i64))),
        )
    };
    query = match filter.opened {
        None => query,
        Some(true) => query.filter(opened()),
        Some(false) => query.filter(not(opened())),
    };
    if let Some(status) = filter.status {
        query = query.filter(conventions::state.eq(status));
    }
    if let Some(since) = filter.updated_since {
        let mail = email_dossiers::table
            .inner_join(emails::table.on(emails::id.eq(email_dossiers::email_id)))
            .filter(email_dossiers::payer_id.eq(conventions::collectivite_id))
            .filter(email_dossiers::campaign_id.eq(campaign).and(emails::updated_at.ge(since)));
        let link = invitations::table
            .filter(invitations::payer_id.eq(conventions::collectivite_id))
            .filter(invitations::campaign_id.eq(campaign).and(invitations::updated_at.ge(since)));
        query = query.filter(conventions::updated_at.ge(since).or(exists(mail)).or(exists(link)));
    }
    keyset!(query, page, conventions::id, { BoardSort::Number => conventions::number, String; });
    let rows: Vec<BoardLine> = query.load(tx.conn())?;
    Ok(page.cut(rows, tx.now(), |BoardSort::Number, line| (line.number.clone(), line.convention.to_string())))
}

/// How some payers are reached.
pub(super) fn ways(
    tx: &mut Tx<'_>,
    campaign: CampaignId,
    payers: &[CollectiviteId],
) -> Outcome<HashMap<CollectiviteId, Way>> {
    let mut found: HashMap<CollectiviteId, Way> = HashMap::new();
    let mails: Vec<(CollectiviteId, EmailId, EmailState, Instant)> = email_dossiers::table
        .inner_join(emails::table.on(emails::id.eq(email_dossiers::email_id)))
        .filter(email_dossiers::campaign_id.eq(campaign).and(email_dossiers::payer_id.eq_any(payers)))
        .filter(emails::kind.eq_any(WITH_LINK))
        .order((emails::queued_at.asc(), emails::id.asc()))
        .select((email_dossiers::payer_id, emails::id, emails::state, emails::queued_at))
        .load(tx.conn())?;
    for (payer, id, state, at) in mails {
        found.entry(payer).or_default().mail = Some((id, state, at));
    }
    let (life, now) = (lives::current(tx)?.id, tx.now());
    let links: Vec<(CollectiviteId, Option<Instant>, Option<Instant>, Instant)> = invitations::table
        .filter(invitations::campaign_id.eq(campaign).and(invitations::payer_id.eq_any(payers)))
        .filter(invitations::life_id.eq(&life))
        .select((invitations::payer_id, invitations::revoked_at, invitations::last_used_at, invitations::expires_at))
        .load(tx.conn())?;
    for (payer, revoked, used, expires) in links {
        let way = found.entry(payer).or_default();
        way.links += usize::from(revoked.is_none() && expires > now);
        way.last_used_at = way.last_used_at.max(used);
    }
    let blocked: Vec<CollectiviteId> = collectivites::table
        .inner_join(mail_blocks::table.on(mail_blocks::address.nullable().eq(collectivites::contact_email)))
        .filter(collectivites::id.eq_any(payers))
        .select(collectivites::id)
        .load(tx.conn())?;
    for payer in blocked {
        found.entry(payer).or_default().blocked = true;
    }
    Ok(found)
}
