//! What a reader wants of a file.

use std::collections::HashSet;

use super::cells::CellKind;
use crate::kernel::text::fold;

/// The form under which column names are compared.
pub(super) fn squeeze(name: &str) -> String {
    fold(name).replace(' ', "")
}

/// What a reader wants of one sort of file.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// Its name among the program's.
    pub name: &'static str,
    pub columns: &'static [ColumnSpec],
    /// Columns of which the file has one at least; empty: no such rule.
    pub one_of: &'static [&'static str],
    /// Columns that no other sort of file taken by the same door has: one of them tells this sort.
    pub marks: &'static [&'static str],
    /// Whether such a file may also be JSON: an array of objects, or objects one after the other.
    pub objects: bool,
    /// Other sorts of file that come through the same door, told by their marks.
    pub besides: &'static [&'static Layout],
}

impl Layout {
    /// A sort of file that its door tells from no other.
    #[must_use]
    pub const fn alone(name: &'static str, columns: &'static [ColumnSpec]) -> Self {
        Self { name, columns, one_of: &[], marks: &[], objects: false, besides: &[] }
    }

    /// What comes through its door: itself, and others after it.
    pub(super) fn sorts(&'static self) -> impl Iterator<Item = &'static Self> {
        std::iter::once(self).chain(self.besides.iter().copied())
    }

    /// Which of the sorts a header tells: the first of which it has a mark, else the door's own.
    pub(super) fn told_by(&'static self, header: &[&str]) -> usize {
        if self.besides.is_empty() {
            return 0;
        }
        let names: HashSet<String> = header.iter().map(|name| squeeze(name)).collect();
        self.sorts().position(|sort| sort.marks.iter().any(|mark| names.contains(&squeeze(mark)))).unwrap_or_default()
    }

    /// Which of the sorts may be JSON, if any.
    pub(super) fn told_by_objects(&'static self) -> Option<usize> {
        self.sorts().position(|sort| sort.objects)
    }
}

/// A column a reader wants.
#[derive(Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    /// The name the reader uses, and the first one looked for.
    pub name: &'static str,
    /// Other names seen in files. Case, accents, spaces, `_` and `-` never count.
    pub aliases: &'static [&'static str],
    /// Whether the file is refused without it.
    pub required: bool,
    pub kind: CellKind,
}

impl ColumnSpec {
    #[must_use]
    pub const fn required(name: &'static str, aliases: &'static [&'static str], kind: CellKind) -> Self {
        Self { name, aliases, required: true, kind }
    }

    #[must_use]
    pub const fn optional(name: &'static str, aliases: &'static [&'static str], kind: CellKind) -> Self {
        Self { name, aliases, required: false, kind }
    }

    /// Every name it goes by.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}
