//! A thread's part of a cell: chunk after chunk, in step with the others.

use std::hint;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::gate::{Gate, Matter};
use super::{Amount, Cell, core};
use crate::subject::{Pages, Refused};
use crate::workloads::{Place, Plan, Work};

/// A chunk, as one thread saw it.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    /// When it began, from when the thread did.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
    /// Operations.
    pub operations: usize,
    /// The thread was taken off its core meanwhile.
    pub preempted: bool,
}

/// How long a chunk of a steady workload takes: much longer than reading the clock, much shorter than the time between
/// two preemptions.
const LONG: Duration = Duration::from_micros(250);

/// A chunk. A function of its own, so that a profiler can be told to count what is in it and nothing else.
#[inline(never)]
pub fn timed_chunk<'p, P: Pages, W: Work<'p, P>>(work: &mut W, pages: &mut P, ops: usize) -> Result<(), Refused> {
    work.chunk(pages, hint::black_box(ops))
}

/// All chunks of one thread. Refused in one thread ends it in all, after the chunk.
pub(super) fn run<'p, P: Pages, W: Work<'p, P>>(
    mut pages: P,
    place: Place<'p>,
    gate: &Gate,
    cell: &Cell<'_>,
) -> Result<(Plan, Vec<Chunk>), Refused> {
    if let Some(&core) = cell.cores.get(place.thread) {
        let _ = core::pin(core); // where it is refused, the preemptions tell
    }
    let first = place.thread == 0;
    let failed = &place.shared.failed;
    let begun = W::begin(&mut pages, place);
    failed.fetch_or(begun.is_err(), Relaxed);
    gate.pass();
    let mut work = match begun {
        Ok(work) if !failed.load(Relaxed) => work,
        _ => return Err(Refused),
    };
    let plan = work.plan();
    let mut chunks: Vec<Chunk> = Vec::with_capacity(1 << 12);
    let mut schedule = Schedule::new(plan, cell.amount);
    let mut result = Ok(());
    loop {
        let next = if failed.load(Relaxed) { 0 } else { schedule.next() };
        let operations = gate.agree(Matter::Next, first, next);
        if operations == 0 {
            break;
        }
        let before = core::preemptions();
        gate.pass();
        let start = Instant::now();
        result = timed_chunk(&mut work, &mut pages, operations);
        let end = Instant::now();
        let preempted = core::preemptions() != before;
        failed.fetch_or(result.is_err(), Relaxed);
        let kept = schedule.done(end - start);
        if gate.agree(Matter::Kept, first, kept.into()) != 0 {
            chunks.push(Chunk { start, end, operations, preempted });
        }
        if let Plan::Passes { chunks: all, .. } = plan
            && chunks.len().is_multiple_of(all)
            && result.is_ok()
        {
            result = work.rewind(&mut pages);
            failed.fetch_or(result.is_err(), Relaxed);
        }
    }
    result.and_then(|()| if failed.load(Relaxed) { Err(Refused) } else { work.end(&mut pages) })?;
    Ok((plan, chunks))
}

/// How many operations come next. What the first thread's says is done; the others keep theirs for nothing.
struct Schedule {
    plan: Plan,
    amount: Amount,
    began: Instant,
    ops: usize,
    warm: bool,
    chunks: usize,
    total: usize,
}

impl Schedule {
    fn new(plan: Plan, amount: Amount) -> Self {
        let (ops, warm) = match (plan, amount) {
            (Plan::Passes { ops, .. }, _) => (ops, true),
            (Plan::Steady, Amount::Operations(ops)) => (ops.max(1), true),
            (Plan::Steady, Amount::Time(_)) => (64, false),
        };
        Self { plan, amount, began: Instant::now(), ops, warm, chunks: 0, total: 0 }
    }

    /// 0: no more.
    fn next(&self) -> usize {
        let whole = match self.plan {
            Plan::Steady => self.warm && self.chunks > 0,
            Plan::Passes { chunks, .. } => self.chunks > 0 && self.chunks.is_multiple_of(chunks),
        };
        let over = match self.amount {
            Amount::Time(time) => whole && self.began.elapsed() >= time,
            Amount::Operations(ops) => self.total >= ops,
        };
        if over { 0 } else { self.ops }
    }

    /// A chunk is done; whether it counts. Until a steady one takes long enough, the next one has twice as many
    /// operations, and none counts.
    fn done(&mut self, took: Duration) -> bool {
        if !self.warm {
            if took < LONG && self.ops < 1 << 24 {
                self.ops *= 2;
            } else {
                self.warm = true;
            }
            return false;
        }
        self.chunks += 1;
        self.total += self.ops;
        true
    }
}
