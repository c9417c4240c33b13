//! In whose name mails go, and how fast.

use std::collections::BTreeSet;

use chrono::Duration;

use crate::kernel::Departement;
use crate::kernel::contact::{EmailAddress, Phone};
use crate::kernel::text::Line;

/// Who writes to the collectivités of a department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letterhead {
    pub name: Line,
    pub address: EmailAddress,
    pub reply_to: Option<EmailAddress>,
    pub phone: Option<Phone>,
    /// Lines under the text.
    pub signature: Vec<Line>,
}

/// One letterhead per department, and one for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letterheads {
    pub usual: Letterhead,
    pub of: Vec<(Vec<Departement>, Letterhead)>,
}

impl Letterheads {
    /// Who writes about a department.
    #[must_use]
    pub fn for_departement(&self, departement: Option<&Departement>) -> &Letterhead {
        let own = departement.and_then(|there| self.of.iter().find(|(all, _)| all.contains(there)));
        own.map_or(&self.usual, |(_, head)| head)
    }
}

/// What the sending of mails keeps to.
#[derive(Debug, Clone)]
pub struct Rules {
    /// False: everything stays queued.
    pub sending: bool,
    /// Mails go to these addresses only, the others stay queued; none: to everybody.
    pub trial: Option<BTreeSet<EmailAddress>>,
    /// Most per minute, and most per minute to one domain; 0 = as many as there are.
    pub per_minute: u32,
    pub per_domain_per_minute: u32,
    /// A mail refused for now is given up after so long.
    pub give_up: Duration,
    /// Where refusals of mail come back to; the sender's own address otherwise.
    pub bounce: Option<EmailAddress>,
    /// `http://…`, without a final slash: what links begin with.
    pub public_url: String,
    pub letterheads: Letterheads,
}

impl Rules {
    /// How long a mail waits after so many refusals for now: a minute, doubled up to four hours; a tenth more or less, so
    /// that those refused together do not come back together.
    #[must_use]
    pub fn wait(&self, refusals: i64, chance: u8) -> Duration {
        let doublings = u32::try_from(refusals.saturating_sub(1).clamp(0, 8)).unwrap_or(8);
        let minutes = 2_i64.saturating_pow(doublings).min(240);
        let seconds = minutes.saturating_mul(60);
        let tenth = seconds / 10;
        Duration::seconds(seconds - tenth + tenth.saturating_mul(2).saturating_mul(i64::from(chance)) / 255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Departement;

    fn head(name: &str) -> Letterhead {
        Letterhead {
            name: Line::parse(name).unwrap(),
            address: EmailAddress::parse("ent@ac.invalid").unwrap(),
            reply_to: None,
            phone: None,
            signature: Vec::new(),
        }
    }

    #[test]
    fn each_department_is_written_to_by_its_own() {
        let gard = Departement::parse("30").unwrap();
        let heads = Letterheads { usual: head("Région"), of: vec![(vec![gard.clone()], head("Montpellier"))] };
        assert_eq!(heads.for_departement(Some(&gard)).name.as_str(), "Montpellier");
        let tarn = Departement::parse("81").unwrap();
        assert_eq!(heads.for_departement(Some(&tarn)).name.as_str(), "Région");
        assert_eq!(heads.for_departement(None).name.as_str(), "Région");
    }

    #[test]
    fn the_wait_doubles_up_to_four_hours_and_is_never_the_same_for_all() {
        let rules = Rules {
            sending: true,
            trial: None,
            per_minute: 0,
            per_domain_per_minute: 0,
            give_up: Duration::hours(120),
            bounce: None,
            public_url: "http://127.0.0.1:8080".into(),
            letterheads: Letterheads { usual: head("Région"), of: Vec::new() },
        };
        let waits = |chance| -> Vec<i64> { (1..=10).map(|n| rules.wait(n, chance).num_seconds()).collect() };
        assert_eq!(waits(0), [54, 108, 216, 432, 864, 1728, 3456, 6912, 12_960, 12_960]);
        assert_eq!(waits(255), [66, 132, 264, 528, 1056, 2112, 4224, 8448, 15_840, 15_840]);
    }
}
