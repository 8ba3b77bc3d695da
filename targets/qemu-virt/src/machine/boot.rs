//! From reset to `main`, on the boot core: the MMU and the stack by aarch64-rt, then everything else here.

use super::board::Board;
use super::dt::Machine;
use super::exit::{self, exit};
use super::level::Level;
use super::{console, cores, cpu, gic};
use crate::status;

#[doc(hidden)]
pub use super::mmu::{MAIR, ROOT};

/// Makes an image of a binary or an example: entry point, page table, vectors, and `$main`, a
/// `fn(&Board<$level>) -> u8`, whose value is the status that the machine exits with.
#[macro_export]
macro_rules! image {
    ($level:ident, $main:path) => {
        $crate::rt::entry!(__start, 40);
        $crate::rt::initial_pagetable!(
            $crate::boot::ROOT,
            $crate::boot::MAIR,
            $crate::rt::DEFAULT_SCTLR,
            $crate::rt::DEFAULT_TCR_EL1,
            $crate::rt::DEFAULT_TCR_EL2,
            $crate::rt::DEFAULT_TCR_EL3
        );
        $crate::rt::exception_handlers!($crate::vectors::Vectors<$crate::$level>);

        fn __start(x0: u64, _: u64, _: u64, _: u64) -> ! {
            // SAFETY: the entry calls this once, on the boot core, with `x0` as it found it, and on the page table
            // and vectors made above.
            unsafe { $crate::boot::start::<$crate::$level>(x0, $main) }
        }
    };
}

/// The rest of the way: finds the machine, starts all of it, and calls `main`.
///
/// # Safety
///
/// [`image!`](crate::image) keeps this contract: it is called once, by the boot core, from the entry, on the page
/// table [`ROOT`], with `x0` as the boot protocol left it: the address of a device tree that nobody writes to, or
/// 0, and then QEMU made the machine. The device registers that the tree names are this function's alone.
pub unsafe fn start<L: Level>(x0: u64, main: fn(&Board<L>) -> u8) -> ! {
    if cfg!(target_feature = "lse") && !cpu::has_lse() {
        console::print_unlocked(format_args!(
            "this image uses LSE, which this CPU has not: give QEMU -cpu neoverse-n1 or max\n"
        ));
        exit::leave(status::BAD_MACHINE);
    }
    let here = cpu::current_el();
    if here != L::EL {
        println!("this image is for EL{}, and was started at EL{here}: give QEMU -machine {}", L::EL, L::MACHINE);
        exit(status::BAD_MACHINE);
    }
    // SAFETY: `x0` is as the boot protocol left it, by the contract of this function.
    let machine = match unsafe { Machine::find(x0) } {
        Ok(machine) => machine,
        Err(error) => {
            println!("{error}");
            exit(status::BAD_MACHINE);
        }
    };
    console::init(machine.uart);
    if let Err(error) = gic::init::<L>(&machine) {
        println!("the GIC cannot be set up: {error}");
        exit(status::BAD_MACHINE);
    }
    cores::prepare::<L>(0);
    cores::start::<L>(&machine);
    exit(main(&Board::new(machine)))
}
