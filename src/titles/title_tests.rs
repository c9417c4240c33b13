//! The lifecycle of a title, whatever is tried in whatever order.

use proptest::prelude::*;

use super::*;
use crate::kernel::ids::{CampaignId, CollectiviteId, ConventionId, ParticipationId};
use crate::kernel::{SchoolYear, Siret};
use crate::registry::kinds::CollectiviteKind;
use crate::registry::{Address, Chorus};

fn id(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n)
}

fn person(n: u128) -> UserId {
    UserId::new(id(n))
}

fn now() -> Instant {
    Instant::parse("2025-07-28T09:00:00Z").unwrap()
}

fn word(by: UserId) -> Word {
    Word { by, by_label: "Zoé Martin".into(), at: now(), reason: Note::parse("motif").unwrap() }
}

const PREPARER: u128 = 1;

fn prepared() -> Title {
    let day = now().day();
    Title {
        id: TitleId::new(id(10)),
        campaign_id: CampaignId::new(id(11)),
        convention_id: ConventionId::new(id(12)),
        convention_rank: 1,
        participation_id: ParticipationId::new(id(13)),
        debtor_id: CollectiviteId::new(id(14)),
        debtor: Debtor {
            siret: Siret::parse("21300278500011").unwrap(),
            kind: CollectiviteKind::Commune,
            name: "COMMUNE".into(),
            departement: None,
            address: Address::default(),
            town: None,
            chorus: Chorus::default(),
            substitution: None,
        },
        kind: TitleKind::Initial,
        corrects_id: None,
        stage: Stage::Prepared,
        amount: Money::from_cents(8_000),
        ground: Ground {
            school_year: SchoolYear::parse("2025-2026").unwrap(),
            convention_number: "ENT-C-2025-2026-00001".into(),
            payer_signed_on: day,
            issuer_signed_on: day,
            took_effect_on: day,
            legal_basis: String::new(),
            steps: Vec::new(),
            left_out: Vec::new(),
        },
        small_claim: false,
        flagged: false,
        threshold: Money::ZERO,
        findings: Vec::new(),
        prepared_by: person(PREPARER),
        prepared_by_label: "Zoé Martin".into(),
        prepared_at: now(),
        returned: None,
        version: 1,
        updated_at: now(),
    }
}

fn act(action: TitleAction, by: UserId) -> TitleAct {
    match action {
        TitleAction::Approve => TitleAct::Approve { by, reference: Reference::new(2025, 1) },
        TitleAction::Return => TitleAct::Return { id: ReturnId::new(id(20)), said: word(by) },
        TitleAction::Resubmit => TitleAct::Resubmit(word(by)),
        TitleAction::Withdraw => TitleAct::Withdraw { by, reason: Note::parse("motif").unwrap() },
    }
}

proptest! {
    #[test]
    fn what_is_allowed_is_what_is_done_and_nothing_is_lost(
        tried in prop::collection::vec((0_usize..4, 1_u128..4, any::<bool>()), 0..12)
    ) {
        let mut title = prepared();
        for (rank, who, seal) in tried {
            let (action, by) = (TitleAction::ALL[rank], person(who));
            let allowed = title.allowed().contains(&action);
            let before = title.clone();
            match title.clone().apply(act(action, by)) {
                Ok((next, effect)) => {
                    prop_assert!(allowed, "{action} in {}", before.state());
                    if action == TitleAction::Approve {
                        prop_assert_ne!(by, before.prepared_by);
                        let again = before.returned.as_ref().and_then(|r| r.resubmitted.as_ref());
                        prop_assert!(again.is_none_or(|w| w.by != by));
                        prop_assert_eq!(effect, TitleEffect::Numbered(Reference::new(2025, 1)));
                    }
                    title = next;
                }
                Err(refused) => {
                    let same = refused.code.code == "same_person";
                    prop_assert!(!allowed || same && action == TitleAction::Approve);
                    prop_assert_eq!(refused.allowed_actions.is_some(), !same);
                }
            }
            // What was approved stays what it is; its reference outlives its withdrawal.
            prop_assert_eq!(title.amount, before.amount);
            prop_assert_eq!(&title.debtor, &before.debtor);
            if before.reference().is_some() {
                prop_assert_eq!(title.reference(), before.reference());
            }
            if matches!(before.stage, Stage::Withdrawn { .. } | Stage::Transmitted(..)) {
                prop_assert_eq!(&title, &before);
            }
            if let (true, Stage::Approved(reference)) = (seal, title.stage.clone()) {
                title.stage = Stage::Transmitted(reference, BatchId::new(id(30)), "ENT-B-2025-0001".into());
            }
        }
    }
}
