//! Lists: every order pages whole, stable while others write; what changed since; filters that select as the acts in
//! number do; search.

use std::collections::{BTreeMap, BTreeSet};

use ent_backoffice::audit::{Subject, SubjectKind};
use ent_backoffice::kernel::Actor;
use ent_backoffice::registry::{self, SchoolRequest};
use ent_backoffice::tasks::{self, NewTask, TaskKind};
use serde_json::{Value, json};

use crate::support::samples;
use crate::support::year::{campaign, open_campaign, register_communes, register_seed, sign_both, uai};
use crate::support::{Client, TestApp, operations as contract};

/// Escapes a parameter's value.
fn escaped(value: &str) -> String {
    value
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// Every row of a list, page by page; `between` runs after each page.
fn walk(client: &Client, path: &str, limit: u32, mut between: impl FnMut(usize)) -> Vec<Value> {
    let join = if path.contains('?') { '&' } else { '?' };
    let (mut rows, mut cursor, mut pages, mut since) = (Vec::new(), String::new(), 0, Value::Null);
    loop {
        let page = client.get(&format!("{path}{join}limit={limit}{cursor}")).expect(200).json;
        assert!(page["data"].as_array().unwrap().len() <= usize::try_from(limit).unwrap());
        rows.extend(page["data"].as_array().unwrap().clone());
        assert!(pages == 0 || since == page["meta"]["next_updated_since"], "one walk, one instant");
        since = page["meta"]["next_updated_since"].clone();
        match page["meta"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
        between(pages);
        pages += 1;
        assert!(pages < 500, "{path} never ends");
    }
}

fn key(row: &Value) -> String {
    let names = ["uai", "siret", "id", "convention_id", "number", "school_year", "email", "address", "kind"];
    names.iter().find_map(|n| row[*n].as_str()).unwrap_or_else(|| panic!("no key in {row}")).to_owned()
}

fn keys(rows: &[Value]) -> Vec<String> {
    rows.iter().map(key).collect()
}

fn set(rows: &[Value]) -> BTreeSet<String> {
    keys(rows).into_iter().collect()
}

/// Some communes, their year up to titles in several states.
fn a_year(app: &TestApp) {
    register_seed(app);
    register_communes(app, 6);
    open_campaign(app, "issue");
    app.gestionnaire()
        .post("/campaigns", with(&campaign("issue"), "school_year", "2026-2027", "ends_on", "2027-09-05"))
        .expect(201);
    app.forget_jobs();
    let issued = app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).expect(200).json;
    app.set_time("2025-07-28T09:00:00Z");
    let ids: Vec<&str> = issued["items"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap()).collect();
    ids.iter().skip(1).for_each(|id| sign_both(app, id));
    for shade in 0..3 {
        let photo = samples::jpeg(16, 16, None, |_, _| [shade; 3]);
        let path = format!("/conventions/{}/attachments", ids[0]);
        app.gestionnaire().attach(&path, "signature", &[("page.jpg", &photo)], &[]).expect(201);
    }
    for n in 0..3 {
        let g = app.gestionnaire();
        g.post(&format!("/conventions/{}/invitations", ids[0]), json!({"deliver": "show"})).expect(200);
        let new = json!({"email": format!("code{n}@exemple.invalid"), "role": "lecteur", "first_name": "Jo", "last_name": "Durand"});
        let user = app.admin().post("/users", new).expect(201).json;
        app.admin()
            .post(&format!("/users/{}/password-code-mails", user["id"].as_str().unwrap()), json!({}))
            .expect(200);
        let block = json!({"action": "block", "address": format!("boite{n}@fermee.invalid"), "reason": "boîte fermée"});
        g.post("/mail-blocks", block).expect(200);
    }
    for uai in ["0300001A", "0300002B", "0300003C"] {
        let subject = Subject::known_by(SubjectKind::School, uai);
        let new = NewTask { kind: TaskKind("test.look"), subject, why: "À regarder.".to_owned(), due_on: None };
        app.db.write(|tx| tasks::open(tx, &Actor::program("essai"), new.clone())).unwrap();
    }
    let prepared = app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({})).expect(200).json;
    let titles: Vec<&Value> = prepared["items"].as_array().unwrap().iter().map(|i| &i["id"]).collect();
    let o = app.ordonnateur();
    let approve = |keys: &[&Value]| o.post("/perception-titles/approvals", json!({"keys": keys})).expect(200);
    approve(&titles[..2]);
    o.post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201);
    approve(&titles[2..4]);
    o.post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201);
    approve(&titles[4..5]);
    let withdraw = json!({"action": "withdraw", "reason": "essai"});
    o.post(&format!("/perception-titles/{}/transitions", titles[4].as_str().unwrap()), withdraw).expect(200);
}

fn with(body: &Value, a: &str, va: &str, b: &str, vb: &str) -> Value {
    let mut body = body.clone();
    (body[a], body[b]) = (json!(va), json!(vb));
    body
}

/// The lists of the API, read from the document, and the sorts they publish.
fn lists(app: &TestApp) -> Vec<(String, Vec<String>)> {
    let document = contract::document(app);
    let first = app.admin().get("/conventions?sort=number").json["data"][0]["id"].as_str().unwrap().to_owned();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let named = |name: &str| parameters.iter().find(|p| p["name"] == name).cloned();
        // One's own open sessions are the caller's, and gone once closed: no change of them can be told
        // (`a_person_sees_and_ends_their_sessions`).
        // The outcomes of one act come all at once and never change (`long_acts`).
        let told_elsewhere = ["/auth/sessions", "/jobs/{id}/items"].iter().any(|end| path.ends_with(end));
        if named("cursor").is_some() && !told_elsewhere {
            for needed in ["limit", "sort", "updated_since"] {
                // Lines of closed schools are worked out, not kept: nothing says when one came to be.
                if path.ends_with("/line-decisions") && needed == "updated_since" {
                    continue;
                }
                assert!(named(needed).is_some(), "{path} has no {needed}");
            }
            let sort = named("sort").unwrap();
            let schema = if sort["schema"]["oneOf"].is_array() { &sort["schema"]["oneOf"][0] } else { &sort["schema"] };
            assert_eq!((&sort["in"], &sort["required"]), (&json!("query"), &json!(false)), "{path}: {sort}");
            let values = schema["enum"].as_array().unwrap_or_else(|| panic!("{path}: {sort}"));
            let sorts = values.iter().map(|v| v.as_str().unwrap().to_owned()).collect();
            let path = path.trim_start_matches("/api/v1").replace("{school_year}", "2025-2026");
            found.push((path.replace("/conventions/{id}/", &format!("/conventions/{first}/")), sorts));
        }
    }
    found
}

on_both_databases! {
    fn every_list_pages_whole_in_every_order(app: &TestApp) {
        a_year(app);
        // Two claims decided not to be titled, two lines of closed schools.
        let g = app.gestionnaire();
        sign_both(app, g.get("/conventions?status=issued").json["data"][0]["id"].as_str().unwrap());
        let decided = app.ordonnateur().post("/campaigns/2025-2026/small-claim-decisions", json!({"filter": {}, "reason": "sous le seuil"})).expect(200).json;
        assert_eq!(decided["decided"], 2, "{decided}");
        for uai in ["0301023Z", "0301015R"] {
            g.json("PATCH", &format!("/schools/{uai}"), &[("if-match", "*")], &json!({"closed_on": "2025-07-01"})).expect(200);
        }
        let (admin, mut count) = (app.admin(), 0);
        for (path, sorts) in lists(app) {
            let whole = admin.get(&format!("{path}?limit=200")).expect(200).json["data"].as_array().unwrap().clone();
            assert!(whole.len() >= 2, "{path} has nothing to page");
            for sort in &sorts {
                let paged = walk(&admin, &format!("{path}?sort={sort}"), 2, |_| ());
                assert_eq!(keys(&paged).len(), set(&paged).len(), "{path} by {sort}: a row twice");
                assert_eq!(set(&paged), set(&whole), "{path} by {sort}: a row is missing");
                let straight = admin.get(&format!("{path}?sort={sort}&limit=200")).expect(200).json;
                assert_eq!(keys(&paged), keys(straight["data"].as_array().unwrap()), "{path} by {sort}");
                let back = sort.strip_prefix('-').map_or_else(|| format!("-{sort}"), str::to_owned);
                let mut reversed = keys(&walk(&admin, &format!("{path}?sort={back}"), 3, |_| ()));
                reversed.reverse();
                assert_eq!(keys(&paged), reversed, "{path}: {back} is not {sort} from the end");
                for field in ["updated_at", "total", "amount", "number", "school_year", "uai", "siret", "email"] {
                    let shown = |row: &Value| row[field].as_str().map(|v| v.parse::<f64>().map_or_else(|_| v.to_owned(), |n| format!("{n:015.2}")));
                    let of_field = *sort == field || (*sort == "amount" && field == "total");
                    if of_field && paged.iter().all(|r| shown(r).is_some()) && field != "siret" {
                        assert!(paged.is_sorted_by_key(shown), "{path} by {sort}: {paged:?}");
                    }
                }
                count += 1;
            }
        }
        assert!(count > 40, "{count}");
    }

    fn no_row_is_skipped_or_doubled_while_others_write(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        let school = |n: u32, name: &str| json!({"uai": uai(n), "name": name, "kind": "primaire", "sector": "public", "insee_code": "30278",
                                                "commune_name": "Saint-Laurent"});
        let letters = ["Aigoual", "Bleuets", "Cerisiers", "Dauphins", "Érables", "Figuiers", "Genêts", "Hirondelles", "Iris", "Jonquilles"];
        for (n, name) in (300_100_u32..).zip(letters.iter().cycle().take(30)) {
            g.post("/schools", school(n, name)).expect(201);
        }
        g.post("/campaigns", campaign("issue")).expect(201);
        let enrolments = "/campaigns/2025-2026/enrolments";
        g.post(enrolments, json!({"filter": {"departement": "30"}})).expect(200);
        for sort in ["uai", "-uai", "name", "-name"] {
            let all_along: BTreeSet<String> = set(&walk(&g, enrolments, 200, |_| ()));
            let mut touched = BTreeSet::new();
            let seed: u32 = u32::try_from(sort.len()).unwrap() + u32::from(sort.starts_with('-')) * 40;
            let seen = walk(&g, &format!("{enrolments}?sort={sort}"), 3, |page| {
                // Somebody enrols before and after, withdraws on both sides, and changes what is no part of the order.
                let page = u32::try_from(page).unwrap();
                for (n, name) in [(290_000 + page + seed * 50, "Acacias"), (310_000 + page + seed * 50, "Zéphyr")] {
                    g.post("/schools", school(n, name)).expect(201);
                    g.put(&format!("{enrolments}/{}", uai(n)), json!({})).expect(201);
                    touched.insert(uai(n));
                }
                let gone = uai(300_100 + (page * 7 + seed) % 30);
                if g.delete(&format!("{enrolments}/{gone}")).status == 204 {
                    touched.insert(gone);
                }
                let changed = uai(300_100 + (page * 11 + 3) % 30);
                g.json("PUT", &format!("{enrolments}/{changed}"), &[("if-match", "*")], &json!({"origin": "ecole"}));
            });
            assert_eq!(keys(&seen).len(), set(&seen).len(), "{sort}: a row twice");
            let missed: Vec<_> = all_along.difference(&touched).filter(|k| !set(&seen).contains(*k)).collect();
            assert!(missed.is_empty() && !touched.is_empty(), "{sort}: {missed:?}");
            // Back as it was, for the next order.
            g.post(enrolments, json!({"filter": {"departement": "30"}})).expect(200);
        }
    }

    fn what_changed_is_told_even_when_it_is_committed_late(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        let actor = Actor::program("essai");
        let request = |n: u32| -> SchoolRequest {
            serde_json::from_value(json!({"uai": uai(n), "name": "Ecole", "kind": "primaire", "sector": "public", "insee_code": "30278",
                                          "commune_name": "Saint-Laurent"})).unwrap()
        };
        app.set_time("2025-06-05T10:00:00Z");
        let (g, _) = (app.gestionnaire(), g);
        let mut since = Value::Null;
        app.db.write(|tx| {
            registry::create_school(tx, &actor, request(300_500).into())?;
            // While it is not committed, two minutes go by and a client reads what there is.
            app.set_time("2025-06-05T10:02:00Z");
            let page = g.get("/schools?updated_since=2025-06-05T09:00:00Z").expect(200).json;
            assert_eq!(page["data"], json!([]));
            since = page["meta"]["next_updated_since"].clone();
            Ok(())
        }).unwrap();
        let next = g.get(&format!("/schools?updated_since={}", escaped(since.as_str().unwrap()))).expect(200).json;
        assert_eq!(set(next["data"].as_array().unwrap()), BTreeSet::from([uai(300_500)]));
        // Whoever goes by the greatest instant seen misses nothing either.
        let seen = g.get("/schools?updated_since=2025-06-05T10:02:00Z").expect(200).json;
        assert_eq!(set(seen["data"].as_array().unwrap()), BTreeSet::from([uai(300_500)]));
        // And a transaction cannot be later than that: it is undone.
        let late = app.db.write(|tx| {
            registry::create_school(tx, &actor, request(300_501).into())?;
            app.set_time("2025-06-05T10:07:01Z");
            Ok(())
        });
        assert!(late.is_err());
        g.get(&format!("/schools/{}", uai(300_501))).problem(404, "not_found");
    }

    fn a_change_of_payer_is_a_change_of_the_school(app: &TestApp) {
        register_seed(app);
        app.set_time("2025-06-05T10:00:00Z");
        let g = app.gestionnaire();
        g.post("/collectivites", json!({"siret": "21300001100014", "kind": "commune", "name": "Aigaliers", "insee_code": "30001"})).expect(201);
        let succession = json!({"kind": "transfer", "successor_siret": "21300001100014", "effective_on": "2025-01-01", "act_reference": "arrêté"});
        g.post("/collectivites/21300278500011/successions", succession).expect(201);
        let changed = g.get("/schools?updated_since=2025-06-05T09:59:00Z").expect(200).json;
        assert_eq!(changed["data"].as_array().unwrap().len(), 2);
        assert_eq!(changed["data"][0]["payer"]["siret"], "21300001100014");
    }

    fn a_filter_selects_the_same_in_the_list_and_in_the_act(app: &TestApp) {
        a_year(app);
        let (g, o) = (app.gestionnaire(), app.ordonnateur());
        // A former SIRET, a private school, a syndicate, a name with an accent.
        g.post("/collectivites/21300278500011/sirets", json!({"siret": "21300278500029", "from": "2025-07-01"})).expect(201);
        g.post("/collectivites", json!({"siret": "21300189400012", "kind": "syndicat", "name": "SIVU de l'Étang", "address": {"postal_code": "34000"}})).expect(201);
        let private = json!({"uai": uai(300_900), "name": "Sainte-Thérèse", "kind": "maternelle", "sector": "private", "insee_code": "30278",
                             "commune_name": "Saint-Laurent-des-Arbres", "payer_siret": "21300189400012"});
        g.post("/schools", private).expect(201);
        let act = |client: &Client, path: &str, filter: &Value| -> Vec<Value> {
            client.post(path, json!({"filter": filter, "dry_run": true})).expect(200).json["items"].as_array().unwrap().clone()
        };
        let query = |filter: &Value| -> String {
            filter.as_object().unwrap().iter().map(|(k, v)| format!("{k}={}&", escaped(v.as_str().unwrap()))).collect()
        };
        let listed = |client: &Client, path: &str, filter: &Value| set(&walk(client, &format!("{path}?{}", query(filter)), 200, |_| ()));
        let of = |items: &[Value], field: &str| -> BTreeSet<String> { items.iter().map(|i| i[field].as_str().unwrap().to_owned()).collect() };
        let mut told = BTreeMap::new();

        // Enrolments select schools.
        for filter in [json!({}), json!({"departement": "30"}), json!({"departement": "2A"}), json!({"sector": "private"}), json!({"kind": "maternelle"}),
                       json!({"insee_code": "30278"}), json!({"collectivite": "21300278500029"}), json!({"collectivite": "21300278500011"}),
                       json!({"q": "ste therese"}), json!({"q": "CHARLES-ODOYER"}), json!({"q": "0301023"}), json!({"q": "%"}), json!({"q": "_"}),
                       json!({"sector": "public", "kind": "primaire", "departement": "30"})] {
            let (items, rows) = (act(&g, "/campaigns/2026-2027/enrolments", &filter), listed(&g, "/schools", &filter));
            assert_eq!(of(&items, "key"), rows, "enrolments by {filter}");
            told.insert(format!("schools {filter}"), rows.len());
        }
        g.post("/campaigns/2026-2027/enrolments", json!({"filter": {}})).expect(200);
        for filter in [json!({"sector": "private"}), json!({"collectivite": "21300278500011"}), json!({"q": "odoyer"}), json!({"insee_code": "30278", "kind": "maternelle"})] {
            assert_eq!(listed(&g, "/campaigns/2026-2027/enrolments", &filter), listed(&g, "/schools", &filter), "{filter}");
        }
        g.post("/campaigns/2026-2027/transitions", json!({"action": "open"})).expect(200);

        // Issues and preparations select payers: those of the list who have a school enrolled, a convention in effect.
        let filters = [json!({}), json!({"departement": "30"}), json!({"departement": "34"}), json!({"kind": "commune"}), json!({"kind": "syndicat"}), json!({"insee_code": "30278"}),
                       json!({"collectivite": "21300278500029"}), json!({"collectivite": "21300278500011"}), json!({"q": "st-laurent"}),
                       json!({"q": "ETANG"}), json!({"q": "213002785"}), json!({"q": "%"}), json!({"q": "\\"}), json!({"q": "commune", "departement": "30"})];
        let everybody = act(&g, "/campaigns/2026-2027/conventions", &json!({}));
        let concerned = of(&everybody, "key");
        assert_eq!(concerned.len(), 8);
        let in_effect: BTreeSet<String> = of(&act(&g, "/campaigns/2025-2026/perception-titles", &json!({})), "key");
        for filter in &filters {
            let payers = listed(&g, "/collectivites", filter);
            let items = act(&g, "/campaigns/2026-2027/conventions", filter);
            assert_eq!(of(&items, "key"), payers.intersection(&concerned).cloned().collect(), "issue by {filter}");
            let items = act(&g, "/campaigns/2025-2026/perception-titles", filter);
            let former = |siret: &String| if siret == "21300278500029" { "21300278500011".to_owned() } else { siret.clone() };
            let expected: BTreeSet<String> = payers.iter().map(former).filter(|s| in_effect.contains(s)).collect();
            assert_eq!(of(&items, "key"), expected, "prepare by {filter}");
            told.insert(format!("payers {filter}"), payers.len());
        }
        // A former SIRET is a key, too.
        let named = g.post("/campaigns/2026-2027/conventions", json!({"keys": ["21300278500011", "21300278500029"], "dry_run": true})).expect(200).json;
        assert_eq!((&named["issued"], &named["refused"]), (&json!(1), &json!(0)));

        // Approvals select titles: what was withdrawn only when it is asked for.
        let convention = g.get("/conventions?status=active&limit=1&sort=-number").json["data"][0].clone();
        for filter in [json!({}), json!({"campaign": "2025-2026"}), json!({"departement": "30"}), json!({"kind": "commune"}), json!({"kind": "epci"}),
                       json!({"insee_code": "30278"}), json!({"collectivite": "21300278500011"}), json!({"collectivite": "21300278500029"}),
                       json!({"status": "prepared"}), json!({"status": "approved"}), json!({"status": "withdrawn"}), json!({"status": "transmitted"}),
                       json!({"reference": "ENT-T-2025-000001"}), json!({"number": convention["number"]}), json!({"convention": convention["id"]}),
                       json!({"q": "commune 3"}), json!({"q": "ent-t-2025-00000"}), json!({"q": "Saint-Laurent"}), json!({"q": "%"})] {
            let items = act(&o, "/perception-titles/approvals", &filter);
            let rows = walk(&o, &format!("/perception-titles?{}", query(&filter)), 200, |_| ());
            let expected = rows.iter().filter(|t| t["status"] != "withdrawn" || filter["status"] == "withdrawn").map(key).collect();
            assert_eq!(of(&items, "key"), expected, "approvals by {filter}");
            told.insert(format!("titles {filter}"), rows.len());
        }
        // The filters do filter.
        for (filter, count) in [("schools {\"q\":\"%\"}", 0), ("schools {\"sector\":\"private\"}", 1), ("schools {\"q\":\"ste therese\"}", 1),
                                ("schools {\"collectivite\":\"21300278500011\"}", 2), ("payers {\"kind\":\"syndicat\"}", 1), ("payers {\"q\":\"%\"}", 0),
                                ("payers {\"collectivite\":\"21300278500011\"}", 1), ("payers {\"departement\":\"34\"}", 1), ("titles {\"status\":\"withdrawn\"}", 1),
                                ("titles {\"reference\":\"ENT-T-2025-000001\"}", 1), ("titles {\"kind\":\"epci\"}", 0), ("titles {\"q\":\"commune 3\"}", 1)] {
            assert_eq!(told.get(filter), Some(&count), "{filter} in {told:?}");
        }
    }

    fn search_forgives_accents_case_ligatures_and_abbreviations(app: &TestApp) {
        let g = app.gestionnaire();
        for (n, name) in (100_u32..).zip(["Saint-Étienne-du-Cœur", "L'Haÿ-les-Œillets", "Sainte-Affinité", "Château 100% laïque", "A_B"]) {
            let siret = crate::support::year::luhn(&format!("{}0001", crate::support::year::luhn(&format!("2130{n:04}"))));
            g.post("/collectivites", json!({"siret": siret, "kind": "autre", "name": name})).expect(201);
        }
        let found = |q: &str| -> Vec<String> {
            let list = g.get(&format!("/collectivites?sort=name&q={}", escaped(q))).expect(200).json;
            list["data"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect()
        };
        for q in ["st etienne", "SAINT ETIENNE", "St-Étienne", "etienne-du-coeur", "ÉTIENNE  DU   CŒUR", "cœur"] {
            assert_eq!(found(q), ["Saint-Étienne-du-Cœur"], "{q}");
        }
        for q in ["hay les oeillets", "l’haÿ", "ŒILLETS"] {
            assert_eq!(found(q), ["L'Haÿ-les-Œillets"], "{q}");
        }
        assert_eq!(found("ste aﬃnite"), ["Sainte-Affinité"]);
        assert_eq!(found("100%"), ["Château 100% laïque"]);
        assert_eq!(found("a_b"), ["A_B"]);
        for q in ["%", "_", "\\", "%%", "a%b", "'", "--", "étienne%cœur", "axb"] {
            let names = found(q);
            assert!(names.is_empty() || q == "a%b" && names == ["A_B"], "{q}: {names:?}");
        }
        assert_eq!(found("21300").len(), 5, "the start of a SIRET");
        assert_eq!(found("2130_").len(), 0);
    }
}
