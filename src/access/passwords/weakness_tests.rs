//! What is guessed first, and what is not.

use super::*;

#[test]
fn the_list_has_thousands_of_lines_and_none_is_blank() {
    assert!(COMMON.lines().count() > 20_000 && FRENCH.lines().count() > 100);
    assert!(
        COMMON.lines().chain(FRENCH.lines()).all(|line| line.len() >= 4 && line == fold(line)),
        "fold what is listed"
    );
    assert!(PHRASES.lines().count() > 50 && PLACES.lines().count() > 200);
    for line in PHRASES.lines().chain(PLACES.lines()).chain(AT_HAND.iter().copied()) {
        assert!(line.len() >= 3 && line == letters(&fold(line)), "{line}");
    }
}

#[test]
fn what_everybody_tries_first_is_common_whatever_its_dress() {
    for password in [
        "password1234",
        "Password1234!",
        "P@ssw0rd2026!",
        "p4$$w0rd!!!!!",
        "motdepasse123",
        "MotDePasse2026",
        "Mot de passe 1",
        "mot-de-passe-1",
        "motdepassemotdepasse",
        "!!!Bonjour!!!",
        "Azertyuiop123",
        "1q2w3e4r5t6y",
        "iloveyou2025",
        "Football12345",
        "MARSEILLE-13000",
        "chocolat2026!!",
        "administrateur1",
        "Bienvenue2026",
        "123password123",
        "correcthorsebatterystaple",
        "correct horse battery staple",
        "Correct-Horse-Battery-Staple-1",
        "C0rrectH0rseB4tteryStaple!!",
        "Je pense donc je suis 2026",
        "MayTheForceBeWithYou!",
        "to be or not to be",
    ] {
        assert!(of(password).is_some(), "{password}");
    }
    assert_eq!(of("password1234"), Some(Weakness::Common));
    assert_eq!(of("P@ssw0rd2026!"), Some(Weakness::Common));
}

#[test]
fn repetitions_and_runs_are_predictable() {
    for password in [
        "            ",
        "aaaaaaaaaaaa",
        "111111111111",
        "abababababab",
        "abcabcabcabc",
        "abcdefghijkl",
        "ABCDEFGHIJKL",
        "lkjihgfedcba",
        "123456789012",
        "098765432109",
        "azertyuiopqs",
        "azertyuiop^$",
        "qwertyuiop[]",
        "qsdfghjklmùù",
        "aaaabbbbcccc",
        "aaa111bbb222",
        "1a2b3c4d5e6f",
        "&é\"'(-è_çà)=",
        "0000-0000-0000",
        "30000-34000-31000",
        "30126 21300278500011",
        "07/03/1984 30126",
        "04 67 91 47 00 !",
        "éééééééééééé",
    ] {
        assert_eq!(of(password), Some(Weakness::Predictable), "{password}");
    }
}

#[test]
fn the_words_of_the_house_and_of_the_person_are_personal() {
    for password in
        ["Rectorat2026!", "R3ct0rat2026!", "Académie2026!!", "ENT-école-2026", "BackOffice2026", "Conventions2025!"]
    {
        assert_eq!(of(password), Some(Weakness::Personal), "{password}");
    }
    // Some of these places stand in the list of common passwords too.
    for password in [
        "Hérault2026!!",
        "Gard30000!!!!",
        "30000-Gard-2026",
        "H3rault-34000",
        "Lozère48_2026",
        "Montpellier34000",
        "Hautes-Pyrénées65",
        "Côtes d'Armor 22",
        "Île-de-France-75!",
        "Rectorat-Toulouse-31",
        "Nîmes30189Gard",
        "Occitanie2025-2026",
        "Clermont-Ferrand63",
        "OrdonnateurGard30",
        "Juillet2026Gard",
        "AcadémieCréteil94",
    ] {
        assert!(matches!(of(password), Some(Weakness::Personal | Weakness::Common)), "{password}: {:?}", of(password));
    }
    let zoe = ["zoe.martin@ac-montpellier.fr", "Zoé", "Martin-Dupré"];
    for password in [
        "zoe.martin@ac-montpellier.fr",
        "ZoeMartin2026",
        "Zoé Martin 2026!",
        "martin.dupre-34",
        "M4rt1nDupr3!2",
        "Montpellier34000",
        "Rectorat-Zoe-26",
        "zozoezoezoe2026",
    ] {
        assert!(is_personal(password, &zoe), "{password}");
    }
    for password in ["cheval-agrafe-pile-1825", "Zoé mange trois olives", "martin-pêcheur sur la rive"] {
        assert!(!is_personal(password, &zoe), "{password}");
    }
}

#[test]
fn what_is_nobody_s_first_guess_passes() {
    for password in [
        "cheval-agrafe-pile-1825",
        "un-tout-autre-mot",
        "trois olives au fond du puits",
        "Xk7#pQ2v!mZ9",
        "9f86d081884c7d659a",
        "l'école est finie à midi",
        "quatre chevaux corrects broutent",
        "Le Gard coule sous le pont",
        "Toulouse-Lautrec peint la nuit",
        "le lot de la tombola du var",
        "#!?%$§*£&@~^|",
        "ÉtéÀLaCornicheBleue",
        "прощай оружие моё",
    ] {
        assert_eq!(of(password), None, "{password}");
    }
}

#[test]
fn a_repeated_text_gives_its_unit() {
    for (text, expected) in [
        ("abcabc", "abc"),
        ("abcabcab", "abc"),
        ("aaaa", "a"),
        ("abcd", "abcd"),
        ("", ""),
        ("éaéa", "éa"),
        ("abca", "abca"),
    ] {
        assert_eq!(unit(text), expected, "{text}");
    }
}
