//! Hidden commands: the processes apart in which the program looks at what strangers send, within bounds.

use std::process::ExitCode;

use clap::Args;

use super::command::say;
use crate::app;
use crate::platform::attachments;
use crate::platform::bounded::Limits;
use crate::platform::tabular::{Bounds, run_child};

#[derive(Debug, Args)]
pub(super) struct ReadTableArgs {
    layout: String,
    #[arg(long)]
    memory_bytes: u64,
    #[arg(long)]
    seconds: u64,
    #[arg(long)]
    rows: u64,
}

#[derive(Debug, Args)]
pub(super) struct InspectFilesArgs {
    #[arg(long)]
    memory_bytes: u64,
    #[arg(long)]
    seconds: u64,
    #[arg(long)]
    written_bytes: u64,
    /// Written in what is made.
    #[arg(long)]
    day: chrono::NaiveDate,
    /// Of each file, one after the other.
    lengths: Vec<u64>,
}

pub(super) fn read_table(args: &ReadTableArgs) -> ExitCode {
    let bounds = Bounds { memory_bytes: args.memory_bytes, seconds: args.seconds, rows: args.rows };
    let layout = app::layouts().find(|layout| layout.name == args.layout);
    match layout.map(|layout| run_child(layout, bounds)) {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            say(&error.to_string());
            ExitCode::from(70)
        }
        None => ExitCode::from(2),
    }
}

pub(super) fn inspect_files(args: &InspectFilesArgs) -> ExitCode {
    let limits = Limits { memory_bytes: args.memory_bytes, seconds: args.seconds, written_bytes: args.written_bytes };
    match attachments::run_child(limits, &args.lengths, args.day) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::from(70)
        }
    }
}
