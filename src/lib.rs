//! Back office of the ENT-école.
pub mod kernel;
pub mod platform;
pub mod registry;
