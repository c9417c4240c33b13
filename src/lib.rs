//! Back office of the ENT-école.
pub mod campaigns;
pub mod kernel;
pub mod platform;
pub mod registry;
