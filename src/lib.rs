//! Back office of the ENT-école.

pub mod campaigns;
pub mod config;
