//! Exclusion on one core: interrupts masked, and nothing else.

use core::marker::PhantomData;
use core::sync::atomic::{Ordering, compiler_fence};

use lock_api::RawMutex;

use super::{InterruptControl, IrqGuard, Masked};
use crate::sync::{AtomicBool, Relaxed, constructor, initial};

/// A port's promise that masking interrupts is all the exclusion there is to be had.
///
/// # Safety
///
/// The program runs on one core, and everything in it that takes a lock under this control is either the code that
/// interrupts interrupt, or an interrupt handler that this control masks. A handler that it does not mask, an NMI, does
/// not touch the lock at all, `try_lock` included: it could come in between two accesses of one.
pub unsafe trait SingleCore: InterruptControl {}

/// Interrupts masked by `I`, on a machine of one core: the lock of a `static` pool on a microcontroller.
///
/// One byte says whether it is held, by a plain load and store: nothing can come in between. A `lock` while it is
/// held could never succeed, on one core; it panics and says so.
///
/// | access | operation | ordering | why not stronger |
/// |---|---|---|---|
/// | I1 | `held` load | Relaxed | one core sees its own stores in order; a compiler fence keeps the section after it |
/// | I2 | `held` store, acquiring | Relaxed | as I1; nothing comes between I1 and I2, which are both masked |
/// | I3 | `held` store, releasing | Relaxed | as I1; a compiler fence keeps the section before it |
/// | I4 | `held` load, `is_locked` | Relaxed | a snapshot promises nothing to what follows |
///
/// The fences are for guards dropped out of order, which unmask a section that goes on: a handler may come in then,
/// and finds `held` set until the section is done.
#[derive(Debug)]
pub struct IrqMask<I> {
    held: AtomicBool,
    control: PhantomData<fn() -> I>,
}

impl<I> IrqMask<I> {
    constructor! {
        /// A free lock.
        pub fn new() = Self { held: AtomicBool::new(false), control: PhantomData }
    }
}

impl<I> Default for IrqMask<I> {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: by the promise of `SingleCore`, whoever could take the lock runs on this core, and comes in between only as a
// handler that `I` masks. I1 and I2 are in one region of `I` in which nothing is restored, so no handler runs between
// them: one section at a time has found `held` false. From I2 to I3 whoever does come in (a guard dropped out of order
// has unmasked) finds it true and gets nothing; the fences keep the section's accesses between the two.
unsafe impl<I: SingleCore> RawMutex for IrqMask<I> {
    const INIT: Self = initial!(Self::new());

    type Guard = IrqGuard<(), I::State>;

    /// Masks interrupts.
    ///
    /// # Panics
    ///
    /// If the lock is held: it can only be so by the caller, or by what the caller interrupted.
    #[inline]
    #[track_caller]
    fn lock(&self) -> Self::Guard {
        self.try_lock().expect("IrqMask is held already: on one core, waiting for it would never end")
    }

    #[inline]
    fn try_lock(&self) -> Option<Self::Guard> {
        let masked = Masked::<I>::new();
        let held = self.held.load(Relaxed); // I1
        if held {
            return None;
        }
        self.held.store(true, Relaxed); // I2
        compiler_fence(Ordering::Acquire);
        Some(masked.into_guard(()))
    }

    #[inline]
    unsafe fn unlock(&self, guard: Self::Guard) {
        let ((), _masked) = guard.open::<I>(); // restored last
        compiler_fence(Ordering::Release);
        self.held.store(false, Relaxed); // I3
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.held.load(Relaxed) // I4
    }
}
