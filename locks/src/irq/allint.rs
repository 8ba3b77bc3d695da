//! AArch64's `ALLINT` (FEAT_NMI, Armv8.8): the mask that masks NMIs too.
//!
//! Instructions: `MRS x, ALLINT` and `MSR ALLINT, x` (Arm ARM, DDI 0487, C5.2 "ALLINT, All Interrupt Mask Bit"), by
//! their encoding, S3_0_C4_C3_0, so that an assembler without FEAT_NMI reads them. It is a field of the process state
//! like `DAIF`: a write is seen by the instructions that follow in program order, so there is no `ISB`.
//!
//! With `SCTLR_ELx.NMI` set `DAIF.I` and `.F` leave interrupts with superpriority alone; this masks them all.
//!
//! **Built, not run**: no emulator at hand has FEAT_NMI.

use core::arch::asm;

use super::InterruptControl;

/// Masks all IRQs and FIQs, those with superpriority (NMIs) too.
///
/// * The core has FEAT_NMI (`ID_AA64PFR1_EL1.NMI`): else the register is undefined.
/// * `SCTLR_ELx.NMI` of this exception level is set: else it masks **nothing**.
/// * EL1 and above; `HCRX_EL2.TALLINT` may trap the write at EL1.
#[derive(Debug)]
pub struct AllInt;

/// `ALLINT` as it was.
#[derive(Clone, Copy, Debug)]
pub struct AllIntBits(u64);

/// PSTATE.ALLINT's place in the register.
const ALLINT: u64 = 1 << 13;

// SAFETY: 1. With the bit set no IRQ or FIQ is taken to this exception level, from the next instruction on. 2. No
// `nomem`.
// 3. No call, no panic. 4. A value that was read may be written at any time.
unsafe impl InterruptControl for AllInt {
    type State = AllIntBits;

    #[inline(always)]
    fn save_and_mask() -> AllIntBits {
        let was: u64;
        // SAFETY: EL1 and above may read and set its mask; no stack or flags are touched.
        unsafe {
            asm!(
                "mrs {was}, S3_0_C4_C3_0",
                "msr S3_0_C4_C3_0, {all}",
                was = out(reg) was,
                all = in(reg) ALLINT,
                options(nostack, preserves_flags),
            );
        }
        AllIntBits(was)
    }

    #[inline(always)]
    unsafe fn restore(state: AllIntBits) {
        // SAFETY: the value was read from this register on this core (the caller's promise).
        unsafe { asm!("msr S3_0_C4_C3_0, {was}", was = in(reg) state.0, options(nostack, preserves_flags)) };
    }
}
