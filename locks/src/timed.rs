//! A lock that one can give up waiting for.
//!
//! ```text
//!  try_lock_until   try ── taken ──► guard
//!                    ▲  └─ in vain, and the clock says ─┬─ not yet ──► wait a little
//!                    └──────────────────────────────────┤◄─────────────────┘
//!                                                       └─ past the deadline ──► None
//! ```
//!
//! A waiter in a queue cannot leave: those behind it would lose their link. So who waits with a deadline does not queue,
//! it tries again and again, and has no place in any order: with a fair lock it gets the lock only in a moment when
//! nobody waits. For locks without a queue, [`Tas`](crate::Tas) and [`Ttas`](crate::Ttas), that is how they wait anyway.
//!
//! Between two tries it looks at the lock, and tries only if that looks free: a waiter leaves its line with the holder.
//! It does not sleep: `WFET` would, and wakes for the release only if the lock's own word was read exclusively, which
//! no combinator can do.

use core::marker::PhantomData;

use lock_api::{RawMutex, RawMutexFair, RawMutexTimed};

use crate::sync::{constructor, initial, spin_loop};

/// A clock for deadlines.
pub trait Clock {
    /// A length of time.
    type Duration;
    /// A moment. Later ones are greater.
    type Instant: Copy + PartialOrd;

    /// This moment: not before one that this CPU has seen.
    fn now() -> Self::Instant;

    /// The moment that is `duration` after now; the last one there is, if that is none.
    fn after(duration: Self::Duration) -> Self::Instant;
}

/// `L`, with `try_lock_for` and `try_lock_until` by the clock `K`. See the [module](self).
///
/// ```
/// use core::time::Duration;
/// use hyp_locks::{Tas, Timed, timed::Monotonic};
///
/// let mutex = lock_api::Mutex::<Timed<Tas, Monotonic>, u32>::new(1);
/// let guard = mutex.lock();
/// assert!(mutex.try_lock_for(Duration::from_millis(1)).is_none());
/// drop(guard);
/// assert_eq!(*mutex.try_lock_for(Duration::from_millis(1)).unwrap(), 1);
/// ```
#[derive(Debug)]
pub struct Timed<L, K> {
    lock: L,
    clock: PhantomData<fn() -> K>,
}

impl<L, K> Timed<L, K> {
    constructor! {
        /// `lock`, which nobody has locked, from now on with deadlines.
        pub fn from_raw(lock: L) = Self { lock, clock: PhantomData }
    }
}

// SAFETY: `L`'s operations, one for one, with its own guard.
unsafe impl<L: RawMutex, K: Clock> RawMutex for Timed<L, K> {
    const INIT: Self = initial!(Self::from_raw(L::INIT));

    type Guard = L::Guard;

    #[inline]
    fn lock(&self) -> L::Guard {
        self.lock.lock()
    }

    #[inline]
    fn try_lock(&self) -> Option<L::Guard> {
        self.lock.try_lock()
    }

    #[inline]
    unsafe fn unlock(&self, guard: L::Guard) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.lock.unlock(guard) };
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }
}

// SAFETY: as fair as `L`, for those who wait without a deadline; the others do not wait in its order, they try.
unsafe impl<L: RawMutexFair, K: Clock> RawMutexFair for Timed<L, K> {
    #[inline]
    unsafe fn unlock_fair(&self, guard: L::Guard) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.lock.unlock_fair(guard) };
    }

    #[inline]
    unsafe fn bump(&self, guard: &mut L::Guard) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.lock.bump(guard) };
    }
}

// SAFETY: a guard is one that `L::try_lock` gave. `None` comes after a look at the clock that was past the deadline, and a
// try that failed.
unsafe impl<L: RawMutex, K: Clock> RawMutexTimed for Timed<L, K> {
    type Duration = K::Duration;
    type Instant = K::Instant;

    /// Tries until `timeout` has passed. Tries once in any case.
    fn try_lock_for(&self, timeout: K::Duration) -> Option<L::Guard> {
        // A lock that is free costs no look at the clock.
        self.lock.try_lock().or_else(|| self.try_lock_until(K::after(timeout)))
    }

    /// Tries until `deadline`. Tries once in any case.
    fn try_lock_until(&self, deadline: K::Instant) -> Option<L::Guard> {
        loop {
            let late = K::now() >= deadline;
            if let Some(guard) = self.lock.try_lock() {
                return Some(guard);
            }
            if late {
                return None;
            }
            spin_loop();
        }
    }
}

/// The clock of the host, [`std::time::Instant`].
#[cfg(feature = "std")]
#[derive(Debug)]
pub struct Monotonic;

#[cfg(feature = "std")]
impl Clock for Monotonic {
    type Duration = core::time::Duration;
    type Instant = std::time::Instant;

    fn now() -> Self::Instant {
        std::time::Instant::now()
    }

    fn after(duration: Self::Duration) -> Self::Instant {
        let now = Self::now();
        // A century hence, which no wait survives, where that is past the end of what can be told.
        let century = core::time::Duration::from_secs(100 * 365 * 24 * 60 * 60);
        now.checked_add(duration).or_else(|| now.checked_add(century)).unwrap_or(now)
    }
}

/// The virtual counter of AArch64, `CNTVCT_EL0`, in its own ticks: a duration is ticks, `CNTFRQ_EL0` of them a second.
///
/// One counter for all CPUs, at any exception level that may read it (`CNTKCTL_EL1.EL0VCTEN` for EL0). At EL2 without VHE
/// it is the physical one less `CNTVOFF_EL2`, which must not be changed between a deadline and its check.
#[cfg(all(target_arch = "aarch64", not(miri), not(loom)))]
#[derive(Debug)]
pub struct Cntvct;

#[cfg(all(target_arch = "aarch64", not(miri), not(loom)))]
impl Clock for Cntvct {
    type Duration = u64;
    type Instant = u64;

    fn now() -> u64 {
        let now;
        // SAFETY: reads a counter. Speculation may read it early, so that a wait ends late, by the depth of a pipeline: no
        // `ISB`.
        unsafe {
            core::arch::asm!("mrs {now}, cntvct_el0", now = out(reg) now, options(nomem, nostack, preserves_flags));
        };
        now
    }

    fn after(ticks: u64) -> u64 {
        Self::now().saturating_add(ticks)
    }
}
