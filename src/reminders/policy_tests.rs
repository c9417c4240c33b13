//! The data of a campaign: what is admitted, what is refused and on which field.

use super::*;
use serde_json::{Value, json};

fn day(raw: &str) -> NaiveDate {
    raw.parse().unwrap()
}

/// The default policy with one field replaced, as JSON would say it.
fn with(pointer: &str, value: Value) -> serde_json::Result<ReminderPolicy> {
    let mut policy = serde_json::to_value(ReminderPolicy::default()).unwrap();
    *policy.pointer_mut(pointer).unwrap() = value;
    serde_json::from_value(policy)
}

fn faults(pointer: &str, value: Value) -> Vec<(String, String)> {
    let faults = with(pointer, value).unwrap().validate("/reminders");
    faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
}

#[test]
fn the_default_policy_is_valid_and_is_what_nothing_said_means() {
    let policy: ReminderPolicy = serde_json::from_value(json!({})).unwrap();
    assert_eq!(policy, ReminderPolicy::default());
    assert_eq!(policy.validate(""), []);
    let periods: Vec<_> = policy.quiet_periods.iter().map(ToString::to_string).collect();
    assert_eq!(periods, ["du 14 juillet au 25 août", "du 20 décembre au 3 janvier"]);
}

#[test]
fn a_policy_is_read_back_as_it_was_written() {
    let policy = ReminderPolicy::default();
    let written = serde_json::to_value(&policy).unwrap();
    assert_eq!(written["steps"][2], json!({"key": "wished_15_before", "anchor": "wished_on", "offset_days": -15}));
    assert_eq!(written["quiet_periods"][1], json!({"from": "12-20", "until": "01-03"}));
    assert_eq!(serde_json::from_value::<ReminderPolicy>(written).unwrap(), policy);
    let less: ReminderPolicy = serde_json::from_value(json!({"maximum": 3})).unwrap();
    assert_eq!(less, ReminderPolicy { maximum: 3, ..policy });
}

#[test]
fn what_cannot_be_read_says_its_rule() {
    for (pointer, value, told) in [
        ("/steps/0/key", json!("Issued 30"), "step_key_format"),
        ("/steps/0/key", json!(""), "step_key_format"),
        ("/steps/0/key", json!("a".repeat(41)), "step_key_format"),
        ("/steps/0/anchor", json!("paid_on"), "unknown_value"),
        ("/quiet_periods/0/from", json!("14/07"), "month_day_format"),
        ("/quiet_periods/0/from", json!("02-30"), "month_day_format"),
        ("/quiet_periods/0/from", json!("7-14"), "month_day_format"),
        ("/hours", json!({"from": 9, "until": 17, "zone": "UTC"}), "unknown field"),
        ("/maximum", json!(-1), "invalid value"),
    ] {
        let error = with(pointer, value.clone()).unwrap_err().to_string();
        assert!(error.contains(told), "{pointer} {value}: {error}");
    }
    let error = with("/steps/0/anchor", json!("paid_on")).unwrap_err().to_string();
    assert!(error.contains("issued_on, wished_on, council_on, executory_on"), "{error}");
}

#[test]
fn each_broken_rule_is_told_on_its_field() {
    let step = |key: &str, anchor: &str, offset: i16| json!({"key": key, "anchor": anchor, "offset_days": offset});
    for (pointer, value, at, code) in [
        ("/steps/0/offset_days", json!(0), "/steps/0/offset_days", "offset_range"),
        ("/steps/0/offset_days", json!(-3), "/steps/0/offset_days", "offset_range"),
        ("/steps/2/offset_days", json!(-91), "/steps/2/offset_days", "offset_range"),
        ("/steps/6/offset_days", json!(366), "/steps/6/offset_days", "offset_range"),
        ("/steps/1/key", json!("issued_30"), "/steps/1/key", "duplicate_step"),
        ("/steps/1", step("again", "issued_on", 30), "/steps/1/offset_days", "duplicate_step_day"),
        ("/hours/from", json!(6), "/hours/from", "number_range"),
        ("/hours/until", json!(21), "/hours/until", "number_range"),
        ("/hours/until", json!(9), "/hours/until", "hours_order"),
        ("/maximum", json!(0), "/maximum", "number_range"),
        ("/cooldown_days", json!(0), "/cooldown_days", "number_range"),
        ("/cooldown_days", json!(61), "/cooldown_days", "number_range"),
        ("/letter_after", json!(13), "/letter_after", "number_range"),
        ("/quiet_periods", json!([{"from": "01-01", "until": "12-31"}]), "/quiet_periods", "no_day_left"),
        // 29 days of February are left, in a leap year.
        ("/quiet_periods", json!([{"from": "03-01", "until": "01-31"}]), "/quiet_periods", "no_day_left"),
    ] {
        assert_eq!(faults(pointer, value), [(format!("/reminders{at}"), code.to_owned())], "{pointer}");
    }
    // Two weeks of every month are no reason to refuse; a thirteenth period is.
    let halves = |months: u32| {
        let half = |n: u32| json!({"from": format!("{:02}-01", n % 12 + 1), "until": format!("{:02}-14", n % 12 + 1)});
        (0..months).map(half).collect::<Value>()
    };
    assert_eq!(faults("/quiet_periods", halves(12)), []);
    assert_eq!(faults("/quiet_periods", halves(13)), [("/reminders/quiet_periods".into(), "too_many".into())]);
    let steps: Value = (1..=13).map(|n| step(&format!("s{n}"), "issued_on", n)).collect();
    assert_eq!(faults("/steps", steps), [("/reminders/steps".into(), "too_many".into())]);
    assert_eq!(faults("/steps", json!([])), []);
    assert_eq!(faults("/quiet_periods", json!([])), []);
}

#[test]
fn several_broken_rules_are_told_together_in_french() {
    let policy = ReminderPolicy { maximum: 13, hours: Hours { from: 18, until: 8 }, ..ReminderPolicy::default() };
    let told: Vec<_> = policy.validate("").into_iter().map(|fault| (fault.message, fault.value)).collect();
    let told: Vec<_> = told.iter().map(|(message, value)| (message.as_str(), value.as_deref().unwrap())).collect();
    assert_eq!(
        told,
        [
            ("Nombre attendu entre 1 et 12 : 13 reçu.", "13"),
            ("L'heure de fin attendue après celle de début (18 h).", "8"),
        ]
    );
}

#[test]
fn a_step_that_is_not_there_is_told_with_those_that_are() {
    let policy = ReminderPolicy::default();
    assert_eq!(policy.step(&policy.steps[1].key).unwrap().offset_days, 60);
    let fault = policy.step(&StepKey::parse("issued_90").unwrap()).unwrap_err();
    assert_eq!(fault.code, "unknown_step");
    assert!(fault.message.contains("issued_30, issued_60, wished_15_before"), "{}", fault.message);
}

#[test]
fn a_quiet_period_includes_both_its_ends_and_may_pass_the_new_year() {
    let policy = ReminderPolicy::default();
    for (open, quiet) in [
        ("2025-07-13", "2025-07-14"),
        ("2025-08-26", "2025-08-25"),
        ("2025-12-19", "2025-12-20"),
        ("2026-01-04", "2026-01-03"),
    ] {
        assert_eq!(policy.quiet(day(open)), None, "{open}");
        assert!(policy.quiet(day(quiet)).is_some(), "{quiet}");
    }
    let winter = policy.quiet_periods[1];
    assert_eq!(winter.last_day(day("2025-12-31")), Some(day("2026-01-03")));
    assert_eq!(winter.last_day(day("2026-01-01")), Some(day("2026-01-03")));
}

#[test]
fn the_29th_of_february_is_the_28th_where_there_is_none() {
    let on = |raw| MonthDay::parse(raw).unwrap();
    let period = QuietPeriod { from: on("02-20"), until: on("02-29") };
    assert_eq!(period.last_day(day("2028-02-29")), Some(day("2028-02-29")));
    assert_eq!(period.last_day(day("2027-02-28")), Some(day("2027-02-28")));
    assert_eq!(period.last_day(day("2027-03-01")), None);
    assert_eq!(on("02-29").to_string(), "02-29");
}

#[test]
fn the_last_hour_is_not_one_to_write_in() {
    let hours = ReminderPolicy::default().hours;
    let open: Vec<_> = (0..24).filter(|hour| hours.hold(*hour)).collect();
    assert_eq!(open, [9, 10, 11, 12, 13, 14, 15, 16]);
}
