//! The words every capability shares, free of any plumbing: money, dates, identifiers, people, refusals.
//!
//! Everything here is pure. A value that exists is valid: each type has one fallible door (`parse`), and
//! JSON, forms, files and database rows all come in through it.

pub mod actor;
pub mod bare;
pub mod caller;
pub mod clock;
pub mod contact;
pub mod dates;
pub mod finding;
pub mod french;
pub mod holidays;
pub mod identifiers;
pub mod ids;
pub mod money;
pub mod placeholder;
pub mod refused;
pub mod school_label;
pub mod system;
pub mod text;
pub mod version;

pub use actor::{Actor, Invitation, Principal, PrincipalKind, Role};
pub use caller::CallerAddress;
pub use clock::{Clock, Ids, Instant};
pub use dates::SchoolYear;
pub use finding::{Finding, Level};
pub use identifiers::{Departement, InseeCode, Siren, Siret, Uai};
pub use money::Money;
pub use placeholder::{Placeholder, placeholder};
pub use refused::{FieldError, FieldFault, ProblemCode, Refused};
pub use version::Version;
