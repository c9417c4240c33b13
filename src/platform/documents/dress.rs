//! What is put around a template, whoever wrote it: the data it prints, attached, and a stamp on each page.
//!
//! ```text
//!   #set page(foreground: stamp)  ┐
//!   the template's own text       ├─ one source; the template's lines keep their numbers
//!   #pdf.attach(the input)        ┘
//! ```
//! The stamp is an artifact of the page: as content it would stand inside the list or table that a page break cuts, which
//! PDF/UA refuses. A template that sets `page(foreground: …)` itself would
//! hide it: each page is looked at after the layout, and a paper without its stamp is not made.

use serde_json::Value;
use typst::foundations::Bytes;
use typst::layout::{Frame, FrameItem};
use typst_layout::PagedDocument;

/// Name of the attached input.
pub const ATTACHED: &str = "donnees.json";

/// Words printed over each page of a paper that is no longer what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// « CONVENTION ANNULÉE le 3 juin 2025 — sans effet ».
    pub words: String,
    /// For file names: « annulee ».
    pub mark: &'static str,
    /// Without effect: each page is crossed out.
    pub void: bool,
}

/// What is put around a template.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dress<'a> {
    /// The input goes with the paper, byte for byte, and the template reads its digest in the field `digest`.
    pub attached: bool,
    pub stamp: Option<&'a Stamp>,
}

const STAMP: &str = r##"#let s = json("estampille.json")
#let red = rgb("#a3001b")
#let estampille = pdf.artifact(kind: "page", {
  if s.void {
    place(top + left, line(start: (6%, 94%), end: (94%, 6%), stroke: 2.5pt + red.transparentize(55%)))
  }
  place(top + center, dy: 3.5mm, block(fill: white, stroke: 1.1pt + red, radius: 1.5pt, inset: (x: 3.5mm, y: 1.7mm), {
    set par(justify: false, leading: 0.5em, first-line-indent: 0pt)
    par(text(lang: "fr", font: "Libertinus Serif", size: 11pt, weight: "bold", style: "normal", fill: red, hyphenate: false, s.words))
  }))
})
"##;

impl Dress<'_> {
    pub(super) fn is_plain(&self) -> bool {
        !self.attached && self.stamp.is_none()
    }

    /// The template's text, dressed.
    pub(super) fn around(&self, text: &str) -> String {
        let before = if self.stamp.is_some() {
            "#set page(foreground: { import \"estampille.typ\": estampille; estampille });"
        } else {
            ""
        };
        let after = if self.attached {
            format!(
                "\n#pdf.attach(\"{ATTACHED}\", relationship: \"source\", mime-type: \"application/json\", \
                 description: \"Données figées dont ce document est fait ; il en imprime l’empreinte.\")\n"
            )
        } else {
            String::new()
        };
        format!("{before}{text}{after}")
    }

    /// What the template reads as its input.
    pub(super) fn read(&self, input: &[u8]) -> serde_json::Result<Bytes> {
        if !self.attached {
            return Ok(Bytes::new(input.to_vec()));
        }
        let mut value: Value = serde_json::from_slice(input)?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("digest".into(), crate::platform::db::blobs::digest(input).into());
        }
        Ok(Bytes::new(serde_json::to_vec(&value)?))
    }

    /// The files a dressed template may open, by name.
    pub(super) fn file(&self, name: &str, input: &Bytes) -> Option<Bytes> {
        match (name, self.stamp) {
            (ATTACHED, _) if self.attached => Some(input.clone()),
            ("estampille.typ", Some(_)) => Some(Bytes::from_string(STAMP)),
            ("estampille.json", Some(stamp)) => {
                let words = serde_json::json!({ "words": stamp.words, "void": stamp.void });
                Some(Bytes::from_string(words.to_string()))
            }
            _ => None,
        }
    }

    /// The source of the stamp.
    pub(super) fn stamp_source(&self) -> Option<&'static str> {
        self.stamp.map(|_| STAMP)
    }

    /// Whether each page bears the stamp.
    pub(super) fn is_worn(&self, document: &PagedDocument) -> bool {
        let Some(stamp) = self.stamp else { return true };
        let words = bare(&stamp.words);
        document.pages().iter().all(|page| {
            let mut text = String::new();
            written(&page.frame, &mut text);
            bare(&text).contains(&words)
        })
    }
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn written(frame: &Frame, text: &mut String) {
    for (_, item) in frame.items() {
        match item {
            FrameItem::Group(group) => written(&group.frame, text),
            FrameItem::Text(run) => text.push_str(&run.text),
            _ => {}
        }
    }
}
