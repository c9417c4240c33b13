//! The composition root: opens what the program needs, mounts every capability, serves. Nobody imports it but `main`,
//! the command line and the tests.
//!
//! ```text
//!   Config ──▶ App::build ──▶ App::prepare_database ──▶ App::serve ──┬─▶ HTTP threads ──▶ edge ──▶ capabilities
//!              (keys, pools)    (migrate, or refuse)                 ├─▶ side address (metrics, health), if set
//!                                                                    └─▶ job threads
//! ```
//! To add a capability: its value in [`rooms`], of which everything else here is made, and what its handlers share in
//! `App::shared`.

mod alarm;
mod background;
mod base;
mod doors;
mod edge;
mod health;
mod incoming;
mod jobs;
mod logging;
mod mails;
mod methods;
mod metrics;
mod misread;
mod openapi;
mod pace;
mod parameters;
mod problems;
mod reasons;
mod refused;
mod serving;
mod slices;
mod sockets;
mod start_fault;

use std::sync::Arc;

use actix_web::{guard, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::access::{Brakes, Gate, LoginRules, LoginService, SessionRules, TokenRules, Tokens};
use crate::audit::{self, Others, Tellers};
use crate::campaigns::{Defaults, Thresholds};
use crate::capability::Capability;
use crate::config::{Config, own_program};
use crate::kernel::{Clock, Ids, Money, ProblemCode};
use crate::platform::attachments::Desk;
use crate::platform::db::Database;
use crate::platform::documents::Renderer;
use crate::platform::jobs::{Daily, Ended, Handlers, Patience};
use crate::platform::mail::Postman;
use crate::platform::papers::{self, Templates};
use crate::platform::retention::Register;
use crate::platform::tabular::{FileReader, Layout};
use crate::platform::telemetry::Metrics;
use crate::platform::web::{BodyLimit, State, UploadLimit};
use crate::{
    access, accounting, acts, attachments, campaigns, claims, conventions, invitations, kernel, mailroom, oversight,
    platform, registry, reminders, tasks, titles,
};

pub use base::database_settings;
pub use logging::start as start_logging;
pub use serving::Serving;
pub use start_fault::StartFault;

/// The rooms of the house, in their import order: the one list, of which everything else is made.
#[must_use]
pub fn rooms() -> Vec<Capability> {
    vec![
        access::capability(),
        tasks::capability(),
        acts::capability(),
        attachments::capability(),
        registry::capability(),
        campaigns::capability(),
        conventions::capability(),
        invitations::capability(),
        claims::capability(),
        titles::capability(),
        accounting::capability(),
        mailroom::capability(),
        reminders::capability(),
        oversight::capability(),
    ]
}

/// Mounts the rooms under `/api/v1`.
pub fn capabilities(cfg: &mut ServiceConfig<'_>) {
    rooms().iter().for_each(|room| (room.routes)(cfg));
}

/// Every problem code the program may answer with, published at `/problems`.
#[must_use]
pub fn catalogue() -> Vec<&'static ProblemCode> {
    let left = [
        kernel::refused::CODES,
        kernel::version::CODES,
        platform::page::CODES,
        platform::web::problem::CODES,
        platform::db::idempotency::CODES,
        platform::db::counters::CODES,
        platform::tabular::CODES,
        platform::attachments::CODES,
    ];
    let rooms = rooms().into_iter().map(|room| room.codes);
    left.into_iter().chain(rooms).chain([edge::CODES, doors::CODES, misread::CODES]).flatten().copied().collect()
}

/// How each room tells its acts in the journal.
#[must_use]
pub fn tellers() -> Tellers {
    let rooms = rooms().iter().fold(Tellers::default(), |tellers, room| (room.tells)(tellers));
    rooms.with::<alarm::IntegrityEvent>().with::<audit::ClockEvent>()
}

/// What is personal in the base, room by room.
#[must_use]
pub fn personal() -> Register {
    let left = [&platform::db::retention::DECLARED, &platform::mail::DECLARED, &audit::DECLARED];
    Register(left.into_iter().chain(rooms().iter().filter_map(|room| room.personal)).collect())
}

/// What each room has to say when one to its left acts.
#[must_use]
pub fn others() -> Others {
    rooms().iter().fold(Others::default(), |others, room| others.with(room.vetoes, room.follows))
}

/// Every sort of file the program reads, by its name on the command line of the process that does.
pub fn layouts() -> impl Iterator<Item = &'static Layout> {
    rooms().into_iter().flat_map(|room| room.layouts.iter().copied())
}

/// Every kind of paper.
fn papers() -> Vec<&'static papers::Kind> {
    rooms().into_iter().flat_map(|room| room.papers).copied().collect()
}

/// What each business day asks of each room.
#[must_use]
pub fn daily() -> Vec<Daily> {
    platform::DAILY.iter().chain(rooms().iter().flat_map(|room| room.daily)).copied().collect()
}

/// The program, ready to serve.
pub struct App {
    pub db: Database,
    pub config: Config,
    pub handlers: Handlers,
    pub tokens: web::Data<Tokens>,
    pub defaults: web::Data<Defaults>,
    pub templates: web::Data<Templates>,
    pub renderer: Arc<Renderer>,
    pub metrics: Metrics,
    pub files: FileReader,
    pub desk: Desk,
    pub postman: Postman,
    login: LoginService,
    may_create: bool,
}

/// Why a base is expected to be there already; none on this machine alone, where a first try needs no ceremony.
fn base_expected(config: &Config) -> Option<&'static str> {
    if config.database.expected_id.is_some() {
        return Some("database.expected_id est renseigné");
    }
    (!config.server.listen.ip().is_loopback()).then_some("le programme écoute au-delà de cette machine")
}

impl App {
    /// Reads the keys and opens the database; changes nothing in it. A new base may be made on this machine only.
    ///
    /// # Errors
    /// What is wrong and how to mend it.
    pub fn build(config: Config, clock: Clock, ids: Ids) -> Result<Self, StartFault> {
        let create = base_expected(&config).is_none();
        Self::build_with(config, clock, ids, create)
    }

    /// The same for who says whether a new base may be made. One that has an id to have never is new.
    ///
    /// # Errors
    /// What is wrong and how to mend it.
    pub fn build_with(config: Config, clock: Clock, ids: Ids, create: bool) -> Result<Self, StartFault> {
        let may_create = create && config.database.expected_id.is_none();
        config.startable().map_err(StartFault::Config)?;
        let keys = config
            .signing_keys(&mut |bytes| bytes.iter_mut().zip(ids.secret()).for_each(|(to, from)| *to = from))
            .map_err(StartFault::Config)?;
        let settings = database_settings(&config, may_create)?;
        let started = clock.now();
        let db = Database::open(&settings, clock.clone(), ids)?;
        let metrics = Metrics::new(if db.is_sqlite() { "sqlite" } else { "postgres" }, started)
            .map_err(|e| StartFault::Listen { problem: e.to_string(), remedy: "Signaler ce défaut.".into() })?;
        alarm::set(&db, metrics.clone(), rooms().iter().flat_map(|room| room.rows).copied().collect());
        let rules = TokenRules {
            issuer: config.access.issuer.clone(),
            audience: config.access.audience.clone(),
            lifetime_minutes: config.access.access_token_minutes,
        };
        let tokens = web::Data::new(Tokens::new(keys.iter().map(|key| key.as_bytes()), rules, clock));
        let access = &config.access;
        let rules = LoginRules {
            sessions: SessionRules { refresh_token_days: access.refresh_token_days, session_days: access.session_days },
            brakes: Brakes::new(
                access.failed_login_limit,
                access.failed_login_source_limit,
                access.failed_login_account_limit,
                chrono::Duration::minutes(access.failed_login_window_minutes.into()),
                chrono::Duration::minutes(access.longest_wait_minutes.into()),
            ),
            code_life: access.code_life(),
        };
        let login = LoginService::new(rules, Gate::new(access.hashings_at_once, access.hashings_waiting));
        let program = own_program().map_err(|cause| StartFault::Papers {
            problem: format!("Le programme ne sait où il se trouve : {cause}"),
            remedy: "Monter /proc, ou lancer le programme par son chemin.".into(),
        })?;
        let desk = Desk::new(program.clone(), config.attachments.rules());
        let files = FileReader::new(program, config.imports.bounds(), config.imports.at_once);
        let renderer = Renderer::new(config.documents.font_dir.as_deref()).map_err(|fault| StartFault::Papers {
            problem: fault.to_string(),
            remedy: "Corriger documents.font_dir, ou l'enlever pour les polices livrées.".into(),
        })?;
        let renderer = Arc::new(renderer);
        let folder = config.documents.template_dir.as_deref();
        let templates = Templates::read(folder, &papers()).map_err(|(path, cause)| StartFault::Papers {
            problem: format!("Le modèle {} ne peut être lu : {cause}", path.display()),
            remedy: "Vérifier les droits du fichier et son encodage (UTF-8).".into(),
        })?;
        let patience = Patience {
            lease: chrono::Duration::seconds(config.jobs.lease_seconds.into()),
            max_attempts: i64::from(config.jobs.max_attempts),
            ..Patience::USUAL
        };
        let postman = mails::postman(&config, &rooms(), &metrics)?;
        let thresholds = config.small_claims.thresholds.iter();
        let defaults = Defaults {
            texts: config.texts.clone(),
            thresholds: Thresholds::new(
                thresholds.filter_map(|t| Some((t.from, Money::round_half_up(t.amount)?))).collect(),
            ),
            specimen: config.documents.specimen,
        };
        let world = Arc::new(conventions::ActWorld { defaults: Arc::new(defaults), templates: Arc::new(templates) });
        let papers = (papers(), Arc::clone(&renderer));
        let measures = metrics.clone();
        let measure = move |ended: &Ended| {
            if let Some(took) = ended.took {
                measures.job_ran(ended.queue, ended.kind, ended.end, took);
            }
        };
        Ok(Self {
            handlers: jobs::handlers(&rooms(), papers, &world)
                .patient(patience)
                .measured(measure)
                .followed(reasons::after_job),
            metrics,
            files,
            desk,
            postman,
            db,
            config,
            tokens,
            login,
            may_create,
            renderer,
            defaults: Arc::clone(&world.defaults).into(),
            templates: Arc::clone(&world.templates).into(),
        })
    }

    /// Looks which base this is, and migrates it: SQLite by itself; PostgreSQL, shared between instances, only when asked.
    ///
    /// # Errors
    /// [`StartFault::PendingMigrations`], [`StartFault::EmptyBase`], another base than the one expected, or the database's
    /// own words.
    pub fn prepare_database(&self, migrate: bool) -> Result<(), StartFault> {
        if !self.may_create && self.db.is_new()? {
            return Err(StartFault::EmptyBase(base_expected(&self.config).unwrap_or("aucune base ne doit être créée")));
        }
        let expected = self.config.database.expected_id.as_deref();
        // Before anything is changed in what may be another's base.
        self.db.recognise(expected)?;
        self.migrate_if(migrate)?;
        self.db.recognise(expected)?;
        alarm::seal_what_is_older(&self.db)?;
        if !self.config.server.listen.ip().is_loopback() && self.db.owns_its_tables()? {
            tracing::warn!("the program owns its tables, and could disable what freezes them: see migrate --grant-to");
        }
        Ok(())
    }

    fn migrate_if(&self, migrate: bool) -> Result<(), StartFault> {
        if migrate || self.db.is_sqlite() {
            let ran = self.db.migrate()?;
            if ran > 0 {
                tracing::info!(ran, "migrations");
                // What a migration adds is as open to the program's role as the rest.
                for role in self.db.granted_roles()? {
                    self.db.grant_to(&role)?;
                }
            }
            Ok(())
        } else if self.db.has_pending_migrations()? {
            Err(StartFault::PendingMigrations)
        } else {
            Ok(())
        }
    }

    /// What handlers share, per HTTP thread.
    fn shared(&self) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + use<> {
        let state = web::Data::new(State::new(self.db.clone()));
        let tokens = self.tokens.clone();
        let login = web::Data::new(self.login.clone());
        let json = web::Data::new(BodyLimit(self.config.server.json_limit_bytes));
        let import = UploadLimit(u64::try_from(self.config.server.import_limit_bytes).unwrap_or(u64::MAX));
        let import = web::Data::new(import);
        let metrics = web::Data::new(self.metrics.clone());
        let tellers = web::Data::new(tellers());
        let (others, called) = (web::Data::new(others()), web::Data::new(titles::CALLED));
        let files = web::Data::new(self.files.clone());
        let desk = web::Data::new(self.desk.clone());
        let uploads = web::Data::new(self.config.attachments.uploads());
        let (postman, mail_rules) =
            (web::Data::new(self.postman.clone()), web::Data::from(Arc::clone(&self.postman.rules)));
        let links: Arc<dyn access::Links> = Arc::new(invitations::DossierLinks);
        let links: web::Data<dyn access::Links> = web::Data::from(links);
        let late_after = web::Data::new(health::LateAfter(self.config.jobs.late_after_seconds.into()));
        let defaults = self.defaults.clone();
        let templates = self.templates.clone();
        let renderer: web::Data<Renderer> = Arc::clone(&self.renderer).into();
        move |cfg| {
            cfg.app_data(state.clone())
                .app_data(defaults.clone())
                .app_data(templates.clone())
                .app_data(renderer.clone())
                .app_data(tokens.clone())
                .app_data(login.clone())
                .app_data(json.clone())
                .app_data(import.clone())
                .app_data(files.clone())
                .app_data(desk.clone())
                .app_data(uploads.clone())
                .app_data(postman.clone())
                .app_data(mail_rules.clone())
                .app_data(links.clone())
                .app_data(metrics.clone())
                .app_data(tellers.clone())
                .app_data(others.clone())
                .app_data(called.clone())
                .app_data(late_after.clone());
        }
    }

    /// Mounts everything on an actix application; the edge (request id, timeout…) is wrapped around it by [`App::serve`].
    fn router(&self, document: &serde_json::Value) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + use<> {
        let shared = self.shared();
        let allowed = methods::AllowedMethods::new(document);
        let known = web::Data::new(parameters::KnownParameters::new(document));
        let readers = metrics::Readers::on_main_address(&self.config);
        let document = web::Bytes::from(document.to_string());
        move |cfg| {
            shared(cfg);
            for (path, methods) in allowed.shadowed() {
                let other = guard::fn_guard(move |context| !methods.contains(&context.head().method.as_str()));
                cfg.service(web::resource(path).guard(other).to(methods::nothing_here));
            }
            ServiceConfig::new(cfg).service(utoipa_actix_web::scope("/api/v1").configure(capabilities));
            rooms().iter().for_each(|room| (room.pages)(&mut ServiceConfig::new(cfg)));
            health::routes(cfg);
            problems::routes(cfg);
            openapi::routes(cfg, &document);
            metrics::routes(cfg, readers);
            cfg.app_data(web::Data::new(allowed.clone())).app_data(known.clone());
            cfg.default_service(web::to(methods::nothing_here));
        }
    }
}

/// The OpenAPI document of everything mounted.
#[must_use]
pub fn openapi_document() -> serde_json::Value {
    openapi::document()
}
