//! The verbs of a year: from the register to the sealed batch, by the doors people use.
//!
//! ```text
//!   register_seed, register_communes ──▶ open_campaign ──▶ issue ──▶ sign ──▶ countersign ──▶ prepare ──▶ approve ──▶ seal
//!                                        └───────────── active_campaign ─────────────┘  └▶ expire
//! ```
//! A test that wants a convention or a title in a state gets it there by these. Who falsifies on purpose uses
//! [`TestApp::tamper`], which says so.

use ent_backoffice::conventions::{self, ConventionTransition};
use ent_backoffice::kernel::ids::ConventionId;
use ent_backoffice::kernel::{Actor, Role};
use serde_json::{Value, json};

use super::{Response, TestApp};

const YEAR: &str = "/campaigns/2025-2026";

/// Registers the commune of Saint-Laurent-des-Arbres and its two schools.
pub fn register_seed(app: &TestApp) {
    let gestionnaire = app.gestionnaire();
    gestionnaire
        .post(
            "/collectivites",
            json!({
                "siret": "21300278500011", "kind": "commune", "name": "Saint-Laurent-des-Arbres", "insee_code": "30278",
                "address": {"line1": "2 place de la Mairie", "line2": "Hôtel de ville", "postal_code": "30126",
                            "city": "Saint-Laurent-des-Arbres"},
                "representative": {"civility": "madame", "first_name": "Sylvie", "last_name": "BARRIEU VIGNAL", "title": "Maire"},
                "contact_email": "mairie@saint-laurent-des-arbres.invalid"
            }),
        )
        .expect(201);
    for (uai, name, kind) in [
        ("0301023Z", "Ecole élémentaire Charles Odoyer", "elementaire"),
        ("0301015R", "Ecole maternelle Charles Odoyer", "maternelle"),
    ] {
        let school = json!({
            "uai": uai, "name": name, "kind": kind, "sector": "public", "insee_code": "30278",
            "commune_name": "Saint-Laurent-des-Arbres"
        });
        let view = gestionnaire.post("/schools", school).expect(201).json;
        assert_eq!(view["payer"]["siret"], "21300278500011");
    }
}

/// Communes of the Gard that really exist, with a school each made for the test.
pub fn register_communes(app: &TestApp, count: u32) {
    let gestionnaire = app.gestionnaire();
    for n in 0..count {
        let siren = luhn(&format!("2130{:04}", 100 + n));
        let siret = luhn(&format!("{siren}0001"));
        let insee = format!("30{:03}", 100 + n);
        let body = json!({"siret": siret, "kind": "commune", "name": format!("Commune {n}"), "insee_code": insee});
        gestionnaire.post("/collectivites", body).expect(201);
        let number = 300_000 + n;
        let key = "ABCDEFGHJKLMNPRSTUVWXYZ".chars().nth(usize::try_from(number % 23).unwrap()).unwrap();
        let school = json!({"uai": format!("{number:07}{key}"), "name": "Ecole primaire", "kind": "primaire", "sector": "public",
                            "insee_code": insee, "commune_name": format!("Commune {n}")});
        gestionnaire.post("/schools", school).expect(201);
    }
}

pub fn luhn(body: &str) -> String {
    (0..10)
        .map(|k| format!("{body}{k}"))
        .find(|s| {
            let sum: u32 = s
                .chars()
                .rev()
                .enumerate()
                .map(|(i, c)| {
                    let d = c.to_digit(10).unwrap();
                    if i % 2 == 0 {
                        d
                    } else if d > 4 {
                        d * 2 - 9
                    } else {
                        d * 2
                    }
                })
                .sum();
            sum.is_multiple_of(10)
        })
        .unwrap()
}

/// The UAI of a number.
pub fn uai(number: u32) -> String {
    let key = "ABCDEFGHJKLMNPRSTUVWXYZ".chars().nth(usize::try_from(number % 23).unwrap()).unwrap();
    format!("{number:07}{key}")
}

/// The campaign of the seed.
pub fn campaign(policy: &str) -> Value {
    json!({
        "school_year": "2025-2026", "tariff": {"unit": "school", "unit_amount": "40.00"}, "convention_date": "2025-06-05",
        "ends_on": "2026-09-05", "response_deadline": "2025-10-15",
        "small_claims": {"threshold": "50.00", "policy": policy}
    })
}

/// Creates and opens the campaign, enrols every public school of the Gard.
pub fn open_campaign(app: &TestApp, policy: &str) {
    let gestionnaire = app.gestionnaire();
    gestionnaire.post("/campaigns", campaign(policy)).expect(201);
    gestionnaire
        .post("/campaigns/2025-2026/enrolments", json!({"filter": {"departement": "30", "sector": "public"}}))
        .expect(200);
    gestionnaire.post("/campaigns/2025-2026/transitions", json!({"action": "open"})).expect(200);
}

fn ids(view: &Value) -> Vec<String> {
    view["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Issues to every payer of the campaign; the ids of the conventions.
pub fn issue(app: &TestApp) -> Vec<String> {
    ids(&app.gestionnaire().post(&format!("{YEAR}/conventions"), json!({})).expect(200).json)
}

fn signature(action: &str, day: &str) -> Value {
    let (name, title) = match action {
        "sign" => ("Sylvie BARRIEU VIGNAL", "Maire"),
        _ => ("Carole Drucker-Godard", "Rectrice"),
    };
    json!({"action": action, "signed_on": day, "signatory": {"name": name, "title": title}})
}

/// The collectivité signs, on 25 July 2025.
pub fn sign(app: &TestApp, id: &str) {
    let path = format!("/conventions/{id}/transitions");
    app.gestionnaire().post(&path, signature("sign", "2025-07-25")).expect(200);
}

/// The région académique signs, on 25 July 2025: the convention takes effect.
pub fn countersign(app: &TestApp, id: &str) {
    let path = format!("/conventions/{id}/transitions");
    app.gestionnaire().post(&path, signature("countersign", "2025-07-25")).expect(200);
}

/// Both signatures, on 25 July 2025.
pub fn sign_both(app: &TestApp, id: &str) {
    sign(app, id);
    countersign(app, id);
}

/// Both signatures of every convention issued, on a day: thousands of them, in one transaction of the use case.
pub fn sign_all(app: &TestApp, day: &str) {
    let person = app.person(Role::Gestionnaire);
    let actor = Actor::staff(person.id, person.role, person.full_name(), None);
    let acts = ["sign", "countersign"].map(|action| signature(action, day));
    let acts: Vec<ConventionTransition> = acts.into_iter().map(|act| serde_json::from_value(act).unwrap()).collect();
    let issued = "SELECT id AS line FROM conventions WHERE state = 'issued' ORDER BY number_rank";
    let issued = super::databases::text_rows(&app.db, issued);
    let others = ent_backoffice::app::others();
    app.db
        .write(|tx| {
            for id in issued.iter().map(|id| ConventionId::parse(id).unwrap()) {
                for act in &acts {
                    conventions::transition(tx, &actor, (id, None), act, &others)?;
                }
            }
            Ok(())
        })
        .unwrap();
}

/// The campaign opened, every convention issued and in effect; their ids.
pub fn active_campaign(app: &TestApp, policy: &str) -> Vec<String> {
    open_campaign(app, policy);
    let issued = issue(app);
    app.forget_jobs();
    app.set_time("2025-07-28T09:00:00Z");
    issued.iter().for_each(|id| sign_both(app, id));
    issued
}

/// The day after the end of the conventions comes, and what is due that day.
pub fn expire(app: &TestApp) {
    app.set_time("2026-09-06T08:00:00Z");
    app.db.write(conventions::enqueue_expiry).unwrap();
    app.run_jobs();
}

/// Prepares every title of the campaign.
pub fn prepare(app: &TestApp) -> Value {
    app.gestionnaire().post(&format!("{YEAR}/perception-titles"), json!({})).expect(200).json
}

/// Approves every title of the campaign that waits.
pub fn approve(app: &TestApp) -> Value {
    let all = json!({"filter": {"campaign": "2025-2026"}});
    app.ordonnateur().post("/perception-titles/approvals", all).expect(200).json
}

/// Asks for the batch of what was approved.
pub fn seal(app: &TestApp) -> Response {
    app.ordonnateur().post("/accounting-batches", json!({"campaign": "2025-2026"}))
}
