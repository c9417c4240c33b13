//! What is refused of a body, and how all its faults are told.

use super::*;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the reading is tested")]
struct Inner {
    word: String,
    count: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer {
    inner: Inner,
    #[serde(default)]
    list: Vec<Inner>,
}

fn refused(json: &str) -> (u16, String, String, String) {
    let problem = parse::<Outer>(json.as_bytes()).unwrap_err().refused;
    let first = problem.errors.first();
    (
        problem.code.status,
        first.map_or_else(String::new, |e| e.pointer.clone()),
        first.map_or_else(|| problem.code.code.to_owned(), |e| e.code.clone()),
        problem.detail,
    )
}

#[test]
fn what_serde_lets_pass_is_refused() {
    let case = |json: &str, pointer: &str, code: &str| {
        let (status, place, found, detail) = refused(json);
        assert_eq!((place.as_str(), found.as_str()), (pointer, code), "{json}: {detail}");
        assert!((400..500).contains(&status));
        assert!(!detail.contains("expected") && !detail.contains("invalid"), "{json}: {detail}");
    };
    case(r#"[{"word":"a"}]"#, "", "wrong_type");
    case(r#"{"inner":["a",1]}"#, "/inner", "wrong_type");
    case(r#"{"inner":{"word":"a"},"inner":{"word":"b"}}"#, "/inner", "duplicate_field");
    case(r#"{"inner":{"word":"a","word":"b"}}"#, "/inner/word", "duplicate_field");
    case(r#"{"inner":{"word":"a"},"list":[{"word":"a\u0001"}]}"#, "/list/0/word", "unprintable_character");
    case(r#"{"inner":{"word":"a","count":1e3}}"#, "/inner/count", "wrong_type");
    case(r#"{"inner":{"word":"a","count":99999999999999999999}}"#, "/inner/count", "wrong_type");
    case(r#"{"inner":{"word":"a","count":18446744073709551615}}"#, "/inner/count", "number_range");
    case(r#"{"inner":{"word":"a","count":1e400}}"#, "", "malformed_json");
    case(r#"{"inner":{"word":"\ud800"}}"#, "", "malformed_json");
    case(r#"{"inner":{"word":"a"}} {}"#, "", "malformed_json");
    case(&"[".repeat(10_000), "", "malformed_json");
    case("", "", "malformed_json");
    case("{\"a\u{1f}b\":1}", "", "malformed_json");
    case(r#"{"unknown_\u001f":1}"#, "/unknown_\u{1f}", "unprintable_character");
    case(r#"{"inner":{"word":"a"},"other":1}"#, "/other", "unknown_field");
    case(r#"{"inner":{}}"#, "/inner/word", "missing_field");
}

#[test]
fn bytes_that_are_not_utf_8_are_told_so() {
    let utf16: Vec<u8> = r#"{"inner":{"word":"é"}}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [&b"{\"inner\":{\"word\":\"\xe9\"}}"[..], &utf16] {
        let problem = parse::<Outer>(bytes).unwrap_err().refused;
        assert!(problem.code.code == "malformed_json" && problem.detail.contains("UTF-8"), "{}", problem.detail);
    }
    assert_eq!(refused("\u{feff}{\"inner\":{\"word\":\"a\"}}").2, "malformed_json");
}

#[test]
fn every_fault_is_told_at_once() {
    let told = |json: &str| {
        let refused = parse::<Outer>(json.as_bytes()).unwrap_err().refused;
        let errors = refused.errors.into_iter().map(|e| format!("{} {}", e.pointer, e.code));
        (refused.code.code, errors.collect::<Vec<_>>(), refused.detail)
    };
    let (code, errors, detail) = told(r#"{"inner":{"word":1,"count":"x"},"list":{}}"#);
    assert_eq!(
        (code, errors),
        (
            "invalid_value",
            vec!["/inner/word wrong_type".to_owned(), "/inner/count wrong_type".into(), "/list wrong_type".into()]
        )
    );
    assert!(detail.ends_with("Et 2 autres fautes : voir `errors`."), "{detail}");
    // A value set aside is not missed; one that never was is.
    assert_eq!(
        told(r#"{"inner":{"word":1},"list":[{"word":2},{"word":"a","count":[]}]}"#).1,
        ["/inner/word wrong_type", "/list/0/word wrong_type"]
    );
    assert_eq!(told(r#"{"list":3}"#).1, ["/list wrong_type", "/inner missing_field"]);
    assert_eq!(
        told(r#"{"inner":{"count":"x"},"list":3}"#).1,
        ["/inner/count wrong_type", "/inner/word missing_field", "/list wrong_type"]
    );
    // Unknown fields are another kind of refusal: each kind is told whole.
    let (code, errors, _) = told(r#"{"inner":{"word":"a"},"other":1,"more":2,"list":3}"#);
    assert_eq!(
        (code, errors),
        ("unknown_field", vec!["/other unknown_field".to_owned(), "/more unknown_field".into()])
    );
    // A whole document of faults stays bounded.
    let many = (0..50).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(",");
    assert_eq!(told(&format!("{{{many}}}")).1.len(), MOST_FAULTS);
}

#[test]
fn what_is_right_is_read() {
    let outer: Outer = parse(br#"{"inner":{"word":"a","count":-3},"list":[{"word":"b","count":null}]}"#).unwrap();
    assert_eq!((outer.inner.count, outer.list.len()), (Some(-3), 1));
}
