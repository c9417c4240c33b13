//! The command line: what an administrator types, and what is answered when something is wrong.
//!
//! Exit codes: 0 done · 1 refused by a rule · 2 ill-written command · 69 database or address unavailable ·
//! 70 incident · 78 settings to mend.

mod accounts;
mod apart;
mod command;
mod keeping;
mod mailing;
mod retention;

use std::fs::File;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{Args, Parser, Subcommand};

use command::{Failure, build, build_creating, refused_value, say};

use crate::access;
use crate::app::{self, App, Serving, StartFault};
use crate::config::{Config, Environment, FaultLevel, process_environment};
use crate::kernel::{Actor, Departement};
use crate::platform::Error;
use crate::registry::import::{communes, contacts, directory};
use crate::{demo, registry};

/// Back office de l'ENT-école : conventions, participations et titres de perception.
#[derive(Debug, Parser)]
#[command(name = "ent-backoffice", version, disable_help_subcommand = true)]
#[command(help_template = "{about}\n\nUsage : {usage}\n\n{all-args}")]
struct Cli {
    /// Fichier de configuration (sinon celui que nomme ENT_CONFIG, sinon les réglages par défaut)
    #[arg(long, global = true, value_name = "FICHIER")]
    config: Option<PathBuf>,
    /// Écrire le journal technique en JSON, une ligne par événement
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Servir l'API et exécuter les travaux de fond
    Serve(ServeArgs),
    /// Exécuter les travaux de fond seulement
    Work,
    /// Montrer une année du Gard sur des données publiques, dans une base à part, puis servir
    Demo(DemoArgs),
    /// Importer un fichier dans le registre
    Import(ImportArgs),
    /// Mettre la base à jour
    Migrate(keeping::MigrateArgs),
    /// Sauvegarder la base dans un fichier, pendant que le programme sert
    Backup {
        /// Fichier à écrire ; il ne doit pas exister
        #[arg(value_name = "FICHIER")]
        file: PathBuf,
    },
    /// Restaurer une sauvegarde dans la base configurée, qui doit être vide
    Restore(keeping::RestoreArgs),
    /// Gérer les comptes
    #[command(subcommand)]
    User(accounts::UserCommand),
    /// Dire où en sont les courriels, ou reprendre l'envoi après une restauration
    #[command(subcommand)]
    Mail(mailing::MailCommand),
    /// Dire ce qui a dépassé sa durée de conservation, ou l'éliminer sur une liste signée
    Retention(retention::RetentionArgs),
    /// Écrire le document OpenAPI sur la sortie standard
    Openapi,
    /// Lire les réglages et dire ce qu'il faut corriger
    CheckConfig,
    /// Read one file, on standard input, within bounds: what the program starts for each file it is sent
    #[command(hide = true)]
    ReadTable(apart::ReadTableArgs),
    /// Look at files, on standard input, within bounds: what the program starts for each attachment it is given
    #[command(hide = true)]
    InspectFiles(apart::InspectFilesArgs),
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Adresse et port d'écoute, par exemple 127.0.0.1:8080
    #[arg(long, value_name = "ADRESSE")]
    listen: Option<SocketAddr>,
    /// Ne pas exécuter les travaux de fond dans ce processus
    #[arg(long)]
    no_worker: bool,
    /// Mettre la base à jour avant de servir (SQLite : toujours)
    #[arg(long)]
    migrate: bool,
    /// Admettre une base encore vide (sur cette machine : toujours)
    #[arg(long)]
    create: bool,
}

#[derive(Debug, Args)]
struct DemoArgs {
    /// Adresse et port d'écoute
    #[arg(long, value_name = "ADRESSE")]
    listen: Option<SocketAddr>,
    /// Faire l'année, l'afficher et s'arrêter
    #[arg(long)]
    exit: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ImportKind {
    Collectivites,
    Schools,
    Contacts,
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// Ce que contient le fichier
    #[arg(value_name = "NATURE")]
    kind: ImportKind,
    #[arg(value_name = "FICHIER")]
    file: PathBuf,
    /// Même traitement, rien n'est écrit
    #[arg(long)]
    dry_run: bool,
    /// Départements pour lesquels le fichier des écoles est complet, par exemple 30,34
    #[arg(long, value_name = "DÉPARTEMENTS", value_delimiter = ',')]
    complete_for: Vec<String>,
}

/// Runs the command the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ill_written(&error),
    };
    // Before anything else is read or opened.
    if let Command::ReadTable(args) = cli.command {
        return apart::read_table(&args);
    }
    if let Command::InspectFiles(args) = cli.command {
        return apart::inspect_files(&args);
    }
    let environment = process_environment();
    let log_json = cli.log_json;
    app::start_logging(environment.get("RUST_LOG").map(String::as_str), log_json);
    match execute(cli, &environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            announce(log_json, &message);
            ExitCode::from(code)
        }
    }
}

/// The same for a program whose standard error is read by a collector: a line of the log.
fn announce(log_json: bool, message: &str) {
    if log_json { tracing::warn!("{message}") } else { say(message) }
}

fn ill_written(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let about = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let problem = match error.kind() {
        ErrorKind::UnknownArgument => format!("option inconnue : {}", about(ContextKind::InvalidArg)),
        ErrorKind::MissingRequiredArgument => format!("il manque : {}", about(ContextKind::InvalidArg)),
        ErrorKind::InvalidSubcommand => format!("commande inconnue : {}", about(ContextKind::InvalidSubcommand)),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("valeur refusée pour {} : {}", about(ContextKind::InvalidArg), about(ContextKind::InvalidValue))
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            "il manque une commande : serve, work, demo, migrate, backup, restore, import, user, mail, retention, openapi, \
             check-config"
                .to_owned()
        }
        ErrorKind::ArgumentConflict => {
            format!("options incompatibles : {} et {}", about(ContextKind::InvalidArg), about(ContextKind::PriorArg))
        }
        ErrorKind::NoEquals | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues | ErrorKind::TooManyValues => {
            format!("nombre de valeurs inattendu pour {}", about(ContextKind::InvalidArg))
        }
        ErrorKind::InvalidUtf8 => "un argument n'est pas en UTF-8".to_owned(),
        _ => "écriture non reconnue".to_owned(),
    };
    say(&format!("Commande mal écrite : {problem}\n  → Voir ent-backoffice --help"));
    ExitCode::from(2)
}

fn execute(cli: Cli, environment: &Environment) -> Result<(), Failure> {
    let load = || Config::load(cli.config.as_deref(), environment).map_err(StartFault::Config);
    match cli.command {
        Command::Serve(args) => serve(load()?, &args, cli.log_json),
        Command::Work => {
            let app = build(load()?)?;
            app.prepare_database(false)?;
            Ok(app.work()?)
        }
        Command::Demo(args) => demo(load()?, &args, environment),
        Command::Import(args) => import(unhurried(load()?), &args),
        Command::Migrate(args) => keeping::migrate(unhurried(load()?), &args),
        Command::Backup { file } => keeping::backup(unhurried(load()?), &file),
        Command::Restore(args) => keeping::restore(&unhurried(load()?), &args),
        Command::User(command) => accounts::run(unhurried(load()?), command),
        Command::Mail(command) => mailing::run(load()?, &command),
        Command::Retention(args) => retention::run(unhurried(load()?), &args),
        Command::Openapi => {
            let text =
                serde_json::to_string_pretty(&app::openapi_document()).map_err(|e| Error::Incident(e.to_string()))?;
            Ok(writeln!(std::io::stdout(), "{text}")?)
        }
        Command::CheckConfig => check_config(&load()?),
        Command::ReadTable(_) | Command::InspectFiles(_) => Ok(()),
    }
}

/// A command that ends by itself: somebody watches it, and a statement may take its time.
fn unhurried(mut config: Config) -> Config {
    config.database.postgres_statement_timeout_seconds = 0;
    config.database.postgres_idle_timeout_seconds = 0;
    config
}

fn serve(mut config: Config, args: &ServeArgs, log_json: bool) -> Result<(), Failure> {
    if let Some(listen) = args.listen {
        config.server.listen = listen;
    }
    let app = if args.create { build_creating(config) } else { build(config) }?;
    app.prepare_database(args.migrate)?;
    listen(app, args.no_worker, log_json)
}

fn listen(app: App, no_worker: bool, log_json: bool) -> Result<(), Failure> {
    let address = app.config.server.listen;
    let listener = TcpListener::bind(address).map_err(|error| StartFault::Listen {
        problem: format!("L'adresse {address} ne peut être écoutée : {}", crate::kernel::system::said(&error)),
        remedy: "Arrêter le programme qui l'occupe, ou choisir une autre adresse : serve --listen 127.0.0.1:8081."
            .into(),
    })?;
    let address = listener.local_addr()?;
    if app.db.read(access::actions::no_user_yet)? {
        announce(
            log_json,
            "Aucun compte n'existe encore. Pour créer le premier administrateur :\n  \
             ent-backoffice user add --email vous@exemple.fr --role admin --first-name Prénom --last-name Nom \
             --password-stdin",
        );
    }
    let how = Serving { jobs: !no_worker, http_threads: app.config.server.workers, on_signals: true };
    // Said once a stop would be heard, too.
    let listening = format!("À l'écoute sur http://{address} ; documentation : http://{address}/api/docs/");
    Ok(app.serve(listener, &how, |_| announce(log_json, &listening))?)
}

fn demo(config: Config, args: &DemoArgs, environment: &Environment) -> Result<(), Failure> {
    if environment.contains_key("DATABASE_URL") {
        let message = format!(
            "La démonstration n'ouvre que sa propre base ({}).\n  → Enlever DATABASE_URL, ou lancer « serve ».",
            demo::DATABASE
        );
        return Err(Failure { code: 78, message });
    }
    let mut config = demo::settings(config);
    if let Some(address) = args.listen {
        config.server.listen = address;
    }
    demo::start_afresh()?;
    let app = build_creating(config)?;
    app.prepare_database(false)?;
    let report = demo::run(&app)?;
    let address = app.config.server.listen;
    let mut out = std::io::stdout();
    writeln!(out, "\nDémonstration — Gard, année scolaire 2025-2026 (contacts et signatures fictifs)\n")?;
    for line in &report.lines {
        writeln!(out, "  {line}")?;
    }
    writeln!(out, "\n  Comptes (mots de passe tirés au sort, valables pour cette base seulement) :")?;
    for person in &report.people {
        writeln!(out, "    {:<38} {}", person.user.email.to_string(), person.password)?;
    }
    if args.exit {
        return Ok(());
    }
    writeln!(out, "\n  Regarder d'abord :")?;
    writeln!(out, "    http://{address}/api/docs/   (toutes les routes ; s'y authentifier par POST /auth/login)")?;
    if let Some(person) = report.people.first() {
        writeln!(
            out,
            "    TOKEN=$(curl -s http://{address}/api/v1/auth/login -H 'content-type: application/json' \\\n      \
             -d '{{\"email\":\"{}\",\"password\":\"{}\"}}' | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"access_token\"])')\n    \
             curl -s -H \"authorization: Bearer $TOKEN\" 'http://{address}/api/v1/conventions?campaign=2025-2026&limit=2'\n",
            person.user.email, person.password
        )?;
    }
    out.flush()?;
    listen(app, false, false)
}

fn import(config: Config, args: &ImportArgs) -> Result<(), Failure> {
    let complete_for = args
        .complete_for
        .iter()
        .map(|raw| Departement::parse(raw).map_err(|fault| refused_value("--complete-for", &fault)))
        .collect::<Result<Vec<_>, _>>()?;
    let app = build(config)?;
    app.prepare_database(false)?;
    let actor = Actor::program("ligne de commande");
    let (kind, dry_run) = (args.kind, args.dry_run);
    let layout = match kind {
        ImportKind::Collectivites => &communes::LAYOUT,
        ImportKind::Contacts => &contacts::LAYOUT,
        ImportKind::Schools => &directory::LAYOUT,
    };
    let file = File::open(&args.file).map_err(|error| Failure {
        code: 1,
        message: format!(
            "Le fichier {} ne peut être lu ({}).",
            args.file.display(),
            crate::kernel::system::said(&error)
        ),
    })?;
    let view = app.files.read(file, layout).and_then(|table| {
        // Parsed before the transaction, which others wait for.
        match kind {
            ImportKind::Collectivites => {
                let file = registry::read_collectivites(&table)?;
                app.db.write(|tx| registry::import_collectivites(tx, &actor, file, dry_run))
            }
            ImportKind::Contacts => {
                let file = registry::read_contacts(&table)?;
                app.db.write(|tx| registry::import_contacts(tx, &actor, file, dry_run))
            }
            ImportKind::Schools => {
                let file = registry::read_schools(&table)?;
                let options = registry::ImportSchoolsOptions { dry_run, complete_for };
                app.db.write(|tx| registry::import_schools(tx, &actor, file, options))
            }
        }
    });
    match view {
        Ok(view) => {
            let text = serde_json::to_string_pretty(&view).map_err(|e| Error::Incident(e.to_string()))?;
            if view.not_closed > 0 {
                say(&format!(
                    "Écoles absentes du fichier et laissées ouvertes : {} (une ligne illisible peut être la leur).",
                    view.not_closed
                ));
            }
            Ok(writeln!(std::io::stdout(), "{text}")?)
        }
        Err(Error::Refused(refused)) => {
            let cells = refused
                .errors
                .iter()
                .map(|e| format!("\n  {} : {} ({})", e.pointer, e.message, e.value.as_deref().unwrap_or("vide")));
            Err(Failure { code: 1, message: format!("{}{}", refused.detail, cells.collect::<String>()) })
        }
        Err(other) => Err(other.into()),
    }
}

fn check_config(config: &Config) -> Result<(), Failure> {
    let faults = config.check();
    let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
    if faults.iter().any(|fault| fault.level == FaultLevel::Error) {
        return Err(Failure { code: 78, message: text.join("\n") });
    }
    text.iter().for_each(|fault| say(fault));
    say("Les réglages permettent de démarrer.");
    Ok(())
}
