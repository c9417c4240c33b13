//! An SMTP server on loopback, of the test's own: it takes mails, or fails at the stage it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Where something is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    Greeting,
    Hello,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// In the middle of the message.
    Inside,
    /// After the end of the message.
    End,
}

/// What happens there, once.
#[derive(Debug, Clone)]
pub enum Do {
    Reply(&'static str),
    Hang,
    Close,
    /// The message is taken, and the answer is lost.
    TakeAndClose,
}

#[derive(Default)]
struct Told {
    script: Mutex<Vec<(At, Do)>>,
    taken: Mutex<Vec<String>>,
    connections: AtomicUsize,
    noops: AtomicUsize,
    stop: AtomicBool,
    /// Closes a connection after so many mails.
    per_connection: AtomicUsize,
    auth: AtomicBool,
    password: Mutex<String>,
}

/// The server; it stops when dropped.
pub struct Smtpd {
    pub port: u16,
    told: Arc<Told>,
}

impl Smtpd {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = Arc::new(Told::default());
        let own = Arc::clone(&told);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if own.stop.load(Ordering::SeqCst) {
                    return;
                }
                let told = Arc::clone(&own);
                told.connections.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || talk(&stream.unwrap(), &told));
            }
        });
        Self { port, told }
    }

    /// Says what happens next at a stage.
    pub fn script(&self, at: At, does: Do) {
        self.told.script.lock().unwrap().push((at, does));
    }

    /// Asks for a log-in by this password.
    pub fn password(&self, password: &str) {
        self.told.auth.store(true, Ordering::SeqCst);
        password.clone_into(&mut self.told.password.lock().unwrap());
    }

    pub fn per_connection(&self, mails: usize) {
        self.told.per_connection.store(mails, Ordering::SeqCst);
    }

    /// Messages taken, whole.
    pub fn taken(&self) -> Vec<String> {
        self.told.taken.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.told.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Smtpd {
    fn drop(&mut self) {
        self.told.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Told {
    fn next(&self, at: At) -> Option<Do> {
        let mut script = self.script.lock().unwrap();
        let found = script.iter().position(|(stage, _)| *stage == at)?;
        Some(script.remove(found).1)
    }
}

/// Whether the conversation goes on.
fn does(mut stream: &TcpStream, what: Option<Do>, usual: &str) -> bool {
    match what {
        None => write!(stream, "{usual}\r\n").is_ok(),
        Some(Do::Reply(line)) => write!(stream, "{line}\r\n").is_ok() && !line.starts_with("421"),
        Some(Do::Hang) => {
            std::thread::sleep(Duration::from_secs(4));
            false
        }
        Some(Do::Close | Do::TakeAndClose) => false,
    }
}

fn talk(stream: &TcpStream, told: &Told) {
    if !does(stream, told.next(At::Greeting), "220 essai ESMTP") {
        return;
    }
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut carried = 0;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let word = line.split([' ', '\r']).next().unwrap().to_uppercase();
        let goes_on = match word.as_str() {
            "EHLO" => {
                let offers = if told.auth.load(Ordering::SeqCst) { "250-essai\r\n250 AUTH PLAIN" } else { "250 essai" };
                does(stream, told.next(At::Hello), offers)
            }
            "AUTH" => {
                use base64::Engine as _;
                let given = line.trim().rsplit(' ').next().unwrap();
                let given = base64::engine::general_purpose::STANDARD.decode(given).unwrap_or_default();
                let right = String::from_utf8_lossy(&given).ends_with(told.password.lock().unwrap().as_str());
                does(stream, told.next(At::Auth), if right { "235 ok" } else { "535 no" })
            }
            "MAIL" => does(stream, told.next(At::Mail), "250 ok"),
            "RCPT" => does(stream, told.next(At::Rcpt), "250 ok"),
            "DATA" => {
                if !does(stream, told.next(At::Data), "354 go on") {
                    return;
                }
                // A refusal of DATA is answered by no message.
                let mut message = String::new();
                let inside = told.next(At::Inside);
                loop {
                    let mut line = String::new();
                    // After a refusal, the next command comes instead of the message.
                    if lines.read_line(&mut line).unwrap_or(0) == 0 {
                        return;
                    }
                    if message.is_empty() && (line.starts_with("RSET") || line.starts_with("QUIT")) {
                        message.push('!');
                        break;
                    }
                    if inside.is_some() {
                        return;
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    message.push_str(line.strip_prefix('.').unwrap_or(&line));
                }
                if message == "!" {
                    does(stream, None, "250 ok")
                } else {
                    let end = told.next(At::End);
                    if end.is_none() || matches!(end, Some(Do::TakeAndClose)) {
                        told.taken.lock().unwrap().push(message);
                        carried += 1;
                    }
                    does(stream, end, "250 queued")
                }
            }
            "NOOP" => {
                told.noops.fetch_add(1, Ordering::SeqCst);
                does(stream, None, "250 ok")
            }
            "QUIT" => {
                let _ = does(stream, None, "221 bye");
                false
            }
            _ => does(stream, None, "250 ok"),
        };
        let limit = told.per_connection.load(Ordering::SeqCst);
        if !goes_on || (limit > 0 && carried >= limit) {
            return;
        }
    }
}
