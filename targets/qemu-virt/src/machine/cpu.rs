//! What any core tells about itself, and the instructions that Rust has no word for.

use core::arch::asm;
use cortex_a::asm::barrier;
use cortex_a::registers::{
    CNTFRQ_EL0, CNTPCT_EL0, CNTVCT_EL0, CurrentEL, DAIF, ID_AA64ISAR0_EL1, MIDR_EL1, MPIDR_EL1, Readable,
};

/// The exception level this core is at.
pub(crate) fn current_el() -> u64 {
    CurrentEL.read(CurrentEL::EL)
}

/// The affinity fields of this core, as the device tree and PSCI write them.
pub(crate) fn mpidr() -> u64 {
    const AFFINITY: u64 = 0xff_00ff_ffff;
    MPIDR_EL1.get() & AFFINITY
}

/// Implementer, part and revision of this core.
pub(crate) fn midr() -> u64 {
    MIDR_EL1.get()
}

/// Whether this core has the instructions of the Large System Extension.
pub(crate) fn has_lse() -> bool {
    const ATOMIC: u32 = 20; // Arm ARM, ID_AA64ISAR0_EL1; cortex_a does not name the field
    (ID_AA64ISAR0_EL1.get() >> ATOMIC) & 0xf != 0
}

/// The virtual counter: the same on every core, and not read ahead of what comes before it in the program.
#[inline]
pub(crate) fn counter() -> u64 {
    barrier::isb(barrier::SY);
    CNTVCT_EL0.get()
}

/// The physical counter, which timers compare with.
#[inline]
pub(crate) fn physical_counter() -> u64 {
    barrier::isb(barrier::SY);
    CNTPCT_EL0.get()
}

/// Ticks of either counter in a second.
pub(crate) fn counter_hz() -> u64 {
    CNTFRQ_EL0.get()
}

/// Whether this core takes no interrupt now.
pub(crate) fn interrupts_masked() -> bool {
    DAIF.is_set(DAIF::I)
}

/// Lets interrupts in. No `nomem`: what comes before in the program has happened when a handler looks.
#[inline]
pub(crate) fn unmask_interrupts() {
    // SAFETY: clears PSTATE.I of this core only. Those who call this have a handler in place.
    unsafe { asm!("msr daifclr, #2", options(nostack, preserves_flags)) };
}

/// Keeps interrupts out.
#[inline]
pub(crate) fn mask_interrupts() {
    // SAFETY: sets PSTATE.I of this core only, which no memory safety depends on.
    unsafe { asm!("msr daifset, #2", options(nostack, preserves_flags)) };
}

/// Whether an interrupt waits to be taken by this core.
pub(crate) fn is_interrupt_pending() -> bool {
    const IRQ: u64 = 1 << 7; // Arm ARM, ISR_EL1.I
    let pending: u64;
    // SAFETY: reads what is pending. No `nomem`: it is part of a loop that waits for what an earlier write brings about.
    unsafe { asm!("isb", "mrs {}, isr_el1", out(reg) pending, options(nostack, preserves_flags)) };
    pending & IRQ != 0
}

/// Sleeps until an interrupt is pending, masked or not. QEMU gives the host's core away meanwhile.
#[inline]
pub(crate) fn wait_for_interrupt() {
    // SAFETY: a hint. No `nomem`: it is part of a loop that waits for memory to change.
    unsafe { asm!("wfi", options(nostack, preserves_flags)) };
}

/// Lets another core go on, where cores take turns on one host thread: a hint elsewhere.
#[inline]
pub(crate) fn yield_core() {
    // SAFETY: a hint.
    unsafe { asm!("yield", options(nostack, preserves_flags)) };
}
