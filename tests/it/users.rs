//! `/users` and `/audit-events`.

use ent_backoffice::kernel::Role;
use serde_json::{Value, json};

use crate::support::TestApp;

fn anne() -> Value {
    json!({"email": "Anne.Durand@exemple.invalid", "role": "ordonnateur", "first_name": "Anne", "last_name": "Durand",
        "capacity": "Secrétaire générale",
        "delegation": {"reference": "RAA du 14 mars 2025", "published_on": "2025-03-14"}})
}

on_both_databases! {
    fn only_administrators_see_accounts_and_the_journal(app: &TestApp) {
        for role in [Role::Lecteur, Role::Gestionnaire, Role::Ordonnateur, Role::Comptable] {
            let client = app.client(role);
            for path in ["/users", "/audit-events"] {
                let refused = client.get(path).problem(403, "forbidden");
                let detail = refused.json["detail"].as_str().unwrap();
                assert!(detail.contains(role.as_str()) && detail.contains("admin"), "{detail}");
            }
            client.post("/users", anne()).problem(403, "forbidden");
            client.get("/me").expect(200);
        }
        app.admin().get("/users").expect(200);
        app.anonymous().get("/users").problem(401, "unauthenticated");
    }

    fn an_account_is_created_read_and_changed(app: &TestApp) {
        let admin = app.admin();
        let created = admin.post("/users", anne()).expect(201);
        let id = created.json["id"].as_str().unwrap();
        assert_eq!(created.header("location"), format!("/api/v1/users/{id}"));
        assert_eq!((created.header("etag"), &created.json["email"]), ("\"1\"", &json!("anne.durand@exemple.invalid")));
        let path = format!("/users/{id}");
        let mut account = created.json.clone();
        account.as_object_mut().unwrap().shift_remove("password_code").unwrap();
        assert_eq!(admin.get(&path).expect(200).json, account);

        let changed = admin.patch(&path, 1, json!({"capacity": null, "last_name": "Durand-Roux"})).expect(200);
        assert_eq!((&changed.json["capacity"], changed.header("etag")), (&Value::Null, "\"2\""));
        assert_eq!(changed.json["delegation"]["published_on"], "2025-03-14");
        admin.patch(&path, 1, json!({"first_name": "Anna"})).problem(412, "precondition_failed");
        admin.json("PATCH", &path, &[], &json!({"first_name": "Anna"})).problem(428, "precondition_required");

        let journal = admin.get("/audit-events?subject=anne.durand@exemple.invalid").expect(200);
        let actions: Vec<&str> = journal.json["data"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
        assert_eq!(actions.len(), 3);
        assert!(actions.contains(&"user.invited") && actions.contains(&"user.created") && actions.contains(&"user.changed"));
        assert!(!journal.text().contains("argon2"));
        let event = &journal.json["data"][0];
        assert_eq!(event["actor"], "Camille Le admin");
        assert_eq!(event["actor_id"], json!(app.person(Role::Admin).id));
        assert!(event["request_id"].is_string());
    }

    fn an_address_is_used_once(app: &TestApp) {
        app.admin().post("/users", anne()).expect(201);
        app.admin().post("/users", anne()).problem(409, "email_taken");
    }

    fn a_repeated_creation_answers_the_same(app: &TestApp) {
        let admin = app.admin();
        let key = [("idempotency-key", "creation-1")];
        let first = admin.json("POST", "/users", &key, &anne()).expect(201);
        let mut again = admin.json("POST", "/users", &key, &anne()).expect(201);
        // But for the code, which is shown once.
        again.json["password_code"] = first.json["password_code"].clone();
        assert_eq!((first.json, first.headers["location"].clone()), (again.json, again.headers["location"].clone()));
        let mut other = anne();
        other["email"] = json!("autre@exemple.invalid");
        admin.json("POST", "/users", &key, &other).problem(422, "idempotency_key_reused");
    }

    fn the_last_administrator_stays(app: &TestApp) {
        let admin = app.admin();
        let path = format!("/users/{}", app.person(Role::Admin).id);
        admin.patch(&path, 1, json!({"active": false})).problem(409, "last_admin");
        admin.patch(&path, 1, json!({"role": "lecteur"})).problem(409, "last_admin");
        app.add_user("second@exemple.invalid", Role::Admin);
        admin.patch(&path, 1, json!({"role": "lecteur"})).expect(200);
    }

    fn accounts_are_listed_page_by_page(app: &TestApp) {
        let admin = app.admin();
        for name in ["c", "a", "b"] {
            app.add_user(&format!("{name}@exemple.invalid"), Role::Lecteur);
        }
        let mut seen = Vec::new();
        let mut path = "/users?role=lecteur&limit=2".to_owned();
        loop {
            let page = admin.get(&path).expect(200);
            seen.extend(page.json["data"].as_array().unwrap().iter().map(|u| u["email"].as_str().unwrap().to_owned()));
            match page.json["meta"]["next_cursor"].as_str() {
                Some(cursor) => path = format!("/users?role=lecteur&limit=2&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, ["a@exemple.invalid", "b@exemple.invalid", "c@exemple.invalid"]);
    }

    fn the_journal_is_read_newest_first(app: &TestApp) {
        let admin = app.admin();
        for (minute, name) in ["a", "b", "c"].iter().enumerate() {
            app.set_time(&format!("2025-06-05T08:0{}:00Z", minute + 1));
            app.add_user(&format!("{name}@exemple.invalid"), Role::Lecteur);
        }
        let first = admin.get("/audit-events?action=user.created&limit=2").expect(200);
        let keys = |page: &Value| -> Vec<String> {
            page["data"].as_array().unwrap().iter().map(|e| e["data"]["person"]["email"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(keys(&first.json), ["c@exemple.invalid", "b@exemple.invalid"]);
        let cursor = first.json["meta"]["next_cursor"].as_str().unwrap();
        let next = admin.get(&format!("/audit-events?action=user.created&limit=2&cursor={cursor}")).expect(200);
        assert_eq!(keys(&next.json), ["a@exemple.invalid", "admin@exemple.invalid"]);
        assert_eq!(next.json["meta"]["next_cursor"], Value::Null);
        assert!(keys(&admin.get("/audit-events?subject_kind=perception_title").expect(200).json).is_empty());
    }
}
