//! Locks that are wrong in one way each: the sweeps must see it, or they show nothing.

use super::scene::wait_until;
use crate::board::Board;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use hyp_locks::InterruptControl;
use lock_api::RawMutex;

/// As `IrqSave`, but for the order of the release.
pub(super) struct UnmasksTooEarly<L, I>(L, PhantomData<fn() -> I>);

// SAFETY: exclusion is that of `L`; the masks are given back once each, where they were taken.
unsafe impl<L: RawMutex, I: InterruptControl> RawMutex for UnmasksTooEarly<L, I> {
    const INIT: Self = Self(L::INIT, PhantomData);
    type Guard = (L::Guard, I::State);

    fn lock(&self) -> Self::Guard {
        let state = I::save_and_mask();
        (self.0.lock(), state)
    }

    fn try_lock(&self) -> Option<Self::Guard> {
        let state = I::save_and_mask();
        let guard = self.0.try_lock();
        if guard.is_none() {
            // SAFETY: taken above.
            unsafe { I::restore(state) };
        }
        guard.map(|guard| (guard, state))
    }

    unsafe fn unlock(&self, (guard, state): Self::Guard) {
        // SAFETY: taken by this core; guards do not leave it here.
        unsafe { I::restore(state) }; // wrong
        // SAFETY: the caller's promise.
        unsafe { self.0.unlock(guard) };
    }

    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
}

/// As `IrqSave`, but for the order of the acquisition.
pub(super) struct MasksTooLate<L, I>(L, PhantomData<fn() -> I>);

// SAFETY: exclusion is that of `L`; the masks are given back once each, where they were taken.
unsafe impl<L: RawMutex, I: InterruptControl> RawMutex for MasksTooLate<L, I> {
    const INIT: Self = Self(L::INIT, PhantomData);
    type Guard = (L::Guard, I::State);

    fn lock(&self) -> Self::Guard {
        let guard = self.0.lock();
        (guard, I::save_and_mask()) // wrong
    }

    fn try_lock(&self) -> Option<Self::Guard> {
        self.0.try_lock().map(|guard| (guard, I::save_and_mask()))
    }

    unsafe fn unlock(&self, (guard, state): Self::Guard) {
        // SAFETY: the caller's promise.
        unsafe { self.0.unlock(guard) };
        // SAFETY: taken by this core; guards do not leave it here.
        unsafe { I::restore(state) };
    }

    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
}

/// A lock whose `try_lock` asks nobody.
pub(super) struct Careless<L>(L);

// SAFETY: it is none by `try_lock`, and no memory is made to depend on it: all that the cases guard are atomics.
unsafe impl<L: RawMutex> RawMutex for Careless<L> {
    const INIT: Self = Self(L::INIT);
    type Guard = Option<L::Guard>;

    fn lock(&self) -> Self::Guard {
        Some(self.0.lock())
    }

    fn try_lock(&self) -> Option<Self::Guard> {
        Some(self.0.try_lock()) // wrong
    }

    unsafe fn unlock(&self, guard: Self::Guard) {
        if let Some(guard) = guard {
            // SAFETY: the caller's promise.
            unsafe { self.0.unlock(guard) };
        }
    }

    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
}

/// A lock that looks, and then takes: one instruction in between is enough.
pub(super) struct Torn(AtomicBool);

// SAFETY: it is none, and no memory is made to depend on it: all that the cases guard are atomics.
unsafe impl RawMutex for Torn {
    const INIT: Self = Self(AtomicBool::new(false));
    type Guard = ();

    fn lock(&self) {
        while self.try_lock().is_none() {}
    }

    fn try_lock(&self) -> Option<()> {
        if self.0.load(Ordering::Acquire) {
            return None;
        }
        self.0.store(true, Ordering::Relaxed); // wrong
        Some(())
    }

    unsafe fn unlock(&self, (): ()) {
        self.0.store(false, Ordering::Release);
    }

    fn is_locked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A queue of one waiter, whose node is not in its frame: all locks of this type have it in common, so a wait inside of a
/// wait is granted both. `WHICH` of two locks: their waits are counted apart.
pub(super) struct OneNode<B, const WHICH: usize> {
    held: AtomicBool,
    queued: AtomicBool,
    board: PhantomData<fn() -> B>,
}

static GRANTED: AtomicBool = AtomicBool::new(false);
static WAITS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

impl<B, const WHICH: usize> OneNode<B, WHICH> {
    /// Waits that have begun.
    pub(super) fn waits() -> usize {
        WAITS[WHICH].load(Ordering::Acquire)
    }
}

// SAFETY: it is none in nested waits, and no memory is made to depend on it: all that the cases guard are atomics.
unsafe impl<B: Board, const WHICH: usize> RawMutex for OneNode<B, WHICH> {
    const INIT: Self = Self { held: AtomicBool::new(false), queued: AtomicBool::new(false), board: PhantomData };
    type Guard = ();

    fn lock(&self) {
        if self.try_lock().is_none() {
            GRANTED.store(false, Ordering::Relaxed); // wrong: another wait's, too
            self.queued.store(true, Ordering::Release);
            WAITS[WHICH].fetch_add(1, Ordering::Release);
            wait_until::<B>(|| GRANTED.load(Ordering::Acquire));
        }
    }

    fn try_lock(&self) -> Option<()> {
        self.held.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).ok().map(drop)
    }

    unsafe fn unlock(&self, (): ()) {
        if self.queued.swap(false, Ordering::Acquire) {
            GRANTED.store(true, Ordering::Release);
        } else {
            self.held.store(false, Ordering::Release);
        }
    }

    fn is_locked(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }
}
