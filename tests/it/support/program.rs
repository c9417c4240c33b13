//! The program as a process of its own: its real command line, signals and log.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Client;

pub struct Program {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    pub url: String,
    _folder: tempfile::TempDir,
}

fn command(database: &str, folder: &tempfile::TempDir, settings: &[(&str, &str)]) -> Command {
    command_after("", database, folder, settings)
}

/// The same, begun by a shell command that sets what the process may use.
fn command_after(first: &str, database: &str, folder: &tempfile::TempDir, settings: &[(&str, &str)]) -> Command {
    std::fs::write(folder.path().join("key"), "a signing key for tests, of more than 32 bytes").unwrap();
    // A file that grows beyond its bound is an error to the program, not its end.
    let mut command = Command::new("/bin/sh");
    let script = format!("trap '' XFSZ; {first} exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_ent-backoffice")]);
    command
        .current_dir(folder.path())
        .env("DATABASE_URL", database)
        .env("ENT_CONFIG", super::texts_file())
        .env("ENT__ACCESS__SIGNING_KEY_FILES", folder.path().join("key"))
        .env("ENT__DATABASE__POSTGRES_CONNECTIONS", "4")
        .env("ENT__SERVER__WORKERS", "2")
        .envs(settings.iter().copied());
    command
}

impl Program {
    /// Runs one command to its end; its standard input is `input`.
    pub fn run(database: &str, arguments: &[&str], input: &str) -> std::process::Output {
        Self::run_with(database, arguments, input, &[])
    }

    /// The same with settings of its own.
    pub fn run_with(
        database: &str,
        arguments: &[&str],
        input: &str,
        settings: &[(&str, &str)],
    ) -> std::process::Output {
        let folder = tempfile::tempdir().unwrap();
        let mut child = command(database, &folder, settings)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Starts `serve --log-json` on a free port and waits until it answers.
    pub fn serve(database: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::started(command(database, &folder, settings), folder, arguments)
    }

    /// The same, in a process that may open so many descriptors.
    pub fn serve_limited(database: &str, descriptors: u32, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let limited = command_after(&format!("ulimit -n {descriptors};"), database, &folder, settings);
        Self::started(limited, folder, &["--no-worker"])
    }

    fn started(mut command: Command, folder: tempfile::TempDir, arguments: &[&str]) -> Self {
        let mut child = command
            .args(["--log-json", "serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in stderr.lines() {
                written.lock().unwrap().push(line.unwrap());
            }
        });
        let mut program = Self { child, lines, reader: Some(reader), url: String::new(), _folder: folder };
        program.url = program.wait_for("the address it listens on", |line| {
            let message = line["message"].as_str()?;
            let address = message.split("http://").nth(1)?.split(' ').next()?;
            Some(format!("http://{address}"))
        });
        program
    }

    /// Waits for a line of the log that says something.
    pub fn wait_for<T>(&mut self, what: &str, find: impl Fn(&Value) -> Option<T>) -> T {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(found) = self.log().iter().find_map(&find) {
                return found;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < until,
                "{what} is not in the log ({ended:?}):\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The log so far: each line is a JSON object, or the test fails.
    pub fn log(&self) -> Vec<Value> {
        let lines = self.lines.lock().unwrap();
        lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }

    pub fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    pub fn client(&self) -> Client {
        Client::new(&self.url, None)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A line of its status, in kB.
    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        memory.unwrap().parse().unwrap()
    }

    /// Descriptors open now, and memory held, in kB.
    pub fn holds(&self) -> (usize, u64) {
        (std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count(), self.status("VmRSS:"))
    }

    /// Most memory it ever held, in kB.
    pub fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Bounds the size of the files it may write from now on, as a disk without room would; `unlimited` lifts it.
    pub fn bound_files(&self, bytes: &str) {
        let (pid, limit) = (self.child.id().to_string(), format!("--fsize={bytes}:"));
        let done = Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap();
        assert!(done.success());
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end; gives the exit code.
    pub fn wait(mut self) -> (Option<i32>, Vec<Value>) {
        let until = Instant::now() + Duration::from_secs(60);
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(Instant::now() < until, "the program does not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        };
        self.reader.take().unwrap().join().unwrap();
        (code, self.log())
    }

    /// SIGTERM, then its exit code.
    pub fn stop(self) -> (Option<i32>, Vec<Value>) {
        self.signal("TERM");
        self.wait()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a raw connection answers to raw bytes, sent in pieces with a pause before each.
pub fn raw(url: &str, pieces: &[(&[u8], Duration)]) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    for (bytes, pause) in pieces {
        std::thread::sleep(*pause);
        // The server may have hung up already: what it said is read below.
        let _ = stream.write_all(bytes);
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
