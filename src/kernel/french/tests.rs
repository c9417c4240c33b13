//! The rules of the spelling, and the law: words read back give the number.

use super::*;
use proptest::prelude::*;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

#[test]
fn dates_are_french() {
    assert_eq!(date_long(day(2025, 7, 25)), "25 juillet 2025");
    assert_eq!(date_long(day(2025, 6, 1)), "1er juin 2025");
    assert_eq!(date_short(day(2025, 7, 5)), "05/07/2025");
}

#[test]
fn amounts_in_figures() {
    assert_eq!(euros(123_450), "1\u{202F}234,50\u{202F}€");
    assert_eq!(euros(8_000), "80,00\u{202F}€");
    assert_eq!(euros(-5), "-0,05\u{202F}€");
    assert_eq!(euros(12_345_678_900), "123\u{202F}456\u{202F}789,00\u{202F}€");
    assert_eq!(euros_short(4_000), "40\u{202F}€");
    assert_eq!(euros_short(4_050), "40,50\u{202F}€");
    assert_eq!(euros_compact(4_000), "40€");
    assert_eq!(euros_compact(4_050), "40,50€");
    assert_eq!(euros_compact(i64::MIN).chars().next(), Some('-'));
}

#[test]
fn amounts_in_words_follow_the_traditional_rules() {
    for (euros, cents, words) in [
        (0, 0, "zéro euro"),
        (0, 1, "zéro euro et un centime"),
        (1, 0, "un euro"),
        (2, 0, "deux euros"),
        (21, 0, "vingt et un euros"),
        (40, 50, "quarante euros et cinquante centimes"),
        (71, 0, "soixante et onze euros"),
        (77, 0, "soixante-dix-sept euros"),
        (80, 0, "quatre-vingts euros"),
        (81, 0, "quatre-vingt-un euros"),
        (91, 0, "quatre-vingt-onze euros"),
        (99, 0, "quatre-vingt-dix-neuf euros"),
        (100, 0, "cent euros"),
        (101, 0, "cent un euros"),
        (180, 0, "cent quatre-vingts euros"),
        (200, 0, "deux cents euros"),
        (201, 0, "deux cent un euros"),
        (1_000, 0, "mille euros"),
        (1_234, 50, "mille deux cent trente-quatre euros et cinquante centimes"),
        (2_000, 0, "deux mille euros"),
        (80_000, 0, "quatre-vingt mille euros"),
        (200_000, 0, "deux cent mille euros"),
        (164_160, 0, "cent soixante-quatre mille cent soixante euros"),
        (1_000_000, 0, "un million d'euros"),
        (2_000_000, 0, "deux millions d'euros"),
        (80_000_000, 0, "quatre-vingts millions d'euros"),
        (200_000_000, 0, "deux cents millions d'euros"),
        (1_000_001, 0, "un million un euros"),
        (3_000_000_000, 0, "trois milliards d'euros"),
        (-80, 0, "moins quatre-vingts euros"),
    ] {
        assert_eq!(amount_in_words(euros * 100 + cents), words);
    }
}

/// Reads the words back: the only way to know that none is lost or ambiguous.
fn read(words: &str) -> u64 {
    let (mut total, mut thousand, mut current) = (0_u64, 0_u64, 0_u64);
    for word in words.split([' ', '-']) {
        let value = match word.trim_end_matches('s') {
            "et" => continue,
            "zéro" => 0,
            "un" => 1,
            "deux" => 2,
            "troi" => 3,
            "quatre" => 4,
            "cinq" => 5,
            "six" => 6,
            "sept" => 7,
            "huit" => 8,
            "neuf" => 9,
            "dix" => 10,
            "onze" => 11,
            "douze" => 12,
            "treize" => 13,
            "quatorze" => 14,
            "quinze" => 15,
            "seize" => 16,
            "vingt" if current % 100 == 4 => 76, // quatre-vingt
            "vingt" => 20,
            "trente" => 30,
            "quarante" => 40,
            "cinquante" => 50,
            "soixante" => 60,
            "cent" => {
                current = current.max(1) * 100;
                continue;
            }
            "mille" => {
                thousand += current.max(1) * 1_000;
                current = 0;
                continue;
            }
            noun => {
                let size = match noun {
                    "million" => 1_000_000,
                    "milliard" => 1_000_000_000,
                    "billion" => 1_000_000_000_000,
                    "billiard" => 1_000_000_000_000_000,
                    "trillion" => 1_000_000_000_000_000_000,
                    other => panic!("{other} in {words}"),
                };
                total += (thousand + current) * size;
                (thousand, current) = (0, 0);
                continue;
            }
        };
        current += value;
    }
    total + thousand + current
}

proptest! {
    #[test]
    fn words_read_back_give_the_number(number in prop_oneof![0_u64..10_000_000, any::<u64>()]) {
        prop_assert_eq!(read(&number_in_words(number)), number);
    }

    #[test]
    fn figures_read_back_give_the_amount(cents in any::<i64>()) {
        let digits: String = euros(cents)
            .chars()
            .filter(|c| c.is_ascii_digit() || *c == '-')
            .collect();
        prop_assert_eq!(digits.parse::<i64>().unwrap(), cents);
    }

    #[test]
    fn every_amount_has_words(cents in any::<i64>()) {
        let words = amount_in_words(cents);
        prop_assert!(words.contains("euro"));
        prop_assert!(!words.contains("  "));
    }
}
