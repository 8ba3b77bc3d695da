//! A timer interrupt on each core, for as long as a closure runs.

use super::cores::MAX_CORES;
use super::cpu;
use super::level::Level;
use core::cell::Cell;
use core::mem;

/// Calls `handler` in a timer interrupt on this core again and again while `body` runs, at least `period` ticks
/// between the end of one call and the next. Interrupts are let in for just that time.
///
/// # Panics
///
/// If this core takes interrupts already: it is in another `with_timer`.
pub(crate) fn with_timer<L: Level>(period: u64, handler: &(dyn Fn() + Sync), body: &mut dyn FnMut()) {
    assert!(cpu::interrupts_masked(), "with_timer inside with_timer");
    // SAFETY: lengthens the life of the reference. It is used by this core's interrupts alone, and they are masked
    // again, and the slot is empty, before this function returns; a panic on the way stops the machine.
    let handler = unsafe { mem::transmute::<&(dyn Fn() + Sync), &'static (dyn Fn() + Sync)>(handler) };
    let slot = &SLOTS.0[L::core_index()];
    slot.set(Some(Call { period, handler }));
    L::start_timer(cpu::physical_counter() + period);
    cpu::unmask_interrupts();
    body();
    cpu::mask_interrupts();
    L::stop_timer();
    slot.set(None);
}

/// Whether this core is in `with_timer`: in its body or its handler.
pub(crate) fn is_running<L: Level>() -> bool {
    SLOTS.0[L::core_index()].get().is_some()
}

/// The timer's interrupt: calls the handler, and starts the timer anew.
pub(crate) fn expired<L: Level>() {
    match SLOTS.0[L::core_index()].get() {
        Some(call) => {
            (call.handler)();
            L::start_timer(cpu::physical_counter() + call.period);
        }
        None => L::stop_timer(),
    }
}

#[derive(Clone, Copy)]
struct Call {
    period: u64,
    handler: &'static (dyn Fn() + Sync),
}

/// What the timer interrupt of each core is to call.
struct Slots([Cell<Option<Call>>; MAX_CORES]);

// SAFETY: a core touches its own slot alone: in `with_timer` while its interrupts are masked, in them, and to
// read it in `is_running`, when an interrupt that comes between does not change it.
unsafe impl Sync for Slots {}

static SLOTS: Slots = Slots([const { Cell::new(None) }; MAX_CORES]);
