//! What an ordonnateur said no to in a campaign: titles back with who prepares, and those withdrawn. Preparation in
//! number passes over the first and tells of the second.

use std::collections::HashMap;

use super::store;
use super::title::{RETURNED_BEFORE, Stage, Title, TitleAct, WITHDRAWN_BEFORE};
use crate::campaigns::bulk::BulkItem;
use crate::kernel::ids::{CampaignId, ConventionId, UserId};
use crate::kernel::text::Note;
use crate::kernel::{Finding, Money};
use crate::platform::{Outcome, Tx};

/// The noes of one campaign, by convention.
#[derive(Default)]
pub(super) struct Noes {
    returned: HashMap<ConventionId, Title>,
    withdrawn: HashMap<ConventionId, Finding>,
}

impl Noes {
    pub fn load(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Self> {
        let mut noes = Self::default();
        for title in store::refused(tx, campaign)? {
            match &title.stage {
                // What was prepared anew after a return was withdrawn for it: the return is what is told.
                Stage::Withdrawn { reason, .. } => {
                    let (code, message) = match &title.returned {
                        Some(r) if r.resubmitted.is_none() => (RETURNED_BEFORE, r.finding(RETURNED_BEFORE).message),
                        _ => (WITHDRAWN_BEFORE, format!("Un titre de cette créance a été retiré : {reason}")),
                    };
                    let mut finding = Finding::to_acknowledge(code, message);
                    finding.found = title.reference().map(|r| r.text.clone());
                    noes.withdrawn.insert(title.convention_id, finding);
                }
                _ => _ = noes.returned.insert(title.convention_id, title),
            }
        }
        Ok(noes)
    }

    /// The title of a convention that is back with who prepares.
    pub fn returned(&self, convention: ConventionId) -> Option<&Title> {
        self.returned.get(&convention)
    }

    /// What a preparation says of a convention whose title was returned, when nobody names it.
    pub fn left(title: &Title, key: impl ToString) -> BulkItem {
        let mut item = BulkItem::new(key, "returned").with_id(title.id);
        item.findings.extend(title.returned.as_ref().map(|r| r.finding("title_returned")));
        item
    }

    /// What a title prepared after a no tells of it: bulk approval leaves it.
    pub fn told(&self, convention: ConventionId, superseded: Option<&Title>) -> Option<Finding> {
        let again = superseded.and_then(|t| t.returned.as_ref()).map(|r| r.finding(RETURNED_BEFORE));
        again.or_else(|| self.withdrawn.get(&convention).cloned())
    }
}

/// What living titles call once the returned one is out of the way.
pub(super) fn without(titled: Money, superseded: Option<&Title>) -> Money {
    superseded.and_then(|t| titled.checked_sub(t.amount)).unwrap_or(titled)
}

/// Takes a returned title out of the way of the one prepared anew.
pub(super) fn supersede(tx: &mut Tx<'_>, by: UserId, title: &Title) -> Outcome<()> {
    let words = title.returned.as_ref().map(|r| format!("préparé de nouveau après son retour : {}", r.said.reason));
    let words = words.unwrap_or_else(|| "préparé de nouveau".to_owned());
    // A reason that nearly fills its bound leaves no room for the words before it.
    let short: String = words.chars().take(crate::kernel::text::NOTE_MAX).collect();
    let reason = Note::parse(&short)
        .map_err(|f| crate::platform::Error::inconsistent("perception_title", "title_returns", title.id, &f))?;
    let (mut gone, _) = title.clone().apply(TitleAct::Withdraw { by, reason })?;
    store::save(tx, &mut gone)
}
