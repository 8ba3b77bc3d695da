//! Which CPU is calling: what a lock with a place for each CPU has to know.

/// The number of the calling CPU, by the program or its board.
///
/// `MPIDR_EL1` is sparse: a hypervisor keeps a number of its own in `TPIDR_EL2`, or looks it up once. On a host a
/// thread may be a CPU, if the program numbers its threads.
///
/// # Safety
///
/// Exclusion rests on it. For every caller of a lock that has this parameter:
///
/// 1. The number is below the lock's count of CPUs.
/// 2. It is the caller's own: of two callers with one number, one is an interrupt handler, and the other is what it
///    interrupted, which does not go on before the handler has returned.
/// 3. It does not change while the caller holds the lock or waits for it.
pub unsafe trait CpuId {
    /// The number, from 0. Does not unwind.
    fn cpu() -> usize;
}
