//! Cortex-M's `PRIMASK`: everything but NMI and HardFault waits.
//!
//! Instructions: `MRS r, PRIMASK`; `CPSID i` sets it; `MSR PRIMASK, r` writes it (Armv7-M ARM, DDI 0403, B5.2 "CPS",
//! "MSR"). No barrier: by the same sections a write that raises the execution priority is serialized to the instruction
//! stream, and one that lowers it is seen after an `ISB` or an exception at the latest, which only delays a pending
//! interrupt.
//!
//! Run on a Cortex-M3, emulated: targets/mps2-an385.

use core::arch::asm;

use super::InterruptControl;

/// Masks every exception of configurable priority, in privileged code; unprivileged code cannot, and is not told.
#[derive(Debug)]
pub struct Primask;

/// `PRIMASK` as it was.
#[derive(Clone, Copy, Debug)]
pub struct PrimaskBits(u32);

// SAFETY: 1. With the bit set no exception but NMI and HardFault is taken, from the next instruction on; these take no
// lock under this control, as nothing can mask them. 2. No `nomem`. 3. No call, no panic. 4. A value that was read may
// be written at any time.
unsafe impl InterruptControl for Primask {
    type State = PrimaskBits;

    #[inline(always)]
    fn save_and_mask() -> PrimaskBits {
        let was: u32;
        // SAFETY: reads and sets the mask; no stack or flags are touched.
        unsafe { asm!("mrs {was}, primask", "cpsid i", was = out(reg) was, options(nostack, preserves_flags)) };
        PrimaskBits(was)
    }

    #[inline(always)]
    unsafe fn restore(state: PrimaskBits) {
        // SAFETY: the value was read from this register on this core (the caller's promise).
        unsafe { asm!("msr primask, {was}", was = in(reg) state.0, options(nostack, preserves_flags)) };
    }
}
