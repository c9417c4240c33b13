//! The year: tariff, texts, windows, enrolments.

pub mod enrolment_import;
