//! The program seen from outside: every test has a database of its own, a fixed clock and a real server.
//!
//! `make test` runs them on SQLite and on PostgreSQL; a test may not know which of the two it is on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    reason = "tests say what they expect by failing"
)]

#[macro_use]
#[allow(dead_code, unused_imports, reason = "a harness offers more than each moment uses")]
mod support;

mod addresses;
mod administrations;
mod architecture;
mod attachments;
mod auth;
mod authority;
mod backups;
mod bases;
mod batches;
mod bodies;
mod bulk;
mod catalogue;
mod circles;
mod clock;
mod daily;
mod dates;
mod debtors;
mod doors;
mod durability;
mod edge;
mod examples;
mod falsified;
mod frozen;
mod hostile;
mod idempotency;
mod imports;
mod in_the_way;
mod invitations;
mod jobs;
mod journal;
mod lifecycles;
mod lists;
mod log_in;
mod long_acts;
mod mailroom;
mod matrix;
mod occitanie;
mod openapi;
mod operation;
mod others;
mod outbox;
mod own_passwords;
mod ownership;
mod papers;
mod papers_layout;
mod papers_once;
mod persons_no;
mod placeholders;
mod principals;
mod races;
mod refusals;
mod retention;
mod roles;
mod schema;
mod small_claims;
mod smtp;
mod sockets;
mod stored_words;
mod strange_files;
mod tariffs;
mod tasks;
mod titles;
mod transitions;
mod unreadable;
mod users;
mod waits;
mod walks;
mod year;
