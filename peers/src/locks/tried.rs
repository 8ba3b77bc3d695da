//! What was tried to hand a ticket lock over faster, to be measured beside it.
//!
//! | | |
//! |---|---|
//! | [`Claim`] | looks by a read-modify-write that changes nothing: who sees its turn has the line for itself already, and need not ask for it again to write ("coherence traffic reduction" in Dice and Kogan's paper on Hemlock, SPAA 2021) |
//! | [`Patience`] | looks half as often: a look takes the line from who is about to release |
//! | [`Parted`] | the number to draw on a line of its own: who comes takes nothing from who holds |

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

use lock_api::{GuardNoSend, RawMutex};

/// How a waiter looks.
pub(super) trait Look {
    fn until(owner: &AtomicU32, ticket: u32);
}

/// By a read-modify-write.
pub(super) struct Claim;

impl Look for Claim {
    fn until(owner: &AtomicU32, ticket: u32) {
        while owner.fetch_add(0, Acquire) != ticket {
            spin_loop();
        }
    }
}

/// By a load, then nothing for as long as four hints take.
pub(super) struct Patience;

impl Look for Patience {
    fn until(owner: &AtomicU32, ticket: u32) {
        while owner.load(Acquire) != ticket {
            (0..4).for_each(|_| spin_loop());
        }
    }
}

/// By a load.
pub(super) struct Plain;

impl Look for Plain {
    fn until(owner: &AtomicU32, ticket: u32) {
        while owner.load(Acquire) != ticket {
            spin_loop();
        }
    }
}

/// A ticket lock that waits by `W`. The holder's number is `owner`: it alone writes there.
pub(super) struct Tried<W> {
    next: AtomicU32,
    owner: AtomicU32,
    wait: std::marker::PhantomData<fn() -> W>,
}

// SAFETY: a ticket lock: each number is drawn once, and shown when the one before has released.
unsafe impl<W: Look> RawMutex for Tried<W> {
    const INIT: Self = Self { next: AtomicU32::new(0), owner: AtomicU32::new(0), wait: std::marker::PhantomData };
    type Guard = GuardNoSend;

    #[inline]
    fn lock(&self) -> GuardNoSend {
        let ticket = self.next.fetch_add(1, Relaxed);
        if self.owner.load(Acquire) != ticket {
            W::until(&self.owner, ticket);
        }
        GuardNoSend::new()
    }

    fn try_lock(&self) -> Option<GuardNoSend> {
        let owner = self.owner.load(Acquire);
        let drawn = self.next.compare_exchange(owner, owner.wrapping_add(1), Relaxed, Relaxed);
        drawn.is_ok().then(GuardNoSend::new)
    }

    #[inline]
    unsafe fn unlock(&self, _: GuardNoSend) {
        self.owner.store(self.owner.load(Relaxed).wrapping_add(1), Release);
    }

    fn is_locked(&self) -> bool {
        self.owner.load(Relaxed) != self.next.load(Relaxed)
    }
}

/// A line that nobody else is on.
#[repr(align(128))]
struct OwnLine<T>(T);

/// A ticket lock whose `next` has a line of its own.
pub(super) struct Parted {
    next: OwnLine<AtomicU32>,
    owner: AtomicU32,
}

// SAFETY: as of `Tried`.
unsafe impl RawMutex for Parted {
    const INIT: Self = Self { next: OwnLine(AtomicU32::new(0)), owner: AtomicU32::new(0) };
    type Guard = GuardNoSend;

    #[inline]
    fn lock(&self) -> GuardNoSend {
        let ticket = self.next.0.fetch_add(1, Relaxed);
        Plain::until(&self.owner, ticket);
        GuardNoSend::new()
    }

    fn try_lock(&self) -> Option<GuardNoSend> {
        let owner = self.owner.load(Acquire);
        let drawn = self.next.0.compare_exchange(owner, owner.wrapping_add(1), Relaxed, Relaxed);
        drawn.is_ok().then(GuardNoSend::new)
    }

    #[inline]
    unsafe fn unlock(&self, _: GuardNoSend) {
        self.owner.store(self.owner.load(Relaxed).wrapping_add(1), Release);
    }

    fn is_locked(&self) -> bool {
        self.owner.load(Relaxed) != self.next.0.load(Relaxed)
    }
}
