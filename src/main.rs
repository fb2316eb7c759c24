//! The program `touban`. Everything it does stands in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    touban::cli::run(std::env::args_os())
}
