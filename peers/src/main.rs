//! The command line of `peers`; see the library for everything else.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use peers::arguments::{self, Arguments, Command, Unknown};
use peers::limits::Limits;
use peers::{instructions, locks, session};

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<Unknown>() { 2 } else { 1 })
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        None if arguments.run.list => session::say(format_args!("{}", session::list())),
        None => session::measure(&arguments.choice, &arguments.run),
        Some(Command::Instructions { choice, limits: None }) => instructions::count(choice),
        Some(Command::Instructions { limits: Some(file), .. }) => instructions::gate(&Limits::read(file)?),
        Some(Command::Locks { repeats, slice, json }) => locks::measure((*repeats).into(), *slice, json.as_deref()),
        Some(Command::Count { workload, subject, operations }) => {
            instructions::cell(arguments::workload(workload)?, arguments::subject(subject)?, *operations)
        }
    }
}
