//! One cell: a subject under a workload, for a slice of time.
//!
//! The slice is cut into chunks, which are timed one by one ([`Chunk`]). A chunk is *clean* unless
//!
//! * a thread was preempted in it: the kernel's count of involuntary context switches of that thread moved; or
//! * it is of two threads, and their starts differ by more than 5 % of it, so that much of it was not contended.
//!
//! The others are left out, and counted. A hypervisor below us that takes the core away is not seen by that: so the
//! figure of a cell is the *median* over its clean chunks. Where the chunks of a pass differ in what they do, it is the
//! mean, over the places in the pass, of the median at each place.

mod chunks;
mod core;
mod gate;

use std::thread;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

pub use chunks::{Chunk, timed_chunk};
pub use core::{pin, preemptions};
use gate::Gate;

use crate::arena::{Arena, PAGES};
use crate::statistics::median;
use crate::subject::{Counted, Pages, Subject};
use crate::workloads::{
    Apart, Blocks, FEW, Fill, GetPut, Mixed, Pairs, PairsHeld, PassOn, Place, Plan, Random, Sequential, Shared, Sparse,
    Stage2, Way, Work, Workload,
};

/// What is to be measured, on what, for how long.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'c> {
    /// The memory, which nobody else uses meanwhile.
    pub arena: &'static Arena,
    /// What is done.
    pub workload: Workload,
    /// How much of it.
    pub amount: Amount,
    /// Threads are pinned to these; empty: to none.
    pub cores: &'c [core_affinity::CoreId],
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// Chunks until that time is over, at least one pass.
    Time(Duration),
    /// That many operations, at least a chunk, no warm-up: for those who count instructions, and for tests.
    Operations(usize),
}

/// What a cell says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    /// Nanoseconds an operation; none if no chunk was clean.
    pub ns: Option<f64>,
    /// Operations of one thread in clean chunks.
    pub operations: u64,
    /// Operations of one thread, all of them.
    pub done: u64,
    /// Clean chunks.
    pub clean: u32,
    /// Left out: a thread was preempted.
    pub preempted: u32,
    /// Left out: the starts of the two were too far apart.
    pub apart: u32,
    /// Pages that each pass allocates, where that is less than all of them.
    pub fewer: Option<usize>,
    /// Whether all pages were free again; none of those who cannot tell.
    pub conserved: Option<bool>,
}

/// Measures `S` under a workload that does not count references.
///
/// # Errors
///
/// The subject cannot be made, or refuses what it should not.
pub fn plain<S: Subject>(cell: &Cell<'_>) -> Result<Option<Measured>> {
    if cell.workload.counts() || cell.workload.orders() && !S::ORDERS || cell.workload.threads() > S::THREADS {
        return Ok(None);
    }
    cell.around::<S>(|subject, place| {
        let locals = subject.locals(place.threads);
        match cell.workload {
            Workload::W1 | Workload::W4 => cell.drive::<_, Pairs>(locals, place),
            Workload::W1f => cell.drive::<_, PairsHeld<_>>(locals, place),
            Workload::W2 | Workload::W5 => cell.drive::<_, Blocks<_, false>>(locals, place),
            Workload::W5z => cell.drive::<_, Blocks<_, true>>(locals, place),
            Workload::Mixed => cell.drive::<_, Mixed<_>>(locals, place),
            Workload::W3l => cell.drive::<_, Fill<_, { Way::Lifo as u8 }>>(locals, place),
            Workload::W3f => cell.drive::<_, Fill<_, { Way::Fifo as u8 }>>(locals, place),
            Workload::W3r => cell.drive::<_, Fill<_, { Way::Random as u8 }>>(locals, place),
            Workload::W9 => cell.drive::<_, PassOn<'_>>(locals, place),
            _ => bail!("{} counts references", cell.workload.name()),
        }
    })
    .map(Some)
}

/// Measures `S`, which counts references, under any workload.
///
/// # Errors
///
/// As [`plain`].
pub fn counted<S: Subject>(cell: &Cell<'_>) -> Result<Option<Measured>>
where
    for<'s> S::Local<'s>: Counted,
{
    if !cell.workload.counts() {
        return plain::<S>(cell);
    }
    if cell.workload.threads() > S::THREADS {
        return Ok(None);
    }
    if cell.workload.tables() {
        cell.arena.clear();
    }
    cell.around::<S>(|subject, place| {
        let locals = subject.locals(place.threads);
        match cell.workload {
            Workload::W6 | Workload::W8 => cell.drive::<_, GetPut<_, { Apart::Same as usize }>>(locals, place),
            Workload::W7 => cell.drive::<_, GetPut<_, { Apart::Far as usize }>>(locals, place),
            Workload::W7b => cell.drive::<_, GetPut<_, { Apart::Neighbours as usize }>>(locals, place),
            Workload::S2Seq => cell.drive::<_, Stage2<_, Sequential>>(locals, place),
            Workload::S2Rand | Workload::S2Rand2 => cell.drive::<_, Stage2<_, Random>>(locals, place),
            Workload::S2Sparse => cell.drive::<_, Stage2<_, Sparse>>(locals, place),
            _ => bail!("{} counts no references", cell.workload.name()),
        }
    })
    .map(Some)
}

/// Where a subject lives: nothing else is on its cache lines, or on their neighbours that are fetched with them.
#[repr(align(128))]
struct Home<S>(S);

impl Cell<'_> {
    /// A subject made, measured, and looked at again: has it all its pages?
    fn around<S: Subject>(
        &self,
        measure: impl FnOnce(&mut S, Place<'_>) -> Result<(Plan, Vec<Vec<Chunk>>)>,
    ) -> Result<Measured> {
        let mut home = Box::new(Home(S::new(self.arena)?));
        let subject = &mut home.0;
        let before = subject.free_pages();
        let all = before.unwrap_or(PAGES).min(PAGES);
        let capacity =
            if S::LINEAR && matches!(self.workload, Workload::W1f | Workload::W3r) { all.min(FEW) } else { all };
        let shared = Shared::default();
        let place = Place { thread: 0, threads: self.workload.threads(), capacity, shared: &shared };
        let (plan, threads) = measure(subject, place)?;
        let mut measured = combine(plan, &threads);
        measured.fewer = (capacity < all).then_some(capacity);
        measured.conserved = before.map(|before| subject.free_pages() == Some(before));
        Ok(measured)
    }

    /// All threads, the first one being the caller's.
    fn drive<'p, P, W>(&self, locals: Vec<P>, place: Place<'p>) -> Result<(Plan, Vec<Vec<Chunk>>)>
    where
        P: Pages + Send,
        W: Work<'p, P>,
    {
        let gate = Gate::new(place.threads);
        let results: Vec<_> = thread::scope(|scope| {
            let mut locals = locals.into_iter().enumerate();
            let first = locals.next();
            let others: Vec<_> = locals
                .map(|(thread, local)| {
                    let gate = &gate;
                    scope.spawn(move || chunks::run::<P, W>(local, Place { thread, ..place }, gate, self))
                })
                .collect();
            let first = first.map(|(_, local)| chunks::run::<P, W>(local, place, &gate, self));
            first.into_iter().chain(others.into_iter().filter_map(|thread| thread.join().ok())).collect()
        });
        ensure!(results.len() == place.threads, "a thread panicked");
        let mut plan = Plan::Steady;
        let mut threads = Vec::new();
        for result in results {
            let Ok((its, chunks)) = result else { bail!("it refused what it should not") };
            plan = its;
            threads.push(chunks);
        }
        Ok((plan, threads))
    }
}

/// What the chunks of all threads say together.
fn combine(plan: Plan, threads: &[Vec<Chunk>]) -> Measured {
    let places = match plan {
        Plan::Steady => 1,
        Plan::Passes { chunks, .. } => chunks,
    };
    let mut at_place = vec![Vec::new(); places];
    let mut measured = Measured::default();
    for i in 0..threads.iter().map(Vec::len).min().unwrap_or(0) {
        let round = || threads.iter().map(|chunks| &chunks[i]);
        let (first, last) = (round().map(|c| c.start).min(), round().map(|c| c.start).max());
        let end = round().map(|c| c.end).max();
        let (Some(first), Some(last), Some(end)) = (first, last, end) else { break };
        let took = end - first;
        measured.done += threads[0][i].operations as u64;
        if round().any(|c| c.preempted) {
            measured.preempted += 1;
        } else if (last - first) * 20 > took {
            measured.apart += 1;
        } else {
            measured.clean += 1;
            measured.operations += threads[0][i].operations as u64;
            at_place[i % places].push(took.as_nanos() as f64 / threads[0][i].operations as f64);
        }
    }
    let medians: Vec<f64> = at_place.iter().filter_map(|chunks| median(chunks)).collect();
    measured.ns = (!medians.is_empty()).then(|| medians.iter().sum::<f64>() / medians.len() as f64);
    measured
}
