//! Which CPU this is: for what is kept by CPU.

/// Tells CPUs apart.
///
/// On AArch64 a linear number belongs into `TPIDR_EL2` or `TPIDR_EL1`; `MPIDR_EL1` has gaps.
///
/// ```
/// use hyp_locks::CpuId;
///
/// struct OneCore;
/// // SAFETY: there is one.
/// unsafe impl CpuId for OneCore {
///     fn cpu() -> usize {
///         0
///     }
/// }
/// ```
///
/// # Safety
///
/// Two calls that return the same number were made on the same CPU (on a host: by the same thread). While the caller
/// cannot be moved to another CPU (interrupts masked, or no scheduler), all calls return the same. They do not unwind.
pub unsafe trait CpuId {
    /// The number of this CPU, from 0.
    fn cpu() -> usize;
}

/// The number of this thread, as a host's double of a CPU: each thread has one of its own, from 0, in the order in which
/// they ask. It is not used again when the thread ends.
#[cfg(feature = "std")]
#[must_use]
pub fn of_this_thread() -> usize {
    use core::sync::atomic::{AtomicUsize, Ordering};

    // Relaxed: a number of one's own is all that is asked of it.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    std::thread_local! {
        static CPU: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    CPU.with(|&cpu| cpu)
}
