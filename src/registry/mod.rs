//! Collectivités, schools and who pays for them.
pub mod kinds;
