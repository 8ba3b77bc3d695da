//! The core that a thread is on, and whether it was taken off it.

use core_affinity::CoreId;
use nix::sys::resource::{UsageWho, getrusage};

/// Keeps this thread on a core; whether that was granted.
#[must_use]
pub fn pin(core: CoreId) -> bool {
    core_affinity::set_for_current(core)
}

/// How often this thread was preempted. Where the system does not count that by thread, of the whole program: then
/// one thread's preemption voids the other's chunk, too, which is what we want.
#[must_use]
pub fn preemptions() -> i64 {
    #[cfg(target_os = "linux")]
    const WHO: UsageWho = UsageWho::RUSAGE_THREAD;
    #[cfg(not(target_os = "linux"))]
    const WHO: UsageWho = UsageWho::RUSAGE_SELF;
    getrusage(WHO).map_or(0, |usage| usage.involuntary_context_switches())
}
