//! The rules of a tariff, and the words it prints.

use serde_json::json;

use super::*;

fn tariff(body: serde_json::Value) -> Tariff {
    serde_json::from_value(body).unwrap()
}

fn codes(body: serde_json::Value) -> Vec<(String, String)> {
    tariff(body).faults().into_iter().map(|e| (e.pointer, e.code)).collect()
}

fn one(pointer: &str, code: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), code.to_owned())]
}

#[test]
fn a_tariff_stored_before_tiers_still_reads() {
    assert_eq!(tariff(json!({"unit": "school", "unit_amount": "40.00"})), Tariff::per_school(Money::from_cents(4000)));
}

#[test]
fn each_rule_is_told_on_its_field() {
    assert_eq!(codes(json!({"unit": "school", "unit_amount": "40"})), []);
    assert_eq!(codes(json!({"unit": "school", "unit_amount": "0"})), one("/tariff/unit_amount", "amount_zero"));
    let tiers = |tiers: serde_json::Value| json!({"unit": "pupil", "unit_amount": "0", "tier_mode": "marginal", "tiers": tiers});
    // The first pupils may be free, as long as something is not.
    assert_eq!(codes(tiers(json!([{"from": 11, "unit_amount": "1"}]))), []);
    assert_eq!(codes(tiers(json!([{"from": 1, "unit_amount": "1"}]))), one("/tariff/tiers/0/from", "tier_order"));
    assert_eq!(
        codes(tiers(json!([{"from": 5, "unit_amount": "1"}, {"from": 5, "unit_amount": "2"}]))),
        one("/tariff/tiers/1/from", "tier_order")
    );
    let mode = json!({"unit": "class", "unit_amount": "1", "tiers": [{"from": 2, "unit_amount": "1"}]});
    assert_eq!(codes(mode), one("/tariff/tier_mode", "missing_field"));
    let flat =
        json!({"unit": "flat", "unit_amount": "1", "tier_mode": "bracket", "tiers": [{"from": 2, "unit_amount": "1"}]});
    assert_eq!(codes(flat), one("/tariff/tiers", "tiers_not_for_flat"));
    let bounds = json!({"unit": "school", "unit_amount": "1", "minimum": "10", "cap": "9.99"});
    assert_eq!(codes(bounds), one("/tariff/minimum", "minimum_above_cap"));
    assert_eq!(codes(json!({"unit": "school", "unit_amount": "1", "cap": "0"})), one("/tariff/cap", "amount_zero"));
    let exempt = |list: serde_json::Value| json!({"unit": "school", "unit_amount": "1", "exemptions": list});
    assert_eq!(codes(exempt(json!([{"uai": "0301023Z", "reason": "école pilote"}]))), []);
    assert_eq!(codes(exempt(json!([{"reason": "personne"}]))), one("/tariff/exemptions/0", "uai_or_siret"));
    let both = json!([{"uai": "0301023Z", "siret": "21300278500011", "reason": "x"}]);
    assert_eq!(codes(exempt(both)), one("/tariff/exemptions/0", "uai_or_siret"));
    let twice = json!([{"uai": "0301023Z", "reason": "x"}, {"uai": "0301023Z", "reason": "y"}]);
    assert_eq!(codes(exempt(twice)), one("/tariff/exemptions/1", "duplicate"));
}

#[test]
fn a_bracket_that_makes_more_cost_less_is_seen() {
    let bracket = |second: &str, mode: &str| {
        tariff(
            json!({"unit": "school", "unit_amount": "40", "tier_mode": mode, "tiers": [{"from": 11, "unit_amount": second}]}),
        )
    };
    assert_eq!(bracket("30", "bracket").bracket_drop(), Some(11), "11 × 30 € are less than 10 × 40 €");
    assert_eq!(bracket("39", "bracket").bracket_drop(), None);
    assert_eq!(bracket("30", "marginal").bracket_drop(), None);
}

#[test]
fn article_4_says_every_rule() {
    let full = tariff(json!({
        "unit": "pupil", "unit_amount": "1.20", "tier_mode": "marginal",
        "tiers": [{"from": 101, "unit_amount": "1"}, {"from": 501, "unit_amount": "0.80"}],
        "minimum": "50", "cap": "800", "first_year_free": true
    }));
    let text = full.rules().join("\n").replace('\u{202f}', " ");
    assert_eq!(full.rate().replace('\u{202f}', " "), "1,20 € TTC par élève et par an");
    for words in [
        "Le nombre d’élèves retenu",
        "nombre d’élèves (",
        "de 1 à 100 : 1,20 € ; de 101 à 500 : 1 € ; à partir de 501 : 0,80 €",
        "chaque élève est compté au prix de sa tranche",
        "jamais inférieure à 50 €",
        "n’excède jamais 800 €",
        "première année",
    ] {
        assert!(text.contains(words), "{words}\nin\n{text}");
    }
    assert_eq!(Tariff::per_school(Money::from_cents(4000)).rules(), Vec::<String>::new());
    let flat = tariff(json!({"unit": "flat", "unit_amount": "150"})).rate();
    assert!(flat.contains("par collectivité et par an"), "{flat}");
}

#[test]
fn a_convention_keeps_only_the_exemptions_that_concern_it() {
    let all = tariff(json!({"unit": "school", "unit_amount": "40", "exemptions": [
        {"uai": "0301023Z", "reason": "a"}, {"siret": "21300278500011", "reason": "b"}
    ]}));
    let kept = all.kept(|e| e.uai.is_some());
    assert_eq!(kept.exemptions.iter().map(Exemption::key).collect::<Vec<_>>(), ["0301023Z"]);
    assert_eq!(kept.unit_amount, all.unit_amount);
}
