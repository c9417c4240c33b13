//! The program: hands its arguments over to the command line and reports the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ent_backoffice::cli::run()
}
