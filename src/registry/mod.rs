//! Collectivités, schools and who pays for them.
pub mod import;
pub mod kinds;
