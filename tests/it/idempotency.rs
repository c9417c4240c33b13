//! `Idempotency-Key`: the same answer again, never the same act twice; and `If-Match`.

use serde_json::json;

use crate::support::TestApp;
use crate::support::operations::{FORM, Sent, document, find, form, operations};
use crate::support::year::{campaign, register_seed};

fn commune(name: &str) -> serde_json::Value {
    json!({"siret": "21300278500011", "kind": "commune", "name": name, "insee_code": "30278"})
}

const COMMUNES: &str = "insee;siret;nom\n30189;21300189400012;Nîmes\n";

on_both_databases! {
    fn a_refusal_is_not_kept(app: &TestApp) {
        let g = app.gestionnaire();
        let key = [("idempotency-key", "inscription-1")];
        let post = |year: &str| g.json("POST", &format!("/campaigns/{year}/enrolments"), &key, &json!({"filter": {"departement": "30"}}));
        post("2025-2026").problem(404, "not_found");
        g.post("/campaigns", campaign("issue")).expect(201);
        post("2025-2026").expect(200);
        // Another route is another scope.
        post("2026-2027").problem(404, "not_found");
    }

    fn a_key_belongs_to_its_caller(app: &TestApp) {
        let key = [("idempotency-key", "commune-1")];
        app.gestionnaire().json("POST", "/collectivites", &key, &commune("Saint-Laurent")).expect(201);
        let other = app.client_of(&app.add_user("autre@exemple.invalid", ent_backoffice::kernel::Role::Gestionnaire));
        other.json("POST", "/collectivites", &key, &commune("Saint-Laurent")).problem(409, "siret_taken");
    }

    fn an_answer_is_kept_a_day(app: &TestApp) {
        let post = |body: &serde_json::Value| app.gestionnaire().json("POST", "/collectivites", &[("idempotency-key", "commune-1")], body);
        let first = post(&commune("Saint-Laurent")).expect(201);
        app.set_time("2025-06-06T08:00:00Z");
        assert_eq!(post(&commune("Saint-Laurent")).expect(201).bytes, first.bytes);
        post(&commune("Saint-Laurent-des-Arbres")).problem(422, "idempotency_key_reused");
        app.set_time("2025-06-06T08:00:01Z");
        post(&commune("Saint-Laurent")).problem(409, "siret_taken");
        // The day's work removes what nobody can ask for any more.
        let kept = |app: &TestApp| crate::support::databases::text_rows(&app.db, "SELECT key AS line FROM idempotency_keys").len();
        assert_eq!(kept(app), 1);
        assert_eq!(app.db.write(ent_backoffice::platform::db::idempotency::purge).unwrap(), 1);
        assert_eq!(kept(app), 0);
    }

    fn a_dry_run_neither_keeps_nor_repeats(app: &TestApp) {
        let g = app.gestionnaire();
        let send = |query: &str| {
            let headers = [("content-type", FORM), ("idempotency-key", "import-1")];
            g.send("POST", &format!("/api/v1/collectivites/imports{query}"), &headers, form("file", "c.csv", COMMUNES.as_bytes()))
        };
        assert_eq!(send("?dry_run=true").expect(200).json["dry_run"], true);
        assert!(g.get("/collectivites").json["data"].as_array().unwrap().is_empty());
        let real = send("").expect(200).json;
        assert_eq!((&real["dry_run"], &real["created"]), (&json!(false), &json!(1)));
        // The real answer is kept; a dry run under the same key is looked at anew.
        let dry = send("?dry_run=true").expect(200).json;
        assert_eq!((&dry["dry_run"], &dry["unchanged"]), (&json!(true), &json!(1)));
        assert_eq!(send("").expect(200).json, real);
        // A key that is none is refused all the same: what a dry run promises, the act keeps.
        let headers = [("content-type", FORM), ("idempotency-key", "deux mots")];
        let odd = g.send("POST", "/api/v1/collectivites/imports?dry_run=true", &headers, form("file", "c.csv", COMMUNES.as_bytes()));
        odd.problem(422, "invalid_value");
        // Other options are another demand.
        send("?dry_run=false").problem(422, "idempotency_key_reused");
    }

    fn the_options_of_the_address_are_part_of_the_demand(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        let file = "uai;nom_etablissement;type_etablissement;statut_public_prive;code_commune;nom_commune;ecole_maternelle;\
                    ecole_elementaire;siren_siret;etat;nombre_d_eleves\n0301023Z;Ecole;Ecole;Public;30278;Saint-Laurent;0;1;;OUVERT;80\n";
        let send = |query: &str| {
            let headers = [("content-type", FORM), ("idempotency-key", "annuaire-1")];
            g.send("POST", &format!("/api/v1/schools/imports{query}"), &headers, form("file", "c.csv", file.as_bytes()))
        };
        send("").expect(200);
        send("?complete_for=30").problem(422, "idempotency_key_reused");
    }

    fn keys_that_are_none_are_refused(app: &TestApp) {
        let g = app.gestionnaire();
        let long = "k".repeat(201);
        for bad in ["", "deux mots", &long, "clé"] {
            let refused = g.json("POST", "/collectivites", &[("idempotency-key", bad)], &commune("X")).problem(422, "invalid_value");
            assert_eq!(refused.json["errors"][0]["pointer"], "header/Idempotency-Key");
        }
        g.json("POST", "/collectivites", &[("idempotency-key", "a"), ("idempotency-key", "b")], &commune("X")).problem(400, "duplicate_header");
        assert!(g.get("/collectivites").json["data"].as_array().unwrap().is_empty());
    }

    fn two_at_once_act_once(app: &TestApp) {
        let all = operations(&document(app));
        let operation = find(&all, "POST", "/api/v1/collectivites").unwrap();
        let g = app.gestionnaire();
        let sent = Sent {
            path: "/api/v1/collectivites".into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: commune("Saint-Laurent").to_string().into_bytes(),
        };
        let refused = crate::support::two_at_once(app, &g, operation, &sent).problem(409, "idempotency_key_in_flight");
        assert_eq!(refused.header("retry-after"), "1");
        // Asked again, the answer of the one that acted.
        let again = g.json("POST", "/collectivites", &[("idempotency-key", "deux-fois")], &commune("Saint-Laurent")).expect(201);
        assert_eq!(again.json["name"], "Saint-Laurent");
        assert_eq!(g.get("/collectivites").json["data"].as_array().unwrap().len(), 1);
    }

    fn if_match_is_read_as_the_standard_says(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        let patch = |tag: &str| g.json("PATCH", "/schools/0301023Z", &[("if-match", tag)], &json!({"pupils": 80}));
        for stale in ["\"2\"", "W/\"1\"", "\"abc\"", "\"2\", \"3\""] {
            patch(stale).problem(412, "precondition_failed");
        }
        for odd in ["", "abc", "\"1", "1\""] {
            patch(odd).problem(422, "invalid_value");
        }
        assert_eq!(patch("\"1\"").expect(200).header("etag"), "\"2\"");
        patch("\"1\", \"2\"").expect(200);
        patch("3").expect(200);
        patch("*").expect(200);
        // A merge patch removes by null, deep down too; another type of content says the same.
        let merge = [("if-match", "*"), ("content-type", "application/merge-patch+json")];
        let address = g.send("PATCH", "/api/v1/collectivites/21300278500011", &merge, br#"{"address":{"line2":null},"representative":null}"#.to_vec()).expect(200).json;
        assert_eq!((&address["address"]["line1"], &address["address"]["line2"]), (&json!("2 place de la Mairie"), &json!(null)));
        assert_eq!(address["representative"]["last_name"], json!(null));
    }
}

#[test]
fn another_process_is_told_too() {
    use ent_backoffice::platform::db::idempotency::{Call, claim};
    let app = TestApp::new(crate::support::Base::postgres());
    let person = app.person(ent_backoffice::kernel::Role::Gestionnaire);
    let call = Call {
        scope: format!("staff:{}", person.id),
        route: "POST /api/v1/collectivites".into(),
        key: "ailleurs".into(),
        body_sha256: "0".repeat(64),
    };
    let g = app.gestionnaire();
    let post = || g.json("POST", "/collectivites", &[("idempotency-key", "ailleurs")], &commune("Saint-Laurent"));
    // A process that dies in flight leaves nothing: its transaction is undone.
    let died: ent_backoffice::platform::Outcome<()> = app.db.write(|tx| {
        assert!(claim(tx, &call)?.is_none());
        let refused = post().problem(409, "idempotency_key_in_flight");
        assert_eq!(refused.header("retry-after"), "1");
        Err(ent_backoffice::platform::Error::Incident("killed".into()))
    });
    assert!(died.is_err());
    post().expect(201);
}
