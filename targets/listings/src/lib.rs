//! The locks' operations as functions of their own, with nothing around them: to be read in assembly, and never run.
//!
//! ```text
//! cargo test -p ci --test listings
//! ```
//!
//! builds this for AArch64, without LSE and with it, and compares what comes out with `locks/listings/*.s`, which somebody
//! has read. A change of a lock, or of the compiler, that changes an instruction shows there, to be read again.

#![no_std]

/// `lock`, `try_lock` and `unlock` of a lock.
macro_rules! listings {
    ($($lock:ident $try_lock:ident $unlock:ident: $type:ty;)*) => {$(
        /// Acquires.
        // SAFETY: no other symbol has this name: nothing is linked with this crate.
        #[unsafe(no_mangle)]
        pub fn $lock(lock: &$type) -> <$type as lock_api::RawMutex>::Guard {
            lock_api::RawMutex::lock(lock)
        }

        /// Tries.
        // SAFETY: as above.
        #[unsafe(no_mangle)]
        pub fn $try_lock(lock: &$type) -> Option<<$type as lock_api::RawMutex>::Guard> {
            lock_api::RawMutex::try_lock(lock)
        }

        /// Releases.
        ///
        /// # Safety
        ///
        /// As of [`RawMutex::unlock`](lock_api::RawMutex::unlock).
        // SAFETY: as above.
        #[unsafe(no_mangle)]
        pub unsafe fn $unlock(lock: &$type, guard: <$type as lock_api::RawMutex>::Guard) {
            // SAFETY: the caller's promise, passed on.
            unsafe { lock_api::RawMutex::unlock(lock, guard) };
        }
    )*};
}

listings! {
    tas_lock tas_try_lock tas_unlock: hyp_locks::Tas;
    ttas_lock ttas_try_lock ttas_unlock: hyp_locks::Ttas;
    ticket_lock ticket_try_lock ticket_unlock: hyp_locks::Ticket;
    queued_lock queued_try_lock queued_unlock: hyp_locks::Queued;
    mcs_lock mcs_try_lock mcs_unlock: hyp_locks::Mcs;
}

#[cfg(all(target_arch = "aarch64", target_os = "none"))]
pub mod aarch64;
