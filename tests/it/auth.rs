//! `/auth/*` and `/me`.

use serde_json::json;



on_both_databases! {
    fn a_person_logs_in_and_reads_their_account(app: &TestApp) {
        app.add_user("zoe@exemple.invalid", ent_backoffice::kernel::Role::Gestionnaire);
        let body = json!({"email": "Zoe@exemple.invalid", "password": crate::support::PASSWORD});
        let session = app.anonymous().post("/auth/login", body).expect(200);
        assert_eq!(session.json["token_type"], "Bearer");
        assert_eq!(session.json["expires_in"], 900);
        let token = session.json["access_token"].as_str().unwrap();
        let me = app.anonymous().with_token(token).get("/me").expect(200);
        assert_eq!(me.json["email"], "zoe@exemple.invalid");
        assert_eq!(me.header("etag"), "\"1\"");
    }
}
