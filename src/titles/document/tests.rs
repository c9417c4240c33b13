//! The sheet rendered with sample contexts: the seed, the extremes, what is missing.

use chrono::NaiveDate;

use super::*;
use crate::claims::substitution;
use crate::kernel::french;
use crate::platform::documents::Renderer;

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 2, 3).unwrap()
}

fn line(uai: &str, name: &str) -> TitleLine {
    TitleLine {
        uai: uai.into(),
        label: format!("SAINT-LAURENT-DES-ARBRES - {name}"),
        unit_price: french::euros(4_000),
        amount: french::euros(4_000),
    }
}

fn seed() -> TitlePaper {
    TitlePaper {
        specimen: false,
        reference: "ENT-T-2026-000123".into(),
        exercice: "2026".into(),
        issued_on: french::date_long(day()),
        school_year: "2025-2026".into(),
        service: Service {
            authority: "Région académique Occitanie".into(),
            name: "Direction de région académique du numérique pour l’éducation".into(),
            address: Some("31, rue de l’Université, 34064 Montpellier Cedex 2".into()),
            contact: Some("ent-ecole@region-academique.example".into()),
        },
        debtor: Debtor {
            name: "COMMUNE DE SAINT-LAURENT-DES-ARBRES".into(),
            address: "2 PLACE DE LA MAIRIE, HOTEL DE VILLE, 30126 SAINT-LAURENT-DES-ARBRES".into(),
            address_complete: true,
            siret: "21300278500011".into(),
            third_party_number: Some("1100012345".into()),
            service_code: None,
            commitment_number: None,
            substitution: None,
        },
        nature: "Participation au financement de l’ENT-école".into(),
        ground: Ground {
            convention_number: "ENT-C-2025-2026-00123".into(),
            payer_signed_on: "25 juillet 2025".into(),
            issuer_signed_on: "25 juillet 2025".into(),
            deliberation: Some(
                "délibération n° 060/2025 du 24 juillet 2025 (030-213002785-20250724-DEL0662025-DE)".into(),
            ),
        },
        triggering_event: "Inscription de 2 écoles à l’ENT-école pour l’année scolaire 2025-2026".into(),
        lines: vec![
            line("0301023Z", "ECOLE ELEMENTAIRE PUBLIQUE CHARLES ODOYER"),
            line("0301015R", "ECOLE MATERNELLE PUBLIQUE CHARLES ODOYER"),
        ],
        lines_note: None,
        total: french::euros(8_000),
        total_in_words: french::amount_in_words(8_000),
        imputation: [("Domaine fonctionnel", Some("0140-01-01")), ("Centre financier", None), ("Compte général", None)]
            .into_iter()
            .map(|(label, value)| Axis { label: label.into(), value: value.map(Into::into) })
            .collect(),
        accountant: Accountant {
            name: "Direction régionale des finances publiques d’Occitanie".into(),
            address: Some("34, rue des Lois, 31000 Toulouse".into()),
        },
        recovery_accountant: Accountant {
            name: "Direction départementale des finances publiques du Gard".into(),
            address: None,
        },
        prepared_by: Preparation {
            first_name: "Camille".into(),
            last_name: "Roux".into(),
            capacity: "gestionnaire".into(),
            on: "2 février 2026".into(),
        },
        approved_by: Some(Approval {
            first_name: "Dominique".into(),
            last_name: "Faure".into(),
            capacity: "chef de la division des affaires financières".into(),
            on: "3 février 2026".into(),
            delegation: Some("arrêté du 2 juin 2025".into()),
            publication: Some("recueil des actes administratifs R76-2025-101 du 3 juin 2025".into()),
        }),
        attachments: vec![
            "Convention n° ENT-C-2025-2026-00123 signée".into(),
            "Délibération n° 060/2025 du 24 juillet 2025".into(),
        ],
    }
}

/// 300 schools, specimen, a succeeding debtor.
fn large() -> TitlePaper {
    let mut paper = seed();
    paper.specimen = true;
    paper.debtor.substitution = Some(substitution("la commune d’Aulas", Some("arrêté du 12 décembre 2025")));
    paper.lines = (0..300).map(|rank| line("0311234X", &format!("ECOLE PRIMAIRE PUBLIQUE {rank}"))).collect();
    paper.total = french::euros(1_200_000);
    paper.total_in_words = french::amount_in_words(1_200_000);
    paper
}

/// Names of 200 characters, nothing optional.
fn long_and_bare() -> TitlePaper {
    let long: String = "Syndicat intercommunal à vocation scolaire ".repeat(5).chars().take(200).collect();
    let mut paper = seed();
    paper.service.name.clone_from(&long);
    paper.service.address = None;
    paper.service.contact = None;
    paper.debtor.address_complete = false;
    paper.debtor.name = long.to_uppercase();
    paper.debtor.address = "Interminable-".repeat(15);
    paper.debtor.third_party_number = None;
    paper.ground.deliberation = None;
    paper.lines = vec![line("0301023Z", &long)];
    paper.lines_note = Some("La première année d’inscription d’une école est gratuite.".into());
    paper.imputation.clear();
    paper.approved_by = None;
    paper.attachments.clear();
    paper
}

fn render(paper: &TitlePaper) -> Vec<u8> {
    let input = serde_json::to_vec(paper).unwrap();
    Renderer::new(None).unwrap().render(&default_template(), &input, day(), &paper.reference).unwrap()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn every_sample_makes_an_archivable_and_accessible_paper() {
    for paper in [seed(), large(), long_and_bare()] {
        let pdf = render(&paper);
        assert!(pdf.starts_with(b"%PDF-1."));
        assert!(contains(&pdf, "<pdfaid:part>3</pdfaid:part>"));
        assert!(contains(&pdf, "<pdfuaid:part>1</pdfuaid:part>"));
        assert!(contains(&pdf, "/Lang(fr-FR)"));
        assert!(contains(&pdf, "/Outlines"));
    }
}

#[test]
fn the_same_sheet_gives_the_same_bytes_from_two_threads() {
    let first = render(&seed());
    std::thread::scope(|scope| {
        let others = [scope.spawn(|| render(&seed())), scope.spawn(|| render(&seed()))];
        for other in others {
            assert_eq!(other.join().unwrap(), first);
        }
    });
}

/// What was frozen before a field came still composes: a job may hold it.
#[test]
fn an_input_of_before_composes() {
    let mut input = serde_json::to_value(seed()).unwrap();
    for (pointer, field) in [("/service", "authority"), ("/debtor", "address_complete")] {
        input.pointer_mut(pointer).and_then(serde_json::Value::as_object_mut).unwrap().remove(field).unwrap();
    }
    let input = serde_json::to_vec(&input).unwrap();
    assert!(Renderer::new(None).unwrap().render(&default_template(), &input, day(), "x").is_ok());
}

#[test]
fn the_amount_is_printed_in_figures_and_in_words() {
    let paper = seed();
    assert_eq!(paper.total, "80,00\u{202F}€");
    assert_eq!(paper.total_in_words, "quatre-vingts euros");
}

#[test]
fn a_successor_is_named_with_the_act() {
    assert_eq!(
        substitution("la commune d’Aulas", Some("arrêté du 12 décembre 2025")),
        "substituée de plein droit à la commune d’Aulas (arrêté du 12 décembre 2025)"
    );
    assert_eq!(substitution("la commune d’Aulas", None), "substituée de plein droit à la commune d’Aulas");
    assert_eq!(substitution("le SIVOM de la Bure", None), "substituée de plein droit au SIVOM de la Bure");
}

#[test]
fn the_paper_never_passes_for_a_title_to_be_paid() {
    let lower = TEMPLATE.to_lowercase();
    assert!(lower.contains("ne pas mandater au vu de ce document"));
    for word in ["iban", "tva", "relev", "mise en demeure", "majoration"] {
        assert!(!lower.contains(word), "{word}");
    }
    assert_eq!(Renderer::new(None).unwrap().unsupported_char(TEMPLATE), None);
}
