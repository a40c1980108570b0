//! The program: reads the command line and serves the console.

use std::process::ExitCode;

use clap::Parser;
use console::Settings;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    match console::serve(Settings::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
