//! French printing of dates and amounts.
