//! One run for each place between two instructions, and something done there.

use crate::board::{Next, Pause};
use crate::case::{Outcome, Stop, ensure};
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

/// No code under test is that long, unless it waits for ever.
const ENDLESS: usize = 20_000;

/// A run's place, and whether it came there.
///
/// All that is in it is accessed by one core, in `between`, or outside of the run: Relaxed.
pub(crate) struct Needle {
    /// Pauses before it; and which inner place of what begins there, or 0 for before it.
    place: (usize, usize),
    pauses: AtomicUsize,
    inner: AtomicUsize,
    /// The address, once there.
    pc: AtomicUsize,
}

impl Needle {
    fn new(place: (usize, usize)) -> Self {
        Self { place, pauses: AtomicUsize::new(0), inner: AtomicUsize::new(0), pc: AtomicUsize::new(0) }
    }

    /// How to go on at `pause`: as `strike` says, which is called once, if this is the place.
    pub(crate) fn go(&self, pause: Pause, strike: impl FnOnce() -> Next) -> Next {
        if self.struck().is_some() {
            return Next::Step;
        }
        if !pause.inside {
            let pauses = self.pauses.load(Ordering::Relaxed);
            self.pauses.store(pauses + 1, Ordering::Relaxed);
            if pauses != self.place.0 {
                return Next::Step;
            }
            if self.place.1 != 0 {
                return Next::Into(self.place.1);
            }
            self.inner.store(pause.inner, Ordering::Relaxed);
        }
        self.pc.store(pause.pc, Ordering::Relaxed);
        strike()
    }

    /// The address of the place, once the run has come to it.
    pub(crate) fn struck(&self) -> Option<usize> {
        Some(self.pc.load(Ordering::Relaxed)).filter(|&pc| pc != 0)
    }
}

/// Where a sweep has been.
pub(crate) struct Coverage {
    places: usize,
    /// Of them, between a load-exclusive and its store.
    inner: usize,
    addresses: heapless::Vec<usize, 1024>,
}

/// Calls `run` for one place after the other until it ends before its place.
pub(crate) fn sweep(mut run: impl FnMut(&Needle) -> Outcome) -> Result<Coverage, Stop> {
    let mut coverage = Coverage { places: 0, inner: 0, addresses: heapless::Vec::new() };
    let (mut pauses, mut within, mut most_within) = (0, 0, 0);
    loop {
        let needle = Needle::new((pauses, within));
        run(&needle)?;
        match needle.struck() {
            Some(pc) => {
                coverage.places += 1;
                coverage.inner += usize::from(within != 0);
                if within == 0 {
                    most_within = needle.inner.into_inner();
                }
                if !coverage.addresses.contains(&pc) {
                    ensure(coverage.addresses.push(pc).is_ok(), "more addresses than there is room for")?;
                }
            }
            None if within == 0 => return Ok(coverage),
            None => {} // the way leads past it
        }
        if within < most_within {
            within += 1;
        } else {
            (pauses, within, most_within) = (pauses + 1, 0, 0);
        }
        ensure(pauses < ENDLESS, "the code under test has no end")?;
    }
}

impl Coverage {
    /// It has been to `least` places.
    pub(crate) fn suffices(&self, least: usize) -> Outcome {
        ensure(self.places >= least, "too few places")
    }

    /// It has been inside of exclusive sequences, exactly if there are such. Every lock has one when it is taken; a bakery
    /// here too, because its waits are counted.
    pub(crate) fn went_inside(&self) -> Outcome {
        let exclusives = cfg!(target_arch = "aarch64") && !cfg!(target_feature = "lse");
        ensure((self.inner != 0) == exclusives, "exclusive sequences, where there are none, or none where there are")
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} places", self.places)?;
        if self.inner != 0 {
            write!(f, " ({} inside of LL/SC)", self.inner)?;
        }
        write!(f, ", {} addresses; ", self.addresses.len())
    }
}
