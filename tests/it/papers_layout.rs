//! How papers fall on their pages: no signature and no heading alone, nothing out of its column, whatever the names.
//!
//! Looked at on the pages as a reader of PDF gives them back, from 1 to 60 lines and at 300, with short and long names.
//! More than 400 lines, because each of the three papers has a sample whole here.

use std::sync::LazyLock;

use ent_backoffice::claims::decision_paper::{self as decision, ClaimLine, DecisionPaper};
use ent_backoffice::conventions::document::{
    self as convention, ConventionPaper, Issuer, Payer, PayerKind, Pricing, Representative, SchoolLine, SignatureBlock,
};
use ent_backoffice::kernel::french;
use ent_backoffice::platform::documents::{Dress, Renderer, Template, input};
use ent_backoffice::titles::document::{
    self as title, Accountant, Approval, Axis, Debtor, Ground, Preparation, Service, TitleLine, TitlePaper,
};
use serde::Serialize;

use crate::support::papers::{Word, collapsed, pages, proofread, words};

/// The longest of the real data: a commune, a school of the public directory, a syndicat.
const COMMUNE: &str = "LA VACQUERIE-ET-SAINT-MARTIN-DE-CASTRIES";
const ONE_WORD: &str = "ANGOUSTRINE-VILLENEUVE-DES-ESCALDES";
const SCHOOL: &str =
    "HAPPY FOREVER SCHOOL, ECOLE PRIVEE HORS CONTRAT LAIQUE BILINGUE MONTESSORI (ECOLE PRIMAIRE PRIVEE)";
const SYNDICAT: &str = "SIVU POUR L'ETUDE ET LA REALISATION D'UN POS INTERCOMMUNAL SUR LES COMMUNES DE BOISSET, \
                        FERRALS-LES-MONTAGNES ET RIEUSSEC";

/// A word of 60 letters: no hyphen, no syllable.
fn solid() -> String {
    "WXYZ".repeat(15)
}

fn render(template: &Template, paper: &impl Serialize) -> Vec<u8> {
    static RENDERER: LazyLock<Renderer> = LazyLock::new(|| Renderer::new(None).unwrap());
    let day = chrono::NaiveDate::from_ymd_opt(2025, 6, 5).unwrap();
    // As the program makes them: with the input attached, which only some templates speak of.
    let dress = Dress { attached: true, stamp: None };
    RENDERER.render_dressed(template, input(paper).unwrap().as_bytes(), day, "essai", dress).unwrap()
}

fn person(name: &str, capacities: &[&str]) -> Representative {
    Representative { name: name.into(), capacities: capacities.iter().map(|c| (*c).to_owned()).collect() }
}

/// What names and addresses are like.
#[derive(Clone, Copy)]
struct Look {
    long_names: bool,
    long_address: bool,
}

impl std::fmt::Display for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.long_names { ", long names" } else { "" })?;
        f.write_str(if self.long_address { ", long address" } else { "" })
    }
}

const SHORT: Look = Look { long_names: false, long_address: false };
const LONG: Look = Look { long_names: true, long_address: true };

impl Look {
    fn address(self) -> String {
        if self.long_address {
            format!("MAISON DES SERVICES AU PUBLIC, 2 PLACE DE LA MAIRIE, BATIMENT {}, 66760 {ONE_WORD}", solid())
        } else {
            "2 place de la Mairie, 30126 Saint-Laurent-des-Arbres".into()
        }
    }
}

fn convention(count: usize, look: Look) -> ConventionPaper {
    let school = |rank: usize| SchoolLine {
        line: if look.long_names {
            format!("{ONE_WORD} - 66 - {SCHOOL} {} {rank} - 0301023Z", solid())
        } else {
            format!("TOULOUSE - 31 - ECOLE PRIMAIRE PUBLIQUE JEAN MOULIN {rank} - 0311234X")
        },
        amount: None,
    };
    ConventionPaper {
        specimen: false,
        number: "ENT-C-2025-2026-00123".into(),
        school_year: "2025-2026".into(),
        header_date: "1er juin 2025".into(),
        ends_on: "5 septembre 2026".into(),
        court: "tribunal administratif de Montpellier".into(),
        to_court: "au tribunal administratif de Montpellier".into(),
        dpo_contact: "dpd@region-academique-occitanie.fr".into(),
        portal: count.is_multiple_of(2),
        academies: vec!["Montpellier".into(), "Orléans-Tours".into()],
        of_academies: vec!["de Montpellier".into(), "d’Orléans-Tours".into()],
        issuer: Issuer {
            name: "Région académique Occitanie".into(),
            address: "31, rue de l’Université, 34064 Montpellier Cedex 2".into(),
            representative: person(
                "Carole Drucker-Godard",
                &[
                    "Rectrice de la région académique Occitanie",
                    "Rectrice de l’académie de Montpellier",
                    "Chancelière des universités",
                ],
            ),
        },
        payer: Payer {
            name: if look.long_names {
                format!("{SYNDICAT} {} {ONE_WORD}", solid())
            } else {
                "COMMUNE DU VIGAN".into()
            },
            kind: if look.long_names { PayerKind::Syndicat } else { PayerKind::Commune },
            siret: "213 002 785 00011".into(),
            address: look.address(),
            representative: look
                .long_names
                .then(|| person(&format!("Mme Marie-Antoinette {}", solid()), &["Présidente du syndicat", &solid()])),
        },
        pricing: Pricing::per_school(u32::try_from(count).unwrap(), 4_000),
        schools: (0..count).map(school).collect(),
        issuer_signature: SignatureBlock {
            place: Some("Montpellier".into()),
            at: Some("à Montpellier".into()),
            ..SignatureBlock::default()
        },
        payer_signature: SignatureBlock::default(),
        return_instructions: if count % 3 == 1 {
            vec![
                "La convention est signée en deux exemplaires par la personne habilitée, qui y porte la date.".into(),
                "Y joindre la délibération, ou la décision prise sur délégation, qui autorise cette signature.".into(),
                format!("Renvoyer le tout au service {}, si possible avant le 15 octobre 2025.", solid()),
            ]
        } else {
            Vec::new()
        },
    }
}

fn demand(count: usize, look: Look) -> TitlePaper {
    let line = |rank: usize| TitleLine {
        uai: "0301023Z".into(),
        label: if look.long_names {
            format!("{COMMUNE} - {SCHOOL} {} {rank}", solid())
        } else {
            format!("NIMES - ECOLE PRIMAIRE PUBLIQUE JEAN MOULIN {rank}")
        },
        unit_price: french::euros(4_000),
        amount: french::euros(4_000),
    };
    let cents = i64::try_from(count).unwrap() * 4_000;
    let axes = [
        "Domaine fonctionnel",
        "Centre financier",
        "Centre de coûts",
        "Activité",
        "Compte général",
        "Groupe de marchandises",
        "Fonds",
    ];
    TitlePaper {
        specimen: false,
        reference: "ENT-T-2026-000123".into(),
        exercice: "2026".into(),
        issued_on: "1er février 2026".into(),
        school_year: "2025-2026".into(),
        service: Service {
            authority: "Région académique Occitanie".into(),
            name: "Direction de région académique du numérique pour l’éducation".into(),
            address: Some("31, rue de l’Université, 34064 Montpellier Cedex 2".into()),
            contact: Some("ent-ecole@region-academique-occitanie.fr — 04 65 71 00 00".into()),
        },
        debtor: Debtor {
            name: if look.long_names {
                format!("{SYNDICAT} {} {ONE_WORD}", solid())
            } else {
                "COMMUNE DE NIMES".into()
            },
            address: look.address(),
            address_complete: !look.long_address,
            siret: "213 002 785 00011".into(),
            third_party_number: None,
            service_code: look.long_names.then(solid),
            commitment_number: None,
            substitution: look.long_names.then(|| {
                ent_backoffice::claims::substitution("la commune d’Aulas", Some("arrêté du 12 décembre 2025"))
            }),
        },
        nature: "Participation au financement de l’ENT-école".into(),
        ground: Ground {
            convention_number: "ENT-C-2025-2026-00123".into(),
            payer_signed_on: "25 juillet 2025".into(),
            issuer_signed_on: "28 juillet 2025".into(),
            deliberation: None,
        },
        triggering_event: "Inscription d’une école à l’ENT-école pour l’année scolaire 2025-2026".into(),
        lines: (0..count).map(line).collect(),
        lines_note: None,
        total: french::euros(cents),
        total_in_words: french::amount_in_words(cents),
        imputation: axes
            .into_iter()
            .map(|label| Axis { label: label.into(), value: look.long_names.then(|| "0140-01-01".into()) })
            .collect(),
        accountant: Accountant {
            name: "Direction régionale des finances publiques d’Occitanie".into(),
            address: Some("Place Occitane, 31039 Toulouse Cedex 9".into()),
        },
        recovery_accountant: Accountant { name: "celui du domicile du débiteur".into(), address: None },
        prepared_by: Preparation {
            first_name: "Camille".into(),
            last_name: "Roux".into(),
            capacity: "gestionnaire".into(),
            on: "1er février 2026".into(),
        },
        approved_by: Some(Approval {
            first_name: "Dominique".into(),
            last_name: if look.long_names { solid() } else { "Faure".into() },
            capacity: "Secrétaire générale de région académique".into(),
            on: "3 février 2026".into(),
            delegation: Some("Arrêté R76-2025-03-14-00002, RAA du 14 mars 2025".into()),
            publication: Some("recueil des actes administratifs du 14/03/2025".into()),
        }),
        attachments: vec!["convention n° ENT-C-2025-2026-00123".into()],
    }
}

fn decision(count: usize, look: Look) -> DecisionPaper {
    let claim = |rank: usize| ClaimLine {
        convention: format!("ENT-C-2025-2026-{rank:05}"),
        name: if look.long_names { format!("COMMUNE D'{ONE_WORD} {}", solid()) } else { "COMMUNE DE NIMES".into() },
        siret: "213 002 785 00011".into(),
        schools: 1,
        amount: french::euros(4_000),
    };
    let cents = i64::try_from(count).unwrap() * 4_000;
    DecisionPaper {
        specimen: false,
        number: "ENT-D-2025-0001".into(),
        school_year: "2025-2026".into(),
        decided_on: "1er juillet 2025".into(),
        service: "Direction de région académique du numérique pour l’éducation".into(),
        issuer: "Région académique Occitanie".into(),
        place: "Le Vigan".into(),
        at: "au Vigan".into(),
        threshold: french::euros(5_000),
        reason: "la campagne 2025-2026 prévoit de ne pas émettre de titre sous le seuil".into(),
        claims: (1..=count).map(claim).collect(),
        claims_counted: french::count(count, "créance"),
        total: french::euros(cents),
        total_in_words: french::amount_in_words(cents),
        recorded_by: "Dominique Garrigue, gestionnaire".into(),
    }
}

/// A page without its footer, line by line.
fn body(page: &str) -> Vec<&str> {
    let foot = |line: &&str| {
        line.starts_with("Convention n°\u{a0}ENT-C") && line.len() < 40
            || line.starts_with("Fiche de liquidation") && line.ends_with("document préparatoire")
            || line.starts_with("Décision n°") && line.len() < 40
            || *line == "SPÉCIMEN"
            || line.starts_with("page ") && line.contains('/')
    };
    page.lines().map(str::trim).filter(|line| !line.is_empty() && !foot(line)).collect()
}

const HEADINGS: [&str; 21] = [
    "Portée",
    "Les parties",
    "I – Préambule",
    "II – Articles",
    "Signatures",
    "Service prescripteur",
    "Débiteur",
    "Imputation",
    "Comptables",
    "Nature et fondement de la créance",
    "Bases de la liquidation",
    "Préparation et approbation",
    "Pièces jointes et empreinte",
    "Fondement",
    "Décision",
    "Créances concernées",
    "Créance concernée",
    "UAI",
    "Collectivité",
    "Montant",
    "Tarif",
];

fn is_heading(line: &str) -> bool {
    let article = line.starts_with("Article ") && line.contains(" – ");
    article || line.starts_with("Liste des écoles") || HEADINGS.contains(&line)
}

/// What holds for every paper: proofread, no heading at the foot of a page, nothing outside the margins or upon another.
#[track_caller]
fn whole(pdf: &[u8], what: &str, margin: i64) -> Vec<String> {
    // `PAPERS_TO=folder` keeps them, to be looked at.
    if let Some(folder) = std::env::var_os("PAPERS_TO") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{what}.pdf")), pdf).unwrap();
    }
    proofread(pdf, true, what);
    let pages = pages(pdf);
    for (rank, page) in (1..).zip(&pages) {
        let lines = body(page);
        let last = lines.last().unwrap_or_else(|| panic!("{what}: page {rank} is blank"));
        assert!(!is_heading(last), "{what}: page {rank} ends with « {last} »");
    }
    let words = words(pdf);
    assert!(words.len() > 50, "{what}");
    for word in &words {
        // A comma may hang in the margin, so that the edge looks straight.
        let inside =
            word.left >= margin - 100 && word.right <= A4.0 - margin + 300 && word.bottom < A4.1 && word.top > 0;
        assert!(inside, "{what}: out of the margins: {word:?}");
    }
    if let Some((a, b)) = overlap(&words) {
        panic!("{what}: {a:?} upon {b:?}");
    }
    pages
}

/// Width and height of a page, in hundredths of a point.
const A4: (i64, i64) = (59_528, 84_189);

/// Two words printed on each other, by more than a point either way.
fn overlap(words: &[Word]) -> Option<(&Word, &Word)> {
    let mut sorted: Vec<&Word> = words.iter().collect();
    sorted.sort_by_key(|word| (word.page, word.top));
    for (n, a) in sorted.iter().enumerate() {
        let near = sorted[n + 1..].iter().take_while(|b| b.page == a.page && b.top < a.bottom);
        let across = |b: &Word| (a.right.min(b.right) - a.left.max(b.left), a.bottom.min(b.bottom) - a.top.max(b.top));
        // Lines stand close: their boxes touch, their letters do not.
        if let Some(b) = near.copied().find(|b| across(b).0 > 100 && 10 * across(b).1 > 6 * (a.bottom - a.top)) {
            return Some((a, b));
        }
    }
    None
}

/// Each page that goes on with a list begins with its head again.
fn heads_repeat(pages: &[String], row: &str, head: &str, what: &str) {
    for page in pages.iter().filter(|page| page.contains(row)) {
        assert!(page.contains(head), "{what}: a page of the list without « {head} »\n{page}");
    }
}

/// Every length once, under one look or the other; under both when papers are kept to be looked at.
fn counts(look: Look) -> impl Iterator<Item = usize> {
    let all = std::env::var_os("PAPERS_TO").is_some();
    (1..=60)
        .chain([300])
        .filter(move |count| all || [1, 24, 30, 300].contains(count) || (count % 2 == 0) == look.long_names)
}

fn conventions(look: Look) {
    let template = convention::default_template();
    for count in counts(look) {
        let what = format!("convention of {count}{look}");
        let pages = whole(&render(&template, &convention(count, look)), &what, 6_800);
        let last = pages.last().unwrap();
        // The ordinal is set above the line, and still read as a word.
        assert!(collapsed(&pages[0]).contains("le 1er juin 2025"), "{what}");
        let (before, signatures) = last.split_once("Signatures\n").unwrap_or_else(|| panic!("{what}: {last}"));
        let before = collapsed(before);
        assert!(
            before.contains("soumis au tribunal administratif de Montpellier."),
            "{what}: signatures alone\n{last}"
        );
        assert_eq!(signatures.matches("Signature et cachet").count(), 2, "{what}\n{last}");
        heads_repeat(&pages, " - 03", "Liste des écoles", &what);
    }
}

#[test]
fn a_convention_of_short_names_never_ends_on_signatures_alone() {
    conventions(SHORT);
}

#[test]
fn a_convention_of_long_names_never_ends_on_signatures_alone() {
    conventions(LONG);
}

fn demands(look: Look) {
    let template = title::default_template();
    for count in counts(look) {
        let what = format!("demand of {count}{look}");
        let pages = whole(&render(&template, &demand(count, look)), &what, 6_200);
        let last = &collapsed(pages.last().unwrap());
        for words in ["Montant de la créance", "Approuvée par", "Empreinte SHA-256", "notifié par le comptable"] {
            assert!(last.contains(words), "{what}: « {words} » is not on the last page\n{last}");
        }
        heads_repeat(&pages, "0301023Z", "Tarif", &what);
        // It never passes for the title: the frame is on the first page, the words at the foot of each.
        assert!(collapsed(&pages[0]).contains("Ne pas mandater au vu de ce document"));
        assert!(
            pages.iter().all(|page| collapsed(page).contains("ENT-T-2026-000123 – document préparatoire")),
            "{what}"
        );
    }
}

#[test]
fn a_demand_of_short_names_ends_with_the_amount_and_its_approval() {
    demands(SHORT);
}

#[test]
fn a_demand_of_long_names_ends_with_the_amount_and_its_approval() {
    demands(LONG);
}

fn decisions(look: Look) {
    let template = decision::default_template();
    for count in counts(look) {
        let what = format!("decision of {count}{look}");
        let pages = whole(&render(&template, &decision(count, look)), &what, 6_200);
        let last = &collapsed(pages.last().unwrap());
        assert!(last.contains("L’ordonnateur, ou son délégué") && last.contains("Fait au Vigan"), "{what}\n{last}");
        assert!(
            last.contains("Portée Il est fait usage de la faculté"),
            "{what}: the signature without what it does\n{last}"
        );
        let told = format!("Arrêtée la présente liste à {count}");
        assert_eq!(last.contains(&told), count > 1, "{what}: the signature alone\n{last}");
        heads_repeat(&pages, "ENT-C-2025-2026-0", "SIRET", &what);
    }
}

#[test]
fn a_decision_of_short_names_is_signed_under_what_it_decides() {
    decisions(SHORT);
}

#[test]
fn a_decision_of_long_names_is_signed_under_what_it_decides() {
    decisions(LONG);
}
