//! What a room gives the program: one value, made in its `mod.rs`, assembled in `app` from one list.
//!
//! ```text
//!   titles::capability() ─┐
//!   claims::capability() ─┼─▶ app::rooms() ──▶ routes, catalogue, document, journal, jobs, days, rows, files, vetoes
//!   …                    ─┘
//! ```
//! A room says only what it has: `Capability { codes: CODES, ..Capability::named("titles") }`.

use std::borrow::Cow;

use utoipa_actix_web::service_config::ServiceConfig;

use crate::audit::{Follow, Moment, Tellers, Veto};
use crate::kernel::ProblemCode;
use crate::platform::db::unreadable::Rows;
use crate::platform::jobs::{Daily, Handlers};
use crate::platform::mail;
use crate::platform::papers::Kind;
use crate::platform::retention::Declared;
use crate::platform::tabular::Layout;

/// A type of answers, by its name in the OpenAPI document, and its fields that are left out when there is nothing to say.
pub type Omits = (fn() -> Cow<'static, str>, &'static [&'static str]);

/// A room, as the program sees it.
#[derive(Clone, Copy)]
pub struct Capability {
    /// Name of its folder.
    pub name: &'static str,
    /// Chapters of the OpenAPI page, with what they hold.
    pub tags: &'static [(&'static str, &'static str)],
    /// Mounts its routes under `/api/v1`.
    pub routes: fn(&mut ServiceConfig<'_>),
    /// Mounts its pages, at the root.
    pub pages: fn(&mut ServiceConfig<'_>),
    /// Its problem codes, for the catalogue.
    pub codes: &'static [&'static ProblemCode],
    pub omits: &'static [Omits],
    /// How it tells its acts in the journal.
    pub tells: fn(Tellers) -> Tellers,
    /// Registers its kinds of job.
    pub jobs: fn(Handlers) -> Handlers,
    /// What each business day asks of it.
    pub daily: &'static [Daily],
    /// Its tables, where a row that cannot be read is looked for.
    pub rows: &'static [Rows],
    /// The sorts of file it reads.
    pub layouts: &'static [&'static Layout],
    /// Its kinds of paper, with the program's own templates.
    pub papers: &'static [&'static Kind],
    /// Its kinds of mail, with the program's own texts.
    pub mails: &'static [&'static mail::Kind],
    /// What its tables and its events hold of persons.
    pub personal: Option<&'static Declared>,
    /// What it has against acts of rooms to its left.
    pub vetoes: &'static [(Moment, Veto)],
    /// What it does in the same transaction when rooms to its left act.
    pub follows: &'static [(Moment, Follow)],
}

impl Capability {
    /// A room that gives nothing yet.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self {
            name,
            tags: &[],
            routes: |_| (),
            pages: |_| (),
            codes: &[],
            omits: &[],
            tells: |tellers| tellers,
            jobs: |handlers| handlers,
            daily: &[],
            rows: &[],
            layouts: &[],
            papers: &[],
            mails: &[],
            personal: None,
            vetoes: &[],
            follows: &[],
        }
    }
}
