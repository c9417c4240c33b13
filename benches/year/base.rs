//! Databases of the benchmark's own, and the year of Occitanie done on them by the program's use cases.
//!
//! 4,446 communes, 4,579 schools of which 4,104 public, 2,386 conventions: the public files of `tests/data/occitanie`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ent_backoffice::access::{self, Delegation, NewUser, PasswordHash, User};
use ent_backoffice::accounting::{self, Seal};
use ent_backoffice::app::App;
use ent_backoffice::campaigns::{self, CampaignRequest, Enrol};
use ent_backoffice::config::{Config, process_environment};
use ent_backoffice::conventions::{self, ConventionTransition, Issue};
use ent_backoffice::kernel::contact::EmailAddress;
use ent_backoffice::kernel::text::Line;
use ent_backoffice::kernel::{Actor, Clock, Ids, Role, SchoolYear};
use ent_backoffice::platform::Tx;
use ent_backoffice::platform::db::{AnyConnection, Database, DatabaseSettings};
use ent_backoffice::platform::tabular::{Layout, Table};
use ent_backoffice::registry::import::{communes, directory};
use ent_backoffice::registry::{self, ImportSchoolsOptions, ImportView};
use ent_backoffice::titles::{self, Approve, Making, Prepare};
use serde_json::json;

use crate::{nation, rows};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A migrated, empty database; removed when dropped.
pub struct Base {
    pub url: String,
    server: Option<String>,
    _folder: Option<tempfile::TempDir>,
}

/// One connection, with the settings of the program.
pub fn open(url: &str) -> Database {
    let settings = DatabaseSettings {
        connections: 1,
        readers: 1,
        wait: Duration::from_secs(30),
        busy: Duration::from_secs(30),
        ..DatabaseSettings::new(url)
    };
    Database::open(&settings, Clock::system(), Ids::default()).unwrap()
}

/// Runs something on the connection as it is.
pub fn on<T>(db: &Database, work: impl FnOnce(&mut AnyConnection) -> T) -> T {
    db.read(|tx| Ok(work(tx.conn()))).unwrap()
}

/// Lets rows be written in the state they end in: the guards of lives know only those that the program writes. They are
/// part of what the program costs, not of the floor.
pub fn lift_guards(conn: &mut AnyConnection) {
    use diesel::RunQueryDsl as _;
    let guards: &[(&str, &[&str])] = &[
        ("campaigns", &["campaigns_born", "campaigns_kept", "campaigns_kept_update"]),
        ("conventions", &["conventions_born", "conventions_steps"]),
        ("perception_titles", &["perception_titles_born", "perception_titles_shape"]),
        ("small_claim_decisions", &["small_claim_decisions_born", "small_claim_decisions_steps"]),
        ("line_decisions", &["line_decisions_born"]),
        ("participation_lines", &["participation_lines_whole"]),
    ];
    for (table, names) in guards {
        for name in *names {
            let lift = match conn {
                AnyConnection::Sqlite(_) => format!("DROP TRIGGER IF EXISTS {name}"),
                AnyConnection::Postgresql(_) => format!("DROP TRIGGER IF EXISTS {name} ON {table}"),
            };
            diesel::sql_query(lift).execute(conn).unwrap();
        }
    }
}

fn server() -> String {
    process_environment()
        .get("TEST_POSTGRES_URL")
        .cloned()
        .expect("no PostgreSQL: « make bench » starts one and gives TEST_POSTGRES_URL")
}

impl Base {
    pub fn new(kind: Kind) -> Self {
        let base = match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}", folder.path().join("bench.sqlite").display());
                Self { url, server: None, _folder: Some(folder) }
            }
            Kind::Postgres => {
                let server = server();
                let name = format!("bench_{}", Ids::default().uuid(Clock::system().now()).simple());
                on(&open(&server), |c| rows::execute(c, &format!("CREATE DATABASE {name}")));
                let (address, _) = server.rsplit_once('/').unwrap();
                Self { url: format!("{address}/{name}"), server: Some(server), _folder: None }
            }
        };
        open(&base.url).migrate().unwrap();
        base
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        if let (Some(server), Some((_, name))) = (&self.server, self.url.rsplit_once('/')) {
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            on(&open(server), |c| rows::execute(c, &sql));
        }
    }
}

/// The program on a database, and the people who use it.
pub struct World {
    pub app: App,
    gestionnaire: User,
    ordonnateur: User,
    year: SchoolYear,
    /// How many Occitanies.
    copies: usize,
    _key: tempfile::NamedTempFile,
}

/// Settings of the program on a database.
pub fn settings(url: &str, key: &Path) -> Config {
    // The shipped texts open no campaign.
    let texts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/texts.toml");
    let mut config = Config::load(Some(&texts), &std::collections::BTreeMap::new()).unwrap();
    url.clone_into(&mut config.database.url);
    config.access.signing_key_files = vec![key.to_owned()];
    config
}

/// A file with a key to sign tokens.
pub fn key() -> tempfile::NamedTempFile {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "a signing key of the benchmark, longer than 32 bytes").unwrap();
    key
}

pub fn person(app: &App, role: Role) -> User {
    let line = |text: &str| Line::parse(text).unwrap();
    let new = NewUser {
        email: EmailAddress::parse(&format!("{role}@exemple.invalid")).unwrap(),
        role,
        first_name: line("Camille"),
        last_name: line("Mesure"),
        capacity: Some(line("Secrétaire générale de région académique")),
        delegation: Some(Delegation {
            reference: line("Arrêté R76-2025-03-14-00002, RAA du 14 mars 2025"),
            published_on: "2025-03-14".parse().unwrap(),
            ends_on: None,
        }),
        password_hash: Some(PasswordHash::from_phc("nobody logs in here".to_owned())),
    };
    app.db.write(|tx| access::actions::create_user(tx, &Actor::program("mesure"), new)).unwrap()
}

/// One step of the year; those measured have a name.
pub struct Step {
    pub name: Option<&'static str>,
    pub run: fn(&World, &mut Tx<'_>),
}

/// The year, one transaction a step.
pub const YEAR: [Step; 8] = [
    Step { name: Some("import of the communes"), run: World::import_communes },
    Step { name: Some("import of the schools"), run: World::import_schools },
    Step { name: None, run: World::open_campaign },
    Step { name: Some("issue"), run: World::issue },
    // One by one, as the program records them: not an act in number.
    Step { name: None, run: World::sign },
    Step { name: Some("prepare"), run: World::prepare },
    Step { name: Some("approve"), run: World::approve },
    Step { name: Some("seal"), run: World::seal },
];

/// Steps up to and with the issue.
pub const UNTIL_ISSUE: usize = 4;

impl World {
    pub fn new(base: &Base) -> Self {
        Self::of(base, 1)
    }

    /// Several Occitanies, each under other departments.
    pub fn of(base: &Base, copies: usize) -> Self {
        let key = key();
        let mut app = App::build(settings(&base.url, key.path()), Clock::system(), Ids::default()).unwrap();
        // One connection, so that PostgreSQL's process at its other end can be watched.
        app.db = open(&base.url);
        app.files = app.files.run_by(env!("CARGO_BIN_EXE_ent-backoffice").into());
        let (gestionnaire, ordonnateur) = (person(&app, Role::Gestionnaire), person(&app, Role::Ordonnateur));
        Self { app, gestionnaire, ordonnateur, year: SchoolYear::parse("2025-2026").unwrap(), copies, _key: key }
    }

    /// Does the first steps of the year, unmeasured.
    pub fn advance(&self, steps: usize) {
        for step in YEAR.iter().take(steps) {
            self.take(step);
        }
    }

    /// Does one step, in its transaction.
    pub fn take(&self, step: &Step) {
        let done = self.app.db.write(|tx| {
            (step.run)(self, tx);
            Ok(())
        });
        done.unwrap();
    }

    /// How many conventions, and their cents.
    fn conventions(&self) -> (usize, i64) {
        (2386 * self.copies, 16_416_000 * i64::try_from(self.copies).unwrap())
    }

    fn actor(user: &User) -> Actor {
        Actor::staff(user.id, user.role, user.full_name(), None)
    }

    /// The reading is part of the act, though the program does it before its transaction.
    fn read(&self, file: std::fs::File, layout: &'static Layout) -> Table {
        self.app.files.read(file, layout).unwrap()
    }

    fn files(&self, name: &str, copy: fn(&str, usize) -> std::fs::File) -> impl Iterator<Item = std::fs::File> {
        let text = std::fs::read_to_string(occitanie(name)).unwrap();
        let own = std::fs::File::open(occitanie(name)).unwrap();
        std::iter::once(own).chain((1..self.copies).map(move |rank| copy(&text, rank)))
    }

    fn import_communes(&self, tx: &mut Tx<'_>) {
        for file in self.files("communes_occitanie_2026.csv", nation::communes) {
            let table = self.read(file, &communes::LAYOUT);
            let view = registry::import_collectivites(
                tx,
                &Self::actor(&self.gestionnaire),
                registry::read_collectivites(&table).unwrap(),
                false,
            )
            .unwrap();
            created(&view, 4446);
        }
    }

    fn import_schools(&self, tx: &mut Tx<'_>) {
        for file in self.files("annuaire_education_occitanie_2024-11-26.csv", nation::directory) {
            let table = self.read(file, &directory::LAYOUT);
            let options = ImportSchoolsOptions::default();
            let view = registry::import_schools(
                tx,
                &Self::actor(&self.gestionnaire),
                registry::read_schools(&table).unwrap(),
                options,
            )
            .unwrap();
            created(&view, 4579);
        }
    }

    fn open_campaign(&self, tx: &mut Tx<'_>) {
        let actor = Self::actor(&self.gestionnaire);
        let said: CampaignRequest = read(json!({
            "school_year": "2025-2026", "tariff": {"unit": "school", "unit_amount": "40.00"},
            "convention_date": "2025-06-05", "ends_on": "2026-09-05", "response_deadline": "2025-10-15",
            "small_claims": {"threshold": "50.00", "policy": "issue"}
        }));
        campaigns::create(tx, &actor, said.into(), &self.app.defaults.thresholds).unwrap();
        let everyone: Enrol = read(json!({"filter": {"sector": "public"}}));
        let enrolled = campaigns::enrol(tx, &actor, &self.year, everyone).unwrap();
        assert_eq!(enrolled.count("enrolled"), 4104 * self.copies);
        let rests = campaigns::Rests { defaults: &self.app.defaults, others: &ent_backoffice::app::others() };
        campaigns::transition(tx, &actor, &self.year, None, (campaigns::CampaignAction::Open, None), rests).unwrap();
    }

    fn issue(&self, tx: &mut Tx<'_>) {
        let all: Issue = read(json!({}));
        let (defaults, templates) = (&self.app.defaults, &self.app.templates);
        let view =
            conventions::issue(tx, &Self::actor(&self.gestionnaire), &self.year, all, defaults, templates).unwrap();
        assert_eq!((view.bulk.count("issued"), view.bulk.total.cents()), self.conventions());
    }

    fn sign(&self, tx: &mut Tx<'_>) {
        let actor = Self::actor(&self.gestionnaire);
        let acts: Vec<ConventionTransition> = [("sign", "Maire"), ("countersign", "Rectrice")]
            .map(|(action, title)| {
                let signatory = json!({"name": "Camille Mesure", "title": title});
                read(json!({"action": action, "signed_on": "2025-06-05", "signatory": signatory}))
            })
            .into();
        let campaign = campaigns::find(tx, &self.year).unwrap().id;
        let issued = conventions::of_campaign(tx, campaign).unwrap();
        assert_eq!(issued.len(), self.conventions().0);
        let others = ent_backoffice::app::others();
        for convention in issued {
            for act in &acts {
                conventions::transition(tx, &actor, (convention.id, None), act, &others).unwrap();
            }
        }
    }

    fn prepare(&self, tx: &mut Tx<'_>) {
        let all: Prepare = read(json!({}));
        let (defaults, templates) = (&self.app.defaults, &self.app.templates);
        let view = titles::prepare(tx, &Self::actor(&self.gestionnaire), &self.year, all, defaults, templates).unwrap();
        assert_eq!((view.bulk.count("prepared"), view.bulk.total.cents()), self.conventions());
    }

    fn approve(&self, tx: &mut Tx<'_>) {
        let all: Approve = read(json!({"filter": {"campaign": "2025-2026"}}));
        let making = Making { defaults: &self.app.defaults, templates: &self.app.templates };
        let view = titles::approve(tx, &Self::actor(&self.ordonnateur), all, &making).unwrap();
        assert_eq!((view.count("approved"), view.total.cents()), self.conventions());
    }

    fn seal(&self, tx: &mut Tx<'_>) {
        let request: Seal = read(json!({"campaign": "2025-2026"}));
        let batch = accounting::seal(tx, &Self::actor(&self.ordonnateur), &request).unwrap();
        assert_eq!((usize::try_from(batch.count).unwrap(), batch.total.cents()), self.conventions());
    }
}

fn created(view: &ImportView, expected: usize) {
    assert_eq!(view.created, expected);
}

fn read<T: serde::de::DeserializeOwned>(request: serde_json::Value) -> T {
    serde_json::from_value(request).unwrap()
}

fn occitanie(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/occitanie").join(name)
}
