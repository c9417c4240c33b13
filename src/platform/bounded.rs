//! Processes that do what may end badly: ours, which read what strangers send, and commands of others.
//!
//! ```text
//!   Slots::enter ──▶ spawn, in a group of its own ──▶ Running::wait_for_end ──▶ Finished ──▶ End
//!     (some at once)                                    killed with its group when its time is over
//! ```
//! A reader believes what a file claims: one kilobyte may ask for gigabytes, and an allocation that fails ends the process
//! it happens in. Here that is a process of which nothing is lost, and its end says which bound was met.

use std::io::{self, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getrlimit, kill_process_group, set_parent_process_death_signal, setrlimit,
};

/// Most bytes of what such a process says on its standard error.
const SAID_BYTES: u64 = 64 * 1024;
/// Given to a process that has used its processor time before it is killed for good.
const GRACE: Duration = Duration::from_millis(500);
/// Descriptors one of ours may have: three, and what the system's libraries open for a moment.
const DESCRIPTORS: u64 = 16;

/// What one of our processes sets itself before it reads a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Addresses, beyond what the program itself takes.
    pub memory_bytes: u64,
    /// Of the processor.
    pub seconds: u64,
    /// Length of what it writes.
    pub written_bytes: u64,
}

/// Bounds this process; nothing lifts it again. It ends with who asked for it, and leaves no core.
///
/// # Errors
/// The bounds could not be set: nothing may be read then.
pub fn bound_self(limits: Limits) -> io::Result<()> {
    // Nobody waits for what is read once who asked is gone.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    bound(Resource::Core, 0)?;
    bound(Resource::Nofile, DESCRIPTORS)?;
    bound(Resource::Fsize, limits.written_bytes)?;
    bound(Resource::Cpu, limits.seconds)?;
    bound(Resource::As, address_space()?.saturating_add(limits.memory_bytes))
}

/// Sets a bound that nothing lifts again; one that stood lower stays.
fn bound(resource: Resource, most: u64) -> io::Result<()> {
    let within = |most: u64| getrlimit(resource).maximum.map_or(most, |hard| hard.min(most));
    // The signal of processor time used up comes a second before the one that does not say why.
    let last = if resource == Resource::Cpu { most.saturating_add(1) } else { most };
    Ok(setrlimit(resource, Rlimit { current: Some(within(most)), maximum: Some(within(last)) })?)
}

/// Addresses in use, of which the program's own code and fonts are the most.
fn address_space() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB")?.parse().ok());
    let kilobytes: u64 = size.ok_or(io::ErrorKind::InvalidData)?;
    Ok(kilobytes.saturating_mul(1_024))
}

/// How many such processes there may be at once.
#[derive(Debug, Clone)]
pub struct Slots {
    taken: Arc<Taken>,
    most: usize,
    patience: Duration,
}

#[derive(Debug, Default)]
struct Taken {
    places: Mutex<usize>,
    freed: Condvar,
}

impl Slots {
    /// `most` at once; who finds none free waits for at most `patience`, on its thread.
    #[must_use]
    pub fn new(most: usize, patience: Duration) -> Self {
        Self { taken: Arc::default(), most, patience }
    }

    /// A place, or how many are taken when none became free.
    ///
    /// # Errors
    /// Every place is taken.
    pub fn enter(&self) -> Result<Place, usize> {
        let taken = self.taken.places.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.taken.freed.wait_timeout_while(taken, self.patience, |taken| *taken >= self.most);
        let (mut taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *taken >= self.most {
            return Err(*taken);
        }
        *taken += 1;
        Ok(Place(Arc::clone(&self.taken)))
    }
}

/// One place; free again when dropped.
#[derive(Debug)]
pub struct Place(Arc<Taken>);

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(1);
        self.0.freed.notify_one();
    }
}

/// A process that does not outlive who waits for it.
pub struct Running(Child);

/// How a process ended.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    /// Its standard error, cut.
    pub said: String,
    /// It had to be killed when its time was over.
    pub late: bool,
}

/// What the end of one of our processes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It said what became of its work.
    Said,
    Memory,
    Time,
    Written,
    /// A panic, or worse, in what reads.
    Broke,
    /// Nothing that a file can bring about.
    Other,
}

impl Running {
    /// Starts a command, in a group of its own and with an empty environment but for what `command` sets.
    ///
    /// # Errors
    /// The system's own.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.process_group(0).stderr(Stdio::piped()).spawn().map(Self)
    }

    /// Waits for its end; past `most` it is killed, with whatever it started.
    ///
    /// # Errors
    /// The system's own.
    pub fn wait_for_end(&mut self, most: Duration) -> io::Result<Finished> {
        let pid = Pid::from_child(&self.0);
        let stderr = self.0.stderr.take();
        let mut said = Vec::new();
        let late = std::thread::scope(|scope| {
            let (ended, end) = mpsc::channel::<()>();
            // It is waited for below, and only then: until then its number is nobody else's.
            let watch = scope.spawn(move || {
                let late = end.recv_timeout(most + GRACE) == Err(RecvTimeoutError::Timeout);
                if late {
                    let _ = kill_process_group(pid, Signal::KILL);
                }
                late
            });
            // The pipe ends with the process, and with those it started.
            let read = stderr.map_or(Ok(0), |pipe| pipe.take(SAID_BYTES).read_to_end(&mut said));
            drop(ended);
            read.map(|_| watch.join().unwrap_or_default())
        })?;
        if u64::try_from(said.len()).unwrap_or(u64::MAX) >= SAID_BYTES {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let status = self.0.wait()?;
        Ok(Finished { status, said: String::from_utf8_lossy(&said).into_owned(), late })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both do nothing once it was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Finished {
    /// What the end means of a process that [`bound_self`] has bounded.
    #[must_use]
    pub fn end(&self) -> End {
        match (self.status.code(), self.status.signal().and_then(Signal::from_named_raw)) {
            _ if self.late => End::Time,
            (Some(0), _) => End::Said,
            (_, Some(Signal::XCPU)) => End::Time,
            (_, Some(Signal::XFSZ)) => End::Written,
            (_, Some(Signal::ABORT)) if self.said.contains("memory allocation") => End::Memory,
            // Killed, and not by us: the system had no memory left for it.
            (_, Some(Signal::KILL)) => End::Memory,
            (Some(101), _) | (_, Some(Signal::ABORT | Signal::SEGV | Signal::BUS | Signal::ILL | Signal::FPE)) => {
                End::Broke
            }
            _ => End::Other,
        }
    }

    /// The last line of what it said.
    #[must_use]
    pub fn last_line(&self) -> &str {
        self.said.lines().last().unwrap_or_default()
    }

    /// For the technical log.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{}, {:?}", self.status, self.said.chars().take(400).collect::<String>())
    }
}
