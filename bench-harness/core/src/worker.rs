//! One worker: sets its load up, passes the gate, warms up, and counts operations for a fixed time.
//!
//! ```text
//!  begin ── gate ──┬── warm-up ──┬──────── measured ────────┬── end
//!  one by one      opens         start                      stop     one by one
//!                                      its own, in ticks: read between batches
//! ```
//!
//! Setting up and putting back is done one by one, under a lock of its own: the lock under test may be slow to hand
//! over, where there are more emulated cores than real ones, and thousands of operations of no interest would wait.

use hyp_locks::Ticket;
use lock_api::Mutex;

use crate::gate::Gate;
use crate::load::{Load, Place};
use crate::machine::Machine;
use crate::pages::{Pages, Refused};
use crate::plan::Times;
use crate::record::CoreCount;
use crate::samples;

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
pub(crate) fn work<'p, M: Machine, P: Pages, W: Load<'p, P>>(
    place: Place<'p, P>,
    gate: &Gate,
    alone: &Mutex<Ticket, ()>,
    ticks: Ticks,
) -> Result<Option<CoreCount>, Refused> {
    let expected = gate.expect();
    let mut load = {
        let _alone = alone.lock();
        W::begin(place)?
    };
    let Some(opens) = expected.pass::<M>(ticks.lead) else {
        let _alone = alone.lock();
        load.end()?;
        return Ok(None);
    };

    // The batch grows while the warm-up lasts, until it is long enough.
    let mut batch = 1_u32;
    let mut before = opens;
    let begins = opens + ticks.warmup;
    let start = loop {
        run(&mut load, batch)?;
        let now = M::now();
        if now >= begins {
            samples::clear(place.worker);
            break M::now();
        }
        if now - before < ticks.batch {
            batch = (batch * 2).min(1024);
        }
        before = now;
    };

    let ends = start + ticks.measure;
    let mut ops = 0;
    let stop = loop {
        run(&mut load, batch)?;
        ops += u64::from(batch);
        let now = M::now();
        if now >= ends {
            break now;
        }
    };
    let _alone = alone.lock();
    load.end()?;
    Ok(Some(CoreCount { ops, start, stop }))
}

/// The measured loop.
#[inline(never)] // once for the warm-up and for the measurement: the same code, warm
fn run<'p, P: Pages, W: Load<'p, P>>(load: &mut W, batch: u32) -> Result<(), Refused> {
    (0..batch).try_for_each(|_| load.step())
}
