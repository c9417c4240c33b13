//! What somebody sent: the files of one form in one spool file, and what it says of them.

use std::fs::File;

use crate::kernel::text::LINE_MAX;

/// One file as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenFile {
    /// What the person calls it, made printable; text to show, never a path nor a type.
    pub name: Option<String>,
    pub(super) begins: u64,
    pub(super) length: u64,
}

/// The form, received; its files are gone when it is dropped.
#[derive(Debug)]
pub struct Given {
    /// What the files are said to show, as sent.
    pub purpose: Option<String>,
    pub(super) spool: File,
    pub(super) files: Vec<GivenFile>,
}

/// A name without its folders, without what cannot be shown, cut to the length of a line; none when nothing is left.
#[must_use]
pub fn shown_name(raw: &str) -> Option<String> {
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().map(|c| if crate::kernel::text::printable(c) { c } else { '_' }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = plain.chars().take(LINE_MAX).collect();
    let cut = cut.trim();
    (!cut.is_empty()).then(|| cut.to_owned())
}
