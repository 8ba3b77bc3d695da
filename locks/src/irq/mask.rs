//! Exclusion on one core: interrupts masked, and nothing else.

use core::marker::PhantomData;

use lock_api::RawMutex;

use super::{InterruptControl, IrqGuard, Masked};
use crate::sync::{AtomicBool, Relaxed, constructor, initial};

/// A port's promise that masking interrupts is all the exclusion there is to be had.
///
/// # Safety
///
/// The program runs on one core, and everything in it that takes a lock under this control is either the code that
/// interrupts interrupt, or an interrupt handler that this control masks. (A handler that it does not mask, an NMI,
/// may call `try_lock` only.)
pub unsafe trait SingleCore: InterruptControl {}

/// Interrupts masked by `I`, on a machine of one core: the lock of a `static` pool on a microcontroller.
///
/// One byte says whether it is held, by a plain load and store: nothing can come in between. A `lock` while it is
/// held could never succeed, on one core; it panics and says so.
///
/// | access | operation | ordering | why not stronger |
/// |---|---|---|---|
/// | I1 | `held` load | Relaxed | one core sees its own stores in order, and `I` keeps the compiler's accesses inside |
/// | I2 | `held` store, acquiring | Relaxed | as I1 |
/// | I3 | `held` store, releasing | Relaxed | as I1 |
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

// SAFETY: by the promise of `SingleCore`, whoever could take the lock runs on this core and not between a
// `save_and_mask` and its `restore`; I1 and I2 are in such a region, and so is the section until the release.
// Who may still come in (an NMI) finds `held` set and gets nothing.
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
        Some(masked.into_guard(()))
    }

    #[inline]
    unsafe fn unlock(&self, guard: Self::Guard) {
        let ((), _masked) = guard.open::<I>(); // restored last
        self.held.store(false, Relaxed); // I3
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.held.load(Relaxed)
    }
}
