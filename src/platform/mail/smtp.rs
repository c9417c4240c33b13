//! Mails given to an SMTP server, step by step: what became of one follows from the step that failed.
//!
//! ```text
//!   connect ─ TLS ─ log-in ─▶ MAIL ─▶ RCPT ─▶ DATA ─▶ message ─▶ . ─▶ answer
//!   └─ not reached, all wait ─┘  │      │       │        │       └── lost: uncertain
//!                     ours: later┘      └ 5xx: refused   └── broken off before the end: later
//! ```
//! A connection that was idle is asked (NOOP) before a mail is committed to it, and one that a server closed meanwhile is
//! opened again: nothing of the mail has been said then. The password file is read at each connection, so that a new
//! password needs no restart. Connections are never closed with words that would wait for an answer.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;

use super::letter::Outgoing;
use super::state::Stage;
use super::transport::{Sent, Session, Transport};

/// A connection idle for longer is asked whether it is still there.
const ASKED_AFTER: Duration = Duration::from_secs(3);
/// Longest words of a server kept.
const WORDS: usize = 500;
/// Bytes of a message handed over at a time.
const SLICE: usize = 32_768;

/// How the way to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 465).
    Implicit,
    /// STARTTLS, required (ports 587, 25).
    StartTls,
    /// In the clear.
    None,
}

/// Which server, and how it is spoken to.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub user: Option<String>,
    /// Read at each connection.
    pub password_file: Option<PathBuf>,
    /// Certificates of an authority of the house, in PEM.
    pub ca_file: Option<PathBuf>,
    /// The name this program gives itself.
    pub hello: String,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// Mails carried by one connection.
    pub per_connection: u32,
    /// A connection idle for so long is closed.
    pub idle: Duration,
}

/// An SMTP server.
#[derive(Debug, Clone)]
pub struct Smtp(Arc<SmtpSettings>);

impl Smtp {
    #[must_use]
    pub fn new(settings: SmtpSettings) -> Self {
        Self(Arc::new(settings))
    }
}

impl Transport for Smtp {
    fn open(&self) -> Box<dyn Session> {
        Box::new(Wire { settings: Arc::clone(&self.0), live: None })
    }

    fn name(&self) -> &'static str {
        "smtp"
    }
}

/// An open connection.
struct Live {
    connection: SmtpConnection,
    /// Another mail was begun on it.
    reused: bool,
    used: Stopwatch,
    carried: u32,
}

struct Wire {
    settings: Arc<SmtpSettings>,
    live: Option<Live>,
}

/// What a server or the network said, short.
fn words(cause: &dyn std::fmt::Display) -> String {
    cause.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS).collect()
}

fn told(response: &Response) -> String {
    words(&format_args!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" ")))
}

/// The server ends the conversation, whatever was asked.
fn is_leaving(error: &Error) -> bool {
    error.status().is_some_and(|code| u16::from(code) == 421)
}

impl SmtpSettings {
    fn tls(&self) -> Result<TlsParameters, String> {
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(path) = &self.ca_file {
            let pem = std::fs::read(path).map_err(|cause| format!("{}: {cause}", path.display()))?;
            builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|cause| words(&cause))?);
        }
        builder.build().map_err(|cause| words(&cause))
    }

    fn credentials(&self) -> Result<Option<Credentials>, String> {
        let Some(user) = &self.user else { return Ok(None) };
        let path = self.password_file.as_ref().ok_or("no password file")?;
        let password = std::fs::read_to_string(path).map_err(|cause| format!("{}: {cause}", path.display()))?;
        Ok(Some(Credentials::new(user.clone(), password.trim_end_matches(['\r', '\n']).to_owned())))
    }

    fn connect(&self) -> Result<SmtpConnection, (Stage, String)> {
        let hello = ClientId::Domain(self.hello.clone());
        let at = |stage: Stage| move |cause: Error| (stage, words(&cause));
        let tls = match self.security {
            Security::None => None,
            Security::Implicit | Security::StartTls => Some(self.tls().map_err(|cause| (Stage::Tls, cause))?),
        };
        let first = tls.as_ref().filter(|_| self.security == Security::Implicit);
        let server = (self.host.as_str(), self.port);
        let mut connection = SmtpConnection::connect(server, Some(self.timeout), &hello, first, None)
            .map_err(|cause| (if cause.is_tls() { Stage::Tls } else { Stage::Connect }, words(&cause)))?;
        if let Some(tls) = tls.as_ref().filter(|_| self.security == Security::StartTls) {
            connection.starttls(tls, &hello).map_err(at(Stage::Tls))?;
        }
        if let Some(credentials) = self.credentials().map_err(|cause| (Stage::Login, cause))? {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).map_err(at(Stage::Login))?;
        }
        Ok(connection)
    }
}

impl Wire {
    /// A connection that a mail may be committed to.
    fn live(&mut self) -> Result<Live, (Stage, String)> {
        if let Some(mut live) = self.live.take() {
            let fresh = live.used.elapsed() < ASKED_AFTER;
            if live.carried < self.settings.per_connection && (fresh || live.connection.test_connected()) {
                live.reused = true;
                return Ok(live);
            }
        }
        Ok(Live { reused: false, connection: self.settings.connect()?, used: Stopwatch::now(), carried: 0 })
    }

    /// Says who writes; on a connection found closed, once more on a new one.
    fn begin(&mut self, mail: &Outgoing) -> Result<Live, Sent> {
        let unreachable = |(stage, cause)| Sent::Unreachable(stage, cause);
        for again in [true, false] {
            let mut live = self.live().map_err(unreachable)?;
            match live.connection.command(Mail::new(Some(mail.from.clone()), Vec::new())) {
                Ok(_) => return Ok(live),
                // Closed while it was idle, or after as many mails as its server admits: another connection tells.
                Err(cause) if (cause.status().is_none() || is_leaving(&cause)) && again && live.reused => {}
                Err(cause) if cause.status().is_none() || is_leaving(&cause) => {
                    return Err(Sent::Unreachable(Stage::Sender, words(&cause)));
                }
                // Of the sender, not of this recipient: whatever the code, it may be mended.
                Err(cause) => {
                    self.keep(live);
                    return Err(Sent::Deferred(Stage::Sender, words(&cause)));
                }
            }
        }
        Err(Sent::Unreachable(Stage::Sender, "the connection is closed each time".to_owned()))
    }

    /// Keeps a connection for the next mail, after what was begun on it is forgotten.
    fn keep(&mut self, mut live: Live) {
        if live.connection.command(Rset).is_ok() {
            live.used = Stopwatch::now();
            self.live = Some(live);
        }
    }

    /// What a refusal before the message says.
    fn refused(&mut self, live: Live, stage: Stage, cause: &Error) -> Sent {
        // Nothing was taken; whether it is this mail or the server, one mail must not hold the others back.
        if cause.status().is_none() || is_leaving(cause) {
            return Sent::Deferred(stage, words(cause));
        }
        self.keep(live);
        if cause.is_permanent() { Sent::Refused(stage, words(cause)) } else { Sent::Deferred(stage, words(cause)) }
    }

    fn message(&mut self, mut live: Live, bytes: &[u8]) -> Sent {
        let mut handed = false;
        // The end of the message is written once the last slice was: from then on the server may have taken it.
        let slices = bytes.chunks(SLICE).map(Some).chain([None]).map_while(|slice| {
            handed = slice.is_none();
            slice
        });
        let answer = live.connection.message_iter(slices);
        match answer {
            Ok(response) => {
                live.used = Stopwatch::now();
                live.carried += 1;
                self.live = Some(live);
                Sent::Accepted(told(&response))
            }
            Err(cause) if cause.status().is_some() => {
                let leaving = is_leaving(&cause);
                let sent = if cause.is_permanent() {
                    Sent::Refused(Stage::End, words(&cause))
                } else {
                    Sent::Deferred(Stage::End, words(&cause))
                };
                if !leaving {
                    self.keep(live);
                }
                sent
            }
            Err(cause) if handed => Sent::Uncertain(words(&cause)),
            Err(cause) => Sent::Deferred(Stage::Data, words(&cause)),
        }
    }
}

impl Session for Wire {
    fn send(&mut self, mail: &Outgoing) -> Sent {
        let mut live = match self.begin(mail) {
            Ok(live) => live,
            Err(sent) => return sent,
        };
        if let Err(cause) = live.connection.command(Rcpt::new(mail.to.clone(), Vec::new())) {
            return self.refused(live, Stage::Recipient, &cause);
        }
        if let Err(cause) = live.connection.command(Data) {
            return self.refused(live, Stage::Data, &cause);
        }
        self.message(live, &mail.bytes)
    }

    fn rest(&mut self) {
        if let Some(live) = self.live.take_if(|live| live.used.elapsed() > self.settings.idle) {
            let mut connection = live.connection;
            // Polite, and of no consequence.
            let _ = connection.set_timeout(Some(Duration::from_millis(200)));
            let _ = connection.command(Quit);
        }
    }
}
