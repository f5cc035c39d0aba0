//! The program `atelier`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match atelier::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the log may not be there yet")]
fn complain(error: &anyhow::Error) {
    eprintln!("atelier: {error:#}");
}
