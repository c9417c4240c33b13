//! What is wrong with a setting and how to mend it, said to the person who installs the program.

use std::fmt;

/// Does the program start in spite of it?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultLevel {
    /// It does not start.
    Error,
    /// It starts; somebody should look.
    Warning,
}

/// One fault, in French.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    pub level: FaultLevel,
    /// Path of the setting (`server.listen`), or name of the file or variable.
    pub key: String,
    pub problem: String,
    /// What exactly to write, run or correct.
    pub remedy: String,
}

impl ConfigFault {
    pub(super) fn error(key: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: FaultLevel::Error, key: key.into(), problem: problem.into(), remedy: remedy.into() }
    }

    pub(super) fn warning(key: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: FaultLevel::Warning, ..Self::error(key, problem, remedy) }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            FaultLevel::Error => "erreur",
            FaultLevel::Warning => "avertissement",
        };
        write!(f, "{level} : {} : {}\n    → {}", self.key, self.problem, self.remedy)
    }
}
