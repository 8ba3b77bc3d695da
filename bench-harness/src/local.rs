//! The passes of a plan on this host, run by a thread that does nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use bench_core::plan::Times;
use bench_core::{Arena, Plan, Scenario, measure, probe};

use crate::busy::Busy;
use crate::events::{Event, Source};
use crate::host::{Host, last_words};
use crate::resume::Key;

/// The memory that the pools hand out.
static ARENA: Arena = Arena::new();

/// A pass that takes this much longer than it should is one that hangs.
const SLOW: u32 = 20;
/// And this much longer anyway, for a host that is busy with something else.
const GRACE: Duration = Duration::from_secs(20);

/// A scenario, as a user knows it.
#[must_use]
pub fn name(scenario: Scenario) -> String {
    let Scenario { lock, strategy, cores, .. } = scenario;
    format!("{lock} {strategy} {}, {cores} {}", scenario.task(), if cores == 1 { "core" } else { "cores" })
}

/// How long all passes of `cells` take.
#[must_use]
pub fn duration(plan: &Plan, cells: usize) -> Duration {
    let times = plan.times;
    let us = 2 * u64::from(times.warmup_us) + u64::from(times.measure_us) + u64::from(times.sample_us);
    Duration::from_micros(us * u64::from(plan.repeats) * cells as u64)
}

/// What is to be measured.
#[derive(Debug)]
pub struct Todo {
    /// How long, and how often.
    pub plan: Plan,
    /// Of its scenarios only these.
    pub cells: Vec<Scenario>,
    /// The number of the first repeat.
    pub first: u32,
    /// What has been measured already.
    pub done: BTreeSet<Key>,
}

/// Begins.
///
/// # Errors
///
/// The thread cannot be started.
pub fn start(host: Arc<Host>, todo: Todo) -> Result<Source> {
    let Todo { plan, cells, first, done } = todo;
    let (sender, events) = mpsc::channel();
    let stopped = Arc::new(AtomicBool::new(false)); // Relaxed: it says all there is to say
    let stop = Arc::clone(&stopped);
    let times = plan.times;
    let most = cells.iter().map(|cell| cell.cores).max().unwrap_or(0);
    let run = move || {
        ARENA.touch();
        host.rotate(0);
        for event in probes(&host, most) {
            let _ = sender.send(event);
        }
        let before = Busy::now();
        let passes = plan.passes().filter(|(_, cell)| cells.contains(cell));
        let each = passes.flat_map(|(repeat, cell)| [false, true].map(|with| (first + repeat, cell, with)));
        let mut panicked = BTreeSet::new();
        for (repeat, cell, instrumented) in each.filter(|&(repeat, cell, with)| !done.contains(&(cell, repeat, with))) {
            if stopped.load(Relaxed) {
                break;
            }
            let instruments = if instrumented { ", with instruments" } else { "" };
            // Whoever listens may be gone, with the program: then nobody is left to tell.
            let _ = sender.send(Event::Begins(format!("{}{instruments}", name(cell))));
            host.rotate(repeat);
            let pass = measure(&*host, &ARENA, cell, repeat, times, instrumented);
            // Once for a scenario: what it says the next time will be much the same.
            if let Some(said) = last_words().filter(|_| panicked.insert(cell)) {
                let _ = sender.send(Event::Note(format!("{}: a worker panicked: {said}", name(cell))));
            }
            let _ = sender.send(Event::Passed(Box::new(pass)));
        }
        for note in Busy::now().zip(before).map(|(now, before)| now.since(&before)).into_iter().flatten() {
            let _ = sender.send(Event::Note(note));
        }
        if !host.pins() {
            let _ = sender.send(Event::Note(NOT_PINNED.into()));
        }
        let _ = sender.send(Event::Finished);
    };
    thread::Builder::new().name("measuring".into()).spawn(run).context("cannot start a thread")?;
    Ok(Source { events, patience: patience(times), stop: Box::new(move || stop.store(true, Relaxed)) })
}

/// How long nothing may happen.
#[must_use]
pub fn patience(times: Times) -> Duration {
    let longest = u64::from(times.warmup_us) + u64::from(times.measure_us.max(times.sample_us));
    GRACE + SLOW * Duration::from_micros(longest)
}

/// What the host itself costs: its clock, and a line's way between every two cores that will be measured.
fn probes(host: &Host, most: u16) -> impl Iterator<Item = Event> {
    let clock = probe::clock(host).ok().map(Event::Clock);
    let pairs = (1..most).flat_map(|b| (0..b).map(move |a| (a, b)));
    let transfers = pairs.filter_map(|(a, b)| probe::transfer(host, a, b).ok()).map(Event::Transfer);
    clock.into_iter().chain(transfers)
}

/// What to say if workers do not stay on their cores.
pub const NOT_PINNED: &str = "workers could not be pinned: the system moved them between cores as it liked";

/// What it means that a source of events is gone without a last one.
#[must_use]
pub fn vanished() -> anyhow::Error {
    anyhow!("what measures has ended without saying why; see the panic above")
}
