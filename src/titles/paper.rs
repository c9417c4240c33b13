//! From an approved title to the words its paper prints.

use serde_json::json;

use super::document::{
    Accountant, Approval, Axis, Debtor, Ground, Preparation, Service, TitleLine as PrintedLine, TitlePaper,
};
use super::title::{Reference, Title, TitleLine};
use crate::access::{Signatory, User};
use crate::campaigns::texts::CampaignTexts;
use crate::claims;
use crate::kernel::{Instant, french, school_label};
use crate::platform::db::blobs::digest;

/// What the paper needs besides the title.
pub struct Context<'a> {
    pub texts: &'a CampaignTexts,
    pub lines: &'a [TitleLine],
    pub preparer: &'a User,
    pub approver: &'a User,
    pub signatory: &'a Signatory,
    pub approved_at: Instant,
    pub specimen: bool,
}

/// The paper of a title just approved.
#[must_use]
pub fn compose(title: &Title, reference: &Reference, context: &Context<'_>) -> TitlePaper {
    let texts = context.texts;
    let count = context.lines.len();
    let schools = if count == 1 { "une école".to_owned() } else { french::count(count, "école") };
    let year = &title.ground.school_year;
    TitlePaper {
        specimen: context.specimen,
        reference: reference.text.clone(),
        exercice: reference.exercice.to_string(),
        issued_on: french::date_long(context.approved_at.day()),
        school_year: year.to_string(),
        service: Service {
            authority: texts.issuer.name.clone(),
            name: texts.issuer.service.clone(),
            address: known(&texts.issuer.address_lines, ", "),
            contact: known([&texts.issuer.contact_email, &texts.issuer.contact_phone], " — "),
        },
        debtor: debtor(&title.debtor),
        nature: "Participation au financement de l’ENT-école".into(),
        ground: Ground {
            convention_number: title.ground.convention_number.clone(),
            payer_signed_on: french::date_long(title.ground.payer_signed_on),
            issuer_signed_on: french::date_long(title.ground.issuer_signed_on),
            deliberation: None,
        },
        triggering_event: format!("Inscription {} à l’ENT-école pour l’année scolaire {year}", french::de(&schools)),
        lines: context.lines.iter().map(printed).collect(),
        lines_note: lines_note(title, context.lines),
        total: total(title),
        total_in_words: french::amount_in_words(title.amount.cents()),
        imputation: axes(texts),
        accountant: Accountant {
            name: texts.comptable_assignataire.name.clone(),
            address: known(&texts.comptable_assignataire.address_lines, ", "),
        },
        recovery_accountant: Accountant {
            name: texts
                .comptable_recouvrement
                .name
                .clone()
                .unwrap_or_else(|| texts.comptable_recouvrement.rule.clone()),
            address: known(&texts.comptable_recouvrement.address_lines, ", "),
        },
        prepared_by: Preparation {
            first_name: context.preparer.first_name.to_string(),
            last_name: context.preparer.last_name.to_string(),
            capacity: context.preparer.capacity.clone().unwrap_or_else(|| "gestionnaire".into()),
            on: french::date_long(title.prepared_at.day()),
        },
        approved_by: Some(Approval {
            first_name: context.approver.first_name.to_string(),
            last_name: context.approver.last_name.to_string(),
            capacity: context.signatory.capacity.clone(),
            on: french::date_long(context.approved_at.day()),
            delegation: Some(context.signatory.delegation.reference.to_string()),
            publication: Some(format!(
                "recueil des actes administratifs du {}",
                french::date_short(context.signatory.delegation.published_on)
            )),
        }),
        attachments: vec![format!("convention n° {}", title.ground.convention_number)],
    }
}

/// Who owes, as printed.
pub(super) fn debtor(debtor: &claims::Debtor) -> Debtor {
    let town = debtor.town.as_deref();
    Debtor {
        name: debtor.name.clone(),
        address: debtor.address.known(town),
        address_complete: debtor.address.missing(town).is_empty(),
        siret: debtor.siret.grouped(),
        third_party_number: debtor.chorus.third_party_number.as_ref().map(ToString::to_string),
        service_code: debtor.chorus.service_code.as_ref().map(ToString::to_string),
        commitment_number: debtor.chorus.commitment_number.as_ref().map(ToString::to_string),
        substitution: debtor.substitution.clone(),
    }
}

/// What is owed, as printed.
pub(super) fn total(title: &Title) -> String {
    french::euros(title.amount.cents())
}

/// Digest of the figures and of who owes them, as papers printed it before the input went with them.
pub(super) fn settlement_digest(title: &Title, reference: &Reference, lines: &[TitleLine]) -> String {
    let settlement = json!({
        "reference": reference.text,
        "convention": title.ground.convention_number,
        "siret": title.debtor.siret,
        "amount": title.amount,
        "lines": lines,
    });
    digest(settlement.to_string().as_bytes())
}

/// The computation step by step, when the table alone does not show it, and the schools of the convention that are not in
/// the table.
fn lines_note(title: &Title, lines: &[TitleLine]) -> Option<String> {
    let left_out = &title.ground.left_out;
    let absent = (!left_out.is_empty()).then(|| format!("École {}.", left_out.join(" ; école ")));
    Some(french::joined(computation(title, lines).into_iter().chain(absent), " ")).filter(|note| !note.is_empty())
}

fn computation(title: &Title, lines: &[TitleLine]) -> Option<String> {
    let evident = |l: &TitleLine| l.unit_amount.is_some() && l.quantity == 1;
    let steps: Vec<String> = title.ground.steps.iter().skip(1).map(|s| french::agreed(&s.text)).collect();
    (!steps.is_empty() && !lines.iter().all(evident)).then(|| format!("Calcul : {}.", french::joined(steps, " ; ")))
}

fn printed(line: &TitleLine) -> PrintedLine {
    let label = format!("{} - {}", school_label::capitals(line.commune_name.as_str()), line.label);
    PrintedLine {
        uai: line.uai.to_string(),
        label: match &line.waiver {
            Some(why) => format!("{label} – {why}"),
            None => label,
        },
        unit_price: match (line.unit_amount, line.quantity) {
            (None, _) => "–".to_owned(),
            (Some(price), 1) => french::euros(price.cents()),
            (Some(price), count) => format!("{count} × {}", french::euros(price.cents())),
        },
        amount: french::euros(line.amount.cents()),
    }
}

/// What is known of several parts, if anything is.
fn known<S: AsRef<str>>(parts: impl IntoIterator<Item = S>, separator: &str) -> Option<String> {
    Some(french::joined(parts, separator)).filter(|all| !all.is_empty())
}

fn axes(texts: &CampaignTexts) -> Vec<Axis> {
    let i = &texts.imputation;
    [
        ("Domaine fonctionnel", &i.domaine_fonctionnel),
        ("Centre financier", &i.centre_financier),
        ("Centre de coûts", &i.centre_couts),
        ("Activité", &i.activite),
        ("Compte général", &i.compte_general),
        ("Groupe de marchandises", &i.groupe_marchandises),
        ("Fonds", &i.fonds),
    ]
    .into_iter()
    .map(|(label, value)| Axis { label: label.into(), value: value.clone() })
    .collect()
}
