//! The command line of the instrument, from its arguments to its exit status.

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory as _;

use crate::arguments::{Arguments, Command};
use crate::host::Host;
use crate::progress::{complain, say};
use crate::session::Impossible;
use crate::{ab, fleet, ingest, interrupt, list, outline, replay, resume, session};

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    match run(&Arguments::of_command_line()) {
        Ok(status) => status,
        Err(error) => {
            complain(&format!("error: {error:#}"));
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
        Some(Command::Ingest(arguments)) => ingest::ingest(arguments),
        Some(Command::Fleet(arguments)) => fleet::fleet(arguments),
        Some(Command::Overview(arguments)) => Ok(fleet::files(&arguments.files)),
        Some(Command::Compare(arguments)) => session::compare(arguments),
        Some(Command::Ab(arguments)) => ab::ab(arguments),
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
