//! Locks written for `lock_api` 0.4 behind the trait of 0.5.
//!
//! Two differences between the versions matter. In 0.5 a guard carries state: 0.4's has none but a marker, which
//! says whether guards may go to another thread, and that is kept. And 0.5 lets the owner of a lock *move or drop
//! it while it is locked*, after its guard was forgotten; 0.4 never promised that, so not every 0.4 lock may be
//! wrapped: only one of which somebody has read the source and says so ([`MovableWhileLocked`]).

use core::marker::PhantomData;

use lock_api::RawMutex;
use lock_api_04::RawMutex as RawMutex04;

/// A `lock_api` 0.4 lock whose source has been read: `spin`'s two, here. Another crate's lock, of which neither the trait nor
/// the type is one's own, goes into a type of one's own first (`struct Mine(theirs::Lock)`, with `RawMutex` of 0.4 passed
/// on), which this is then implemented for. Fairness and deadlines are not passed on.
///
/// # Safety
///
/// A locked `Self` may be moved or dropped, and a moved one unlocked where it has come to: neither it, nor a queue,
/// nor a thread-local knows its address. Its operations do not unwind, or leave nothing held if they do.
pub unsafe trait MovableWhileLocked: RawMutex04 {}

/// A `lock_api` 0.4 lock `R` with the face of 0.5. Adds nothing to its size.
///
/// ```
/// use hyp_locks::SpinTicket;
///
/// static COUNTER: lock_api::Mutex<SpinTicket, u32> = lock_api::Mutex::new(0);
/// *COUNTER.lock() += 1;
/// ```
#[repr(transparent)]
pub struct Compat04<R>(R);

/// `Send` and `Sync` as 0.4's marker type is.
#[derive(Debug)]
#[must_use]
pub struct Compat04Guard<M>(PhantomData<M>);

impl<R: MovableWhileLocked> Compat04<R> {
    /// Wraps `lock`, which nobody has locked.
    #[must_use]
    pub const fn from_raw(lock: R) -> Self {
        Self(lock)
    }
}

impl<R> core::fmt::Debug for Compat04<R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Compat04")
    }
}

// SAFETY: 0.4's trait asks for the same exclusion and ordering, and its operations are called one for one. What 0.5
// asks for beyond that is what `MovableWhileLocked` promises.
unsafe impl<R: MovableWhileLocked> RawMutex for Compat04<R> {
    const INIT: Self = Self(R::INIT);

    type Guard = Compat04Guard<R::GuardMarker>;

    #[inline]
    fn lock(&self) -> Self::Guard {
        self.0.lock();
        Compat04Guard(PhantomData)
    }

    #[inline]
    fn try_lock(&self) -> Option<Self::Guard> {
        self.0.try_lock().then_some(Compat04Guard(PhantomData))
    }

    #[inline]
    unsafe fn unlock(&self, _: Self::Guard) {
        // SAFETY: the caller holds the lock.
        unsafe { self.0.unlock() };
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
}

/// `spin`'s ticket lock: two words of `usize`, its release a read-modify-write.
pub type SpinTicket<R = spin::Spin> = Compat04<spin::mutex::TicketMutex<(), R>>;

/// `spin`'s test-and-test-and-set lock: one byte, no order among waiters.
pub type SpinMutex<R = spin::Spin> = Compat04<spin::mutex::SpinMutex<(), R>>;

// SAFETY: two counters and a unit (spin 0.12.3, src/mutex/ticket.rs): no address is kept anywhere, and no operation
// unwinds but by the user's `R::relax`, before anything is held; the number drawn is then lost, as if forgotten.
unsafe impl<R: spin::RelaxStrategy> MovableWhileLocked for spin::mutex::TicketMutex<(), R> {}

// SAFETY: one flag and a unit (spin 0.12.3, src/mutex/spin.rs): no address is kept anywhere, and no operation
// unwinds but by the user's `R::relax`, before anything is held.
unsafe impl<R: spin::RelaxStrategy> MovableWhileLocked for spin::mutex::SpinMutex<(), R> {}
