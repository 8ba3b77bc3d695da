//! Waiting until a word changes: `LDAXR` and `WFE` on AArch64, and its twin in plain Rust, which every other
//! machine, miri and loom run.
//!
//! Instructions: `SEVL` sets this core's event register; `WFE` sleeps unless it is set, and clears it; `LDAXR`
//! loads with acquire and puts the address under the exclusive monitor, whose clearing by the write of another
//! core sets the event register (Arm ARM, DDI 0487, "Wait For Event mechanism and Send event": events include
//! "the clearing of the global monitor for the PE"). Linux waits the same way (`__cmpwait`, arch/arm64).
//!
//! Why it is one block of assembly: between the load-exclusive and the `WFE` the core must not store to the
//! monitored granule, or the monitor may be cleared *without* an event and the core sleeps for ever; a compiler
//! may spill a register at any time. `SEVL` comes first so that the first `WFE` falls through and the word is
//! read at once. A core that wakes for another reason looks again and goes back to sleep. With a deadline it looks once
//! and sleeps once; the event register may still be set from before, so that the first sleep is none, and the caller comes
//! back.

pub(super) use imp::{bool, ptr, u16, u32};
#[cfg(all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom)))]
pub(super) use imp::{bool_until, ptr_until, u16_until, u32_until};

#[cfg(all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom)))]
mod imp {
    use core::arch::asm;

    use crate::sync::{AtomicBool, AtomicPtr, AtomicU16, AtomicU32};

    /// The load-exclusive, and the name of its register: `ldaxr` and `w` or `x`, `ldaxrb` and `ldaxrh` and `w`.
    macro_rules! changed {
        ($load:literal, $width:literal, $word:expr, $seen:expr) => {{
            let now;
            // SAFETY: reads one aligned word, whose address a reference vouches for, and writes no memory. It is
            // an atomic load-acquire in effect, hence neither `nomem` nor `readonly`: no access may move above it.
            unsafe {
                asm!(
                    "sevl",
                    "2:",
                    "wfe",
                    concat!($load, " {now:", $width, "}, [{word}]"),
                    concat!("cmp {now:", $width, "}, {seen:", $width, "}"),
                    "b.eq 2b",
                    word = in(reg) $word.as_ptr(),
                    seen = in(reg) $seen,
                    now = out(reg) now,
                    options(nostack),
                );
            }
            now
        }};
    }

    /// The same once, with an end: `WFET`, by its encoding.
    macro_rules! changed_until {
        ($load:literal, $width:literal, $word:expr, $seen:expr, $deadline:expr) => {
            // SAFETY: as of `changed`. That the machine has the instruction is promised by whoever chose the clock.
            unsafe {
                asm!(
                    concat!($load, " {now:", $width, "}, [{word}]"),
                    concat!("cmp {now:", $width, "}, {seen:", $width, "}"),
                    "b.ne 2f",
                    "msr S0_3_C1_C0_0, {deadline}", // WFET: until that event, or CNTVCT_EL0 >= deadline
                    "2:",
                    word = in(reg) $word.as_ptr(),
                    seen = in(reg) $seen,
                    deadline = in(reg) $deadline,
                    now = out(reg) _,
                    options(nostack),
                );
            }
        };
    }

    #[inline(always)]
    pub(in crate::wait) fn bool_until(word: &AtomicBool, seen: bool, deadline: u64) {
        changed_until!("ldaxrb", "w", word, u32::from(seen), deadline);
    }

    #[inline(always)]
    pub(in crate::wait) fn u16_until(word: &AtomicU16, seen: u16, deadline: u64) {
        changed_until!("ldaxrh", "w", word, u32::from(seen), deadline);
    }

    #[inline(always)]
    pub(in crate::wait) fn u32_until(word: &AtomicU32, seen: u32, deadline: u64) {
        changed_until!("ldaxr", "w", word, seen, deadline);
    }

    #[inline(always)]
    pub(in crate::wait) fn ptr_until<T>(word: &AtomicPtr<T>, seen: *mut T, deadline: u64) {
        changed_until!("ldaxr", "x", word, seen, deadline);
    }

    #[inline(always)]
    pub(in crate::wait) fn bool(word: &AtomicBool, seen: bool) -> bool {
        let now: u32 = changed!("ldaxrb", "w", word, u32::from(seen)); // of a `bool`, which is 0 or 1
        now != 0
    }

    #[inline(always)]
    pub(in crate::wait) fn u16(word: &AtomicU16, seen: u16) -> u16 {
        let now: u32 = changed!("ldaxrh", "w", word, u32::from(seen)); // of which LDAXRH writes the lower half, and zeros
        now as u16
    }

    #[inline(always)]
    pub(in crate::wait) fn u32(word: &AtomicU32, seen: u32) -> u32 {
        changed!("ldaxr", "w", word, seen)
    }

    #[inline(always)]
    pub(in crate::wait) fn ptr<T>(word: &AtomicPtr<T>, seen: *mut T) -> *mut T {
        changed!("ldaxr", "x", word, seen)
    }
}

#[cfg(any(not(all(target_arch = "aarch64", target_pointer_width = "64")), miri, loom))]
mod imp {
    use crate::sync::{AtomicBool, AtomicPtr, AtomicU16, AtomicU32, spin_loop};
    use crate::wait::Word;

    #[track_caller]
    #[inline(always)]
    fn changed<A: Word>(word: &A, seen: A::Value) -> A::Value {
        loop {
            let now = word.look();
            if now != seen {
                return now;
            }
            spin_loop();
        }
    }

    #[track_caller]
    #[inline(always)]
    pub(in crate::wait) fn bool(word: &AtomicBool, seen: bool) -> bool {
        changed(word, seen)
    }

    #[track_caller]
    #[inline(always)]
    pub(in crate::wait) fn u16(word: &AtomicU16, seen: u16) -> u16 {
        changed(word, seen)
    }

    #[track_caller]
    #[inline(always)]
    pub(in crate::wait) fn u32(word: &AtomicU32, seen: u32) -> u32 {
        changed(word, seen)
    }

    #[track_caller]
    #[inline(always)]
    pub(in crate::wait) fn ptr<T>(word: &AtomicPtr<T>, seen: *mut T) -> *mut T {
        changed(word, seen)
    }
}
