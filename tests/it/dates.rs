//! Every date a caller may send: the first and the last day admitted, and the days just outside.
//!
//! Nothing is refused for being recorded late; only the future of what has happened, and what can only be a slip. The
//! table is complete: a date of the OpenAPI document that is not in it fails here.

use std::cell::Cell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::contract::contract;
use crate::support::year::{campaign, luhn, open_campaign, register_seed, sign_both, uai};
use crate::support::{Response, TestApp};

/// One date of one operation: the days just outside, with the code they get, and the outermost days admitted.
struct Field {
    operation: &'static str,
    pointer: &'static str,
    early: (&'static str, &'static str),
    first: &'static str,
    last: &'static str,
    late: (&'static str, &'static str),
}

const EARLY: &str = "date_too_early";
const LATE: &str = "date_too_late";
const ORDER: &str = "date_order";

const fn field(
    operation: &'static str,
    pointer: &'static str,
    early: (&'static str, &'static str),
    first: &'static str,
    last: &'static str,
    late: (&'static str, &'static str),
) -> Field {
    Field { operation, pointer, early, first, last, late }
}

/// On 28 July 2025, for the school year 2025-2026 and its convention of 5 June 2025.
const TABLE: &[Field] = &[
    field(
        "create_user",
        "/delegation/published_on",
        ("1995-07-27", EARLY),
        "1995-07-28",
        "2025-07-28",
        ("2025-07-29", LATE),
    ),
    field(
        "create_user",
        "/delegation/ends_on",
        ("2025-03-14", ORDER),
        "2025-03-15",
        "2035-07-28",
        ("2035-07-29", LATE),
    ),
    field(
        "change_user",
        "/delegation/published_on",
        ("1995-07-27", EARLY),
        "1995-07-28",
        "2025-07-28",
        ("2025-07-29", LATE),
    ),
    field(
        "change_user",
        "/delegation/ends_on",
        ("2025-03-14", ORDER),
        "2025-03-15",
        "2035-07-28",
        ("2035-07-29", LATE),
    ),
    field("create_collectivite", "/closed_on", ("1969-12-31", EARLY), "1970-01-01", "2027-07-28", ("2027-07-29", LATE)),
    field("patch_collectivite", "/closed_on", ("1969-12-31", EARLY), "1970-01-01", "2027-07-28", ("2027-07-29", LATE)),
    field("replace_siret", "/from", ("1972-12-31", EARLY), "1973-01-01", "2025-07-28", ("2025-07-29", LATE)),
    field(
        "record_succession",
        "/effective_on",
        ("1969-12-31", EARLY),
        "1970-01-01",
        "2027-07-28",
        ("2027-07-29", LATE),
    ),
    field(
        "create_school",
        "/opened_on",
        ("1899-12-31", "date_range"),
        "1900-01-01",
        "2027-07-28",
        ("2027-07-29", LATE),
    ),
    field("create_school", "/closed_on", ("1969-12-31", EARLY), "1970-01-01", "2027-07-28", ("2027-07-29", LATE)),
    field("create_school", "/payer_from", ("1999-12-31", EARLY), "2000-01-01", "2027-07-28", ("2027-07-29", LATE)),
    field("patch_school", "/opened_on", ("1899-12-31", "date_range"), "1900-01-01", "2027-07-28", ("2027-07-29", LATE)),
    field("patch_school", "/closed_on", ("1969-12-31", EARLY), "1970-01-01", "2027-07-28", ("2027-07-29", LATE)),
    field("patch_school", "/payer_from", ("1999-12-31", EARLY), "2000-01-01", "2027-07-28", ("2027-07-29", LATE)),
    field("set_school_payer", "/payer_from", ("1999-12-31", EARLY), "2000-01-01", "2027-07-28", ("2027-07-29", LATE)),
    field(
        "create_campaign",
        "/convention_date",
        ("2023-08-31", EARLY),
        "2023-09-01",
        "2026-09-05",
        ("2026-09-06", ORDER),
    ),
    field("create_campaign", "/ends_on", ("2025-08-31", ORDER), "2025-09-01", "2027-08-31", ("2027-09-01", LATE)),
    field(
        "create_campaign",
        "/response_deadline",
        ("2025-06-04", ORDER),
        "2025-06-05",
        "2026-09-05",
        ("2026-09-06", ORDER),
    ),
    field(
        "create_campaign",
        "/texts/courts/validated_on",
        ("1999-12-31", EARLY),
        "2000-01-01",
        "2025-07-28",
        ("2025-07-29", LATE),
    ),
    field(
        "patch_campaign",
        "/convention_date",
        ("2023-08-31", EARLY),
        "2023-09-01",
        "2026-09-05",
        ("2026-09-06", ORDER),
    ),
    field("patch_campaign", "/ends_on", ("2025-08-31", ORDER), "2025-09-01", "2027-08-31", ("2027-09-01", LATE)),
    field(
        "patch_campaign",
        "/response_deadline",
        ("2025-06-04", ORDER),
        "2025-06-05",
        "2026-09-05",
        ("2026-09-06", ORDER),
    ),
    field(
        "patch_campaign",
        "/texts/courts/validated_on",
        ("1999-12-31", EARLY),
        "2000-01-01",
        "2025-07-28",
        ("2025-07-29", LATE),
    ),
    field("enrol_schools", "/requested_on", ("2023-08-31", EARLY), "2023-09-01", "2025-07-28", ("2025-07-29", LATE)),
    field("enrol_school", "/requested_on", ("2023-08-31", EARLY), "2023-09-01", "2025-07-28", ("2025-07-29", LATE)),
    field(
        "transition_convention",
        "/signed_on",
        ("2024-06-04", EARLY),
        "2024-06-05",
        "2025-07-28",
        ("2025-07-29", "date_in_future"),
    ),
    field(
        "transition_convention",
        "/declined_on",
        ("2024-06-04", EARLY),
        "2024-06-05",
        "2025-07-28",
        ("2025-07-29", "date_in_future"),
    ),
];

/// Dates whose bounds have a test of their own, for they need a world of their own.
const ELSEWHERE: &[&str] = &["transition_batch /signed_on"];

/// Sends one date where the table says, all else being well.
struct Sender<'a> {
    app: &'a TestApp,
    next: Cell<u32>,
}

impl Sender<'_> {
    fn number(&self) -> u32 {
        self.next.set(self.next.get() + 1);
        self.next.get()
    }

    fn siret(&self) -> String {
        luhn(&format!("{}0001", luhn(&format!("2130{:04}", 2000 + self.number()))))
    }

    fn collectivite(&self) -> Value {
        json!({"siret": self.siret(), "kind": "autre", "name": "Syndicat"})
    }

    fn send(&self, field: &Field, day: &str) -> Response {
        let (g, admin) = (self.app.gestionnaire(), self.app.admin());
        let put = |body: Value| set(body, field.pointer, day);
        let delegation = json!({"delegation": {"reference": "RAA n° 12", "published_on": "2025-03-14"}});
        let any = [("if-match", "*")];
        match field.operation {
            "create_user" => {
                let mut body = put(delegation);
                for (name, value) in [("role", "ordonnateur"), ("first_name", "Anne"), ("last_name", "Durand")] {
                    body[name] = json!(value);
                }
                body["email"] = json!(format!("p{}@exemple.invalid", self.number()));
                admin.post("/users", body)
            }
            "change_user" => {
                let id = self.app.person(ent_backoffice::kernel::Role::Ordonnateur).id;
                admin.json("PATCH", &format!("/users/{id}"), &any, &put(delegation))
            }
            "create_collectivite" => g.post("/collectivites", put(self.collectivite())),
            "patch_collectivite" => g.json("PATCH", "/collectivites/21300278500011", &any, &put(json!({}))),
            "replace_siret" => {
                let old = g.post("/collectivites", self.collectivite()).expect(201).json["siret"].clone();
                g.post(&format!("/collectivites/{}/sirets", old.as_str().unwrap()), put(json!({"siret": self.siret()})))
            }
            "record_succession" => {
                let old = g.post("/collectivites", self.collectivite()).expect(201).json["siret"].clone();
                let body = json!({"kind": "transfer", "successor_siret": "21300278500011", "act_reference": "arrêté"});
                g.post(&format!("/collectivites/{}/successions", old.as_str().unwrap()), put(body))
            }
            "create_school" => {
                let school = json!({"uai": uai(310_000 + self.number()), "name": "Ecole", "kind": "primaire", "sector": "public",
                                    "insee_code": "30278", "commune_name": "Saint-Laurent", "payer_siret": "21300278500011"});
                g.post("/schools", put(school))
            }
            "patch_school" => {
                let body = json!({"opened_on": null, "closed_on": null, "payer_siret": "21300278500011"});
                g.json("PATCH", "/schools/0301015R", &any, &put(body))
            }
            "set_school_payer" => g.post("/schools/0301015R/payers", put(json!({"payer_siret": "21300278500011"}))),
            "create_campaign" => {
                g.send("DELETE", "/api/v1/campaigns/2025-2026", &[], Vec::new());
                let mut body = campaign("issue");
                body["response_deadline"] = Value::Null;
                body["texts"] = serde_json::to_value(crate::support::texts()).unwrap();
                g.post("/campaigns", put(body))
            }
            "patch_campaign" => {
                let dates =
                    json!({"convention_date": "2025-06-05", "ends_on": "2026-09-05", "response_deadline": null});
                g.json("PATCH", "/campaigns/2025-2026", &any, &put(dates))
            }
            "enrol_schools" => {
                g.post("/campaigns/2025-2026/enrolments", put(json!({"keys": ["0301023Z"], "dry_run": true})))
            }
            "enrol_school" => {
                g.send("DELETE", "/api/v1/campaigns/2025-2026/enrolments/0301023Z", &[], Vec::new());
                g.put("/campaigns/2025-2026/enrolments/0301023Z", put(json!({})))
            }
            "transition_convention" => {
                let body = if field.pointer == "/signed_on" {
                    let acknowledged =
                        json!([{"code": "signed_before_convention_date", "reason": "daté ainsi sur l'original"}]);
                    json!({"action": "sign", "signatory": {"name": "S. B.", "title": "Maire"}, "acknowledged": acknowledged})
                } else {
                    let acknowledged =
                        json!([{"code": "declined_before_convention_date", "reason": "le conseil a voté en mai"}]);
                    json!({"action": "decline", "declined_by": "le maire", "reason": "vote", "acknowledged": acknowledged})
                };
                g.post(&format!("/conventions/{}/transitions", self.convention()), put(body))
            }
            other => panic!("no sender for {other}"),
        }
    }

    /// A convention that waits for a signature: the last is cancelled, and its payer named.
    fn convention(&self) -> String {
        let g = self.app.gestionnaire();
        let live = g.get("/conventions?sort=-number").expect(200).json["data"][0].clone();
        if live["status"] == "issued" {
            return live["id"].as_str().unwrap().to_owned();
        }
        if live["status"] == "signed" {
            let cancel = json!({"action": "cancel", "reason": "essai"});
            g.post(&format!("/conventions/{}/transitions", live["id"].as_str().unwrap()), cancel).expect(200);
        }
        let keys = json!({"keys": ["21300278500011"]});
        let view = g.post("/campaigns/2025-2026/conventions", keys).expect(200).json;
        view["items"][0]["id"].as_str().unwrap().to_owned()
    }
}

fn set(mut body: Value, pointer: &str, day: &str) -> Value {
    let mut place = &mut body;
    for key in pointer.split('/').skip(1) {
        place = place.as_object_mut().unwrap().entry(key).or_insert(json!({}));
    }
    *place = json!(day);
    body
}

/// The dates below a schema of the document, as JSON pointers.
fn dates(schema: &Value, pointer: &str, found: &mut BTreeSet<String>, depth: usize) {
    if depth > 12 {
        return;
    }
    let schema = contract().resolved(schema);
    if schema["format"] == "date" {
        found.insert(pointer.to_owned());
    }
    for choice in schema["oneOf"].as_array().into_iter().flatten() {
        dates(choice, pointer, found, depth + 1);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        dates(field, &format!("{pointer}/{name}"), found, depth + 1);
    }
}

#[test]
fn the_table_names_every_date_of_the_document() {
    let mut documented = BTreeSet::new();
    for operation in contract().operations() {
        let mut found = BTreeSet::new();
        dates(&operation.described["requestBody"]["content"]["application/json"]["schema"], "", &mut found, 0);
        documented.extend(found.into_iter().map(|pointer| format!("{} {pointer}", operation.id)));
        for parameter in operation.described["parameters"].as_array().into_iter().flatten() {
            let format = &contract().resolved(&parameter["schema"])["format"];
            assert_ne!(format, "date", "{}: a date in the query has no line in the table", operation.id);
        }
    }
    ELSEWHERE.iter().for_each(|date| assert!(documented.remove(*date), "{date} is documented no more"));
    let table: BTreeSet<String> = TABLE.iter().map(|f| format!("{} {}", f.operation, f.pointer)).collect();
    assert_eq!(documented, table);
}

on_both_databases! {
    fn every_date_has_two_bounds(app: &TestApp) {
        app.set_time("2025-07-28T09:00:00Z");
        app.forget_jobs();
        register_seed(app);
        open_campaign(app, "issue");
        let sender = Sender { app, next: Cell::new(0) };
        // Enrolments and conventions first, then the campaign is given up for those made and changed.
        let late = |f: &&Field| ["create_campaign", "patch_campaign"].contains(&f.operation);
        let all: Vec<&Field> = TABLE.iter().filter(|f| f.operation.starts_with("enrol_school")).chain(TABLE.iter().filter(|f| !late(f) && !f.operation.starts_with("enrol_school"))).collect();
        let mut wrong = Vec::new();
        for f in all {
            judge(&sender, f, &mut wrong);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    fn every_date_of_a_campaign_has_two_bounds(app: &TestApp) {
        app.set_time("2025-07-28T09:00:00Z");
        let sender = Sender { app, next: Cell::new(0) };
        let mut wrong = Vec::new();
        for operation in ["create_campaign", "patch_campaign"] {
            for f in TABLE.iter().filter(|f| f.operation == operation) {
                if operation == "patch_campaign" {
                    app.gestionnaire().send("DELETE", "/api/v1/campaigns/2025-2026", &[], Vec::new());
                    let mut body = campaign("issue");
                    body["response_deadline"] = Value::Null;
                    body["texts"] = serde_json::to_value(crate::support::texts()).unwrap();
                    app.gestionnaire().post("/campaigns", body).expect(201);
                }
                judge(&sender, f, &mut wrong);
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    fn a_school_year_of_another_age_is_refused(app: &TestApp) {
        let g = app.gestionnaire();
        let of = |first: i32| json!({
            "school_year": format!("{first}-{}", first + 1), "tariff": {"unit": "school", "unit_amount": "40.00"},
            "convention_date": format!("{first}-06-05"), "ends_on": format!("{}-09-05", first + 1)
        });
        let late = g.post("/campaigns", of(2028)).problem(422, "invalid_value").json;
        assert_eq!((&late["errors"][0]["pointer"], &late["errors"][0]["code"]), (&json!("/school_year"), &json!("date_too_late")));
        // Recording late is normal, and so is preparing two years ahead.
        g.post("/campaigns", of(2027)).expect(201);
        g.post("/campaigns", of(2012)).expect(201);
    }

    fn a_school_closes_after_it_opened(app: &TestApp) {
        register_seed(app);
        let patch = |body: Value| app.gestionnaire().json("PATCH", "/schools/0301023Z", &[("if-match", "*")], &body);
        patch(json!({"opened_on": "1990-09-01"})).expect(200);
        let refused = patch(json!({"closed_on": "1990-08-31"})).problem(422, "invalid_value").json;
        assert_eq!((&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]), (&json!("/closed_on"), &json!("date_order")));
        patch(json!({"closed_on": "1990-09-01"})).expect(200);
    }

    fn what_stands_already_is_not_judged_again(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        app.sql("UPDATE schools SET closed_on = '1950-01-01', opened_on = '1960-01-01' WHERE uai = '0301023Z'").unwrap();
        g.json("PATCH", "/schools/0301023Z", &[("if-match", "*")], &json!({"pupils": 80})).expect(200);
        g.post("/campaigns", campaign("issue")).expect(201);
        app.sql("UPDATE campaigns SET convention_date = '1950-01-01'").unwrap();
        g.json("PATCH", "/campaigns/2025-2026", &[("if-match", "*")], &json!({"countersign_policy": "require"})).expect(200);
        // What is to be printed is looked at once more when the campaign opens.
        let open = g.post("/campaigns/2025-2026/transitions", json!({"action": "open"})).problem(422, "invalid_value").json;
        assert_eq!(open["errors"][0]["pointer"], "/convention_date");
    }

    fn files_are_held_to_the_same_days(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        g.post("/campaigns", campaign("issue")).expect(201);
        let enrol = |day: &str| {
            let file = format!("uai;date\n0301023Z;{day}\n");
            g.upload("/campaigns/2025-2026/enrolments/imports?dry_run=true", "liste.csv", file.as_bytes()).expect(200).json
        };
        for (day, code) in [("31/08/2023", EARLY), ("06/06/2025", LATE)] {
            let view = enrol(day);
            assert_eq!((&view["rejected"], &view["rows"][0]["findings"][0]["code"]), (&json!(1), &json!(code)), "{day}");
        }
        for day in ["01/09/2023", "05/06/2025"] {
            assert_eq!(enrol(day)["created"], 1, "{day}");
        }
        let directory = |day: &str| {
            let file = format!(
                "uai;nom_etablissement;type_etablissement;statut_public_prive;code_commune;nom_commune;ecole_maternelle;\
                 ecole_elementaire;siren_siret;etat;nombre_d_eleves;date_ouverture\n\
                 0300001N;Ecole;Ecole;Public;30278;Saint-Laurent;0;1;;OUVERT;80;{day}\n"
            );
            g.upload("/schools/imports?dry_run=true", "annuaire.csv", file.as_bytes()).expect(200).json
        };
        // The school is there all the same; only its day is not believed.
        for (day, code) in [("1899-12-31", EARLY), ("2027-06-06", LATE)] {
            let view = directory(day);
            assert_eq!((&view["created"], &view["findings"][code]), (&json!(1), &json!(1)), "{day} {view}");
        }
        for day in ["1900-01-01", "2027-06-05"] {
            assert!(directory(day)["findings"].get(LATE).is_none(), "{day}");
        }
    }

    fn changes_are_asked_for_since_a_likely_instant(app: &TestApp) {
        let admin = app.admin();
        for list in ["/users", "/collectivites", "/schools", "/campaigns", "/conventions", "/perception-titles", "/accounting-batches"] {
            let ask = |instant: &str| if list == "/users" { admin.get(&format!("{list}?updated_since={instant}")) } else { app.lecteur().get(&format!("{list}?updated_since={instant}")) };
            for bad in ["1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z"] {
                let refused = ask(bad).problem(422, "invalid_value").json;
                assert_eq!(refused["errors"][0]["code"], "instant_format", "{list} {bad}");
            }
            for good in ["1970-01-01T00:00:00Z", "2199-12-31T23:59:59Z"] {
                ask(good).expect(200);
            }
        }
    }

    fn a_day_the_paper_should_not_bear_is_acknowledged_under_any_policy(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        app.set_time("2025-07-28T09:00:00Z");
        let g = app.gestionnaire();
        let id = g.post("/campaigns/2025-2026/conventions", json!({})).json["items"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/conventions/{id}/transitions");
        let who = |name: &str| json!({"name": name, "title": "Maire"});
        let sign = |day: &str| json!({"action": "sign", "signed_on": day, "signatory": who("S. B.")});
        let open = g.post(&path, sign("2025-06-04")).problem(409, "findings_open").json;
        assert_eq!((&open["errors"][0]["code"], &open["errors"][0]["value"]), (&json!("signed_before_convention_date"), &json!("2025-06-04")));
        // On the day of the convention itself nothing is asked; this one was signed after.
        g.post(&path, sign("2025-07-20")).expect(200);
        let counter = |day: &str, codes: &[&str]| {
            let all: Vec<Value> = codes.iter().map(|c| json!({"code": c, "reason": "daté ainsi sur l'original"})).collect();
            let body = json!({"action": "countersign", "signed_on": day, "signatory": {"name": "Carole Drucker-Godard", "title": "Rectrice"}, "acknowledged": all});
            g.post(&path, body)
        };
        let codes = |problem: Value| problem["errors"].as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let before_both = ["countersigned_before_convention_date", "countersigned_before_signature"];
        assert_eq!(codes(counter("2025-07-19", &[]).problem(409, "findings_open").json), ["countersigned_before_signature"]);
        assert_eq!(codes(counter("2025-06-04", &[]).problem(409, "findings_open").json), before_both);
        assert_eq!(codes(counter("2025-06-04", &["countersigned_before_signature"]).problem(409, "findings_open").json), before_both[..1]);
        counter("2024-06-04", &before_both).problem(422, "invalid_value");
        counter("2025-07-29", &[]).problem(422, "date_in_future");
        let active = counter("2025-06-04", &before_both).expect(200).json;
        assert_eq!((&active["status"], &active["took_effect_on"]), (&json!("active"), &json!("2025-07-20")));
        assert_eq!(active["acknowledged"].as_array().unwrap().len(), 2);
    }

    fn a_signature_recorded_amiss_is_corrected_with_a_reason(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        app.set_time("2025-07-28T09:00:00Z");
        let g = app.gestionnaire();
        let id = g.post("/campaigns/2025-2026/conventions", json!({})).json["items"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/conventions/{id}/transitions");
        let correct = |mut body: Value| {
            body["action"] = json!("correct_signature");
            g.post(&path, body)
        };
        correct(json!({"signed_by": "payer", "signed_on": "2025-07-01", "reason": "x"})).problem(409, "convention_state");
        g.post(&path, json!({"action": "sign", "signed_on": "2025-07-25", "signatory": {"name": "S. Barieu", "title": "Maire"}})).expect(200);
        // Each field it needs, and no other.
        for body in [
            json!({"signed_by": "payer", "signed_on": "2025-07-24"}),
            json!({"signed_on": "2025-07-24", "reason": "x"}),
            json!({"signed_by": "payer", "reason": "x"}),
            json!({"signed_by": "issuer", "evidence": "original", "reason": "x"}),
            json!({"signed_by": "payer", "signed_on": "2025-07-24", "declined_by": "y", "reason": "x"}),
        ] {
            correct(body).problem(422, "invalid_value");
        }
        correct(json!({"signed_by": "issuer", "signed_on": "2025-07-24", "reason": "x"})).problem(409, "convention_state");
        correct(json!({"signed_by": "payer", "signed_on": "2025-06-04", "reason": "x"})).problem(409, "findings_open");
        correct(json!({"signed_by": "payer", "signed_on": "2025-07-29", "reason": "x"})).problem(422, "date_in_future");
        let seen = json!([{"code": "signed_before_convention_date", "reason": "vu sur l'original"}]);
        let early = correct(json!({"signed_by": "payer", "signed_on": "2025-06-04", "acknowledged": seen, "reason": "jour mal lu"})).expect(200).json;
        assert_eq!((&early["signature"]["signed_on"], &early["signature"]["name"]), (&json!("2025-06-04"), &json!("S. Barieu")));
        let named = json!({"signed_by": "payer", "signatory": {"name": "Sylvie BARRIEU VIGNAL", "title": "Maire"}, "reason": "nom mal lu"});
        let named = correct(named).expect(200).json;
        assert_eq!((&named["signature"]["signed_on"], &named["signature"]["name"]), (&json!("2025-06-04"), &json!("Sylvie BARRIEU VIGNAL")));
        g.post(&path, json!({"action": "countersign", "signed_on": "2025-07-26", "signatory": {"name": "Carole Drucker-Godard", "title": "Rectrice"}})).expect(200);
        let moved = correct(json!({"signed_by": "issuer", "signed_on": "2025-07-27", "reason": "jour mal lu"})).expect(200).json;
        assert_eq!((&moved["took_effect_on"], &moved["countersignature"]["signed_on"]), (&json!("2025-07-27"), &json!("2025-07-27")));
        // The journal keeps what was, what is, and why.
        let journal = app.admin().get("/audit-events?action=convention.signature_corrected&sort=at").expect(200).json;
        let last = &journal["data"].as_array().unwrap().iter().map(|e| &e["data"]).find(|d| d["signed_by"] == "issuer").unwrap().clone();
        assert_eq!((&last["before"]["issuer"]["signed_on"], &last["after"]["issuer"]["signed_on"], &last["reason"]), (&json!("2025-07-26"), &json!("2025-07-27"), &json!("jour mal lu")));
        // A title states the signatures: corrected only once it is withdrawn, and prepared again with what is true.
        let prepared = g.post("/campaigns/2025-2026/perception-titles", json!({})).expect(200).json;
        let again = json!({"signed_by": "issuer", "signed_on": "2025-07-28", "reason": "encore"});
        correct(again.clone()).problem(409, "convention_titled");
        let title = format!("/perception-titles/{}/transitions", prepared["items"][0]["id"].as_str().unwrap());
        app.ordonnateur().post(&title, json!({"action": "withdraw", "reason": "signature à corriger"})).expect(200);
        correct(again).expect(200);
        g.post("/campaigns/2025-2026/perception-titles", json!({})).expect(200);
        let title = g.get("/perception-titles?status=prepared").json["data"][0].clone();
        assert!(title["legal_basis"].as_str().unwrap().contains("28/07/2025"), "{title}");
    }

    fn a_convention_that_expired_is_corrected_too(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let id = app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).json["items"][0]["id"].as_str().unwrap().to_owned();
        app.set_time("2025-07-28T09:00:00Z");
        sign_both(app, &id);
        app.set_time("2026-09-06T08:00:00Z");
        app.db.write(ent_backoffice::conventions::enqueue_expiry).unwrap();
        app.run_jobs();
        let body = json!({"action": "correct_signature", "signed_by": "payer", "signed_on": "2025-07-24", "reason": "mal lu"});
        let path = format!("/conventions/{id}/transitions");
        let view = app.gestionnaire().post(&path, body).expect(200).json;
        assert_eq!((&view["status"], &view["signature"]["signed_on"]), (&json!("expired"), &json!("2025-07-24")));
        let late = json!({"action": "correct_signature", "signed_by": "payer", "signed_on": "2026-09-06", "reason": "mal lu"});
        app.gestionnaire().post(&path, late).problem(409, "convention_ended");
    }
}

fn judge(sender: &Sender<'_>, f: &Field, wrong: &mut Vec<String>) {
    let place = format!("{} {}", f.operation, f.pointer);
    for (day, code) in [f.early, f.late] {
        let answer = sender.send(f, day);
        let error = &answer.json["errors"][0];
        if (answer.status, error["code"].as_str(), error["pointer"].as_str()) != (422, Some(code), Some(f.pointer)) {
            wrong.push(format!("{place} {day}: {code} expected, {}", answer.text()));
        }
    }
    for day in [f.first, f.last] {
        let answer = sender.send(f, day);
        if !(200..300).contains(&answer.status) {
            wrong.push(format!("{place} {day}: admitted expected, {}", answer.text()));
        }
    }
}
