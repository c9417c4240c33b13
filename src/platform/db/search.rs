//! What a person types in a search box, as patterns of `LIKE … ESCAPE '\'`: nothing typed is a wildcard, and both
//! databases answer alike (PostgreSQL has a default escape, SQLite has none).

use crate::kernel::bare::bare;
use crate::kernel::text::fold;

/// The escape character of the patterns made here.
pub const ESCAPE: char = '\\';

fn literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | ESCAPE) {
            escaped.push(ESCAPE);
        }
        escaped.push(c);
    }
    escaped
}

/// Matches a stored fold that holds the typed name. Typed signs alone name nobody, and match nothing.
#[must_use]
pub fn name(typed: &str) -> String {
    let folded = fold(typed);
    if folded.is_empty() { String::new() } else { format!("%{}%", literal(&folded)) }
}

/// Matches an upper-case code (UAI, SIRET, number, reference) that holds what was typed, spaces left out.
#[must_use]
pub fn code(typed: &str) -> String {
    format!("%{}", code_start(typed))
}

/// Matches an upper-case code that starts with what was typed, spaces left out.
#[must_use]
pub fn code_start(typed: &str) -> String {
    let code = bare(typed);
    // Marks that show nothing stand in no code: typed alone, they find none.
    format!("{}%", literal(if code.is_empty() { typed } else { &code }))
}

/// Matches a lower-case address that holds what was typed.
#[must_use]
pub fn address(typed: &str) -> String {
    format!("%{}%", literal(&typed.trim().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_text() {
        assert_eq!(code_start("03_0%\\"), "03\\_0\\%\\\\%");
        assert_eq!(code(" ent-c\u{a0}12 "), "%ENT-C12%");
        assert_eq!(
            (code_start("\u{202e}").as_str(), code("\u{feff}").as_str(), code("").as_str()),
            ("\u{202e}%", "%\u{feff}%", "%%")
        );
        assert_eq!(address("Jean_B@"), "%jean\\_b@%");
    }

    #[test]
    fn names_are_searched_on_their_fold() {
        assert_eq!(name("ST-Étienne"), "%saint etienne%");
        assert_eq!(name("Cœur"), "%coeur%");
        assert_eq!(name("%_\\ -"), "");
    }
}
