//! Commands that keep the base: `migrate`, `backup`, `restore`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::command::{Failure, build, build_creating, say};
use crate::app::{self, StartFault};
use crate::config::Config;
use crate::kernel::{Clock, Ids, french};
use crate::platform::Database;
use crate::platform::db::DatabaseFault;
use crate::platform::db::backup::{self, Backup};

#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    /// Admettre une base encore vide
    #[arg(long)]
    create: bool,
    /// Donner à ce rôle de PostgreSQL ce qu'il faut au programme, et rien de plus
    #[arg(long, value_name = "RÔLE")]
    grant_to: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// Fichier écrit par « backup »
    #[arg(value_name = "FICHIER")]
    file: PathBuf,
    /// Examiner la sauvegarde, sans rien écrire
    #[arg(long)]
    check: bool,
}

impl From<DatabaseFault> for Failure {
    fn from(fault: DatabaseFault) -> Self {
        StartFault::Database(fault).into()
    }
}

pub(super) fn migrate(config: Config, args: &MigrateArgs) -> Result<(), Failure> {
    let app = if args.create { build_creating(config) } else { build(config) }?;
    let before = app.db.applied()?;
    app.prepare_database(true)?;
    let ran = app.db.applied()?.saturating_sub(before);
    let migrations = french::count(ran, "migration");
    say(&format!("Base à jour ({migrations} {}).", french::agree(&ran, "appliquée")));
    if let Some(role) = &args.grant_to {
        let given = app.db.grant_to(role)?;
        say(&format!(
            "Rôle {} : lit et modifie {}, lit et complète seulement {} {}.",
            given.role,
            french::count(given.changed, "table"),
            french::count(given.frozen, "table"),
            french::agree(&given.frozen, "figée")
        ));
    }
    if let Some(id) = app.db.base_id()? {
        say(&format!("Identifiant de la base (database.expected_id) : {id}"));
    }
    Ok(())
}

pub(super) fn backup(config: Config, file: &Path) -> Result<(), Failure> {
    config.startable().map_err(StartFault::Config)?;
    let settings = app::database_settings(&config, false)?;
    let db = Database::open(&settings, Clock::system(), Ids::default())?;
    db.recognise(config.database.expected_id.as_deref())?;
    let backup = backup::write(&db, &settings.url, file)?;
    tell("Sauvegarde écrite", &backup);
    Ok(())
}

pub(super) fn restore(config: &Config, args: &RestoreArgs) -> Result<(), Failure> {
    let expected = config.database.expected_id.as_deref();
    if args.check {
        let backup = backup::check(&args.file)?;
        is_expected(&backup, expected)?;
        tell("Sauvegarde saine", &backup);
        return Ok(());
    }
    config.startable().map_err(StartFault::Config)?;
    let settings = app::database_settings(config, false)?;
    let backup = if settings.url.starts_with("sqlite:") {
        is_expected(&backup::check(&args.file)?, expected)?;
        backup::restore_sqlite(&args.file, &settings.url)?
    } else {
        let db = Database::open(&settings, Clock::system(), Ids::default())?;
        backup::restore_postgres(&db, &args.file, &settings.url)?
    };
    // What left since the backup is not in it: nothing leaves, and no link opens, until somebody has looked.
    let db = Database::open(&settings, Clock::system(), Ids::default())?;
    let held = db.write(crate::platform::db::lives::begin)?;
    is_expected(&backup, expected)?;
    tell("Sauvegarde restaurée et examinée", &backup);
    if held {
        say("  courriels et liens retenus jusqu'à : ent-backoffice mail resume");
    }
    Ok(())
}

/// The configuration may say which base is meant: a backup of another one is told before it is used.
fn is_expected(backup: &Backup, expected: Option<&str>) -> Result<(), Failure> {
    let found = backup.content.as_ref().and_then(|content| content.id.as_deref());
    match (found, expected) {
        (Some(found), Some(expected)) if !found.eq_ignore_ascii_case(expected) => Err(DatabaseFault::new(
            format!("La sauvegarde est celle de la base {found}, et database.expected_id demande {expected}"),
            "Prendre une sauvegarde de la bonne base, ou corriger database.expected_id.",
        )
        .into()),
        _ => Ok(()),
    }
}

fn tell(done: &str, backup: &Backup) {
    say(&format!("{done} : {} ({} octets)\n  SHA-256 {}", backup.file.display(), backup.bytes, backup.sha256));
    let Some(content) = &backup.content else {
        say("  Archive de PostgreSQL, lue en entier ; son contenu est examiné à la restauration.");
        return;
    };
    let unknown = "inconnu";
    say(&format!(
        "  base {}, migration {}, {} tables, {} lignes, {} empreintes de pièces et de contenus scellés vérifiées",
        content.id.as_deref().unwrap_or(unknown),
        content.version.as_deref().unwrap_or(unknown),
        content.rows.len(),
        content.total(),
        content.digests
    ));
}
