//! School labels.
