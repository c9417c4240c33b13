//! The queue before argon2: as many hashings at once as there are cores, and a bounded line before them.
//!
//! ```text
//!   request ──▶ place in the line? ──▶ its turn ──▶ hashing (19 MiB, 30 ms of one core) ──▶ leaves
//!                   └─ none left: 503 and Retry-After, at once
//! ```
//! Without it forty log-ins at once take every core and 760 MB. One source gets three quarters of the places at most: a
//! flood from one address leaves room for the others. Waiting costs a place, no thread.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places taken, in all and by source.
#[derive(Default)]
struct Line {
    taken: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// Who may hash, and when. Cheap to clone, shared by every HTTP thread.
#[derive(Clone)]
pub struct Gate {
    turns: Arc<Semaphore>,
    line: Arc<Mutex<Line>>,
    places: usize,
}

/// A place in the line, given back when dropped: when the work is done, or when the caller has gone.
struct Place {
    line: Arc<Mutex<Line>>,
    source: IpAddr,
}

/// The right to hash, until it is dropped.
pub struct Turn {
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

fn locked(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    // Two numbers: whole whatever happened to the thread that held them.
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gate {
    /// `at_once` hashings, and `waiting` callers in line; `at_once` = 0: one per core.
    #[must_use]
    pub fn new(at_once: usize, waiting: usize) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let at_once = if at_once == 0 { cores() } else { at_once };
        Self { turns: Arc::new(Semaphore::new(at_once)), line: Arc::default(), places: at_once.saturating_add(waiting) }
    }

    fn enter(&self, source: IpAddr) -> Option<Place> {
        let mut line = locked(&self.line);
        let own = line.by_source.get(&source).copied().unwrap_or(0);
        // One place is never a share of nothing.
        let share = (self.places - self.places / 4).max(1);
        if line.taken >= self.places || own >= share {
            return None;
        }
        line.taken += 1;
        *line.by_source.entry(source).or_default() += 1;
        Some(Place { line: Arc::clone(&self.line), source })
    }

    /// Waits for its turn; none, at once, when the line is full.
    pub async fn turn(&self, source: IpAddr) -> Option<Turn> {
        let place = self.enter(source)?;
        // The semaphore is never closed.
        let permit = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        Some(Turn { _permit: permit, _place: place })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut line = locked(&self.line);
        line.taken = line.taken.saturating_sub(1);
        if let Some(own) = line.by_source.get_mut(&self.source) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                line.by_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn the_line_is_bounded_and_gives_its_places_back() {
        let gate = Gate::new(1, 3);
        let first = gate.turn(ip(1)).now_or_never().unwrap().unwrap();
        // Two more wait; a fourth of the same source would take everybody's place.
        let mut waiting: Vec<_> = (0..2).map(|_| Box::pin(gate.turn(ip(1)))).collect();
        assert!(waiting.iter_mut().all(|turn| turn.as_mut().now_or_never().is_none()));
        assert!(gate.turn(ip(1)).now_or_never().unwrap().is_none());
        let mut other = Box::pin(gate.turn(ip(2)));
        assert!(other.as_mut().now_or_never().is_none());
        assert!(gate.turn(ip(3)).now_or_never().unwrap().is_none());
        // A caller who leaves the line leaves its place, and the first who waits has its turn.
        drop(waiting.pop());
        drop(first);
        assert!(waiting.pop().unwrap().now_or_never().unwrap().is_some());
        assert!(other.now_or_never().unwrap().is_some());
        let line = locked(&gate.line);
        assert_eq!((line.taken, line.by_source.len()), (0, 0));
    }

    #[test]
    fn a_gate_of_one_place_lets_one_in() {
        let gate = Gate::new(1, 0);
        let turn = gate.turn(ip(1)).now_or_never().unwrap();
        assert!(turn.is_some() && gate.turn(ip(2)).now_or_never().unwrap().is_none());
    }
}
