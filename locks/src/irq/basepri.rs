//! Cortex-M's `BASEPRI` (Armv7-M, Armv8-M Mainline): exceptions below a priority wait, those above it come in.
//!
//! Instructions: `MRS r, BASEPRI`; `MSR BASEPRI_MAX, r` writes it only if that raises the priority, so a stricter mask
//! stays; `MSR BASEPRI, r` writes it (Armv7-M ARM, DDI 0403, B5.2 "MSR", B1.4 "BASEPRI"). A *smaller* value is a higher
//! priority, and 0 masks nothing. No barrier, as for `PRIMASK`: raising is serialized to the instruction stream. Not so
//! on a Cortex-M7 r0p0 and r0p1 (erratum 837070, where the write may take effect late): use [`Primask`](super::Primask)
//! there.
//!
//! Run on a Cortex-M3, emulated: targets/mps2-an385.

use core::arch::asm;

use super::InterruptControl;

/// Masks exceptions whose priority value is `LEVEL` or more; those below come in, and must not touch what this control
/// guards but by `try_lock`. `LEVEL` is as the register has it: a priority in its upper bits. Not 0, which
/// would mask nothing: that does not compile.
#[derive(Debug)]
pub struct BasePri<const LEVEL: u8>;

/// `BASEPRI` as it was.
#[derive(Clone, Copy, Debug)]
pub struct BasePriBits(u32);

// SAFETY: 1. Nothing of priority value `LEVEL` or more is taken after the write; the handlers that take a lock under
// this control are those, for it is they that `LEVEL` names. A handler that runs between the two instructions has put
// the mask back when it returns. 2. No `nomem`. 3. No call, no panic. 4. A value that was read may be written at any
// time.
unsafe impl<const LEVEL: u8> InterruptControl for BasePri<LEVEL> {
    type State = BasePriBits;

    #[inline(always)]
    fn save_and_mask() -> BasePriBits {
        const { assert!(LEVEL != 0, "BASEPRI = 0 masks nothing") };
        let was: u32;
        // SAFETY: privileged code may set its mask; no stack or flags are touched.
        unsafe {
            asm!(
                "mrs {was}, basepri",
                "msr basepri_max, {level}",
                was = out(reg) was,
                level = in(reg) u32::from(LEVEL),
                options(nostack, preserves_flags),
            );
        }
        BasePriBits(was)
    }

    #[inline(always)]
    unsafe fn restore(state: BasePriBits) {
        // SAFETY: the value was read from this register on this core (the caller's promise).
        unsafe { asm!("msr basepri, {was}", was = in(reg) state.0, options(nostack, preserves_flags)) };
    }
}
