//! RISC-V's `sstatus.SIE`, the interrupt enable of supervisor mode.
//!
//! Instructions: `CSRRCI x, sstatus, 2` reads the register and clears the bit in one step; `CSRS sstatus, x` sets it
//! again if it was set (*The RISC-V Instruction Set Manual*, Zicsr, and volume II, "Supervisor Status Register"). No
//! fence: volume II has the conditions for an interrupt evaluated anew immediately after a write to a register that
//! they depend on, and names `sstatus`. Linux does the same (arch/riscv, `irqflags.h`).
//!
//! **Built, not run**: this repository has no RISC-V board.

use core::arch::asm;

use super::InterruptControl;

/// Masks what comes to supervisor mode, while in supervisor mode. For HS-mode alike; in VS-mode the register is
/// `vsstatus` under the same name. Machine-mode firmware wants `mstatus.MIE`, which this is not; an interrupt to
/// machine mode is never masked by supervisor mode, and takes no lock of its.
#[derive(Debug)]
pub struct Sstatus;

/// `sstatus.SIE` as it was; all else is 0.
#[derive(Clone, Copy, Debug)]
pub struct SstatusBits(usize);

/// Supervisor interrupt enable.
const SIE: usize = 1 << 1;

// SAFETY: 1. With SIE clear supervisor mode takes no interrupt, from the next instruction on. 2. No `nomem`. 3. No
// call, no panic. 4. Setting a bit that was set once is defined at any time, and setting none changes nothing.
unsafe impl InterruptControl for Sstatus {
    type State = SstatusBits;

    #[inline(always)]
    fn save_and_mask() -> SstatusBits {
        let was: usize;
        // SAFETY: supervisor mode may clear its enable bit; no stack or flags are touched.
        unsafe {
            asm!(
                "csrrci {was}, sstatus, {sie}",
                was = out(reg) was,
                sie = const SIE,
                options(nostack, preserves_flags),
            );
        }
        SstatusBits(was & SIE)
    }

    #[inline(always)]
    unsafe fn restore(state: SstatusBits) {
        // SAFETY: sets SIE if it was set on this hart (the caller's promise), and nothing else.
        unsafe { asm!("csrs sstatus, {was}", was = in(reg) state.0, options(nostack, preserves_flags)) };
    }
}
