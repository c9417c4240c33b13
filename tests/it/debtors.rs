//! Who owes at liquidation, and lines whose school has closed since.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::year::{active_campaign, prepare, register_seed};

const PAYER: &str = "21300278500011";
const HEIR: &str = "21300001100014";

fn findings(item: &Value) -> Vec<&str> {
    item["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect()
}

fn register_heir(app: &TestApp) {
    let heir = json!({"siret": HEIR, "kind": "epci", "name": "Communauté de communes du Pont du Gard"});
    app.gestionnaire().post("/collectivites", heir).expect(201);
}

fn close(app: &TestApp, uai: &str, day: &str) {
    let gestionnaire = app.gestionnaire();
    let version = gestionnaire.get(&format!("/schools/{uai}")).json["version"].as_i64().unwrap();
    gestionnaire.patch(&format!("/schools/{uai}"), version, json!({"closed_on": day})).expect(200);
}

fn decide(app: &TestApp, body: Value) -> Value {
    app.gestionnaire().post("/campaigns/2025-2026/line-decisions", body).expect(200).json
}

on_both_databases! {
    fn a_debtor_that_no_longer_exists_without_a_successor_is_refused(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        let gestionnaire = app.gestionnaire();
        let version = gestionnaire.get(&format!("/collectivites/{PAYER}")).json["version"].as_i64().unwrap();
        gestionnaire.patch(&format!("/collectivites/{PAYER}"), version, json!({"closed_on": "2025-07-27"})).expect(200);
        let refused = prepare(app);
        assert_eq!((&refused["prepared"], &refused["refused"]), (&json!(0), &json!(1)));
        assert_eq!(findings(&refused["items"][0]), ["debtor_closed"]);
        // A successor is recorded late: the same run then names it.
        register_heir(app);
        let succession = json!({"kind": "commune_nouvelle", "successor_siret": HEIR, "effective_on": "2025-07-27", "act_reference": "arrêté du 1er juillet 2025"});
        gestionnaire.post(&format!("/collectivites/{PAYER}/successions"), succession).expect(201);
        let prepared = prepare(app);
        assert_eq!(findings(&prepared["items"][0])[0], "debtor_changed");
        let debtor = gestionnaire.get("/perception-titles").json["data"][0]["debtor"].clone();
        assert_eq!(debtor["siret"], HEIR);
        assert_eq!(debtor["substitution"], "substituée de plein droit à la commune de Saint-Laurent-des-Arbres (arrêté du 1er juillet 2025)");
    }

    fn a_transfer_prints_its_clause_only_once_somebody_wrote_it(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        register_heir(app);
        let succession = json!({"kind": "transfer", "successor_siret": HEIR, "effective_on": "2025-07-27", "act_reference": "arrêté du 1er juillet 2025"});
        app.gestionnaire().post(&format!("/collectivites/{PAYER}/successions"), succession).expect(201);
        let prepared = prepare(app);
        let codes = findings(&prepared["items"][0]);
        assert!(codes.contains(&"debtor_changed") && codes.contains(&"transfer_clause_missing"), "{codes:?}");
        let title = app.gestionnaire().get("/perception-titles").json["data"][0].clone();
        assert_eq!((&title["debtor"]["siret"], &title["debtor"]["substitution"]), (&json!(HEIR), &Value::Null));
    }

    fn a_closed_school_stops_the_title_until_a_person_decides(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        close(app, "0301015R", "2025-07-27");
        let stopped = prepare(app);
        assert_eq!((&stopped["prepared"], &stopped["refused"]), (&json!(0), &json!(1)));
        let finding = &stopped["items"][0]["findings"][0];
        assert_eq!((&finding["code"], &finding["level"]), (&json!("line_to_decide"), &json!("blocking")));
        let lines = app.gestionnaire().get("/campaigns/2025-2026/line-decisions?decided=false").expect(200).json;
        assert_eq!((&lines["data"][0]["uai"], &lines["data"][0]["closed_on"]), (&json!("0301015R"), &json!("2025-07-27")));
        let participations = app.gestionnaire().get("/campaigns/2025-2026/participations").json;
        assert_eq!(participations["data"][0]["titling"], "blocked");
        app.lecteur().post("/campaigns/2025-2026/line-decisions", json!({"filter": {}, "choice": "keep", "reason": "x"})).problem(403, "forbidden");
        // Kept: due in full, and the title says who decided so.
        let kept = decide(app, json!({"filter": {"departement": "30"}, "choice": "keep", "reason": "fermée après la rentrée"}));
        assert_eq!((&kept["decided"], &kept["total"]), (&json!(1), &json!("40.00")));
        assert_eq!(decide(app, json!({"keys": ["0301015R"], "choice": "keep", "reason": "fermée après la rentrée"}))["unchanged"], 1);
        let prepared = prepare(app);
        assert_eq!(prepared["total"], "80.00");
        assert!(findings(&prepared["items"][0]).contains(&"line_kept"));
        // Titled: the line is decided.
        let late = decide(app, json!({"keys": ["0301015R"], "choice": "reduce", "reason": "trop tard"}));
        assert_eq!(findings(&late["items"][0]), ["line_titled"]);
    }

    fn a_line_left_out_is_priced_out_and_told_in_the_bases(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        close(app, "0301015R", "2025-07-27");
        let dry = decide(app, json!({"keys": ["0301015R"], "choice": "reduce", "reason": "fusion avec l'élémentaire", "dry_run": true}));
        assert_eq!(dry["decided"], 1);
        assert_eq!(prepare(app)["refused"], 1, "a dry run decides nothing");
        decide(app, json!({"keys": ["0301015R"], "choice": "reduce", "reason": "fusion avec l'élémentaire"}));
        let prepared = prepare(app);
        assert_eq!((&prepared["prepared"], &prepared["total"]), (&json!(1), &json!("40.00")));
        let title = app.gestionnaire().get("/perception-titles").json["data"][0].clone();
        assert_eq!(title["lines"].as_array().unwrap().len(), 1);
        assert_eq!(title["small_claim"], true, "what is left is under the threshold");
        let basis = title["legal_basis"].as_str().unwrap().replace('\u{202f}', " ");
        for words in ["1 école × 40,00 € = 40,00 €", "0301015R non retenue (école fermée ; fusion avec l'élémentaire ; décision du 28/07/2025, Camille Le gestionnaire)"] {
            assert!(basis.contains(words), "{words}\nin\n{basis}");
        }
        // The demand says so, too: it goes with a convention of two schools.
        app.ordonnateur().post("/perception-titles/approvals", json!({"keys": [title["id"]]})).expect(200);
        app.run_jobs();
        let paper = app.comptable().get(&format!("/perception-titles/{}/document", title["id"].as_str().unwrap())).expect(200);
        let paper = crate::support::papers::text_of(&paper.bytes).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(paper.contains("0301015R non retenue (école fermée ; fusion avec l'élémentaire"), "{paper}");
        // Nothing is left to title, and the participation itself is untouched.
        assert_eq!(prepare(app)["already_prepared"], 1);
        let participation = app.gestionnaire().get(&format!("/conventions/{}/participation", title["convention_id"].as_str().unwrap())).json;
        assert_eq!((&participation["total"], &participation["due"], &participation["titled"]), (&json!("80.00"), &json!("40.00"), &json!("40.00")));
    }

    fn an_amendment_is_waited_for_and_every_line_left_out_leaves_nothing_due(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        for uai in ["0301015R", "0301023Z"] {
            close(app, uai, "2025-07-27");
        }
        let bad = decide(app, json!({"keys": ["0301023A", "0300001N"], "choice": "keep", "reason": "x"}));
        assert_eq!((bad["refused"].as_u64(), findings(&bad["items"][0])), (Some(2), vec!["uai_key"]));
        assert_eq!(findings(&bad["items"][1]), ["line_not_closed"]);
        decide(app, json!({"filter": {}, "choice": "amendment", "reason": "nouvelle école primaire"}));
        assert_eq!(findings(&prepare(app)["items"][0]), ["amendment_awaited", "amendment_awaited"]);
        decide(app, json!({"keys": ["0301015R", "0301023Z"], "choice": "reduce", "reason": "plus d'école"}));
        assert_eq!(prepare(app)["nothing_due"], 1);
    }
}
