//! One worker: sets its load up, passes the gate, warms up, and counts operations for a fixed time.
//!
//! ```text
//!  begin ── gate ──┬── warm-up ──┬──────── measured ────────┬── end
//!                  opens         start                      stop     its own, in ticks: read between batches
//! ```

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
    ticks: Ticks,
) -> Result<Option<CoreCount>, Refused> {
    let expected = gate.expect();
    let mut load = W::begin(place)?;
    let Some(opens) = expected.pass::<M>(ticks.lead) else {
        load.end()?;
        return Ok(None);
    };

    // The batch grows while the warm-up lasts, until it is long enough.
    let mut batch = 1_u32;
    let mut before = opens;
    let begins = opens + ticks.warmup;
    let start = loop {
        for _ in 0..batch {
            load.step()?;
        }
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
        for _ in 0..batch {
            load.step()?;
        }
        ops += u64::from(batch);
        let now = M::now();
        if now >= ends {
            break now;
        }
    };
    load.end()?;
    Ok(Some(CoreCount { ops, start, stop }))
}
