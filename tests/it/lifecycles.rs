//! Another program moves nothing along a life it does not have: each state of each thing is reached by the acts of the
//! program, then every other is tried by hand.

use serde_json::json;

use crate::support::TestApp;
use crate::support::databases::text_rows;
use crate::support::year::{
    active_campaign, approve, campaign, countersign, expire, issue, open_campaign, prepare, register_communes,
    register_seed, seal, sign,
};

const CONVENTION_STATES: [&str; 8] =
    ["proposed", "issued", "signed", "active", "expired", "terminated", "declined", "cancelled"];
const SIGNED: &str = "signed_on = '2025-07-01', signed_name = 'M', signed_title = 'Maire'";
const COUNTERSIGNED: &str = "countersigned_on = '2025-07-02', countersigned_name = 'R', countersigned_title = 'Rectrice', \
                             took_effect_on = '2025-07-02'";
const LEFT: &str = "exited_on = '2025-07-03', exit_reason = 'essai'";
const STAYED: &str = "exited_on = NULL, exit_reason = NULL";

#[track_caller]
fn refused(app: &TestApp, statement: &str) {
    let answer = app.sql(statement).expect_err(statement).to_string();
    assert!(answer.contains("frozen"), "{statement}: {answer}");
}

fn state_of(app: &TestApp, table: &str, id: &str) -> String {
    text_rows(&app.db, &format!("SELECT state AS line FROM {table} WHERE id = '{id}'")).remove(0)
}

/// Every other state by hand: bare, and dressed in each set of columns that some state asks for. What is let through is
/// a step of the lifecycle with what belongs to it, and is put back.
fn convention_goes_nowhere_but(app: &TestApp, id: &str, steps: &[(&str, &str)]) {
    let from = state_of(app, "conventions", id);
    let dresses = [
        String::new(),
        format!(", {SIGNED}"),
        format!(", {COUNTERSIGNED}"),
        format!(", {SIGNED}, {COUNTERSIGNED}"),
        format!(", {LEFT}"),
        ", exited_on = '2026-09-05'".to_owned(),
        format!(", {STAYED}"),
        format!(", {SIGNED}, {STAYED}"),
        format!(", {SIGNED}, {COUNTERSIGNED}, {STAYED}"),
    ];
    let mut passed = Vec::new();
    for to in CONVENTION_STATES.iter().filter(|to| **to != from) {
        for dress in &dresses {
            let statement = format!("UPDATE conventions SET state = '{to}'{dress} WHERE id = '{id}'");
            let tried = app.db.write(|tx| {
                use diesel::RunQueryDsl as _;
                tx.discard();
                Ok(diesel::sql_query(&statement).execute(tx.conn()))
            });
            match tried.unwrap() {
                Ok(done) => {
                    assert_eq!(done, 1);
                    passed.push((*to, dress.as_str()));
                }
                Err(cause) => assert!(cause.to_string().contains("frozen"), "{statement}: {cause}"),
            }
        }
    }
    assert_eq!(passed, steps, "from {from}");
    assert_eq!(state_of(app, "conventions", id), from);
}

on_both_databases! {
    fn a_convention_moves_along_its_life_for_every_program(app: &TestApp) {
        register_communes(app, 4);
        open_campaign(app, "issue");
        let ids = issue(app);
        app.forget_jobs();
        app.set_time("2025-07-28T09:00:00Z");
        let g = app.gestionnaire();
        let act = |id: &str, body| g.post(&format!("/conventions/{id}/transitions"), body).expect(200);
        let (signed, left) = (format!(", {SIGNED}"), format!(", {LEFT}"));
        let countersigned = format!(", {COUNTERSIGNED}");
        convention_goes_nowhere_but(app, &ids[0], &[("signed", &signed), ("signed", &format!("{signed}, {STAYED}")), ("declined", &left), ("cancelled", &left)]);
        sign(app, &ids[0]);
        // The signatures a step does not bring stay what they are, but their correction, which is a step of its own.
        convention_goes_nowhere_but(app, &ids[0], &[("declined", &left), ("cancelled", &left)]);
        app.db.write(|tx| {
            use diesel::RunQueryDsl as _;
            tx.discard();
            let late = "took_effect_on = '2025-07-25'";
            let by_hand = format!("UPDATE conventions SET state = 'active', {} WHERE id = '{}'", COUNTERSIGNED.replace("took_effect_on = '2025-07-02'", late), ids[0]);
            assert_eq!(diesel::sql_query(&by_hand).execute(tx.conn()).unwrap(), 1, "the day of the last signature is the payer's");
            Ok(())
        }).unwrap();
        refused(app, &format!("UPDATE conventions SET state = 'active'{countersigned} WHERE id = '{}'", ids[0]));
        countersign(app, &ids[0]);
        convention_goes_nowhere_but(app, &ids[0], &[("expired", ", exited_on = '2026-09-05'"), ("cancelled", &left)]);
        act(&ids[1], json!({"action": "decline", "declined_on": "2025-07-03", "declined_by": "la maire", "reason": "essai"}));
        convention_goes_nowhere_but(app, &ids[1], &[("issued", &format!(", {STAYED}"))]);
        refused(app, &format!("UPDATE conventions SET state = 'signed', {SIGNED}, {STAYED} WHERE id = '{}'", ids[1]));
        act(&ids[2], json!({"action": "cancel", "reason": "essai"}));
        convention_goes_nowhere_but(app, &ids[2], &[]);
        expire(app);
        convention_goes_nowhere_but(app, &ids[0], &[]);
        // Where it stands nothing of its story moves but a signature, corrected.
        for set in [
            "exited_on = '2026-09-04'", "exit_reason = 'X'", "took_effect_on = '2025-07-24'", "countersigned_on = NULL",
            "signed_on = NULL", "signed_name = NULL", "countersigned_title = NULL", "party_fold = 'x'", "party_departement = '34'",
            "version = version - 1",
        ] {
            refused(app, &format!("UPDATE conventions SET {set} WHERE id = '{}'", ids[0]));
        }
        for (id, state) in [(&ids[1], "declined"), (&ids[2], "cancelled"), (&ids[3], "issued")] {
            for set in [SIGNED, "acknowledged = '[1]'", "exited_on = '2025-01-01'", "exit_reason = 'X'", "exited_on = NULL"] {
                let by_hand = format!("UPDATE conventions SET {set} WHERE id = '{id}'");
                if (state, set) != ("issued", "exited_on = NULL") {
                    refused(app, &by_hand);
                }
            }
        }
    }

    fn a_refusal_by_hand_gives_back_only_what_was_there(app: &TestApp) {
        register_communes(app, 2);
        open_campaign(app, "issue");
        let ids = issue(app);
        app.forget_jobs();
        app.set_time("2025-07-28T09:00:00Z");
        sign(app, &ids[0]);
        for id in &ids {
            let no = json!({"action": "decline", "declined_on": "2025-07-26", "declined_by": "la maire", "reason": "essai"});
            app.gestionnaire().post(&format!("/conventions/{id}/transitions"), no).expect(200);
        }
        let back = format!(", {STAYED}");
        convention_goes_nowhere_but(app, &ids[0], &[("signed", &back)]);
        convention_goes_nowhere_but(app, &ids[1], &[("issued", &back)]);
    }

    fn nothing_begins_in_the_middle_of_its_life(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        prepare(app);
        let columns = |table: &str| -> Vec<String> {
            let all = text_rows(&app.db, crate::support::databases::columns_sql(&app.db));
            all.iter().filter_map(|line| line.strip_prefix(&format!("{table}."))).map(|c| c.split(' ').next().unwrap().to_owned()).collect()
        };
        let copied = |table: &str, changed: &[(&str, &str)]| {
            let names = columns(table);
            let values: Vec<String> = names.iter().map(|c| changed.iter().find(|(name, _)| name == c).map_or(c.clone(), |(_, v)| (*v).to_owned())).collect();
            format!("INSERT INTO {table} ({}) SELECT {} FROM {table}", names.join(", "), values.join(", "))
        };
        // A second convention, active as the first; a second title, approved; a campaign, open.
        refused(app, &copied("conventions", &[("id", "'v2'"), ("campaign_id", "'k2'"), ("sequence", "2"), ("sequence_reason", "'x'"), ("number", "'x'"), ("number_rank", "2"), ("version", "1")]));
        refused(app, &copied("perception_titles", &[("id", "'t2'"), ("state", "'withdrawn'"), ("withdrawn_reason", "'x'")]));
        refused(app, &copied("campaigns", &[("id", "'k2'"), ("school_year", "'2026-2027'"), ("version", "1")]));
        app.sql(&copied("campaigns", &[("id", "'k2'"), ("school_year", "'2026-2027'"), ("version", "1"), ("state", "'preparing'"), ("opened_at", "NULL")])).unwrap();
    }

    fn a_title_rests_on_its_approval_and_its_batch(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        prepare(app);
        let by_hand = |set: &str| refused(app, &format!("UPDATE perception_titles SET {set}"));
        let reference = "reference = 'ENT-T-2025-000001', exercice = 2025";
        by_hand("state = 'approved'");
        by_hand(&format!("state = 'approved', {reference}"));
        by_hand(reference);
        by_hand("withdrawn_reason = 'essai'");
        by_hand(&format!("state = 'withdrawn', withdrawn_reason = 'essai', {reference}"));
        approve(app);
        by_hand("state = 'transmitted'");
        by_hand("withdrawn_reason = 'essai'");
        by_hand("version = version - 1");
        seal(app).expect(201);
        by_hand("state = 'paid'");
        refused(app, "UPDATE accounting_batch_progress SET state = 'sent'");
        app.run_jobs();
    }

    fn a_decision_is_taken_by_an_act_and_revoked_whole(app: &TestApp) {
        register_communes(app, 1);
        active_campaign(app, "do_not_issue");
        prepare(app);
        app.run_jobs();
        for set in ["revoked_reason = 'X'", "revoked_origin = 'person'", "revoked_at = decided_at", "updated_at = decided_at", "revoked_at = decided_at, revoked_by = decided_by, revoked_by_label = 'X', revoked_origin = 'person'"] {
            refused(app, &format!("UPDATE small_claim_decisions SET {set}"));
        }
        let unacted = "INSERT INTO small_claim_decisions (id, convention_id, participation_id, amount_cents, threshold_cents, reason, decided_by, decided_by_label, decided_at) \
                       SELECT 'd2', convention_id, participation_id, amount_cents, threshold_cents, reason, decided_by, decided_by_label, decided_at FROM small_claim_decisions";
        refused(app, unacted);
    }

    fn a_campaign_moves_along_its_life_for_every_program(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        g.post("/campaigns", campaign("issue")).expect(201);
        let by_hand = |set: &str| refused(app, &format!("UPDATE campaigns SET {set}"));
        let act = |body| g.post("/campaigns/2025-2026/transitions", body).expect(200);
        let terms = ["tariff = '{}'", "convention_date = '2025-01-01'", "ends_on = '2027-01-01'", "school_year = '2026-2027'", "id = 'k'"];
        by_hand("state = 'closed', texts = '{}', closed_at = created_at");
        by_hand("opened_at = created_at");
        by_hand(terms[3]);
        g.post("/campaigns/2025-2026/enrolments", json!({"filter": {"departement": "30"}})).expect(200);
        act(json!({"action": "open"}));
        terms.iter().for_each(|set| by_hand(set));
        by_hand("opened_at = '2020-01-01 00:00:00'");
        by_hand("state = 'closed'");
        issue(app);
        app.forget_jobs();
        by_hand("state = 'preparing', opened_at = NULL");
        refused(app, "DELETE FROM campaigns");
        act(json!({"action": "close"}));
        for set in ["texts = '{}'", "small_claims_policy = 'flag'", "response_deadline = NULL", "countersign_policy = 'require'", "state = 'open'", "state = 'preparing', opened_at = NULL, closed_at = NULL", "closed_at = '2020-01-01 00:00:00'"] {
            by_hand(set);
        }
        act(json!({"action": "reopen", "reason": "une dette trouvée"}));
        assert_eq!(state_of(app, "campaigns", &text_rows(&app.db, "SELECT id AS line FROM campaigns")[0]), "open");
    }
}
