//! What an import answers, whatever it imports.

use std::collections::BTreeMap;

use serde::Serialize;

use super::import::{Parsed, RowFault};
use crate::kernel::{Finding, Level};

/// Most rows told one by one, and most findings of theirs: a file may hold as many faults as it has bytes.
const ROWS_TOLD: usize = 10_000;
const FINDINGS_TOLD: usize = 20_000;

/// Une ligne qui mérite d'être dite : rejetée, fermée ou portant des constats.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ImportRow {
    /// Ligne telle qu'un tableur la montre (1 est l'en-tête), ou rang de l'objet dans un fichier JSON ; nul pour ce qui est
    /// absent du fichier.
    pub line: Option<u64>,
    #[schema(example = "0301023Z")]
    pub key: String,
    #[schema(example = "updated")]
    pub outcome: &'static str,
    pub findings: Vec<Finding>,
}

/// Comptes, et lignes qui méritent d'être dites.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct ImportView {
    pub created: usize,
    pub updated: usize,
    pub unchanged: usize,
    /// Fermées, car absentes d'un fichier déclaré complet pour leur département ou dites fermées par lui.
    pub closed: usize,
    /// Absentes d'un fichier déclaré complet, mais laissées ouvertes : une ligne qui n'a pu être lue peut être la leur
    /// (constat `absence_unproven`).
    pub not_closed: usize,
    /// Lignes d'un autre genre (des collèges dans un fichier d'écoles, une annexe de mairie), ou d'une école qu'une personne
    /// a retirée.
    pub ignored: usize,
    pub rejected: usize,
    pub dry_run: bool,
    /// Combien de fois vient chaque constat.
    #[schema(value_type = std::collections::HashMap<String, i64>)]
    pub findings: BTreeMap<String, usize>,
    /// Pourquoi des lignes sont ignorées, et combien pour chaque raison ; celles qui portent un constat sont dans `rows`.
    #[schema(value_type = std::collections::HashMap<String, i64>)]
    pub ignored_reasons: BTreeMap<&'static str, usize>,
    /// Lignes rejetées, fermées ou portant des constats ; les autres sont seulement comptées.
    pub rows: Vec<ImportRow>,
    /// Lignes qui méritaient d'être dites et ne le sont pas : au-delà de 10 000 lignes ou de 20 000 constats, elles sont
    /// seulement comptées.
    pub rows_omitted: usize,
    #[serde(skip)]
    findings_told: usize,
}

impl ImportView {
    /// Counts a row and keeps it when it is worth telling.
    pub fn tell(&mut self, line: Option<u64>, key: impl ToString, outcome: &'static str, findings: Vec<Finding>) {
        match outcome {
            "created" => self.created += 1,
            "updated" => self.updated += 1,
            "unchanged" => self.unchanged += 1,
            "closed" => self.closed += 1,
            "not_closed" => self.not_closed += 1,
            "ignored" => self.ignored += 1,
            _ => self.rejected += 1,
        }
        for finding in &findings {
            *self.findings.entry(finding.code.clone()).or_default() += 1;
        }
        if !findings.is_empty() || matches!(outcome, "closed" | "rejected") {
            if self.rows.len() >= ROWS_TOLD || self.findings_told + findings.len() > FINDINGS_TOLD {
                self.rows_omitted += 1;
                return;
            }
            self.findings_told += findings.len();
            self.rows.push(ImportRow { line, key: key.to_string(), outcome, findings });
        }
    }

    /// Counts a row that is none of our business; the reason is a French sentence.
    pub fn set_aside(&mut self, reason: &'static str) {
        self.ignored += 1;
        *self.ignored_reasons.entry(reason).or_default() += 1;
    }

    /// Counts a row the parser set aside; gives back the ones to act on.
    pub fn sift<T>(&mut self, line: u64, parsed: Parsed<T>) -> Option<(T, Vec<Finding>)> {
        match parsed {
            Parsed::Row { value, findings } => Some((value, findings)),
            Parsed::Ignored { reason, .. } => {
                self.set_aside(reason);
                None
            }
            Parsed::Rejected { key, faults } => {
                self.tell(Some(line), key, "rejected", faults.into_iter().map(row_finding).collect());
                None
            }
        }
    }

    /// Rejects a row for a reason found while writing.
    pub fn reject(&mut self, line: u64, key: impl ToString, code: &str, message: impl Into<String>) {
        self.tell(Some(line), key, "rejected", vec![Finding::new(code, Level::Blocking, message)]);
    }
}

fn row_finding(fault: RowFault) -> Finding {
    let mut finding = Finding::blocking(fault.fault.code, format!("{} : {}", fault.column, fault.fault.message));
    finding.found = Some(fault.value);
    finding
}
