//! Mails kept in memory: for tests, which may say what becomes of the next ones.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::letter::Outgoing;
use super::transport::{Sent, Session, Transport};

/// What becomes of mails, one after the other; accepted once nothing is left.
pub type Script = VecDeque<Sent>;

/// A way out that leads nowhere.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    sent: Arc<Mutex<Vec<Outgoing>>>,
    script: Arc<Mutex<Script>>,
}

impl Memory {
    /// Takes what was sent since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<Outgoing> {
        std::mem::take(&mut self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says what becomes of the next ones.
    pub fn script(&self, ends: impl IntoIterator<Item = Sent>) {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).extend(ends);
    }
}

impl Transport for Memory {
    fn open(&self) -> Box<dyn Session> {
        Box::new(self.clone())
    }

    fn name(&self) -> &'static str {
        "memory"
    }
}

impl Session for Memory {
    fn send(&mut self, mail: &Outgoing) -> Sent {
        let end = self.script.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let end = end.unwrap_or_else(|| Sent::Accepted("250 gardé en mémoire".to_owned()));
        // Whose answer was lost was taken, perhaps.
        if matches!(end, Sent::Accepted(_) | Sent::Uncertain(_)) {
            self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(mail.clone());
        }
        end
    }
}
