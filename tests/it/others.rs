//! What other rooms have to say when one acts: their vetoes stop it, what they do in its transaction falls with it.

use ent_backoffice::audit::{Others, Subject};
use ent_backoffice::conventions::{self, ConventionAction, ConventionTransition};
use ent_backoffice::kernel::ids::ConventionId;
use ent_backoffice::kernel::{Actor, Role};
use ent_backoffice::platform::db::blobs;
use ent_backoffice::platform::{Error, Outcome, Tx};
use serde_json::json;

use crate::support::TestApp;
use crate::support::year::{open_campaign, register_seed};

fn silent(_: &mut Tx<'_>, _: &Subject) -> Outcome<Option<String>> {
    Ok(None)
}

fn opposed(_: &mut Tx<'_>, subject: &Subject) -> Outcome<Option<String>> {
    Ok(Some(format!("{} est retenue.", subject.key)))
}

fn also_opposed(_: &mut Tx<'_>, _: &Subject) -> Outcome<Option<String>> {
    Ok(Some("Une autre pièce la cite.".to_owned()))
}

fn writes(tx: &mut Tx<'_>, _: &Actor, subject: &Subject) -> Outcome<()> {
    blobs::put(tx, "text/plain", subject.id.as_bytes()).map(|_| ())
}

fn fails(tx: &mut Tx<'_>, actor: &Actor, subject: &Subject) -> Outcome<()> {
    writes(tx, actor, subject)?;
    Err(Error::Incident("what follows failed".to_owned()))
}

on_both_databases! {
    fn what_others_say_stops_an_act_and_what_they_do_is_one_with_it(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let issued = app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).expect(200).json;
        let key = issued["items"][0]["id"].as_str().unwrap();
        let id = ConventionId::parse(key).unwrap();
        let person = app.person(Role::Gestionnaire);
        let actor = Actor::staff(person.id, person.role, person.full_name(), None);
        let cancel: ConventionTransition = serde_json::from_value(json!({"action": "cancel", "reason": "Émise par erreur"})).unwrap();
        let moment = conventions::moment(ConventionAction::Cancel);
        let act = |others: &Others| app.db.write(|tx| conventions::transition(tx, &actor, (id, None), &cancel, others));
        let kept = || app.db.read(|tx| blobs::get(tx, &blobs::digest(key.as_bytes()))).is_ok();
        let state = || app.gestionnaire().get(&format!("/conventions/{key}")).expect(200).json["status"].clone();

        match act(&Others::default().with(&[(moment, opposed), (moment, silent)], &[(moment, writes)]).with(&[(moment, also_opposed)], &[])) {
            Err(Error::Refused(refused)) => {
                assert_eq!((refused.code.status, refused.code.code), (409, "convention_titled"));
                assert!(refused.detail.ends_with(" est retenue. Une autre pièce la cite."), "{}", refused.detail);
            }
            other => panic!("{other:?}"),
        }
        assert!(act(&Others::default().with(&[], &[(moment, writes), (moment, fails)])).is_err());
        assert_eq!((state(), kept()), (json!("issued"), false), "the act falls with what follows");

        // Words on another moment are not asked.
        let elsewhere = conventions::moment(ConventionAction::Decline);
        act(&Others::default().with(&[(elsewhere, opposed), (moment, silent)], &[(elsewhere, fails), (moment, writes)])).unwrap();
        assert_eq!((state(), kept()), (json!("cancelled"), true));
    }
}
