//! The program under test, and the people who use it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};
use chrono::NaiveDate;
use ent_backoffice::access::sessions::{self, Origin};
use ent_backoffice::access::{self, Delegation, NewUser, PasswordHash, SessionRules, Tokens, User};
use ent_backoffice::app::{App, Serving};
use ent_backoffice::config::Config;
use ent_backoffice::kernel::contact::EmailAddress;
use ent_backoffice::kernel::text::Line;
use ent_backoffice::kernel::{Actor, Clock, Ids, Instant, Role};
use ent_backoffice::platform::db::{Database, blobs};
use ent_backoffice::platform::jobs::{self, Handlers};
use ent_backoffice::platform::mail::{Memory, Postman};

use super::{Base, Client, papers};

/// Programs that this process started: one, in most tests.
static PROGRAMS: AtomicU16 = AtomicU16::new(0);

/// When every test begins.
pub const MORNING: &str = "2025-06-05T08:00:00Z";
/// Everybody's password.
pub const PASSWORD: &str = "cheval-agrafe-pile-1825";

pub fn at(raw: &str) -> Instant {
    Instant::parse(raw).unwrap()
}

pub struct TestApp {
    pub db: Database,
    pub clock: Clock,
    /// Where mails go; they leave when the test says so.
    pub mail: Memory,
    pub postman: Postman,
    /// `http://127.0.0.1:port`.
    pub url: String,
    handlers: Handlers,
    tokens: actix_web::web::Data<Tokens>,
    people: RefCell<HashMap<Role, User>>,
    forgotten: Cell<bool>,
    real_texts: bool,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
    // Last: removed after the server has let it go.
    base: Option<Base>,
    _key: tempfile::NamedTempFile,
}

/// Texts that could be real: those the program ships open no campaign.
pub fn texts() -> ent_backoffice::campaigns::texts::CampaignTexts {
    Config::load(Some(&texts_file()), &std::collections::BTreeMap::new()).unwrap().texts
}

/// Their file, for the program as a process.
pub fn texts_file() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/texts.toml")
}

/// A hash as cheap as argon2 allows: it is verified by its own parameters.
pub fn cheap_hash(password: &str) -> PasswordHash {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    PasswordHash::from_phc(argon2.hash_password_with_salt(password.as_bytes(), &[7; 16]).unwrap().to_string())
}

impl TestApp {
    pub fn new(base: Base) -> Self {
        Self::with(base, |_| {})
    }

    /// With settings of its own.
    pub fn with(base: Base, change: impl FnOnce(&mut Config)) -> Self {
        let key = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(key.path(), "a signing key for tests, of more than 32 bytes").unwrap();
        let mut config = Config::default();
        config.database.url = base.url();
        config.database.postgres_connections = 4;
        config.access.signing_key_files = vec![key.path().to_owned()];
        config.server.workers = 1;
        config.texts = texts();
        // Tests of what happens at once send as many files as they like.
        config.imports.at_once = 8;
        config.attachments.at_once = 8;
        change(&mut config);
        let real_texts = config.texts.unprintable(true).is_empty();
        let clock = Clock::fixed(at(MORNING));
        // Each program of a test counts from a seed of its own: two on one base give no id twice.
        let seed = PROGRAMS.fetch_add(1, Ordering::Relaxed) + 1;
        let mut app = App::build(config, clock.clone(), Ids::seeded(seed)).unwrap();
        // The tests are not the program.
        app.files = app.files.run_by(env!("CARGO_BIN_EXE_ent-backoffice").into());
        app.desk = app.desk.run_by(env!("CARGO_BIN_EXE_ent-backoffice").into());
        app.prepare_database(false).unwrap();
        let mail = Memory::default();
        app.postman = app.postman.by(std::sync::Arc::new(mail.clone()));
        let postman = app.postman.clone();
        let (db, handlers, tokens) = (app.db.clone(), app.handlers.clone(), app.tokens.clone());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (started, server) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let how = Serving { jobs: false, http_threads: 2, on_signals: false };
            app.serve(listener, &how, |handle| started.send(handle).unwrap()).unwrap();
        });
        let server = server.recv().unwrap();
        Self {
            db,
            clock,
            mail,
            postman,
            url,
            handlers,
            tokens,
            people: RefCell::default(),
            forgotten: Cell::new(false),
            real_texts,
            server,
            thread: Some(thread),
            base: Some(base),
            _key: key,
        }
    }

    /// Where its data is, for another process.
    pub fn database_url(&self) -> String {
        self.base.as_ref().unwrap().url()
    }

    /// Nobody in particular.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.url, None).with_texts(self.real_texts)
    }

    /// A person of a role: the account is made at first use, the token at each.
    pub fn client(&self, role: Role) -> Client {
        self.client_of(&self.person(role))
    }

    pub fn client_of(&self, user: &User) -> Client {
        Client::new(&self.url, Some(self.token_of(user))).with_texts(self.real_texts)
    }

    /// The access token of a person of a role.
    pub fn token(&self, role: Role) -> String {
        self.token_of(&self.person(role))
    }

    fn token_of(&self, user: &User) -> String {
        let rules = SessionRules { refresh_token_days: 14, session_days: 30 };
        let opened = self.db.write(|tx| sessions::open(tx, rules, user, Origin::default())).unwrap();
        self.tokens.issue(&opened.bearer).unwrap()
    }

    pub fn lecteur(&self) -> Client {
        self.client(Role::Lecteur)
    }
    pub fn gestionnaire(&self) -> Client {
        self.client(Role::Gestionnaire)
    }
    pub fn ordonnateur(&self) -> Client {
        self.client(Role::Ordonnateur)
    }
    pub fn comptable(&self) -> Client {
        self.client(Role::Comptable)
    }
    pub fn admin(&self) -> Client {
        self.client(Role::Admin)
    }

    /// The account behind [`TestApp::client`].
    pub fn person(&self, role: Role) -> User {
        if let Some(user) = self.people.borrow().get(&role) {
            return user.clone();
        }
        let user = self.add_user(&format!("{role}@exemple.invalid"), role);
        self.people.borrow_mut().insert(role, user.clone());
        user
    }

    /// One more person; who approves has a capacity and a delegation in force.
    pub fn add_user(&self, email: &str, role: Role) -> User {
        let signs = role == Role::Ordonnateur;
        let new = NewUser {
            email: EmailAddress::parse(email).unwrap(),
            role,
            first_name: Line::parse("Camille").unwrap(),
            last_name: Line::parse(&format!("Le {role}")).unwrap(),
            capacity: signs.then(|| Line::parse("Secrétaire générale de région académique").unwrap()),
            delegation: signs.then(|| Delegation {
                reference: Line::parse("Arrêté R76-2025-03-14-00002, RAA du 14 mars 2025").unwrap(),
                published_on: NaiveDate::from_ymd_opt(2025, 3, 14).unwrap(),
                ends_on: None,
            }),
            password_hash: Some(cheap_hash(PASSWORD)),
        };
        let actor = Actor::program("essai");
        self.db.write(|tx| access::actions::create_user(tx, &actor, new)).unwrap()
    }

    /// Runs one statement as it stands.
    pub fn sql(&self, statement: &str) -> diesel::QueryResult<usize> {
        use diesel::RunQueryDsl as _;
        // What another program does is refused to that program, and raises no alarm here.
        self.db
            .write(|tx| {
                let done = diesel::sql_query(statement).execute(tx.conn());
                if done.is_err() {
                    tx.discard();
                }
                Ok(done)
            })
            .unwrap()
    }

    /// Runs a statement as somebody would who has first lifted the table's guards.
    pub fn tamper(&self, table: &str, statement: &str) {
        if self.db.is_sqlite() {
            let guards =
                format!("SELECT name AS line FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'");
            for guard in crate::support::databases::text_rows(&self.db, &guards) {
                self.sql(&format!("DROP TRIGGER {guard}")).unwrap();
            }
        } else {
            self.sql(&format!("ALTER TABLE {table} DISABLE TRIGGER USER")).unwrap();
        }
        assert!(self.sql(statement).unwrap() > 0, "{statement}");
    }

    /// Moves the clock.
    pub fn set_time(&self, instant: &str) {
        self.clock.set(at(instant));
    }

    /// Runs every job due now, and proofreads the papers they made; returns how many ran.
    pub fn run_jobs(&self) -> usize {
        let ran = self.handlers.drain(&self.db).unwrap();
        let made = "SELECT sha256 AS line FROM blobs WHERE media_type = 'application/pdf'";
        for sha256 in crate::support::databases::text_rows(&self.db, made) {
            let pdf = self.db.read(|tx| blobs::get(tx, &sha256)).unwrap();
            papers::proofread(&pdf, self.real_texts, "a paper made by a job");
        }
        ran
    }

    /// Sends every mail due now; what left, read as its recipient does.
    pub fn send_mails(&self) -> Vec<super::letters::Received> {
        self.postman.drain(&self.db).unwrap();
        self.mail.take().iter().map(|mail| super::letters::read(&mail.bytes)).collect()
    }

    /// Runs every job due now, and reads nothing of what is stored as a paper.
    pub fn run_jobs_unread(&self) -> usize {
        self.handlers.drain(&self.db).unwrap()
    }

    /// This test does not care for the jobs it caused: otherwise jobs left behind, or given up, make it fail.
    pub fn forget_jobs(&self) {
        self.forgotten.set(true);
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // A test that failed already says why.
        let looked = (!self.forgotten.get() && !std::thread::panicking()).then(|| self.db.read(jobs::backlog));
        // The command leaves at once; there is nothing to wait for but the thread.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        drop(self.base.take());
        if let Some(backlog) = looked {
            assert_eq!(backlog.unwrap(), (0, 0), "jobs waiting and failed: call run_jobs() or forget_jobs()");
        }
    }
}
