//! The console: a PL011, locked with the project's own ticket lock, so that handlers may print too.
//!
//! | location | op | ordering | pairs with | why not weaker |
//! |---|---|---|---|---|
//! | `BASE` | store | Relaxed | – | by the boot core, before it starts the others: PSCI orders it before them |
//! | `BASE` | load | Relaxed | – | it is the address itself that is read, and nothing behind it that a core has written |

use arm_pl011_uart::{PL011Registers, Uart, UniqueMmioPointer};
use core::fmt::{self, Write};
use core::hint::spin_loop;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};
use hyp_locks::{Daif, IrqSave, Ticket};
use lock_api::Mutex;

/// Where the `virt` machine has its first PL011: for what happens before the device tree is read.
const EARLY: usize = 0x0900_0000;

static BASE: AtomicUsize = AtomicUsize::new(EARLY);
static CONSOLE: Mutex<IrqSave<Ticket, Daif>, ()> = Mutex::new(());

/// Prints a line, whole: lines of several cores do not mix.
#[macro_export]
macro_rules! println {
    ($($arg:tt)*) => { $crate::console::print(format_args!("{}\n", format_args!($($arg)*))) };
}

/// Prints, whole.
pub fn print(text: fmt::Arguments<'_>) {
    let _only = CONSOLE.lock();
    // Cannot fail: it waits for room in the FIFO.
    let _ = uart().write_fmt(text);
}

/// Prints in a panic or an exception, where this core or a dead one may hold the lock: waits for it a while, and
/// then prints all the same.
pub(crate) fn print_last_words(text: fmt::Arguments<'_>) {
    const PATIENCE: u32 = 1_000_000;
    let _only = (0..PATIENCE).find_map(|_| CONSOLE.try_lock());
    let _ = uart().write_fmt(text);
}

/// Prints where there may be no lock: on a core that may not have the instructions for one.
pub(crate) fn print_unlocked(text: fmt::Arguments<'_>) {
    let _ = uart().write_fmt(text);
}

/// Reads text into `line`, as of `length`, up to the end of a line, as long as `going_on` says so; whether it ended. What
/// does not fit, or is no ASCII, is left out. Echoes nothing.
pub(crate) fn read_line(line: &mut [u8], length: &mut usize, going_on: impl Fn() -> bool) -> bool {
    while going_on() {
        // The console stays free: others may print meanwhile.
        match uart().read_word() {
            Ok(Some(b'\n' | b'\r')) if *length > 0 => return true,
            Ok(Some(byte @ b' '..=b'~')) if *length < line.len() => {
                line[*length] = byte;
                *length += 1;
            }
            _ => spin_loop(), // nothing there, an empty line, or a byte that was garbled on the way
        }
    }
    false
}

/// Moves the console to where the device tree says that it is.
pub(crate) fn init(base: usize) {
    BASE.store(base, Ordering::Relaxed);
}

/// QEMU's PL011 needs no set-up: it has no baud rate, and its transmitter is on.
fn uart() -> Uart<'static> {
    let base = BASE.load(Ordering::Relaxed) as *mut PL011Registers;
    let base = NonNull::new(base).expect("a UART at address 0");
    // SAFETY: the registers of a PL011 (device tree, or the machine's fixed map), mapped as Device memory. One at a
    // time uses them, who holds CONSOLE; last words and what is printed unlocked may break in, which garbles text
    // and nothing else: a write to the data register and a read of the flags have no other effect.
    Uart::new(unsafe { UniqueMmioPointer::new(base) })
}
