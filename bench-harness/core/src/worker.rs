//! One worker: sets its load up, passes the gate, warms up, and counts operations for a fixed time.
//!
//! ```text
//!  begin ── gate ──┬── warm-up ──┬──────── measured ────────┬── end
//!  one by one      opens         start                      stop     one by one
//!                                      its own, in ticks: read between batches
//! ```

use hyp_locks::Ticket;
use lock_api::Mutex;

use crate::gate::Gate;
use crate::load::Place;
use crate::machine::Machine;
use crate::pages::Refused;
use crate::plan::Times;
use crate::record::CoreCount;
use crate::samples;
use crate::subject::{Batch, Subject};

/// The times of a pass in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticks {
    /// From the arrival of the last worker to the opening of the gate.
    lead: u64,
    warmup: u64,
    measure: u64,
    /// A batch of operations between two looks at the clock lasts at least as long, so that looking costs little.
    batch: u64,
}

impl Ticks {
    pub(crate) fn new(times: Times, instrumented: bool, hz: u64) -> Self {
        let ticks = |us: u32| u64::from(us) * hz / 1_000_000;
        Self {
            lead: ticks(20),
            warmup: ticks(times.warmup_us),
            measure: ticks(if instrumented { times.sample_us } else { times.measure_us }),
            batch: ticks(1).max(1),
        }
    }
}

/// What worker `place.worker` counted; `None` if another one did not make it to the gate.
pub(crate) fn work<M: Machine>(
    subject: &dyn Subject,
    place: Place,
    gate: &Gate,
    alone: &Mutex<Ticket, ()>,
    ticks: Ticks,
) -> Result<Option<CoreCount>, Refused> {
    let mut expected = Some(gate.expect());
    let mut counted = None;
    subject.with(place, alone, &mut |load| {
        if let Some(opens) = expected.take().and_then(|expected| expected.pass::<M>(ticks.lead)) {
            counted = Some(count::<M>(load, place.worker, opens, ticks)?);
        }
        Ok(())
    })?;
    Ok(counted)
}

/// Warms up, then counts. The time that is measured begins and ends for all workers at once, but for the batches that are
/// under way then.
fn count<M: Machine>(load: &mut dyn Batch, worker: usize, opens: u64, ticks: Ticks) -> Result<CoreCount, Refused> {
    // The batch grows while the warm-up lasts, until it is long enough.
    let mut batch = 1_u32;
    let mut before = opens;
    let begins = opens + ticks.warmup;
    let start = loop {
        load.run(batch)?;
        let now = M::now();
        if now >= begins {
            samples::begin(worker);
            break M::now();
        }
        if now - before < ticks.batch {
            batch = (batch * 2).min(1024);
        }
        before = now;
    };

    let ends = begins + ticks.measure;
    let (mut ops, mut gap, mut before) = (0, 0, start);
    loop {
        load.run(batch)?;
        ops += u64::from(batch);
        let now = M::now();
        gap = gap.max(now - before);
        before = now;
        if now >= ends {
            samples::end(worker);
            return Ok(CoreCount { ops, start, stop: now, gap });
        }
    }
}
