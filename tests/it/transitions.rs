//! `GET …/transitions` and the refusals of `POST` never disagree: by state, by role, by person.

use ent_backoffice::conventions::{self, ConventionTransition};
use ent_backoffice::kernel::ids::ConventionId;
use ent_backoffice::kernel::{Actor, Role};
use serde_json::{Value, json};

use crate::support::year::{campaign, expire, open_campaign, register_seed, sign_both};
use crate::support::{Client, TestApp};

/// What the list says of an action: its refusal's code and reason, or none.
fn told(client: &Client, path: &str, action: &str) -> Option<(String, String)> {
    let list = client.get(path).expect(200).json;
    let found = list["actions"].as_array().unwrap().iter().find(|a| a["action"] == action).unwrap();
    assert_eq!(found["allowed"] == true, found["code"].is_null(), "{found}");
    assert_eq!(found["code"].is_null(), found["reason"].is_null(), "{found}");
    found["code"].as_str().map(|code| (code.to_owned(), found["reason"].as_str().unwrap().to_owned()))
}

/// Where the list says no, the act is refused for the same reason; says whether the list said yes.
#[track_caller]
fn agree(client: &Client, path: &str, body: &Value) -> Option<String> {
    let action = body["action"].as_str().unwrap();
    let (code, reason) = told(client, path, action)?;
    let refused = client.post(path, body.clone());
    assert_eq!(
        (refused.json["code"].as_str(), refused.json["detail"].as_str()),
        (Some(code.as_str()), Some(reason.as_str())),
        "{action}: {}",
        refused.text()
    );
    Some(code)
}

fn readers(app: &TestApp) -> Vec<Client> {
    [Role::Lecteur, Role::Ordonnateur, Role::Admin].map(|role| app.client(role)).into()
}

on_both_databases! {
    fn of_conventions(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let named = json!({"keys": ["21300278500011"]});
        let issue = || app.gestionnaire().post("/campaigns/2025-2026/conventions", named.clone()).expect(200).json["items"][0]["id"].as_str().unwrap().to_owned();
        let who = json!({"name": "Sylvie BARRIEU VIGNAL", "title": "Maire"});
        let signatory = app.gestionnaire().get("/campaigns/2025-2026").json["texts"]["signatory"].clone();
        let name = format!("{} {}", signatory["first_name"].as_str().unwrap(), signatory["last_name"].as_str().unwrap());
        let bodies = |on: &str| [
            json!({"action": "sign", "signed_on": on, "signatory": who}),
            json!({"action": "countersign", "signed_on": on, "signatory": {"name": name, "title": "Rectrice"}}),
            json!({"action": "cancel", "reason": "essai"}),
            json!({"action": "correct_signature", "signed_by": "payer", "signatory": who, "reason": "mal lu"}),
            json!({"action": "decline", "declined_on": on, "declined_by": "la maire", "reason": "essai"}),
            json!({"action": "reopen", "reason": "essai"}),
        ];
        // Refusals agree for each role; where the list says yes, the act goes through (and is undone).
        let check = |id: &str, expected: [Option<&str>; 6]| {
            let path = format!("/conventions/{id}/transitions");
            let person = app.person(Role::Gestionnaire);
            let actor = Actor::staff(person.id, person.role, person.full_name(), None);
            for (body, expected) in bodies("2025-06-05").into_iter().zip(expected) {
                readers(app).iter().for_each(|c| assert_eq!(agree(c, &path, &body).as_deref(), Some("forbidden")));
                assert_eq!(agree(&app.gestionnaire(), &path, &body).as_deref(), expected, "{body}");
                if expected.is_none() {
                    let request: ConventionTransition = serde_json::from_value(body).unwrap();
                    app.db.write(|tx| {
                        tx.discard();
                        conventions::transition(tx, &actor, (ConventionId::parse(id).unwrap(), None), &request, &ent_backoffice::app::others())
                    }).unwrap();
                }
            }
        };
        let state = Some("convention_state");
        let id = issue();
        check(&id, [None, state, None, state, None, state]);
        app.gestionnaire().post(&format!("/conventions/{id}/transitions"), bodies("")[2].clone()).expect(200);
        check(&id, [state, state, state, state, state, state]);
        let id = issue();
        check(&id, [None, state, None, state, None, state]);
        let path = format!("/conventions/{id}/transitions");
        app.gestionnaire().post(&path, bodies("2025-06-05")[0].clone()).expect(200);
        check(&id, [state, None, None, None, None, state]);
        // Policy `require`: a finding open stops the countersignature, lifted it does not.
        app.gestionnaire().json("PATCH", "/campaigns/2025-2026", &[("if-match", "*")], &json!({"countersign_policy": "require"})).expect(200);
        app.gestionnaire().json("PATCH", "/schools/0301023Z", &[("if-match", "*")], &json!({"closed_on": "2025-06-01"})).expect(200);
        check(&id, [state, Some("findings_open"), None, None, None, state]);
        let open = app.gestionnaire().post(&path, bodies("2025-06-05")[1].clone()).problem(409, "findings_open");
        assert_eq!(open.json["errors"][0]["code"], "school_closed_since_signature");
        assert!(told(&app.gestionnaire(), &path, "countersign").unwrap().1.contains("school_closed_since_signature"));
        let mut lifted = bodies("2025-06-05")[1].clone();
        lifted["acknowledged"] = json!([{"code": "school_closed_since_signature", "reason": "vu avec la mairie"}]);
        app.gestionnaire().post(&path, lifted).expect(200);
        check(&id, [state, state, None, None, state, state]);
        let keep = json!({"keys": ["0301023Z"], "choice": "keep", "reason": "fermée après la signature"});
        app.gestionnaire().post("/campaigns/2025-2026/line-decisions", keep).expect(200);
        app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({})).expect(200);
        check(&id, [state, state, Some("convention_titled"), Some("convention_titled"), state, state]);
        expire(app);
        check(&id, [state, state, state, Some("convention_titled"), state, state]);
    }

    fn of_declined_conventions(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let g = app.gestionnaire();
        let issue = |body: Value| g.post("/campaigns/2025-2026/conventions", body).expect(200).json["items"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/conventions/{}/transitions", issue(json!({})));
        let no = json!({"action": "decline", "declined_on": "2025-06-05", "declined_by": "la maire", "reason": "essai"});
        let reopen = json!({"action": "reopen", "reason": "essai"});
        g.post(&path, no.clone()).expect(200);
        let sign = json!({"action": "sign", "signed_on": "2025-06-05", "signatory": {"name": "S. B.", "title": "Maire"}});
        for body in [&sign, &no, &json!({"action": "cancel", "reason": "essai"})] {
            assert_eq!(agree(&g, &path, body).as_deref(), Some("convention_state"), "{body}");
        }
        assert_eq!(agree(&g, &path, &reopen), None);
        assert_eq!(agree(&app.lecteur(), &path, &reopen).as_deref(), Some("forbidden"));
        issue(json!({"keys": ["21300278500011"]}));
        assert_eq!(agree(&g, &path, &reopen).as_deref(), Some("convention_replaced"));
    }

    fn of_titles(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.forget_jobs();
        let id = app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).expect(200).json["items"][0]["id"].as_str().unwrap().to_owned();
        app.set_time("2025-07-28T09:00:00Z");
        sign_both(app, &id);
        let prepare = || app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({})).expect(200).json["items"][0]["id"].as_str().unwrap().to_owned();
        let id = prepare();
        let (approve, withdraw) = (json!({"action": "approve"}), json!({"action": "withdraw", "reason": "essai"}));
        let (give_back, resubmit) = (json!({"action": "return", "reason": "essai"}), json!({"action": "resubmit", "reason": "essai"}));
        let roles = |id: &str| {
            let path = format!("/perception-titles/{id}/transitions");
            for role in [Role::Lecteur, Role::Gestionnaire, Role::Comptable, Role::Admin] {
                for body in [&approve, &withdraw, &give_back] {
                    assert_eq!(agree(&app.client(role), &path, body).as_deref(), Some("forbidden"), "{role}");
                }
            }
            // Who prepares hands in again; nobody else does.
            for role in [Role::Lecteur, Role::Ordonnateur, Role::Comptable, Role::Admin] {
                assert_eq!(agree(&app.client(role), &path, &resubmit).as_deref(), Some("forbidden"), "{role}");
            }
        };
        let moves = |id: &str, expected: [Option<&str>; 2]| {
            let path = format!("/perception-titles/{id}/transitions");
            assert_eq!(agree(&app.ordonnateur(), &path, &give_back).as_deref(), expected[0]);
            assert_eq!(agree(&app.gestionnaire(), &path, &resubmit).as_deref(), expected[1]);
        };
        let state = Some("title_state");
        // Where the list says yes, the dry run of the same act does; where no, it is refused with the same code.
        let approval = |client: &Client, id: &str, expected: Option<&str>| {
            let path = format!("/perception-titles/{id}/transitions");
            assert_eq!(agree(client, &path, &approve).as_deref(), expected);
            if expected.is_none() {
                let dry = client.post("/perception-titles/approvals", json!({"keys": [id], "dry_run": true})).expect(200).json;
                assert_eq!(dry["approved"], 1, "{dry}");
            }
        };
        roles(&id);
        moves(&id, [None, state]);
        approval(&app.ordonnateur(), &id, None);
        // Returned, then handed in again.
        let path = format!("/perception-titles/{id}/transitions");
        app.ordonnateur().post(&path, give_back.clone()).expect(200);
        roles(&id);
        moves(&id, [state, None]);
        approval(&app.ordonnateur(), &id, None);
        app.gestionnaire().post(&path, resubmit.clone()).expect(200);
        roles(&id);
        moves(&id, [None, state]);
        // The preparer, even once ordonnateur; a delegation not in force; an account that says too little.
        let preparer = app.person(Role::Gestionnaire);
        let signs = "role = 'ordonnateur', capacity = 'SG', delegation_reference = 'A', delegation_published_on = '2025-01-01'";
        app.sql(&format!("UPDATE users SET {signs} WHERE id = '{}'", preparer.id)).unwrap();
        let mut same = preparer.clone();
        same.role = Role::Ordonnateur;
        approval(&app.client_of(&same), &id, Some("same_person"));
        app.sql(&format!("UPDATE users SET role = 'gestionnaire' WHERE id = '{}'", preparer.id)).unwrap();
        let person = app.person(Role::Ordonnateur);
        app.sql(&format!("UPDATE users SET delegation_published_on = '2025-07-28' WHERE id = '{}'", person.id)).unwrap();
        approval(&app.ordonnateur(), &id, Some("delegation_not_in_force"));
        app.sql(&format!("UPDATE users SET capacity = NULL WHERE id = '{}'", person.id)).unwrap();
        approval(&app.ordonnateur(), &id, Some("signatory_incomplete"));
        // Withdrawing asks for no delegation.
        assert!(told(&app.ordonnateur(), &format!("/perception-titles/{id}/transitions"), "withdraw").is_none());
        app.sql(&format!("UPDATE users SET capacity = 'SG', delegation_published_on = '2025-01-01' WHERE id = '{}'", person.id)).unwrap();
        approval(&app.ordonnateur(), &id, None);
        // Approved.
        let path = format!("/perception-titles/{id}/transitions");
        app.ordonnateur().post(&path, approve.clone()).expect(200);
        roles(&id);
        moves(&id, [state, state]);
        approval(&app.ordonnateur(), &id, Some("title_state"));
        assert_eq!(agree(&app.ordonnateur(), &path, &withdraw), None);
        app.ordonnateur().post(&path, withdraw.clone()).expect(200);
        // Withdrawn.
        roles(&id);
        moves(&id, [state, state]);
        approval(&app.ordonnateur(), &id, Some("title_state"));
        assert_eq!(agree(&app.ordonnateur(), &path, &withdraw).as_deref(), Some("title_state"));
        // Transmitted.
        let second = prepare();
        let path = format!("/perception-titles/{second}/transitions");
        app.ordonnateur().post(&path, approve.clone()).expect(200);
        app.ordonnateur().post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201);
        roles(&second);
        approval(&app.ordonnateur(), &second, Some("title_state"));
        assert_eq!(agree(&app.ordonnateur(), &path, &withdraw).as_deref(), Some("title_state"));
    }

    fn of_campaigns(app: &TestApp) {
        register_seed(app);
        let path = "/campaigns/2025-2026/transitions";
        let (open, close) = (json!({"action": "open"}), json!({"action": "close"}));
        let unopen = json!({"action": "unopen", "reason": "essai"});
        let check = |expected: [Option<&str>; 3]| {
            for (body, expected) in [&open, &close, &unopen].into_iter().zip(expected) {
                readers(app).iter().for_each(|c| assert_eq!(agree(c, path, body).as_deref(), Some("forbidden")));
                assert_eq!(agree(&app.gestionnaire(), path, body).as_deref(), expected, "{body}");
            }
        };
        app.gestionnaire().post("/campaigns", campaign("issue")).expect(201);
        app.gestionnaire().post("/campaigns/2025-2026/enrolments", json!({"filter": {"departement": "30"}})).expect(200);
        let state = Some("campaign_state");
        check([None, state, state]);
        // What the list allowed goes through.
        app.gestionnaire().post(path, open.clone()).expect(200);
        check([state, None, None]);
        app.forget_jobs();
        let id = app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).expect(200).json["items"][0]["id"].as_str().unwrap().to_owned();
        app.set_time("2025-07-28T09:00:00Z");
        sign_both(app, &id);
        app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({})).expect(200);
        check([state, state, Some("campaign_issued")]);
        assert!(told(&app.gestionnaire(), path, "close").unwrap().1.contains("1 préparé"));
        app.ordonnateur().post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200);
        check([state, state, Some("campaign_issued")]);
        app.ordonnateur().post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201);
        check([state, None, Some("campaign_issued")]);
        app.gestionnaire().post(path, close.clone()).expect(200);
        check([state, state, state]);
    }
}
