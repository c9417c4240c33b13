//! Known years, and the laws of the calendar.

use super::*;
use proptest::prelude::*;

fn day(raw: &str) -> NaiveDate {
    raw.parse().unwrap()
}

fn at(departement: &str) -> Departement {
    Departement::parse(departement).unwrap()
}

#[test]
fn easter_of_known_years() {
    for known in [
        "1818-03-22",
        "1943-04-25",
        "1954-04-18",
        "1961-04-02",
        "1981-04-19",
        "2000-04-23",
        "2008-03-23",
        "2011-04-24",
        "2024-03-31",
        "2025-04-20",
        "2026-04-05",
        "2027-03-28",
        "2028-04-16",
        "2029-04-01",
        "2030-04-21",
        "2038-04-25",
        "2049-04-18",
        "2076-04-19",
        "2100-03-28",
        "2199-04-14",
    ] {
        let known = day(known);
        assert_eq!(easter(known.year()), known);
    }
}

/// The calendars published by the State (calendrier.api.gouv.fr, metropole), written out.
#[test]
fn the_eleven_holidays_of_known_years() {
    // Easter Monday, Ascension, Whit Monday; the eight others never move.
    for (year, movable) in [
        (2024, ["04-01", "05-09", "05-20"]),
        (2025, ["04-21", "05-29", "06-09"]),
        (2026, ["04-06", "05-14", "05-25"]),
        (2027, ["03-29", "05-06", "05-17"]),
        (2028, ["04-17", "05-25", "06-05"]),
        (2029, ["04-02", "05-10", "05-21"]),
        (2030, ["04-22", "05-30", "06-10"]),
    ] {
        let fixed = ["01-01", "05-01", "05-08", "07-14", "08-15", "11-01", "11-11", "12-25"];
        let mut expected: Vec<_> = fixed.iter().chain(&movable).map(|md| day(&format!("{year}-{md}"))).collect();
        expected.sort();
        let found: Vec<_> = holidays(year, &at("30")).into_iter().map(|(day, _)| day).collect();
        assert_eq!(found, expected, "{year}");
    }
}

#[test]
fn alsace_moselle_has_two_more() {
    for departement in ["57", "67", "68"] {
        let more: Vec<_> = holidays(2026, &at(departement))
            .into_iter()
            .filter(|(day, _)| holiday(*day, &at("30")).is_none())
            .collect();
        assert_eq!(more, [(day("2026-04-03"), "Vendredi saint"), (day("2026-12-26"), "second jour de Noël")]);
    }
    assert_eq!(holidays(2026, &at("88")), holidays(2026, &at("30")));
}

#[test]
fn overseas_departments_commemorate_the_abolition_of_slavery() {
    for (departement, days) in [
        ("971", &["2025-05-27"][..]),
        ("972", &["2025-05-22"]),
        ("973", &["2025-06-10"]),
        ("974", &["2025-12-20"]),
        ("975", &[]),
        ("976", &["2025-04-27"]),
        ("977", &["2025-10-09"]),
        ("978", &["2025-05-27", "2025-05-28"]),
    ] {
        let here = at(departement);
        let more = holidays(2025, &here).into_iter().filter(|(day, _)| holiday(*day, &at("30")).is_none());
        assert_eq!(more.map(|(day, _)| day.to_string()).collect::<Vec<_>>(), days, "{departement}");
    }
}

#[test]
fn two_holidays_on_one_day_are_one_line() {
    // In 2008 the Ascension fell on 1 May.
    assert_eq!(holidays(2008, &at("30")).len(), 10);
    assert_eq!(holiday(day("2008-05-01"), &at("30")), Some("1er mai"));
}

#[test]
fn business_days_are_counted_over_weekends_and_holidays() {
    let gard = at("30");
    // Saturday 5 July 2025, then Monday; Friday 11 July, then the bridge that 14 July is not.
    assert_eq!(next_business_day(day("2025-07-05"), &gard), day("2025-07-07"));
    assert_eq!(next_business_day(day("2025-07-07"), &gard), day("2025-07-07"));
    assert_eq!(previous_business_day(day("2025-07-14"), &gard), day("2025-07-11"));
    assert_eq!(plus_business_days(day("2025-07-11"), 1, &gard), day("2025-07-15"));
    assert_eq!(plus_business_days(day("2025-07-12"), 0, &gard), day("2025-07-15"));
    assert_eq!(plus_business_days(day("2025-07-12"), 1, &gard), day("2025-07-15"));
    // Good Friday counts in the Bas-Rhin.
    assert_eq!(plus_business_days(day("2026-04-02"), 1, &gard), day("2026-04-03"));
    assert_eq!(plus_business_days(day("2026-04-02"), 1, &at("67")), day("2026-04-07"));
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0_i64..110_000).prop_map(|n| day("1900-01-01") + Duration::days(n))
}

fn anywhere() -> impl Strategy<Value = Departement> {
    proptest::sample::select(vec!["30", "2A", "57", "67", "68", "971", "972", "973", "974", "976", "977", "978", "988"])
        .prop_map(at)
}

proptest! {
    #[test]
    fn easter_is_a_sunday_of_spring(year in 1583_i32..4100) {
        let sunday = easter(year);
        prop_assert_eq!(sunday.weekday(), Weekday::Sun);
        prop_assert!(((3, 22)..=(4, 25)).contains(&(sunday.month(), sunday.day())), "{}", sunday);
    }
    /// Another algorithm, with its two exceptions, says the same year by year.
    #[test]
    fn gauss_finds_the_same_easter(year in 1900_i64..2200) {
        // His constants of 1900–2099, then those of 2100–2199.
        let (m, n) = if year < 2100 { (24, 5) } else { (24, 6) };
        let (a, b, c) = (year % 19, year % 4, year % 7);
        let d = (19 * a + m) % 30;
        let e = (2 * b + 4 * c + 6 * d + n) % 7;
        let late = d == 29 && e == 6 || d == 28 && e == 6 && a > 10;
        let found = day(&format!("{year}-03-22")) + Duration::days(d + e - if late { 7 } else { 0 });
        prop_assert_eq!(easter(i32::try_from(year).unwrap()), found);
    }
    #[test]
    fn a_year_has_eight_fixed_and_three_movable_days_but_where_they_meet(year in 1900_i32..2199) {
        let found = holidays(year, &at("30"));
        // The Ascension may fall on 1 or 8 May; nothing else of the eleven meets.
        let ascension = easter(year) + Duration::days(39);
        let meets = ascension.month() == 5 && matches!(ascension.day(), 1 | 8);
        prop_assert_eq!(found.len(), if meets { 10 } else { 11 });
        prop_assert!(found.is_sorted());
    }
    #[test]
    fn the_next_and_the_previous_business_day_are_the_nearest(day in any_day(), here in anywhere()) {
        let (before, after) = (previous_business_day(day, &here), next_business_day(day, &here));
        prop_assert!(before <= day && day <= after);
        prop_assert!(is_business_day(before, &here) && is_business_day(after, &here));
        let between = before.iter_days().take_while(|d| *d <= after).filter(|d| is_business_day(*d, &here)).count();
        prop_assert_eq!(between, if before == after { 1 } else { 2 });
        prop_assert!((after - before).num_days() <= 6, "{} to {}", before, after);
    }
    #[test]
    fn counting_business_days_adds_up(day in any_day(), first in 1_u32..30, second in 1_u32..30, here in anywhere()) {
        let reached = plus_business_days(day, first + second, &here);
        prop_assert_eq!(plus_business_days(plus_business_days(day, first, &here), second, &here), reached);
        let passed = day.iter_days().skip(1).take_while(|d| *d <= reached).filter(|d| is_business_day(*d, &here)).count();
        prop_assert_eq!(u32::try_from(passed).unwrap(), first + second);
    }
}
