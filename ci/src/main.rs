//! The command line of `cargo ci`; see the library for everything else.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use ci::matrix::{Here, Matrix};
use ci::progress::say;
use ci::run::{Options, Runner};
use ci::{choose, interrupt, summary, tables};
use clap::Parser;

/// Runs the project's checks: all of them, or those named.
///
/// Each check is a job of ci/matrix.toml with a promise, a time budget and a list of commands. What a job needs and
/// this machine lacks is installed (rustup's toolchains, targets and components; Debian packages where apt-get may be
/// used), or the job fails and says what to type. Everything that a job prints is in target/ci/JOB.log.
#[derive(Debug, Parser)]
#[command(name = "ci", bin_name = "cargo ci", version, after_help = EXAMPLES)]
struct Arguments {
    /// Jobs to run, in the order of the matrix; `*` and `?` work in names. None: all jobs
    #[arg(value_name = "JOB")]
    jobs: Vec<String>,

    /// Show the jobs with their budgets and promises, and run nothing
    #[arg(long, conflicts_with = "plan")]
    list: bool,

    /// Show what each job needs and every command as a line to type, and run nothing
    #[arg(long)]
    plan: bool,

    /// Go on after a job that failed (the default)
    #[arg(long, conflicts_with = "fail_fast")]
    keep_going: bool,

    /// End with the first job that fails; the others are reported as not run
    #[arg(long)]
    fail_fast: bool,

    /// Install nothing: a job that lacks something fails and says what to type
    #[arg(long)]
    no_install: bool,

    /// Show what the commands print while they run
    #[arg(long, short)]
    verbose: bool,

    /// Another matrix file
    #[arg(long, value_name = "FILE")]
    matrix: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  cargo ci                      every job
  cargo ci lint docs            two of them
  cargo ci 'qemu-el2-*-4'       some of them
  cargo ci --plan loom          the commands of one, to type by hand

Exit status: 0 every job passed; 1 some did not; 2 the command line or the matrix is wrong; 130 interrupted";

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the crate is not in a repository")?;
    let here = Here::find(root)?;
    let file = arguments.matrix.clone().unwrap_or_else(|| root.join("ci/matrix.toml"));
    let matrix = Matrix::load(&file, &here)?;
    let jobs = choose::choose(&matrix.jobs, &arguments.jobs)?;
    if arguments.list {
        say(&tables::list(&jobs));
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.plan {
        say(&tables::plan(&jobs, root));
        return Ok(ExitCode::SUCCESS);
    }

    interrupt::listen().context("cannot listen for Ctrl-C")?;
    let options =
        Options { fail_fast: arguments.fail_fast, install: !arguments.no_install, verbose: arguments.verbose };
    let logs = root.join(&here.target_dir).join("ci");
    let reports = Runner::new(&matrix, root.into(), logs, options).run(&jobs);
    say(&format!("\n{}", summary::table(&reports)));
    Ok(summary::exit_code(&reports, interrupt::asked()))
}
