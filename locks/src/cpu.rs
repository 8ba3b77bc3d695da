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
