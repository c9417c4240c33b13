//! One text for both parts of a mail: what a template gives is read by lines, and written plain or as HTML.
//!
//! ```text
//!   ## Un titre                     - a point            >> Ouvrir le dossier | https://…      anything else: a paragraph
//!                                   - another            (a link on a line of its own)         (blank lines part them)
//! ```
//! The two parts say the same, since they are the same; no HTML is ever written by a person, and every value is escaped.

use std::fmt::Write as _;

/// Longest line of the plain part, in characters; an address is never cut.
const WIDTH: usize = 76;

/// A block of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Block<'t> {
    Title(&'t str),
    Points(Vec<&'t str>),
    Link { label: &'t str, url: &'t str },
    Paragraph(Vec<&'t str>),
}

fn link(line: &str) -> Option<Block<'_>> {
    let (label, url) = line.strip_prefix(">> ")?.rsplit_once(" | ")?;
    let (label, url) = (label.trim(), url.trim());
    let known = url.starts_with("https://") || url.starts_with("http://") || url.starts_with("mailto:");
    (known && !label.is_empty() && !url.contains(char::is_whitespace)).then_some(Block::Link { label, url })
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    for line in text.lines().map(str::trim_end) {
        if line.trim().is_empty() {
            open = false;
            continue;
        }
        let block = if let Some(title) = line.strip_prefix("## ") {
            Block::Title(title.trim())
        } else if let Some(link) = link(line) {
            link
        } else if let Some(point) = line.strip_prefix("- ") {
            match found.last_mut() {
                Some(Block::Points(points)) if open => {
                    points.push(point.trim());
                    continue;
                }
                _ => Block::Points(vec![point.trim()]),
            }
        } else {
            match found.last_mut() {
                Some(Block::Paragraph(lines)) if open => {
                    lines.push(line.trim());
                    continue;
                }
                _ => Block::Paragraph(vec![line.trim()]),
            }
        };
        open = !matches!(block, Block::Title(_) | Block::Link { .. });
        found.push(block);
    }
    found
}

/// Writes words in lines of at most [`WIDTH`] characters, `first` before the first and as much space before the others.
fn wrapped(out: &mut String, first: &str, text: &str) {
    let indent = " ".repeat(first.chars().count());
    let mut column = first.chars().count();
    out.push_str(first);
    let mut fresh = true;
    // A no-break space is no place to part a line.
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if !fresh && column + 1 + length > WIDTH {
            let _ = write!(out, "\n{indent}");
            (column, fresh) = (indent.len(), true);
        }
        if !fresh {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        (column, fresh) = (column + length, false);
    }
    out.push('\n');
}

/// The plain part.
#[must_use]
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for block in blocks(text) {
        if !out.is_empty() {
            out.push('\n');
        }
        match block {
            Block::Title(title) => wrapped(&mut out, "", &title.to_uppercase()),
            Block::Points(points) => points.iter().for_each(|point| wrapped(&mut out, "- ", point)),
            Block::Link { label, url } => {
                wrapped(&mut out, "", &format!("{label}\u{a0}:"));
                let _ = writeln!(out, "{}", url.strip_prefix("mailto:").unwrap_or(url));
            }
            Block::Paragraph(lines) => lines.iter().for_each(|line| wrapped(&mut out, "", line)),
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

const BUTTON: &str = "display:inline-block;background:#000091;color:#ffffff;text-decoration:none;padding:10px 18px;\
    font-weight:bold";

/// The HTML part: no image, no script, nothing fetched.
#[must_use]
pub(super) fn html(subject: &str, text: &str) -> String {
    let mut body = String::with_capacity(text.len() * 2);
    for block in blocks(text) {
        let _ = match block {
            Block::Title(title) => {
                writeln!(body, "<h2 style=\"font-size:17px;margin:22px 0 8px\">{}</h2>", escaped(title))
            }
            Block::Points(points) => {
                let items: String = points.iter().map(|point| format!("<li>{}</li>\n", escaped(point))).collect();
                writeln!(body, "<ul style=\"margin:8px 0;padding-left:22px\">\n{items}</ul>")
            }
            Block::Link { label, url } => {
                let (label, url) = (escaped(label), escaped(url));
                // Written out below: a button alone says nothing of where it leads.
                writeln!(
                    body,
                    "<p style=\"margin:16px 0 4px\"><a href=\"{url}\" style=\"{BUTTON}\">{label}</a></p>\n\
                     <p style=\"margin:0 0 16px;font-size:13px;word-break:break-all\">{}</p>",
                    url.strip_prefix("mailto:").unwrap_or(&url)
                )
            }
            Block::Paragraph(lines) => {
                let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
                writeln!(body, "<p style=\"margin:10px 0\">{}</p>", lines.join("<br>\n"))
            }
        };
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"fr\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n</head>\n\
         <body style=\"margin:0;padding:16px;background:#ffffff;color:#161616\">\n\
         <div style=\"max-width:640px;margin:0 auto;font-family:Arial,Helvetica,sans-serif;font-size:15px;line-height:1.5\">\n\
         {body}</div>\n</body>\n</html>\n",
        escaped(subject)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "Madame la Maire,\n\nla convention est prête.\n\n## Trois étapes\n- vérifier la liste\n- réunir le \
        conseil\n\n>> Ouvrir le dossier | https://exemple.invalid/i/abc\n\nRectorat\nTél. : 04 67 00 00 00";

    #[test]
    fn both_parts_say_the_same() {
        assert_eq!(
            plain(TEXT),
            "Madame la Maire,\n\nla convention est prête.\n\nTROIS ÉTAPES\n\n- vérifier la liste\n- réunir le conseil\n\n\
             Ouvrir le dossier\u{a0}:\nhttps://exemple.invalid/i/abc\n\nRectorat\nTél. : 04 67 00 00 00\n"
        );
        let html = html("Convention & écoles", TEXT);
        for piece in [
            "<title>Convention &amp; écoles</title>",
            "<li>vérifier la liste</li>",
            "<a href=\"https://exemple.invalid/i/abc\"",
            ">Trois étapes</h2>",
            "Rectorat<br>\nTél.",
        ] {
            assert!(html.contains(piece), "{piece}: {html}");
        }
    }

    #[test]
    fn a_line_that_only_looks_like_a_link_is_text() {
        for line in [">> sans adresse", ">> x | javascript:alert(1)", ">> | https://a.fr", ">> x | https://a.fr b"] {
            assert!(!html("s", line).contains("<a "), "{line}");
        }
    }

    #[test]
    fn long_lines_are_parted_but_no_address_is() {
        let url = format!("https://exemple.invalid/{}", "a".repeat(90));
        let text = plain(&format!("{}\n\n>> Ouvrir | {url}", "mot ".repeat(60)));
        assert!(text.lines().filter(|line| *line != url).all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.lines().any(|line| line == url));
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in "[a-z<>&\"' |/:#\\-\n]{0,200}") {
            let html = html("s", &text);
            let body = html.split_once("1.5\">").unwrap().1;
            for tag in body.split('<').skip(1) {
                let known = ["p ", "/p", "ul ", "/ul", "li>", "/li", "h2 ", "/h2", "a ", "/a", "br>", "/div", "/body", "/html"];
                prop_assert!(known.iter().any(|k| tag.starts_with(k)), "<{tag}");
            }
        }

        #[test]
        fn every_word_stands_in_both_parts(words in proptest::collection::vec("[a-zé]{1,12}", 1..40)) {
            let text = words.join(" ");
            let (plain, html) = (plain(&text), html("s", &text));
            for word in &words {
                prop_assert!(plain.contains(word.as_str()) && html.contains(word.as_str()));
            }
        }
    }
}
