//! Our locks, and those that one could take instead, in one run: what they cost when nobody contends, and what two cores
//! get through them.
//!
//! ```sh
//! cargo run --profile measured -p peers -- locks        # half a minute
//! ```
//!
//! | column | |
//! |---|---|
//! | `alone` | acquire, count, release: ns, one core |
//! | `floor` | the same by the least that a lock can be: an exchange, and a store |
//! | `section` | two cores, one critical section of about 100 ns after the other: ns from one to the next |
//! | `empty` | the same with nothing in the section but a load and a store of the data |
//! | `handover` | what of `section` is not the section itself, by the time that a line takes from core to core |
//! | `least` | the share of the core that got less |
//!
//! Interleaved: each repetition measures everybody once, in an order that is rotated. Medians, and intervals as
//! [`Estimate`](crate::statistics::Estimate) has them; ratios are of pairs of one repetition. Each lock has its cache lines
//! to itself.

mod alone;
mod report;
mod together;
mod tried;
mod who;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use crate::interrupt;
use crate::json::Lines;
use crate::session::say;

use together::{Together, Work};
use who::{ALL, Contestant};

/// What one contestant did in each repetition.
struct Figures {
    contestant: &'static Contestant,
    alone: Vec<Option<f64>>,
    together: Vec<Option<Together>>,
    /// Two cores again, with sections that do nothing: ns from one to the next.
    empty: Vec<Option<f64>>,
}

/// All that was measured.
struct Results {
    all: Vec<Figures>,
    /// Of a cache line, in each repetition: ns.
    transfers: Vec<f64>,
    work: Work,
}

/// Measures all, and prints the tables.
///
/// # Errors
///
/// The standard output, or the JSON file, cannot be written to.
pub fn measure(repeats: usize, slice_ms: u64, json: Option<&Path>) -> Result<()> {
    if cfg!(debug_assertions) {
        eprintln!("warning: built for debugging: figures mean nothing; build with `--profile measured`");
    }
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let two = <[_; 2]>::try_from(cores.get(..2).unwrap_or_default()).ok();
    if two.is_none() {
        eprintln!("not measured: two cores at once, here is one");
    }
    interrupt::listen()?;
    let slice = Duration::from_millis(slice_ms);
    let mut lines = Lines::create(json, (repeats, slice_ms), None)?;
    let fresh = |contestant| Figures { contestant, alone: vec![], together: vec![], empty: vec![] };
    let mut results =
        Results { all: ALL.iter().map(fresh).collect(), transfers: vec![], work: Work::calibrated(cores.first()) };
    let progress = ProgressBar::new((repeats * ALL.len()) as u64);
    progress.set_style(ProgressStyle::with_template("{bar:30} {elapsed_precise} of {duration_precise}  {msg}")?);
    let mut complete = 0;
    'all: for repetition in 0..repeats {
        if let Some(two) = two {
            let transfer = together::transfer(two, slice);
            results.transfers.push(transfer);
            lines.transfer(repetition, transfer, results.work.ns)?;
        }
        for turn in 0..ALL.len() {
            if interrupt::pressed() {
                break 'all;
            }
            let figures = &mut results.all[(turn + repetition) % ALL.len()];
            progress.set_message(figures.contestant.name);
            let alone = (figures.contestant.alone)(cores.first().copied(), slice);
            let together = two.map(|two| (figures.contestant.together)(two, slice, results.work));
            let empty = two.map(|two| (figures.contestant.together)(two, slice, Work::NONE).section);
            lines.lock(
                repetition,
                figures.contestant.name,
                alone,
                together.map(|got| (got.section, got.least)),
                empty,
            )?;
            figures.alone.push(alone);
            figures.together.push(together);
            figures.empty.push(empty);
            progress.inc(1);
        }
        complete += 1;
    }
    progress.finish_and_clear();
    if interrupt::pressed() {
        results.keep(complete);
        say(format_args!("Interrupted: {complete} of {repeats} repetitions are whole.\n\n"))?;
    }
    say(format_args!("{}", report::report(&results)))
}

impl Results {
    /// Only what everybody did: in a repetition that was cut off, the pairs would not be of one repetition.
    fn keep(&mut self, repetitions: usize) {
        self.transfers.truncate(repetitions);
        for figures in &mut self.all {
            figures.alone.truncate(repetitions);
            figures.together.truncate(repetitions);
            figures.empty.truncate(repetitions);
        }
    }
}
