//! Import, issue, prepare, approve, seal: the program's use cases, beside the same rows written by bare SQL.
//!
//! ```text
//!   once:    empty ──step──▶ … ──step──▶ year done        what each step changed is read back, row by row
//!   N times: subject   each step by the program,   one transaction
//!            floor     each step by bare statements, one transaction, on a database in the state before
//!            and at the end both databases must hold the same rows
//! ```
//! Both have the same pragmas, the same kind of connection, the same server. What separates them is the program:
//! reading the file, reading what is there, deciding, composing papers, journal and queue are rows like the others.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::Connection as _;
use diesel::connection::InstrumentationEvent;
use ent_backoffice::platform::Database;

use crate::base::{Base, Kind, World, YEAR, lift_guards, on, open};
use crate::measure::{Spent, median, milliseconds, range, spend, verdict};
use crate::rows::{self, Difference, Script, Snapshot, Table, Value};

/// The most a use case may take of the floor's time.
const TARGET: f64 = 3.0;

/// What is known of one step.
struct Known {
    script: Script,
    rows: (usize, usize),
    statements: usize,
    /// Share of the step spent in the database, in the pass that looks.
    in_database: f64,
}

pub fn run(kind: Kind, runs: usize) {
    let (tables, known, last) = look(kind);
    let mut subject: Vec<Vec<Spent>> = Vec::new();
    let mut floor: Vec<Vec<Spent>> = Vec::new();
    for rank in 0..runs {
        // Whoever comes second finds a warmer machine: they take turns.
        for first in [rank % 2 == 0, rank % 2 != 0] {
            if first {
                subject.push(by_the_program(kind));
            } else {
                floor.push(by_bare_sql(kind, &tables, &known, &last));
            }
        }
    }
    println!(
        "\n{} acts, median of {runs} alternated runs (least–most ratio of a run)\n\n\
         | act | rows inserted + updated | statements | program ms | bare SQL ms | ratio | CPU ratio | in the database | target |\n\
         |---|---|---|---|---|---|---|---|---|",
        kind.name()
    );
    let mut totals = [0.0; 2];
    for (at, step) in YEAR.iter().enumerate() {
        let Some(name) = step.name else { continue };
        let wall = |side: &[Vec<Spent>]| median(side.iter().map(|run| milliseconds(run[at].wall)));
        let cpu = |side: &[Vec<Spent>]| median(side.iter().map(|run| milliseconds(run[at].cpu)));
        let pairs: Vec<f64> =
            subject.iter().zip(&floor).map(|(s, f)| s[at].wall.as_secs_f64() / f[at].wall.as_secs_f64()).collect();
        let (least, most) = range(pairs);
        let (ours, bare) = (wall(&subject), wall(&floor));
        totals[0] += ours;
        totals[1] += bare;
        let Known { rows, statements, in_database, .. } = &known[at];
        println!(
            "| {name} | {} + {} | {statements} | {ours:.0} | {bare:.0} | **{:.2}** ({least:.2}–{most:.2}) | {:.2} | {:.0} % | ≤ {TARGET}: {} |",
            rows.0,
            rows.1,
            ours / bare,
            cpu(&subject) / cpu(&floor),
            in_database * 100.0,
            verdict(ours / bare <= TARGET),
        );
    }
    println!("| the year | | | {:.0} | {:.0} | {:.2} | | | |", totals[0], totals[1], totals[0] / totals[1]);
}

/// PostgreSQL's process at the other end of the one connection.
fn other_end(db: &Database) -> Option<i64> {
    let asked = on(db, |c| match c {
        ent_backoffice::platform::db::AnyConnection::Sqlite(_) => None,
        c => Some(rows::read(c, "SELECT pg_backend_pid()")),
    });
    asked.map(|rows| match rows[0][0] {
        Value::Int(pid) => pid,
        ref other => panic!("{other:?}"),
    })
}

/// Does the year once, looking: what each step changed, by how many statements, and the time they took.
fn look(kind: Kind) -> (Vec<Table>, Vec<Known>, Snapshot) {
    let base = Base::new(kind);
    let world = World::new(&base);
    let db = &world.app.db;
    let tables = on(db, rows::tables);
    let spent: Arc<Mutex<(usize, Duration)>> = Arc::default();
    let mut before = on(db, |c| Snapshot::take(c, &tables));
    let mut known = Vec::new();
    // What stands before the first step (people) is written to the floor's database before it begins.
    known.push(Known {
        script: Difference::between(&empty(kind, &tables), &before, &tables).script(&tables),
        rows: (0, 0),
        statements: 0,
        in_database: 0.0,
    });
    for step in &YEAR {
        let heard = Arc::clone(&spent);
        *spent.lock().unwrap() = Default::default();
        let ((), took) = spend(None, || {
            db.write(|tx| {
                let mut since = Instant::now();
                tx.conn().set_instrumentation(move |event: InstrumentationEvent<'_>| match event {
                    InstrumentationEvent::StartQuery { .. } => since = Instant::now(),
                    InstrumentationEvent::FinishQuery { .. } => {
                        let mut heard = heard.lock().unwrap();
                        heard.0 += 1;
                        heard.1 += since.elapsed();
                    }
                    _ => {}
                });
                (step.run)(&world, tx);
                tx.conn().set_instrumentation(|_: InstrumentationEvent<'_>| {});
                Ok(())
            })
            .unwrap();
        });
        let after = on(db, |c| Snapshot::take(c, &tables));
        let difference = Difference::between(&before, &after, &tables);
        let (statements, in_database) = *spent.lock().unwrap();
        known.push(Known {
            script: difference.script(&tables),
            rows: difference.counts(),
            statements,
            in_database: in_database.as_secs_f64() / took.wall.as_secs_f64(),
        });
        before = after;
    }
    // The people's rows lead; the steps keep their own ranks.
    known.rotate_left(1);
    (tables, known, before)
}

fn empty(kind: Kind, tables: &[Table]) -> Snapshot {
    let base = Base::new(kind);
    on(&open(&base.url), |c| Snapshot::take(c, tables))
}

fn by_the_program(kind: Kind) -> Vec<Spent> {
    let base = Base::new(kind);
    let world = World::new(&base);
    let db = &world.app.db;
    let other = other_end(db);
    YEAR.iter().map(|step| spend(other, || world.take(step)).1).collect()
}

fn by_bare_sql(kind: Kind, tables: &[Table], known: &[Known], last: &Snapshot) -> Vec<Spent> {
    let base = Base::new(kind);
    let db = open(&base.url);
    db.write(|tx| {
        lift_guards(tx.conn());
        Ok(())
    })
    .unwrap();
    let other = other_end(&db);
    let write = |script: &Script| db.write(|tx| Ok(script.run(tx.conn())?)).unwrap();
    write(&known[YEAR.len()].script);
    let spent = (0..YEAR.len()).map(|at| spend(other, || write(&known[at].script)).1).collect();
    let reached = on(&db, |c| Snapshot::take(c, tables));
    if let Err(difference) = reached.same_as(last, tables) {
        panic!("the floor does not end where the program does: {difference}");
    }
    spent
}
