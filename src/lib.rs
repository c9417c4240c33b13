//! Back office of the ENT-école.

pub mod conventions;
pub mod kernel;
pub mod platform;
pub mod titles;
