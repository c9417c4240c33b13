//! What a reader wants of a file.

use super::cells::CellKind;

/// What a reader wants of one sort of file.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// Its name among the program's.
    pub name: &'static str,
    pub columns: &'static [ColumnSpec],
    /// Columns of which the file has one at least; empty: no such rule.
    pub one_of: &'static [&'static str],
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
