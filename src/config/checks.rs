//! Judges settings that could be read: bounds, files that exist, texts still to be written.
//!
//! Over 400 lines: one place where every bound of the configuration stands, in the order of its sections.

use super::{Config, ConfigFault, FaultLevel};
use crate::campaigns::texts::DocumentKind;
use crate::platform::attachments::MAX_FILE_BYTES;
use crate::platform::db::address::{self, Protection};
use crate::platform::jobs::Queue;
use std::path::Path;

impl Config {
    /// What is wrong, errors first; warnings do not keep the program from starting.
    #[must_use]
    pub fn check(&self) -> Vec<ConfigFault> {
        let mut faults = Vec::new();
        self.check_server(&mut faults);
        self.check_database(&mut faults);
        self.check_access(&mut faults);
        self.check_imports(&mut faults);
        self.check_attachments(&mut faults);
        self.check_documents(&mut faults);
        self.check_jobs(&mut faults);
        self.mail.check(&mut faults);
        self.check_small_claims(&mut faults);
        self.check_retention(&mut faults);
        self.check_texts(&mut faults);
        faults.sort_by_key(|fault| fault.level);
        faults
    }

    /// [`Config::check`] for start-up.
    ///
    /// # Errors
    /// The faults, when at least one of them is an error.
    pub fn startable(&self) -> Result<(), Vec<ConfigFault>> {
        let mut faults = self.check();
        faults.retain(|fault| fault.level == FaultLevel::Error);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn check_server(&self, faults: &mut Vec<ConfigFault>) {
        let server = &self.server;
        let https = server.public_url.starts_with("https://");
        if !https && !server.public_url.starts_with("http://") || server.public_url.ends_with('/') {
            faults.push(ConfigFault::error(
                "server.public_url",
                format!("« {} » n'est pas l'adresse publique attendue", server.public_url),
                "Écrivez l'adresse que les communes verront, sans barre finale : https://ent-ecole.exemple.fr",
            ));
        } else if !https && !server.listen.ip().is_loopback() {
            faults.push(ConfigFault::warning(
                "server.public_url",
                "l'adresse publique n'est pas en https : mots de passe et liens circuleraient en clair",
                "Placez un serveur mandataire TLS devant le programme et écrivez son adresse en https://",
            ));
        }
        range(faults, "server.json_limit_bytes", server.json_limit_bytes, 1_024, 104_857_600, "octets");
        range(faults, "server.import_limit_bytes", server.import_limit_bytes, 1_024, 1_073_741_824, "octets");
        range(faults, "server.request_timeout_seconds", server.request_timeout_seconds, 1, 3_600, "secondes");
        range(faults, "server.header_timeout_seconds", server.header_timeout_seconds, 1, 300, "secondes");
        range(faults, "server.shutdown_timeout_seconds", server.shutdown_timeout_seconds, 1, 3_600, "secondes");
        range(faults, "server.hsts_seconds", server.hsts_seconds, 0, 63_072_000, "secondes (0 : jamais)");
        if self.metrics.listen == Some(server.listen) && server.listen.port() != 0 {
            faults.push(ConfigFault::error(
                "metrics.listen",
                format!("{} est déjà l'adresse de l'API", server.listen),
                "Donnez aux mesures une adresse à elles, ou laissez la valeur vide.",
            ));
        } else if self.metrics.listen.is_none() && !server.is_local() {
            faults.push(ConfigFault::warning(
                "metrics.listen",
                "le programme est public et les mesures n'ont pas d'adresse à elles : /metrics ne répondra pas",
                "Donnez une adresse que seul le collecteur atteint : metrics.listen = \"127.0.0.1:9464\".",
            ));
        }
        range(faults, "server.workers", server.workers, 0, 256, "fils d'exécution (0 : un par cœur)");
        let connections = if server.connections == 0 { 8 } else { server.connections };
        range(faults, "server.connections", connections, 8, 100_000, "connexions (0 : selon les descripteurs)");
        range(faults, "server.stall_timeout_seconds", server.stall_timeout_seconds, 1, 300, "secondes");
        range(
            faults,
            "server.least_bytes_per_second",
            server.least_bytes_per_second,
            0,
            1_048_576,
            "octets par seconde (0 : aucun minimum)",
        );
        if let Some(everybody) = server.trusted_proxies.iter().find(|network| network.is_everybody()) {
            faults.push(ConfigFault::error(
                "server.trusted_proxies",
                format!("« {everybody} » laisserait chacun choisir l'adresse sous laquelle il appelle"),
                "Écrivez les seules adresses des serveurs mandataires placés devant le programme.",
            ));
        }
    }

    fn check_database(&self, faults: &mut Vec<ConfigFault>) {
        let database = &self.database;
        let known = ["sqlite://", "postgres://", "postgresql://"];
        if !known.iter().any(|scheme| database.url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty())) {
            faults.push(ConfigFault::error(
                "database.url",
                format!("« {} » n'est pas une adresse de base", super::masked::masked_url(&database.url)),
                "Écrivez sqlite://./data/ent-backoffice.sqlite ou postgres://utilisateur@hôte:5432/base \
                 (ou donnez la variable DATABASE_URL).",
            ));
        } else if let Err(fault) = self.database_url() {
            faults.push(fault);
        }
        self.check_protection(faults);
        range(faults, "database.postgres_connections", database.postgres_connections, 2, 500, "connexions");
        range(faults, "database.postgres_readers", database.postgres_readers, 1, 100, "connexions");
        range(faults, "database.sqlite_readers", database.sqlite_readers, 1, 64, "connexions");
        range(faults, "database.pool_timeout_seconds", database.pool_timeout_seconds, 1, 300, "secondes");
        range(
            faults,
            "database.busy_timeout_milliseconds",
            database.busy_timeout_milliseconds,
            100,
            60_000,
            "millisecondes",
        );
        for (key, value, least, most) in [
            ("database.postgres_lock_timeout_seconds", database.postgres_lock_timeout_seconds, 0, 600),
            ("database.postgres_statement_timeout_seconds", database.postgres_statement_timeout_seconds, 0, 3_600),
            ("database.postgres_idle_timeout_seconds", database.postgres_idle_timeout_seconds, 0, 3_600),
            ("database.postgres_connect_timeout_seconds", database.postgres_connect_timeout_seconds, 2, 60),
            ("database.postgres_silence_seconds", database.postgres_silence_seconds, 0, 3_600),
        ] {
            range(faults, key, value, least, most, "secondes");
        }
        if (1..6).contains(&database.postgres_silence_seconds) {
            faults.push(ConfigFault::error(
                "database.postgres_silence_seconds",
                format!("{} est trop court pour trois questions au serveur", database.postgres_silence_seconds),
                "Écrivez 0 (comme le système), ou une valeur de 6 à 3600 secondes.",
            ));
        }
        let name = &database.application_name;
        if !(1..=63).contains(&name.len()) || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) {
            faults.push(ConfigFault::error(
                "database.application_name",
                format!("« {name} » n'est pas un nom que PostgreSQL montre tel quel"),
                "Écrivez 1 à 63 lettres sans accent, chiffres, tirets ou soulignés.",
            ));
        }
        if let Some(id) = database.expected_id.as_ref().filter(|id| uuid::Uuid::try_parse(id).is_err()) {
            faults.push(ConfigFault::error(
                "database.expected_id",
                format!("« {id} » n'est pas l'identifiant d'une base"),
                "Recopiez celui qu'affiche « ent-backoffice migrate », ou laissez la valeur vide.",
            ));
        }
    }

    /// Beyond this machine, PostgreSQL is reached encrypted, or somebody has written that it need not be.
    fn check_protection(&self, faults: &mut Vec<ConfigFault>) {
        let database = &self.database;
        if !database.url.starts_with("postgres") || !address::leaves_this_machine(&database.url) {
            return;
        }
        match address::protection(&database.url) {
            Protection::Verified => {}
            Protection::Encrypted => faults.push(ConfigFault::warning(
                "database.url",
                "sslmode=require chiffre sans vérifier qui répond : un intrus peut se faire passer pour le serveur",
                "Ajoutez à l'adresse sslmode=verify-full&sslrootcert=/chemin/autorité.crt",
            )),
            Protection::None if database.allow_unencrypted => {}
            Protection::None => faults.push(ConfigFault::error(
                "database.url",
                "la base est hors de cette machine, et la liaison n'est pas obligatoirement chiffrée (sslmode absent, \
                 disable, allow ou prefer)",
                "Ajoutez à l'adresse ?sslmode=verify-full&sslrootcert=/chemin/autorité.crt (ou sslmode=require) ; sur un \
                 réseau à vous seul, écrivez database.allow_unencrypted = true.",
            )),
        }
    }

    fn check_access(&self, faults: &mut Vec<ConfigFault>) {
        let access = &self.access;
        for (key, text) in [("access.issuer", &access.issuer), ("access.audience", &access.audience)] {
            blank(faults, key, text);
        }
        range(faults, "access.access_token_minutes", access.access_token_minutes, 1, 1_440, "minutes");
        range(faults, "access.refresh_token_days", access.refresh_token_days, 1, 365, "jours");
        range(faults, "access.session_days", access.session_days, 1, 365, "jours");
        range(faults, "access.failed_login_limit", access.failed_login_limit, 1, 100, "essais");
        range(faults, "access.failed_login_window_minutes", access.failed_login_window_minutes, 1, 1_440, "minutes");
        let limits = [
            ("access.failed_login_source_limit", access.failed_login_source_limit),
            ("access.failed_login_account_limit", access.failed_login_account_limit),
        ];
        for (key, limit) in limits {
            range(faults, key, limit, 1, 1_000_000, "essais");
        }
        range(faults, "access.longest_wait_minutes", access.longest_wait_minutes, 1, 1_440, "minutes");
        range(faults, "access.password_code_hours", access.password_code_hours, 1, 720, "heures");
        range(faults, "access.hashings_at_once", access.hashings_at_once, 0, 256, "calculs (0 : un par cœur)");
        range(faults, "access.hashings_waiting", access.hashings_waiting, 1, 10_000, "appels");
        faults.extend(self.missing_signing_key());
        for path in &access.signing_key_files {
            match super::secrets::read_key(path) {
                Err(fault) => faults.push(fault),
                Ok(_) if readable_by_all(path) => faults.push(ConfigFault::warning(
                    "access.signing_key_files",
                    format!("{} est lisible par tous les comptes de la machine", path.display()),
                    format!("Exécutez : chmod 600 {}", path.display()),
                )),
                Ok(_) => {}
            }
        }
    }

    fn check_documents(&self, faults: &mut Vec<ConfigFault>) {
        let documents = &self.documents;
        let folders =
            [("documents.font_dir", &documents.font_dir), ("documents.template_dir", &documents.template_dir)];
        for (key, folder) in folders {
            if let Some(folder) = folder.as_ref().filter(|folder| !folder.is_dir()) {
                faults.push(ConfigFault::error(
                    key,
                    format!("{} n'est pas un dossier", folder.display()),
                    "Créez ce dossier, corrigez le chemin, ou laissez la valeur vide.",
                ));
            }
        }
    }

    fn check_imports(&self, faults: &mut Vec<ConfigFault>) {
        let imports = &self.imports;
        range(faults, "imports.memory_megabytes", imports.memory_megabytes, 64, 16_384, "mégaoctets");
        range(faults, "imports.seconds", imports.seconds, 1, 3_600, "secondes");
        range(faults, "imports.at_once", imports.at_once, 1, 64, "fichiers");
        range(faults, "imports.rows", imports.rows, 1_000, 5_000_000, "lignes");
        if imports.seconds >= self.server.request_timeout_seconds {
            faults.push(ConfigFault::warning(
                "imports.seconds",
                format!(
                    "vaut {}, et une requête n'a que {} secondes (server.request_timeout_seconds)",
                    imports.seconds, self.server.request_timeout_seconds
                ),
                "Laissez à la requête plus de temps qu'à la lecture de son fichier.",
            ));
        }
    }

    fn check_attachments(&self, faults: &mut Vec<ConfigFault>) {
        let attachments = &self.attachments;
        let file = attachments.file_limit_bytes;
        range(faults, "attachments.file_limit_bytes", file, 100_000, MAX_FILE_BYTES, "octets");
        range(faults, "attachments.total_limit_bytes", attachments.total_limit_bytes, file, 524_288_000, "octets");
        range(faults, "attachments.memory_megabytes", attachments.memory_megabytes, 128, 16_384, "mégaoctets");
        range(faults, "attachments.seconds", attachments.seconds, 1, 3_600, "secondes");
        range(faults, "attachments.at_once", attachments.at_once, 1, 64, "pièces");
        range(faults, "attachments.waiting_seconds", attachments.waiting_seconds, 0, 600, "secondes");
        range(faults, "attachments.scan_timeout_seconds", attachments.scan_timeout_seconds, 1, 600, "secondes");
        if attachments.scan_command.first().is_some_and(|program| !program.starts_with('/')) {
            faults.push(ConfigFault::error(
                "attachments.scan_command",
                "le programme n'est pas donné par son chemin entier".to_owned(),
                "Écrivez par exemple [\"/usr/bin/clamdscan\", \"--no-summary\", \"-\"], ou [] sans antivirus.",
            ));
        }
        let scanning = if attachments.scan_command.is_empty() { 0 } else { attachments.scan_timeout_seconds };
        let longest = attachments.seconds.saturating_add(attachments.waiting_seconds).saturating_add(scanning);
        if longest >= self.server.request_timeout_seconds {
            faults.push(ConfigFault::warning(
                "attachments.seconds",
                format!(
                    "avec attachments.waiting_seconds et scan_timeout_seconds font {longest}, et une requête n'a que {} secondes \
                     (server.request_timeout_seconds)",
                    self.server.request_timeout_seconds
                ),
                "Laissez à la requête plus de temps qu'à l'examen d'une pièce.",
            ));
        }
    }

    fn check_jobs(&self, faults: &mut Vec<ConfigFault>) {
        let jobs = &self.jobs;
        for queue in Queue::ALL {
            range(faults, &format!("jobs.workers.{queue}"), jobs.workers.of(*queue), 1, 16, "fils d'exécution");
        }
        let (workers, connections) = (jobs.workers.total(), self.database.postgres_connections);
        if !self.database.url.starts_with("sqlite:") && workers >= connections {
            faults.push(ConfigFault::warning(
                "jobs.workers",
                format!(
                    "{workers} fils d'exécution en tout, et {connections} connexions (database.postgres_connections) : \
                     occupés ensemble, ils n'en laissent aucune aux requêtes"
                ),
                "Laissez à la base plus de connexions que de fils d'exécution.",
            ));
        }
        range(faults, "jobs.poll_milliseconds", jobs.poll_milliseconds, 50, 60_000, "millisecondes");
        range(faults, "jobs.lease_seconds", jobs.lease_seconds, 10, 3_600, "secondes");
        range(faults, "jobs.max_attempts", jobs.max_attempts, 1, 100, "essais");
        range(faults, "jobs.late_after_seconds", jobs.late_after_seconds, 10, 604_800, "secondes");
    }

    fn check_retention(&self, faults: &mut Vec<ConfigFault>) {
        let retention = &self.retention;
        range(faults, "retention.connections_months", retention.connections_months, 1, 36, "mois");
        range(faults, "retention.accounts_years", retention.accounts_years, 1, 30, "ans");
        range(faults, "retention.contacts_years", retention.contacts_years, 1, 30, "ans");
        range(faults, "retention.journal_years", retention.journal_years, 1, 50, "ans");
        range(faults, "retention.accounting_years", retention.accounting_years, 5, 50, "ans");
    }

    fn check_small_claims(&self, faults: &mut Vec<ConfigFault>) {
        let rows = &self.small_claims.thresholds;
        if rows.is_empty() || !rows.iter().zip(rows.iter().skip(1)).all(|(row, next)| row.from < next.from) {
            faults.push(ConfigFault::error(
                "small_claims.thresholds",
                "la table des seuils est vide, ou ses dates ne vont pas en croissant",
                "Écrivez une ligne par seuil, de la plus ancienne date « from » à la plus récente.",
            ));
        }
    }

    fn check_texts(&self, faults: &mut Vec<ConfigFault>) {
        let texts = &self.texts;
        for (path, text) in texts.placeholders() {
            faults.push(ConfigFault::warning(
                format!("texts.{path}"),
                format!("le texte livré est encore là (« {} »)", text.replace('\n', " / ")),
                "Remplacez-le par celui de votre région académique : il sera imprimé sur chaque document.",
            ));
        }
        let needed = [
            ("texts.issuer.name", &texts.issuer.name),
            ("texts.signatory.last_name", &texts.signatory.last_name),
            ("texts.signatory.title", &texts.signatory.title),
            ("texts.courts.convention", &texts.courts.convention),
        ];
        for (key, text) in needed {
            blank(faults, key, text);
        }
        let mails =
            [("texts.issuer.contact_email", &texts.issuer.contact_email), ("texts.dpo.email", &texts.dpo.email)];
        for (key, mail) in mails {
            if !mail.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.')) {
                faults.push(ConfigFault::error(
                    key,
                    format!("« {mail} » n'est pas une adresse électronique"),
                    "Écrivez une adresse que les communes pourront utiliser : service@ac-exemple.fr",
                ));
            }
        }
        if texts.document_kind == DocumentKind::Titre {
            faults.push(ConfigFault::error(
                "texts.document_kind",
                "vaut \"titre\", que cette version ne produit pas : le titre exécutoire est édité par Chorus",
                "Écrivez document_kind = \"demande\".",
            ));
            for path in texts.missing_for_title() {
                faults.push(ConfigFault::error(
                    format!("texts.{path}"),
                    "manque, alors que texts.document_kind = \"titre\"",
                    "Renseignez-le, ou revenez à document_kind = \"demande\" : sans fondement, délégation, comptable \
                     et voies de recours validées, le document ne peut pas s'appeler titre de perception.",
                ));
            }
        }
    }
}

fn range(faults: &mut Vec<ConfigFault>, key: &str, value: impl TryInto<u64>, least: u64, most: u64, unit: &str) {
    let value = value.try_into().unwrap_or(u64::MAX);
    if !(least..=most).contains(&value) {
        faults.push(ConfigFault::error(
            key,
            format!("{value} est hors des bornes"),
            format!("Écrivez une valeur de {least} à {most} {unit}."),
        ));
    }
}

fn blank(faults: &mut Vec<ConfigFault>, key: &str, text: &str) {
    if text.trim().is_empty() {
        faults.push(ConfigFault::error(key, "la valeur est vide", "Renseignez ce réglage."));
    }
}

#[cfg(unix)]
fn readable_by_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn readable_by_all(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DatabaseConfig;

    fn errors(change: impl FnOnce(&mut Config)) -> Vec<String> {
        let mut config = Config::default();
        change(&mut config);
        config.startable().err().unwrap_or_default().into_iter().map(|fault| fault.key).collect()
    }

    #[test]
    fn the_shipped_settings_start_and_name_every_text_to_replace() {
        let faults = Config::default().check();
        assert!(faults.iter().all(|fault| fault.level == FaultLevel::Warning));
        assert!(faults.iter().any(|fault| fault.key == "texts.issuer.name"));
        assert_eq!(faults.len(), Config::default().texts.placeholders().len());
    }

    #[test]
    fn beyond_this_machine_a_configured_key_is_required() {
        let open = |config: &mut Config| config.server.listen = "0.0.0.0:8080".parse().unwrap();
        assert_eq!(errors(open), ["access.signing_key_files"]);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "k".repeat(64)).unwrap();
        let keyed = |config: &mut Config| {
            open(config);
            config.access.signing_key_files = vec![file.path().to_owned()];
        };
        assert_eq!(errors(keyed), Vec::<String>::new());
    }

    #[test]
    fn beyond_this_machine_the_base_is_reached_encrypted_unless_refused_in_words() {
        let reached = |url: &str| {
            let url = url.to_owned();
            move |config: &mut Config| config.database.url = url
        };
        for clear in ["", "?sslmode=prefer", "?sslmode=allow", "?sslmode=disable"] {
            assert_eq!(
                errors(reached(&format!("postgres://ent@db.exemple.fr/ent{clear}"))),
                ["database.url"],
                "{clear}"
            );
        }
        for fine in [
            "postgres://ent@db.exemple.fr/ent?sslmode=require",
            "postgres://ent@db.exemple.fr/ent?sslmode=verify-full",
            "postgres://ent@localhost/ent",
            "postgres:///ent",
        ] {
            assert_eq!(errors(reached(fine)), Vec::<String>::new(), "{fine}");
        }
        let in_words = |config: &mut Config| {
            config.database.url = "postgres://ent@postgres/ent".into();
            config.database.allow_unencrypted = true;
        };
        assert_eq!(errors(in_words), Vec::<String>::new());
        let mut config = Config::default();
        config.database.url = "postgres://ent@db.exemple.fr/ent?sslmode=require".into();
        assert!(config.check().iter().any(|f| f.key == "database.url" && f.level == FaultLevel::Warning));
    }

    #[test]
    fn each_fault_names_its_setting() {
        assert_eq!(errors(|c| c.server.public_url = "ent.fr".into()), ["server.public_url"]);
        assert_eq!(errors(|c| c.server.public_url = "https://ent.fr/".into()), ["server.public_url"]);
        assert_eq!(errors(|c| c.server.request_timeout_seconds = 40_000), ["server.request_timeout_seconds"]);
        assert_eq!(errors(|c| c.server.connections = 3), ["server.connections"]);
        assert_eq!(errors(|c| c.server.stall_timeout_seconds = 0), ["server.stall_timeout_seconds"]);
        let everybody = |c: &mut Config| c.server.trusted_proxies = vec!["0.0.0.0/0".parse().unwrap()];
        assert_eq!(errors(everybody), ["server.trusted_proxies"]);
        assert_eq!(errors(|c| c.database.url = "mysql://x".into()), ["database.url"]);
        assert_eq!(errors(|c| c.database.url = "sqlite://".into()), ["database.url"]);
        assert_eq!(
            errors(|c| c.database.postgres_statement_timeout_seconds = 3_601),
            ["database.postgres_statement_timeout_seconds"]
        );
        assert_eq!(errors(|c| c.database.postgres_silence_seconds = 5), ["database.postgres_silence_seconds"]);
        assert_eq!(errors(|c| c.database.application_name = "a b".into()), ["database.application_name"]);
        assert_eq!(errors(|c| c.database.expected_id = Some("12".into())), ["database.expected_id"]);
        let password = |c: &mut Config| {
            c.database = DatabaseConfig { password_file: Some("/nowhere".into()), ..DatabaseConfig::default() };
        };
        assert_eq!(errors(password), ["database.password_file"]);
        assert_eq!(errors(|c| c.access.issuer = " ".into()), ["access.issuer"]);
        assert_eq!(errors(|c| c.access.signing_key_files = vec!["/nowhere".into()]), ["access.signing_key_files"]);
        assert_eq!(errors(|c| c.documents.font_dir = Some("/nowhere".into())), ["documents.font_dir"]);
        assert_eq!(errors(|c| c.jobs.workers.papers = 0), ["jobs.workers.papers"]);
        let mut config = Config::default();
        config.database.url = "postgres:///ent".into();
        assert!(config.check().iter().all(|f| f.key != "jobs.workers"));
        config.database.postgres_connections = config.jobs.workers.total();
        assert!(config.check().iter().any(|f| f.key == "jobs.workers" && f.level == FaultLevel::Warning));
        assert_eq!(errors(|c| c.imports.memory_megabytes = 1), ["imports.memory_megabytes"]);
        assert_eq!(errors(|c| c.imports.at_once = 0), ["imports.at_once"]);
        let relative = |c: &mut Config| c.attachments.scan_command = vec!["clamdscan".into(), "-".into()];
        assert_eq!(errors(relative), ["attachments.scan_command"]);
        assert_eq!(errors(|c| c.attachments.file_limit_bytes = 20_971_521), ["attachments.file_limit_bytes"]);
        assert_eq!(errors(|c| c.attachments.total_limit_bytes = 1_000_000), ["attachments.total_limit_bytes"]);
        let mut config = Config::default();
        config.attachments.seconds = config.server.request_timeout_seconds - 15;
        let warned =
            |c: &Config| c.check().iter().any(|f| f.key == "attachments.seconds" && f.level == FaultLevel::Warning);
        assert!(!warned(&config));
        config.attachments.scan_command = vec!["/usr/bin/clamdscan".into()];
        assert!(warned(&config));
        let mut config = Config::default();
        config.imports.seconds = config.server.request_timeout_seconds;
        assert!(config.check().iter().any(|f| f.key == "imports.seconds" && f.level == FaultLevel::Warning));
        assert_eq!(errors(|c| c.small_claims.thresholds.reverse()), ["small_claims.thresholds"]);
        assert_eq!(errors(|c| c.small_claims.thresholds.clear()), ["small_claims.thresholds"]);
        assert_eq!(errors(|c| c.texts.dpo.email = "dpo".into()), ["texts.dpo.email"]);
    }

    #[test]
    fn a_titre_is_refused_until_its_mentions_are_there() {
        let missing = errors(|config| config.texts.document_kind = DocumentKind::Titre);
        assert!(missing.contains(&"texts.courts.validated_by".to_owned()));
        // And once more for the heading itself, which this version does not print.
        assert_eq!(missing.len(), Config::default().texts.missing_for_title().len() + 1);
    }

    #[test]
    fn a_fault_reads_as_a_sentence() {
        let mut config = Config::default();
        config.jobs.workers.papers = 0;
        let fault = config.startable().unwrap_err().remove(0);
        assert_eq!(
            fault.to_string(),
            "erreur : jobs.workers.papers : 0 est hors des bornes\n    → Écrivez une valeur de 1 à 16 fils d'exécution."
        );
    }
}
