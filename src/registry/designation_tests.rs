//! Names as they are found, and what is printed for them.

use super::*;
use CollectiviteKind::{Autre, Commune, Epci, Syndicat};
use proptest::prelude::*;

fn printed(kind: CollectiviteKind, name: &str) -> String {
    Designation::of(kind, name).printed()
}

#[test]
fn a_commune_is_called_once_whatever_its_file_says() {
    for (name, print) in [
        ("Nîmes", "COMMUNE DE NIMES"),
        ("VILLE DE NÎMES", "COMMUNE DE NIMES"),
        ("Commune de Nîmes", "COMMUNE DE NIMES"),
        ("commune de Ville de Nîmes", "COMMUNE DE NIMES"),
        ("Mairie de Nîmes", "COMMUNE DE NIMES"),
        ("Mairie - Nîmes", "COMMUNE DE NIMES"),
        ("MAIRIE NIMES", "COMMUNE DE NIMES"),
        ("Hôtel de ville de Nîmes", "COMMUNE DE NIMES"),
        ("CNE DE NIMES", "COMMUNE DE NIMES"),
        ("Alès", "COMMUNE D'ALES"),
        ("Ville d'Alès", "COMMUNE D'ALES"),
        ("VILLE D’ALÈS", "COMMUNE D'ALES"),
        ("COMMUNE D ALES", "COMMUNE D'ALES"),
        ("Ville de Alès", "COMMUNE D'ALES"),
        ("Commune d'Hérépian", "COMMUNE D'HEREPIAN"),
        ("Homps", "COMMUNE DE HOMPS"),
        ("Le Vigan", "COMMUNE DU VIGAN"),
        ("Ville du Vigan", "COMMUNE DU VIGAN"),
        ("Commune de Le Vigan", "COMMUNE DU VIGAN"),
        ("VIGAN (LE)", "COMMUNE DU VIGAN"),
        ("Les Angles", "COMMUNE DES ANGLES"),
        ("Mairie des Angles", "COMMUNE DES ANGLES"),
        ("Angles (Les)", "COMMUNE DES ANGLES"),
        ("La Grand-Combe", "COMMUNE DE LA GRAND-COMBE"),
        ("VILLE DE LA GRAND COMBE", "COMMUNE DE LA GRAND COMBE"),
        ("L'Union", "COMMUNE DE L'UNION"),
        ("L UNION", "COMMUNE DE L'UNION"),
        ("Union (L')", "COMMUNE DE L'UNION"),
        ("Commune nouvelle de Val de Lambronne", "COMMUNE DE VAL DE LAMBRONNE"),
        // Names that begin like a form.
        ("Villeneuve-lès-Avignon", "COMMUNE DE VILLENEUVE-LES-AVIGNON"),
        ("Ville-d'Avray", "COMMUNE DE VILLE-D'AVRAY"),
        ("VILLE D AVRAY", "COMMUNE DE VILLE D AVRAY"),
        ("Ville Langy", "COMMUNE DE VILLE LANGY"),
        ("Mairie", "COMMUNE DE MAIRIE"),
        ("Saint Geniez d'Olt et d'Aubrac", "COMMUNE DE SAINT GENIEZ D'OLT ET D'AUBRAC"),
    ] {
        assert_eq!(printed(Commune, name), print, "{name}");
    }
}

#[test]
fn other_bodies_keep_their_name_their_nature_in_full() {
    for (kind, name, print, spoken) in [
        (
            Epci,
            "CC Pyrénées audoises",
            "COMMUNAUTE DE COMMUNES PYRENEES AUDOISES",
            "la communauté de communes Pyrénées audoises",
        ),
        (
            Epci,
            "CA du Pays de l'Or",
            "COMMUNAUTE D'AGGLOMERATION DU PAYS DE L'OR",
            "la communauté d’agglomération du Pays de l'Or",
        ),
        (
            Epci,
            "CU Perpignan Méditerranée Métropole",
            "COMMUNAUTE URBAINE PERPIGNAN MEDITERRANEE METROPOLE",
            "la communauté urbaine Perpignan Méditerranée Métropole",
        ),
        (
            Epci,
            "Montpellier Méditerranée Métropole",
            "MONTPELLIER MEDITERRANEE METROPOLE",
            "Montpellier Méditerranée Métropole",
        ),
        (
            Epci,
            "Communauté de communes du Pont du Gard",
            "COMMUNAUTE DE COMMUNES DU PONT DU GARD",
            "la Communauté de communes du Pont du Gard",
        ),
        (
            Syndicat,
            "SI des Hautes vallées",
            "SYNDICAT INTERCOMMUNAL DES HAUTES VALLEES",
            "le syndicat intercommunal des Hautes vallées",
        ),
        (Syndicat, "SM de la Tet", "SYNDICAT MIXTE DE LA TET", "le syndicat mixte de la Tet"),
        (Syndicat, "SIVOM de la Bure", "SIVOM DE LA BURE", "le SIVOM de la Bure"),
        (Syndicat, "SIRP du Coutach", "SIRP DU COUTACH", "le SIRP du Coutach"),
        (Syndicat, "UDSIS", "UDSIS", "UDSIS"),
        (
            Autre,
            "Institut Régional de Sommellerie",
            "INSTITUT REGIONAL DE SOMMELLERIE",
            "Institut Régional de Sommellerie",
        ),
        (Commune, "Ville d'Aulas", "COMMUNE D'AULAS", "la commune d’Aulas"),
        (Commune, "Ville du Vigan", "COMMUNE DU VIGAN", "la commune du Vigan"),
    ] {
        let found = Designation::of(kind, name);
        assert_eq!((found.printed().as_str(), found.spoken().as_str()), (print, spoken));
        assert_eq!(kind_name_differs(kind, name), None, "{name}");
    }
}

#[test]
fn a_name_of_another_kind_is_printed_as_it_stands_and_told() {
    for (kind, name, print) in [
        (Commune, "CC Pyrénées audoises", "COMMUNAUTE DE COMMUNES PYRENEES AUDOISES"),
        (Commune, "SIVOM de la Bure", "SIVOM DE LA BURE"),
        (Commune, "Syndicat mixte de la Tet", "SYNDICAT MIXTE DE LA TET"),
        (Epci, "Mairie de Nîmes", "MAIRIE DE NIMES"),
        (Syndicat, "COMMUNE D'ALES", "COMMUNE D'ALES"),
    ] {
        assert_eq!(printed(kind, name), print);
        assert_eq!(kind_name_differs(kind, name).map(|f| f.code).as_deref(), Some("kind_name_differs"), "{name}");
    }
}

#[test]
fn the_town_of_a_commune_is_its_bare_name() {
    assert_eq!(Designation::of(Commune, "VILLE DE NÎMES").place(), Some("NÎMES"));
    assert_eq!(Designation::of(Commune, "Commune d'Alès").place(), Some("Alès"));
    assert_eq!(Designation::of(Commune, "Vigan (Le)").place(), Some("Le Vigan"));
    assert_eq!(Designation::of(Epci, "CC du Vigan").place(), None);
}

proptest! {
    #[test]
    fn a_form_in_front_changes_nothing_of_what_is_printed(
        place in "(Le |La |Les |L')?[A-Z][a-zé]{1,9}(-sur-[A-Z][a-z]{1,6})?",
        form in proptest::sample::select(&["Commune", "VILLE", "Mairie", "Commune nouvelle", "Hôtel de ville", "commune de Ville"][..]),
        capital in any::<bool>(),
    ) {
        let known = NATURES.iter().map(|(code, _, _)| *code).chain(BODIES.iter().map(|(word, _)| *word));
        prop_assume!(!known.into_iter().any(|word| place.to_uppercase().starts_with(&format!("{word} "))));
        let said = format!("{form} {}", french::de_place(&place));
        let said = if capital { said.to_uppercase() } else { said };
        prop_assert_eq!(printed(Commune, &said), printed(Commune, &place), "{}", said);
    }
}
