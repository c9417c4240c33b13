//! Each problem code is constructed, explained and tested: a code that nobody can meet is a lie of the contract.

use ent_backoffice::app;
use ent_backoffice::kernel::Actor;
use ent_backoffice::platform::Error;
use ent_backoffice::platform::papers::Templates;
use ent_backoffice::{access, accounting, campaigns, claims, titles};
use serde_json::json;

use crate::support::TestApp;
use crate::support::sources;
use crate::support::year::{open_campaign, register_seed, sign_both};

/// Name of the constant that declares a code.
fn constant(code: &str) -> String {
    let quoted = format!("\"{code}\"");
    for (_, text) in sources() {
        let mut last = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("pub const ").and_then(|l| l.split(": ProblemCode").next()) {
                last = name.to_owned();
            }
            if line.starts_with(&format!("code: {quoted}")) {
                return last;
            }
            if let Some((name, rest)) = line.split_once(" = ")
                && rest.starts_with(&quoted)
                && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
            {
                return name.to_owned();
            }
        }
    }
    panic!("{code} is declared nowhere");
}

/// The text without its lists that open and close with these words.
fn without(text: &str, open: &str, close: &str) -> String {
    let parts = text.split(open).enumerate();
    parts.map(|(n, part)| if n == 0 { part } else { part.split_once(close).map_or("", |(_, rest)| rest) }).collect()
}

/// Whether a refusal takes a constant by reference; lists of codes, and what handlers declare, do too, and are left out.
fn constructed(name: &str, all: &[(String, String)]) -> bool {
    all.iter().filter(|(path, _)| !path.starts_with("app/openapi/")).any(|(_, text)| {
        let outside = without(&without(text, "CODES: &[", "];"), "refuse(&[", "])");
        // `&NAME` or `&path::NAME`, and no longer name.
        outside.split('&').skip(1).any(|after| {
            let end = after.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(after.len());
            after[..end].rsplit("::").next() == Some(name)
        })
    })
}

#[test]
fn each_code_is_constructed_somewhere() {
    let all = sources();
    assert!(!constructed("NO_SUCH_CODE", &all) && !constructed("CODES_OF_NOBODY", &all));
    let declared = "Answers::refuse(&[&A]).or_refuse(&[\n&B,\n]); const CODES: &[&ProblemCode] = &[&C];".to_owned();
    let declared = [("titles/http.rs".to_owned(), declared)];
    assert!(["A", "B", "C"].iter().all(|name| !constructed(name, &declared)), "declaring a code is not refusing");
    let unused: Vec<&str> =
        app::catalogue().iter().map(|p| p.code).filter(|code| !constructed(&constant(code), &all)).collect();
    assert!(unused.is_empty(), "codes no refusal carries: {unused:?}");
}

#[test]
fn each_code_is_explained() {
    for problem in app::catalogue() {
        assert!(problem.title.len() > 5 && problem.title.len() < 60, "{}", problem.code);
        assert!(problem.meaning.len() > 30, "{}: {}", problem.code, problem.meaning);
        let french = [" le ", " la ", " l'", " un ", " une ", " de ", " d'", "Le ", "La ", "L'", "Un ", "Une "];
        assert!(french.iter().any(|word| problem.meaning.contains(word)), "{}: {}", problem.code, problem.meaning);
    }
}

#[test]
fn each_code_is_met_by_a_test() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut tests = String::new();
    let hostile = std::fs::read_dir(folder.join("hostile")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap().chain(hostile) {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "rs") {
            tests.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    let tests: String = tests.split_whitespace().collect();
    let untested: Vec<String> = app::catalogue()
        .iter()
        .filter(|p| !tests.contains(&format!("({},\"{}\")", p.status, p.code)))
        .map(|p| format!("{} {}", p.status, p.code))
        .collect();
    assert!(untested.is_empty(), "codes that no test expects as (status, \"code\"): {untested:?}");
}

/// Templates that do not compose.
fn broken() -> Templates {
    let template =
        |name: &'static str| ent_backoffice::platform::documents::Template::new(name, "#panic(\"abîmé\")".to_owned());
    let (title, decision) = (template("title.typ"), template("decision.typ"));
    Templates::default().with(&titles::PAPER, title).with(&claims::PAPER, decision)
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, expected: (u16, &str)) {
    match result {
        Err(Error::Refused(refused)) => assert_eq!((refused.code.status, refused.code.code), expected),
        other => panic!("{other:?}"),
    }
}

on_both_databases! {
    fn acts_on_money_have_an_author(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        let nobody = Actor::program("essai");
        let year = ent_backoffice::kernel::SchoolYear::parse("2025-2026").unwrap();
        let defaults = campaigns::Defaults {
            texts: campaigns::texts::CampaignTexts::default(),
            thresholds: campaigns::Thresholds::new(Vec::new()),
            specimen: false,
        };
        let all = || titles::Prepare { filter: None, keys: None, dry_run: false };
        refused(app.db.write(|tx| titles::prepare(tx, &nobody, &year, all(), &defaults, &broken())), (403, "preparer_unknown"));
        let seal = accounting::Seal { campaign: year.clone(), exercice: None };
        refused(app.db.write(|tx| accounting::seal(tx, &nobody, &seal)), (403, "sealer_unknown"));
        refused(app.db.read(|tx| access::find_user(tx, ent_backoffice::kernel::ids::UserId::new(tx.uuid()))), (404, "not_found"));
    }

    fn a_succession_never_runs_in_circles(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        let heir = json!({"siret": "21300001100014", "kind": "commune", "name": "Aigaliers", "insee_code": "30001"});
        g.post("/collectivites", heir).expect(201);
        let to = |successor: &str| json!({"kind": "transfer", "successor_siret": successor, "effective_on": "2025-07-27", "act_reference": "arrêté"});
        g.post("/collectivites/21300278500011/successions", to("21300278500011")).problem(422, "succession_loop");
        g.post("/collectivites/21300278500011/successions", to("21300001100014")).expect(201);
        g.post("/collectivites/21300001100014/successions", to("21300278500011")).problem(422, "succession_loop");
    }

    fn a_siret_begins_after_the_one_it_replaces(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        let to = |siret: &str, from: &str| g.post("/collectivites/21300278500011/sirets", json!({"siret": siret, "from": from}));
        to("21300278500029", "2025-01-01").expect(201);
        for early in ["2025-01-01", "2024-06-01"] {
            let answer = to("21300278500037", early).problem(422, "invalid_value");
            assert_eq!((&answer.json["errors"][0]["pointer"], &answer.json["errors"][0]["code"]), (&json!("/from"), &json!("date_order")));
        }
        to("21300278500037", "2025-01-02").expect(201);
    }

    fn two_exercices_are_never_sealed_as_one(app: &TestApp) {
        register_seed(app);
        let second = json!({"siret": "21300189400012", "kind": "commune", "name": "Nîmes", "insee_code": "30189"});
        app.gestionnaire().post("/collectivites", second).expect(201);
        let school = json!({"uai": crate::support::year::uai(300_002), "name": "Ecole", "kind": "primaire", "sector": "public",
                            "insee_code": "30189", "commune_name": "Nîmes"});
        app.gestionnaire().post("/schools", school).expect(201);
        open_campaign(app, "issue");
        app.forget_jobs();
        let issued = app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).expect(200).json;
        app.set_time("2025-07-28T09:00:00Z");
        issued["items"].as_array().unwrap().iter().for_each(|i| sign_both(app, i["id"].as_str().unwrap()));
        let prepared = app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({})).expect(200).json;
        let approve = |n: usize| app.ordonnateur().post("/perception-titles/approvals", json!({"keys": [prepared["items"][n]["id"]]})).expect(200);
        approve(0);
        app.set_time("2026-01-05T09:00:00Z");
        approve(1);
        let seal = |body: serde_json::Value| app.ordonnateur().post("/accounting-batches", body);
        seal(json!({"campaign": "2025-2026"})).problem(422, "exercice_required");
        seal(json!({"campaign": "2025-2026", "exercice": 2024})).problem(409, "nothing_to_seal");
        let batch = seal(json!({"campaign": "2025-2026", "exercice": 2026})).expect(201).json;
        assert_eq!((&batch["count"], &batch["exercice"]), (&json!(1), &json!(2026)));
        seal(json!({"campaign": "2025-2026"})).expect(201);
    }

    fn a_demand_whose_template_is_broken_says_so(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let issued = app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).expect(200).json;
        app.set_time("2025-07-28T09:00:00Z");
        sign_both(app, issued["items"][0]["id"].as_str().unwrap());
        let prepared = app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({})).expect(200).json;
        let id = prepared["items"][0]["id"].as_str().unwrap();
        let templates = broken();
        let texts = campaigns::Defaults {
            texts: campaigns::texts::CampaignTexts::default(),
            thresholds: campaigns::Thresholds::new(Vec::new()),
            specimen: false,
        };
        let person = app.person(ent_backoffice::kernel::Role::Ordonnateur);
        let actor = Actor::staff(person.id, person.role, person.full_name(), None);
        let request = titles::Approve { filter: None, keys: Some(vec![id.to_owned()]), dry_run: false };
        let making = titles::Making { defaults: &texts, templates: &templates };
        app.db.write(|tx| titles::approve(tx, &actor, request.clone(), &making)).unwrap();
        app.ordonnateur().get(&format!("/perception-titles/{id}/document")).problem(409, "title_document_failed");
    }

    fn an_act_whose_template_is_broken_says_so(app: &TestApp) {
        register_seed(app);
        app.gestionnaire().json("PATCH", "/collectivites/21300278500011", &[("if-match", "*")], &json!({"contact_phone": "0466000000"})).expect(200);
        open_campaign(app, "do_not_issue");
        // Of before thresholds above the decree's were refused; the act below has a decree of its own.
        app.sql("UPDATE campaigns SET small_claims_threshold_cents = 10000").unwrap();
        app.forget_jobs();
        let issued = app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).expect(200).json;
        app.set_time("2025-07-28T09:00:00Z");
        sign_both(app, issued["items"][0]["id"].as_str().unwrap());
        let defaults = campaigns::Defaults {
            texts: campaigns::texts::CampaignTexts::default(),
            thresholds: campaigns::Thresholds::new(vec![("2020-01-01".parse().unwrap(), ent_backoffice::kernel::Money::from_cents(10_000))]),
            specimen: false,
        };
        let person = app.person(ent_backoffice::kernel::Role::Gestionnaire);
        let actor = Actor::staff(person.id, person.role, person.full_name(), None);
        let year = ent_backoffice::kernel::SchoolYear::parse("2025-2026").unwrap();
        let all = titles::Prepare { filter: None, keys: None, dry_run: false };
        app.db.write(|tx| titles::prepare(tx, &actor, &year, all.clone(), &defaults, &broken()).map(|_| ())).unwrap();
        let g = app.gestionnaire();
        let list = g.get("/campaigns/2025-2026/small-claim-decisions").expect(200).json;
        let id = list["data"][0]["id"].as_str().unwrap();
        g.get(&format!("/small-claim-decisions/{id}/document")).problem(409, "decision_document_failed");
    }

    fn a_row_that_is_no_value_is_a_fault_that_names_it_and_says_nothing_of_it(app: &TestApp) {
        app.gestionnaire().post("/campaigns", crate::support::year::campaign("issue")).expect(201);
        app.sql("UPDATE campaigns SET tariff = '{\"secret\": 1}'").unwrap();
        let answer = app.gestionnaire().get("/campaigns/2025-2026").problem(500, "integrity_fault");
        assert!(!answer.text().contains("secret") && !answer.text().contains("tariff"), "{}", answer.text());
        // Nothing of it is written: the transaction was undone, and the connection still serves.
        app.gestionnaire().json("PATCH", "/campaigns/2025-2026", &[("if-match", "*")], &json!({})).problem(500, "integrity_fault");
        app.gestionnaire().get("/schools").expect(200);
    }
}
