//! A school that a person took out of a campaign. Pure.

use crate::kernel::{Finding, Instant, Uai};

/// Who took a school out, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    pub uai: Uai,
    pub by: String,
    pub at: Instant,
}

impl Withdrawal {
    /// What an act in number says of a school it leaves out.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let message = format!(
            "École retirée de la campagne le {} par {} : seule une inscription qui la nomme la fait revenir.",
            self.at.day(),
            self.by
        );
        let mut finding = Finding::to_acknowledge("enrolment_withdrawn", message);
        finding.found = Some(self.uai.to_string());
        finding
    }
}
