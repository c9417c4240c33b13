//! What the mail room's lines of the journal name: its tables are the platform's.

use crate::platform::retention::{Declared, Named};

pub const DECLARED: Declared = Declared {
    room: "mailroom",
    personal: &[],
    impersonal: &[],
    named: &[
        Named { field: "address", what: "adresse de courriel signalée" },
        Named { field: "reason", what: "motif, qui peut nommer quelqu'un" },
    ],
    needs: &[],
};
