//! The end: a status for the shell by semihosting, or else the power off by PSCI.
//!
//! ```text
//!   exit ──► leave ──► HLT ──► QEMU exits with the status
//!                       └────► undefined instruction: no semihosting ──► power_off by PSCI
//! ```
//!
//! From `leave` on nothing here needs an instruction of the Large System Extension, nor that the image is at the
//! exception level that it was built for: it is also how an image ends that lacks either.
//!
//! | location | op | ordering | pairs with | why not weaker |
//! |---|---|---|---|---|
//! | `LEAVING` | compare_exchange | Relaxed | itself | one core wins, by atomicity; it publishes nothing |
//! | `LEAVING` | store, load | Relaxed | – | a core looks for its own MPIDR, which it alone stores |

use super::console::{print_last_words, print_unlocked};
use super::cpu;
use crate::status;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU64, Ordering};
use cortex_a::registers::{ESR_EL1, ESR_EL2, Readable};

/// MPIDR of the first core that leaves; the others wait for the machine to stop under them.
static LEAVING: AtomicU64 = AtomicU64::new(NOBODY);

/// No MPIDR: an affinity has fewer bits.
const NOBODY: u64 = u64::MAX;

/// Stops the machine, with `status` as QEMU's own if it was started with `-semihosting`. If it was not, the
/// semihosting instruction is an undefined one, whose handler powers off by PSCI.
pub fn exit(status: u8) -> ! {
    let here = cpu::mpidr();
    match LEAVING.compare_exchange(NOBODY, here, Ordering::Relaxed, Ordering::Relaxed) {
        // A core that fails while it leaves still does: it has nobody to wait for.
        Err(leaver) if leaver != here => park(),
        _ => leave(status),
    }
}

/// As [`exit`], where no other core runs and nothing but plain loads and stores may.
pub(crate) fn leave(status: u8) -> ! {
    LEAVING.store(cpu::mpidr(), Ordering::Relaxed);
    semihosting::process::exit(i32::from(status))
}

/// Whether the exception that this core has just taken says that there is no semihosting: it leaves, and the
/// instruction was an undefined one. Anything else, or on another core, is a fault like any other.
pub(crate) fn is_without_semihosting() -> bool {
    const CLASS: u32 = 26; // Arm ARM, ESR_ELx.EC
    const UNDEFINED: u64 = 0;
    let esr = if cpu::current_el() == 2 { ESR_EL2.get() } else { ESR_EL1.get() };
    LEAVING.load(Ordering::Relaxed) == cpu::mpidr() && (esr >> CLASS) & 0x3f == UNDEFINED
}

/// Stops the machine without a status.
pub(crate) fn power_off() -> ! {
    print_unlocked(format_args!("# no semihosting: the exit status is lost; powering off\n"));
    // QEMU's PSCI is called from EL2 by SMC, and from EL1, where that is undefined, by HVC.
    let refused = if cpu::current_el() == 2 {
        smccc::psci::system_off::<smccc::Smc>()
    } else {
        smccc::psci::system_off::<smccc::Hvc>()
    };
    print_unlocked(format_args!("# PSCI does not power off: {refused:?}\n"));
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
