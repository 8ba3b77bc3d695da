//! The samples of instrumented locks, by core: where `Instrumented` puts its times.
//!
//! Each core writes its own place alone (so all accesses are `Relaxed`), and whoever reads has waited for all of them
//! to end. What happens outside the measured time is not counted: setting up, warming up, putting back, the census.

use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use hyp_locks::{Acquired, Probe};

use crate::histogram::Counting;
use crate::machine::{MAX_CORES, Machine};
use crate::record;

/// What one core has seen. Two cache lines apart, since processors fetch lines in pairs.
#[repr(align(128))]
struct Place {
    measuring: AtomicBool,
    wait: Counting,
    hold: Counting,
    handover: Counting,
    /// Of the section under way.
    waiting: AtomicU64,
    longest: AtomicU64,
    waited: AtomicU64,
}

impl Place {
    const fn new() -> Self {
        Self {
            measuring: AtomicBool::new(false),
            wait: Counting::new(),
            hold: Counting::new(),
            handover: Counting::new(),
            waiting: AtomicU64::new(0),
            longest: AtomicU64::new(0),
            waited: AtomicU64::new(0),
        }
    }
}

static PLACES: [Place; MAX_CORES] = [const { Place::new() }; MAX_CORES];

/// From now on core `core` is measured; what it has seen until now is forgotten.
pub(crate) fn begin(core: usize) {
    let Place { measuring, wait, hold, handover, waiting, longest, waited } = &PLACES[core];
    [wait, hold, handover].into_iter().for_each(Counting::clear);
    [waiting, longest, waited].into_iter().for_each(|word| word.store(0, Relaxed));
    measuring.store(true, Relaxed);
}

/// Core `core` is measured no more.
pub(crate) fn end(core: usize) {
    PLACES[core].measuring.store(false, Relaxed);
}

/// What cores `0..cores` have seen, together.
pub(crate) fn collect(cores: usize) -> record::Samples {
    let mut samples = record::Samples::default();
    for place in &PLACES[..cores] {
        samples.wait.add(&place.wait);
        samples.hold.add(&place.hold);
        samples.handover.add(&place.handover);
        samples.longest = samples.longest.max(place.longest.load(Relaxed));
        samples.waited += place.waited.load(Relaxed);
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
        if !place.measuring.load(Relaxed) {
            return;
        }
        place.wait.record(sample.wait);
        place.waiting.store(sample.wait, Relaxed);
        place.waited.store(place.waited.load(Relaxed).saturating_add(sample.wait), Relaxed);
        if let Some(handover) = sample.handover {
            place.handover.record(handover);
        }
    }

    #[inline]
    fn released(hold: u64) {
        let place = &PLACES[M::core()];
        if place.measuring.load(Relaxed) {
            place.hold.record(hold);
            let masked = place.waiting.load(Relaxed).saturating_add(hold);
            if masked > place.longest.load(Relaxed) {
                place.longest.store(masked, Relaxed);
            }
        }
    }
}
