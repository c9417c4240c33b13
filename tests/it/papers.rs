//! Nothing absurd is printed: what is blank leaves no trace, names of every form make one designation, each mention
//! stands where it is looked for.

use ent_backoffice::campaigns::texts::CampaignTexts;
use ent_backoffice::kernel::french;
use ent_backoffice::registry::Designation;
use ent_backoffice::registry::kinds::CollectiviteKind;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::papers::{absurdities, rows, text_of};
use crate::support::year::{active_campaign, luhn, open_campaign, prepare, register_seed, sign_both};
use crate::support::{Base, TestApp};

const SEED: &str = "21300278500011";
const PATH: &str = "/campaigns/2025-2026";

fn rewrite(app: &TestApp, siret: &str, body: &Value) {
    app.gestionnaire().json("PATCH", &format!("/collectivites/{siret}"), &[("if-match", "*")], body).expect(200);
}

fn finding<'v>(item: &'v Value, code: &str) -> Option<&'v Value> {
    item["findings"].as_array().unwrap().iter().find(|f| f["code"] == code)
}

/// The convention's paper of a bulk issue's only item.
fn convention_text(app: &TestApp, view: &Value) -> String {
    let id = view["items"][0]["id"].as_str().unwrap();
    text_of(&app.gestionnaire().get(&format!("/conventions/{id}/document")).expect(200).bytes)
}

/// The demand's paper of the only title.
fn demand(app: &TestApp) -> Vec<u8> {
    app.ordonnateur().post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200);
    let list = app.comptable().get("/perception-titles").expect(200).json;
    let id = list["data"][0]["id"].as_str().unwrap().to_owned();
    app.comptable().get(&format!("/perception-titles/{id}/document")).expect(200).bytes
}

/// The seed's commune with this address: the finding at issue in number (dry and real) and for it alone, then both papers.
fn with_address(app: &TestApp, address: &Value, found: Option<&str>) -> (String, Vec<u8>) {
    register_seed(app);
    rewrite(app, SEED, &json!({"address": address}));
    open_campaign(app, "issue");
    let issue = |body: Value| app.gestionnaire().post(&format!("{PATH}/conventions"), body).expect(200).json;
    let mut view = Value::Null;
    for body in [json!({"dry_run": true}), json!({"dry_run": true, "keys": [SEED]}), json!({})] {
        view = issue(body);
        assert_eq!(view["issued"], 1);
        let told = finding(&view["items"][0], "address_missing").unwrap();
        assert_eq!((&told["level"], told["found"].as_str()), (&json!("info"), found), "{told}");
    }
    app.forget_jobs();
    let text = convention_text(app, &view);
    app.set_time("2025-07-28T09:00:00Z");
    sign_both(app, view["items"][0]["id"].as_str().unwrap());
    let prepared = prepare(app);
    assert!(finding(&prepared["items"][0], "address_missing").is_some(), "{prepared}");
    (text, demand(app))
}

on_both_databases! {
    fn an_unknown_address_is_left_out_asked_for_and_told(app: &TestApp) {
        let nothing = json!({"line1": null, "line2": null, "postal_code": null, "city": null});
        let (text, demand) = with_address(app, &nothing, None);
        assert!(text.contains("SIRET : 213 002 785 00011, représentée par") && !text.contains("adresse :"), "{text}");
        let rows = rows(&demand);
        assert!(rows.contains(&"Adresse à compléter".to_owned()), "{rows:#?}");
    }

    fn half_an_address_is_left_out_asked_for_and_told(app: &TestApp) {
        let half = json!({"line1": null, "line2": null, "postal_code": "30126", "city": null});
        let (text, demand) = with_address(app, &half, Some("30126 Saint-Laurent-des-Arbres"));
        assert!(text.contains("SIRET : 213 002 785 00011, représentée par") && !text.contains("adresse :"), "{text}");
        let rows = rows(&demand);
        assert!(rows.contains(&"Adresse 30126 Saint-Laurent-des-Arbres – à compléter".to_owned()), "{rows:#?}");
    }

    fn a_street_without_its_town_is_half_an_address_too(app: &TestApp) {
        let half = json!({"line1": "2 place de la Mairie", "postal_code": null, "city": null, "line2": null});
        with_address(app, &half, Some("2 place de la Mairie"));
    }

    fn a_whole_address_is_printed_and_nothing_is_told(app: &TestApp) {
        register_seed(app);
        // A commune is its own town, whatever form its name has.
        rewrite(app, SEED, &json!({"name": "VILLE DE SAINT-LAURENT-DES-ARBRES", "address": {"line2": null, "city": null}}));
        open_campaign(app, "issue");
        let view = app.gestionnaire().post(&format!("{PATH}/conventions"), json!({})).expect(200).json;
        assert_eq!(finding(&view["items"][0], "address_missing"), None);
        assert_eq!(app.run_jobs(), 1);
        let text = convention_text(app, &view);
        assert!(text.contains("COMMUNE DE SAINT-LAURENT-DES-ARBRES, SIRET : 213 002 785 00011, adresse : 2 place de la Mairie, 30126 SAINT-LAURENT-DES-ARBRES, représentée"), "{text}");
        // The stored name is the file's.
        assert_eq!(app.lecteur().get(&format!("/collectivites/{SEED}")).json["name"], "VILLE DE SAINT-LAURENT-DES-ARBRES");
    }

    fn how_to_sign_and_give_back_is_printed_when_it_is_told(app: &TestApp) {
        register_seed(app);
        let g = app.gestionnaire();
        let mut texts = serde_json::to_value(crate::support::texts()).unwrap();
        texts["return_instructions"] = json!(["Deux exemplaires signés.", "À renvoyer avant le {date_limite}.", "  "]);
        g.post("/campaigns", json!({"school_year": "2025-2026", "tariff": {"unit": "school", "unit_amount": "40.00"}, "convention_date": "2025-06-05",
            "ends_on": "2026-09-05", "response_deadline": "2025-10-15", "texts": texts})).expect(201);
        let specimen = |app: &TestApp| text_of(&app.lecteur().get(&format!("{PATH}/specimen")).expect(200).bytes);
        let told = specimen(app);
        assert!(told.contains("Pour signer et renvoyer la convention") && told.contains("Deux exemplaires signés."), "{told}");
        assert!(told.contains("À renvoyer avant le 15 octobre 2025."), "{told}");
        let patch = |body: Value| g.json("PATCH", PATH, &[("if-match", "*")], &body).expect(200);
        patch(json!({"response_deadline": null}));
        let without = specimen(app);
        assert!(without.contains("Deux exemplaires signés.") && !without.contains("À renvoyer"), "{without}");
        patch(json!({"texts": {"return_instructions": []}}));
        assert!(!specimen(app).contains("Pour signer et renvoyer"));
        // A sentence still to be written opens no campaign.
        patch(json!({"texts": {"return_instructions": ["À COMPLÉTER"]}}));
        let refused = g.post(&format!("{PATH}/transitions"), json!({"action": "open"})).problem(409, "placeholder_texts").json;
        assert_eq!(refused["errors"][0]["pointer"], "/texts/return_instructions");
    }

    fn service_and_addresses_stand_in_their_place_on_the_demand(app: &TestApp) {
        register_seed(app);
        active_campaign(app, "issue");
        prepare(app);
        let rows = rows(&demand(app));
        let at = |row: &str| rows.iter().position(|r| r == row).unwrap_or_else(|| panic!("« {row} » in {rows:#?}"));
        let order = [
            at("Service Direction de région académique du numérique pour l'éducation"),
            at("Adresse 31, rue de l'Université, 34064 Montpellier Cedex 2"),
            at("Contact ent-ecole@region-academique-occitanie.fr — 04 65 71 00 00"),
            at("Désignation COMMUNE DE SAINT-LAURENT-DES-ARBRES"),
            at("Adresse 2 place de la Mairie, Hôtel de ville, 30126 Saint-Laurent-des-Arbres"),
            at("Code service non communiqué"),
            at("Fait générateur Inscription de 2 écoles à l’ENT-école pour l’année scolaire 2025-2026"),
        ];
        assert!(order.is_sorted(), "{order:?}");
        assert!(rows[0].starts_with("Région académique Occitanie"), "{}", rows[0]);
    }

    fn one_school_is_a_school(app: &TestApp) {
        register_seed(app);
        open_campaign(app, "issue");
        app.gestionnaire().delete(&format!("{PATH}/enrolments/0301015R")).expect(204);
        let view = app.gestionnaire().post(&format!("{PATH}/conventions"), json!({})).expect(200).json;
        app.forget_jobs();
        let text = convention_text(app, &view);
        assert!(text.contains("1 école pour cette année scolaire, pour un montant correspondant à 1 x 40€ soit 40€"), "{text}");
        app.set_time("2025-07-28T09:00:00Z");
        sign_both(app, view["items"][0]["id"].as_str().unwrap());
        prepare(app);
        let text = text_of(&demand(app));
        assert!(text.contains("Inscription d’une école à l’ENT-école pour l’année scolaire 2025-2026"), "{text}");
        assert!(text.contains("Total de la liquidation (1 école)"), "{text}");
    }
}

/// `tests/data/designations.csv` holds one name for each first word found among Occitanie's groupings (DGCL, Banatic,
/// March 2023, Licence Ouverte 2.0) and communes, with what is printed for it; then every real commune is looked at.
#[test]
fn every_form_of_the_real_names_makes_one_designation() {
    let folder = format!("{}/tests/data", env!("CARGO_MANIFEST_DIR"));
    let forms = std::fs::read_to_string(format!("{folder}/designations.csv")).unwrap();
    let mut looked_at = 0;
    for line in forms.lines().skip(1) {
        let [kind, name, expected] = line.split(';').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!(sound(CollectiviteKind::parse(kind).unwrap(), name), expected);
        looked_at += 1;
    }
    let communes = std::fs::read_to_string(format!("{folder}/occitanie/communes_occitanie_2026.csv")).unwrap();
    for line in communes.lines().skip(1) {
        let name = line.split(';').nth(3).unwrap();
        let printed = sound(CollectiviteKind::Commune, name);
        let form =
            ["COMMUNE DE ", "COMMUNE D'", "COMMUNE DU ", "COMMUNE DES "].iter().any(|head| printed.starts_with(head));
        assert!(form, "{name}: {printed}");
        for said in [format!("VILLE {}", french::de_place(name)), format!("Mairie - {name}")] {
            assert_eq!(sound(CollectiviteKind::Commune, &said), printed, "{said}");
        }
        looked_at += 1;
    }
    assert!(looked_at > 4_500, "{looked_at}");
}

/// What is printed for a name, at the head of a contract and in a sentence, proofread.
fn sound(kind: CollectiviteKind, name: &str) -> String {
    let found = Designation::of(kind, name);
    let clause = french::fill("en lieu et place de {c}, substituée à {c}", "{c}", &found.spoken());
    for text in [found.printed(), clause] {
        assert_eq!(absurdities(&text, true), Vec::<String>::new(), "{kind} {name}: {text}");
    }
    found.printed()
}

/// Texts whose optional parts are blank, and whose lines bring their own commas.
fn gaps(texts: &mut CampaignTexts) {
    texts.issuer.aliases = vec!["Académie d'Orléans-Tours".into(), "Rectorat".into(), "ACADÉMIE DE Montpellier".into()];
    texts.issuer.address_lines = vec![String::new()];
    texts.issuer.contact_phone = String::new();
    texts.signatory.first_name = String::new();
    texts.signatory.title = "Rectrice de la région académique Occitanie,\n\n,Chancelière des universités,".into();
    texts.signatory.place = "Le Vigan".into();
    texts.comptable_assignataire.address_lines = vec![String::new(), "31039 Toulouse Cedex 9".into()];
    texts.courts.convention = "Cour administrative d'appel de Toulouse".into();
    texts.dpo.name = Some(" ".into());
}

/// A payer as files and people write them: odd heads of names, blanks in every optional field.
fn payer() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        ("(|Commune de |VILLE DE |Mairie - |COMMUNE DE VILLE DE |Mairie de )", "(Alès|Le Vigan|Les Angles|La Grand-Combe|L'Union|Nîmes|Oô|Homps|Yenne)")
            .prop_map(|(head, name)| ("commune", format!("{head}{name}"))),
        "(Ville du Vigan|VILLE D ALES|VIGAN \\(LE\\)|Villeneuve-lès-Avignon|COMMUNE DES ANGLES|Cœur de Causse|Mairie d'Eyne)".prop_map(|n| ("commune", n)),
        "(CC Pyrénées audoises|CA Alès Agglomération|Toulouse Métropole|Communauté de communes du Vigan|Le Grand Ouest Toulousain)".prop_map(|n| ("epci", n)),
        "(SIVOM de la Bure|SI des Hautes vallées|SIRP de Canaules, Savignargues et Saint-Théodorit|SM de la Tet - Bassin versant|UDSIS)".prop_map(|n| ("syndicat", n)),
        "(Conservatoire à rayonnement départemental de l'Aveyron|CCAS d'Alès)".prop_map(|n| ("autre", n)),
    ];
    fn blank(words: &'static str) -> impl Strategy<Value = Option<String>> {
        prop_oneof![Just(None), Just(Some(words.to_owned()))]
    }
    let address = (
        prop_oneof![Just(None), Just(Some("2, place de la Mairie".to_owned())), Just(Some("Le bourg,".to_owned()))],
        blank("Hôtel de ville"),
        blank("30120"),
        blank("Le Vigan Cedex"),
    );
    let who = (
        blank("madame"),
        blank("Marie"),
        blank("DE L'ESTANG"),
        prop_oneof![Just(None), Just(Some("Maire,".to_owned())), Just(Some("Présidente".to_owned()))],
    );
    (names, address, who).prop_map(|((kind, name), (line1, line2, postal_code, city), (civility, first_name, last_name, title))| {
        json!({
            "kind": kind, "name": name,
            "address": {"line1": line1, "line2": line2, "postal_code": postal_code, "city": city},
            "representative": {"civility": civility, "first_name": first_name, "last_name": last_name, "title": title}
        })
    })
}

/// Every paper of odd payers under texts with gaps: conventions, demands, the act on small claims. What is absurd in one
/// of them fails where papers are made.
fn odd_payers(base: Base) {
    let app = TestApp::with(base, |config| gaps(&mut config.texts));
    let g = app.gestionnaire();
    let mut runner = TestRunner::deterministic();
    let count = 24_u32;
    let mut names = Vec::new();
    for n in 0..count {
        let mut body = payer().new_tree(&mut runner).unwrap().current();
        let siret = luhn(&format!("{}0001", luhn(&format!("2130{:04}", 200 + n))));
        body["siret"] = json!(siret);
        names.push((siret.clone(), body["name"].clone()));
        g.post("/collectivites", body).expect(201);
        for rank in 0..=n % 2 {
            let number = 300_100 + 2 * n + rank;
            let key = "ABCDEFGHJKLMNPRSTUVWXYZ".chars().nth(usize::try_from(number % 23).unwrap()).unwrap();
            let school = json!({"uai": format!("{number:07}{key}"), "name": "Ecole primaire", "kind": "primaire", "sector": "public",
                                "insee_code": format!("30{:03}", 100 + n), "commune_name": "Les Angles", "payer_siret": siret});
            g.post("/schools", school).expect(201);
        }
    }
    let ids = active_campaign(&app, "do_not_issue");
    assert_eq!(ids.len(), usize::try_from(count).unwrap());
    let prepared = prepare(&app);
    assert_eq!((&prepared["prepared"], &prepared["not_issued"]), (&json!(12), &json!(12)), "{prepared}");
    app.ordonnateur().post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200);
    assert_eq!(app.run_jobs(), 24 + 12 + 1);
    for (siret, name) in names {
        assert_eq!(
            app.lecteur().get(&format!("/collectivites/{siret}")).json["name"],
            name,
            "the stored name is never altered"
        );
    }
    // The texts' own gaps, once.
    let text = text_of(&app.lecteur().get(&format!("/conventions/{}/document", ids[0])).expect(200).bytes);
    for words in [
        "RÉGION ACADÉMIQUE OCCITANIE, représentée par Mme Drucker-Godard, Rectrice de la région académique Occitanie, Chancelière des universités",
        "Les académies d’Orléans-Tours et de Montpellier prennent",
        "soumis à la Cour administrative d'appel de Toulouse.",
        "Fait au Vigan",
        "protection des données : dpd@region-academique-occitanie.fr.",
    ] {
        assert!(text.contains(words), "{words}\nin\n{text}");
    }
}

#[test]
fn odd_payers_and_texts_with_gaps_print_nothing_absurd_on_sqlite() {
    odd_payers(Base::sqlite());
}

#[test]
fn odd_payers_and_texts_with_gaps_print_nothing_absurd_on_postgres() {
    odd_payers(Base::postgres());
}

fn texts_that_say_nothing_open_no_campaign(base: Base) {
    // The configuration refuses some of them at start; a campaign brings its own texts.
    let app = TestApp::new(base);
    let g = app.gestionnaire();
    let mut texts = serde_json::to_value(crate::support::texts()).unwrap();
    texts["courts"]["convention"] = json!(" ");
    texts["signatory"]["place"] = json!(",");
    let mut campaign = crate::support::year::campaign("issue");
    campaign["texts"] = texts;
    g.post("/campaigns", campaign).expect(201);
    let refused =
        g.post(&format!("{PATH}/transitions"), json!({"action": "open"})).problem(409, "placeholder_texts").json;
    let named: Vec<&str> =
        refused["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!(named, ["/texts/signatory/place", "/texts/courts/convention"]);
}

#[test]
fn texts_that_say_nothing_open_no_campaign_on_sqlite() {
    texts_that_say_nothing_open_no_campaign(Base::sqlite());
}

#[test]
fn texts_that_say_nothing_open_no_campaign_on_postgres() {
    texts_that_say_nothing_open_no_campaign(Base::postgres());
}
