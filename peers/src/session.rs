//! A run: every chosen cell, repetition by repetition.

use std::fmt;
use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use crate::arena::Arena;
use crate::arguments::{Choice, Run};
use crate::interrupt;
use crate::json::Lines;
use crate::measure::{Amount, Cell};
use crate::report;
use crate::results::Results;
use crate::subjects::{self, ORIGINAL, original};
use crate::workloads::Workload;

/// Measures what was chosen and prints the report.
///
/// # Errors
///
/// Asked for what there is not; something could not be made or written; or somebody lost pages.
pub fn measure(choice: &Choice, run: &Run) -> Result<()> {
    let (workloads, contestants) = (choice.workloads()?, choice.contestants()?);
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let (workloads, too_many): (Vec<_>, Vec<_>) =
        workloads.into_iter().partition(|workload| cores.is_empty() || workload.threads() <= cores.len());
    for workload in &too_many {
        eprintln!("not measured: {} takes {} cores, here is one", workload.name(), workload.threads());
    }
    if cfg!(debug_assertions) {
        eprintln!("warning: built for debugging: figures mean nothing; build with `--profile measured`");
    }
    interrupt::listen()?;

    let arena = Arena::leak()?;
    arena.touch();
    let verified = original::verify(arena);
    if let Err(error) = &verified {
        eprintln!("warning: {error:#}: no ratios to it");
    }
    let amount = run.amount();
    let (repetitions, slice) = amount;
    let mut lines = Lines::create(run.json.as_deref(), amount, Some(verified.is_ok()))?;
    let mut results = Results::default();
    let progress = ProgressBar::new((repetitions * workloads.len() * contestants.len()) as u64);
    progress.set_style(ProgressStyle::with_template("{bar:30} {elapsed_precise} of {duration_precise}  {msg}")?);
    'all: for repetition in 0..repetitions {
        for &workload in &workloads {
            let cell = Cell { arena, workload, amount: Amount::Time(Duration::from_millis(slice)), cores: &cores };
            for turn in 0..contestants.len() {
                if interrupt::pressed() {
                    break 'all;
                }
                let contestant = contestants[(turn + repetition) % contestants.len()];
                progress.set_message(format!("{} {}", workload.name(), contestant.name));
                let measured = (contestant.measure)(&cell)
                    .with_context(|| format!("{} under {}", contestant.name, workload.name()))?;
                if let Some(measured) = measured {
                    lines.cell(workload, contestant.name, repetition, &measured)?;
                    results.add(workload, contestant.name, repetition, measured);
                }
                progress.inc(1);
            }
        }
    }
    progress.finish_and_clear();
    if interrupt::pressed() {
        say(format_args!("Interrupted in repetition {} of {repetitions}.\n\n", results.repetitions()))?;
    }
    for &contestant in &contestants {
        if !workloads.iter().any(|&workload| results.has(workload, contestant.name)) {
            eprintln!("{} takes part in none of these workloads: it has not what they need", contestant.name);
        }
    }
    let denominator = verified.is_ok() && contestants.iter().any(|one| one.name == ORIGINAL);
    say(format_args!("{}", report::report(&results, &workloads, &contestants, denominator)))?;
    ensure!(results.lost().is_empty(), "pages were lost: see above");
    Ok(())
}

/// Writes to the standard output.
///
/// # Errors
///
/// It cannot be written to: a full disk, or nobody reads it any more.
pub fn say(text: fmt::Arguments<'_>) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_fmt(text).and_then(|()| out.flush()).context("what was measured cannot be written to the standard output")
}

/// What there is to measure, as text.
#[must_use]
pub fn list() -> String {
    let mut out = String::from("Workloads\n");
    for workload in Workload::ALL {
        let (name, threads) = (workload.name(), workload.threads());
        let cores = if threads == 1 { "1 core " } else { "2 cores" };
        out += &format!("  {name:<10} {cores}  {}\n", workload.about());
    }
    out += "\nSubjects\n";
    for contestant in subjects::ALL {
        out += &format!("  {:<16} {}\n", contestant.name, contestant.about);
    }
    out
}
