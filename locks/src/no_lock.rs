//! No lock at all: for one core without interrupt handlers, and as the control of a measurement.
//!
//! One byte says whether it is held, so that a second acquisition is refused rather than granted. It is not `Sync`,
//! so nothing made with it is either; no atomic access, hence no table of them.

use core::cell::Cell;

use lock_api::{GuardNoSend, RawMutex};

/// Excludes only oneself: costs a check and a store.
///
/// ```
/// use hyp_locks::NoLock;
///
/// let mutex = lock_api::Mutex::<NoLock, u32>::new(1);
/// let guard = mutex.lock();
/// assert!(mutex.try_lock().is_none());
/// # drop(guard);
/// ```
///
/// Nothing can be shared with it, between threads or in a `static`:
///
/// ```compile_fail,E0277
/// use hyp_locks::NoLock;
/// static POOL: lock_api::Mutex<NoLock, u32> = lock_api::Mutex::new(1);
/// ```
#[derive(Debug, Default)]
pub struct NoLock {
    held: Cell<bool>,
}

impl NoLock {
    /// A free lock.
    #[must_use]
    pub const fn new() -> Self {
        Self { held: Cell::new(false) }
    }
}

// SAFETY: not `Sync`, so one thread makes all calls, and `held` lets it in once at a time. No address is kept.
unsafe impl RawMutex for NoLock {
    const INIT: Self = Self::new();

    type Guard = GuardNoSend;

    /// Takes the lock.
    ///
    /// # Panics
    ///
    /// If it is held: nobody else could release it.
    #[inline]
    #[track_caller]
    fn lock(&self) -> GuardNoSend {
        self.try_lock().expect("NoLock is held already: waiting for it would never end")
    }

    #[inline]
    fn try_lock(&self) -> Option<GuardNoSend> {
        (!self.held.replace(true)).then(GuardNoSend::new)
    }

    #[inline]
    unsafe fn unlock(&self, _: GuardNoSend) {
        self.held.set(false);
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.held.get()
    }
}
