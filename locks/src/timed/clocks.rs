//! Clocks: of the host, and of AArch64.

#[cfg(any(doc, feature = "std", all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom))))]
use super::Clock;
#[cfg(any(doc, all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom))))]
use crate::wait::Word;

/// The clock of the host, [`std::time::Instant`].
#[cfg(feature = "std")]
#[derive(Debug)]
pub struct Monotonic;

#[cfg(feature = "std")]
impl Clock for Monotonic {
    type Duration = core::time::Duration;
    type Instant = std::time::Instant;

    fn now() -> Self::Instant {
        std::time::Instant::now()
    }

    fn after(duration: Self::Duration) -> Self::Instant {
        let now = Self::now();
        // A century hence, which no wait survives, where that is past the end of what can be told.
        let century = core::time::Duration::from_secs(100 * 365 * 24 * 60 * 60);
        now.checked_add(duration).or_else(|| now.checked_add(century)).unwrap_or(now)
    }
}

/// The virtual counter of AArch64, `CNTVCT_EL0`, in its own ticks: a duration is ticks, `CNTFRQ_EL0` of them a second.
///
/// One counter for all CPUs, at any exception level that may read it (`CNTKCTL_EL1.EL0VCTEN` for EL0). At EL2 without VHE
/// it is the physical one less `CNTVOFF_EL2`, which must not be changed between a deadline and its check.
#[cfg(any(doc, all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom))))]
#[derive(Debug)]
pub struct Cntvct;

#[cfg(any(doc, all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom))))]
impl Clock for Cntvct {
    type Duration = u64;
    type Instant = u64;

    fn now() -> u64 {
        let now;
        // SAFETY: reads a counter. Speculation may read it early, so that a wait ends late, by the depth of a pipeline: no
        // `ISB`.
        unsafe {
            core::arch::asm!("mrs {now}, cntvct_el0", now = out(reg) now, options(nomem, nostack, preserves_flags));
        };
        now
    }

    fn after(ticks: u64) -> u64 {
        Self::now().saturating_add(ticks)
    }
}

/// [`Cntvct`], on machines with `FEAT_WFxT` (Armv8.7): who waits with [`Doze`](super::Doze) sleeps in `WFET` until the lock's
/// word changes, or until the deadline. With [`Poll`](super::Poll), the default, nobody sleeps: the lock is
/// `Timed<Tas, Wfxt, Doze>`.
///
/// It is built, and its assembly read, in every test run; it has been run nowhere yet, for want of a machine.
///
/// The program makes sure that the instruction is there: `ID_AA64ISAR2_EL1.WFxT` is not 0. Elsewhere it is undefined. What
/// [`Wfe`](crate::wait::Wfe) asks of memory and cores it asks, too. It is written by its encoding, for the compiler knows no
/// stable name of the feature: one build serves machines with and without it, each with its own clock.
#[cfg(any(doc, all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom))))]
#[derive(Debug)]
pub struct Wfxt;

#[cfg(any(doc, all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom))))]
impl Clock for Wfxt {
    type Duration = u64;
    type Instant = u64;

    #[inline]
    fn now() -> u64 {
        Cntvct::now()
    }

    #[inline]
    fn after(ticks: u64) -> u64 {
        Cntvct::after(ticks)
    }

    #[inline]
    fn nap<A: Word>(word: &A, seen: A::Value, deadline: u64) {
        word.changed_until(seen, deadline);
    }
}
