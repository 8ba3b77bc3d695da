//! One instruction at a time: what a debugger of another machine does, done by a core to itself, so that a test can come in
//! between any two instructions, and raise an interrupt there.
//!
//! ```text
//!   step()                              sync_current, D masked               irq_current, D masked
//!   SS, KDE set, D and I unmasked
//!   body: instruction              ──►  between(pause) says what next
//!         instruction              ◄──    Step       SPSR.SS = 1: one more
//!                                         Interrupt  a nudge is pending  ──►  handler(pc), now or when I is unmasked
//!         ldaxr … stlxr            ◄──    SS = 0, breakpoints at its ends: run through
//!   D and I masked, SS clear
//! ```
//!
//! The architecture's software step (Arm ARM, DDI 0487, D2.11 "Software Step exceptions"), taken to the level that it
//! comes from: `MDSCR_EL1.SS` and `.KDE` set, the OS lock open, `PSTATE.D` clear. It is exact and the same in every
//! run, which a timer that counts down is not: an emulator's time has grains of sixteen instructions and more, and
//! needs switches of its own to be that exact. And what is masked by `PSTATE.I` is not masked from it: `between` runs
//! wherever a non-maskable interrupt could.
//!
//! What cannot be stepped through are exclusive sequences ([`exclusive`](crate::exclusive)). They are run through, and
//! stopped in at the instruction that `between` asks for: a breakpoint there and at each way out.
//!
//! That no instruction goes by unseen is checked at each pause: it is at the instruction behind the one before, or that
//! was a branch, or the ends of a sequence are where the breakpoints were.

use super::cores::MAX_CORES;
use super::level::Level;
use super::{cpu, gic};
use crate::exclusive::{Sequence, is_branch};
use aarch64_rt::RegisterStateRef;
use core::arch::asm;
use core::cell::Cell;
use core::mem;
use cortex_a::asm::barrier;
use cortex_a::registers::{MDSCR_EL1, OSLAR_EL1, ReadWriteable, Writeable};
use hyp_suite::{Next, Pause};

/// Exception classes, from the level that they are taken to: Arm ARM, `ESR_ELx.EC`.
const BREAKPOINT: u64 = 0x31;
const SOFTWARE_STEP: u64 = 0x33;

/// Of a saved process state: debug exceptions are masked; the next instruction is to be executed before the next step.
const SPSR_D: u64 = 1 << 9;
const SPSR_SS: u64 = 1 << 21;

/// Runs `body` on this core, interrupts let in, and calls `between` before each of its instructions. Returns whether
/// interrupts still came in at its end.
///
/// # Panics
///
/// If this core takes interrupts already: it is in another `step` or in `with_timer`.
pub(crate) fn step<L: Level>(
    between: &(dyn Fn(Pause) -> Next + Sync),
    handler: &(dyn Fn(usize) + Sync),
    body: &mut dyn FnMut(),
) -> bool {
    assert!(cpu::interrupts_masked(), "step inside step or with_timer");
    // SAFETY: lengthens the life of the reference. It is used by this core's debug exceptions alone, and they are masked
    // again, and the slot is empty, before this function returns; a panic on the way stops the machine.
    let between =
        unsafe { mem::transmute::<&(dyn Fn(Pause) -> Next + Sync), &'static (dyn Fn(Pause) -> Next + Sync)>(between) };
    // SAFETY: as above, for this core's interrupts.
    let handler = unsafe { mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(handler) };
    let slot = &SLOTS.0[L::core_index()];
    slot.set(Some(Run { between, handler, at: At::Start }));
    OSLAR_EL1.set(0);
    MDSCR_EL1.modify(MDSCR_EL1::SS::SET + MDSCR_EL1::KDE::SET);
    barrier::isb(barrier::SY);
    // SAFETY: clears PSTATE.D and .I of this core only; the handlers for both are in place.
    unsafe { asm!("msr daifclr, #0b1010", options(nostack, preserves_flags)) };
    body();
    let open = !cpu::interrupts_masked();
    // SAFETY: sets PSTATE.D and .I of this core only, which no memory safety depends on.
    unsafe { asm!("msr daifset, #0b1010", options(nostack, preserves_flags)) };
    MDSCR_EL1.modify(MDSCR_EL1::SS::CLEAR + MDSCR_EL1::KDE::CLEAR);
    barrier::isb(barrier::SY);
    slot.set(None);
    open
}

/// The vector of a synchronous exception: whether it was a pause.
pub(crate) fn handle<L: Level>(at: &mut RegisterStateRef<'_>) -> bool {
    let slot = &SLOTS.0[L::core_index()];
    let (Some(mut run), BREAKPOINT | SOFTWARE_STEP) = (slot.get(), L::syndrome().code()) else { return false };
    let (pc, spsr) = (at.elr, at.spsr);
    let mut step = false;
    // Otherwise it was the instruction that masks debug exceptions; a core may still report that one.
    if spsr & SPSR_D == 0 {
        let inside = run.came_to(pc);
        let sequence = if inside { None } else { Sequence::at(pc, fetch) };
        let next = (run.between)(Pause { pc, inner: sequence.map_or(0, |sequence| sequence.len), inside });
        if matches!(next, Next::Interrupt) {
            gic::nudge();
        }
        (run.at, step) = match (sequence, next) {
            (Some(sequence), Next::Into(inner)) => {
                assert!((1..=sequence.len).contains(&inner), "instruction {inner} of {}", sequence.len);
                (At::Within(sequence, Some(pc + 4 * inner)), false)
            }
            (Some(sequence), _) => (At::Within(sequence, None), false),
            (None, _) => (At::Before(pc), true),
        };
        arrange::<L>(run.at);
        slot.set(Some(run));
    }
    // SAFETY: changes nothing but whether the core stops again after the next instruction.
    let state = unsafe { at.get_mut() };
    state.spsr = if step { spsr | SPSR_SS } else { spsr & !SPSR_SS };
    true
}

/// The nudge: calls the handler.
pub(crate) fn nudged<L: Level>() {
    // One that was never let in comes after the end, and has nobody to tell.
    if let Some(run) = SLOTS.0[L::core_index()].get() {
        (run.handler)(L::syndrome().elr as usize);
    }
}

/// Where the run was let go.
#[derive(Clone, Copy)]
enum At {
    /// It has not begun.
    Start,
    /// To execute the instruction there.
    Before(usize),
    /// To run through a sequence, but for the instruction there.
    Within(Sequence, Option<usize>),
}

#[derive(Clone, Copy)]
struct Run {
    between: &'static (dyn Fn(Pause) -> Next + Sync),
    handler: &'static (dyn Fn(usize) + Sync),
    at: At,
}

impl Run {
    /// It has stopped before the instruction at `pc`: whether that is inside of a sequence.
    fn came_to(&self, pc: usize) -> bool {
        match self.at {
            At::Start => false,
            At::Before(last) => {
                assert!(pc == last + 4 || is_branch(fetch(last)), "from {last:#x} to {pc:#x} in one step");
                false
            }
            At::Within(sequence, inner) => {
                assert!(inner == Some(pc) || sequence.exits().contains(&pc), "{pc:#x} is no end of {sequence:?}");
                inner == Some(pc)
            }
        }
    }
}

/// Where the core is to stop next: after an instruction, or at breakpoints.
fn arrange<L: Level>(at: At) {
    if let At::Within(sequence, inner) = at {
        let mut places = inner.iter().chain(sequence.exits()).map(|&place| place as u64);
        set_breakpoints([places.next(), places.next(), places.next(), places.next()], L::BREAKPOINT);
        MDSCR_EL1.modify(MDSCR_EL1::SS::CLEAR + MDSCR_EL1::MDE::SET);
    } else {
        MDSCR_EL1.modify(MDSCR_EL1::SS::SET + MDSCR_EL1::MDE::CLEAR);
    }
    // What follows is an exception return, which makes the core see it.
}

/// Breakpoints 0 to 3, which an emulated core has; the architecture promises two.
fn set_breakpoints(places: [Option<u64>; 4], control: u64) {
    macro_rules! set {
        ($($n:literal)*) => {$(
            let (value, control) = places[$n].map_or((0, 0), |place| (place, control));
            // SAFETY: the core stops at an instruction, where `handle` expects it, or does not; nothing else changes.
            unsafe {
                asm!(
                    concat!("msr dbgbvr", $n, "_el1, {value}"),
                    concat!("msr dbgbcr", $n, "_el1, {control}"),
                    value = in(reg) value,
                    control = in(reg) control,
                    options(nostack, preserves_flags),
                );
            }
        )*};
    }
    set!(0 1 2 3);
}

/// The instruction at `pc`.
fn fetch(pc: usize) -> u32 {
    // SAFETY: where the core has just been or is about to go, or a few instructions further on in the image, which is all
    // readable. Nobody writes to it.
    unsafe { (pc as *const u32).read_volatile() }
}

/// What each core is stepping through.
struct Slots([Cell<Option<Run>>; MAX_CORES]);

// SAFETY: a core touches its own slot alone: in `step` while its debug exceptions and interrupts are masked, and in them;
// they do not nest.
unsafe impl Sync for Slots {}

static SLOTS: Slots = Slots([const { Cell::new(None) }; MAX_CORES]);
