//! Who sits where, what each waits for, and who must leave.
//!
//! ```text
//!                 head, or nothing       answer under way           answered, its body left unread
//!   Waiting ─────────▶ Working ◀──▶ Receiving ────────▶ Leaving
//!      ▲                  │          (its body)            │
//!      └──── answered ────┘                                └─▶ out, in seconds
//!   blocked: whatever the phase, bytes of an answer wait for the caller to read others
//! ```

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;

use crate::app::pace::Pace;
use crate::platform::telemetry::{ConnectionEnd, Metrics};
use crate::platform::web::CallerAddress;

/// What a connection is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No request is under way: it is kept for the next, or sends its head.
    Waiting,
    /// The program works for it.
    Working,
    /// The program waits for the body; the edge says for how long.
    Receiving,
    /// It was answered, and what it still sends is thrown away.
    Leaving,
}

/// How long a connection that was answered without its body being read may go on sending it.
const LEAVING: Duration = Duration::from_secs(2);

/// An answer that waits for its reader.
#[derive(Debug, Clone, Copy)]
struct Blocked {
    since: Instant,
    last: Instant,
    written: u64,
}

#[derive(Debug, Clone, Copy)]
struct State {
    phase: Phase,
    since: Instant,
    blocked: Option<Blocked>,
    voice: Voice,
}

/// Whose bytes go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    /// Nothing of the program is on its way: what is written is the HTTP layer's own word.
    Silent,
    /// An answer of the program is made, or given piece by piece.
    Answering,
    /// Its last piece was given; it may not have gone out yet.
    Answered,
}

impl State {
    /// Since when the program waits for the caller; none when it does not.
    fn waits_since(&self) -> Option<Instant> {
        match (self.blocked, self.phase) {
            (Some(blocked), _) => Some(blocked.since),
            (None, Phase::Working) => None,
            (None, Phase::Waiting | Phase::Receiving | Phase::Leaving) => Some(self.since),
        }
    }

    /// Whether it has waited for too long.
    fn is_overdue(&self, now: Instant, rules: &Rules) -> bool {
        if let Some(blocked) = self.blocked {
            return now >= rules.pace.until(blocked.since, blocked.last, blocked.written);
        }
        let waited = now.saturating_duration_since(self.since);
        match self.phase {
            Phase::Waiting => waited >= rules.idle,
            Phase::Leaving => waited >= LEAVING,
            Phase::Working | Phase::Receiving => false,
        }
    }
}

/// The place of one connection.
pub struct Seat {
    number: u64,
    source: IpAddr,
    state: Mutex<State>,
    dismissed: AtomicBool,
    waker: AtomicWaker,
    room: Room,
}

impl Seat {
    fn state(&self) -> MutexGuard<'_, State> {
        // A few plain values: whole whatever happened to the thread that held them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It comes to another phase.
    pub fn enters(&self, phase: Phase) {
        let mut state = self.state();
        state.phase = phase;
        state.since = Instant::now();
    }

    /// An answer of the program begins.
    pub fn speaks(&self) {
        self.state().voice = Voice::Answering;
    }

    /// The last piece of the answer was given to the HTTP layer.
    pub(super) fn has_spoken(&self) {
        self.state().voice = Voice::Answered;
    }

    /// Whether what goes out now is no answer of the program.
    pub(super) fn is_silent(&self) -> bool {
        self.state().voice == Voice::Silent
    }

    /// Whether it must leave; else its task is woken when it must.
    pub(super) fn must_leave(&self, cx: &Context<'_>) -> bool {
        self.waker.register(cx.waker());
        self.dismissed.load(Ordering::Acquire)
    }

    /// Nothing more can be written before the caller reads.
    pub(super) fn is_blocked(&self) {
        let mut state = self.state();
        if state.blocked.is_none() {
            let now = Instant::now();
            state.blocked = Some(Blocked { since: now, last: now, written: 0 });
        }
    }

    /// The caller made room for so many bytes.
    pub(super) fn wrote(&self, bytes: usize) {
        let mut state = self.state();
        if let Some(blocked) = &mut state.blocked {
            blocked.last = Instant::now();
            blocked.written = blocked.written.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        }
    }

    /// All that there was to write is written: the time of what comes next begins.
    pub(super) fn flushed(&self) {
        let mut state = self.state();
        if state.voice == Voice::Answered {
            state.voice = Voice::Silent;
        }
        if state.blocked.take().is_some() {
            state.since = Instant::now();
        }
    }

    fn dismiss(&self) {
        self.dismissed.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// The connection is closed.
    pub(super) fn is_left(&self) {
        self.room.leave(self.number);
    }
}

/// What a room admits.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Connections at once; beyond, one leaves for each that comes.
    pub places: usize,
    /// How long a connection may be without a whole head.
    pub idle: Duration,
    /// How slowly an answer may be read.
    pub pace: Pace,
}

struct Inner {
    rules: Rules,
    seats: Mutex<HashMap<u64, Arc<Seat>>>,
    next: AtomicU64,
    metrics: Metrics,
}

/// Every connection of a listener.
#[derive(Clone)]
pub struct Room(Arc<Inner>);

impl Room {
    #[must_use]
    pub fn new(rules: Rules, metrics: Metrics) -> Self {
        Self(Arc::new(Inner { rules, seats: Mutex::default(), next: AtomicU64::new(0), metrics }))
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<u64, Arc<Seat>>> {
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a connection its seat, in the place of another when there is none left.
    #[must_use]
    pub fn enter(&self, peer: Option<IpAddr>, now: Instant) -> Arc<Seat> {
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(Seat {
            number,
            source: CallerAddress(peer.to_canonical()).source(),
            state: Mutex::new(State { phase: Phase::Waiting, since: now, blocked: None, voice: Voice::Silent }),
            dismissed: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            room: self.clone(),
        });
        let mut seats = self.seats();
        let full = seats.len() >= self.0.rules.places;
        let leaving =
            if full { least_missed(&seats, seat.source).and_then(|number| seats.remove(&number)) } else { None };
        seats.insert(number, Arc::clone(&seat));
        self.0.metrics.connections(seats.len());
        drop(seats);
        self.dismiss(leaving, ConnectionEnd::Crowded);
        seat
    }

    /// Sends away whoever waits for too long.
    pub fn sweep(&self, now: Instant) {
        let mut seats = self.seats();
        let overdue = |seat: &Seat| seat.state().is_overdue(now, &self.0.rules);
        let leaving: Vec<_> = seats.extract_if(|_, seat| overdue(seat)).map(|(_, seat)| seat).collect();
        self.0.metrics.connections(seats.len());
        drop(seats);
        self.dismiss(leaving, ConnectionEnd::Stalled);
    }

    /// Outside the lock: whoever is woken may leave at once.
    fn dismiss(&self, leaving: impl IntoIterator<Item = Arc<Seat>>, why: ConnectionEnd) {
        for seat in leaving {
            seat.dismiss();
            self.0.metrics.connection_closed(why);
        }
    }

    fn leave(&self, number: u64) {
        let mut seats = self.seats();
        seats.remove(&number);
        self.0.metrics.connections(seats.len());
    }
}

/// Who leaves first: of the source that holds most seats, the one that has waited longest for its caller. One caller
/// with many connections does not push out the others; nobody leaves while the program works for them.
fn least_missed(seats: &HashMap<u64, Arc<Seat>>, newcomer: IpAddr) -> Option<u64> {
    let mut held: HashMap<IpAddr, usize> = HashMap::from([(newcomer, 1)]);
    for seat in seats.values() {
        *held.entry(seat.source).or_default() += 1;
    }
    let waiting = seats.values().filter_map(|seat| Some((seat, seat.state().waits_since()?)));
    let first = waiting.min_by_key(|(seat, since)| (std::cmp::Reverse(held.get(&seat.source).copied()), *since));
    first.map(|(seat, _)| seat.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    const SECOND: Duration = Duration::from_secs(1);

    fn room(places: usize) -> Room {
        let started = crate::kernel::Instant::parse("2025-06-05T08:00:00Z").unwrap();
        let pace = Pace { stall: SECOND * 10, least_rate: 1_000 };
        Room::new(Rules { places, idle: SECOND * 11, pace }, Metrics::new("sqlite", started).unwrap())
    }

    fn at(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn is_out(seat: &Seat) -> bool {
        seat.must_leave(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn whoever_waits_longest_of_the_most_numerous_leaves_first() {
        let (room, start) = (room(4), Instant::now());
        let alone = room.enter(at("192.0.2.1"), start);
        let crowd: Vec<_> = (1..=3).map(|n| room.enter(at("203.0.113.9"), start + SECOND * n)).collect();
        crowd[0].enters(Phase::Working);
        let next = room.enter(at("192.0.2.2"), start + SECOND * 9);
        assert!(is_out(&crowd[1]), "the oldest of the crowd that the program does not work for");
        assert!(![&alone, &crowd[0], &crowd[2], &next].iter().any(|seat| is_out(seat)));
        // One subscriber's IPv6 addresses are one source.
        let (room, start) = (room_of_v6(), Instant::now());
        let alone = room.enter(at("192.0.2.1"), start);
        let first = room.enter(at("2001:db8::1"), start + SECOND);
        let _second = room.enter(at("2001:db8::2"), start + SECOND * 2);
        assert!(is_out(&first) && !is_out(&alone));
    }

    fn room_of_v6() -> Room {
        let room = room(2);
        let far = room.enter(at("2001:db8::9"), Instant::now());
        far.is_left();
        room
    }

    #[test]
    fn nobody_leaves_while_the_program_works_for_them() {
        let (room, now) = (room(2), Instant::now());
        let busy: Vec<_> =
            (0..3).map(|_| room.enter(at("192.0.2.1"), now)).inspect(|s| s.enters(Phase::Working)).collect();
        room.sweep(now + SECOND * 3_600);
        assert!(busy.iter().all(|seat| !is_out(seat)));
        busy[0].is_left();
        busy[0].enters(Phase::Waiting);
        room.sweep(now + SECOND * 3_600);
        assert!(!is_out(&busy[0]), "who left is nobody's business");
    }

    #[test]
    fn waiting_leaving_and_slow_reading_have_their_time() {
        let (room, now) = (room(9), Instant::now());
        let [idle, leaving, stuck, slow, reader, receiving] = [0; 6].map(|_| room.enter(at("192.0.2.1"), now));
        leaving.enters(Phase::Leaving);
        receiving.enters(Phase::Receiving);
        for (seat, bytes) in [(&stuck, 0), (&slow, 500), (&reader, 60_000)] {
            seat.enters(Phase::Waiting);
            seat.is_blocked();
            seat.wrote(bytes);
        }
        let out = |after: u32| {
            room.sweep(now + SECOND * after);
            [&idle, &leaving, &stuck, &slow, &reader, &receiving].map(|seat| is_out(seat))
        };
        assert_eq!(out(1), [false; 6]);
        assert_eq!(out(3), [false, true, false, false, false, false]);
        assert_eq!(out(12), [true, true, true, true, true, false], "the edge has the last word on a body");
    }

    #[test]
    fn what_is_read_at_last_begins_a_new_wait() {
        let (room, now) = (room(9), Instant::now());
        let seat = room.enter(at("192.0.2.1"), now.checked_sub(SECOND * 60).unwrap());
        seat.is_blocked();
        seat.flushed();
        room.sweep(now + SECOND * 9);
        assert!(!is_out(&seat));
        room.sweep(now + SECOND * 13);
        assert!(is_out(&seat));
    }
}
