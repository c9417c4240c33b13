//! The mail room: mails sent again, texts edited and tried, codes that reach their person alone.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::year::{issue, open_campaign, register_seed};

const KIND: &str = "/mail-templates/invitations.invitation";

/// The seed's convention, its commune having an address.
fn year(app: &TestApp) -> String {
    register_seed(app);
    let g = app.gestionnaire();
    g.patch("/collectivites/21300278500011", 1, json!({"contact_email": "mairie@saint-laurent.invalid"})).expect(200);
    open_campaign(app, "issue");
    app.forget_jobs();
    issue(app).remove(0)
}

fn put(app: &TestApp, version: i64, source: &str) -> crate::support::Response {
    let body = json!({"source": source, "reason": "plus court"});
    app.gestionnaire().json("PUT", KIND, &[("if-match", &format!("\"{version}\""))], &body)
}

fn emails(app: &TestApp) -> Vec<Value> {
    app.gestionnaire().get("/emails?sort=queued_at").expect(200).json["data"].as_array().unwrap().clone()
}

on_both_databases! {
    fn a_mail_is_sent_again_by_a_person_with_a_fresh_link_and_not_at_once(app: &TestApp) {
        year(app);
        let g = app.gestionnaire();
        g.post("/campaigns/2025-2026/invitations", json!({})).expect(200);
        let id = emails(app)[0]["id"].as_str().unwrap().to_owned();
        let again = |by: &crate::support::Client| by.post(&format!("/emails/{id}/resend"), json!({"reason": "la mairie ne le trouve pas"}));
        again(&g).problem(409, "email_state");
        let first = app.send_mails().remove(0);
        again(&g).problem(409, "email_too_recent");
        again(&app.lecteur()).problem(403, "forbidden");
        app.set_time("2025-06-05T09:00:01Z");
        let new = again(&app.gestionnaire()).expect(200).json;
        assert_eq!((&new["resent_of"], &new["status"]), (&json!(id), &json!("queued")));
        let second = app.send_mails().remove(0);
        assert_ne!(first.links()[0], second.links()[0]);
        for mail in [&first, &second] {
            app.anonymous().send("GET", &mail.links()[0], &[], Vec::new()).expect(200);
        }
        let told = app.admin().get("/audit-events?action=email.resent").expect(200).json;
        assert_eq!(told["data"][0]["sentence"], "Courriel renvoyé : la mairie ne le trouve pas");
    }

    fn a_text_is_edited_in_versions_each_judged_before_it_is_kept(app: &TestApp) {
        let convention = year(app);
        let g = app.gestionnaire();
        let read = g.get(KIND).expect(200);
        assert_eq!((read.header("etag"), &read.json["origin"]), ("\"0\"", &json!("program")));
        let short = "Objet : {{ dossiers_en_bref }}\n\nBonjour.\n\n{% for d in dossiers %}\n>> Ouvrir | {{ d.lien }}\n{% endfor %}";
        let refused = put(app, 0, "Objet : x\n\n{{ comune }}").problem(422, "mail_template_refused").json;
        assert!(refused["errors"][0]["message"].as_str().unwrap().contains("ligne 3"), "{refused}");
        put(app, 1, short).problem(412, "precondition_failed");
        let edited = put(app, 0, short).expect(200);
        assert_eq!((edited.header("etag"), &edited.json["origin"], &edited.json["history"][0]["reason"]), ("\"1\"", &json!("edited"), &json!("plus court")));
        put(app, 0, short).problem(412, "precondition_failed");
        // Tried on a real dossier, no link being made; then sent.
        let tried = g.post(&format!("{KIND}/previews"), json!({"convention_id": convention})).expect(200).json;
        assert!(tried["subject"].as_str().unwrap().contains("Saint-Laurent-des-Arbres") && tried["text"].as_str().unwrap().contains("(lien-fait-au-depart)"), "{tried}");
        let other = json!({"source": "Objet : Essai\n\nAnnée {{ annee }}."});
        assert_eq!(g.post(&format!("{KIND}/previews"), other).expect(200).json["text"], "Année 2025-2026.\n");
        g.post(&format!("{KIND}/previews"), json!({"source": "Objet : x\n\n{{"})).problem(422, "mail_template_refused");
        g.get("/mail-templates/invitations.rien").problem(404, "not_found");
        g.post("/campaigns/2025-2026/invitations", json!({})).expect(200);
        let mail = app.send_mails().remove(0);
        assert!(mail.text.starts_with("Bonjour.\n"), "{}", mail.text);
        assert_eq!(mail.links().len(), 1);
        let all = g.get("/mail-templates").expect(200).json;
        let kinds: Vec<&str> = all.as_array().unwrap().iter().map(|t| t["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["access.password_code", "invitations.fresh_link", "invitations.invitation"]);
        app.lecteur().json("PUT", KIND, &[("if-match", "\"1\"")], &json!({"source": short, "reason": "x"})).problem(403, "forbidden");
    }

    fn a_code_reaches_its_person_alone(app: &TestApp) {
        let invited = app.admin().post("/users", json!({"email": "anne@exemple.invalid", "role": "lecteur", "first_name": "Anne", "last_name": "Durand"})).expect(201).json;
        let (id, shown) = (invited["id"].as_str().unwrap(), invited["password_code"]["code"].as_str().unwrap());
        let mail = || app.admin().post(&format!("/users/{id}/password-code-mails"), json!({}));
        mail().expect(200);
        let received = app.send_mails().remove(0);
        assert!(received.to.contains("anne@exemple.invalid"));
        let code = received.text.lines().find(|line| line.len() == 29 && line.matches('-').count() == 4).unwrap().to_owned();
        assert_ne!(code, shown, "the code in the mail replaces the one that was shown");
        let choose = |code: &str| app.anonymous().post("/auth/password", json!({"code": code, "new_password": "cheval-agrafe-pile-1825"}));
        choose(shown).problem(401, "password_code_invalid");
        let kept = app.gestionnaire().get(&format!("/emails/{}", emails(app)[0]["id"].as_str().unwrap())).expect(200).json;
        assert!(!kept.to_string().contains(&code), "no copy holds it");
        choose(&code).expect(204);
        mail().problem(409, "password_set");
        // Chosen meanwhile: nothing leaves.
        assert_eq!(app.send_mails().len(), 0);
    }
}
