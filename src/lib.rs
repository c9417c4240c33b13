//! Back office of the ENT-école.
pub mod access;
pub mod audit;
pub mod campaigns;
pub mod config;
pub mod conventions;
pub mod kernel;
pub mod platform;
pub mod registry;
pub mod titles;
