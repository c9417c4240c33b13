//! No guard of a table stands in the way of the program: acts of a year in an order nobody would think of, each on
//! whatever is there. Each is done or refused in words, never a fault; and every step of each life was taken.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::databases::text_rows;
use crate::support::year::{open_campaign, register_communes};
use crate::support::{Response, TestApp};

const YEAR: &str = "/campaigns/2025-2026";
/// Below, on and above what a day of the campaign may be; none alone decides whether an act is refused.
const DAYS: [&str; 7] =
    ["2025-06-04", "2025-06-05", "2025-06-10", "2025-07-10", "2025-07-11", "2025-07-25", "2026-09-06"];

/// Every step of the lifecycles, those that stay where they are (corrections) included.
const STEPS: &[&str] = &[
    "campaign closed>open",
    "campaign open>closed",
    "campaign open>preparing",
    "campaign preparing>open",
    "convention active>active",
    "convention active>cancelled",
    "convention active>expired",
    "convention declined>issued",
    "convention declined>signed",
    "convention expired>expired",
    "convention issued>cancelled",
    "convention issued>declined",
    "convention issued>signed",
    "convention signed>active",
    "convention signed>cancelled",
    "convention signed>declined",
    "convention signed>signed",
    "decision standing>revoked",
    "title approved>transmitted",
    "title approved>withdrawn",
    "title prepared>approved",
    "title prepared>withdrawn",
];

/// Chance that is the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { Some(&all[self.below(all.len())]) }
    }
}

struct Walk<'a> {
    app: &'a TestApp,
    chance: Chance,
    hours: i64,
    steps: BTreeSet<String>,
    done: BTreeMap<String, (u32, u32)>,
}

impl Walk<'_> {
    fn ids(&self, sql: &str) -> Vec<String> {
        text_rows(&self.app.db, sql)
    }

    /// The state and version of everything that has a life.
    fn lives(&self) -> BTreeMap<String, (String, String)> {
        let sql = "SELECT 'campaign ' || id || ' ' || state || ' ' || CAST(version AS TEXT) AS line FROM campaigns \
                   UNION ALL SELECT 'convention ' || id || ' ' || state || ' ' || CAST(version AS TEXT) FROM conventions \
                   UNION ALL SELECT 'title ' || id || ' ' || state || ' ' || CAST(version AS TEXT) FROM perception_titles \
                   UNION ALL SELECT 'decision ' || id || ' ' || CASE WHEN revoked_at IS NULL THEN 'standing' ELSE 'revoked' END \
                   || ' 1' FROM small_claim_decisions";
        let all = self.ids(sql).into_iter().map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            (format!("{} {}", words[0], words[1]), (words[2].to_owned(), words[3].to_owned()))
        });
        all.collect()
    }

    /// Sends one act, and what it asks to be acknowledged once more.
    fn act(&mut self, name: &str, send: impl Fn(Value) -> Response, body: Value) {
        let before = self.lives();
        let mut answer = send(body.clone());
        if answer.json["code"] == "findings_open" {
            let errors = answer.json["errors"].as_array().unwrap().clone();
            let codes: BTreeSet<&str> = errors.iter().map(|e| e["code"].as_str().unwrap()).collect();
            let seen: Vec<Value> = codes.iter().map(|code| json!({"code": code, "reason": "vu"})).collect();
            let mut again = body.clone();
            again["acknowledged"] = json!(seen);
            answer = send(again);
        }
        assert!(answer.status < 500, "{name} {body}: {} {}", answer.status, answer.text());
        assert!(![400, 401, 403].contains(&answer.status), "{name} {body}: {}", answer.text());
        let tally = self.done.entry(name.to_owned()).or_default();
        if answer.status < 300 {
            tally.0 += 1;
        } else {
            tally.1 += 1;
        }
        self.note(&before);
    }

    fn note(&mut self, before: &BTreeMap<String, (String, String)>) {
        for (what, (state, version)) in self.lives() {
            let Some((from, old)) = before.get(&what) else { continue };
            let kind = what.split(' ').next().unwrap();
            if *from != state || kind == "convention" && *old != version {
                self.steps.insert(format!("{kind} {from}>{state}"));
            }
        }
    }

    fn morning(&mut self) {
        self.hours += 1;
        let first = chrono::DateTime::parse_from_rfc3339("2025-07-28T09:00:00Z").unwrap();
        let now = first + chrono::Duration::hours(self.hours);
        self.app.set_time(&now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    }

    /// A convention and what to do to it: most often what its state bears, now and then anything.
    fn convention(&mut self) -> Option<(String, &'static str)> {
        let living = if self.chance.below(10) == 0 { "" } else { "WHERE state <> 'cancelled'" };
        let sql = format!("SELECT id || ' ' || state AS line FROM conventions {living} ORDER BY number_rank");
        let line = self.chance.of(&self.ids(&sql)).cloned()?;
        let (id, state) = line.split_once(' ').unwrap();
        let all = [
            "sign",
            "countersign",
            "correct payer",
            "correct issuer",
            "correct evidence",
            "decline",
            "reopen",
            "cancel",
        ];
        let apt: &[&'static str] = match state {
            _ if self.chance.below(5) == 0 => &all,
            "issued" => &["sign", "sign", "sign", "sign", "decline", "cancel"],
            "signed" => &["countersign", "countersign", "countersign", "correct payer", "correct evidence", "decline"],
            "active" => &["correct payer", "correct issuer", "correct issuer", "cancel"],
            "expired" => &["correct payer", "correct issuer", "correct evidence"],
            _ => &["reopen"],
        };
        Some((id.to_owned(), self.chance.of(apt).copied()?))
    }

    /// A title, most often one that still moves.
    fn title(&mut self) -> Option<String> {
        let living = if self.chance.below(10) == 0 { "" } else { "WHERE state IN ('prepared', 'approved')" };
        let sql = format!("SELECT id AS line FROM perception_titles {living} ORDER BY convention_rank, prepared_at");
        self.chance.of(&self.ids(&sql)).cloned()
    }

    fn go(&mut self) {
        self.morning();
        let (g, o) = (self.app.gestionnaire(), self.app.ordonnateur());
        let sirets = self.ids("SELECT siret AS line FROM collectivites ORDER BY siret");
        let uais = self.ids("SELECT uai AS line FROM schools ORDER BY uai");
        let siret = self.chance.of(&sirets).unwrap().clone();
        let uai = self.chance.of(&uais).unwrap().clone();
        let day = *self.chance.of(&DAYS).unwrap();
        let who = json!({"name": format!("Personne {}", self.hours), "title": "Maire"});
        let post = |client: &crate::support::Client, path: String| {
            let client = client.clone();
            move |body: Value| client.post(&path, body)
        };
        let closed = self.ids("SELECT state AS line FROM campaigns") == ["closed"];
        // A closed campaign is most often open again soon: little else may be done.
        let choice = if closed && self.chance.below(3) == 0 { 31 } else { self.chance.below(31) };
        match choice {
            0..=11 => {
                let Some((id, action)) = self.convention() else { return };
                let body = match action {
                    "sign" => json!({"action": action, "signed_on": day, "signatory": who, "evidence": "original"}),
                    "countersign" => json!({"action": action, "signed_on": day, "signatory": who}),
                    "decline" => {
                        json!({"action": action, "declined_on": day, "declined_by": "la maire", "reason": "vote"})
                    }
                    "correct evidence" => {
                        json!({"action": "correct_signature", "signed_by": "payer", "evidence": "copie", "reason": "mal lu"})
                    }
                    "correct payer" => {
                        json!({"action": "correct_signature", "signed_by": "payer", "signed_on": day, "reason": "mal lu"})
                    }
                    "correct issuer" => {
                        json!({"action": "correct_signature", "signed_by": "issuer", "signed_on": day, "signatory": who, "reason": "mal lu"})
                    }
                    _ => json!({"action": action, "reason": "essai"}),
                };
                self.act(action, post(&g, format!("/conventions/{id}/transitions")), body);
            }
            12 => self.act("issue", post(&g, format!("{YEAR}/conventions")), json!({})),
            13 | 14 => self.act("issue", post(&g, format!("{YEAR}/conventions")), json!({"keys": [siret]})),
            15 => self.act("prepare", post(&g, format!("{YEAR}/perception-titles")), json!({})),
            16 => self.act("prepare", post(&g, format!("{YEAR}/perception-titles")), json!({"keys": [siret]})),
            17 | 22 => self.act(
                "approve",
                post(&o, "/perception-titles/approvals".into()),
                json!({"filter": {"campaign": "2025-2026"}}),
            ),
            18..=21 => {
                let Some(id) = self.title() else { return };
                let (client, action) = match choice {
                    18 => (&o, "approve"),
                    19 => (&o, "return"),
                    20 => (&g, "resubmit"),
                    _ => (&o, "withdraw"),
                };
                let mut body = json!({"action": action});
                if action != "approve" {
                    body["reason"] = json!("essai");
                }
                self.act(action, post(client, format!("/perception-titles/{id}/transitions")), body);
            }
            // What is transmitted moves no more: seldom, or the walk would stand still.
            23 if self.chance.below(6) == 0 => {
                self.act("seal", post(&o, "/accounting-batches".into()), json!({"campaign": "2025-2026"}))
            }
            24 => self.act(
                "decide",
                post(&o, format!("{YEAR}/small-claim-decisions")),
                json!({"keys": [siret], "reason": "sous le seuil"}),
            ),
            23 => {}
            25 => {
                let all = self
                    .ids("SELECT id AS line FROM small_claim_decisions WHERE revoked_at IS NULL ORDER BY decided_at");
                let Some(id) = self.chance.of(&all).cloned() else { return };
                self.act(
                    "revoke",
                    post(&o, format!("/small-claim-decisions/{id}/transitions")),
                    json!({"action": "revoke", "reason": "à titrer"}),
                );
            }
            26 => {
                let choice = *self.chance.of(&["keep", "reduce"]).unwrap();
                let body = json!({"keys": [uai], "choice": choice, "reason": "vu"});
                self.act("word", post(&g, format!("{YEAR}/line-decisions")), body);
            }
            27 => {
                let closed = if self.hours % 2 == 0 { json!("2025-07-26") } else { Value::Null };
                let patch = |body: Value| g.json("PATCH", &format!("/schools/{uai}"), &[("if-match", "*")], &body);
                self.act("close school", patch, json!({"closed_on": closed}));
            }
            28 => {
                let path = format!("{YEAR}/enrolments/{uai}");
                if self.hours % 2 == 0 {
                    self.act(
                        "withdraw school",
                        |_| g.send("DELETE", &format!("/api/v1{path}"), &[], Vec::new()),
                        json!({}),
                    );
                } else {
                    self.act("enrol", |body| g.put(&path, body), json!({}));
                }
            }
            29 => self.act(
                "policy",
                |body| g.json("PATCH", YEAR, &[("if-match", "*")], &body),
                json!({"countersign_policy": if self.hours % 2 == 0 { "require" } else { "record" }}),
            ),
            _ => {
                let any = ["close", "close", "reopen", "unopen", "open"];
                let action = if choice == 31 { "reopen" } else { *self.chance.of(&any).unwrap() };
                let mut body = json!({"action": action});
                if ["reopen", "unopen"].contains(&action) {
                    body["reason"] = json!("essai");
                }
                self.act(&format!("{action} the campaign"), post(&g, format!("{YEAR}/transitions")), body);
            }
        }
    }

    /// What the day after the end brings; papers are none of this test's business.
    fn expire(&mut self) {
        self.morning();
        let before = self.lives();
        self.app.sql("DELETE FROM jobs").unwrap();
        self.app.db.write(ent_backoffice::conventions::enqueue_expiry).unwrap();
        assert_eq!(self.app.run_jobs_unread(), 1);
        self.note(&before);
    }
}

on_both_databases! {
    fn whatever_is_done_in_whatever_order_is_done_or_refused_in_words(app: &TestApp) {
        app.forget_jobs();
        register_communes(app, 12);
        open_campaign(app, "issue");
        let mut walk = Walk { app, chance: Chance(2025), hours: 0, steps: BTreeSet::new(), done: BTreeMap::new() };
        for action in ["unopen", "open"] {
            let client = app.gestionnaire();
            let reason = if action == "open" { Value::Null } else { json!("essai") };
            walk.act(action, |body| client.post(&format!("{YEAR}/transitions"), body), json!({"action": action, "reason": reason}));
        }
        // Then the day after the end: what is in effect expires, and life goes on until every step was taken.
        (0..200).for_each(|_| walk.go());
        walk.hours += 24 * 410;
        for _ in 0..20 {
            walk.expire();
            (0..50).for_each(|_| walk.go());
            if STEPS.iter().all(|step| walk.steps.contains(*step)) {
                break;
            }
        }
        let steps: Vec<&str> = walk.steps.iter().map(String::as_str).collect();
        assert_eq!(steps, STEPS, "{:?}", walk.done);
        let alarms = app.admin().get("/audit-events?action=integrity.fault").expect(200).json;
        assert_eq!(alarms["data"], json!([]));
    }

    fn what_an_older_program_wrote_otherwise_moves_as_well(app: &TestApp) {
        app.forget_jobs();
        register_communes(app, 2);
        let g = app.gestionnaire();
        g.post("/campaigns", crate::support::year::campaign("issue")).expect(201);
        g.post(&format!("{YEAR}/enrolments"), json!({"filter": {"departement": "30", "sector": "public"}})).expect(200);
        app.sql("UPDATE campaigns SET tariff = ' ' || tariff").unwrap();
        g.post(&format!("{YEAR}/transitions"), json!({"action": "open"})).expect(200);
        app.sql("UPDATE campaigns SET texts = ' ' || texts").unwrap();
        let ids = crate::support::year::issue(app);
        app.set_time("2025-07-28T09:00:00Z");
        for id in &ids {
            crate::support::year::sign(app, id);
            app.sql(&format!("UPDATE conventions SET acknowledged = ' ' || acknowledged WHERE id = '{id}'")).unwrap();
        }
        crate::support::year::countersign(app, &ids[0]);
        for id in &ids {
            app.gestionnaire().post(&format!("/conventions/{id}/transitions"), json!({"action": "cancel", "reason": "essai"})).expect(200);
        }
        let move_it = |action: &str, reason: Value| {
            app.gestionnaire().post(&format!("{YEAR}/transitions"), json!({"action": action, "reason": reason})).expect(200);
        };
        move_it("close", Value::Null);
        move_it("reopen", json!("essai"));
        let kept = "SELECT substr(texts, 1, 1) || substr(tariff, 1, 1) AS line FROM campaigns";
        assert_eq!(text_rows(&app.db, kept), ["  "]);
    }
}
