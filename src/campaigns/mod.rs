//! The year: tariff, texts, windows, enrolments.

pub mod texts;
