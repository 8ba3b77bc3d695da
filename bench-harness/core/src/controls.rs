//! Controls: locks with a known fault, which what is measured must show.
//!
//! | lock | fault | shown by |
//! |---|---|---|
//! | [`Broken`] | there is none | the check of the pool, or of the counter: the pass is void |
//! | [`Unfair`] | every worker but the first waits [`DETOUR_NS`] before it asks | shares, Jain's index |
//! | [`Delayed`] | every acquisition takes [`DELAY_NS`] longer | the waits: median at least that, within a tenth, on one core |
//!
//! | atomic | ordering | why |
//! |---|---|---|
//! | `DETOUR`, `DELAY` store, before the workers start; load | Relaxed | starting them publishes it |

use core::marker::PhantomData;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use hyp_locks::{Tas, Ticket};
use lock_api::{GuardSend, RawMutex};

use crate::burn::{burn, calibrate};
use crate::machine::Machine;

/// What an acquisition by the lock `delayed` takes longer.
pub const DELAY_NS: u32 = 1000;
/// How long all but one wait before they ask for the lock `unfair`.
pub const DETOUR_NS: u32 = 1000;

static DELAY: AtomicU32 = AtomicU32::new(0);
static DETOUR: AtomicU32 = AtomicU32::new(0);

/// Finds out how many iterations the faults are, on this core.
pub(crate) fn prepare<M: Machine>(hz: u64) {
    DELAY.store(calibrate::<M>(DELAY_NS, hz).iterations, Relaxed);
    DETOUR.store(calibrate::<M>(DETOUR_NS, hz).iterations, Relaxed);
}

/// Lets everybody in, always.
#[derive(Debug)]
pub(crate) struct Broken;

// SAFETY: none; it breaks the one promise of the trait, and what it guards is raced for: undefined behaviour, on purpose,
// as smoke is for a smoke detector. It runs when a user asks for `broken` by name, in a program that then ends. What
// is raced for are plain integers in a pool without unsafe code, where a torn one is a wrong index, hence a panic.
unsafe impl RawMutex for Broken {
    const INIT: Self = Self;

    type Guard = GuardSend;

    #[inline]
    fn lock(&self) -> GuardSend {
        GuardSend::new()
    }

    #[inline]
    fn try_lock(&self) -> Option<GuardSend> {
        Some(GuardSend::new())
    }

    #[inline]
    unsafe fn unlock(&self, _: GuardSend) {}

    #[inline]
    fn is_locked(&self) -> bool {
        false
    }
}

/// A lock with a detour before it.
macro_rules! detour {
    ($(#[$meta:meta])* $name:ident: $lock:ty, |$machine:ident| $before:expr) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub(crate) struct $name<M>($lock, PhantomData<fn() -> M>);

        // SAFETY: the lock's operations, one for one, with its own guard.
        unsafe impl<$machine: Machine> RawMutex for $name<$machine> {
            const INIT: Self = Self(RawMutex::INIT, PhantomData);

            type Guard = <$lock as RawMutex>::Guard;

            #[inline]
            fn lock(&self) -> Self::Guard {
                $before;
                self.0.lock()
            }

            #[inline]
            fn try_lock(&self) -> Option<Self::Guard> {
                $before;
                self.0.try_lock()
            }

            #[inline]
            unsafe fn unlock(&self, guard: Self::Guard) {
                // SAFETY: the caller's promise, passed on.
                unsafe { self.0.unlock(guard) };
            }

            #[inline]
            fn is_locked(&self) -> bool {
                self.0.is_locked()
            }
        }
    };
}

detour! {
    /// A test-and-set lock that all but the first worker come late to.
    Unfair: Tas, |M| burn(if M::core() == 0 { 0 } else { DETOUR.load(Relaxed) })
}

detour! {
    /// A ticket lock that takes its time.
    Delayed: Ticket, |M| burn(DELAY.load(Relaxed))
}
