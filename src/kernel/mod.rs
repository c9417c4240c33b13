pub mod french;
pub mod school_label;
