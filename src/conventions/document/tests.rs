//! The convention rendered with sample contexts: the seed, the extremes, what is missing.

use chrono::NaiveDate;
use serde_json::Value;

use super::*;
use crate::kernel::school_label::{SchoolKind, school_label, school_line};
use crate::platform::documents::{Renderer, Template};

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn school(commune: &str, name: &str, kind: SchoolKind, uai: &str) -> SchoolLine {
    SchoolLine { line: school_line(commune, "30", &school_label(name, kind, true), uai), amount: None }
}

/// A real convention: Saint-Laurent-des-Arbres, 2025-2026.
fn seed() -> ConventionPaper {
    let commune = "Saint-Laurent-des-Arbres";
    ConventionPaper {
        specimen: false,
        number: "ENT-C-2025-2026-00123".into(),
        school_year: "2025-2026".into(),
        header_date: french::date_long(day(2025, 6, 5)),
        ends_on: french::date_long(day(2026, 9, 5)),
        court: "tribunal administratif de Montpellier".into(),
        to_court: "au tribunal administratif de Montpellier".into(),
        dpo_contact: "dpd@region-academique.example".into(),
        portal: true,
        academies: vec!["Montpellier".into(), "Toulouse".into()],
        of_academies: vec!["de Montpellier".into(), "de Toulouse".into()],
        issuer: Issuer {
            name: "Région académique Occitanie".into(),
            address: "31, rue de l’Université, 34064 Montpellier Cedex 2".into(),
            representative: Representative {
                name: "Mme Carole Drucker-Godard".into(),
                capacities: vec![
                    "rectrice de la région académique Occitanie".into(),
                    "rectrice de l’académie de Montpellier".into(),
                    "chancelière des universités".into(),
                ],
            },
        },
        payer: Payer {
            name: "COMMUNE DE SAINT-LAURENT-DES-ARBRES".into(),
            kind: PayerKind::Commune,
            siret: "213 002 785 00011".into(),
            address: "2 PLACE DE LA MAIRIE, HOTEL DE VILLE, 30126 SAINT-LAURENT-DES-ARBRES".into(),
            representative: Some(Representative {
                name: "Mme Sylvie BARRIEU VIGNAL".into(),
                capacities: vec!["maire".into()],
            }),
        },
        pricing: Pricing::per_school(2, 4_000),
        schools: vec![
            school(commune, "Ecole élémentaire Charles Odoyer", SchoolKind::Elementaire, "0301023Z"),
            school(commune, "Ecole maternelle Charles Odoyer", SchoolKind::Maternelle, "0301015R"),
        ],
        issuer_signature: SignatureBlock {
            place: Some("Montpellier".into()),
            at: Some("à Montpellier".into()),
            signed_on: Some(french::date_short(day(2025, 7, 25))),
            signatory: None,
        },
        payer_signature: SignatureBlock::default(),
        return_instructions: Vec::new(),
    }
}

/// 300 schools, specimen, not signed.
fn large() -> ConventionPaper {
    let mut paper = seed();
    paper.specimen = true;
    paper.pricing = Pricing::per_school(300, 4_000);
    paper.schools = (0..300)
        .map(|rank| {
            let name = format!("Ecole primaire Jean-Baptiste de Saint-Exupéry {rank}");
            school("Toulouse", &name, SchoolKind::Primaire, "0311234X")
        })
        .collect();
    paper.issuer_signature = SignatureBlock::default();
    paper
}

/// Names of 200 characters everywhere, amounts that differ, no portal.
fn long_names() -> ConventionPaper {
    let long = "Syndicat intercommunal à vocation scolaire et périscolaire ".repeat(4);
    let long: String = long.chars().take(200).collect();
    let solid = "Interminable-".repeat(16).chars().take(200).collect::<String>();
    let mut paper = seed();
    paper.portal = false;
    paper.academies.clear();
    paper.of_academies.clear();
    paper.payer.kind = PayerKind::Syndicat;
    paper.payer.name = long.to_uppercase();
    paper.payer.address = long.clone();
    paper.payer.representative =
        Some(Representative { name: long.clone(), capacities: vec![long.clone(), solid.clone()] });
    paper.pricing = Pricing {
        count: 3,
        unit_price: None,
        total: french::euros_compact(10_000),
        rules: vec!["La première année scolaire d’inscription d’une école est gratuite.".into()],
        steps: vec!["École 0301023Z : première année d’inscription (2025-2026), rien n’est dû".into()],
        ..Pricing::per_school(3, 4_000)
    };
    paper.schools = [(4_000, &long), (6_000, &solid), (0, &long)]
        .into_iter()
        .map(|(cents, name)| SchoolLine {
            amount: Some(french::euros_short(cents)),
            ..school(&long, name, SchoolKind::Primaire, "0301023Z")
        })
        .collect();
    paper
}

/// One school, nothing known of who signs.
fn nobody() -> ConventionPaper {
    let mut paper = seed();
    paper.payer.representative = None;
    paper.pricing = Pricing::per_school(1, 4_050);
    paper.schools.truncate(1);
    paper.issuer_signature = SignatureBlock::default();
    paper
}

fn render(paper: &ConventionPaper) -> Vec<u8> {
    let renderer = Renderer::new(None).unwrap();
    let input = serde_json::to_vec(paper).unwrap();
    renderer.render(&default_template(), &input, day(2025, 6, 5), &paper.number).unwrap()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn every_sample_makes_an_archivable_and_accessible_paper() {
    for paper in [seed(), large(), long_names(), nobody()] {
        let pdf = render(&paper);
        assert!(pdf.starts_with(b"%PDF-1."));
        assert!(contains(&pdf, "<pdfaid:part>3</pdfaid:part>"));
        assert!(contains(&pdf, "<pdfuaid:part>1</pdfuaid:part>"));
        assert!(contains(&pdf, "/Lang(fr-FR)"));
        assert!(contains(&pdf, "/Outlines"));
    }
}

#[test]
fn the_same_convention_gives_the_same_bytes_from_two_threads() {
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
    for (pointer, field) in [
        ("", "to_court"),
        ("", "of_academies"),
        ("/pricing", "listed"),
        ("/issuer_signature", "at"),
        ("/payer_signature", "at"),
    ] {
        input.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap().remove(field).unwrap();
    }
    let input = serde_json::to_vec(&input).unwrap();
    let pdf = Renderer::new(None).unwrap().render(&default_template(), &input, day(2025, 6, 5), "x").unwrap();
    assert!(pdf.starts_with(b"%PDF-1."));
}

#[test]
fn every_kind_of_payer_has_its_words() {
    for kind in [PayerKind::Commune, PayerKind::Epci, PayerKind::Syndicat, PayerKind::Autre] {
        let mut paper = nobody();
        paper.payer.kind = kind;
        render(&paper);
    }
}

#[test]
fn article_9_reads_as_the_seed() {
    let input = serde_json::to_value(seed()).unwrap();
    let texts = |pointer| input.pointer(pointer).and_then(Value::as_str);
    assert_eq!(
        texts("/schools/0/line"),
        Some("SAINT-LAURENT-DES-ARBRES - 30 - ECOLE ELEMENTAIRE PUBLIQUE CHARLES ODOYER - 0301023Z")
    );
    assert_eq!(
        texts("/schools/1/line"),
        Some("SAINT-LAURENT-DES-ARBRES - 30 - ECOLE MATERNELLE PUBLIQUE CHARLES ODOYER - 0301015R")
    );
    assert_eq!(texts("/pricing/unit_price"), Some("40€"));
    assert_eq!(texts("/pricing/total"), Some("80€"));
    assert_eq!(input.pointer("/pricing/count"), Some(&Value::from(2)));
}

#[test]
fn the_template_of_a_rectorat_replaces_ours() {
    let own = Template::new(
        "rectorat.typ",
        "#let d = json(\"input.json\")\n#set document(title: d.number)\n\
         #set text(lang: \"fr\")\n= Convention #d.payer.name",
    );
    let input = serde_json::to_vec(&seed()).unwrap();
    let pdf = Renderer::new(None).unwrap().render(&own, &input, day(2025, 6, 5), "x").unwrap();
    assert!(pdf.starts_with(b"%PDF-1."));
}

#[test]
fn every_word_of_the_template_has_a_glyph() {
    assert_eq!(Renderer::new(None).unwrap().unsupported_char(TEMPLATE), None);
}
