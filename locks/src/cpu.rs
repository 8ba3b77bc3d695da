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
/// Exclusion rests on it. For every caller of what has this parameter:
///
/// 1. The number is below the count of CPUs that this has a place for.
/// 2. It is the caller's own: of two callers with one number, one is an interrupt handler, and the other is what it
///    interrupted, which does not go on before the handler has returned. (On a host: a thread's.)
/// 3. It does not change while the caller holds a lock or waits for one, nor while interrupts are masked.
/// 4. The call does not unwind.
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
