//! What an operation answers, declared beside its handler, for the OpenAPI document.
//!
//! ```text
//!   #[utoipa::path(…, extensions(("x-answers" = json!(Answers::refuse(&[&NOT_FOUND]).versioned()))))]
//!                                       └──▶ app/openapi reads it into the document, and takes it out
//! ```
//! What follows from the shape of a route (a body, a key in the path, a cursor…) is deduced where the document is put
//! together; a handler declares the rest, `Answers::usual()` when there is none: one without its declaration fails a
//! test. Codes are named by their constants, so that one that does not exist does not compile.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use crate::kernel::ProblemCode;

/// The extension of an operation that holds its [`Answers`].
pub const ANSWERS: &str = "x-answers";

/// The mark of a field that is left out when there is nothing to say: types name theirs in a constant `SOMETIMES`.
pub const SOMETIMES: &str = "x-sometimes";

/// What an operation answers, besides its success as the handler describes it and what follows from its shape.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[must_use]
pub struct Answers {
    /// Codes of its own refusals.
    pub refusals: Vec<String>,
    /// Its 200 carries the version in `ETag`; a 201 always does.
    pub versioned: bool,
    /// A transition: the version may be announced in `If-Match`, the state guards anyway.
    pub version_optional: bool,
    /// Media types of the file its 200 is.
    pub files: Vec<String>,
    pub act: Option<Act>,
    pub selection: Option<Selection>,
    pub patch: Option<Patch>,
}

/// An act in number: the name of its answer with its counts, and the outcomes that are counted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Act {
    pub answer: String,
    pub outcomes: Vec<String>,
}

/// A request in number: its name, and the type of its `filter`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Selection {
    pub request: String,
    pub filter: String,
    /// The schemas of the filter, which the collector does not look for in a generic body.
    pub schemas: Map<String, Value>,
}

/// A JSON merge patch (RFC 7396): the request it is a part of, and what it says beside the fields it changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Patch {
    pub request: String,
    pub beside: Map<String, Value>,
}

impl Answers {
    /// Nothing but what follows from the shape of the route.
    pub fn usual() -> Self {
        Self::default()
    }

    /// These refusals of its own.
    pub fn refuse(codes: &[&ProblemCode]) -> Self {
        Self::usual().or_refuse(codes)
    }

    /// These refusals too.
    pub fn or_refuse(mut self, codes: &[&ProblemCode]) -> Self {
        self.refusals.extend(codes.iter().map(|code| code.code.to_owned()));
        self
    }

    /// The 200 carries the version in `ETag`.
    pub fn versioned(self) -> Self {
        Self { versioned: true, ..self }
    }

    /// `If-Match` may announce the version.
    pub fn version_optional(self) -> Self {
        Self { version_optional: true, ..self }
    }

    /// The 200 is a file of one of these media types.
    pub fn files(self, media_types: &[&str]) -> Self {
        Self { files: media_types.iter().map(|&media_type| media_type.to_owned()).collect(), ..self }
    }

    /// An act in number, whose answer counts these outcomes.
    pub fn acting(self, answer: &str, outcomes: &[&str]) -> Self {
        let outcomes = outcomes.iter().map(|&outcome| outcome.to_owned()).collect();
        Self { act: Some(Act { answer: answer.to_owned(), outcomes }), ..self }
    }

    /// An act in number on what is selected by a `filter` of this type.
    pub fn selecting<F: ToSchema>(self, request: &str) -> Self {
        let mut nested = vec![(F::name().into_owned(), <F as PartialSchema>::schema())];
        F::schemas(&mut nested);
        let schemas = nested.into_iter().map(|(name, schema)| (name, json!(schema))).collect();
        let selection = Selection { request: request.to_owned(), filter: F::name().into_owned(), schemas };
        Self { selection: Some(selection), ..self }
    }

    /// The merge patch of this request.
    pub fn patching<R: ToSchema>(self) -> Self {
        Self { patch: Some(Patch { request: R::name().into_owned(), beside: Map::new() }), ..self }
    }

    /// What the patch also holds, which is no field of the request.
    pub fn beside<T: ToSchema>(mut self, field: &str, description: &str) -> Self {
        if let Some(patch) = &mut self.patch {
            let known = json!({ "$ref": format!("#/components/schemas/{}", T::name()) });
            let schema = json!({ "oneOf": [known, { "type": "null" }], "description": description });
            patch.beside.insert(field.to_owned(), schema);
        }
        self
    }
}
