//! The way out: a connection that carries one message after another, and what it says of each.

use super::letter::Outgoing;
use super::state::Stage;

/// What became of a message that was handed to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The server took it; its words.
    Accepted(String),
    /// It never will.
    Refused(Stage, String),
    /// Not now.
    Deferred(Stage, String),
    /// The message was handed over, and the answer was lost: it may have been taken.
    Uncertain(String),
    /// The server was not reached, or did not let us speak: nothing was said of this message.
    Unreachable(Stage, String),
}

impl Sent {
    /// The same, its words changed.
    #[must_use]
    pub fn told(self, words: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Accepted(said) => Self::Accepted(words(&said)),
            Self::Refused(stage, said) => Self::Refused(stage, words(&said)),
            Self::Deferred(stage, said) => Self::Deferred(stage, words(&said)),
            Self::Uncertain(said) => Self::Uncertain(words(&said)),
            Self::Unreachable(stage, said) => Self::Unreachable(stage, words(&said)),
        }
    }
}

/// A way out, shared by the workers.
pub trait Transport: Send + Sync {
    /// A session of one worker; it connects when it is first needed.
    fn open(&self) -> Box<dyn Session>;

    /// How it is called in logs and in `/emails`.
    fn name(&self) -> &'static str;
}

/// One worker's connection.
pub trait Session: Send {
    /// Hands one message over.
    fn send(&mut self, mail: &Outgoing) -> Sent;

    /// Nothing is to be sent for the moment.
    fn rest(&mut self) {}
}
