//! AArch64: caches off, or on here and off there.
//!
//! Instructions: `DC CIVAC, x` cleans and invalidates the line of an address to the point of coherency, in all caches
//! of the shareability domain; `DSB SY` waits until that is done, for every observer (Arm ARM, DDI 0487, "A64 Cache
//! maintenance instructions", and "Mismatched memory attributes", which lists what software has to do where one
//! observer caches and another does not). Not `DC IVAC` before a load: it needs permission to write, and a line that
//! only its CPU writes is never dirty elsewhere, so there is nothing that cleaning it could write back.
//!
//! **Run, not proved**: the suite takes the lock with it under emulation (`targets/suite/src/bakery.rs`), where the
//! instructions are executed and no cache could be wrong.

use core::arch::asm;

use super::{Line, Visibility};

/// Cleans and invalidates each line after a store and before a load: for CPUs of which some have their caches or MMU
/// off.
///
/// * It is no less right where all of them are off: memory is Device then, which is Outer Shareable, and a fence of
///   Rust's is a `DMB ISH`; the `DSB SY` here orders for every observer.
/// * All of them see the lock at one physical address, and none has it in memory of which a granule (`CTR_EL0.CWG`) is
///   larger than a [`Line`].
/// * A CPU that turns its caches on invalidates them before, and one that turns them off cleans them after, as any boot
///   and power-down code does.
/// * EL1 and above; at EL0 only if `SCTLR_EL1.UCI` is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct CachesOff;

/// To memory, and out of all caches.
#[inline(always)]
fn to_memory(line: &Line) {
    // SAFETY: the address is that of a reference. Cleaning and invalidating changes no value, and one line holds what
    // one CPU writes. Neither `nomem` nor `readonly`: no access may cross it, for which the assembly is as good as a
    // store.
    unsafe { asm!("dc civac, {line}", "dsb sy", line = in(reg) line.as_ptr(), options(nostack, preserves_flags)) };
}

// SAFETY: 1. The store precedes `DC CIVAC` to the same address in program order, which cleans it to where all observers
// look; `DSB SY` waits for that. 2. Whatever copy a cache had is gone, and one fetched since is as new as memory was
// then.
// 3. The assembly writes nothing, calls nothing, and has no `nomem`.
unsafe impl Visibility for CachesOff {
    #[inline(always)]
    fn publish(line: &Line) {
        to_memory(line);
    }

    #[inline(always)]
    fn refresh(line: &Line) {
        to_memory(line);
    }
}
