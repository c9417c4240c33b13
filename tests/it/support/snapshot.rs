//! Whole answers held against literal copies, `tests/it/snapshots`: one copy for both databases.
//!
//! Ids, secrets and instants are the same each time (`Ids::seeded`, a fixed clock), so a copy says all that a caller
//! reads. Digests alone are left out: they follow from words that other tests hold.

use serde_json::Value;

fn without_digests(value: &mut Value) {
    match value {
        Value::String(text) if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            "‹sha256›".clone_into(text);
        }
        Value::Array(items) => items.iter_mut().for_each(without_digests),
        Value::Object(fields) => fields.values_mut().for_each(without_digests),
        _ => {}
    }
}

/// Fails when a value is not its copy.
#[track_caller]
pub fn same(name: &str, value: &Value) {
    let mut value = value.clone();
    without_digests(&mut value);
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_sort_maps(true);
    settings.bind(|| insta::assert_json_snapshot!(name, value));
}
