//! A lost link: a SIRET or a UAI in, the same answer for everybody, a mail to the address on file and to no other.

use super::context::{self, Reason};
use super::mails::{FRESH_LINK, Payload};
use super::store_board;
use super::store_lost::{self, Scope};
use crate::campaigns::{self, CampaignState};
use crate::kernel::ids::CollectiviteId;
use crate::kernel::{CallerAddress, Siret, Uai};
use crate::platform::mail;
use crate::platform::{Outcome, Tx};
use crate::registry;

/// Whose a SIRET or a school is, now.
fn payer_of(tx: &mut Tx<'_>, typed: &str) -> Outcome<Option<CollectiviteId>> {
    if let Ok(siret) = Siret::parse(typed) {
        return registry::holder_of(tx, &siret);
    }
    let Ok(uai) = Uai::parse(typed) else { return Ok(None) };
    registry::payer_of_school(tx, &uai)
}

/// Queues a fresh link for each open campaign in which the payer has a dossier, if there is an address and there were not
/// too many requests. Whoever asks learns nothing from it.
///
/// # Errors
/// Those of the database.
pub(super) fn ask(tx: &mut Tx<'_>, caller: CallerAddress, typed: &str) -> Outcome<()> {
    if !store_lost::grant(tx, Scope::Caller, &caller.source().to_string())? {
        return Ok(());
    }
    let Some(payer) = payer_of(tx, typed)? else { return Ok(()) };
    let blocked = mail::blocked_addresses(tx)?;
    for campaign in campaigns::in_state(tx, CampaignState::Open)? {
        let found = context::dossiers(tx, campaign.id, &[payer], Reason::Exists)?.remove(&payer);
        let Some(Ok(dossier)) = found else { continue };
        let Some(contact) = dossier.contact.filter(|contact| !blocked.contains(contact)) else { continue };
        // One that waits to leave serves whoever asks meanwhile.
        if store_board::waits(tx, campaign.id, payer)? {
            continue;
        }
        let key = format!("{payer} {}", campaign.id);
        let granted =
            store_lost::grant(tx, Scope::Dossier, &key)? && store_lost::grant(tx, Scope::Address, contact.as_str())?;
        if granted {
            let new =
                Payload { campaign: campaign.id, payers: vec![payer] }.mail(&FRESH_LINK, contact, "lien perdu")?;
            mail::post(tx, new)?;
        }
    }
    Ok(())
}
