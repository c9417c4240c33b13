//! Plumbing without any business word.

pub mod tabular;
