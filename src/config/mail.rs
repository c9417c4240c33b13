//! The settings of mail: in whose name, by which server, how fast.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::faults::ConfigFault;
use crate::kernel::Departement;
use crate::kernel::contact::{EmailAddress, Phone};
use crate::kernel::text::Line;
use crate::platform::mail::{Folder, Letterhead, Letterheads, Rules, Security, Smtp, SmtpSettings, Transport};

/// By which way mails leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTransport {
    /// `.eml` files in a folder: development.
    Files,
    Smtp,
}

/// Whether mails leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    On,
    Off,
}

/// How the way to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    Starttls,
    Tls,
    None,
}

/// In whose name mails are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderConfig {
    pub name: String,
    pub address: String,
    #[serde(default)]
    pub reply_to: String,
    #[serde(default)]
    pub phone: String,
    /// Lines under the text.
    #[serde(default)]
    pub signature: Vec<String>,
}

/// The same for some departments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepartementSenderConfig {
    pub departements: Vec<String>,
    pub name: String,
    pub address: String,
    #[serde(default)]
    pub reply_to: String,
    #[serde(default)]
    pub phone: String,
    #[serde(default)]
    pub signature: Vec<String>,
}

impl DepartementSenderConfig {
    fn sender(&self) -> SenderConfig {
        let Self { name, address, reply_to, phone, signature, .. } = self.clone();
        SenderConfig { name, address, reply_to, phone, signature }
    }
}

/// The server mails are given to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    pub host: String,
    pub port: u16,
    pub security: SmtpSecurity,
    /// Words by which an administrator admits mails in the clear beyond this machine.
    pub plain_accepted: bool,
    pub user: String,
    #[serde(default, deserialize_with = "blank_path_is_none")]
    pub password_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "blank_path_is_none")]
    pub ca_file: Option<PathBuf>,
    pub hello: String,
    pub timeout_seconds: u64,
    pub mails_per_connection: u32,
    pub idle_seconds: u64,
}

/// Mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    pub sending: Switch,
    pub transport: MailTransport,
    pub folder: PathBuf,
    pub trial_recipients: Vec<String>,
    pub connections: u32,
    pub per_minute: u32,
    pub per_domain_per_minute: u32,
    pub give_up_hours: u32,
    pub bounce_address: String,
    #[serde(default, deserialize_with = "blank_path_is_none")]
    pub template_dir: Option<PathBuf>,
    pub sender: SenderConfig,
    pub senders: Vec<DepartementSenderConfig>,
    pub smtp: SmtpConfig,
}

fn blank_path_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let path = Option::<PathBuf>::deserialize(deserializer)?;
    Ok(path.filter(|path| !path.as_os_str().is_empty()))
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            sending: Switch::On,
            transport: MailTransport::Files,
            folder: PathBuf::from("data/mail"),
            trial_recipients: Vec::new(),
            connections: 1,
            per_minute: 120,
            per_domain_per_minute: 60,
            give_up_hours: 72,
            bounce_address: String::new(),
            template_dir: None,
            sender: SenderConfig {
                name: "ENT-école".to_owned(),
                address: "ent-ecole@exemple.invalid".to_owned(),
                reply_to: String::new(),
                phone: String::new(),
                signature: Vec::new(),
            },
            senders: Vec::new(),
            smtp: SmtpConfig {
                host: String::new(),
                port: 587,
                security: SmtpSecurity::Starttls,
                plain_accepted: false,
                user: String::new(),
                password_file: None,
                ca_file: None,
                hello: "localhost".to_owned(),
                timeout_seconds: 30,
                mails_per_connection: 100,
                idle_seconds: 20,
            },
        }
    }
}

fn letterhead(sender: &SenderConfig) -> Result<Letterhead, (&'static str, String)> {
    let said = |key| move |fault: crate::kernel::FieldFault| (key, fault.message);
    let optional = |text: &str| (!text.trim().is_empty()).then(|| text.to_owned());
    Ok(Letterhead {
        name: Line::parse(&sender.name).map_err(said("name"))?,
        address: EmailAddress::parse(&sender.address).map_err(said("address"))?,
        reply_to: optional(&sender.reply_to)
            .map(|text| EmailAddress::parse(&text))
            .transpose()
            .map_err(said("reply_to"))?,
        phone: optional(&sender.phone).map(|text| Phone::parse(&text)).transpose().map_err(said("phone"))?,
        signature: sender
            .signature
            .iter()
            .map(|line| Line::parse(line))
            .collect::<Result<_, _>>()
            .map_err(said("signature"))?,
    })
}

impl MailConfig {
    /// The letterheads, or every fault of them.
    fn letterheads(&self, faults: &mut Vec<ConfigFault>) -> Option<Letterheads> {
        let mut fault = |key: String, problem: String| {
            faults.push(ConfigFault::error(key, problem, "config/ent-backoffice.toml dit ce qui est attendu."));
        };
        let usual = letterhead(&self.sender).map_err(|(key, said)| fault(format!("mail.sender.{key}"), said)).ok();
        let mut of = Vec::new();
        for (rank, own) in self.senders.iter().enumerate() {
            let all: Result<Vec<_>, _> = own.departements.iter().map(|code| Departement::parse(code)).collect();
            match (all, letterhead(&own.sender())) {
                (Err(said), _) => fault(format!("mail.senders[{rank}].departements"), said.message),
                (_, Err((key, said))) => fault(format!("mail.senders[{rank}].{key}"), said),
                (Ok(all), Ok(head)) => of.push((all, head)),
            }
        }
        Some(Letterheads { usual: usual?, of })
    }

    /// What is wrong.
    pub(super) fn check(&self, faults: &mut Vec<ConfigFault>) {
        self.letterheads(faults);
        let mut error = |key: &str, problem: String, remedy: &str| {
            faults.push(ConfigFault::error(format!("mail.{key}"), problem, remedy.to_owned()));
        };
        let mut bounds = |key: &str, value: u64, least: u64, most: u64| {
            if !(least..=most).contains(&value) {
                let problem = format!("vaut {value}, hors de {least} à {most}");
                error(key, problem, "Écrivez une valeur dans ces bornes.");
            }
        };
        bounds("connections", self.connections.into(), 1, 16);
        bounds("per_minute", self.per_minute.into(), 0, 100_000);
        bounds("per_domain_per_minute", self.per_domain_per_minute.into(), 0, 100_000);
        bounds("give_up_hours", self.give_up_hours.into(), 1, 720);
        bounds("smtp.timeout_seconds", self.smtp.timeout_seconds, 1, 40);
        bounds("smtp.mails_per_connection", self.smtp.mails_per_connection.into(), 1, 10_000);
        bounds("smtp.idle_seconds", self.smtp.idle_seconds, 1, 3_600);
        for (key, text) in [("bounce_address", &self.bounce_address)] {
            if let Some(Err(said)) = (!text.trim().is_empty()).then(|| EmailAddress::parse(text)) {
                error(key, said.message, "Écrivez une adresse de courriel, ou laissez vide.");
            }
        }
        for (rank, text) in self.trial_recipients.iter().enumerate() {
            if let Err(said) = EmailAddress::parse(text) {
                error(&format!("trial_recipients[{rank}]"), said.message, "Écrivez une adresse de courriel.");
            }
        }
        if self.transport == MailTransport::Smtp {
            self.check_smtp(&mut error);
        }
    }

    fn check_smtp(&self, error: &mut impl FnMut(&str, String, &str)) {
        let smtp = &self.smtp;
        if smtp.host.trim().is_empty() {
            error("smtp.host", "est vide".to_owned(), "Écrivez le nom du serveur de courriel.");
        }
        let local = ["localhost", "127.0.0.1", "::1"].contains(&smtp.host.as_str());
        if smtp.security == SmtpSecurity::None && !local && !smtp.plain_accepted {
            error(
                "smtp.security",
                format!("les courriels partiraient en clair vers {}", smtp.host),
                "Écrivez \"starttls\" ou \"tls\" ; ou, sur un réseau à vous seul, smtp.plain_accepted = true.",
            );
        }
        if !smtp.user.trim().is_empty() {
            match &smtp.password_file {
                None => error(
                    "smtp.password_file",
                    "manque, et smtp.user est donné".to_owned(),
                    "Donnez le fichier du mot de passe.",
                ),
                Some(path) if std::fs::File::open(path).is_err() => error(
                    "smtp.password_file",
                    format!("{} ne peut être lu", path.display()),
                    "Vérifiez le chemin et les droits.",
                ),
                Some(_) => {}
            }
        }
        if self.sender.address.to_lowercase().ends_with(".invalid") {
            error("sender.address", "est un exemple".to_owned(), "Écrivez l'adresse qui envoie les courriels.");
        }
    }

    /// What the sending keeps to.
    #[must_use]
    pub fn rules(&self, public_url: &str) -> Option<Rules> {
        let smtp = self.transport == MailTransport::Smtp;
        let trial: BTreeSet<EmailAddress> =
            self.trial_recipients.iter().filter_map(|text| EmailAddress::parse(text).ok()).collect();
        Some(Rules {
            sending: self.sending == Switch::On,
            trial: Some(trial).filter(|trial| !trial.is_empty()),
            // Files wait for nobody.
            per_minute: if smtp { self.per_minute } else { 0 },
            per_domain_per_minute: if smtp { self.per_domain_per_minute } else { 0 },
            give_up: chrono::Duration::hours(self.give_up_hours.into()),
            bounce: EmailAddress::parse(&self.bounce_address).ok(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            letterheads: self.letterheads(&mut Vec::new())?,
        })
    }

    /// By which way.
    #[must_use]
    pub fn way(&self) -> Arc<dyn Transport> {
        let smtp = &self.smtp;
        match self.transport {
            MailTransport::Files => Arc::new(Folder(self.folder.clone())),
            MailTransport::Smtp => Arc::new(Smtp::new(SmtpSettings {
                host: smtp.host.clone(),
                port: smtp.port,
                security: match smtp.security {
                    SmtpSecurity::Starttls => Security::StartTls,
                    SmtpSecurity::Tls => Security::Implicit,
                    SmtpSecurity::None => Security::None,
                },
                user: Some(smtp.user.clone()).filter(|user| !user.trim().is_empty()),
                password_file: smtp.password_file.clone(),
                ca_file: smtp.ca_file.clone(),
                hello: smtp.hello.clone(),
                timeout: Duration::from_secs(smtp.timeout_seconds),
                per_connection: smtp.mails_per_connection,
                idle: Duration::from_secs(smtp.idle_seconds),
            })),
        }
    }
}
