//! The program.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use cortex_m::Peripherals;
use cortex_m::peripheral::SCB;
use cortex_m::peripheral::scb::SystemHandler;
use cortex_m_rt::{entry, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hprintln;
use hyp_locks::{BasePri, InterruptControl, IrqSave, Primask, Ticket};
use lock_api::Mutex;

/// What `BasePri` masks from here on. A smaller value is more urgent.
const LEVEL: u8 = 0x80;
const URGENT: u8 = 0x40;
const BETWEEN: u8 = 0x60;
const ORDINARY: u8 = 0xc0;

/// How often the interrupt came.
static CAME: AtomicU32 = AtomicU32::new(0);
/// How often it found a lock held by what it interrupted.
static INTRUDED: AtomicU32 = AtomicU32::new(0);

static BY_PRIMASK: Mutex<IrqSave<Ticket, Primask>, ()> = Mutex::new(());
static BY_BASEPRI: Mutex<IrqSave<Ticket, BasePri<LEVEL>>, ()> = Mutex::new(());
static BY_NOTHING: Mutex<Ticket, ()> = Mutex::new(());

#[exception]
fn PendSV() {
    CAME.fetch_add(1, Relaxed);
    let held = [BY_PRIMASK.is_locked(), BY_BASEPRI.is_locked(), BY_NOTHING.is_locked()];
    INTRUDED.fetch_add(u32::from(held.contains(&true)), Relaxed);
}

/// Makes the interrupt pending, and gives it time to come; whether it has.
fn comes() -> bool {
    let before = CAME.load(Relaxed);
    SCB::set_pendsv();
    cortex_m::asm::dsb();
    cortex_m::asm::isb();
    CAME.load(Relaxed) != before
}

/// Whether it comes under the mask `I`, and then whether it has come when the mask is put back.
fn under<I: InterruptControl>() -> (bool, bool) {
    let before = CAME.load(Relaxed);
    let state = I::save_and_mask();
    let inside = comes();
    // SAFETY: saved above, and given back once.
    unsafe { I::restore(state) };
    cortex_m::asm::isb();
    (inside, CAME.load(Relaxed) != before)
}

#[entry]
fn main() -> ! {
    let mut scb = Peripherals::take().expect("the first to take them").SCB;
    let mut priority = |value| {
        // SAFETY: no code here is a critical section by priority while this is called.
        unsafe { scb.set_priority(SystemHandler::PendSV, value) };
    };

    priority(ORDINARY);
    assert!(comes(), "nothing masks it");
    assert_eq!(under::<Primask>(), (false, true), "Primask");
    assert_eq!(under::<BasePri<LEVEL>>(), (false, true), "BasePri");
    priority(URGENT);
    assert_eq!(under::<BasePri<LEVEL>>(), (true, true), "BasePri, and what is more urgent");
    assert_eq!(under::<Primask>(), (false, true), "Primask, whatever the priority");

    // Masks nest: the inner one puts back what it found, and one that is laxer changes nothing.
    priority(BETWEEN);
    let outer = <BasePri<URGENT>>::save_and_mask();
    assert_eq!(under::<BasePri<LEVEL>>(), (false, false), "a laxer BasePri inside a stricter one");
    // SAFETY: saved above, and given back once.
    unsafe { <BasePri<URGENT>>::restore(outer) };
    cortex_m::asm::isb();
    priority(ORDINARY);

    // Sections of locks, with an interrupt pending; and one that lets it in, or this shows nothing.
    drop((BY_PRIMASK.lock(), comes()));
    drop((BY_BASEPRI.lock(), comes()));
    assert_eq!(INTRUDED.load(Relaxed), 0, "an interrupt inside a section");
    drop((BY_NOTHING.lock(), comes()));
    assert_eq!(INTRUDED.load(Relaxed), 1, "no interrupt inside a section that lets it in");

    hprintln!("Primask and BasePri mask; {} interrupts came", CAME.load(Relaxed));
    debug::exit(EXIT_SUCCESS);
    unreachable!("the emulator has ended")
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    debug::exit(EXIT_FAILURE);
    loop {
        cortex_m::asm::wfi();
    }
}
