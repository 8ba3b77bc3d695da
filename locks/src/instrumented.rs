//! A lock that measures itself: how long it was waited for, held, and how long a handover took.
//!
//! ```text
//!  previous holder   ──── holds ────┐ release
//!                                   │·· handover ··┐
//!  this acquirer          lock() ├──┼──── wait ────┤──── hold ────┐
//!                                                  acquired       release, then the samples are given to the probe
//! ```
//!
//! The holder's clock is read twice in the critical section, once when it begins and once before it ends, and the
//! lock gets 8 bytes for the time of its last release. The probe runs after the release, outside: recording does
//! not lengthen what it measures. The cost is that of three reads of the clock a section, measured, not hidden:
//! compare a lock without it.

use core::marker::PhantomData;

use lock_api::{RawMutex, RawMutexFair};
use scopeguard::{ScopeGuard, guard};

use crate::sync::{AtomicU32, Relaxed, constructor, initial};
use crate::timed::Watch;

/// Where the times come from and where they go. All static: the implementor keeps the figures, by CPU.
///
/// Both calls of a section are made by whoever releases it, after the release. An interrupt handler that takes an
/// instrumented lock may therefore come in between: put `IrqSave` *outside* (`IrqSave<Instrumented<L, P>, I>`),
/// and the calls are made with interrupts masked.
pub trait Probe {
    /// Now, in ticks of a clock that does not go back and is one for all CPUs (`CNTVCT_EL0`, an invariant TSC).
    fn now() -> u64;

    /// A section was acquired: how it came about.
    fn acquired(sample: Acquired);

    /// The same section was released after `hold` ticks.
    fn released(hold: u64);
}

/// How an acquisition came about, in ticks of [`Probe::now`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Acquired {
    /// From the call to the acquisition. Of a wait with a deadline ([`Timed`](crate::Timed)) that is the try which succeeded:
    /// those in vain before it, and a wait that ends at its deadline, are not seen.
    pub wait: u64,
    /// From the previous holder's release to this acquisition, if that release came while this acquirer waited.
    /// `None`: the lock was free when this acquirer came. (A release in the same tick as the call counts as
    /// before it.) In a wait with a deadline it may have been held at an earlier try.
    pub handover: Option<u64>,
}

/// Any lock, measured. See the [module](self).
///
/// ```
/// use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// use hyp_locks::{Acquired, Instrumented, Probe, Ticket};
///
/// static HELD: AtomicU64 = AtomicU64::new(0);
/// struct Clock;
/// impl Probe for Clock {
///     fn now() -> u64 {
///         static TICKS: AtomicU64 = AtomicU64::new(0);
///         TICKS.fetch_add(1, Relaxed)
///     }
///     fn acquired(sample: Acquired) {
///         assert_eq!(sample, Acquired { wait: 1, handover: None });
///     }
///     fn released(hold: u64) {
///         HELD.fetch_add(hold, Relaxed);
///     }
/// }
///
/// let mutex = lock_api::Mutex::<Instrumented<Ticket, Clock>, ()>::new(());
/// drop(mutex.lock());
/// assert_eq!(HELD.load(Relaxed), 1);
/// ```
#[derive(Debug)]
pub struct Instrumented<L, P> {
    lock: L,
    released: Stamp,
    probe: PhantomData<fn() -> P>,
}

/// The lock's own guard, and what the section's samples will be made of.
#[derive(Debug)]
#[must_use]
pub struct InstrumentedGuard<G> {
    inner: G,
    acquired: Acquired,
    since: u64,
}

/// A time of 64 bits in two words, for machines without 64-bit atomics. Both the loads (`get`, in `begin`) and the
/// stores (`set`, in `end`) are the holder's alone, so Relaxed: the lock orders one holder's accesses before the next one's,
/// and nobody sees it half written.
#[derive(Debug)]
struct Stamp {
    high: AtomicU32,
    low: AtomicU32,
}

impl Stamp {
    constructor! { fn new() = Self { high: AtomicU32::new(0), low: AtomicU32::new(0) } }

    #[inline]
    fn get(&self) -> u64 {
        u64::from(self.high.load(Relaxed)) << 32 | u64::from(self.low.load(Relaxed))
    }

    #[inline]
    fn set(&self, time: u64) {
        self.high.store((time >> 32) as u32, Relaxed);
        self.low.store(time as u32, Relaxed);
    }
}

impl<L: RawMutex, P> Instrumented<L, P> {
    constructor! {
        /// Measures `lock`, which nobody has locked.
        pub fn from_raw(lock: L) = Self { lock, released: Stamp::new(), probe: PhantomData }
    }
}

impl<L: RawMutex, P: Probe> Instrumented<L, P> {
    /// The samples of the section that `inner` begins now, called for at `called`.
    #[inline]
    fn begin(&self, inner: L::Guard, called: u64) -> InstrumentedGuard<L::Guard> {
        // SAFETY: `inner` was acquired just now, and is given up only if the clock unwinds.
        let inner = guard(inner, |inner| unsafe { self.lock.unlock(inner) });
        let since = P::now();
        let released = self.released.get();
        let acquired = Acquired {
            wait: since.saturating_sub(called),
            handover: (released > called).then(|| since.saturating_sub(released)),
        };
        InstrumentedGuard { inner: ScopeGuard::into_inner(inner), acquired, since }
    }

    /// Ends the section: stamps the lock, releases it by `unlock`, then tells the probe.
    #[inline]
    #[track_caller]
    fn end(&self, held: InstrumentedGuard<L::Guard>, unlock: impl FnOnce(&L, L::Guard)) {
        let InstrumentedGuard { inner, acquired, since } = held;
        let inner = guard(inner, |inner| unlock(&self.lock, inner)); // also if the clock unwinds
        let now = P::now();
        self.released.set(now);
        drop(inner);
        P::acquired(acquired);
        P::released(now.saturating_sub(since));
    }
}

// SAFETY: exclusion and ordering are those of `L`, whose operations are called one for one with its own guard.
// If the probe unwinds, nothing stays held: before the acquisition nothing is, `begin` and `end` release while
// unwinding, and the samples are handed over after the release.
unsafe impl<L: RawMutex, P: Probe> RawMutex for Instrumented<L, P> {
    const INIT: Self = initial!(Self::from_raw(L::INIT));

    type Guard = InstrumentedGuard<L::Guard>;

    #[inline]
    #[track_caller]
    fn lock(&self) -> Self::Guard {
        let called = P::now();
        let inner = self.lock.lock();
        self.begin(inner, called)
    }

    #[inline]
    #[track_caller]
    fn try_lock(&self) -> Option<Self::Guard> {
        let called = P::now();
        self.lock.try_lock().map(|inner| self.begin(inner, called))
    }

    #[inline]
    #[track_caller]
    unsafe fn unlock(&self, guard: Self::Guard) {
        self.end(guard, |lock, inner| {
            // SAFETY: the caller holds the section that `guard` stands for, and `inner` is that section's.
            unsafe { lock.unlock(inner) }
        });
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }
}

// SAFETY: as fair as `L`. `bump` is the trait's own: a release and an acquisition, each with its samples.
unsafe impl<L: RawMutexFair, P: Probe> RawMutexFair for Instrumented<L, P> {
    #[inline]
    #[track_caller]
    unsafe fn unlock_fair(&self, guard: Self::Guard) {
        self.end(guard, |lock, inner| {
            // SAFETY: as in `unlock`.
            unsafe { lock.unlock_fair(inner) }
        });
    }
}

impl<L: Watch, P: Probe> Watch for Instrumented<L, P> {
    type Word = L::Word;

    #[inline]
    fn word(&self) -> &L::Word {
        self.lock.word()
    }
}
