//! A call after the nth instruction of what a core does: by software step, which no mask of interrupts keeps out.
//!
//! ```text
//!  after(n)     MDSCR_EL1.SS and KDE, PSTATE.D clear     an exception at once, before the first instruction
//!  exception    n > 0: SPSR.SS, return                   one instruction is done, and here again; n - 1
//!               n = 0: no more steps, the call, return   the rest runs on
//! ```
//!
//! Arm ARM (DDI 0487), "Software Step exceptions". The exception comes to this level from itself: at EL1 by `KDE` alone, at
//! EL2 with `MDCR_EL2.TDE`, too. Its return clears the exclusive monitor as every return does: a store-exclusive that is
//! stepped to fails, always, and a loop around it never ends. So this is for code that changes words by LSE instructions.

use super::cores::MAX_CORES;
use super::level::Level;
use aarch64_rt::RegisterStateRef;
use core::arch::asm;
use core::cell::Cell;
use core::mem;

/// `MDSCR_EL1`: software step, and debug exceptions of this level from itself.
const SS_KDE: u64 = 1 | 1 << 13;
/// `SPSR_ELx.SS`: the return does one instruction.
const SPSR_SS: u64 = 1 << 21;
/// `ESR_ELx.EC` of a software step of this level.
pub(crate) const CLASS: u64 = 0x33;

/// Runs `body`, and calls `call` on this core after its instruction `after`, from 0; whether it was that long.
///
/// # Panics
///
/// If this core is stepping already.
pub(crate) fn after<L: Level>(after: usize, call: &(dyn Fn() + Sync), body: &mut dyn FnMut()) -> bool {
    // SAFETY: lengthens the life of the reference. It is used by this core's step exceptions alone, of which there are none
    // any more, and the slot is empty, before this function returns; a panic on the way stops the machine.
    let call = unsafe { mem::transmute::<&(dyn Fn() + Sync), &'static (dyn Fn() + Sync)>(call) };
    let slot = &SLOTS.0[L::core_index()];
    assert!(slot.replace(Some((after, call))).is_none(), "a step inside a step");
    L::route_debug();
    // SAFETY: from here on each instruction of this core ends in `stepped`, which takes any number of them. The OS lock,
    // locked at reset, would keep it from that. No `nomem`: what comes before in the program has happened.
    unsafe {
        asm!("msr oslar_el1, xzr", "isb", "msr daifclr, #8", "msr mdscr_el1, {on}", "isb", on = in(reg) SS_KDE, options(nostack, preserves_flags));
    }
    body();
    disarm();
    slot.take().is_none()
}

/// The exception.
pub(crate) fn stepped<L: Level>(mut at: RegisterStateRef<'_>) {
    let slot = &SLOTS.0[L::core_index()];
    // SAFETY: changes SPSR.SS alone, which decides only whether this function is called again.
    let spsr = unsafe { &mut at.get_mut().spsr };
    match slot.get() {
        Some((0, call)) => {
            disarm();
            *spsr &= !SPSR_SS;
            slot.set(None);
            call();
        }
        Some((left, call)) => {
            *spsr |= SPSR_SS;
            slot.set(Some((left - 1, call)));
        }
        None => {
            disarm();
            *spsr &= !SPSR_SS;
        }
    }
}

/// No step any more.
fn disarm() {
    // SAFETY: clears what `after` set.
    unsafe { asm!("msr mdscr_el1, xzr", "isb", options(nostack, preserves_flags)) };
}

/// What is left to step over on each core, and what to call then.
struct Slots([Cell<Option<Pending>>; MAX_CORES]);

/// After so many instructions, this.
type Pending = (usize, &'static (dyn Fn() + Sync));

// SAFETY: a core touches its own slot alone: in `after` while it does not step, and in the exception, which masks itself.
unsafe impl Sync for Slots {}

static SLOTS: Slots = Slots([const { Cell::new(None) }; MAX_CORES]);
