//! The templates in force.

use std::collections::HashMap;
use std::path::Path;

use super::kind::Kind;
use crate::platform::documents::Template;

/// The templates in force: those of the program, or the rectorat's own.
#[derive(Debug, Clone, Default)]
pub struct Templates(HashMap<&'static str, Template>);

impl Templates {
    /// Reads those of a folder that has some.
    ///
    /// # Errors
    /// The file that cannot be read, and why.
    pub fn read(folder: Option<&Path>, kinds: &[&'static Kind]) -> Result<Self, (std::path::PathBuf, std::io::Error)> {
        let mut found = HashMap::new();
        for kind in kinds {
            let Some(path) = folder.map(|f| f.join(kind.file)).filter(|p| p.exists()) else { continue };
            let text = std::fs::read_to_string(&path).map_err(|cause| (path, cause))?;
            found.insert(kind.name, Template::new(kind.file, text));
        }
        Ok(Self(found))
    }

    /// With another template for a kind.
    #[must_use]
    pub fn with(mut self, kind: &Kind, template: Template) -> Self {
        self.0.insert(kind.name, template);
        self
    }

    /// The template in force for a kind.
    #[must_use]
    pub fn of(&self, kind: &Kind) -> Template {
        self.0.get(kind.name).cloned().unwrap_or_else(|| kind.own())
    }
}
