//! The samples of instrumented locks, by core: where `Instrumented` puts its times.
//!
//! Each core writes its own place alone, and whoever reads has waited for all of them to end.

use core::marker::PhantomData;

use hyp_locks::{Acquired, Probe};

use crate::histogram::Counting;
use crate::machine::{MAX_CORES, Machine};
use crate::record;

/// What one core has seen. Two cache lines apart, since processors fetch lines in pairs.
#[repr(align(128))]
struct Place {
    wait: Counting,
    hold: Counting,
    handover: Counting,
}

static PLACES: [Place; MAX_CORES] =
    [const { Place { wait: Counting::new(), hold: Counting::new(), handover: Counting::new() } }; MAX_CORES];

/// Forgets what core `core` has seen.
pub(crate) fn clear(core: usize) {
    let Place { wait, hold, handover } = &PLACES[core];
    [wait, hold, handover].into_iter().for_each(Counting::clear);
}

/// What cores `0..cores` have seen, together.
pub(crate) fn collect(cores: usize) -> record::Samples {
    let mut samples = record::Samples::default();
    for place in &PLACES[..cores] {
        samples.wait.add(&place.wait);
        samples.hold.add(&place.hold);
        samples.handover.add(&place.handover);
    }
    samples
}

/// The probe of the instrumented locks, with the clock and the core numbers of machine `M`.
pub(crate) struct Sampler<M>(PhantomData<fn() -> M>);

impl<M: Machine> Probe for Sampler<M> {
    #[inline]
    fn now() -> u64 {
        M::now()
    }

    #[inline]
    fn acquired(sample: Acquired) {
        let place = &PLACES[M::core()];
        place.wait.record(sample.wait);
        if let Some(handover) = sample.handover {
            place.handover.record(handover);
        }
    }

    #[inline]
    fn released(hold: u64) {
        PLACES[M::core()].hold.record(hold);
    }
}
