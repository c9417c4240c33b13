//! `If-Match`: what the caller says it has read (RFC 9110, 13.1.1).

use super::problem::Problem;
use crate::kernel::text::excerpt;
use crate::kernel::{FieldFault, Refused, Version};

/// Most characters of the header: dozens of versions.
const LONGEST: usize = 1_000;

/// Reads the header: `"3"`, `"3", "4"`, `*`; a bare number passes. A weak tag never matches, tags that are none of ours are
/// left out, and so match nothing.
///
/// # Errors
/// `invalid_value` when it is no list of tags.
pub fn read(raw: &str) -> Result<Version, Problem> {
    let raw = raw.trim();
    if raw.len() > LONGEST {
        let message = format!("If-Match attend au plus {LONGEST} caractères.");
        let fault = FieldFault::new("if_match_format", message);
        return Err(Refused::field("header/If-Match", &fault, Some(excerpt(&raw))).into());
    }
    if raw == "*" {
        return Ok(Version::Any);
    }
    let fault = || {
        let message =
            "If-Match attend l'ETag lu, entre guillemets comme « \"3\" », ou plusieurs séparés par des virgules.";
        Problem::from(Refused::field(
            "header/If-Match",
            &FieldFault::new("if_match_format", message),
            Some(excerpt(&raw)),
        ))
    };
    let mut versions = Vec::new();
    for tag in raw.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        let (weak, tag) = tag.strip_prefix("W/").map_or((false, tag), |tag| (true, tag));
        let quoted = tag.strip_prefix('"').and_then(|t| t.strip_suffix('"')).filter(|t| !t.contains('"'));
        let bare = Some(tag).filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()));
        let opaque = quoted.or(bare).ok_or_else(fault)?;
        versions.extend(opaque.parse::<i64>().ok().filter(|_| !weak));
    }
    if raw.trim_matches([',', ' ']).is_empty() {
        return Err(fault());
    }
    Ok(Version::OneOf(versions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_lists_and_stars_are_read_and_weak_tags_match_nothing() {
        for (raw, admits) in [
            ("\"3\"", true),
            ("3", true),
            ("*", true),
            ("\"2\", \"3\"", true),
            ("\"2\",3", true),
            ("W/\"3\"", false),
            ("\"4\"", false),
            ("\"abc\"", false),
            ("\"\"", false),
            ("\"99999999999999999999\"", false),
        ] {
            assert_eq!(read(raw).unwrap().admits(3).is_ok(), admits, "{raw}");
        }
        assert_eq!(read("\"2\", \"4\"").unwrap().admits(3).unwrap_err().code.status, 412);
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for bad in [&"\"1\",".repeat(300), "", ",", "abc", "\"3", "3\"", "\"3\"\"4\"", "-3", "W/3x", "\"3\" \"4\""] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
