//! The end: a status for the shell by semihosting, or else the power off by PSCI.

use super::console::print_last_words;
use super::cpu;
use super::level::Level;
use crate::status;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

/// Set by the first core that leaves; the others wait for the machine to stop under them.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// Stops the machine, with `status` as QEMU's own if it was started with `-semihosting`. If it was not, the
/// semihosting instruction is an undefined one, whose handler powers off by PSCI.
pub fn exit(status: u8) -> ! {
    if LEAVING.swap(true, Ordering::Relaxed) {
        park();
    }
    leave(status)
}

/// As [`exit`], where no other core runs and no atomic may.
pub(crate) fn leave(status: u8) -> ! {
    semihosting::process::exit(i32::from(status))
}

/// Whether somebody called [`exit`], so that an undefined instruction means that there is no semihosting.
pub(crate) fn leaving() -> bool {
    LEAVING.load(Ordering::Relaxed)
}

/// Stops the machine without a status.
pub(crate) fn power_off<L: Level>() -> ! {
    print_last_words(format_args!("# no semihosting: the exit status is lost; powering off\n"));
    let refused = smccc::psci::system_off::<L::Conduit>();
    print_last_words(format_args!("# PSCI does not power off: {refused:?}\n"));
    park()
}

/// Nothing, for ever.
fn park() -> ! {
    loop {
        cpu::wait_for_interrupt();
    }
}

/// On whichever core: says where, and stops the machine.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    cpu::mask_interrupts();
    print_last_words(format_args!("\npanic on core with MPIDR {:#x}: {info}\n", cpu::mpidr()));
    exit(status::PANIC)
}
