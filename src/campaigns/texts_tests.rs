//! Placeholders, blanks and dates of the texts.

use super::*;
use serde_json::{Value, json};

fn every_text_path(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                every_text_path(member, &below, found);
            }
        }
        Value::String(_) | Value::Array(_) | Value::Null => found.push(path.to_owned()),
        _ => {}
    }
}

#[test]
fn no_text_escapes_the_search_for_placeholders() {
    let mut full = serde_json::to_value(CampaignTexts::default()).unwrap();
    let mut paths = Vec::new();
    every_text_path(&full, "", &mut paths);
    paths.retain(|path| path != "document_kind" && path != "courts.validated_on");
    for path in &paths {
        let slot = full.pointer_mut(&format!("/{}", path.replace('.', "/"))).unwrap();
        *slot = if slot.is_array() { json!(["un EXEMPLE"]) } else { json!("un EXEMPLE") };
    }
    let texts: CampaignTexts = serde_json::from_value(full).unwrap();
    let mut found: Vec<_> = texts.placeholders().into_iter().map(|(path, _)| path.to_owned()).collect();
    found.sort();
    paths.sort();
    assert_eq!(found, paths);
}

#[test]
fn a_needed_text_that_says_nothing_is_still_to_be_written() {
    let mut value = serde_json::to_value(CampaignTexts::default()).unwrap();
    for path in NEEDED {
        *value.pointer_mut(&format!("/{}", path.replace('.', "/"))).unwrap() = json!(" , ");
    }
    *value.pointer_mut("/issuer/contact_phone").unwrap() = json!("");
    let texts: CampaignTexts = serde_json::from_value(value).unwrap();
    let barred: Vec<_> = texts.unprintable(true).into_iter().map(|(path, _)| path).collect();
    for path in NEEDED {
        assert!(barred.contains(&path), "{path}");
    }
    assert!(!barred.contains(&"issuer.contact_phone"));
}

#[test]
fn a_replaced_text_is_no_longer_reported() {
    let mut texts = CampaignTexts::default();
    assert!(texts.placeholders().contains(&("issuer.name", "Région académique EXEMPLE")));
    texts.issuer.name = "Région académique Occitanie".into();
    assert!(!texts.placeholders().iter().any(|(path, _)| *path == "issuer.name"));
}

#[test]
fn only_a_specimen_carries_an_address_that_reaches_nobody() {
    let mut texts = CampaignTexts::default();
    texts.dpo.email = "dpd@demonstration.invalid".into();
    let barred = |texts: &CampaignTexts, specimen| texts.unprintable(specimen).iter().any(|(p, _)| *p == "dpo.email");
    assert!(barred(&texts, false) && !barred(&texts, true));
    texts.dpo.email = "à compléter".into();
    assert!(barred(&texts, true));
}

#[test]
fn blank_options_are_absent_and_dates_are_read() {
    let mut value = serde_json::to_value(CampaignTexts::default()).unwrap();
    *value.pointer_mut("/dpo/name").unwrap() = json!("  ");
    *value.pointer_mut("/courts/validated_on").unwrap() = json!("2026-02-03");
    let texts: CampaignTexts = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(texts.dpo.name, None);
    assert_eq!(texts.courts.validated_on, NaiveDate::from_ymd_opt(2026, 2, 3));
    *value.pointer_mut("/courts/validated_on").unwrap() = json!("03/02/2026");
    assert!(serde_json::from_value::<CampaignTexts>(value.clone()).unwrap_err().to_string().contains("AAAA-MM-JJ"));
    *value.pointer_mut("/courts/validated_on").unwrap() = json!("1899-12-31");
    assert!(serde_json::from_value::<CampaignTexts>(value).unwrap_err().to_string().contains("date_range"));
}

#[test]
fn an_unknown_text_is_refused() {
    let mut value = serde_json::to_value(CampaignTexts::default()).unwrap();
    value.pointer_mut("/dpo").unwrap()["mail"] = json!("x");
    assert!(serde_json::from_value::<CampaignTexts>(value).is_err());
}

#[test]
fn a_title_needs_its_legal_mentions() {
    let mut texts = CampaignTexts::default();
    assert_eq!(
        texts.missing_for_title(),
        [
            "legal_basis",
            "signatory.delegation",
            "comptable_assignataire.name",
            "comptable_assignataire.address_lines",
            "courts.title_recourse_text",
            "courts.validated_by",
            "courts.validated_on",
        ]
    );
    texts.legal_basis = Some("Convention, articles 3.2 et 4".into());
    texts.signatory.delegation = Some("Arrêté du 2 janvier 2026, RAA n° 12".into());
    texts.comptable_assignataire.name = "DRFiP Occitanie".into();
    texts.comptable_assignataire.address_lines = vec!["34, rue Serpentine".into()];
    texts.courts.title_recourse_text = Some("Dans les deux mois…".into());
    texts.courts.validated_by = Some("Service juridique".into());
    texts.courts.validated_on = NaiveDate::from_ymd_opt(2026, 1, 5);
    assert_eq!(texts.missing_for_title(), Vec::<&str>::new());
}
