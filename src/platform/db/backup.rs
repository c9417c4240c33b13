//! Backups: one file taken while the program serves, and the proof that it can be restored.
//!
//! ```text
//!   backup FILE            a snapshot ──▶ examined ──▶ FILE (0600, new), FILE.sha256
//!   restore FILE --check   digest, pages, references, id, counts, digests of papers; nothing is written
//!   restore FILE           the same, then into the configured address, where no base may be
//! ```
//! SQLite copies itself (`VACUUM INTO`: one reading, writers go on). PostgreSQL's own tools do it, `pg_dump` and
//! `pg_restore`, which must be installed and no older than the server. Nothing is ever overwritten.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use sha2::{Digest as _, Sha256};

use super::connect::UNHURRIED;
pub use super::soundness::Soundness;
use super::{AnyConnection, Database, DatabaseFault, address, soundness, sqlite_file};
use crate::platform::files::{self, folder_of};

/// A backup and what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    pub file: PathBuf,
    pub bytes: u64,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// What is in it; of a PostgreSQL archive, only once it is restored.
    pub content: Option<Soundness>,
}

type Done<T> = Result<T, DatabaseFault>;

fn refused(what: &str, path: &Path, cause: &io::Error) -> DatabaseFault {
    DatabaseFault::new(
        format!("{what} {} : {}", path.display(), crate::kernel::system::said(cause)),
        "Vérifier le chemin, les droits du compte et la place sur le disque ; rien n'a été remplacé.",
    )
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn must_be_free(path: &Path) -> Done<()> {
    if path.symlink_metadata().is_ok() {
        return Err(DatabaseFault::new(
            format!("{} existe déjà", path.display()),
            "Rien n'est jamais remplacé : donner un autre nom, ou déplacer ce fichier.",
        ));
    }
    Ok(())
}

/// A file beside its future name, for its owner alone, gone again unless it is kept.
fn unfinished(path: &Path) -> Done<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".inachevé-")
        .tempfile_in(folder_of(path))
        .map_err(|e| refused("Rien ne peut être écrit à côté de", path, &e))
}

/// Gives a finished file its name, unless somebody took it meanwhile; it outlives a power cut from then on.
fn keep(file: tempfile::NamedTempFile, path: &Path) -> Done<()> {
    let kept = file.as_file().sync_all().and_then(|()| file.persist_noclobber(path).map_err(|e| e.error));
    kept.and_then(|_| files::sync_folder_of(path))
        .map_err(|e| refused("La sauvegarde ne peut être gardée sous", path, &e))
}

fn digest_of(path: &Path) -> Done<(u64, String)> {
    use std::fmt::Write as _;
    let read = || -> io::Result<(u64, String)> {
        let mut file = File::open(path)?;
        let (mut hash, mut length) = (Sha256::new(), 0_u64);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = file.read(&mut buffer)?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            hash.update(bytes);
            length = length.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        let mut hex = String::with_capacity(64);
        for byte in hash.finalize() {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Ok((length, hex))
    };
    read().map_err(|e| refused("Impossible de lire", path, &e))
}

fn sound(content: Soundness) -> Done<Soundness> {
    if content.faults.is_empty() {
        return Ok(content);
    }
    Err(DatabaseFault::new(
        format!("La base n'est pas saine :\n    {}", content.faults.join("\n    ")),
        "Ne pas s'y fier : prendre une autre sauvegarde, et chercher la cause (disque, copie interrompue, main étrangère).",
    ))
}

/// Opens a SQLite file beside the program's own base.
fn examine_sqlite(path: &Path) -> Done<Soundness> {
    let opened = SqliteConnection::establish(&path.to_string_lossy()).and_then(|mut c| {
        // Reading must not leave a trace beside the file.
        c.batch_execute("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA locking_mode = EXCLUSIVE")
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(c)
    });
    let opened = opened.map_err(|e| {
        DatabaseFault::new(format!("{} ne s'ouvre pas : {e}", path.display()), "Prendre une autre sauvegarde.")
    })?;
    soundness::examine(&mut AnyConnection::Sqlite(opened))
}

/// Runs one of PostgreSQL's own tools; the password travels in its environment, its arguments are read by everybody.
fn tool(name: &str, url: Option<&str>, arguments: &[&std::ffi::OsStr]) -> Done<()> {
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    if let Some(url) = url {
        let (bare, password) = address::without_password(url);
        command.arg("--dbname").arg(bare).env("PGCONNECT_TIMEOUT", "10");
        if let Some(password) = password {
            command.env("PGPASSWORD", password);
        }
    }
    let ended = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => DatabaseFault::new(
            format!("L'outil {name} de PostgreSQL est introuvable"),
            "L'installer, dans la version du serveur ou plus récente (Debian : apt-get install postgresql-client), ou \
             sauvegarder depuis une machine qui l'a.",
        ),
        _ => DatabaseFault::new(
            format!("{name} ne se lance pas : {}", crate::kernel::system::said(&error)),
            "Vérifier son installation.",
        ),
    })?;
    if ended.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&ended.stderr);
    let told: String = told.trim().chars().take(2_000).collect();
    Err(DatabaseFault::new(
        format!("{name} a échoué : {told}"),
        "Vérifier l'adresse, les droits du compte, et que l'outil n'est pas plus ancien que le serveur.",
    ))
}

/// Writes a backup of the base that `url` leads to, while others work on it.
///
/// # Errors
/// The file exists, cannot be written, or what was written is not sound: then no file is left.
pub fn write(db: &Database, url: &str, to: &Path) -> Done<Backup> {
    let digest_file = beside(to, ".sha256");
    must_be_free(to)?;
    must_be_free(&digest_file)?;
    let file = unfinished(to)?;
    let content = if db.is_sqlite() {
        let into = file.path().to_string_lossy().into_owned();
        let copied = db.read(|tx| Ok(diesel::sql_query("VACUUM INTO $1").bind::<Text, _>(&into).execute(tx.conn())?));
        copied.map_err(|e| {
            DatabaseFault::new(
                format!("La base ne se laisse pas copier : {e}"),
                "Vérifier la place sur le disque ; la base elle-même n'est pas touchée.",
            )
        })?;
        Some(sound(examine_sqlite(file.path())?)?)
    } else {
        let path = file.path().as_os_str();
        let flags = ["--format=custom", "--no-owner", "--no-privileges", "--lock-wait-timeout=60s", "--file"];
        let arguments: Vec<_> = flags.iter().map(std::ffi::OsStr::new).chain([path]).collect();
        tool("pg_dump", Some(url), &arguments)?;
        tool("pg_restore", None, &[std::ffi::OsStr::new("--file=/dev/null"), path])?;
        None
    };
    let (bytes, sha256) = digest_of(file.path())?;
    keep(file, to)?;
    let name = to.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut written = unfinished(&digest_file)?;
    writeln!(written, "{sha256}  {name}").map_err(|e| refused("Impossible d'écrire", &digest_file, &e))?;
    keep(written, &digest_file)?;
    Ok(Backup { file: to.to_owned(), bytes, sha256, content })
}

/// What a backup file is, by its first bytes.
enum Kind {
    Sqlite,
    Postgres,
}

fn kind_of(path: &Path) -> Done<Kind> {
    let mut head = [0; 16];
    let read = File::open(path)
        .and_then(|mut file| file.read(&mut head))
        .map_err(|e| refused("Impossible de lire", path, &e))?;
    match head.get(..read) {
        Some(head) if head == b"SQLite format 3\0" => Ok(Kind::Sqlite),
        Some(head) if head.starts_with(b"PGDMP") => Ok(Kind::Postgres),
        _ => Err(DatabaseFault::new(
            format!("{} n'est pas une sauvegarde de ce programme", path.display()),
            "Donner le fichier écrit par « ent-backoffice backup ».",
        )),
    }
}

/// Whether a backup can be trusted. Nothing is written, no database is touched.
///
/// # Errors
/// What is wrong with it.
pub fn check(file: &Path) -> Done<Backup> {
    let kind = kind_of(file)?;
    let (bytes, sha256) = digest_of(file)?;
    let digest_file = beside(file, ".sha256");
    match std::fs::read_to_string(&digest_file) {
        Ok(text) if text.split_whitespace().next() == Some(&sha256) => {}
        Ok(_) => {
            return Err(DatabaseFault::new(
                format!("{} n'a plus l'empreinte que dit {}", file.display(), digest_file.display()),
                "Le fichier a été abîmé ou changé depuis la sauvegarde : prendre une autre sauvegarde.",
            ));
        }
        Err(error) => return Err(refused("L'empreinte de la sauvegarde manque :", &digest_file, &error)),
    }
    let content = match kind {
        Kind::Sqlite => Some(sound(examine_sqlite(file)?)?),
        Kind::Postgres => {
            // Reads every block of the archive.
            tool("pg_restore", None, &[std::ffi::OsStr::new("--file=/dev/null"), file.as_os_str()])?;
            None
        }
    };
    Ok(Backup { file: file.to_owned(), bytes, sha256, content })
}

/// Restores a SQLite backup under the name of `url`, where no base may be.
///
/// # Errors
/// The backup is not sound, is one of PostgreSQL, or there is a base already.
pub fn restore_sqlite(file: &Path, url: &str) -> Done<Backup> {
    let Some(base) = sqlite_file(url) else {
        return Err(DatabaseFault::new("L'adresse de la base n'est pas un fichier SQLite", "Corriger database.url."));
    };
    if matches!(kind_of(file)?, Kind::Postgres) {
        return Err(wrong_kind("PostgreSQL", "SQLite"));
    }
    // A log left behind would be played over the restored base.
    for suffix in ["", "-wal", "-shm", "-journal"] {
        must_be_free(&beside(base, suffix))?;
    }
    let backup = check(file)?;
    files::private_folder(folder_of(base))
        .map_err(|e| refused("Le dossier de la base ne peut être créé :", base, &e))?;
    let mut copy = unfinished(base)?;
    let copied = File::open(file).and_then(|mut from| io::copy(&mut from, copy.as_file_mut()));
    copied.map_err(|e| refused("La sauvegarde ne peut être copiée vers", base, &e))?;
    if digest_of(copy.path())?.1 != backup.sha256 {
        return Err(DatabaseFault::new("La copie n'est pas celle qui a été examinée", "Recommencer."));
    }
    keep(copy, base)?;
    Ok(backup)
}

/// Restores a PostgreSQL archive into the empty base of `url`, and examines it there.
///
/// # Errors
/// The archive is not whole, is one of SQLite, the base is not empty, or what was restored is not sound.
pub fn restore_postgres(db: &Database, file: &Path, url: &str) -> Done<Backup> {
    if matches!(kind_of(file)?, Kind::Sqlite) {
        return Err(wrong_kind("SQLite", "PostgreSQL"));
    }
    if !db.is_new()? {
        return Err(DatabaseFault::new(
            "La base n'est pas vide",
            "Rien n'est jamais remplacé : créer une base vide (CREATE DATABASE …) et y restaurer.",
        ));
    }
    let mut backup = check(file)?;
    let flags = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"];
    let arguments: Vec<_> = flags.iter().map(std::ffi::OsStr::new).chain([file.as_os_str()]).collect();
    tool("pg_restore", Some(url), &arguments)?;
    let mut session = db.reader().map_err(|e| super::migrations::fault(&e))?;
    if let AnyConnection::Postgresql(c) = &mut session.conn {
        c.batch_execute(UNHURRIED).map_err(|e| super::migrations::fault(&e))?;
        session.lost = true;
    }
    backup.content = Some(sound(soundness::examine(&mut session.conn)?)?);
    Ok(backup)
}

fn wrong_kind(file: &str, base: &str) -> DatabaseFault {
    DatabaseFault::new(
        format!("La sauvegarde est celle d'une base {file}, et l'adresse mène à une base {base}"),
        "Une sauvegarde se restaure sur la même espèce de base : corriger database.url (DATABASE_URL).",
    )
}
