//! A lock that one can give up waiting for.
//!
//! ```text
//!  try_lock_until   look, try ── taken ──► guard
//!                    ▲      └─ in vain, and the clock says ─┬─ not yet ──► nap ─┐
//!                    └──────────────────────────────────────┼───────────────────┘
//!                                                           └─ past the deadline ──► None
//! ```
//!
//! A waiter in a queue cannot leave: those behind it would lose their link. So who waits with a deadline does not queue,
//! it tries again and again, and has no place in any order: with a fair lock it gets the lock only in a moment when
//! nobody waits. For locks without a queue, [`Tas`](crate::Tas) and [`Ttas`](crate::Ttas), that is how they wait anyway.
//!
//! What it does between two tries is a parameter:
//!
//! | | between two tries | of |
//! |---|---|---|
//! | [`Poll`], the default | one `spin_loop` hint | any lock |
//! | [`Doze`] | waits for the lock's word to change, as the clock can: `Wfxt` has the core asleep until that, or until the deadline; the others hint | [`Watch`] |

use core::marker::PhantomData;

use lock_api::{RawMutex, RawMutexFair, RawMutexTimed};

use crate::sync::{constructor, initial, spin_loop};
use crate::wait::Word;

mod clocks;

#[cfg(feature = "std")]
pub use clocks::Monotonic;
#[cfg(any(doc, all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom))))]
pub use clocks::{Cntvct, Wfxt};

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

    /// Waits for `word` to hold something else than `seen`, until `deadline` at the latest. May return at any time before.
    #[inline]
    fn nap<A: Word>(word: &A, seen: A::Value, deadline: Self::Instant) {
        let _ = (word, seen, deadline);
        spin_loop();
    }
}

/// A lock with a word that every release changes: it can be watched without queueing.
pub trait Watch: RawMutex {
    /// Of this type.
    type Word: Word;

    /// The word.
    fn word(&self) -> &Self::Word;
}

/// What somebody who waits with a deadline does between two tries.
pub trait Between<L> {
    /// What was seen before a try.
    type Seen: Copy;

    /// A look, before a try.
    fn look(lock: &L) -> Self::Seen;

    /// After one in vain. `late` is the deadline.
    fn nap<K: Clock>(lock: &L, seen: Self::Seen, late: K::Instant);
}

/// Hints, whatever the lock.
#[derive(Debug)]
pub struct Poll;

impl<L> Between<L> for Poll {
    type Seen = ();

    #[inline]
    fn look(_: &L) {}

    #[inline]
    fn nap<K: Clock>(_: &L, (): (), _: K::Instant) {
        spin_loop();
    }
}

/// Waits for a release as the clock can ([`Clock::nap`]).
///
/// The look comes before the try: a release after it has changed the word, and nobody sleeps who could have had the lock.
/// If another has taken it meanwhile, so that the word is as it was, the next release wakes.
#[derive(Debug)]
pub struct Doze;

impl<L: Watch> Between<L> for Doze {
    type Seen = <L::Word as Word>::Value;

    #[inline]
    fn look(lock: &L) -> Self::Seen {
        lock.word().look()
    }

    #[inline]
    fn nap<K: Clock>(lock: &L, seen: Self::Seen, late: K::Instant) {
        K::nap(lock.word(), seen, late);
    }
}

/// `L`, with `try_lock_for` and `try_lock_until` by the clock `K`; who waits does `B` meanwhile. See the [module](self).
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
pub struct Timed<L, K, B = Poll> {
    lock: L,
    clock: PhantomData<fn() -> (K, B)>,
}

impl<L, K, B> Timed<L, K, B> {
    constructor! {
        /// `lock`, which nobody has locked, from now on with deadlines.
        pub fn from_raw(lock: L) = Self { lock, clock: PhantomData }
    }
}

// SAFETY: `L`'s operations, one for one, with its own guard.
unsafe impl<L: RawMutex, K: Clock, B: Between<L>> RawMutex for Timed<L, K, B> {
    const INIT: Self = initial!(Self::from_raw(L::INIT));

    type Guard = L::Guard;

    #[inline]
    #[track_caller]
    fn lock(&self) -> L::Guard {
        self.lock.lock()
    }

    #[inline]
    #[track_caller]
    fn try_lock(&self) -> Option<L::Guard> {
        self.lock.try_lock()
    }

    #[inline]
    #[track_caller]
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
unsafe impl<L: RawMutexFair, K: Clock, B: Between<L>> RawMutexFair for Timed<L, K, B> {
    #[inline]
    #[track_caller]
    unsafe fn unlock_fair(&self, guard: L::Guard) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.lock.unlock_fair(guard) };
    }

    #[inline]
    #[track_caller]
    unsafe fn bump(&self, guard: &mut L::Guard) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.lock.bump(guard) };
    }
}

// SAFETY: a guard is one that `L::try_lock` gave. `None` comes after a look at the clock that was past the deadline, and a
// try that failed.
unsafe impl<L: RawMutex, K: Clock, B: Between<L>> RawMutexTimed for Timed<L, K, B> {
    type Duration = K::Duration;
    type Instant = K::Instant;

    /// Tries until `timeout` has passed. Tries once in any case.
    #[track_caller]
    fn try_lock_for(&self, timeout: K::Duration) -> Option<L::Guard> {
        // A lock that is free costs no look at the clock.
        self.lock.try_lock().or_else(|| self.try_lock_until(K::after(timeout)))
    }

    /// Tries until `deadline`. Tries once in any case.
    #[track_caller]
    fn try_lock_until(&self, deadline: K::Instant) -> Option<L::Guard> {
        loop {
            let late = K::now() >= deadline;
            let seen = B::look(&self.lock);
            if let Some(guard) = self.lock.try_lock() {
                return Some(guard);
            }
            if late {
                return None;
            }
            B::nap::<K>(&self.lock, seen, deadline);
        }
    }
}
