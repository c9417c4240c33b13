//! Mails on their way: taken, composed, handed over, and what became of them written down.
//!
//! ```text
//!   claim   one transaction: gate held, those of silent workers named, pace, blocks, composed, tries written, mails taken
//!   send    no transaction: one after the other on this worker's connection
//!   record  one transaction: what the server said of each; what was not reached goes back as it was
//! ```

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration as Time, Instant as Stopwatch};

use super::kind::{Kind, Settled};
use super::pace::Handful;
use super::rules::Rules;
use super::secrets::without;
use super::state::{AttemptOutcome, EmailState, Stage};
use super::store_claims::{self as store, Ending};
use super::templates::Templates;
use super::transport::{Sent, Session, Transport};
use crate::kernel::ids::EmailId;
use crate::platform::db::{Database, Tx};
use crate::platform::error::Outcome;
use crate::platform::jobs::pause;

/// A worker goes on with what it took for so long, half of its lease.
const HALF_LEASE: Time = Time::from_secs(300);

/// Tries to write down what became of mails, half a second apart.
const RECORDINGS: u32 = 240;

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing is due, or everything that is waits for its minute.
    Nothing,
    /// Nothing may leave now; why, for people.
    Held(&'static str),
    /// Mails were handed over, or found not to be owed any more.
    Done(usize),
}

/// A mail that ended otherwise than well, for who has to look.
#[derive(Debug, Clone)]
pub struct Ended {
    pub id: EmailId,
    pub outcome: AttemptOutcome,
    pub stage: Option<Stage>,
    /// Words of the server, or ours.
    pub words: String,
}

type Follow = dyn Fn(&mut Tx<'_>, &[Ended]) -> Outcome<()> + Send + Sync;
type Measure = dyn Fn(AttemptOutcome) + Send + Sync;

/// Who sends.
#[derive(Clone)]
pub struct Postman {
    pub(super) kinds: HashMap<&'static str, &'static Kind>,
    pub templates: Arc<Templates>,
    pub rules: Arc<Rules>,
    transport: Arc<dyn Transport>,
    follow: Option<Arc<Follow>>,
    measure: Option<Arc<Measure>>,
}

impl Postman {
    /// Sends these kinds of mail.
    #[must_use]
    pub fn new(kinds: Vec<&'static Kind>, templates: Templates, rules: Rules, transport: Arc<dyn Transport>) -> Self {
        let kinds = kinds.into_iter().map(|kind| (kind.name, kind)).collect();
        Self { kinds, templates: Arc::new(templates), rules: Arc::new(rules), transport, follow: None, measure: None }
    }

    /// Says what follows, in the transaction that records it, from mails that ended otherwise than well.
    #[must_use]
    pub fn followed(mut self, follow: impl Fn(&mut Tx<'_>, &[Ended]) -> Outcome<()> + Send + Sync + 'static) -> Self {
        self.follow = Some(Arc::new(follow));
        self
    }

    /// Says where tries are counted.
    #[must_use]
    pub fn measured(mut self, measure: impl Fn(AttemptOutcome) + Send + Sync + 'static) -> Self {
        self.measure = Some(Arc::new(measure));
        self
    }

    /// The same by another way out, for tests.
    #[must_use]
    pub fn by(self, transport: Arc<dyn Transport>) -> Self {
        Self { transport, ..self }
    }

    /// The way out.
    #[must_use]
    pub fn transport(&self) -> &dyn Transport {
        &*self.transport
    }

    /// A kind by its name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds.get(name).copied()
    }

    /// Every kind, by name.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'static Kind> {
        let mut kinds: Vec<_> = self.kinds.values().copied().collect();
        kinds.sort_by_key(|kind| kind.name);
        kinds
    }

    /// A worker's life.
    pub fn work(&self, db: &Database, stop: &AtomicBool, poll: Time) {
        let (mut session, mut handful) = (self.transport.open(), Handful::default());
        while !stop.load(Ordering::Relaxed) {
            // A panic ends the step, not the worker: no mail would leave any more.
            let step = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                self.step(db, &mut *session, &mut handful, stop)
            }));
            let Ok(step) = step else {
                tracing::error!("a step of the mails panicked");
                session = self.transport.open();
                pause(poll.saturating_mul(5), stop);
                continue;
            };
            match step {
                Ok(Step::Done(_)) => {}
                Ok(Step::Nothing | Step::Held(_)) => {
                    session.rest();
                    pause(poll, stop);
                }
                Err(cause) => {
                    tracing::error!(%cause, "mails");
                    pause(poll.saturating_mul(5), stop);
                }
            }
        }
    }

    /// Sends everything due now; returns how many mails were dealt with.
    ///
    /// # Errors
    /// Those of the database.
    pub fn drain(&self, db: &Database) -> Outcome<usize> {
        let (mut session, mut handful, stop) = (self.transport.open(), Handful::default(), AtomicBool::new(false));
        let mut done = 0;
        while let Step::Done(some) = self.step(db, &mut *session, &mut handful, &stop)? {
            done += some;
        }
        Ok(done)
    }

    /// Takes some mails, hands them over, and writes down what became of them.
    ///
    /// # Errors
    /// Those of the database; a mail that cannot be composed keeps no other from leaving.
    pub fn step(
        &self,
        db: &Database,
        session: &mut dyn Session,
        handful: &mut Handful,
        stop: &AtomicBool,
    ) -> Outcome<Step> {
        if !self.rules.sending {
            return Ok(Step::Held("l'envoi est coupé (mail.sending)"));
        }
        let taken = match db.write(|tx| self.claim(tx, handful.size())) {
            Err(cause) if cause.is_of_data() && handful.size() > 1 => {
                tracing::warn!(%cause, "mails are taken one by one until the one that fails is found");
                *handful = Handful::default();
                db.write(|tx| self.claim(tx, 1))
            }
            other => other,
        };
        let taken = match taken {
            Ok(Ok(taken)) => taken,
            Ok(Err(step)) => return Ok(step),
            Err(cause) if cause.is_of_data() => {
                tracing::error!(%cause, "a mail cannot be composed");
                return db.write(|tx| self.set_first_aside(tx, &cause.to_string()));
            }
            Err(cause) => return Err(cause),
        };
        let begun = Stopwatch::now();
        let mut results = Vec::with_capacity(taken.outgoing.len());
        let mut unreached = false;
        for (mail, attempt, kind) in &taken.outgoing {
            // A worker that is told to stop, or that is late, gives back what it has not begun.
            let go_on = !unreached && !stop.load(Ordering::Relaxed) && begun.elapsed() < HALF_LEASE;
            // A server may repeat what it was sent.
            let sent = go_on.then(|| session.send(mail).told(|words| without(words, &mail.secrets)));
            unreached |= matches!(sent, Some(Sent::Unreachable(..)));
            results.push((mail.email, *attempt, *kind, sent));
        }
        handful.learn(results.len(), begun.elapsed());
        if !results.is_empty() {
            self.recorded(db, &results, taken.failures)?;
            self.count(&results);
        }
        Ok(Step::Done(results.len() + taken.settled))
    }

    /// Writes down what the server said, however long the base is busy: unwritten, a mail that left would be one of which
    /// nobody knows.
    fn recorded(
        &self,
        db: &Database,
        results: &[(EmailId, i64, &'static str, Option<Sent>)],
        failures: i64,
    ) -> Outcome<()> {
        let mut tries = 1;
        loop {
            match db.write(|tx| self.record(tx, results, failures)) {
                Err(cause) if tries < RECORDINGS && !cause.is_of_data() => {
                    tracing::warn!(%cause, tries, "what became of mails is not written down yet");
                    std::thread::sleep(Time::from_millis(500));
                    tries += 1;
                }
                other => return other,
            }
        }
    }

    fn count(&self, results: &[(EmailId, i64, &'static str, Option<Sent>)]) {
        let Some(measure) = &self.measure else { return };
        results.iter().filter_map(|(.., sent)| sent.as_ref()).for_each(|sent| measure(outcome(sent).0));
    }

    pub(super) fn tell(&self, tx: &mut Tx<'_>, ended: &[Ended]) -> Outcome<()> {
        match &self.follow {
            Some(follow) if !ended.is_empty() => follow(tx, ended),
            _ => Ok(()),
        }
    }

    fn record(
        &self,
        tx: &mut Tx<'_>,
        results: &[(EmailId, i64, &'static str, Option<Sent>)],
        failures: i64,
    ) -> Outcome<()> {
        let mut settled: HashMap<&'static str, Vec<Settled>> = HashMap::new();
        let (mut accepted, mut ended) = (Vec::new(), Vec::new());
        for (id, number, kind, sent) in results {
            let (id, number) = (*id, *number);
            let mut settle = |outcome, over| {
                settled.entry(kind).or_default().push(Settled { id, attempt: number, outcome, over });
            };
            let Some(sent) = sent else {
                store::release(tx, id, number)?;
                settle(AttemptOutcome::Unreachable, false);
                continue;
            };
            let (outcome, stage, words) = outcome(sent);
            let (state, due_at) = match sent {
                Sent::Accepted(answer) => {
                    accepted.push((id, number, answer.clone()));
                    settle(outcome, true);
                    continue;
                }
                Sent::Refused(..) => (EmailState::Refused, None),
                Sent::Uncertain(_) => (EmailState::Uncertain, None),
                Sent::Unreachable(_, cause) => {
                    store::close_gate(tx, cause)?;
                    (EmailState::Queued, Some(tx.now()))
                }
                Sent::Deferred(..) => self.wait(tx, id)?,
            };
            if store::end(tx, &Ending { id, number, outcome, stage, words, state, due_at })? {
                settle(outcome, state.is_over());
                if state.is_over() {
                    ended.push(Ended { id, outcome, stage, words: words.to_owned() });
                }
            }
        }
        store::accept(tx, &accepted)?;
        if failures > 0
            && results.iter().any(|(.., sent)| sent.as_ref().is_some_and(|s| !matches!(s, Sent::Unreachable(..))))
        {
            store::open_gate(tx)?;
        }
        for (kind, settled) in settled {
            if let Some(kind) = self.kind(kind) {
                (kind.settled)(tx, &settled)?;
            }
        }
        self.tell(tx, &ended)
    }

    /// When a mail refused for now is tried again; never, when it was written too long ago.
    fn wait(&self, tx: &mut Tx<'_>, id: EmailId) -> Outcome<(EmailState, Option<crate::kernel::Instant>)> {
        let (refusals, queued_at) = store::standing(tx, id)?;
        let again = tx.now().plus(self.rules.wait(refusals + 1, tx.secret()[0]));
        let over = again > queued_at.plus(self.rules.give_up);
        Ok(if over { (EmailState::Refused, None) } else { (EmailState::Deferred, Some(again)) })
    }
}

fn outcome(sent: &Sent) -> (AttemptOutcome, Option<Stage>, &str) {
    match sent {
        Sent::Accepted(words) => (AttemptOutcome::Accepted, Some(Stage::End), words),
        Sent::Refused(stage, words) => (AttemptOutcome::Refused, Some(*stage), words),
        Sent::Deferred(stage, words) => (AttemptOutcome::Deferred, Some(*stage), words),
        Sent::Uncertain(words) => (AttemptOutcome::Uncertain, Some(Stage::End), words),
        Sent::Unreachable(stage, words) => (AttemptOutcome::Unreachable, Some(*stage), words),
    }
}
