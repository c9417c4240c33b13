//! Work to do: opened where a reason is found, once; taken, given and closed by people; closed by the program when the
//! reason passed.

use ent_backoffice::audit::{Subject, SubjectKind};
use ent_backoffice::kernel::{Actor, Role};
use ent_backoffice::tasks::{self, NewTask, Opened, TaskKind};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::databases::text_rows;
use crate::support::year::{active_campaign, register_communes};

const KIND: TaskKind = TaskKind("test.look");

fn subject(key: &str) -> Subject {
    Subject::known_by(SubjectKind::School, key)
}

fn open(app: &TestApp, key: &str) -> Opened {
    let new =
        NewTask { kind: KIND, subject: subject(key), why: format!("L'école {key} est à regarder."), due_on: None };
    app.db.write(|tx| tasks::open(tx, &Actor::program("essai"), new.clone())).unwrap()
}

fn list(app: &TestApp, query: &str) -> Vec<Value> {
    app.admin().get(&format!("/tasks{query}")).expect(200).json["data"].as_array().unwrap().clone()
}

fn path(task: &Value) -> String {
    format!("/tasks/{}", task["id"].as_str().unwrap())
}

on_both_databases! {
    fn a_reason_found_again_opens_nothing_more(app: &TestApp) {
        assert!(matches!(open(app, "0301023Z"), Opened::New(_)));
        assert_eq!(open(app, "0301023Z"), Opened::Already);
        assert!(matches!(open(app, "0301015R"), Opened::New(_)));
        let found = list(app, "?subject=0301023Z");
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0]["kind"], &found[0]["status"], &found[0]["since"]), (&json!("test.look"), &json!("open"), &json!("2025-06-05T08:00:00Z")));
        assert_eq!(found[0]["why"], "L'école 0301023Z est à regarder.");
        // Closed, the same reason opens another.
        let settled = app.db.write(|tx| tasks::settle(tx, &Actor::program("essai"), KIND, (SubjectKind::School, "0301023Z"), "La raison est passée.")).unwrap();
        assert!(settled);
        assert!(!app.db.write(|tx| tasks::settle(tx, &Actor::program("essai"), KIND, (SubjectKind::School, "0301023Z"), "x")).unwrap());
        assert!(matches!(open(app, "0301023Z"), Opened::New(_)));
        let closed = list(app, "?status=closed");
        assert_eq!(closed.len(), 1);
        assert_eq!((&closed[0]["closed"]["by"], &closed[0]["closed"]["word"]), (&Value::Null, &json!("La raison est passée.")));
        // The older one cannot be open beside it.
        app.gestionnaire().post(&format!("{}/transitions", path(&closed[0])), json!({"action": "reopen", "word": "à revoir"})).problem(409, "task_open_already");
    }

    fn a_task_is_taken_given_closed_with_a_word_and_reopened(app: &TestApp) {
        open(app, "0301023Z");
        let task = list(app, "").remove(0);
        let (g, o) = (app.gestionnaire(), app.ordonnateur());
        let moves = format!("{}/transitions", path(&task));
        let read = g.get(&path(&task)).expect(200);
        assert_eq!(read.header("etag"), "\"1\"");
        g.post(&moves, json!({"action": "unassign"})).problem(409, "task_state");
        let mine = g.json("POST", &moves, &[("if-match", "\"1\"")], &json!({"action": "assign"})).expect(200);
        assert_eq!((&mine.json["assignee"]["name"], mine.header("etag")), (&json!("Camille Le gestionnaire"), "\"2\""));
        g.json("POST", &moves, &[("if-match", "\"1\"")], &json!({"action": "unassign"})).problem(412, "precondition_failed");
        assert_eq!(g.get("/tasks?mine=true").json["data"].as_array().unwrap().len(), 1);
        assert_eq!(o.get("/tasks?mine=true").json["data"].as_array().unwrap().len(), 0);
        // Given to somebody who can act on it, and to nobody else.
        let ordonnateur = app.person(Role::Ordonnateur).id.to_string();
        let give = |id: &str| g.post(&moves, json!({"action": "assign", "assignee": id}));
        for wrong in [app.person(Role::Lecteur).id.to_string(), "019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e".to_owned()] {
            assert_eq!(give(&wrong).problem(422, "invalid_value").json["errors"][0]["pointer"], "/assignee");
        }
        give(&ordonnateur).expect(200);
        assert_eq!(o.get("/tasks?mine=true&status=open&kind=test.look").json["data"].as_array().unwrap().len(), 1);
        for (body, pointer) in [
            (json!({"action": "close"}), "/word"),
            (json!({"action": "close", "word": "vu", "assignee": ordonnateur}), "/assignee"),
            (json!({"action": "assign", "word": "vu"}), "/word"),
        ] {
            assert_eq!(o.post(&moves, body).problem(422, "invalid_value").json["errors"][0]["pointer"], pointer);
        }
        let closed = o.post(&moves, json!({"action": "close", "word": "L'école rouvre en janvier."})).expect(200).json;
        assert_eq!((&closed["status"], &closed["closed"]["by"]["id"]), (&json!("closed"), &json!(ordonnateur)));
        let refused = g.post(&moves, json!({"action": "assign"})).problem(409, "task_state");
        assert_eq!((&refused.json["current_state"], &refused.json["allowed_actions"]), (&json!("closed"), &json!(["reopen"])));
        let allowed = g.get(&moves).expect(200).json;
        assert_eq!(allowed["actions"].as_array().unwrap().iter().filter(|a| a["allowed"] == true).count(), 1);
        g.post(&moves, json!({"action": "reopen", "word": "La mairie dit l'inverse."})).expect(200);
        assert_eq!(list(app, "?status=open").len(), 1);
        // The story of the school tells all of it; the words, and who is named, stand apart.
        let told = app.admin().get("/audit-events?subject=0301023Z&sort=at").expect(200).json;
        let acts: Vec<&str> = told["data"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
        assert_eq!(acts, ["task.opened", "task.assigned", "task.assigned", "task.closed", "task.reopened"]);
        assert!(told["data"][3]["sentence"].as_str().unwrap().contains("L'école rouvre en janvier."));
    }

    fn the_list_is_walked_by_cursor_and_by_what_changed(app: &TestApp) {
        for n in 0..5 {
            app.set_time(&format!("2025-06-05T08:0{n}:00Z"));
            open(app, &format!("030000{n}X"));
        }
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.admin().get(&format!("/tasks?limit=2&sort=-since{cursor}")).expect(200).json;
            seen.extend(page["data"].as_array().unwrap().iter().map(|t| t["subject"]["key"].as_str().unwrap().to_owned()));
            let Some(next) = page["meta"]["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, ["0300004X", "0300003X", "0300002X", "0300001X", "0300000X"]);
        app.set_time("2025-06-05T08:20:00Z");
        let since = app.admin().get("/tasks?limit=1").json["meta"]["next_updated_since"].as_str().unwrap().to_owned();
        app.set_time("2025-06-05T08:40:00Z");
        let first = list(app, "?subject=0300000X").remove(0);
        app.admin().post(&format!("{}/transitions", path(&first)), json!({"action": "close", "word": "vu"})).expect(200);
        let changed = list(app, &format!("?updated_since={since}&sort=updated_at"));
        assert_eq!(changed.iter().map(|t| &t["subject"]["key"]).collect::<Vec<_>>(), ["0300000X"]);
    }

    fn two_persons_at_once_do_not_both_move_it(app: &TestApp) {
        open(app, "0301023Z");
        let moves = format!("{}/transitions", path(&list(app, "")[0]));
        let close = |client: crate::support::Client| client.post(&moves, json!({"action": "close", "word": "vu"})).status;
        let (a, b) = (app.gestionnaire(), app.ordonnateur());
        let mut statuses = std::thread::scope(|scope| {
            let threads = [scope.spawn(|| close(a)), scope.spawn(|| close(b))];
            threads.map(|thread| thread.join().unwrap())
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }

    fn content_found_falsified_asks_a_person_once(app: &TestApp) {
        register_communes(app, 1);
        let id = active_campaign(app, "issue").remove(0);
        app.tamper("conventions", "UPDATE conventions SET total_cents = 999900");
        for _ in 0..2 {
            app.gestionnaire().get(&format!("/conventions/{id}/document")).problem(500, "integrity_fault");
        }
        let found = list(app, "?kind=integrity.fault");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((&found[0]["subject"]["kind"], &found[0]["status"]), (&json!("convention"), &json!("open")));
        assert!(found[0]["why"].as_str().unwrap().starts_with("Contenu altéré"));
    }

    fn a_job_given_up_asks_a_person_and_is_settled_once_done(app: &TestApp) {
        register_communes(app, 1);
        let id = active_campaign(app, "issue").remove(0);
        // Its worker died each time.
        app.sql("UPDATE jobs SET state = 'running', attempts = 100, lease_until = '2025-06-05 07:59:00' WHERE kind = 'papers.render'").unwrap();
        app.run_jobs();
        let found = list(app, "?kind=job.given_up");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((&found[0]["subject"]["id"], &found[0]["subject"]["key"]), (&json!(id), &json!("ENT-C-2025-2026-00001")));
        assert!(found[0]["why"].as_str().unwrap().contains("papers.render"), "{found:?}");
        // Asked again, and done: nobody has to look any more.
        app.sql("UPDATE jobs SET state = 'queued', attempts = 0, finished_at = NULL WHERE kind = 'papers.render'").unwrap();
        assert_eq!(app.run_jobs(), 1);
        let closed = list(app, "?kind=job.given_up").remove(0);
        assert_eq!((&closed["status"], &closed["closed"]["by"]), (&json!("closed"), &Value::Null));
        assert_eq!(text_rows(&app.db, "SELECT state AS line FROM tasks"), ["closed"]);
    }
}
