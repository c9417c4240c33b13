//! Links: given in number and one by one, carried by mails, opened by people and by robots, lost, revoked.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::databases::{columns_sql, text_rows};
use crate::support::letters::Received;
use crate::support::year::{countersign, issue, open_campaign, register_communes, register_seed, sign};
use crate::support::{Program, Response, TestApp};

const INVITATIONS: &str = "/campaigns/2025-2026/invitations";
const SEED: &str = "21300278500011";

/// A year in which the seed's commune and some others have their convention; all but the last have an address.
fn year(app: &TestApp, communes: u32) -> Vec<String> {
    register_seed(app);
    register_communes(app, communes);
    address(app, SEED, "mairie@saint-laurent.invalid");
    let all = app.gestionnaire().get("/collectivites?limit=200").expect(200).json;
    for commune in all["data"].as_array().unwrap() {
        let (siret, name) = (commune["siret"].as_str().unwrap(), commune["name"].as_str().unwrap());
        if let Some(number) = name.strip_prefix("Commune ").and_then(|n| n.parse::<u32>().ok())
            && number + 1 < communes
        {
            address(app, siret, &format!("mairie{number}@exemple{number}.invalid"));
        }
    }
    open_campaign(app, "issue");
    app.forget_jobs();
    issue(app)
}

fn address(app: &TestApp, siret: &str, email: &str) {
    let g = app.gestionnaire();
    let read = g.get(&format!("/collectivites/{siret}")).expect(200);
    let version = read.header("etag").trim_matches('"').parse().unwrap();
    g.patch(&format!("/collectivites/{siret}"), version, json!({"contact_email": email})).expect(200);
}

fn counts(view: &Value) -> Vec<(String, i64)> {
    let object = view.as_object().unwrap();
    object.iter().filter_map(|(k, v)| Some((k.clone(), v.as_i64()?))).filter(|(_, n)| *n > 0).collect()
}

fn count(view: &Value, outcome: &str) -> i64 {
    view[outcome].as_i64().unwrap()
}

/// The seed's convention and its mail, sent.
fn invited(app: &TestApp) -> (String, Received) {
    let ids = year(app, 0);
    app.gestionnaire().post(INVITATIONS, json!({})).expect(200);
    let mut mails = app.send_mails();
    assert_eq!(mails.len(), 1);
    (ids[0].clone(), mails.remove(0))
}

fn page(app: &TestApp, path: &str) -> Response {
    app.anonymous().send("GET", path, &[], Vec::new())
}

fn press(app: &TestApp, path: &str) -> Response {
    app.anonymous().send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], Vec::new())
}

/// The code a page of ours carries for who is asked for help.
fn told(refused: &Response) -> (u16, String) {
    let text = refused.text();
    let code = text.split("name=\"code\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
    (refused.status, code.unwrap_or_default().to_owned())
}

/// The button pressed: where it leads, and the cookie.
fn enter(app: &TestApp, link: &str) -> (String, String) {
    let entered = press(app, link).expect(303);
    let cookie = entered.header("set-cookie").split(';').next().unwrap().to_owned();
    (entered.header("location").to_owned(), cookie)
}

fn with(app: &TestApp, method: &str, path: &str, cookie: &str) -> Response {
    app.anonymous().send(method, path, &[("cookie", cookie)], Vec::new())
}

fn links(app: &TestApp, convention: &str) -> Vec<Value> {
    let path = format!("/conventions/{convention}/invitations");
    app.gestionnaire().get(&path).expect(200).json["data"].as_array().unwrap().clone()
}

on_both_databases! {
    fn who_is_written_to_and_who_is_not_is_told_for_each(app: &TestApp) {
        year(app, 4);
        let g = app.gestionnaire();
        let trial = g.post(INVITATIONS, json!({"dry_run": true})).expect(200).json;
        assert_eq!(counts(&trial), [("no_address".into(), 1), ("queued".into(), 4)], "{trial}");
        assert_eq!(app.send_mails().len(), 0, "a trial writes nothing");
        let first = g.post(INVITATIONS, json!({"first": 2})).expect(200).json;
        assert_eq!((count(&first, "queued"), count(&first, "later"), count(&first, "no_address")), (2, 2, 1));
        assert_eq!(app.send_mails().len(), 2);
        let rest = g.post(INVITATIONS, json!({})).expect(200).json;
        assert_eq!((count(&rest, "queued"), count(&rest, "already_invited")), (2, 2));
        let mails = app.send_mails();
        let to: BTreeSet<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
        assert_eq!(to.len(), 2, "{to:?}");
        let nothing = g.post(INVITATIONS, json!({})).expect(200).json;
        assert_eq!(counts(&nothing), [("already_invited".into(), 4), ("no_address".into(), 1)]);
        assert_eq!(app.send_mails().len(), 0);
        // Who still cannot be written to.
        let missing = g.get(&format!("{INVITATIONS}?address=missing")).expect(200).json;
        let rows = missing["data"].as_array().unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((&rows[0]["name"], &rows[0]["last_mail"], &rows[0]["live_links"]), (&json!("Commune 3"), &Value::Null, &json!(0)));
        let reached = g.get(&format!("{INVITATIONS}?invited=true&opened=false")).expect(200).json;
        assert_eq!(reached["data"].as_array().unwrap().len(), 4);
        assert!(reached["data"].as_array().unwrap().iter().all(|row| row["last_mail"]["status"] == "sent" && row["live_links"] == 1));
        // Named, a payer of another world is refused, not forgotten.
        let named = g.post(INVITATIONS, json!({"keys": [SEED, "21300278500045", "x"]})).expect(200).json;
        assert_eq!(counts(&named), [("already_invited".into(), 1), ("refused".into(), 2)], "{named}");
    }

    fn one_mail_serves_a_mailbox_with_a_link_for_each_of_its_dossiers(app: &TestApp) {
        register_seed(app);
        register_communes(app, 2);
        let all = app.gestionnaire().get("/collectivites?limit=200").expect(200).json;
        for commune in all["data"].as_array().unwrap() {
            address(app, commune["siret"].as_str().unwrap(), "secretariat@mutualise.invalid");
        }
        open_campaign(app, "issue");
        app.forget_jobs();
        issue(app);
        let view = app.gestionnaire().post(INVITATIONS, json!({})).expect(200).json;
        assert_eq!(count(&view, "queued"), 3);
        let mails = app.send_mails();
        assert_eq!(mails.len(), 1);
        let links = mails[0].links();
        assert_eq!(links.len(), 3, "{links:?}");
        let opened: BTreeSet<String> = links.iter().map(|link| {
            let text = page(app, link).expect(200).text();
            // Its own name, and no other.
            assert_eq!(text.matches("<h1>").count(), 1);
            text.split("<h1>").nth(1).unwrap().split('<').next().unwrap().to_owned()
        }).collect();
        assert_eq!(opened.len(), 3);
    }

    fn opening_changes_nothing_however_often_and_the_button_leads_to_the_dossier(app: &TestApp) {
        let (convention, mail) = invited(app);
        let link = mail.links().remove(0);
        assert!(mail.subject.contains("ENT-C-2025-2026-00001") && mail.subject.contains("Saint-Laurent-des-Arbres"), "{}", mail.subject);
        let before = text_rows(&app.db, "SELECT CAST(COUNT(*) AS TEXT) AS line FROM audit_events");
        for _ in 0..30 {
            let shown = page(app, &link).expect(200);
            assert_eq!((shown.header("cache-control"), shown.header("referrer-policy")), ("no-store", "no-referrer"));
            assert_eq!(shown.header("set-cookie"), "");
            let text = shown.text();
            assert!(text.contains("Saint-Laurent-des-Arbres") && text.contains("2025-2026") && !text.contains("ENT-C-"), "{text}");
        }
        app.anonymous().send("HEAD", &link, &[], Vec::new()).expect(200);
        assert_eq!(text_rows(&app.db, "SELECT CAST(COUNT(*) AS TEXT) AS line FROM audit_events"), before);
        let (path, cookie) = enter(app, &link);
        let entered = with(app, "GET", &path, &cookie).expect(200).text();
        for piece in ["ENT-C-2025-2026-00001", "0301023Z", "80,00", "Télécharger la convention", "Trois étapes", "souhaitée avant"] {
            assert!(entered.contains(piece), "{piece}: {entered}");
        }
        let paper = format!("{path}/conventions/{convention}");
        assert!(with(app, "GET", &paper, &cookie).expect(200).bytes.starts_with(b"%PDF"));
        // A second session beside the first; each ends alone.
        let (again, other) = enter(app, &link);
        assert_eq!(path, again);
        with(app, "POST", &format!("{path}/fin"), &cookie).expect(200);
        with(app, "GET", &path, &cookie).expect(410);
        with(app, "GET", &path, &other).expect(200);
        assert_eq!(text_rows(&app.db, "SELECT CAST(COUNT(*) AS TEXT) AS line FROM audit_events"), before, "a session records nothing");
        let link = &links(app, &convention)[0];
        // Thirty openings within a minute by one caller are one; the button was pressed twice.
        assert_eq!((&link["status"], &link["uses"]), (&json!("live"), &json!(3)));
        let detail = app.gestionnaire().get(&format!("/invitations/{}", link["id"].as_str().unwrap())).expect(200).json;
        assert_eq!(detail["last_uses"][0]["kind"], "entered");
        // Once signed, nothing is asked any more.
        app.set_time("2025-07-28T09:00:00Z");
        sign(app, &convention);
        countersign(app, &convention);
        let (path, later) = enter(app, &mail.links()[0]);
        let signed = with(app, "GET", &path, &later).expect(200).text();
        assert!(signed.contains("signée par les deux parties"), "{signed}");
        assert!(!signed.contains("Trois étapes") && !signed.contains("souhaitée avant"), "{signed}");
    }

    fn a_session_opens_its_own_dossier_only_and_nothing_without_its_cookie(app: &TestApp) {
        let ids = year(app, 2);
        app.gestionnaire().post(INVITATIONS, json!({})).expect(200);
        let mails = app.send_mails();
        let all: Vec<(String, String)> = mails.iter().map(|mail| enter(app, &mail.links()[0])).collect();
        for (here, (path, _)) in all.iter().enumerate() {
            for (there, (_, cookie)) in all.iter().enumerate() {
                with(app, "GET", path, cookie).expect(if here == there { 200 } else { 410 });
            }
            page(app, path).expect(410);
            with(app, "GET", path, "ent_dossier=x").expect(410);
        }
        // Each convention within its own dossier, and no other.
        let (path, cookie) = &all[0];
        let found = ids.iter().filter(|id| with(app, "GET", &format!("{path}/conventions/{id}"), cookie).status == 200).count();
        assert_eq!(found, 1);
        with(app, "GET", &format!("{path}/conventions/x"), cookie).expect(404);
    }

    fn a_form_of_another_site_starts_nothing(app: &TestApp) {
        let (_, mail) = invited(app);
        let link = mail.links().remove(0);
        for header in [("origin", "https://voleur.invalid"), ("sec-fetch-site", "cross-site")] {
            app.anonymous().send("POST", &link, &[header], Vec::new()).expect(403);
        }
        let own = app.url.clone();
        app.anonymous().send("POST", &link, &[("origin", &own), ("sec-fetch-site", "same-origin")], Vec::new()).expect(303);
    }

    fn what_is_revoked_too_old_or_of_another_life_opens_nothing_and_says_what_to_do(app: &TestApp) {
        let (convention, mail) = invited(app);
        let link = mail.links().remove(0);
        let (path, cookie) = enter(app, &link);
        let id = links(app, &convention)[0]["id"].as_str().unwrap().to_owned();
        let g = app.gestionnaire();
        let moves = format!("/invitations/{id}/transitions");
        app.lecteur().post(&moves, json!({"action": "revoke", "reason": "non"})).problem(403, "forbidden");
        g.post(&moves, json!({"action": "revoke", "reason": "transmis par erreur", "deliver": "show"})).problem(422, "invalid_value");
        let revoked = g.post(&moves, json!({"action": "revoke", "reason": "transmis par erreur"})).expect(200).json;
        assert_eq!((&revoked["status"], &revoked["revoked_reason"]), (&json!("revoked"), &json!("transmis par erreur")));
        g.post(&moves, json!({"action": "revoke", "reason": "encore"})).problem(409, "link_over");
        for refused in [page(app, &link), press(app, &link), with(app, "GET", &path, &cookie)] {
            let (status, code) = told(&refused);
            assert_eq!((status, code.as_str()), (410, "link_gone"));
            let text = refused.text();
            assert!(text.contains("href=\"/i\""), "the next step: {text}");
        }
        // Replaced, shown: another opens, and its secret is told once.
        let shown = g.post(&moves, json!({"action": "replace", "reason": "un nouveau", "deliver": "show"})).expect(200).json;
        let url = shown["replacement"]["url"].as_str().unwrap();
        let fresh = url[url.find("/i/").unwrap()..].to_owned();
        page(app, &fresh).expect(200);
        app.set_time("2026-11-04T22:00:00Z");
        page(app, &fresh).expect(200);
        app.set_time("2026-11-05T00:00:00Z");
        assert!(page(app, &fresh).expect(410).text().contains("trop ancien"));
        page(app, "/i/inconnu").expect(410);
        page(app, &format!("/i/{}", "a".repeat(43))).expect(410);
    }

    fn a_restored_base_sends_nothing_and_opens_no_link_until_somebody_has_looked(app: &TestApp) {
        let (convention, mail) = invited(app);
        let link = mail.links().remove(0);
        app.gestionnaire().post(&format!("/conventions/{convention}/invitations"), json!({"deliver": "mail"})).expect(200);
        app.db.write(ent_backoffice::platform::db::lives::begin).unwrap();
        assert_eq!(app.send_mails().len(), 0);
        page(app, &link).expect(410);
        let shown = app.gestionnaire().post(&format!("/conventions/{convention}/invitations"), json!({"deliver": "show"})).expect(200).json;
        let fresh = shown["url"].as_str().unwrap().to_owned();
        let fresh = &fresh[fresh.find("/i/").unwrap()..];
        page(app, fresh).expect(410);
        assert!(app.db.write(|tx| ent_backoffice::platform::db::lives::release(tx, "essai")).unwrap());
        assert!(!app.db.write(|tx| ent_backoffice::platform::db::lives::release(tx, "essai")).unwrap());
        assert_eq!(app.send_mails().len(), 1);
        page(app, &link).expect(410);
        page(app, fresh).expect(200);
        assert_eq!(links(app, &convention).iter().filter(|l| l["status"] == "restored").count(), 1);
        assert_eq!(app.db.write(ent_backoffice::invitations::adopt).unwrap(), 1);
        page(app, &link).expect(200);
    }

    fn what_waited_when_the_backup_was_made_may_be_cancelled_before_sending_resumes(app: &TestApp) {
        let (convention, _) = invited(app);
        let invitations = format!("/conventions/{convention}/invitations");
        app.gestionnaire().post(&invitations, json!({"deliver": "mail"})).expect(200);
        app.db.write(ent_backoffice::platform::db::lives::begin).unwrap();
        let resumed = Program::run(&app.database_url(), &["mail", "resume", "--cancel-queued"], "");
        let said = String::from_utf8_lossy(&resumed.stderr);
        assert!(resumed.status.success() && said.contains("1 courriel annulé."), "{said}");
        assert_eq!(app.send_mails().len(), 0);
        let states = text_rows(&app.db, "SELECT state AS line FROM emails ORDER BY queued_at, id");
        assert_eq!(states, ["sent", "cancelled"]);
    }

    fn a_link_is_shown_once_and_kept_nowhere(app: &TestApp) {
        let (convention, mail) = invited(app);
        let g = app.gestionnaire();
        let path = format!("/conventions/{convention}/invitations");
        let keyed = |body: &Value| g.json("POST", &path, &[("idempotency-key", "une-fois")], body);
        let shown = keyed(&json!({"deliver": "show"})).expect(200).json;
        let again = keyed(&json!({"deliver": "show"})).expect(200).json;
        assert!(shown["url"].is_string() && again["url"].is_null());
        assert_eq!(shown["invitation_id"], again["invitation_id"]);
        let told = app.admin().get("/audit-events?action=invitation.shown").expect(200).json;
        assert_eq!(told["data"].as_array().unwrap().len(), 1);
        // No secret stands anywhere in the base: not those of mails, not those shown, nor those of sessions.
        let (_, cookie) = enter(app, &mail.links()[0]);
        let mut secrets = vec![cookie.split_once('=').unwrap().1.to_owned()];
        secrets.push(mail.links()[0].trim_start_matches("/i/").to_owned());
        secrets.push(shown["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned());
        assert!(secrets.iter().all(|s| s.len() == 43), "{secrets:?}");
        for column in text_rows(&app.db, columns_sql(&app.db)) {
            let (name, _) = column.split_once(' ').unwrap();
            let (table, column) = name.split_once('.').unwrap();
            for secret in &secrets {
                let found = text_rows(&app.db, &format!("SELECT 'x' AS line FROM {table} WHERE CAST({column} AS TEXT) LIKE '%{secret}%'"));
                assert_eq!(found.len(), 0, "{table}.{column} holds a secret");
            }
        }
        let copy = app.gestionnaire().get("/emails").expect(200).json;
        let id = copy["data"][0]["id"].as_str().unwrap();
        let whole = app.gestionnaire().get(&format!("/emails/{id}")).expect(200).json;
        assert!(whole["tries"][0]["text"].as_str().unwrap().contains("/i/[secret-non-conserve]"), "{whole}");
    }

    fn a_lost_link_is_answered_alike_for_everybody_and_mailed_to_the_address_on_file(app: &TestApp) {
        let (_, _) = invited(app);
        let ask = |who: &str| {
            let body = format!("qui={}", who.replace(' ', "+"));
            app.anonymous().send("POST", "/i", &[("content-type", "application/x-www-form-urlencoded")], body.into_bytes()).expect(200).text()
        };
        let known = ask("213 002 785 00011");
        for other in ["21300278500045", "n'importe quoi", "0300000X", "", "213002785"] {
            if !other.is_empty() {
                assert_eq!(ask(other), known, "{other}");
            }
        }
        let mails = app.send_mails();
        assert_eq!(mails.len(), 1);
        assert!(mails[0].to.contains("mairie@saint-laurent.invalid"), "{}", mails[0].to);
        page(app, &mails[0].links()[0]).expect(200);
        // By a school's number too; three a day for a dossier, whoever asks.
        let mut more = 0;
        for _ in 0..5 {
            ask("0301023z");
            ask("0301023z");
            more += app.send_mails().len();
        }
        assert_eq!(more, 2);
        app.set_time("2025-06-06T08:00:01Z");
        ask("0301023Z");
        assert_eq!(app.send_mails().len(), 1);
        assert!(page(app, "/i").expect(200).text().contains("name=\"qui\""));
    }

    fn what_was_answered_meanwhile_is_not_asked_again(app: &TestApp) {
        let ids = year(app, 3);
        let g = app.gestionnaire();
        g.post(INVITATIONS, json!({})).expect(200);
        let refusal = json!({"action": "decline", "declined_on": "2025-06-05", "declined_by": "La maire", "reason": "pas cette année"});
        g.post(&format!("/conventions/{}/transitions", ids[0]), refusal).expect(200);
        app.set_time("2025-07-26T08:00:00Z");
        sign(app, &ids[1]);
        countersign(app, &ids[1]);
        let g = app.gestionnaire();
        let mails = app.send_mails();
        assert_eq!(mails.len(), 1, "one was refused, one signed, one has no address");
        let cancelled = g.get("/emails?status=cancelled").expect(200).json;
        let causes: BTreeSet<&str> = cancelled["data"].as_array().unwrap().iter().map(|e| e["cause"].as_str().unwrap()).collect();
        assert_eq!(causes, BTreeSet::from(["La collectivité a répondu non.", "La collectivité a déjà répondu."]));
        let again = g.post(INVITATIONS, json!({})).expect(200).json;
        assert_eq!((count(&again, "declined"), count(&again, "answered"), count(&again, "already_invited")), (1, 1, 1), "{again}");
    }

    fn a_link_leads_somewhere_and_a_mail_has_an_address_or_neither_is_made(app: &TestApp) {
        let ids = year(app, 1);
        let g = app.gestionnaire();
        let rows = g.get(&format!("{INVITATIONS}?address=missing")).expect(200).json;
        let orphan = rows["data"][0]["convention_id"].as_str().unwrap().to_owned();
        let give = |id: &str, how: &str| g.post(&format!("/conventions/{id}/invitations"), json!({"deliver": how}));
        give(&orphan, "mail").problem(409, "no_address");
        give(&orphan, "show").expect(200);
        g.post(&format!("/conventions/{orphan}/transitions"), json!({"action": "cancel", "reason": "émise par erreur"})).expect(200);
        give(&orphan, "show").problem(409, "nothing_to_open");
        g.post("/mail-blocks", json!({"action": "block", "address": "mairie@saint-laurent.invalid", "reason": "boîte fermée"})).expect(200);
        let seed = ids.iter().find(|id| **id != orphan).unwrap();
        give(seed, "mail").problem(409, "no_address");
        let blocked = g.post(INVITATIONS, json!({})).expect(200).json;
        assert_eq!(count(&blocked, "address_blocked"), 1, "{blocked}");
        assert_eq!(app.admin().get("/tasks").expect(200).json["data"][0]["kind"], "mail.address_blocked");
    }

    fn a_contact_that_changed_meanwhile_is_the_one_written_to(app: &TestApp) {
        let ids = year(app, 0);
        app.gestionnaire().post(INVITATIONS, json!({})).expect(200);
        address(app, SEED, "nouvelle@saint-laurent.invalid");
        let mails = app.send_mails();
        assert_eq!(mails.iter().map(|mail| mail.to.contains("nouvelle@")).collect::<Vec<_>>(), [true]);
        assert_eq!(links(app, &ids[0]).len(), 1);
    }
}
