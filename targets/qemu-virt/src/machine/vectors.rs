//! What the vectors call: the interrupts that a board has, and a last report for everything else.

use super::console::print_last_words;
use super::level::Level;
use super::{cpu, exit, gic, step};
use crate::status;
use aarch64_rt::{ExceptionHandlers, RegisterStateRef};
use core::marker::PhantomData;

/// The handlers of level `L`.
pub struct Vectors<L>(PhantomData<L>);

impl<L: Level> ExceptionHandlers for Vectors<L> {
    extern "C" fn irq_current(_: RegisterStateRef<'_>) {
        gic::handle::<L>();
    }

    extern "C" fn sync_current(mut at: RegisterStateRef<'_>) {
        if step::handle::<L>(&mut at) {
            return;
        }
        if exit::is_without_semihosting() {
            exit::power_off();
        }
        unexpected::<L>("synchronous exception", &at)
    }

    extern "C" fn fiq_current(at: RegisterStateRef<'_>) {
        unexpected::<L>("FIQ", &at)
    }

    extern "C" fn serror_current(at: RegisterStateRef<'_>) {
        unexpected::<L>("SError", &at)
    }

    extern "C" fn sync_lower(at: RegisterStateRef<'_>) {
        unexpected::<L>("synchronous exception from below", &at)
    }

    extern "C" fn irq_lower(at: RegisterStateRef<'_>) {
        unexpected::<L>("IRQ from below", &at)
    }

    extern "C" fn fiq_lower(at: RegisterStateRef<'_>) {
        unexpected::<L>("FIQ from below", &at)
    }

    extern "C" fn serror_lower(at: RegisterStateRef<'_>) {
        unexpected::<L>("SError from below", &at)
    }
}

fn unexpected<L: Level>(what: &str, at: &RegisterStateRef<'_>) -> ! {
    let syndrome = L::syndrome();
    print_last_words(format_args!(
        "\nunexpected {what} on core {} (MPIDR {:#x}): {}\n  ESR {:#010x}  ELR {:#018x}  FAR {:#018x}  SPSR {:#x}\n",
        L::core_index(),
        cpu::mpidr(),
        syndrome.class(),
        syndrome.esr,
        at.elr,
        syndrome.far,
        at.spsr,
    ));
    exit::exit(status::EXCEPTION)
}
