//! Two agents at once, or eight: one wins, the others are told by a problem with a name, and the database holds exactly
//! what one of them alone would have left. Every race is run several times, its threads released by a barrier.

use std::collections::BTreeMap;
use std::sync::Barrier;

use diesel::RunQueryDsl as _;
use diesel::sql_types::{BigInt, Text};
use ent_backoffice::kernel::Role;
use ent_backoffice::platform::jobs::{self, JobError};
use serde_json::{Value, json};

use crate::support::year::{campaign, luhn, open_campaign, register_communes, sign_both};
use crate::support::{Client, Response, TestApp};

const ROUNDS: usize = 5;
const YEAR: &str = "/campaigns/2025-2026";

/// Runs calls together and gives their answers, in the order of the calls.
fn together(calls: Vec<Box<dyn FnOnce() -> Response + Send>>) -> Vec<Response> {
    let barrier = Barrier::new(calls.len());
    std::thread::scope(|scope| {
        let threads: Vec<_> = calls
            .into_iter()
            .map(|call| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    call()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// One call, for [`together`].
fn call(client: Client, run: impl FnOnce(Client) -> Response + Send + 'static) -> Box<dyn FnOnce() -> Response + Send> {
    Box::new(move || run(client))
}

/// How each answer came out: `200`, or `409 concurrent_change`. Anything that is no success must be a named refusal.
fn outcomes(answers: &[Response]) -> Vec<String> {
    answers
        .iter()
        .map(|answer| {
            if answer.status < 300 {
                return answer.status.to_string();
            }
            let code = answer.json["code"].as_str().unwrap_or_else(|| panic!("no code: {}", answer.text()));
            assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.text());
            format!("{} {code}", answer.status)
        })
        .collect()
}

fn sorted(answers: &[Response]) -> Vec<String> {
    let mut all = outcomes(answers);
    all.sort();
    all
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn count(app: &TestApp, from_where: &str) -> i64 {
    let sql = format!("SELECT count(*) AS n FROM {from_where}");
    app.db.read(|tx| Ok(diesel::sql_query(sql).get_result::<Count>(tx.conn())?.n)).unwrap()
}

#[derive(diesel::QueryableByName)]
struct Cell {
    #[diesel(sql_type = Text)]
    v: String,
}

fn cells(app: &TestApp, sql: &str) -> Vec<String> {
    let rows = app.db.read(|tx| Ok(diesel::sql_query(sql).load::<Cell>(tx.conn())?)).unwrap();
    rows.into_iter().map(|row| row.v).collect()
}

/// Numbers are 1, 2, 3… without gap or double, and the counter stands at the last one.
fn assert_gap_free(app: &TestApp, table: &str, counter: &str) {
    let n = count(app, table);
    assert_eq!(
        count(app, &format!("(SELECT DISTINCT number_rank FROM {table} WHERE number_rank BETWEEN 1 AND {n}) AS x")),
        n,
        "{table}"
    );
    let at = cells(app, &format!("SELECT CAST(value AS TEXT) AS v FROM counters WHERE name = '{counter}'"));
    assert_eq!(at, [n.to_string()], "{counter}");
}

/// Registered payers with a school each, and an open campaign without any enrolment.
fn open_empty(app: &TestApp, communes: u32) {
    register_communes(app, communes);
    app.gestionnaire().post("/campaigns", campaign("issue")).expect(201);
    app.gestionnaire().post(&format!("{YEAR}/transitions"), json!({"action": "open"})).expect(200);
    app.forget_jobs();
}

/// Conventions issued for every commune; their ids.
fn issued(app: &TestApp, communes: u32) -> Vec<String> {
    register_communes(app, communes);
    open_campaign(app, "issue");
    app.forget_jobs();
    let view = app.gestionnaire().post(&format!("{YEAR}/conventions"), json!({})).expect(200).json;
    view["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Titles prepared for every commune; their ids.
fn prepared(app: &TestApp, communes: u32) -> Vec<String> {
    let conventions = issued(app, communes);
    app.set_time("2025-07-28T09:00:00Z");
    conventions.iter().for_each(|id| sign_both(app, id));
    let view = app.gestionnaire().post(&format!("{YEAR}/perception-titles"), json!({})).expect(200).json;
    view["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// The version a reader may announce.
fn version(answer: &Response) -> i64 {
    answer.header("etag").trim_matches('"').parse().unwrap()
}

fn sum(answers: &[Response], field: &str) -> u64 {
    answers.iter().map(|answer| answer.json[field].as_u64().unwrap_or(0)).sum()
}

fn all_schools() -> Value {
    json!({"filter": {"departement": "30", "sector": "public"}})
}

fn signature(action: &str) -> Value {
    json!({"action": action, "signed_on": "2025-07-25", "signatory": {"name": "Zoé Martin", "title": "Maire"}})
}

/// The n-th commune of [`register_communes`], as an import file with another name.
fn commune(n: u32, name: &str) -> Value {
    let siren = luhn(&format!("2139{n:04}"));
    json!({"siret": luhn(&format!("{siren}0001")), "kind": "commune", "name": name, "insee_code": format!("34{n:03}")})
}

test_job!(Counted, "count", Papers);

on_both_databases! {
    fn enrolling_one_school_twice_makes_one_enrolment(app: &TestApp) {
        open_empty(app, 5);
        for uai in cells(app, "SELECT uai AS v FROM schools ORDER BY uai") {
            let path = format!("{YEAR}/enrolments/{uai}");
            let answers = together((0..4).map(|_| {
                let path = path.clone();
                call(app.gestionnaire(), move |c| c.put(&path, json!({})))
            }).collect());
            // Who comes second is asked for the version it would change.
            let second = "428 precondition_required";
            assert_eq!(sorted(&answers), ["201", second, second, second]);
        }
        assert_eq!(count(app, "enrolments"), 5);
        assert_eq!(count(app, "audit_events WHERE action = 'campaign.schools_enrolled'"), 5);
    }

    fn enrolling_in_number_and_one_by_one_at_once_enrols_each_school_once(app: &TestApp) {
        open_empty(app, 20);
        let uais = cells(app, "SELECT uai AS v FROM schools ORDER BY uai");
        for _ in 0..ROUNDS {
            let mut calls: Vec<_> = (0..2).map(|_| call(app.gestionnaire(), |c| c.post(&format!("{YEAR}/enrolments"), all_schools()))).collect();
            calls.push({
                let keys = uais.iter().rev().cloned().collect::<Vec<_>>();
                call(app.gestionnaire(), move |c| c.post(&format!("{YEAR}/enrolments"), json!({"keys": keys})))
            });
            let one = format!("{YEAR}/enrolments/{}", uais[10]);
            calls.push(call(app.gestionnaire(), move |c| c.put(&one, json!({}))));
            let answers = together(calls);
            // Who comes after the acts in number is asked for the version it would change.
            assert!(answers.iter().all(|a| a.status < 300 || a.status == 428), "{:?}", outcomes(&answers));
            assert_eq!(sum(&answers, "enrolled") + u64::from(answers[3].status == 201), 20);
            assert_eq!(count(app, "enrolments"), 20);
            app.sql("DELETE FROM enrolments").unwrap();
        }
    }

    fn issuing_at_once_issues_each_convention_once(app: &TestApp) {
        open_empty(app, 12);
        app.gestionnaire().post(&format!("{YEAR}/enrolments"), all_schools()).expect(200);
        let sirets = cells(app, "SELECT siret AS v FROM collectivites ORDER BY siret");
        let answers = together((0..6).map(|n: usize| {
            // Some ask for all, some for overlapping halves.
            let keys: Vec<String> = sirets.iter().skip(n).take(7).cloned().collect();
            let body = if n.is_multiple_of(2) { json!({}) } else { json!({"keys": keys}) };
            call(app.gestionnaire(), move |c| c.post(&format!("{YEAR}/conventions"), body))
        }).collect());
        assert_eq!(outcomes(&answers), vec!["200"; 6]);
        assert_eq!(sum(&answers, "issued"), 12);
        assert_eq!(count(app, "conventions"), 12);
        assert_eq!(count(app, "enrolments WHERE convention_id IS NOT NULL"), 12);
        assert_eq!(count(app, "audit_events WHERE action = 'convention.issued'"), 12);
        assert_eq!(count(app, "jobs"), 12);
        assert_gap_free(app, "conventions", "convention:2025-2026");
    }

    fn issuing_while_a_school_is_withdrawn_covers_it_or_leaves_it(app: &TestApp) {
        open_empty(app, 2 * u32::try_from(ROUNDS).unwrap());
        for uai in cells(app, "SELECT uai AS v FROM schools ORDER BY uai") {
            let path = format!("{YEAR}/enrolments/{uai}");
            app.gestionnaire().put(&path, json!({})).expect(201);
            let (delete, issue) = (path.clone(), format!("{YEAR}/conventions"));
            let answers = together(vec![
                call(app.gestionnaire(), move |c| c.post(&issue, json!({}))),
                call(app.gestionnaire(), move |c| c.delete(&delete)),
            ]);
            let covered = answers[0].json["issued"] == 1;
            let told = outcomes(&answers);
            assert_eq!(told, if covered { ["200", "409 enrolment_covered"] } else { ["200", "204"] });
            assert_eq!(count(app, &format!("enrolments WHERE uai = '{uai}' AND convention_id IS NOT NULL")), i64::from(covered));
            assert_eq!(count(app, &format!("participation_lines WHERE uai = '{uai}'")), i64::from(covered));
        }
        assert_eq!(count(app, "conventions"), count(app, "enrolments"));
        if count(app, "conventions") > 0 {
            assert_gap_free(app, "conventions", "convention:2025-2026");
        }
    }

    fn signing_and_cancelling_one_convention_at_once_has_one_winner(app: &TestApp) {
        let conventions = issued(app, u32::try_from(ROUNDS).unwrap());
        app.set_time("2025-07-28T09:00:00Z");
        for id in &conventions {
            let path = format!("/conventions/{id}/transitions");
            let (sign, cancel) = (path.clone(), path.clone());
            let answers = together(vec![
                call(app.gestionnaire(), move |c| c.post(&sign, signature("sign"))),
                call(app.gestionnaire(), move |c| c.post(&cancel, json!({"action": "cancel", "reason": "doublon"}))),
            ]);
            let told = outcomes(&answers);
            // A signed convention may still be cancelled: then both happened, one after the other.
            let state = app.gestionnaire().get(&format!("/conventions/{id}")).json["status"].as_str().unwrap().to_owned();
            match (told[0].as_str(), told[1].as_str()) {
                ("200", "200") | ("409 concurrent_change" | "409 convention_state", "200") => assert_eq!(state, "cancelled"),
                ("200", "409 concurrent_change") => assert_eq!(state, "signed"),
                other => panic!("{other:?}"),
            }
            let pinned = count(app, &format!("enrolments WHERE convention_id = '{id}'"));
            assert_eq!(pinned, i64::from(state == "signed"));
        }
    }

    fn signing_one_convention_twice_at_once_signs_it_once(app: &TestApp) {
        let conventions = issued(app, u32::try_from(ROUNDS).unwrap());
        app.set_time("2025-07-28T09:00:00Z");
        for id in &conventions {
            let path = format!("/conventions/{id}/transitions");
            let answers = together((0..3).map(|_| {
                let path = path.clone();
                call(app.gestionnaire(), move |c| c.post(&path, signature("sign")))
            }).collect());
            let told = sorted(&answers);
            assert_eq!(told[0], "200");
            assert!(told[1..].iter().all(|t| t == "409 concurrent_change" || t == "409 convention_state"), "{told:?}");
        }
        assert_eq!(count(app, "audit_events WHERE action = 'convention.signed'"), i64::try_from(ROUNDS).unwrap());
    }

    fn a_convention_is_titled_or_cancelled_never_both(app: &TestApp) {
        let conventions = issued(app, 2 * u32::try_from(ROUNDS).unwrap());
        app.set_time("2025-07-28T09:00:00Z");
        for id in &conventions {
            sign_both(app, id);
            let cancel = format!("/conventions/{id}/transitions");
            let answers = together(vec![
                call(app.gestionnaire(), |c| c.post(&format!("{YEAR}/perception-titles"), json!({}))),
                call(app.gestionnaire(), move |c| c.post(&cancel, json!({"action": "cancel", "reason": "doublon"}))),
            ]);
            let told = outcomes(&answers);
            let titled = answers[0].json["prepared"] == 1;
            assert_eq!(told, if titled { ["200", "409 convention_titled"] } else { ["200", "200"] }, "{}", answers[0].text());
        }
        assert_eq!(count(app, "perception_titles t JOIN conventions c ON c.id = t.convention_id WHERE c.state = 'cancelled'"), 0);
    }

    fn preparing_at_once_prepares_each_title_once(app: &TestApp) {
        let conventions = issued(app, 10);
        app.set_time("2025-07-28T09:00:00Z");
        conventions.iter().for_each(|id| sign_both(app, id));
        let answers = together((0..6).map(|_| call(app.gestionnaire(), |c| c.post(&format!("{YEAR}/perception-titles"), json!({})))).collect());
        assert_eq!(outcomes(&answers), vec!["200"; 6]);
        assert_eq!((sum(&answers, "prepared"), sum(&answers, "already_prepared")), (10, 50));
        assert_eq!(count(app, "perception_titles"), 10);
        assert_eq!(count(app, "audit_events WHERE action = 'title.prepared'"), 10);
    }

    fn approving_one_title_twice_at_once_approves_it_once(app: &TestApp) {
        let titles = prepared(app, u32::try_from(ROUNDS).unwrap());
        for id in &titles {
            let path = format!("/perception-titles/{id}/transitions");
            let keys = json!({"keys": [id]});
            let mut calls: Vec<_> = (0..3).map(|_| {
                let path = path.clone();
                call(app.ordonnateur(), move |c| c.post(&path, json!({"action": "approve"})))
            }).collect();
            calls.push(call(app.ordonnateur(), move |c| c.post("/perception-titles/approvals", keys)));
            let answers = together(calls);
            let bulk = &answers[3].json;
            let single = sorted(&answers[..3]);
            if bulk["approved"] == 1 {
                assert_eq!(single, vec!["409 title_state"; 3]);
            } else {
                assert_eq!(bulk["already_approved"], 1);
                assert_eq!(single, ["200", "409 title_state", "409 title_state"]);
            }
        }
        assert_gap_free(app, "title_approvals", "title:2025");
        assert_eq!(count(app, "audit_events WHERE action = 'title.approved'"), i64::try_from(ROUNDS).unwrap());
    }

    fn approving_in_number_while_one_title_is_withdrawn_leaves_no_gap(app: &TestApp) {
        let titles = prepared(app, 3 * u32::try_from(ROUNDS).unwrap());
        for group in titles.chunks(3) {
            let path = format!("/perception-titles/{}/transitions", group[1]);
            let keys = json!({"keys": group});
            let answers = together(vec![
                call(app.ordonnateur(), move |c| c.post("/perception-titles/approvals", keys)),
                call(app.ordonnateur(), move |c| c.post(&path, json!({"action": "withdraw", "reason": "erreur"}))),
            ]);
            // Whoever came first, the withdrawal holds and the others are approved.
            assert_eq!(outcomes(&answers), ["200", "200"]);
            let approved = answers[0].json["approved"].as_u64().unwrap();
            let numbered = answers[1].json["reference"].is_string();
            assert_eq!(approved, if numbered { 3 } else { 2 });
            if !numbered {
                let refused = answers[0].json["items"].as_array().unwrap().iter().find(|i| i["outcome"] == "refused").unwrap();
                assert_eq!(refused["findings"][0]["code"], "title_state");
            }
        }
        assert_eq!(count(app, "perception_titles WHERE state = 'withdrawn'"), i64::try_from(ROUNDS).unwrap());
        assert_gap_free(app, "title_approvals", "title:2025");
    }

    fn approving_in_number_while_one_title_is_returned_never_passes_over_the_return(app: &TestApp) {
        let titles = prepared(app, u32::try_from(ROUNDS).unwrap());
        let mut kept = 0;
        for id in &titles {
            let path = format!("/perception-titles/{id}/transitions");
            let convention = app.ordonnateur().get(&format!("/perception-titles/{id}")).expect(200).json["convention_id"].clone();
            let answers = together(vec![
                call(app.ordonnateur(), move |c| c.post("/perception-titles/approvals", json!({"filter": {"convention": convention}}))),
                call(app.ordonnateur(), move |c| c.post(&path, json!({"action": "return", "reason": "débiteur à vérifier"}))),
            ]);
            let told = outcomes(&answers);
            assert!(told[0] == "200" && (told[1] == "200" || told[1] == "409 title_state"), "{told:?}");
            let status = app.ordonnateur().get(&format!("/perception-titles/{id}")).expect(200).json["status"].clone();
            assert_eq!(status, if told[1] == "200" { "returned" } else { "approved" });
            assert_eq!(answers[0].json["returned"], i32::from(told[1] == "200"));
            kept += i64::from(told[1] == "200");
        }
        assert_eq!(count(app, "title_returns"), kept);
        assert_eq!(count(app, "perception_titles WHERE state = 'prepared'"), kept);
        assert_gap_free(app, "title_approvals", "title:2025");
    }

    fn taking_a_refusal_back_while_its_payer_is_issued_to_leaves_one_living(app: &TestApp) {
        let conventions = issued(app, u32::try_from(ROUNDS).unwrap());
        for id in &conventions {
            let path = format!("/conventions/{id}/transitions");
            let no = json!({"action": "decline", "declined_on": "2025-06-05", "declined_by": "le maire", "reason": "vote"});
            let siret = app.gestionnaire().post(&path, no).expect(200).json["collectivite"]["siret"].clone();
            let answers = together(vec![
                call(app.gestionnaire(), move |c| c.post(&path, json!({"action": "reopen", "reason": "nouveau vote"}))),
                call(app.gestionnaire(), move |c| c.post(&format!("{YEAR}/conventions"), json!({"keys": [siret]}))),
            ]);
            let told = outcomes(&answers);
            match told[0].as_str() {
                "200" => assert_eq!(answers[1].json["already_issued"], 1, "{}", answers[1].text()),
                "409 convention_replaced" => assert_eq!(answers[1].json["issued"], 1, "{}", answers[1].text()),
                other => panic!("{other}"),
            }
        }
        assert_eq!(count(app, "conventions WHERE state = 'issued'"), i64::try_from(ROUNDS).unwrap());
        assert_eq!(count(app, "enrolments WHERE convention_id IS NULL"), 0);
    }

    fn sealing_while_titles_are_approved_and_withdrawn_loses_none(app: &TestApp) {
        let titles = prepared(app, 6 * u32::try_from(ROUNDS).unwrap());
        for group in titles.chunks(6) {
            let (first, late) = group.split_at(3);
            app.ordonnateur().post("/perception-titles/approvals", json!({"keys": first})).expect(200);
            let withdraw = format!("/perception-titles/{}/transitions", first[0]);
            let late = json!({"keys": late});
            let mut calls: Vec<_> = (0..2).map(|_| call(app.ordonnateur(), |c| c.post("/accounting-batches", json!({"campaign": "2025-2026"})))).collect();
            calls.push(call(app.ordonnateur(), move |c| c.post(&withdraw, json!({"action": "withdraw", "reason": "erreur"}))));
            calls.push(call(app.ordonnateur(), move |c| c.post("/perception-titles/approvals", late)));
            let answers = together(calls);
            let told = outcomes(&answers);
            assert!(told[..2].iter().all(|t| t == "201" || t == "409 nothing_to_seal"), "{told:?}");
            assert!(told[..2].contains(&"201".to_owned()), "{told:?}");
            assert!(told[2] == "200" || told[2] == "409 title_state", "{told:?}");
            assert_eq!((told[3].as_str(), &answers[3].json["approved"]), ("200", &json!(3)));
            // What is left of this group, if anything, goes with the next batch.
            let rest = app.ordonnateur().post("/accounting-batches", json!({"campaign": "2025-2026"}));
            assert!(["201", "409 nothing_to_seal"].contains(&outcomes(&[rest])[0].as_str()));
        }
        assert_eq!(count(app, "perception_titles WHERE state = 'approved'"), 0);
        assert_eq!(count(app, "perception_titles WHERE (state = 'transmitted') <> (id IN (SELECT title_id FROM accounting_batch_titles))"), 0);
        assert_eq!(count(app, "accounting_batches b WHERE b.title_count <> (SELECT count(*) FROM accounting_batch_titles m WHERE m.batch_id = b.id)"), 0);
        assert_eq!(count(app, "accounting_batches b WHERE b.total_cents <> (SELECT sum(t.amount_cents) FROM accounting_batch_titles m JOIN perception_titles t ON t.id = m.title_id WHERE m.batch_id = b.id)"), 0);
        assert_gap_free(app, "title_approvals", "title:2025");
        assert_gap_free(app, "accounting_batches", "batch:2025");
    }

    fn a_campaign_closes_only_when_no_title_is_half_way(app: &TestApp) {
        let conventions = issued(app, u32::try_from(ROUNDS).unwrap());
        app.set_time("2025-07-28T09:00:00Z");
        for id in &conventions {
            sign_both(app, id);
            let answers = together(vec![
                call(app.gestionnaire(), |c| c.post(&format!("{YEAR}/perception-titles"), json!({}))),
                call(app.gestionnaire(), |c| c.post(&format!("{YEAR}/transitions"), json!({"action": "close"}))),
            ]);
            // One comes first, and the other is told: a closed year has no title half way.
            let told = outcomes(&answers);
            if told[1] == "200" {
                assert_eq!(told[0], "409 campaign_state");
                assert_eq!(count(app, "perception_titles WHERE state IN ('prepared', 'approved')"), 0);
                break;
            }
            assert_eq!(told, ["200", "409 campaign_state"]);
            let items = answers[0].json["items"].as_array().unwrap();
            let id = items.iter().find_map(|i| i["id"].as_str()).unwrap();
            let withdraw = json!({"action": "withdraw", "reason": "essai"});
            app.ordonnateur().post(&format!("/perception-titles/{id}/transitions"), withdraw).expect(200);
        }
    }

    fn a_small_claim_is_decided_or_prepared_once(app: &TestApp) {
        let n = 2 * u32::try_from(ROUNDS).unwrap();
        let conventions = issued(app, n);
        app.set_time("2025-07-28T09:00:00Z");
        let sirets = cells(app, "SELECT siret AS v FROM collectivites ORDER BY siret");
        conventions.iter().for_each(|id| sign_both(app, id));
        for siret in &sirets {
            let keys = json!({"keys": [siret]});
            let decide = json!({"keys": [siret], "reason": "coût du recouvrement"});
            let other = decide.clone();
            let path = format!("{YEAR}/small-claim-decisions");
            let second = path.clone();
            let answers = together(vec![
                call(app.ordonnateur(), move |c| c.post(&path, decide)),
                call(app.ordonnateur(), move |c| c.post(&second, other)),
                call(app.gestionnaire(), move |c| c.post(&format!("{YEAR}/perception-titles"), keys)),
            ]);
            assert_eq!(outcomes(&answers), vec!["200"; 3]);
            let (decided, prepared) = (sum(&answers[..2], "decided"), sum(&answers[2..], "prepared"));
            assert_eq!(decided + prepared, 1, "{} {}", answers[0].text(), answers[2].text());
        }
        assert_eq!(count(app, "small_claim_decisions WHERE revoked_at IS NULL") + count(app, "perception_titles"), i64::from(n));
    }

    fn importing_one_file_twice_at_once_creates_each_row_once(app: &TestApp) {
        let mut communes = "siret;nom;code_insee\n".to_owned();
        let mut schools = "identifiant_de_l_etablissement;nom_etablissement;type_etablissement;statut_public_prive;code_commune;nom_commune;etat;ecole_maternelle;ecole_elementaire\n".to_owned();
        for n in 0..40 {
            let row = commune(n, &format!("Commune {n}"));
            communes.push_str(&format!("{};{};{}\n", row["siret"].as_str().unwrap(), row["name"].as_str().unwrap(), row["insee_code"].as_str().unwrap()));
            let number = 340_000 + n;
            let key = "ABCDEFGHJKLMNPRSTUVWXYZ".chars().nth(usize::try_from(number % 23).unwrap()).unwrap();
            schools.push_str(&format!("{number:07}{key};Ecole primaire {n};Ecole;Public;34{n:03};Commune {n};OUVERT;1;1\n"));
        }
        for (path, file) in [("/collectivites/imports", communes), ("/schools/imports", schools)] {
            let answers = together((0..3).map(|_| {
                let (path, file) = (path.to_owned(), file.clone());
                call(app.gestionnaire(), move |c| c.upload(&path, "fichier.csv", file.as_bytes()))
            }).collect());
            assert_eq!(outcomes(&answers), vec!["200"; 3], "{}", answers[0].text());
            assert_eq!((sum(&answers, "created"), sum(&answers, "unchanged")), (40, 80), "{}", answers[0].text());
        }
        assert_eq!((count(app, "collectivites"), count(app, "schools"), count(app, "school_payers")), (40, 40, 40));
    }

    fn what_a_person_writes_during_an_import_is_kept_or_she_is_told(app: &TestApp) {
        for n in 0..40 {
            app.gestionnaire().post("/collectivites", commune(n, &format!("Commune {n}"))).expect(201);
        }
        // Names that only a person may have changed: the import brings addresses.
        let mut file = "siret;nom;code_insee;adresse\n".to_owned();
        for n in 0..40 {
            let row = commune(n, "");
            file.push_str(&format!("{};Commune {n};{};{} rue de la Mairie\n", row["siret"].as_str().unwrap(), row["insee_code"].as_str().unwrap(), n + 1));
        }
        let siret = commune(39, "")["siret"].as_str().unwrap().to_owned();
        for round in 0..ROUNDS {
            let path = format!("/collectivites/{siret}");
            let version = version(&app.gestionnaire().get(&path));
            let name = format!("Renommée {round}");
            let (body, file) = (json!({"name": name}), file.replace("rue", &format!("rue {round}")));
            let answers = together(vec![
                call(app.gestionnaire(), move |c| c.upload("/collectivites/imports", "communes.csv", file.as_bytes())),
                call(app.gestionnaire(), move |c| c.patch(&path, version, body)),
            ]);
            let told = outcomes(&answers);
            let legal = ["200", "409 concurrent_change", "412 precondition_failed"];
            assert!(told.iter().all(|t| legal.contains(&t.as_str())), "{told:?}");
            assert!(told.contains(&"200".to_owned()), "{told:?}");
            if told[1] == "200" {
                let kept = app.gestionnaire().get(&format!("/collectivites/{siret}")).json;
                assert_eq!(kept["name"], name);
            }
        }
    }

    fn two_changes_of_one_version_have_one_winner(app: &TestApp) {
        register_communes(app, 1);
        app.gestionnaire().post("/campaigns", campaign("issue")).expect(201);
        let siret = cells(app, "SELECT siret AS v FROM collectivites").remove(0);
        let uai = cells(app, "SELECT uai AS v FROM schools").remove(0);
        let user = app.add_user("quelqu.un@exemple.invalid", Role::Lecteur);
        let things = [
            (Role::Gestionnaire, format!("/collectivites/{siret}"), "name"),
            (Role::Gestionnaire, format!("/schools/{uai}"), "name"),
            (Role::Admin, format!("/users/{}", user.id), "last_name"),
        ];
        for (role, path, field) in things {
            for round in 0..ROUNDS {
                let version = version(&app.client(role).get(&path));
                let answers = together((0..4).map(|n| {
                    let (path, body) = (path.clone(), json!({field: format!("Nom {round} {n}")}));
                    call(app.client(role), move |c| c.patch(&path, version, body))
                }).collect());
                let told = sorted(&answers);
                assert_eq!(told[0], "200", "{path}");
                assert!(told[1..].iter().all(|t| t == "412 precondition_failed" || t == "409 concurrent_change"), "{path}: {told:?}");
                let winner = answers.iter().find(|a| a.status == 200).unwrap();
                let now = app.client(role).get(&path);
                assert_eq!((&now.json[field], self::version(&now)), (&winner.json[field], version + 1));
            }
        }
        let version = version(&app.gestionnaire().get(YEAR));
        let answers = together((1..5).map(|n| {
            call(app.gestionnaire(), move |c| c.patch(YEAR, version, json!({"ends_on": format!("2026-09-0{n}")})))
        }).collect());
        assert_eq!(sorted(&answers), ["200", "412 precondition_failed", "412 precondition_failed", "412 precondition_failed"]);
    }

    fn creating_the_same_thing_twice_at_once_creates_it_once(app: &TestApp) {
        let once = |path: &'static str, role: Role, body: Value, code: &str| {
            let answers = together((0..4).map(|_| {
                let body = body.clone();
                call(app.client(role), move |c| c.post(path, body))
            }).collect());
            let refused = format!("409 {code}");
            assert_eq!(sorted(&answers), ["201", &refused, &refused, &refused], "{path}");
        };
        for n in 0..u32::try_from(ROUNDS).unwrap() {
            once("/collectivites", Role::Gestionnaire, commune(n, "Commune"), "siret_taken");
            let number = 340_000 + n;
            let key = "ABCDEFGHJKLMNPRSTUVWXYZ".chars().nth(usize::try_from(number % 23).unwrap()).unwrap();
            let school = json!({"uai": format!("{number:07}{key}"), "name": "Ecole", "kind": "primaire", "sector": "public",
                                "insee_code": format!("34{n:03}"), "commune_name": "Commune"});
            once("/schools", Role::Gestionnaire, school, "uai_taken");
            let user = json!({"email": format!("p{n}@exemple.invalid"), "role": "lecteur", "first_name": "P", "last_name": "N"});
            once("/users", Role::Admin, user, "email_taken");
        }
        once("/campaigns", Role::Gestionnaire, campaign("issue"), "campaign_exists");
        assert_eq!((count(app, "school_payers"), count(app, "collectivite_communes")), (5, 5));
    }

    fn two_communes_registered_at_once_under_one_insee_code_both_exist_and_one_answers_for_it(app: &TestApp) {
        for n in 0..u32::try_from(ROUNDS).unwrap() {
            let (mut a, mut b) = (commune(2 * n, "Ancienne"), commune(2 * n + 1, "Nouvelle"));
            for body in [&mut a, &mut b] {
                body["insee_code"] = json!(format!("34{:03}", 100 + n));
            }
            let answers = together([a, b].into_iter().map(|body| call(app.gestionnaire(), move |c| c.post("/collectivites", body))).collect());
            assert_eq!(outcomes(&answers), ["201", "201"]);
        }
        assert_eq!(count(app, "collectivite_communes"), i64::try_from(ROUNDS).unwrap());
    }

    fn a_succession_and_a_payer_set_at_once_leave_one_payer_at_each_date(app: &TestApp) {
        let n = u32::try_from(ROUNDS).unwrap();
        register_communes(app, n);
        for k in 0..n {
            app.gestionnaire().post("/collectivites", commune(k, "Héritière")).expect(201);
        }
        app.gestionnaire().post("/collectivites", commune(900, "Syndicat")).expect(201);
        let third = commune(900, "")["siret"].clone();
        let schools = cells(app, "SELECT s.uai AS v FROM schools s ORDER BY s.insee_code");
        let sirets = cells(app, "SELECT siret AS v FROM collectivites WHERE insee_code LIKE '30%' ORDER BY insee_code");
        for (k, (uai, siret)) in (0..n).zip(schools.iter().zip(sirets)) {
            let heir = commune(k, "")["siret"].clone();
            let succession = json!({"kind": "commune_nouvelle", "successor_siret": heir, "effective_on": "2025-01-01", "act_reference": "arrêté"});
            let payer = json!({"payer_siret": third, "payer_from": "2025-03-01"});
            let (a, b) = (format!("/collectivites/{siret}/successions"), format!("/schools/{uai}/payers"));
            let second = (b.clone(), payer.clone());
            let answers = together(vec![
                call(app.gestionnaire(), move |c| c.post(&a, succession)),
                call(app.gestionnaire(), move |c| c.post(&b, payer)),
                call(app.gestionnaire(), move |c| c.post(&second.0, second.1)),
            ]);
            let told = outcomes(&answers);
            assert!(told.iter().all(|t| t.starts_with("20") || t == "409 concurrent_change"), "{told:?}");
            assert!(told.iter().any(|t| t.starts_with("20")), "{told:?}");
            assert_eq!(count(app, &format!("school_payers WHERE uai = '{uai}' AND valid_until IS NULL")), 1);
            assert_eq!(count(app, &format!("school_payers a JOIN school_payers b ON a.uai = b.uai AND a.valid_from < b.valid_from \
                AND (a.valid_until IS NULL OR a.valid_until > b.valid_from) WHERE a.uai = '{uai}'")), 0, "periods overlap");
        }
    }

    fn two_successions_recorded_at_once_close_no_loop(app: &TestApp) {
        for k in 0..u32::try_from(ROUNDS).unwrap() {
            let (a, b) = (commune(2 * k, "A"), commune(2 * k + 1, "B"));
            for body in [&a, &b] {
                app.gestionnaire().post("/collectivites", body.clone()).expect(201);
            }
            let record = |from: &Value, to: &Value| {
                let path = format!("/collectivites/{}/successions", from["siret"].as_str().unwrap());
                let body = json!({"kind": "commune_nouvelle", "successor_siret": to["siret"], "effective_on": "2025-01-01", "act_reference": "arrêté"});
                call(app.gestionnaire(), move |c| c.post(&path, body))
            };
            let answers = together(vec![record(&a, &b), record(&b, &a)]);
            let told = sorted(&answers);
            assert!(told[0].starts_with("20") && told[1] == "422 succession_loop", "{told:?}");
        }
    }

    fn many_workers_run_each_job_once(app: &TestApp) {
        app.forget_jobs();
        let ran = std::sync::Arc::new(std::sync::Mutex::new(BTreeMap::<u32, u32>::new()));
        let seen = std::sync::Arc::clone(&ran);
        let handlers = crate::support::jobs::running::<Counted>(move |_, n| {
            *seen.lock().unwrap().entry(n).or_default() += 1;
            std::thread::sleep(std::time::Duration::from_millis(2));
            Ok::<(), JobError>(())
        });
        let counts: Vec<_> = (0..60).map(|n| Counted { n }).collect();
        app.db.write(|tx| jobs::enqueue_all(tx, &counts)).unwrap();
        let (barrier, db) = (Barrier::new(4), &app.db);
        let drained: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4).map(|_| scope.spawn(|| {
                barrier.wait();
                handlers.drain(db).unwrap()
            })).collect();
            workers.into_iter().map(|w| w.join().unwrap()).sum()
        });
        assert_eq!(drained, 60);
        let ran = ran.lock().unwrap();
        assert_eq!((ran.len(), ran.values().max()), (60, Some(&1)));
        assert_eq!(count(app, "jobs WHERE state = 'done'"), 60);
    }

    fn renewing_one_session_twice_at_once_has_one_winner_and_ends_it(app: &TestApp) {
        app.add_user("session@exemple.invalid", Role::Lecteur);
        for _ in 0..ROUNDS {
            let body = json!({"email": "session@exemple.invalid", "password": crate::support::PASSWORD});
            let opened = app.anonymous().post("/auth/login", body).expect(200).json;
            let answers = together((0..3).map(|_| {
                let body = json!({"refresh_token": opened["refresh_token"]});
                call(app.anonymous(), move |c| c.post("/auth/refresh", body))
            }).collect());
            let told = sorted(&answers);
            assert_eq!(told, ["200", "401 refresh_token_reused", "401 refresh_token_reused"]);
            let next = answers.iter().find(|a| a.status == 200).unwrap().json["refresh_token"].clone();
            app.anonymous().post("/auth/refresh", json!({"refresh_token": next})).problem(401, "refresh_token_invalid");
        }
        assert_eq!(count(app, "refresh_tokens WHERE revoked_at IS NULL AND used_at IS NULL"), 0);
    }
}
