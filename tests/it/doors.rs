//! Bad input at every door of the API: wrong types, extremes, control characters, other encodings. Each is a 4xx
//! problem document in French that names the field; never a 5xx; and nothing is written.

use serde_json::{Value, json};

use crate::support::operations::{Body, FORM, Operation, Recorder, attachment, form};
use crate::support::samples;
use crate::support::year::{open_campaign, register_seed};
use crate::support::{Client, Response, TestApp};

/// Rows of every table but the bookkeeping of migrations.
fn rows(app: &TestApp) -> Vec<String> {
    let tables = crate::support::databases::text_rows(
        &app.db,
        &format!(
            "SELECT DISTINCT substr(line, 1, {}) AS line FROM ({}) AS c",
            if app.db.is_sqlite() { "instr(line, '.') - 1" } else { "strpos(line, '.') - 1" },
            crate::support::databases::columns_sql(&app.db)
        ),
    );
    assert!(tables.len() > 15, "{tables:?}");
    let all: Vec<String> =
        tables.iter().map(|t| format!("SELECT '{t} ' || CAST(count(*) AS TEXT) AS line FROM {t}")).collect();
    crate::support::databases::text_rows(&app.db, &all.join(" UNION ALL "))
}

/// A refusal as the contract has it.
#[track_caller]
fn refused(answer: &Response, what: &str) {
    assert!((400..500).contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
    let mut said = vec![answer.json["detail"].as_str().unwrap().to_owned()];
    for error in answer.json["errors"].as_array().into_iter().flatten() {
        said.push(error["message"].as_str().unwrap().to_owned());
        assert!(error["pointer"].is_string() && error["code"].is_string(), "{what}: {}", answer.text());
    }
    for sentence in said {
        let english = [
            "expected",
            "invalid",
            "missing field",
            "unknown field",
            "trailing",
            "EOF",
            " line ",
            " column ",
            "did not match",
        ];
        assert!(!english.iter().any(|word| sentence.contains(word)), "{what}: {sentence}");
        assert!(sentence.len() > 10, "{what}: {sentence}");
    }
    if answer.status == 422 && answer.json["code"] == "invalid_value" {
        assert!(!answer.json["errors"].as_array().unwrap().is_empty(), "{what}: {}", answer.text());
    }
}

/// A complete body for each operation that takes JSON, and where it is sent.
fn complete(app: &TestApp) -> Vec<(&'static str, String, Client, Value)> {
    let (g, o, admin, nobody) = (app.gestionnaire(), app.ordonnateur(), app.admin(), app.anonymous());
    let school = json!({"uai": "0300002P", "name": "Ecole", "kind": "primaire", "sector": "public", "insee_code": "30278",
        "commune_name": "Saint-Laurent", "payer_siret": "21300278500011", "payer_from": "2025-01-01", "pupils": 80, "classes": 3,
        "opened_on": "2001-09-01", "closed_on": "2030-07-01", "first_school_year": "2025-2026"});
    assert_eq!(crate::support::year::uai(300_002), "0300002P");
    let commune = json!({"siret": "21300189400012", "kind": "commune", "name": "Nîmes", "insee_code": "30189",
        "address": {"line1": "Place", "line2": "BP", "postal_code": "30000", "city": "Nîmes"},
        "representative": {"civility": "monsieur", "first_name": "Jean", "last_name": "Dupont", "title": "Maire"},
        "contact_email": "mairie@nimes.invalid", "contact_phone": "0466767001",
        "chorus": {"service_code": "A", "commitment_number": "B", "third_party_number": "C"}, "closed_on": "2040-01-01"});
    let user = json!({"email": "anne@exemple.invalid", "role": "ordonnateur", "first_name": "Anne", "last_name": "Durand",
        "capacity": "SG", "delegation": {"reference": "RAA", "published_on": "2025-03-14", "ends_on": "2026-03-14"}});
    let campaign = json!({"school_year": "2026-2027", "tariff": {"unit": "school", "unit_amount": "40.00"}, "convention_date": "2026-06-05",
        "ends_on": "2027-09-05", "response_deadline": "2026-10-15", "small_claims": {"threshold": "50.00", "policy": "issue"},
        "countersign_policy": "record"});
    let payers = json!({"filter": {"departement": "30", "kind": "commune", "insee_code": "30278", "collectivite": "21300278500011"}, "dry_run": true});
    let convention = g.get("/conventions").json["data"][0]["id"].as_str().unwrap().to_owned();
    let title = o.get("/perception-titles").json["data"][0]["id"].as_str().unwrap().to_owned();
    let pieces = format!("/conventions/{convention}/attachments");
    let piece = g.get(&pieces).json["data"][0]["id"].as_str().unwrap().to_owned();
    let person = app.person(ent_backoffice::kernel::Role::Lecteur).id;
    vec![
        ("login", "/auth/login".into(), nobody.clone(), json!({"email": "personne@exemple.invalid", "password": "x"})),
        ("refresh_session", "/auth/refresh".into(), nobody.clone(), json!({"refresh_token": "x"})),
        (
            "set_password",
            "/auth/password".into(),
            nobody,
            json!({"code": "7K3QF-9TZ2M-4HXVC-0PB8D-RN6WG", "new_password": "lune-parapluie-orge-1826"}),
        ),
        (
            "change_password",
            "/auth/password".into(),
            g.clone(),
            json!({"current_password": "x", "new_password": "lune-parapluie-orge-1826"}),
        ),
        ("create_user", "/users".into(), admin.clone(), user.clone()),
        ("change_user", format!("/users/{person}"), admin, user),
        ("create_collectivite", "/collectivites".into(), g.clone(), commune.clone()),
        (
            "patch_collectivite",
            "/collectivites/21300278500011".into(),
            g.clone(),
            without(&commune, &["siret", "kind", "closed_on"]),
        ),
        (
            "replace_siret",
            "/collectivites/21300278500011/sirets".into(),
            g.clone(),
            json!({"siret": "21300278500029", "from": "2025-01-01"}),
        ),
        (
            "record_succession",
            "/collectivites/21300278500011/successions".into(),
            g.clone(),
            json!({"kind": "transfer", "successor_siret": "21300278500011", "effective_on": "2025-01-01", "act_reference": "arrêté"}),
        ),
        ("create_school", "/schools".into(), g.clone(), school.clone()),
        ("patch_school", "/schools/0301023Z".into(), g.clone(), without(&school, &["uai"])),
        (
            "set_school_payer",
            "/schools/0301023Z/payers".into(),
            g.clone(),
            json!({"payer_siret": "21300278500011", "payer_from": "2025-01-01"}),
        ),
        ("create_campaign", "/campaigns".into(), g.clone(), campaign.clone()),
        ("patch_campaign", "/campaigns/2025-2026".into(), g.clone(), without(&campaign, &["school_year"])),
        (
            "transition_convention_attachment",
            format!("{pieces}/{piece}/transitions"),
            g.clone(),
            json!({"action": "detach", "reason": "lettre d'une autre commune"}),
        ),
        (
            "invite",
            "/campaigns/2025-2026/invitations".into(),
            g.clone(),
            json!({"filter": {"departement": "30", "kind": "commune", "insee_code": "30278", "collectivite": "21300278500011"},
                "first": 3, "dry_run": true}),
        ),
        ("give_invitation", format!("/conventions/{convention}/invitations"), g.clone(), json!({"deliver": "mail"})),
        (
            "transition_invitation",
            "/invitations/019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e/transitions".into(),
            g.clone(),
            json!({"action": "replace", "reason": "perdu", "deliver": "mail"}),
        ),
        (
            "resend_email",
            "/emails/019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e/resend".into(),
            g.clone(),
            json!({"reason": "perdu"}),
        ),
        (
            "flag_mail_address",
            "/mail-blocks".into(),
            g.clone(),
            json!({"action": "block", "address": "mairie@nimes.invalid", "reason": "boîte fermée"}),
        ),
        (
            "edit_mail_template",
            "/mail-templates/invitations.invitation".into(),
            g.clone(),
            json!({"source": "Objet : a\n\nb", "reason": "essai"}),
        ),
        (
            "preview_mail_template",
            "/mail-templates/invitations.invitation/previews".into(),
            g.clone(),
            json!({"source": "Objet : a\n\nb", "convention_id": convention}),
        ),
        ("transition_campaign", "/campaigns/2025-2026/transitions".into(), g.clone(), json!({"action": "open"})),
        (
            "enrol_schools",
            "/campaigns/2025-2026/enrolments".into(),
            g.clone(),
            json!({"filter": {"departement": "30", "sector": "public",
            "kind": "primaire", "insee_code": "30278", "collectivite": "21300278500011"}, "dry_run": true, "origin": "mairie",
            "requester": "Mairie", "requested_on": "2025-05-01"}),
        ),
        (
            "enrol_school",
            "/campaigns/2025-2026/enrolments/0301023Z".into(),
            g.clone(),
            json!({"origin": "mairie", "requester": "Mairie", "requested_on": "2025-05-01"}),
        ),
        ("issue_conventions", "/campaigns/2025-2026/conventions".into(), g.clone(), payers.clone()),
        ("prepare_titles", "/campaigns/2025-2026/perception-titles".into(), g.clone(), payers),
        (
            "decide_small_claims",
            "/campaigns/2025-2026/small-claim-decisions".into(),
            o.clone(),
            json!({"filter": {"departement": "30",
            "kind": "commune", "insee_code": "30278", "collectivite": "21300278500011"}, "dry_run": true, "reason": "sous le seuil"}),
        ),
        (
            "decide_lines",
            "/campaigns/2025-2026/line-decisions".into(),
            g.clone(),
            json!({"filter": {"departement": "30",
            "kind": "commune"}, "dry_run": true, "choice": "keep", "reason": "vu"}),
        ),
        (
            "transition_small_claim_decision",
            "/small-claim-decisions/019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e/transitions".into(),
            o.clone(),
            json!({"action": "revoke", "reason": "à titrer"}),
        ),
        (
            "transition_convention",
            format!("/conventions/{convention}/transitions"),
            g.clone(),
            json!({"action": "countersign", "signed_on": "2025-06-05",
            "signatory": {"name": "C. D.", "title": "Rectrice"}, "acknowledged": [{"code": "school_closed_since_signature", "reason": "vu"}]}),
        ),
        (
            "approve_titles",
            "/perception-titles/approvals".into(),
            o.clone(),
            json!({"filter": {"campaign": "2025-2026", "departement": "30",
            "kind": "commune", "collectivite": "21300278500011", "status": "prepared"}, "dry_run": true}),
        ),
        (
            "transition_task",
            "/tasks/019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e/transitions".into(),
            g.clone(),
            json!({"action": "assign", "assignee": person, "word": "vu"}),
        ),
        (
            "transition_title",
            format!("/perception-titles/{title}/transitions"),
            o.clone(),
            json!({"action": "withdraw", "reason": "erreur"}),
        ),
        (
            "transition_batch",
            "/accounting-batches/ENT-B-2025-0001/transitions".into(),
            o.clone(),
            json!({"action": "correct_signature", "signed_on": "2025-06-05", "evidence": "parapheur",
            "signatory": {"name": "C. D.", "title": "SG"}, "reason": "jour mal lu"}),
        ),
        ("seal_batch", "/accounting-batches".into(), o, json!({"campaign": "2025-2026", "exercice": 2025})),
    ]
}

fn without(body: &Value, fields: &[&str]) -> Value {
    let mut body = body.clone();
    fields.iter().for_each(|f| _ = body.as_object_mut().unwrap().remove(*f));
    body
}

/// Every place of a body.
fn places(value: &Value, here: &str, found: &mut Vec<(String, Value)>) {
    if !here.is_empty() {
        found.push((here.to_owned(), value.clone()));
    }
    match value {
        Value::Object(fields) => fields.iter().for_each(|(k, v)| places(v, &format!("{here}/{k}"), found)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, v)| places(v, &format!("{here}/{i}"), found)),
        _ => {}
    }
}

const MARK: &str = "\"@@ici@@\"";

/// JSON texts that no field of this type takes.
fn never(value: &Value) -> Vec<String> {
    let texts = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let mut all =
        texts(&["1e400", "\"\\ud800\"", "\"\\udc00x\"", "01", "NaN", "'x'", &nested, &"{\"a\":".repeat(10_000)]);
    all.extend(match value {
        Value::String(_) => {
            let mut more = texts(&[
                "true",
                "12",
                "1.5",
                "-0",
                "18446744073709551616",
                "[]",
                "[\"x\"]",
                "{\"a\":1}",
                "{}",
                "\"\\uffff\"",
                "\"a\\u202eb\"",
                "\"\\u200b\"",
                "\"\\u007f\"",
                "\"\\u0085\"",
            ]);
            more.push(format!("\"{}\"", "é".repeat(10_000)));
            more.extend((0..32).filter(|c| ![9, 10, 13].contains(c)).map(|c| format!("\"a\\u{c:04x}b\"")));
            more
        }
        Value::Bool(_) => texts(&["12", "1.5", "\"true\"", "[]", "{}", "\"\""]),
        Value::Number(_) => {
            texts(&["true", "1.5", "\"12\"", "[]", "{}", "\"\"", "99999999999999999999", "18446744073709551615"])
        }
        Value::Object(_) => {
            texts(&["true", "12", "\"x\"", "\"\"", "[]", "[\"a\",\"b\",\"c\",\"d\"]", "{\"inconnu\":1}"])
        }
        Value::Array(_) => texts(&["true", "12", "\"x\"", "{}"]),
        Value::Null => Vec::new(),
    });
    all
}

/// Words that hold whatever a person types.
fn free(place: &str) -> bool {
    place.ends_with("password") || place.ends_with("refresh_token")
}

on_both_databases! {
    fn every_field_of_every_body_refuses_what_it_is_not(app: &TestApp) {
        let recorder = prepared(app);
        let known: Vec<&str> = complete(app).iter().map(|(id, ..)| *id).collect();
        let forgotten: Vec<_> = recorder.operations.iter().filter(|o| o.body == Body::Json && !known.contains(&o.id.as_str())).collect();
        assert!(forgotten.is_empty(), "no complete body for {forgotten:?}");
        let mut count = 0_u32;
        // Who will call has logged in before rows are counted.
        let calls = complete(app);
        let before = rows(app);
        for (id, path, client, body) in calls {
            let operation = recorder.operations.iter().find(|o| o.id == id).unwrap();
            let mut all = Vec::new();
            places(&body, "", &mut all);
            for (place, value) in all {
                let mut marked = body.clone();
                *marked.pointer_mut(&place).unwrap() = json!("@@ici@@");
                let marked = marked.to_string();
                for bad in never(&value) {
                    if free(&place) && bad.starts_with('"') && !bad.contains("\\u0") {
                        continue;
                    }
                    let what = format!("{id} {place} = {}", bad.chars().take(60).collect::<String>());
                    let answer = send(&recorder, &client, operation, &path, marked.replace(MARK, &bad).into_bytes());
                    refused(&answer, &what);
                    let errors = answer.json["errors"].as_array().cloned().unwrap_or_default();
                    if answer.status == 422 && answer.json["code"] == "invalid_value" {
                        assert!(errors[0]["pointer"].as_str().unwrap().starts_with(&place), "{what}: {}", answer.text());
                    }
                    count += 1;
                }
            }
            assert_eq!(rows(app), before, "{id} wrote something");
        }
        assert!(count > 4_000, "only {count} bad values were sent");
    }

    fn every_body_is_json_in_utf_8_and_nothing_else(app: &TestApp) {
        let recorder = prepared(app);
        // Who will call has logged in before rows are counted.
        let calls = complete(app);
        let before = rows(app);
        for (id, path, client, body) in calls {
            let operation = recorder.operations.iter().find(|o| o.id == id).unwrap();
            let text = body.to_string();
            let accented = text.replacen(":\"", ":\"é", 1);
            let utf16 = |big: bool| -> Vec<u8> {
                let unit = |u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() };
                std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(unit).collect()
            };
            let latin: Vec<u8> = accented.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
            let inner = &text[1..text.len() - 1];
            let bodies: Vec<(&str, Vec<u8>)> = vec![
                ("empty", Vec::new()),
                ("null", b"null".to_vec()),
                ("a list", format!("[{text}]").into_bytes()),
                ("a word", b"\"x\"".to_vec()),
                ("a number", b"12".to_vec()),
                ("with a mark of order", [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
                ("UTF-16, little end", utf16(false)),
                ("UTF-16, big end", utf16(true)),
                ("Latin-1", latin),
                ("half a character", text.replacen(":\"", ":\"\u{1}", 1).bytes().map(|b| if b == 1 { 0xC3 } else { b }).collect()),
                ("text after", format!("{text} x").into_bytes()),
                ("twice", format!("{text}{text}").into_bytes()),
                ("cut", text[..text.len() - 1].into()),
                ("a comma too many", format!("{{{inner},}}").into_bytes()),
                ("keys twice", format!("{{{inner},{inner}}}").into_bytes()),
                ("an unknown field", format!("{{{inner},\"inconnu\":1}}").into_bytes()),
                ("an unknown field that hides", format!("{{{inner},\"inc\\u0000onnu\":1}}").into_bytes()),
                ("deep lists", "[".repeat(10_000).into_bytes()),
                ("deep objects", "{\"a\":".repeat(10_000).into_bytes()),
                ("single quotes", text.replace('"', "'").into_bytes()),
            ];
            for (name, bytes) in bodies {
                refused(&send(&recorder, &client, operation, &path, bytes), &format!("{id}: {name}"));
            }
            let plain = |headers: &[(&str, &str)], bytes: &[u8]| recorder.send(&client, &operation.method, &format!("/api/v1{path}"), headers, bytes.to_vec());
            for kind in ["text/plain", "text/json", "application/x-www-form-urlencoded", "application/json; charset=iso-8859-1",
                         "application/json; charset=utf-16", "multipart/form-data; boundary=x"] {
                plain(&[("content-type", kind)], text.as_bytes()).problem(415, "unsupported_media_type");
            }
            plain(&[], text.as_bytes()).problem(415, "unsupported_media_type");
            let json = ("content-type", "application/json");
            for packed in [gzip(text.as_bytes()), gzip(b"{"), gzip(&vec![b' '; 1_100_000])] {
                plain(&[json, ("content-encoding", "gzip")], &packed).problem(415, "unsupported_content_encoding");
            }
            // Names of the one charset pass, whatever their case.
            for kind in ["application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
                plain(&[("content-type", kind)], b"{").problem(400, "malformed_json");
            }
            assert_eq!(rows(app), before, "{id} wrote something");
        }
    }

    fn addresses_are_read_strictly(app: &TestApp) {
        let recorder = prepared(app);
        let g = app.gestionnaire();
        let before = rows(app);
        for list in ["/schools", "/collectivites", "/conventions", "/perception-titles", "/campaigns/2025-2026/enrolments",
                     "/campaigns/2025-2026/participations"] {
            let get = |query: &str| recorder.get(&g, &format!("{list}?{query}"));
            for bad in ["q=%", "q=%zz", "q=%ff", "q=%C3", "%ff=1"] {
                refused(&get(bad).problem(400, "malformed_query"), bad);
            }
            for bad in ["q=%00", "q=a%0Ab", "q=%1f", "q=%7f", "limit=1&limit=2", "limit=-1", "limit=1e2", "limit=99999999999", "limit=201",
                        "departement=99", "departement=30%202A", "insee_code=3027", "collectivite=123", "updated_since=hier",
                        "updated_since=2025-06-05", "updated_since=9999-12-31T23:59:59-23:59", "sort=couleur", "sort=--number"] {
                let answer = get(bad);
                refused(&answer.problem(422, "invalid_value"), bad);
            }
            let long = format!("q={}", "x".repeat(201));
            get(&long).problem(422, "invalid_value");
            get("q=&limit=&cursor=&sort=").expect(200);
            for odd in ["q=%25", "q=_", "q=%5C", "q=%27%22--", "q=%E2%80%AE", "q=%EF%BF%BF", "q=%F0%9F%98%80"] {
                assert!(get(odd).expect(200).json["data"].as_array().unwrap().is_empty(), "{list}?{odd}");
            }
            get("cursor=WyJhIl0").problem(400, "bad_cursor");
        }
        for (path, status) in [
            ("/schools/0301023z", 200), ("/schools/301023Z", 200), ("/schools/%30301023Z", 400), ("/schools/0301023Z%20", 200),
            ("/schools/0301023Z%2F..", 400), ("/schools/..%2F0301023Z", 400), ("/schools/%00", 422), ("/schools/%ff", 400),
            ("/schools/0301023%0AZ", 200), ("/schools/%E2%80%AE0301023Z", 422), ("/schools/0301023A", 422), ("/schools/", 404),
            ("/schools/0301023Z/", 404), ("/schools//0301023Z", 400), ("/collectivites/213%20002%20785%2000011", 200),
            ("/collectivites/2130027850001", 422), ("/collectivites/2,13E%2B13", 422), ("/campaigns/2025-2027", 422),
            ("/campaigns/2025%2F2026", 400), ("/conventions/%7B019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e%7D", 404),
            ("/conventions/1", 422), ("/conventions/019832f01c7a7bd29d3e5a4f1c2b3d4e", 404), ("/conventions/'%20OR%201=1", 422),
        ] {
            let answer = recorder.get(&g, path);
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
            if status >= 400 {
                refused(&answer, path);
            }
        }
        assert_eq!(rows(app), before);
    }

    fn forms_are_read_strictly(app: &TestApp) {
        let recorder = prepared(app);
        let g = app.gestionnaire();
        let before = rows(app);
        let text = "insee;siret;nom\n30189;21300189400012;Nîmes\n";
        let forms: Vec<&Operation> = recorder.operations.iter().filter(|o| o.body == Body::Form).collect();
        for operation in forms.iter().filter(|o| o.template.ends_with("/imports")) {
            let path = operation.template.replace("{school_year}", "2025-2026");
            let send = |kind: &str, body: Vec<u8>| recorder.send(&g, "POST", &path, &[("content-type", kind)], body);
            let whole = form("file", "c.csv", text.as_bytes());
            let two = [&whole[..whole.len() - "--limite--\r\n".len()], &form("file", "d.csv", text.as_bytes())].concat();
            for (name, kind, body) in [
                ("another field", FORM, form("fichier", "c.csv", text.as_bytes())),
                ("two files", FORM, two),
                ("no boundary", "multipart/form-data", whole.clone()),
                ("another boundary", "multipart/form-data; boundary=autre", whole.clone()),
                ("cut", FORM, whole[..whole.len() - 20].to_vec()),
                ("nothing", FORM, b"--limite--\r\n".to_vec()),
                ("no form", FORM, b"bonjour".to_vec()),
            ] {
                refused(&send(kind, body).problem(400, "bad_form"), &format!("{}: {name}", operation.id));
            }
            let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            for (name, bytes) in [("UTF-16", utf16), ("nothing", Vec::new()), ("zeros", vec![0; 1_000]), ("a PDF", b"%PDF-1.7\n\xff\xfe\x00".to_vec()),
                                  ("a broken workbook", b"PK\x03\x04abcdefgh".to_vec()), ("one line", b"bonjour".to_vec()),
                                  ("a quote left open", b"insee;siret;nom\n\"30189;21300189400012\n".to_vec())] {
                refused(&send(FORM, form("file", "c.csv", &bytes)).problem(422, "file_refused"), &format!("{}: {name}", operation.id));
            }
            assert_eq!(rows(app), before, "{}", operation.id);
        }
        let convention = g.get("/conventions").json["data"][0]["id"].as_str().unwrap().to_owned();
        let attaching: Vec<&&Operation> = forms.iter().filter(|o| !o.template.ends_with("/imports")).collect();
        for operation in &attaching {
            let path = operation.template.replace("{id}", &convention);
            let send = |kind: &str, body: Vec<u8>| recorder.send(&g, "POST", &path, &[("content-type", kind)], body);
            let (_, whole) = attachment("signature", &[("c.csv", text.as_bytes())]);
            for (name, kind, body) in [
                ("another field", FORM, form("fichier", "c.csv", text.as_bytes())),
                ("no boundary", "multipart/form-data", whole.clone()),
                ("another boundary", "multipart/form-data; boundary=autre", whole.clone()),
                ("cut", FORM, whole[..whole.len() - 20].to_vec()),
                ("no file", FORM, attachment("signature", &[]).1),
                ("nothing", FORM, b"--limite--\r\n".to_vec()),
                ("no form", FORM, b"bonjour".to_vec()),
            ] {
                refused(&send(kind, body).problem(400, "bad_form"), &format!("{}: {name}", operation.id));
            }
            let unsaid = send(FORM, form("file", "c.pdf", text.as_bytes()));
            refused(&unsaid.problem(422, "invalid_value"), &format!("{}: no purpose", operation.id));
            for (name, bytes) in [("a list", text.as_bytes()), ("nothing", b""), ("zeros", &[0; 1_000]), ("half a PDF", b"%PDF-1.7\n\xff\xfe\x00")] {
                let (kind, body) = attachment("signature", &[("c.pdf", bytes)]);
                refused(&send(kind, body).problem(422, "attachment_refused"), &format!("{}: {name}", operation.id));
            }
            assert_eq!(rows(app), before, "{}", operation.id);
        }
        assert!(!attaching.is_empty() && attaching.len() < forms.len());
        // A path in the file's name is a name: nothing is written there.
        for name in ["../../../../tmp/x.csv", "/etc/passwd", "C:\\x.csv", "x\u{202e}.csv"] {
            let body = form("file", name, text.as_bytes());
            recorder.send(&g, "POST", "/api/v1/collectivites/imports?dry_run=true", &[("content-type", FORM)], body).expect(200);
        }
        assert_eq!(rows(app), before);
    }
}

fn prepared(app: &TestApp) -> Recorder {
    register_seed(app);
    open_campaign(app, "issue");
    app.forget_jobs();
    let issued = app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).expect(200).json;
    let id = issued["items"][0]["id"].as_str().unwrap();
    for (action, title) in [("sign", "Maire"), ("countersign", "Rectrice")] {
        let body = json!({"action": action, "signed_on": "2025-06-05", "signatory": {"name": "A. B.", "title": title}});
        app.gestionnaire().post(&format!("/conventions/{id}/transitions"), body).expect(200);
    }
    let scan = samples::pdf(&[], "");
    let attachments = format!("/conventions/{id}/attachments");
    app.gestionnaire().attach(&attachments, "signature", &[("a.pdf", &scan)], &[]).expect(201);
    app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({})).expect(200);
    [app.ordonnateur(), app.admin(), app.lecteur()].iter().for_each(|c| _ = c.get("/me").expect(200));
    Recorder::new(app)
}

fn send(recorder: &Recorder, client: &Client, operation: &Operation, path: &str, body: Vec<u8>) -> Response {
    let headers = [("content-type", "application/json"), ("if-match", "*")];
    // Creations have no version to announce.
    let tagged = ["PATCH", "PUT"].contains(&operation.method.as_str());
    recorder.send(
        client,
        &operation.method,
        &format!("/api/v1{path}"),
        if tagged { &headers } else { &headers[..1] },
        body,
    )
}

/// Gzip without compression: enough to see whether the program undoes it.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut chunks = bytes.chunks(65_535).peekable();
    while let Some(chunk) = chunks.next() {
        let length = u16::try_from(chunk.len()).unwrap();
        out.push(u8::from(chunks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(chunk);
    }
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    out.extend((!crc).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    out
}
