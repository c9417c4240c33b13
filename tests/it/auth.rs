//! `/auth/*` and `/me`.

use ent_backoffice::kernel::Role;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Response, TestApp};

fn log_in(app: &TestApp, email: &str, password: &str) -> Response {
    app.anonymous().post("/auth/login", json!({"email": email, "password": password}))
}

fn refresh(app: &TestApp, token: &Value) -> Response {
    app.anonymous().post("/auth/refresh", json!({"refresh_token": token}))
}

fn me(app: &TestApp, session: &Response) -> Response {
    app.anonymous().with_token(session.json["access_token"].as_str().unwrap()).get("/me")
}

on_both_databases! {
    fn a_person_logs_in_and_reads_their_account(app: &TestApp) {
        app.add_user("zoe@exemple.invalid", Role::Gestionnaire);
        let session = log_in(app, "Zoe@exemple.invalid", PASSWORD).expect(200);
        assert_eq!((&session.json["token_type"], &session.json["expires_in"]), (&json!("Bearer"), &json!(900)));
        assert_eq!(session.header("cache-control"), "no-store");
        let me = me(app, &session).expect(200);
        assert_eq!((&me.json["email"], &me.json["role"]), (&json!("zoe@exemple.invalid"), &json!("gestionnaire")));
        assert_eq!(me.header("etag"), "\"1\"");
        let told = me.text().replace("password_set_at", "");
        assert!(!told.contains("argon2") && !told.contains("password"));
    }

    fn a_wrong_password_and_an_unknown_address_are_answered_alike(app: &TestApp) {
        app.add_user("zoe@exemple.invalid", Role::Gestionnaire);
        let wrong = log_in(app, "zoe@exemple.invalid", "autre-mot-de-passe").problem(401, "invalid_credentials");
        let unknown = log_in(app, "qui@exemple.invalid", "autre-mot-de-passe").problem(401, "invalid_credentials");
        assert_eq!(wrong.json["detail"], unknown.json["detail"]);
        assert_eq!(wrong.header("www-authenticate"), "Bearer");
    }

    fn a_refresh_token_serves_once_and_its_reuse_ends_the_session(app: &TestApp) {
        app.add_user("zoe@exemple.invalid", Role::Gestionnaire);
        let first = log_in(app, "zoe@exemple.invalid", PASSWORD).expect(200);
        let other = log_in(app, "zoe@exemple.invalid", PASSWORD).expect(200);
        let second = refresh(app, &first.json["refresh_token"]).expect(200);
        assert_ne!(first.json["refresh_token"], second.json["refresh_token"]);
        me(app, &second).expect(200);
        refresh(app, &first.json["refresh_token"]).problem(401, "refresh_token_reused");
        refresh(app, &second.json["refresh_token"]).problem(401, "refresh_token_invalid");
        // Another session of the same person has nothing to do with it.
        refresh(app, &other.json["refresh_token"]).expect(200);
        let reuse = app.admin().get("/audit-events?action=session.reuse_detected").expect(200);
        assert_eq!(reuse.json["data"].as_array().unwrap().len(), 1);
    }

    fn tokens_expire_with_the_clock(app: &TestApp) {
        app.add_user("zoe@exemple.invalid", Role::Gestionnaire);
        let session = log_in(app, "zoe@exemple.invalid", PASSWORD).expect(200);
        app.set_time("2025-06-05T08:14:59Z");
        me(app, &session).expect(200);
        app.set_time("2025-06-05T08:15:00Z");
        me(app, &session).problem(401, "token_expired");
        app.set_time("2025-06-19T07:59:59Z");
        let renewed = refresh(app, &session.json["refresh_token"]).expect(200);
        app.set_time("2025-07-03T08:00:00Z");
        refresh(app, &renewed.json["refresh_token"]).problem(401, "refresh_token_invalid");
        refresh(app, &json!("inconnu")).problem(401, "refresh_token_invalid");
    }

    fn log_out_ends_the_session(app: &TestApp) {
        app.add_user("zoe@exemple.invalid", Role::Gestionnaire);
        let session = log_in(app, "zoe@exemple.invalid", PASSWORD).expect(200);
        let token = session.json["access_token"].as_str().unwrap();
        let client = app.anonymous().with_token(token);
        let out = client.send("POST", "/api/v1/auth/logout", &[], Vec::new()).expect(204);
        assert!(out.bytes.is_empty());
        refresh(app, &session.json["refresh_token"]).problem(401, "refresh_token_invalid");
        me(app, &session).problem(401, "unauthenticated");
    }

    fn failures_are_forgotten_after_a_while_or_a_success(app: &TestApp) {
        app.add_user("zoe@exemple.invalid", Role::Gestionnaire);
        let fail = |times: usize| {
            for _ in 0..times {
                log_in(app, "zoe@exemple.invalid", "faux").problem(401, "invalid_credentials");
            }
        };
        fail(4);
        log_in(app, "zoe@exemple.invalid", PASSWORD).expect(200);
        fail(4);
        app.set_time("2025-06-05T08:15:00Z");
        fail(4);
        log_in(app, "zoe@exemple.invalid", PASSWORD).expect(200);
    }

    fn an_inactive_account_neither_logs_in_nor_renews(app: &TestApp) {
        let zoe = app.add_user("zoe@exemple.invalid", Role::Gestionnaire);
        let session = log_in(app, "zoe@exemple.invalid", PASSWORD).expect(200);
        app.admin().patch(&format!("/users/{}", zoe.id), 1, json!({"active": false})).expect(200);
        log_in(app, "zoe@exemple.invalid", PASSWORD).problem(401, "invalid_credentials");
        refresh(app, &session.json["refresh_token"]).problem(401, "refresh_token_invalid");
    }

    fn a_forged_token_opens_nothing(app: &TestApp) {
        let forged = "eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.";
        app.anonymous().with_token(forged).get("/users").problem(401, "unauthenticated");
        app.anonymous().with_token("").get("/users").problem(401, "unauthenticated");
    }
}
