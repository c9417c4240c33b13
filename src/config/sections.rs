//! The settings, section by section, with their defaults.
//!
//! Every setting is described, with unit and range, in `config/ent-backoffice.toml`; a test keeps
//! that file and these defaults equal.
//!
//! Over 400 lines: one list of settings, and each setting is one line of it.

use super::mail::MailConfig;
use crate::campaigns::texts::CampaignTexts;
use crate::platform::attachments::{DeskRules, MAX_FILE_BYTES, Scanner, UploadRules};
use crate::platform::jobs::Queue;
use crate::platform::retention::Terms;
use crate::platform::tabular::Bounds;
use crate::platform::web::caller::{ForwardedBy, Network, TrustedProxies};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// All the settings of the program. Passed as a value; there is no global.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: ServerConfig,
    pub database: DatabaseConfig,
    pub access: AccessConfig,
    pub imports: ImportsConfig,
    pub attachments: AttachmentsConfig,
    pub documents: DocumentsConfig,
    pub jobs: JobsConfig,
    pub mail: MailConfig,
    pub metrics: MetricsConfig,
    pub small_claims: SmallClaimsConfig,
    pub retention: RetentionConfig,
    pub texts: CampaignTexts,
}

/// Where the program listens and how much it accepts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    pub listen: SocketAddr,
    /// Address printed in mails and links, without a final slash.
    pub public_url: String,
    pub json_limit_bytes: usize,
    pub import_limit_bytes: usize,
    pub request_timeout_seconds: u64,
    /// How long a client may take to send the head of a request.
    pub header_timeout_seconds: u64,
    /// How long a stop waits for the requests under way.
    pub shutdown_timeout_seconds: u64,
    /// `max-age` of Strict-Transport-Security, sent only when `public_url` is https; 0 = never.
    pub hsts_seconds: u64,
    /// HTTP threads; 0 = one per core.
    pub workers: usize,
    /// Connections of callers at once; 0 = as many as the descriptors of the process leave room for, 1,024 at most.
    pub connections: usize,
    /// Longest silence of a caller in the middle of a body it sends or of an answer it reads.
    pub stall_timeout_seconds: u64,
    /// Least mean speed of both, once such a silence's length has passed; 0 = none.
    pub least_bytes_per_second: u64,
    /// Proxies whose word is taken for the caller's address; nobody else's is.
    pub trusted_proxies: Vec<Network>,
    /// The header in which these proxies write it.
    pub forwarded_header: ForwardedBy,
}

impl ServerConfig {
    /// Whether the program was told that it is reached over TLS.
    #[must_use]
    pub fn behind_tls(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The proxies whose word is taken for the caller's address.
    #[must_use]
    pub fn proxies(&self) -> TrustedProxies {
        TrustedProxies { networks: self.trusted_proxies.clone(), header: self.forwarded_header }
    }

    /// Whether the address given to people is one of this machine only.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = self.public_url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default();
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        self.listen.ip().is_loopback() && ["127.0.0.1", "localhost", "[::1]"].contains(&name)
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public_url: "http://127.0.0.1:8080".to_owned(),
            json_limit_bytes: 1_048_576,
            import_limit_bytes: 52_428_800,
            request_timeout_seconds: 60,
            header_timeout_seconds: 5,
            shutdown_timeout_seconds: 30,
            hsts_seconds: 31_536_000,
            workers: 0,
            connections: 0,
            stall_timeout_seconds: 10,
            least_bytes_per_second: 1_024,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedBy::XForwardedFor,
        }
    }
}

/// Which database, and how many connections to it. Use [`Config::database_url`] to connect.
///
/// [`Config::database_url`]: super::Config::database_url
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite://path` or `postgres://user@host/base`.
    pub url: String,
    /// File holding the PostgreSQL password, put into the URL when connecting.
    #[serde(default, deserialize_with = "blank_path_is_none")]
    pub password_file: Option<PathBuf>,
    /// Connections to PostgreSQL that write.
    pub postgres_connections: u32,
    /// Connections to PostgreSQL kept for readings, beside those that write.
    pub postgres_readers: u32,
    /// Reading connections to SQLite, beside the single writer.
    pub sqlite_readers: u32,
    /// How long a request waits for a free connection.
    pub pool_timeout_seconds: u64,
    /// How long SQLite waits for the writer.
    pub busy_timeout_milliseconds: u32,
    /// How long one statement waits for a lock of PostgreSQL; 0 = without end.
    pub postgres_lock_timeout_seconds: u32,
    /// How long one statement runs on PostgreSQL; 0 = without end. Commands that end by themselves have no such limit.
    pub postgres_statement_timeout_seconds: u32,
    /// How long a transaction may stand still on PostgreSQL; 0 = without end.
    pub postgres_idle_timeout_seconds: u32,
    /// How long opening a connection to PostgreSQL may take.
    pub postgres_connect_timeout_seconds: u32,
    /// How long a PostgreSQL that says nothing is believed to be there; 0 = as the system has it.
    pub postgres_silence_seconds: u32,
    /// What PostgreSQL calls our connections.
    pub application_name: String,
    /// Whether PostgreSQL may be reached beyond this machine without encryption.
    pub allow_unencrypted: bool,
    /// The id of the base that is meant; another one, or an empty one, is refused.
    #[serde(default, deserialize_with = "blank_text_is_none")]
    pub expected_id: Option<String>,
}

impl std::fmt::Debug for DatabaseConfig {
    /// The URL may hold a password that came from the environment: it is never shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("url", &super::masked::masked_url(&self.url))
            .field("password_file", &self.password_file)
            .field("postgres_connections", &self.postgres_connections)
            .field("postgres_readers", &self.postgres_readers)
            .field("sqlite_readers", &self.sqlite_readers)
            .field("pool_timeout_seconds", &self.pool_timeout_seconds)
            .field("busy_timeout_milliseconds", &self.busy_timeout_milliseconds)
            .field("allow_unencrypted", &self.allow_unencrypted)
            .field("expected_id", &self.expected_id)
            .finish_non_exhaustive()
    }
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: "sqlite://./data/ent-backoffice.sqlite".to_owned(),
            password_file: None,
            postgres_connections: 12,
            postgres_readers: 4,
            sqlite_readers: 4,
            pool_timeout_seconds: 10,
            busy_timeout_milliseconds: 5_000,
            postgres_lock_timeout_seconds: 10,
            postgres_statement_timeout_seconds: 60,
            postgres_idle_timeout_seconds: 60,
            postgres_connect_timeout_seconds: 5,
            postgres_silence_seconds: 60,
            application_name: "ent-backoffice".to_owned(),
            allow_unencrypted: false,
            expected_id: None,
        }
    }
}

/// Tokens, the keys that sign them, the brakes on failed log-ins, and the queue before argon2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessConfig {
    pub issuer: String,
    pub audience: String,
    pub access_token_minutes: u32,
    pub refresh_token_days: u32,
    /// Life of a session however often it is renewed.
    pub session_days: u32,
    /// The first key signs, all of them verify. Empty = a generated key (loopback only).
    pub signing_key_files: Vec<PathBuf>,
    /// Failures on one account from one source before the first wait.
    pub failed_login_limit: u32,
    /// The same from one source, over all accounts.
    pub failed_login_source_limit: u32,
    /// The same on one account, over all the sources it is not known at.
    pub failed_login_account_limit: u32,
    pub failed_login_window_minutes: u32,
    /// The wait doubles from failure to failure, up to this.
    pub longest_wait_minutes: u32,
    /// Life of a one-time code for setting a password.
    pub password_code_hours: u32,
    /// Passwords hashed at once; 0 = one per core.
    pub hashings_at_once: usize,
    /// Callers in line before them; beyond, 503.
    pub hashings_waiting: usize,
}

impl AccessConfig {
    /// How long a one-time code may be used.
    #[must_use]
    pub fn code_life(&self) -> chrono::Duration {
        chrono::Duration::hours(self.password_code_hours.into())
    }
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self {
            issuer: "ent-backoffice".to_owned(),
            audience: "ent-backoffice".to_owned(),
            access_token_minutes: 15,
            refresh_token_days: 14,
            session_days: 30,
            signing_key_files: Vec::new(),
            failed_login_limit: 5,
            failed_login_source_limit: 30,
            failed_login_account_limit: 50,
            failed_login_window_minutes: 15,
            longest_wait_minutes: 15,
            password_code_hours: 72,
            hashings_at_once: 0,
            hashings_waiting: 64,
        }
    }
}

/// What reading one imported file may cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportsConfig {
    /// Memory of the process that reads a file, beyond what the program itself takes.
    pub memory_megabytes: u64,
    pub seconds: u64,
    /// Files read at the same time.
    pub at_once: usize,
    /// Rows under the header.
    pub rows: u64,
}

impl ImportsConfig {
    /// The same for who reads.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let memory_bytes = self.memory_megabytes.saturating_mul(1_000_000);
        Bounds { memory_bytes, seconds: self.seconds, rows: self.rows }
    }
}

impl Default for ImportsConfig {
    fn default() -> Self {
        Self { memory_megabytes: 400, seconds: 30, at_once: 2, rows: 200_000 }
    }
}

/// Files given by people: how large, what looking at them may cost, the house's antivirus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttachmentsConfig {
    pub file_limit_bytes: u64,
    /// Of all the photos of one attachment, and of the PDF made of them.
    pub total_limit_bytes: u64,
    /// Memory of the process that looks at the files, beyond what the program itself takes.
    pub memory_megabytes: u64,
    pub seconds: u64,
    /// Attachments looked at at the same time.
    pub at_once: usize,
    /// How long one more waits for its turn.
    pub waiting_seconds: u64,
    /// Program and arguments; empty = no antivirus.
    pub scan_command: Vec<String>,
    /// For all the files of one attachment.
    pub scan_timeout_seconds: u64,
}

impl AttachmentsConfig {
    /// The same for who receives.
    #[must_use]
    pub fn uploads(&self) -> UploadRules {
        UploadRules { file_bytes: self.file_limit_bytes, total_bytes: self.total_limit_bytes }
    }

    /// The same for who looks.
    #[must_use]
    pub fn rules(&self) -> DeskRules {
        let scanner = self.scan_command.split_first().map(|(program, arguments)| Scanner {
            program: program.clone(),
            arguments: arguments.to_vec(),
            patience: std::time::Duration::from_secs(self.scan_timeout_seconds),
        });
        DeskRules {
            memory_bytes: self.memory_megabytes.saturating_mul(1_000_000),
            seconds: self.seconds,
            written_bytes: self.total_limit_bytes,
            at_once: self.at_once,
            waiting: std::time::Duration::from_secs(self.waiting_seconds),
            scanner,
        }
    }
}

impl Default for AttachmentsConfig {
    fn default() -> Self {
        Self {
            file_limit_bytes: MAX_FILE_BYTES,
            total_limit_bytes: 4 * MAX_FILE_BYTES,
            memory_megabytes: 800,
            seconds: 35,
            at_once: 2,
            waiting_seconds: 10,
            scan_command: Vec::new(),
            scan_timeout_seconds: 10,
        }
    }
}

/// Fonts, templates, and the mark of a trial run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentsConfig {
    /// Folder of fonts added to those of the program.
    #[serde(default, deserialize_with = "blank_path_is_none")]
    pub font_dir: Option<PathBuf>,
    /// Folder of templates that replace those of the program.
    #[serde(default, deserialize_with = "blank_path_is_none")]
    pub template_dir: Option<PathBuf>,
    /// Print « SPÉCIMEN » across every document.
    pub specimen: bool,
}

/// Background work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobsConfig {
    pub workers: WorkersConfig,
    pub poll_milliseconds: u64,
    pub lease_seconds: u32,
    pub max_attempts: u32,
    /// Age of the oldest due job from which `/health/ready` says `degraded`.
    pub late_after_seconds: u32,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self {
            workers: WorkersConfig::default(),
            poll_milliseconds: 1_000,
            lease_seconds: 120,
            max_attempts: 8,
            late_after_seconds: 600,
        }
    }
}

/// Threads that run the jobs of each queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkersConfig {
    pub default: u32,
    pub papers: u32,
    pub acts: u32,
}

impl WorkersConfig {
    #[must_use]
    pub const fn of(&self, queue: Queue) -> u32 {
        match queue {
            Queue::Default => self.default,
            Queue::Papers => self.papers,
            Queue::Acts => self.acts,
        }
    }

    /// Of all queues.
    #[must_use]
    pub fn total(&self) -> u32 {
        Queue::ALL.iter().map(|queue| self.of(*queue)).fold(0, u32::saturating_add)
    }
}

impl Default for WorkersConfig {
    fn default() -> Self {
        Self { default: 1, papers: 2, acts: 1 }
    }
}

/// Where the measures are read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// Address of their own; none = on the main address, for this machine only.
    #[serde(default, deserialize_with = "blank_address_is_none")]
    pub listen: Option<SocketAddr>,
}

/// Thresholds under which the ordonnateur may choose not to issue, by date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmallClaimsConfig {
    /// In order of date; the last one whose `from` is not after the day applies.
    pub thresholds: Vec<Threshold>,
}

/// One row of the table of thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// First day on which it applies.
    pub from: NaiveDate,
    /// Euros, at most two decimals; a claim strictly below is small.
    #[serde(with = "euros")]
    pub amount: Decimal,
}

impl Default for SmallClaimsConfig {
    /// Décret 97-775, art. 1 (taken for GBCP art. 114): 30 € since the euro, 50 € since the day after the
    /// publication of décret 2024-457 on 24 May 2024.
    fn default() -> Self {
        let rows = [(2002, 1, 1, 30_00), (2024, 5, 25, 50_00)];
        let thresholds = rows
            .into_iter()
            .filter_map(|(year, month, day, cents)| {
                let from = NaiveDate::from_ymd_opt(year, month, day)?;
                Some(Threshold { from, amount: Decimal::new(cents, 2) })
            })
            .collect();
        Self { thresholds }
    }
}

impl SmallClaimsConfig {
    /// The threshold in force on `day`, in euros; `None` before the first row.
    #[must_use]
    pub fn in_force_on(&self, day: NaiveDate) -> Option<Decimal> {
        let past = self.thresholds.iter().filter(|row| row.from <= day);
        past.max_by_key(|row| row.from).map(|row| row.amount)
    }
}

/// For how long persons are held (see `docs/retention.md`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionConfig {
    pub connections_months: u32,
    pub accounts_years: u32,
    pub contacts_years: u32,
    pub journal_years: u32,
    /// After the exercice of a title.
    pub accounting_years: u32,
}

impl RetentionConfig {
    /// The same for who counts.
    #[must_use]
    pub const fn terms(&self) -> Terms {
        Terms {
            connections_months: self.connections_months,
            accounts_years: self.accounts_years,
            contacts_years: self.contacts_years,
            journal_years: self.journal_years,
            accounting_years: self.accounting_years,
        }
    }
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { connections_months: 12, accounts_years: 5, contacts_years: 1, journal_years: 10, accounting_years: 10 }
    }
}

fn blank_path_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let path = Option::<String>::deserialize(deserializer)?;
    Ok(path.filter(|path| !path.trim().is_empty()).map(PathBuf::from))
}

fn blank_text_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
}

fn blank_address_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(None);
    }
    let refused = || serde::de::Error::custom(format!("« {text} » n'est pas une adresse IP:port"));
    text.trim().parse().map(Some).map_err(|_| refused())
}

/// An amount is written as text: a TOML number would go through floating point.
mod euros {
    use rust_decimal::Decimal;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{amount:.2}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (euros, cents) = text.split_once('.').unwrap_or((&text, "0"));
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let parsed = if digits(euros, 10) && digits(cents, 2) { text.parse().ok() } else { None };
        parsed.ok_or_else(|| {
            D::Error::custom(format!("« {text} » n'est pas un montant comme \"50.00\" (entre guillemets)"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_changes_on_the_day_after_publication() {
        let table = SmallClaimsConfig::default();
        let on = |y, m, d| table.in_force_on(NaiveDate::from_ymd_opt(y, m, d).unwrap()).map(|a| a.to_string());
        assert_eq!(on(2001, 12, 31), None);
        assert_eq!(on(2024, 5, 24).as_deref(), Some("30.00"));
        assert_eq!(on(2024, 5, 25).as_deref(), Some("50.00"));
    }

    #[test]
    fn the_password_of_the_url_is_not_shown_in_logs() {
        let database = DatabaseConfig { url: "postgres://ent:s3cret@db/ent".into(), ..DatabaseConfig::default() };
        let shown = format!("{database:?}");
        assert!(!shown.contains("s3cret") && shown.contains("postgres://ent:***@db/ent"), "{shown}");
    }
}
