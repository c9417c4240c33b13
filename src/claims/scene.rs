//! What is owed in a campaign, read once: its conventions with their claims, what titles call already, what was decided.
//!
//! What titles call is known to the right of here: the composition root fills [`Called`].

use std::collections::HashMap;

use chrono::NaiveDate;

use super::claim::claim;
use super::decision::Decision;
use super::lines::LineDecision;
use super::standing::Standing;
use super::store;
use crate::campaigns::bulk::BulkItem;
use crate::campaigns::{Campaign, Defaults};
use crate::conventions::{self, Convention, ConventionState, ParticipationLine, Payers, Reach, StoredParticipation};
use crate::kernel::ids::{CampaignId, ConventionId, ParticipationId};
use crate::kernel::{Finding, Money, Uai};
use crate::platform::{Outcome, Tx};
use crate::registry;

/// What living titles call for conventions, net of reductions; one without a title is absent.
#[derive(Clone, Copy)]
pub struct Called(pub fn(&mut Tx<'_>, Reach<'_>) -> Outcome<HashMap<ConventionId, Money>>);

/// Conventions of a campaign whose claim is no longer their participation's total: a person left a line out.
pub fn repriced(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Vec<ConventionId>> {
    store::reduced(tx, campaign)
}

/// Everything the decisions need, read once.
pub struct Scene {
    pub campaign: Campaign,
    pub threshold: Money,
    pub conventions: Vec<Convention>,
    participations: HashMap<ConventionId, StoredParticipation>,
    lines: HashMap<ParticipationId, Vec<ParticipationLine>>,
    titled: HashMap<ConventionId, Money>,
    pub decisions: HashMap<ParticipationId, Decision>,
    pub line_decisions: HashMap<ConventionId, HashMap<Uai, LineDecision>>,
    pub closed: HashMap<Uai, NaiveDate>,
}

impl Scene {
    /// Reads what one campaign's liquidations rest on.
    pub fn load(tx: &mut Tx<'_>, campaign: Campaign, defaults: &Defaults, called: Called) -> Outcome<Self> {
        let all = Reach::Campaign(campaign.id);
        let conventions = conventions::of_campaign(tx, campaign.id)?;
        Self::read(tx, (campaign, conventions), defaults, called, all)
    }

    /// Reads what the claims of some conventions of a campaign rest on, and nothing of the others.
    pub fn of(
        tx: &mut Tx<'_>,
        campaign: Campaign,
        conventions: Vec<Convention>,
        defaults: &Defaults,
        called: Called,
    ) -> Outcome<Self> {
        let ids: Vec<ConventionId> = conventions.iter().map(|c| c.id).collect();
        Self::read(tx, (campaign, conventions), defaults, called, Reach::These(&ids))
    }

    fn read(
        tx: &mut Tx<'_>,
        (campaign, conventions): (Campaign, Vec<Convention>),
        defaults: &Defaults,
        Called(called): Called,
        reach: Reach<'_>,
    ) -> Outcome<Self> {
        let today = tx.today();
        let participations: HashMap<_, _> =
            conventions::participations(tx, reach)?.into_iter().map(|p| (p.convention_id, p)).collect();
        let ids: Vec<ParticipationId> = participations.values().map(|p| p.id).collect();
        let mut lines: HashMap<ParticipationId, Vec<ParticipationLine>> = HashMap::new();
        for (id, line) in conventions::participation_lines(tx, &ids)? {
            lines.entry(id).or_default().push(line);
        }
        let closed = match reach {
            Reach::Campaign(_) => registry::closed_schools(tx, today)?,
            Reach::These(_) => {
                let listed: Vec<Uai> = lines.values().flatten().map(|line| line.school.uai.clone()).collect();
                registry::closed_among(tx, today, &listed)?
            }
        };
        let mut line_decisions: HashMap<ConventionId, HashMap<Uai, LineDecision>> = HashMap::new();
        for decision in store::line_decisions(tx, reach)? {
            line_decisions.entry(decision.convention_id).or_default().insert(decision.uai.clone(), decision);
        }
        Ok(Self {
            threshold: campaign.said.small_claims.threshold_on(today, &defaults.thresholds),
            titled: called(tx, reach)?,
            decisions: store::latest(tx, reach)?,
            conventions,
            participations,
            lines,
            line_decisions,
            closed,
            campaign,
        })
    }

    /// The lines of one convention, as issued.
    pub fn listed(&self, convention: &Convention) -> &[ParticipationLine] {
        let participation = self.participations.get(&convention.id);
        participation.and_then(|p| self.lines.get(&p.id)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The last decision on one convention's claim, in force or not.
    pub fn decision_of(&self, convention: &Convention) -> Option<&Decision> {
        self.decisions.get(&self.participations.get(&convention.id)?.id)
    }

    /// What living titles call for one convention.
    pub fn titled(&self, convention: ConventionId) -> Money {
        self.titled.get(&convention).copied().unwrap_or_default()
    }

    /// The claim of one convention; none when it has no participation, which cannot be.
    pub fn standing(&self, convention: &Convention) -> Option<Standing<'_>> {
        let participation = self.participations.get(&convention.id)?;
        let lines = self.listed(convention);
        let none = HashMap::new();
        let decided = self.line_decisions.get(&convention.id).unwrap_or(&none);
        let claim = claim(participation, lines, &self.closed, &self.campaign.said.school_year, decided)?;
        Some(Standing {
            participation,
            claim,
            titled: self.titled(convention.id),
            decision: self.decision_of(convention),
        })
    }

    /// Conventions that their payers declined, nothing having been issued to them since, and what is said of each.
    pub fn declined(&self, of: &dyn Fn(&Convention) -> bool) -> Vec<(&Convention, Finding)> {
        let lives = |payer| {
            let over = [ConventionState::Declined, ConventionState::Cancelled];
            self.conventions.iter().any(|c| c.collectivite_id == payer && !over.contains(&c.state()))
        };
        let declined = self.conventions.iter().filter(|c| c.state() == ConventionState::Declined && of(c));
        let told = |c: &Convention| {
            let message = format!("La collectivité a refusé la convention {} : rien n'est dû.", c.number);
            Finding::to_acknowledge("convention_declined", message)
        };
        // Who said no more than once is told the last time.
        let last = |c: &&Convention| {
            let later = |other: &Convention| {
                other.collectivite_id == c.collectivite_id
                    && other.state() == ConventionState::Declined
                    && other.sequence > c.sequence
            };
            !self.conventions.iter().any(later)
        };
        declined.filter(|c| !lives(c.collectivite_id)).filter(last).map(|c| (c, told(c))).collect()
    }

    /// Why nothing is due yet of a living convention.
    fn waits(&self, convention: &Convention, key: &str) -> BulkItem {
        let message = match convention.state() {
            ConventionState::Issued => "La collectivité n'a pas encore signé la convention : rien n'est dû.",
            _ => "La région académique n'a pas encore contresigné la convention : rien n'est dû.",
        };
        let mut finding = Finding::info("convention_not_in_effect", message);
        finding.found = Some(convention.state().to_string());
        BulkItem::new(key, "not_in_effect").with_id(convention.id).with(finding)
    }

    /// Which conventions in effect are asked for, and what is said of the others: each is counted, none passed over. A
    /// named payer without any is refused.
    pub fn choose(&self, payers: &Payers) -> (Vec<&Convention>, Vec<BulkItem>) {
        let waiting = |c: &&Convention| matches!(c.state(), ConventionState::Issued | ConventionState::Signed);
        let mut left = Vec::new();
        if let Payers::Named(named) = payers {
            let mut chosen = Vec::new();
            for (id, key) in named {
                let mut theirs = self.conventions.iter().filter(|c| c.collectivite_id == *id);
                match theirs.clone().find(|c| c.effect().is_some()) {
                    Some(convention) => chosen.push(convention),
                    None => {
                        left.push(match (theirs.find(waiting), self.declined(&|c| c.collectivite_id == *id).pop()) {
                            (Some(convention), _) => self.waits(convention, key),
                            (None, Some((_, finding))) => BulkItem::new(key, "refused").with(finding),
                            (None, None) => {
                                let message = "Aucune convention de ce payeur n'a pris effet dans cette campagne.";
                                BulkItem::refused(key, "convention_not_in_effect", message)
                            }
                        })
                    }
                }
            }
            chosen.sort_by_key(|c| c.rank);
            return (chosen, left);
        }
        let asked = |c: &Convention| match payers {
            Payers::Among(ids) => ids.contains(&c.collectivite_id),
            Payers::All | Payers::Named(_) => true,
        };
        for (convention, finding) in self.declined(&asked) {
            left.push(BulkItem::new(&convention.party.siret, "declined").with_id(convention.id).with(finding));
        }
        let waiting = self.conventions.iter().filter(|c| asked(c)).filter(waiting);
        left.extend(waiting.map(|c| self.waits(c, c.party.siret.as_str())));
        (self.conventions.iter().filter(|c| asked(c) && c.effect().is_some()).collect(), left)
    }
}

/// A claim about to be left untitled.
pub struct Small {
    pub convention_id: ConventionId,
    pub participation_id: ParticipationId,
    pub convention_number: String,
    pub name: String,
    pub siret: String,
    pub schools: usize,
    pub amount: Money,
}

impl Small {
    /// One convention's claim, of the amount that would stay untitled.
    #[must_use]
    pub fn of(convention: &Convention, standing: &Standing<'_>, amount: Money) -> Self {
        Self {
            convention_id: convention.id,
            participation_id: standing.participation.id,
            convention_number: convention.number.clone(),
            name: conventions::legal_name(&convention.party),
            siret: convention.party.siret.grouped(),
            schools: standing.claim.lines.len(),
            amount,
        }
    }
}
