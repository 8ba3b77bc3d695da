//! GICv3's priority mask: interrupts below a priority wait, those above it (pseudo-NMIs) come in.
//!
//! Instructions: `MRS x, ICC_PMR_EL1` and `MSR ICC_PMR_EL1, x` (GIC architecture, IHI 0069, "ICC_PMR_EL1"; at EL1 and
//! EL2 alike). A *smaller* value is a higher priority; one whose value is not below the mask's is not signalled. No
//! `ISB` after the write: the same section has the CPU interface see to it that writes are self-synchronising, so that
//! no interrupt that the new value masks is taken after the write. Linux masks so with pseudo-NMIs (arch/arm64,
//! `irqflags.h`).
//!
//! Opening the mask is another matter: where `ICC_CTLR_EL3.PMHE` is set the distributor follows the mask, too, and only
//! a `DSB SY` makes sure that it has heard of it. Late, it delays an interrupt and nothing else: `SYNC` adds the
//! barrier.
//!
//! The suite runs it at EL1 and EL2 (QEMU's GICv3, one security state), with an interrupt pending after each instruction.

use core::arch::asm;

use super::InterruptControl;

/// Masks interrupts whose priority value is `LEVEL` or more (Linux: normal ones are 0xa0, pseudo-NMIs 0x20); those
/// below come in, and may `try_lock` what this control guards, but not wait for it. `SYNC`: a `DSB SY` after the mask
/// is put back.
///
/// * `ICC_SRE_ELx.SRE` is set: without the system registers there is no such register.
/// * Where there are two security states the value is the one that this state sees.
/// * A mask that is stricter already is left alone.
#[derive(Debug)]
pub struct Pmr<const LEVEL: u8, const SYNC: bool = false>;

/// `ICC_PMR_EL1` as it was.
#[derive(Clone, Copy, Debug)]
pub struct PmrBits(u64);

// SAFETY: 1. Nothing of priority value `LEVEL` or more is taken after the write; the handlers that take a lock under
// this control are those, for it is they that `LEVEL` names. A handler that runs between the two instructions has put
// the mask back when it returns. 2. No `nomem`. 3. No call, no panic. 4. A value that was read may be written at any
// time.
unsafe impl<const LEVEL: u8, const SYNC: bool> InterruptControl for Pmr<LEVEL, SYNC> {
    type State = PmrBits;

    #[inline(always)]
    fn save_and_mask() -> PmrBits {
        let was: u64;
        // SAFETY: reads a register that EL1 and above may read.
        unsafe { asm!("mrs {was}, icc_pmr_el1", was = out(reg) was, options(nostack, preserves_flags)) };
        let level = was.min(u64::from(LEVEL));
        // SAFETY: EL1 and above may set its mask; no stack or flags are touched.
        unsafe { asm!("msr icc_pmr_el1, {level}", level = in(reg) level, options(nostack, preserves_flags)) };
        PmrBits(was)
    }

    #[inline(always)]
    unsafe fn restore(state: PmrBits) {
        // SAFETY: the value was read from this register on this core (the caller's promise).
        unsafe { asm!("msr icc_pmr_el1, {was}", was = in(reg) state.0, options(nostack, preserves_flags)) };
        if SYNC {
            // SAFETY: a barrier.
            unsafe { asm!("dsb sy", options(nostack, preserves_flags)) };
        }
    }
}
