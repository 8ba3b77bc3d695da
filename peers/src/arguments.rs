//! The command line.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand, value_parser};

use crate::subjects::{self, Contestant};
use crate::workloads::Workload;

const AFTER: &str = "\
Examples:
  peers                                     all of it: less than five minutes
  peers --quick                             the same, coarsely: less than a minute
  peers --only W1,W4 --subjects pool,bitmap two workloads, two subjects
  peers --json run.jsonl                    every cell of every repetition, a line each
  peers instructions --subjects pool        instructions an operation, under valgrind
  peers locks                               our locks against those of others: less than a minute

Build with `--profile measured`: other profiles measure something else. Let nothing else run meanwhile.

Exit status: 0 it ran, whatever the bars say; 1 it could not, somebody lost pages, or a limit is not kept; 2 it was asked for what there is
not. Ctrl-C ends it after the cell that it is at, and what there is by then is shown.";

/// The pool, and every page allocator on crates.io that one could pick instead, on the same workloads in one run: a
/// table of ratios to the original's shape, and the bars that ours has to clear.
#[derive(Debug, Parser)]
#[command(name = "peers", version, args_conflicts_with_subcommands = true, after_help = AFTER)]
pub struct Arguments {
    /// What to do; without it: measure.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to measure.
    #[command(flatten)]
    pub choice: Choice,
    /// How.
    #[command(flatten)]
    pub run: Run,
}

/// What to measure.
#[derive(Args, Clone, Debug, Default)]
pub struct Choice {
    /// Only these workloads, with commas between; `--list` has them
    #[arg(long, value_name = "WORKLOADS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Only these subjects, with commas between; `--list` has them. Ratios need `original` among them
    #[arg(long, value_name = "SUBJECTS", value_delimiter = ',')]
    pub subjects: Vec<String>,
}

/// How to measure.
#[derive(Args, Clone, Debug)]
pub struct Run {
    /// How often each cell is measured: its figure is the median
    #[arg(long, default_value_t = 9, value_parser = value_parser!(u16).range(1..=999), conflicts_with = "quick")]
    pub repeats: u16,
    /// For how long, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 60, value_parser = value_parser!(u64).range(1..=60_000), conflicts_with = "quick")]
    pub slice: u64,
    /// Three repetitions of 15 ms: for a first look
    #[arg(long)]
    pub quick: bool,
    /// Write what was measured to this file, as JSON Lines: first the machine, then a line a cell
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Say what there is to measure, and end
    #[arg(long)]
    pub list: bool,
}

impl Run {
    /// Repetitions, and milliseconds a cell.
    #[must_use]
    pub fn amount(&self) -> (usize, u64) {
        if self.quick { (3, 15) } else { (self.repeats.into(), self.slice) }
    }
}

/// What else it can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Count instructions an operation, for the workloads of one thread, under valgrind's callgrind
    Instructions {
        /// Of what.
        #[command(flatten)]
        choice: Choice,
        /// Count what this file has limits for, and fail if one is not kept: TOML, `[pool]`, `W1 = 200`
        #[arg(long, value_name = "FILE", conflicts_with_all = ["only", "subjects"])]
        limits: Option<PathBuf>,
    },
    /// Our locks and those of others: alone, and from two cores at once
    Locks {
        /// How often each is measured: its figure is the median
        #[arg(long, default_value_t = 9, value_parser = value_parser!(u16).range(1..=999))]
        repeats: u16,
        /// For how long, in milliseconds
        #[arg(long, value_name = "MS", default_value_t = 60, value_parser = value_parser!(u64).range(1..=60_000))]
        slice: u64,
        /// Write what was measured to this file, as JSON Lines: first the machine, then a line a lock
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// One cell, for valgrind
    #[command(hide = true)]
    Count {
        /// The workload.
        workload: String,
        /// The subject.
        subject: String,
        /// How many operations, at least.
        operations: usize,
    },
}

/// Asked for what there is not.
#[derive(Debug)]
pub struct Unknown(String);

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unknown {}

fn find<T: Copy>(what: &str, name: &str, all: &[T], name_of: impl Fn(T) -> &'static str) -> Result<T> {
    if let Some(&found) = all.iter().find(|&&one| name_of(one).eq_ignore_ascii_case(name)) {
        return Ok(found);
    }
    let near = |one: &T| strsim::jaro_winkler(&name.to_lowercase(), &name_of(*one).to_lowercase());
    let nearest = all.iter().map(|one| (near(one), name_of(*one))).max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = match nearest {
        Some((likeness, nearest)) if likeness > 0.7 => format!("; did you mean `{nearest}`?"),
        _ => String::new(),
    };
    bail!(Unknown(format!("there is no {what} `{name}`{hint}; `peers --list` has them all")))
}

/// The workload of that name.
///
/// # Errors
///
/// [`Unknown`].
pub fn workload(name: &str) -> Result<Workload> {
    find("workload", name, &Workload::ALL, Workload::name)
}

/// The subject of that name.
///
/// # Errors
///
/// [`Unknown`].
pub fn subject(name: &str) -> Result<&'static Contestant> {
    let all: Vec<&Contestant> = subjects::ALL.iter().collect();
    find("subject", name, &all, |contestant: &Contestant| contestant.name)
}

impl Choice {
    /// The workloads, in the order of the table.
    ///
    /// # Errors
    ///
    /// [`Unknown`].
    pub fn workloads(&self) -> Result<Vec<Workload>> {
        let chosen = self.only.iter().map(|name| workload(name)).collect::<Result<Vec<_>>>()?;
        Ok(Workload::ALL.into_iter().filter(|one| chosen.is_empty() || chosen.contains(one)).collect())
    }

    /// The subjects, in the order of the table.
    ///
    /// # Errors
    ///
    /// [`Unknown`].
    pub fn contestants(&self) -> Result<Vec<&'static Contestant>> {
        let chosen = self.subjects.iter().map(|name| subject(name)).collect::<Result<Vec<_>>>()?;
        let wanted = |one: &&Contestant| chosen.is_empty() || chosen.iter().any(|chosen| chosen.name == one.name);
        Ok(subjects::ALL.iter().filter(wanted).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Choice, workload};
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn names_are_found_in_any_case_and_the_nearest_is_named_where_there_is_none() {
        assert_eq!(workload("w3R").unwrap().name(), "W3r");
        let error = workload("s2_sek").unwrap_err().to_string();
        assert!(error.contains("did you mean `s2_seq`?"), "{error}");
    }

    #[test]
    fn a_choice_has_the_order_of_the_table() {
        let only = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let choice = Choice { only: only(&["W4", "W1"]), subjects: only(&["bitmap", "pool"]) };
        assert_eq!(choice.workloads().unwrap().iter().map(|w| w.name()).collect::<Vec<_>>(), ["W1", "W4"]);
        assert_eq!(choice.contestants().unwrap().iter().map(|c| c.name).collect::<Vec<_>>(), ["pool", "bitmap"]);
    }
}
