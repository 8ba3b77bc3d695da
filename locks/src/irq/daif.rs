//! AArch64's `DAIF`, the mask bits of the process state.
//!
//! Instructions: `MRS x, DAIF` reads the mask; `MSR DAIFSet, #imm` sets bits of it; `MSR DAIF, x` writes it (Arm
//! ARM, DDI 0487, C5.2.2 "DAIF"). Writes to the process state are seen by the instructions that follow in program
//! order, so there is no `ISB`. At EL1 and EL2 alike; at EL0 they trap.
//!
//! The register is *read* through the crate that the field knew as `cortex-a`, which its maintainers have renamed
//! `aarch64-cpu`. It is *written* here: that crate's writes tell the compiler that they have nothing to do with
//! memory (`nomem`), which would let an access out of the section.

use core::arch::asm;

#[cfg(not(doc))]
use cortex_a::registers::{DAIF, Readable};

use super::InterruptControl;

/// Masks IRQ (`DAIF.I`).
pub type Daif = DaifSet<0b0010>;
/// Masks IRQ and FIQ (`DAIF.I` and `.F`): where FIQ is an interrupt too, as for GIC group 0 without EL3.
pub type DaifIf = DaifSet<0b0011>;

/// Masks the bits of `BITS`, in the order of the `DAIFSet` immediate: 8 = D, 4 = A, 2 = I, 1 = F; one of the last two at
/// least, which is checked when it is compiled.
///
/// `restore` writes back the whole saved mask: a section that itself changes `D` or `A` loses that change.
#[derive(Debug)]
pub struct DaifSet<const BITS: u8>;

/// `DAIF` as it was.
#[derive(Clone, Copy, Debug)]
pub struct DaifBits(u64);

#[cfg(not(doc))]
#[inline(always)]
fn read() -> u64 {
    DAIF.get()
}

/// The crate is not there where documentation is made for a host.
#[cfg(doc)]
fn read() -> u64 {
    unreachable!("documentation is not run")
}

// SAFETY: 1. `MSR DAIFSet` masks on this core what `BITS` names, at once. 2. The assembly has no `nomem`, and reading
// the mask early or late does not matter: all assembly that is not `pure` stays in order. 3. No call, no panic.
unsafe impl<const BITS: u8> InterruptControl for DaifSet<BITS> {
    type State = DaifBits;

    #[inline(always)]
    fn save_and_mask() -> DaifBits {
        const { assert!(BITS & 0b0011 != 0 && BITS < 16, "it masks neither IRQ nor FIQ, or is no four bits") };
        let state = DaifBits(read());
        // SAFETY: EL1 and above may set its mask bits; no memory, stack or flags are touched.
        unsafe { asm!("msr daifset, {bits}", bits = const BITS, options(nostack, preserves_flags)) };
        state
    }

    #[inline(always)]
    unsafe fn restore(state: DaifBits) {
        // SAFETY: the value was read from this register on this core (the caller's promise).
        unsafe { asm!("msr daif, {state}", state = in(reg) state.0, options(nostack, preserves_flags)) };
    }
}
