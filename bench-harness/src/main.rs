//! The command line of the instrument; see the library for everything else.

use std::process::ExitCode;

use anyhow::Result;
use bench_harness::arguments::{Arguments, Command};
use bench_harness::host::Host;
use bench_harness::progress::say;
use bench_harness::session::Impossible;
use bench_harness::{interrupt, list, outline, replay, resume, session};
use clap::CommandFactory as _;

fn main() -> ExitCode {
    match run(&Arguments::of_command_line()) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error:#}");
            if interrupt::asked() {
                ExitCode::from(interrupt::STATUS)
            } else if error.is::<Impossible>() {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.command {
        None => session::run(&arguments.run),
        Some(Command::Run(run)) => session::run(run),
        Some(Command::Report(report)) => Ok(session::report(report)),
        Some(Command::Plan(run)) => {
            say(&outline::outline(run)?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Resume(arguments)) => resume::resume(arguments),
        Some(Command::Replay(arguments)) => {
            say(&replay::replay(&arguments.file)?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Completions { shell }) => {
            let mut command = Arguments::command();
            clap_complete::generate(*shell, &mut command, "bench-harness", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Man) => {
            clap_mangen::Man::new(Arguments::command()).render(&mut std::io::stdout())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::List) => {
            say(&list::list(&Host::new()?));
            Ok(ExitCode::SUCCESS)
        }
    }
}
