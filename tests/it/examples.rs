//! The examples of the OpenAPI document are a real year of the seed's commune: replayed here, call by call.
//!
//! When an answer changes on purpose: `UPDATE_EXAMPLES=1 make test ARGS="-E 'test(the_examples_are_a_real_year::sqlite)'"`
//! writes them anew.

use std::collections::HashMap;
use std::path::PathBuf;

use ent_backoffice::audit::{Subject, SubjectKind};
use ent_backoffice::kernel::{Actor, Role};
use ent_backoffice::platform::db::blobs::digest;
use ent_backoffice::tasks::{self, NewTask, TaskKind};
use serde_json::{Map, Value, json};

use crate::support::contract::contract;
use crate::support::samples;
use crate::support::{Client, PASSWORD, Response, TestApp};

/// What differs from run to run, replaced by what does not: ids, digests, tokens.
#[derive(Default)]
struct Names(HashMap<String, String>);

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && is_hex(&text.replace('-', ""))
}

fn is_code(text: &str) -> bool {
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    text.len() == 29 && text.split('-').all(|part| part.len() == 5 && plain(part))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

impl Names {
    fn settle(&mut self, value: &mut Value) {
        match value {
            Value::String(text) if is_code(text) => *text = "7K3QF-9TZ2M-4HXVC-0PB8D-RN6WG".to_owned(),
            Value::String(text) if is_uuid(text) || (text.len() == 64 && is_hex(text)) => {
                let rank = self.0.len() + 1;
                let uuid = text.len() == 36;
                let name = self.0.entry(text.clone()).or_insert_with(|| {
                    if uuid {
                        format!("019832f0-1c7a-7bd2-9d3e-{rank:012}")
                    } else {
                        digest(&[u8::try_from(rank).unwrap()])
                    }
                });
                *text = name.clone();
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.settle(item)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), &value) {
                        ("access_token", Value::String(_)) => *value = json!("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9…"),
                        ("refresh_token", Value::String(_)) => {
                            *value = json!("3q2-7w8mT1c0bV9yXk5uRj4hQeLzPnSaDfGiWoYtEvM");
                        }
                        ("user_agent", Value::String(_)) => {
                            *value = json!("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
                        }
                        ("source", Value::String(_)) => *value = json!("203.0.113.5"),
                        _ => self.settle(value),
                    }
                }
            }
            _ => {}
        }
    }
}

const UZES: &str = "21300334600011";

struct Year<'a> {
    app: &'a TestApp,
    examples: Map<String, Value>,
    names: Names,
}

impl Year<'_> {
    fn keep(&mut self, method: &str, path: &str, request: Option<Value>, response: &Response, shown: Value) {
        assert!((200..300).contains(&response.status), "{method} {path}: {}", response.text());
        let id = contract().find(method, path).unwrap_or_else(|| panic!("{method} {path}")).id.clone();
        let entry = self.examples.entry(id).or_insert_with(|| json!({}));
        if let (Some(request), None) = (request, entry.get("request")) {
            entry["request"] = request;
            self.names.settle(&mut entry["request"]);
        }
        let place = &mut entry["responses"][response.status.to_string()];
        match shown {
            Value::Null => {}
            // Media types of one answer, gathered from several calls.
            Value::Object(more) if more.keys().all(|name| name.contains('/')) => {
                for (media_type, mut example) in more {
                    self.names.settle(&mut example);
                    place[media_type] = example;
                }
            }
            mut shown if place.is_null() => {
                self.names.settle(&mut shown);
                *place = shown;
            }
            _ => {}
        }
    }

    fn send(
        &mut self,
        client: &Client,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Value {
        let response = match &body {
            Some(body) => client.json(method, path, headers, body),
            None => client.send(method, &format!("/api/v1{path}"), headers, Vec::new()),
        };
        self.keep(method, &format!("/api/v1{path}"), body, &response, response.json.clone());
        response.json
    }

    fn get(&mut self, client: &Client, path: &str) -> Value {
        self.send(client, "GET", path, &[], None)
    }

    fn post(&mut self, client: &Client, path: &str, body: Value) -> Value {
        self.send(client, "POST", path, &[], Some(body))
    }

    fn patch(&mut self, client: &Client, path: &str, version: i64, body: Value) -> Value {
        self.send(client, "PATCH", path, &[("if-match", &format!("\"{version}\""))], Some(body))
    }

    fn upload(&mut self, client: &Client, path: &str, file: &str) {
        let response = client.upload(path, "fichier.csv", file.as_bytes());
        self.keep("POST", &format!("/api/v1{path}"), Some(json!({"file": file})), &response, response.json.clone());
    }

    fn file(&mut self, client: &Client, path: &str) {
        let response = client.get(path);
        let shown = match response.header("content-type") {
            "application/pdf" => json!({"application/pdf": "%PDF-1.7 …"}),
            "application/json" => json!({"application/json": response.json}),
            image if image.starts_with("image/") => json!({image: "…"}),
            media_type => json!({media_type.split(';').next().unwrap(): response.text()}),
        };
        self.keep("GET", &format!("/api/v1{path}"), None, &response, shown);
    }

    fn accounts(&mut self) {
        let admin = self.app.admin();
        let zoe = json!({
            "email": "zoe.martin@exemple.invalid", "role": "gestionnaire", "first_name": "Zoé", "last_name": "Martin"
        });
        let invited = self.post(&admin, "/users", zoe);
        let zoe = &self.get(&admin, "/users?role=gestionnaire")["data"][0];
        let path = format!("/users/{}", zoe["id"].as_str().unwrap());
        self.get(&admin, &path);
        self.patch(&admin, &path, 1, json!({"capacity": "Chargée de mission numérique éducatif"}));
        let anonymous = self.app.anonymous();
        let chosen = json!({"code": invited["password_code"]["code"], "new_password": PASSWORD});
        self.post(&anonymous, "/auth/password", chosen);
        let session =
            self.post(&anonymous, "/auth/login", json!({"email": "zoe.martin@exemple.invalid", "password": PASSWORD}));
        let renewed = anonymous.post("/auth/refresh", json!({"refresh_token": session["refresh_token"]})).expect(200);
        let request = json!({"refresh_token": "3q2-7w8mT1c0bV9yXk5uRj4hQeLzPnSaDfGiWoYtEvM"});
        self.keep("POST", "/api/v1/auth/refresh", Some(request), &renewed, renewed.json.clone());
        let zoe = anonymous.with_token(renewed.json["access_token"].as_str().unwrap());
        self.get(&zoe, "/me");
        let changed = json!({"current_password": PASSWORD, "new_password": "lune-parapluie-orge-1826"});
        self.send(&zoe, "PUT", "/auth/password", &[], Some(changed));
        let person = ent_backoffice::kernel::ids::UserId::parse(invited["id"].as_str().unwrap()).unwrap();
        let person = self.app.db.read(|tx| ent_backoffice::access::find_user(tx, person)).unwrap();
        self.app.client_of(&person).get("/me").expect(200);
        let open = self.get(&zoe, "/auth/sessions");
        let other = open["data"].as_array().unwrap().iter().find(|one| one["current"] == false).unwrap();
        self.send(&zoe, "DELETE", &format!("/auth/sessions/{}", other["id"].as_str().unwrap()), &[], None);
        self.send(&zoe, "DELETE", "/auth/sessions", &[], None);
        self.send(&zoe, "POST", "/auth/logout", &[], None);
        self.send(&admin, "DELETE", &format!("{path}/sessions"), &[], None);
        self.send(&admin, "POST", &format!("{path}/password-reset"), &[], None);
    }

    fn registry(&mut self) {
        let who = self.app.gestionnaire();
        let commune = json!({
            "siret": "21300278500011", "kind": "commune", "name": "Saint-Laurent-des-Arbres", "insee_code": "30278",
            "address": {"line1": "2 place de la Mairie", "line2": "Hôtel de ville", "postal_code": "30126",
                        "city": "Saint-Laurent-des-Arbres"},
            "representative": {"civility": "madame", "first_name": "Sylvie", "last_name": "BARRIEU VIGNAL", "title": "Maire"},
            "contact_email": "mairie@saint-laurent-des-arbres.invalid"
        });
        self.post(&who, "/collectivites", commune);
        self.get(&who, "/collectivites?departement=30");
        self.get(&who, "/collectivites/21300278500011");
        self.patch(&who, "/collectivites/21300278500011", 1, json!({"chorus": {"service_code": "SERVICE-ECOLES"}}));
        for (uai, name, kind) in [
            ("0301023Z", "Ecole élémentaire Charles Odoyer", "elementaire"),
            ("0301015R", "Ecole maternelle Charles Odoyer", "maternelle"),
        ] {
            let school = json!({
                "uai": uai, "name": name, "kind": kind, "sector": "public", "insee_code": "30278",
                "commune_name": "Saint-Laurent-des-Arbres"
            });
            self.post(&who, "/schools", school);
        }
        self.get(&who, "/schools?collectivite=21300278500011");
        self.get(&who, "/schools/0301023Z");
        self.patch(&who, "/schools/0301023Z", 1, json!({"pupils": 176, "classes": 7}));
        let payer = json!({"payer_siret": "21300278500011", "payer_from": "2024-09-01"});
        self.post(&who, "/schools/0301015R/payers", payer);
        self.upload(
            &who,
            "/collectivites/imports?dry_run=true",
            "insee;siret;nom\r\n30001;21300001100014;Aigaliers\r\n",
        );
        let schools = "Identifiant_de_l_etablissement;Nom_etablissement;Type_etablissement;Statut_public_prive;\
             Code_commune;Nom_commune;etat\r\n0300001N;Ecole primaire publique;Ecole;Public;30001;Aigaliers;OUVERT\r\n";
        self.upload(&who, "/schools/imports?dry_run=true", schools);
        let contacts = "siret;civilite;prenom;nom;qualite;courriel\r\n21300278500011;Mme;Sylvie;BARRIEU VIGNAL;Maire;\
                        mairie@saint-laurent-des-arbres.invalid\r\n";
        self.upload(&who, "/contacts/imports?dry_run=true", contacts);
        // A commune with one school, which closes during the year: a small claim, and a line that asks for a word.
        let uzes = json!({"siret": UZES, "kind": "commune", "name": "Uzès", "insee_code": "30334"});
        who.post("/collectivites", uzes).expect(201);
        let school = json!({
            "uai": "0300777G", "name": "Ecole primaire du Refuge", "kind": "primaire", "sector": "public",
            "insee_code": "30334", "commune_name": "Uzès", "closed_on": "2026-01-05"
        });
        who.post("/schools", school).expect(201);
        // Two communes to whom something happens, apart from the seed's.
        for (siret, name, insee) in [("21300001100014", "Aigaliers", "30001"), ("21300002900016", "Aigremont", "30002")]
        {
            let commune = json!({"siret": siret, "kind": "commune", "name": name, "insee_code": insee});
            who.post("/collectivites", commune).expect(201);
        }
        self.post(
            &who,
            "/collectivites/21300001100014/sirets",
            json!({"siret": "21300001100022", "from": "2025-06-01"}),
        );
        let succession = json!({
            "kind": "commune_nouvelle", "successor_siret": "21300001100022", "effective_on": "2025-01-01",
            "act_reference": "arrêté préfectoral du 12 décembre 2024"
        });
        self.post(&who, "/collectivites/21300002900016/successions", succession);
    }

    fn campaign(&mut self) {
        let who = self.app.gestionnaire();
        let campaign = json!({
            "school_year": "2025-2026", "tariff": {"unit": "school", "unit_amount": "40.00"},
            "convention_date": "2025-06-05", "ends_on": "2026-09-05", "response_deadline": "2025-10-15",
            "small_claims": {"threshold": "50.00", "policy": "issue"}
        });
        self.post(&who, "/campaigns", campaign);
        let path = "/campaigns/2025-2026";
        self.patch(&who, path, 1, json!({"response_deadline": "2025-10-31"}));
        self.post(&who, &format!("{path}/enrolments"), json!({"filter": {"departement": "30", "sector": "public"}}));
        let enrolment = format!("{path}/enrolments/0301015R");
        self.send(&who, "DELETE", &enrolment, &[], None);
        let asked = json!({"origin": "mairie", "requester": "Mairie de Saint-Laurent-des-Arbres", "requested_on": "2025-06-03"});
        self.send(&who, "PUT", &enrolment, &[], Some(asked.clone()));
        self.send(&who, "PUT", &enrolment, &[("if-match", "\"1\"")], Some(asked));
        self.upload(&who, &format!("{path}/enrolments/imports?dry_run=true"), "uai;origine\r\n0301023Z;mairie\r\n");
        self.get(&who, &format!("{path}/enrolments"));
        self.get(&who, &format!("{path}/transitions"));
        self.file(&who, &format!("{path}/specimen"));
        let mistake = json!({
            "school_year": "2024-2025", "tariff": {"unit": "school", "unit_amount": "40.00"},
            "convention_date": "2024-06-05", "ends_on": "2025-09-05"
        });
        who.post("/campaigns", mistake).expect(201);
        self.send(&who, "DELETE", "/campaigns/2024-2025", &[], None);
        self.post(&who, &format!("{path}/transitions"), json!({"action": "open"}));
        self.get(&who, path);
        self.get(&who, "/campaigns");
    }

    fn conventions(&mut self) -> String {
        let who = self.app.gestionnaire();
        let issued = self.post(&who, "/campaigns/2025-2026/conventions", json!({"dry_run": false}));
        let path = format!("/conventions/{}", issued["items"][0]["id"].as_str().unwrap());
        self.get(&who, "/conventions?campaign=2025-2026&collectivite=21300278500011");
        self.get(&who, "/campaigns/2025-2026/participations");
        self.get(&who, &format!("{path}/participation"));
        self.get(&who, &format!("{path}/transitions"));
        self.mails(&path);
        let sylvie = json!({
            "action": "sign", "signed_on": "2025-07-25", "signatory": {"name": "Sylvie BARRIEU VIGNAL", "title": "Maire"},
            "evidence": "original reçu par courrier le 28 juillet 2025"
        });
        self.app.set_time("2025-07-28T09:00:00Z");
        let who = self.app.gestionnaire();
        self.post(&who, &format!("{path}/transitions"), sylvie);
        let carole = json!({
            "action": "countersign", "signed_on": "2025-07-25",
            "signatory": {"name": "Carole Drucker-Godard", "title": "Rectrice"}
        });
        who.post(&format!("{path}/transitions"), carole).expect(200);
        crate::support::year::sign_both(self.app, issued["items"][1]["id"].as_str().unwrap());
        self.get(&who, &path);
        path
    }

    fn attachments(&mut self, convention: &str) {
        let (who, path) = (self.app.gestionnaire(), format!("{convention}/attachments"));
        let page = samples::jpeg(60, 84, None, |x, _| [u8::try_from(x).unwrap(); 3]);
        let last = samples::png(60, 84, |_, _| [255, 255, 255, 255]);
        let scan = samples::pdf(&[], "");
        let mut attach = |purpose: &str, files: &[(&str, &[u8])]| {
            let response = who.attach(&path, purpose, files, &[]);
            let names: Vec<String> = files.iter().map(|(name, _)| format!("(contenu de {name})")).collect();
            let request = json!({"purpose": purpose, "file": names});
            self.keep("POST", &format!("/api/v1{path}"), Some(request), &response, response.json.clone());
            format!("{path}/{}", response.json["id"].as_str().unwrap())
        };
        let photos = attach("signature", &[("page 1.jpg", &page), ("page 2.png", &last)]);
        let wrong = attach("refusal", &[("lettre.pdf", &scan)]);
        let (jpeg, png) = (attach("refusal", &[("a.jpg", &page)]), attach("refusal", &[("a.png", &last)]));
        self.get(&who, &photos);
        self.get(&who, &format!("{wrong}/transitions"));
        let reason = json!({"action": "detach", "reason": "lettre d'une autre commune"});
        self.post(&who, &format!("{wrong}/transitions"), reason);
        self.get(&who, &path);
        for piece in [&photos, &jpeg, &png] {
            self.file(&who, &format!("{piece}/content"));
        }
        self.file(&who, &format!("{photos}/sources/1"));
        self.file(&who, &format!("{photos}/sources/2"));
    }

    /// The commune of the seed is written to, answers nothing yet; a text is edited, an address flagged.
    fn mails(&mut self, convention: &str) {
        let who = self.app.gestionnaire();
        let year = "/campaigns/2025-2026/invitations";
        self.post(&who, year, json!({"keys": ["21300278500011"], "dry_run": false}));
        self.app.send_mails();
        self.get(&who, year);
        let path = format!("{convention}/invitations");
        let given = who.post(&path, json!({"deliver": "show"})).expect(200);
        // A secret, even of an example, is printed nowhere.
        let mut shown = given.json.clone();
        shown["url"] = json!("https://ent.region-academique.invalid/i/(secret-montré-une-fois)");
        self.keep("POST", &format!("/api/v1{path}"), Some(json!({"deliver": "show"})), &given, shown);
        let links = self.get(&who, &path);
        let link = format!("/invitations/{}", links["data"][0]["id"].as_str().unwrap());
        self.get(&who, &link);
        self.get(&who, &format!("{link}/transitions"));
        self.post(
            &who,
            &format!("{link}/transitions"),
            json!({"action": "revoke", "reason": "transmis à une autre mairie"}),
        );
        let emails = self.get(&who, "/emails?campaign=2025-2026");
        let email = format!("/emails/{}", emails["data"][0]["id"].as_str().unwrap());
        self.get(&who, &email);
        let now = self.app.clock.now();
        self.app.clock.set(now.plus(chrono::Duration::minutes(61)));
        let who = self.app.gestionnaire();
        self.post(&who, &format!("{email}/resend"), json!({"reason": "la mairie ne le retrouve pas"}));
        self.app.send_mails();
        let blocked =
            json!({"action": "block", "address": "ancienne-mairie@exemple.invalid", "reason": "boîte fermée"});
        self.post(&who, "/mail-blocks", blocked);
        self.get(&who, "/mail-blocks");
        self.get(&who, "/mail-templates");
        let kind = "/mail-templates/invitations.fresh_link";
        self.get(&who, kind);
        let short = "Objet : {{ dossiers_en_bref }}\n\nBonjour,\n\n{% for d in dossiers %}\n>> Ouvrir le dossier de {{ d.commune }} | {{ d.lien }}\n{% endfor %}";
        self.post(&who, &format!("{kind}/previews"), json!({"source": short}));
        let edited = json!({"source": short, "reason": "plus court"});
        self.send(&who, "PUT", kind, &[("if-match", "\"0\"")], Some(edited));
        let admin = self.app.admin();
        let new = json!({"email": "paul.martin@exemple.invalid", "role": "lecteur", "first_name": "Paul", "last_name": "Martin"});
        let user = admin.post("/users", new).expect(201).json;
        self.post(&admin, &format!("/users/{}/password-code-mails", user["id"].as_str().unwrap()), json!({}));
    }

    fn titles(&mut self, convention: &str) {
        let (who, approver) = (self.app.gestionnaire(), self.app.ordonnateur());
        let lines = "/campaigns/2025-2026/line-decisions";
        let keep = json!({"keys": ["0300777G"], "choice": "keep", "reason": "l'école ouvre jusqu'en janvier, la commune en convient"});
        self.post(&who, lines, keep);
        self.get(&who, lines);
        let decisions = "/campaigns/2025-2026/small-claim-decisions";
        self.post(&approver, decisions, json!({"keys": [UZES], "reason": "créance isolée, sous le seuil d'émission"}));
        let decided = self.get(&who, decisions);
        let decision = format!("/small-claim-decisions/{}", decided["data"][0]["id"].as_str().unwrap());
        self.get(&who, &decision);
        self.get(&approver, &format!("{decision}/transitions"));
        self.file(&who, &format!("{decision}/document"));
        let prepared = self.post(&who, "/campaigns/2025-2026/perception-titles", json!({"dry_run": false}));
        let path = format!("/perception-titles/{}", prepared["items"][0]["id"].as_str().unwrap());
        self.get(&approver, &format!("{path}/transitions"));
        let dry = json!({"filter": {"campaign": "2025-2026"}, "dry_run": true});
        approver.post("/perception-titles/approvals", dry).expect(200);
        self.post(&approver, "/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}}));
        // The same, one by one: withdrawn for a wrong debtor, prepared and approved again.
        let withdraw = json!({"action": "withdraw", "reason": "débiteur à vérifier auprès de la mairie"});
        self.post(&approver, &format!("{path}/transitions"), withdraw);
        let again = who.post("/campaigns/2025-2026/perception-titles", json!({})).expect(200).json;
        let path = format!("/perception-titles/{}", again["items"][0]["id"].as_str().unwrap());
        approver.post(&format!("{path}/transitions"), json!({"action": "approve"})).expect(200);
        let batch = self.post(&approver, "/accounting-batches", json!({"campaign": "2025-2026"}));
        self.app.run_jobs();
        self.get(&approver, &path);
        self.get(&approver, "/perception-titles?campaign=2025-2026&status=transmitted");
        self.file(&who, &format!("{convention}/document"));
        self.file(&who, &format!("{path}/document"));
        let comptable = self.app.comptable();
        self.get(&comptable, "/accounting-batches");
        let batch = format!("/accounting-batches/{}", batch["number"].as_str().unwrap());
        let signed = json!({"action": "sign", "signed_on": "2025-07-28", "signatory": {"name": "Dominique REY", "title": "Secrétaire générale, par délégation"},
                            "evidence": "Parapheur n° 2025-118"});
        self.post(&approver, &format!("{batch}/transitions"), signed);
        self.get(&approver, &format!("{batch}/transitions"));
        self.get(&comptable, &batch);
        self.file(&comptable, &format!("{batch}/files/csv"));
        self.file(&comptable, &format!("{batch}/files/json"));
        self.get(&self.app.admin(), "/audit-events?action=batch.sealed");
        self.work();
        let revoke = json!({"action": "revoke", "reason": "la commune demande un titre"});
        self.post(&approver, &format!("{decision}/transitions"), revoke);
    }

    /// The three acts again, without waiting, and a task.
    fn work(&mut self) {
        let (who, approver) = (self.app.gestionnaire(), self.app.ordonnateur());
        let later = [("prefer", "respond-async")];
        let dry = json!({"dry_run": true});
        self.send(&who, "POST", "/campaigns/2025-2026/conventions", &later, Some(dry.clone()));
        self.send(&who, "POST", "/campaigns/2025-2026/perception-titles", &later, Some(dry));
        let approval = json!({"filter": {"campaign": "2025-2026"}, "dry_run": true});
        let job = self.send(&approver, "POST", "/perception-titles/approvals", &later, Some(approval.clone()));
        self.app.run_jobs();
        let path = format!("/jobs/{}", job["id"].as_str().unwrap());
        self.get(&approver, &path);
        self.get(&approver, &format!("{path}/items"));
        self.get(&approver, &format!("{path}/result"));
        let job = approver.json("POST", "/perception-titles/approvals", &later, &approval).expect(202).json;
        self.send(&approver, "POST", &format!("/jobs/{}/cancel", job["id"].as_str().unwrap()), &[], None);
        self.app.run_jobs();
        let task = NewTask {
            kind: TaskKind("job.given_up"),
            subject: Subject::known_by(SubjectKind::Job, "019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e"),
            why: "Le travail « titles.render » a été abandonné après ses essais.".into(),
            due_on: None,
        };
        self.app.db.write(|tx| tasks::open(tx, &Actor::program("travaux"), task.clone())).unwrap();
        let tasks = self.get(&who, "/tasks?status=open");
        let path = format!("/tasks/{}", tasks["data"][0]["id"].as_str().unwrap());
        self.get(&who, &format!("{path}/transitions"));
        self.post(
            &who,
            &format!("{path}/transitions"),
            json!({"action": "close", "word": "modèle corrigé, document refait"}),
        );
        self.get(&who, &path);
    }

    fn service(&mut self) {
        let anonymous = self.app.anonymous();
        for path in ["/health/live", "/health/ready", "/metrics", "/problems"] {
            let response = anonymous.send("GET", path, &[], Vec::new());
            let mut shown = response.json.clone();
            if let Some(codes) = shown.get_mut("data").and_then(Value::as_array_mut) {
                codes.truncate(3);
                shown = json!({"application/json": shown, "text/html": "<!doctype html>…"});
            }
            if path == "/metrics" {
                shown = json!("# HELP … …\n");
            }
            self.keep("GET", path, None, &response, shown);
        }
    }
}

fn committed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/app/openapi/examples.json")
}

on_both_databases! {
    fn the_examples_are_a_real_year(app: &TestApp) {
        for role in [Role::Admin, Role::Gestionnaire, Role::Ordonnateur, Role::Comptable] {
            app.person(role);
        }
        let mut year = Year { app, examples: Map::new(), names: Names::default() };
        year.service();
        year.accounts();
        year.registry();
        year.campaign();
        let convention = year.conventions();
        year.attachments(&convention);
        year.titles(&convention);
        year.examples.sort_keys();
        let text = format!("{}\n", serde_json::to_string_pretty(&year.examples).unwrap());
        if std::env::var_os("UPDATE_EXAMPLES").is_some() {
            std::fs::write(committed(), &text).unwrap();
        }
        let kept = std::fs::read_to_string(committed()).unwrap();
        assert!(text == kept, "the examples have changed; see the head of this file\n{}", first_difference(&text, &kept));
    }
}

fn first_difference(new: &str, old: &str) -> String {
    let differs = new.lines().zip(old.lines()).enumerate().find(|(_, (new, old))| new != old);
    differs.map_or_else(
        || "one is longer".to_owned(),
        |(n, (new, old))| format!("line {}: {new}\ninstead of {old}", n + 1),
    )
}

#[test]
fn every_operation_has_examples_that_fit() {
    let mut faults = Vec::new();
    let mut hold = |place: String, media: &Value| match media.get("example") {
        None => faults.push(format!("{place}: no example")),
        Some(example) => {
            faults.extend(contract().faults(&media["schema"], example).iter().map(|fault| format!("{place}{fault}")));
        }
    };
    for operation in contract().operations() {
        for media in operation.described["requestBody"]["content"].as_object().into_iter().flat_map(Map::values) {
            hold(format!("{} request ", operation.id), media);
        }
        for (status, answer) in operation.described["responses"].as_object().unwrap() {
            for media in answer["content"].as_object().into_iter().flat_map(Map::values) {
                if status.starts_with('2') {
                    hold(format!("{} {status} ", operation.id), media);
                } else {
                    for (code, example) in media["examples"].as_object().unwrap() {
                        let value = &contract().resolved(example)["value"];
                        assert_eq!((&value["code"], value["status"].to_string()), (&json!(code), status.clone()));
                        let fits = contract().faults(&media["schema"], value);
                        assert!(fits.is_empty(), "{} {status} {code}: {fits:?}", operation.id);
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_problem_code_is_documented_where_it_can_be_answered() {
    let text = contract().document["paths"].to_string();
    let silent: Vec<&str> = ent_backoffice::app::catalogue()
        .iter()
        .map(|problem| problem.code)
        // What an address answers to a method it does not admit, and to what is no request, belongs to no operation.
        .filter(|code| {
            // What a link's page says, it says in HTML.
            !["method_not_allowed", "malformed_request", "head_too_slow", "link_gone"].contains(code)
                && !text.contains(&format!("#/components/examples/{code}\""))
        })
        .collect();
    assert!(silent.is_empty(), "no route documents {silent:?}");
}
