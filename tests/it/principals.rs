//! Who has no account: a commune's person comes by a link, acts within it, is journaled as such, and retries like anybody.
//!
//! Links are not built yet; the proof they will give is: a book of links stands in for their room, and a server of the
//! test's own mounts the use case behind [`Invited`], at the address where staff find it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, test as actix, web};
use ent_backoffice::access::{self, Invited, Links, NewUser, Presented};
use ent_backoffice::app::tellers;
use ent_backoffice::audit;
use ent_backoffice::conventions::{self, ConventionTransition};
use ent_backoffice::kernel::contact::EmailAddress;
use ent_backoffice::kernel::ids::{CampaignId, CollectiviteId, ConventionId, InvitationId};
use ent_backoffice::kernel::refused::NOT_FOUND;
use ent_backoffice::kernel::text::Line;
use ent_backoffice::kernel::{Actor, Invitation, Refused, Role};
use ent_backoffice::platform::web::problem::Answer;
use ent_backoffice::platform::web::{Body, CallContext, Reply, State};
use ent_backoffice::platform::{Error, Outcome, Tx};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::databases::text_rows;
use crate::support::year::{open_campaign, register_communes, register_seed};

const NAME: &str = "Sylvie BARRIEU VIGNAL";

#[derive(Default)]
struct Book {
    links: Mutex<HashMap<String, Invitation>>,
    /// Secrets that end between the door and the transaction.
    ending: Mutex<Vec<String>>,
}

impl Links for Book {
    fn presented(&self, request: &HttpRequest) -> Option<Presented> {
        let header = |name: &str| Some(request.headers().get(name)?.to_str().unwrap().to_owned());
        Some(Presented { secret: header("x-lien")?, name: header("x-nom").map(|name| Line::parse(&name).unwrap()) })
    }

    fn admit(&self, _: &mut Tx<'_>, secret: &str, acting: bool) -> Outcome<Invitation> {
        let ended = acting && self.ending.lock().unwrap().iter().any(|s| s == secret);
        let found = self.links.lock().unwrap().get(secret).copied().filter(|_| !ended);
        found.ok_or_else(|| Refused::new(&NOT_FOUND, "Lien inconnu.").into())
    }
}

async fn transition(
    state: State,
    invited: Invited,
    id: web::Path<String>,
    call: CallContext,
    body: Body<ConventionTransition>,
) -> Answer {
    let actor = invited.actor;
    let id = ConventionId::parse(&id).unwrap();
    state
        .post(actor.principal, call, body.sha256, move |tx| {
            let next = conventions::transition(tx, &actor, (id, None), &body.value, &ent_backoffice::app::others())?;
            Reply::versioned(&json!({"number": next.number, "status": next.state()}), next.version)
        })
        .await
}

/// A convention of each of two payers, issued; and a link of each payer.
struct Town {
    book: Arc<Book>,
    conventions: [String; 2],
    invitations: [Invitation; 2],
}

fn town(app: &TestApp) -> Town {
    register_seed(app);
    register_communes(app, 1);
    open_campaign(app, "issue");
    app.forget_jobs();
    let issued = app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).expect(200).json;
    let conventions = [0, 1].map(|n| issued["items"][n]["id"].as_str().unwrap().to_owned());
    let book = Arc::new(Book::default());
    let invitations = [0, 1].map(|n| {
        let column = |name: &str| {
            let sql = format!("SELECT {name} AS line FROM conventions WHERE id = '{}'", conventions[n]);
            text_rows(&app.db, &sql).pop().unwrap()
        };
        let invitation = Invitation {
            id: app.db.read(|tx| Ok(InvitationId::new(tx.uuid()))).unwrap(),
            payer: CollectiviteId::parse(&column("collectivite_id")).unwrap(),
            campaign: CampaignId::parse(&column("campaign_id")).unwrap(),
        };
        book.links.lock().unwrap().insert(format!("secret-{n}"), invitation);
        invitation
    });
    Town { book, conventions, invitations }
}

/// Sends to the test's own server: status and body.
fn send(app: &TestApp, town: &Town, secret: Option<&str>, key: &str, id: &str, body: &Value) -> (u16, Value) {
    let links: Arc<dyn Links> = town.book.clone();
    let state = web::Data::new(State::new(app.db.clone()));
    actix_web::rt::System::new().block_on(async move {
        let route = web::post().to(transition);
        let server = App::new().app_data(state).app_data(web::Data::from(links));
        let service = actix::init_service(server.route("/api/v1/conventions/{id}/transitions", route)).await;
        let mut request = actix::TestRequest::post()
            .uri(&format!("/api/v1/conventions/{id}/transitions"))
            .insert_header(("content-type", "application/json"))
            .insert_header(("x-nom", NAME))
            .insert_header(("idempotency-key", key))
            .set_payload(body.to_string());
        if let Some(secret) = secret {
            request = request.insert_header(("x-lien", secret));
        }
        let answer = actix::call_service(&service, request.to_request()).await;
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&actix::read_body(answer).await).unwrap_or(Value::Null))
    })
}

fn decline() -> Value {
    json!({"action": "decline", "declined_on": "2025-06-05", "declined_by": NAME, "reason": "le conseil a voté contre"})
}

fn sign() -> Value {
    json!({"action": "sign", "signed_on": "2025-06-05", "signatory": {"name": NAME, "title": "Maire"}})
}

fn entries(app: &TestApp, query: &str) -> Vec<Value> {
    app.admin().get(&format!("/audit-events?limit=200&{query}")).expect(200).json["data"].as_array().unwrap().clone()
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["code"].as_str().unwrap_or_default())
}

on_both_databases! {
    fn a_commune_acts_is_journaled_and_retries(app: &TestApp) {
        let town = town(app);
        let [own, _] = &town.conventions;
        let first = send(app, &town, Some("secret-0"), "cle-1", own, &decline());
        assert_eq!((first.0, &first.1["status"]), (200, &json!("declined")), "{first:?}");
        // Again, whole days' worth of times: the same answer, and nothing done twice.
        for _ in 0..3 {
            assert_eq!(send(app, &town, Some("secret-0"), "cle-1", own, &decline()), first);
        }
        assert_eq!(code(&send(app, &town, Some("secret-0"), "cle-2", own, &decline())), (409, "convention_state"));
        assert_eq!(code(&send(app, &town, Some("secret-0"), "cle-1", own, &sign())), (422, "idempotency_key_reused"));
        let told = entries(app, "action=convention.declined");
        assert_eq!(told.len(), 1);
        assert_eq!((&told[0]["actor_kind"], &told[0]["actor"], &told[0]["actor_id"]), (&json!("commune"), &json!(NAME), &Value::Null));
        assert_eq!((&told[0]["intact"], &told[0]["subject_id"]), (&json!(true), &json!(own)));
        let by = text_rows(&app.db, "SELECT actor_kind || actor_invitation_id || actor_payer_id AS line FROM audit_events WHERE action = 'convention.declined'");
        assert_eq!(by, [format!("commune{}{}", town.invitations[0].id, town.invitations[0].payer)]);
        assert_eq!(text_rows(&app.db, "SELECT scope AS line FROM idempotency_keys"), [format!("commune:{}", town.invitations[0].id)]);
        // The refusal is the commune's own word, and staff read it as any.
        let view = app.gestionnaire().get(&format!("/conventions/{own}")).expect(200).json;
        assert_eq!((&view["status"], &view["refusal"]["recorded_by"]), (&json!("declined"), &json!(NAME)));
        // The others of the journal are of their own kinds.
        let kinds: std::collections::BTreeSet<String> = entries(app, "").iter().map(|e| e["actor_kind"].as_str().unwrap().to_owned()).collect();
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["commune", "program", "staff"]);
    }

    fn a_commune_signs(app: &TestApp) {
        let town = town(app);
        let signed = send(app, &town, Some("secret-0"), "cle-1", &town.conventions[0], &sign());
        assert_eq!((signed.0, &signed.1["status"]), (200, &json!("signed")), "{signed:?}");
        assert_eq!(entries(app, "action=convention.signed")[0]["actor_kind"], "commune");
    }

    fn a_key_is_nobody_else_s(app: &TestApp) {
        let town = town(app);
        let [own, other] = &town.conventions;
        assert_eq!(send(app, &town, Some("secret-0"), "cle-1", own, &decline()).0, 200);
        // Another commune with the same key, at the same address: not the stored answer, and not the convention either.
        let stranger = send(app, &town, Some("secret-1"), "cle-1", own, &decline());
        assert_eq!(code(&stranger), (404, "not_found"));
        assert_eq!(stranger.1["detail"].as_str().unwrap(), format!("Convention « {own} » : introuvable."));
        // A person of the house: acts for themselves, and is told where the convention stands.
        let key = [("idempotency-key", "cle-1")];
        let staff = |id: &str| app.gestionnaire().json("POST", &format!("/conventions/{id}/transitions"), &key, &decline());
        staff(own).problem(409, "convention_state");
        // And the other way round.
        staff(other).expect(200);
        assert_eq!(code(&send(app, &town, Some("secret-1"), "cle-1", other, &decline())), (409, "convention_state"));
        staff(other).expect(200);
        assert_eq!(entries(app, "action=convention.declined").len(), 2);
    }

    fn a_commune_does_what_the_table_names_and_nothing_else(app: &TestApp) {
        let town = town(app);
        let [own, _] = &town.conventions;
        let before = entries(app, "").len();
        let signatory = json!({"name": NAME, "title": "Maire"});
        for body in [
            json!({"action": "countersign", "signed_on": "2025-06-05", "signatory": signatory}),
            json!({"action": "cancel", "reason": "essai"}),
            json!({"action": "reopen", "reason": "essai"}),
            json!({"action": "correct_signature", "signed_by": "payer", "signatory": signatory, "reason": "essai"}),
            // A finding is lifted by an agent.
            json!({"action": "sign", "signed_on": "2025-06-04", "signatory": signatory,
                   "acknowledged": [{"code": "signed_before_convention_date", "reason": "vu"}]}),
        ] {
            assert_eq!(code(&send(app, &town, Some("secret-0"), "cle-1", own, &body)), (403, "forbidden"), "{body}");
        }
        // Whatever use case it would be wired to by mistake: what cannot be journaled is not done.
        let commune = Actor::commune(town.invitations[0], None, None);
        let new = || NewUser {
            email: EmailAddress::parse("mairie@exemple.invalid").unwrap(),
            role: Role::Admin,
            first_name: Line::parse("Sylvie").unwrap(),
            last_name: Line::parse("Barrieu").unwrap(),
            capacity: None,
            delegation: None,
            password_hash: None,
        };
        let refused = app.db.write(|tx| access::actions::create_user(tx, &commune, new())).unwrap_err();
        let Error::Refused(refused) = refused else { panic!("{refused}") };
        assert_eq!(refused.code.code, "forbidden");
        assert_eq!(text_rows(&app.db, "SELECT id AS line FROM users WHERE email = 'mairie@exemple.invalid'").len(), 0);
        assert_eq!(entries(app, "").len(), before);
        let view = app.gestionnaire().get(&format!("/conventions/{own}")).expect(200).json;
        assert_eq!(view["status"], "issued");
    }

    fn a_link_is_asked_again_by_the_transaction(app: &TestApp) {
        let town = town(app);
        let [own, _] = &town.conventions;
        assert_eq!(code(&send(app, &town, None, "cle-1", own, &decline())), (401, "unauthenticated"));
        assert_eq!(code(&send(app, &town, Some("invente"), "cle-1", own, &decline())), (404, "not_found"));
        town.book.ending.lock().unwrap().push("secret-0".into());
        assert_eq!(code(&send(app, &town, Some("secret-0"), "cle-1", own, &decline())), (404, "not_found"));
        assert_eq!(app.gestionnaire().get(&format!("/conventions/{own}")).json["status"], "issued");
        // An answer kept is not given to a link that has ended, either.
        assert_eq!(send(app, &town, Some("secret-1"), "cle-2", &town.conventions[1], &decline()).0, 200);
        town.book.ending.lock().unwrap().push("secret-1".into());
        assert_eq!(code(&send(app, &town, Some("secret-1"), "cle-2", &town.conventions[1], &decline())), (404, "not_found"));
    }

    fn entries_of_before_kinds_stay_intact_and_readable(app: &TestApp) {
        register_seed(app);
        let entry = entries(app, "action=collectivite.created")[0].clone();
        let row = |column: &str| text_rows(&app.db, &format!("SELECT {column} AS line FROM audit_events WHERE id = {}", entry["id"].to_string().replace('"', "'"))).pop().unwrap();
        // The same entry as the program of before would have left it.
        let head = json!(["ent-journal-1", entry["id"], entry["at"], entry["actor_id"], entry["request_id"], entry["action"], entry["version"]]);
        let subject = json!([entry["subject_kind"], entry["subject_id"], entry["subject_key"], entry["campaign_id"], entry["payer_id"], entry["convention_id"]]);
        let digest = ent_backoffice::platform::db::blobs::digest(json!([head, subject, row("data"), row("commitment")]).to_string().as_bytes());
        app.tamper("audit_events", &format!("UPDATE audit_events SET actor_kind = NULL, digest = '{digest}' WHERE action = 'collectivite.created'"));
        let old = entries(app, "action=collectivite.created")[0].clone();
        assert_eq!((&old["intact"], &old["actor_kind"], &old["sentence"]), (&json!(true), &json!("staff"), &entry["sentence"]));
        // Hiding who acted is no way to an older entry.
        app.sql("UPDATE audit_events SET actor_kind = NULL WHERE action = 'school.created'").unwrap();
        assert_eq!(entries(app, "action=school.created")[0]["intact"], false);
    }
}

#[test]
fn the_table_of_a_commune_names_acts_that_exist() {
    let tellers = tellers();
    for verb in audit::by_commune() {
        assert!(tellers.acts().any(|(told, _)| told == verb), "{verb}");
    }
}
