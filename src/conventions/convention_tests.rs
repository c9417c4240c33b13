//! The lifecycle of a convention, whatever is tried in whatever order.

use proptest::prelude::*;

use super::*;

fn id(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n)
}

fn day(n: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 6, 5).unwrap() + chrono::Duration::days(n)
}

fn issued() -> Convention {
    let now = Instant::parse("2025-06-05T08:00:00Z").unwrap();
    Convention {
        id: ConventionId::new(id(1)),
        campaign_id: CampaignId::new(id(2)),
        collectivite_id: CollectiviteId::new(id(3)),
        sequence: 1,
        sequence_reason: None,
        number: number(&SchoolYear::parse("2025-2026").unwrap(), 1),
        rank: 1,
        party: Party {
            siret: Siret::parse("21300278500011").unwrap(),
            kind: CollectiviteKind::Commune,
            name: Line::parse("X").unwrap(),
            insee_code: None,
            departement: None,
            address: Address::default(),
            representative: Representative::default(),
            chorus: Chorus::default(),
        },
        school_count: 2,
        total: Money::from_cents(8_000),
        ends_on: day(450),
        issued_by: "Zoé Martin".into(),
        issued_at: now,
        stage: Stage::Issued,
        acknowledged: Vec::new(),
        version: 1,
        updated_at: now,
    }
}

fn facts(titled: bool) -> ConventionFacts {
    ConventionFacts {
        calendar: Calendar { convention_date: day(0), today: day(100) },
        vetoes: titled.then(|| "Un titre existe.".to_owned()).into_iter().collect(),
        replaced_by: None,
        findings: Vec::new(),
        policy: CountersignPolicy::Record,
    }
}

fn act(action: ConventionAction, on: NaiveDate) -> ConventionAct {
    let note = || Note::parse("motif").unwrap();
    let signature =
        || Signature { on, name: Line::parse("A").unwrap(), title: Line::parse("Maire").unwrap(), evidence: None };
    match action {
        ConventionAction::Sign => ConventionAct::Sign { signature: signature(), acknowledged: Vec::new() },
        ConventionAction::Countersign => {
            ConventionAct::Countersign { signature: signature(), acknowledged: Vec::new() }
        }
        ConventionAction::CorrectSignature => ConventionAct::CorrectSignature {
            correction: Correction { of: SignedBy::Payer, on: Some(on), signatory: None, evidence: None },
            acknowledged: Vec::new(),
        },
        ConventionAction::Decline => ConventionAct::Decline { on, reason: note(), acknowledged: Vec::new() },
        ConventionAction::Reopen => ConventionAct::Reopen,
        ConventionAction::Cancel => ConventionAct::Cancel { reason: note() },
    }
}

proptest! {
    #[test]
    fn what_is_allowed_is_what_is_done_and_the_effect_rests_on_both_signatures(
        tried in prop::collection::vec((0_usize..6, 0_i64..100, any::<bool>()), 0..14)
    ) {
        let mut convention = issued();
        let mut free = false;
        for (rank, n, titled) in tried {
            let action = ConventionAction::ALL[rank];
            // A title rests on a convention in force only.
            let facts = facts(titled && convention.effect().is_some());
            let admitted = convention.admits(action, &facts).is_ok();
            let before = convention.clone();
            prop_assert!(!admitted || convention.allowed().contains(&action));
            match convention.clone().apply(act(action, day(n)), &facts) {
                Ok((next, effect)) => {
                    prop_assert!(admitted, "{action} in {}", before.state());
                    match effect {
                        ConventionEffect::FreesSchools => { prop_assert!(!free); free = true; }
                        ConventionEffect::TakesSchoolsBack => { prop_assert!(free); free = false; }
                        ConventionEffect::Nothing => {}
                    }
                    convention = next;
                }
                // What is admitted before anything is said may still be refused for a day a paper should not bear.
                Err(refused) => prop_assert!(!admitted || refused.code.code != "convention_state", "{}", refused.detail),
            }
            if let Some(effect) = convention.effect() {
                prop_assert_eq!(effect.took_effect_on, effect.signed.on.max(effect.countersigned.on));
            }
            prop_assert_eq!(free, matches!(convention.state(), ConventionState::Declined | ConventionState::Cancelled));
            prop_assert_eq!((&convention.party, convention.total), (&before.party, before.total));
            if before.state() == ConventionState::Cancelled {
                prop_assert_eq!(&convention, &before);
            }
        }
    }
}
