//! A lock taken with interrupts masked.

use core::marker::PhantomData;

use lock_api::{RawMutex, RawMutexFair};

use super::{InterruptControl, IrqGuard, Masked};
use crate::sync::{constructor, initial};
use crate::timed::Watch;

/// The lock `L`, taken with interrupts masked by `I`: for what interrupt handlers touch too.
///
/// ```text
///  lock      mask -> acquire       never the other way: interrupted between, the handler would queue up
///  unlock    release -> restore    behind a number or a node that its own CPU holds
///  try_lock  mask -> try, and if that fails, restore
/// ```
///
/// The saved mask travels in the guard, so the wrapper adds nothing to the lock, nested sections restore what
/// they found, and a guard cannot go to another CPU:
///
/// ```compile_fail,E0277
/// use hyp_locks::{IrqSave, Recorder, Ticket};
/// static POOL: lock_api::Mutex<IrqSave<Ticket, Recorder>, u32> = lock_api::Mutex::new(0);
/// let guard = POOL.lock();
/// std::thread::spawn(move || drop(guard)); // the mask to restore is not that thread's
/// ```
///
/// Guards are to be dropped in the reverse order of their making: see the [module](super).
///
/// Interrupts stay masked while waiting. With a queue they must: a handler that ran then and took the same lock would queue
/// behind the code that it interrupted. Without one they need not, which costs latency: `Timed<IrqSave<Tas, I>, K>` has
/// them open between two tries of a wait with a deadline (not in `lock`).
#[derive(Debug)]
pub struct IrqSave<L, I> {
    lock: L,
    control: PhantomData<fn() -> I>,
}

impl<L, I> IrqSave<L, I> {
    constructor! {
        /// `lock`, which nobody has locked, from now on taken with interrupts masked.
        pub fn from_raw(lock: L) = Self { lock, control: PhantomData }
    }
}

// SAFETY: exclusion and ordering are those of `L`, whose operations are called one for one with its own guard.
// `Masked` is made before every acquisition and dropped after every release, and by unwinding if `L` unwinds.
// Forgetting the guard leaves the lock held and the mask set, which is safe.
unsafe impl<L: RawMutex, I: InterruptControl> RawMutex for IrqSave<L, I> {
    const INIT: Self = initial!(Self::from_raw(L::INIT));

    type Guard = IrqGuard<L::Guard, I::State>;

    #[inline]
    #[track_caller]
    fn lock(&self) -> Self::Guard {
        let masked = Masked::<I>::new();
        masked.into_guard(self.lock.lock())
    }

    #[inline]
    #[track_caller]
    fn try_lock(&self) -> Option<Self::Guard> {
        let masked = Masked::<I>::new();
        self.lock.try_lock().map(|inner| masked.into_guard(inner))
    }

    #[inline]
    #[track_caller]
    unsafe fn unlock(&self, guard: Self::Guard) {
        let (inner, _masked) = guard.open::<I>(); // restored last
        // SAFETY: the caller holds the section that `guard` stands for, and `inner` is that section's.
        unsafe { self.lock.unlock(inner) };
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }
}

// SAFETY: as fair as `L`. `bump` is the trait's own, a release and an acquisition: pending interrupts are taken in
// between.
unsafe impl<L: RawMutexFair, I: InterruptControl> RawMutexFair for IrqSave<L, I> {
    #[inline]
    #[track_caller]
    unsafe fn unlock_fair(&self, guard: Self::Guard) {
        let (inner, _masked) = guard.open::<I>(); // restored last
        // SAFETY: as in `unlock`.
        unsafe { self.lock.unlock_fair(inner) };
    }
}

impl<L: Watch, I: InterruptControl> Watch for IrqSave<L, I> {
    type Word = L::Word;

    #[inline]
    fn word(&self) -> &L::Word {
        self.lock.word()
    }
}
