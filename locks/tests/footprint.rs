//! How much memory each lock takes, promised and printed: `cargo test -p hyp-locks --test footprint -- --nocapture`.

#![cfg(all(not(loom), target_pointer_width = "64"))]

use hyp_locks::{
    Bakery, CpuId, Instrumented, IrqMask, IrqSave, Mcs, NoLock, Queued, RawSpinlock, Recorder, SpinMutex, SpinTicket,
    Ticket, TicketRelax,
};
use lock_api::RawMutex;

struct Probe;
impl hyp_locks::Probe for Probe {
    fn now() -> u64 {
        0
    }
    fn acquired(_: hyp_locks::Acquired) {}
    fn released(_: u64) {}
}

struct OneCore;
// SAFETY: never called.
unsafe impl hyp_locks::InterruptControl for OneCore {
    type State = u64;
    fn save_and_mask() -> u64 {
        unreachable!()
    }
    unsafe fn restore(_: u64) {}
}
// SAFETY: never used.
unsafe impl hyp_locks::SingleCore for OneCore {}

// SAFETY: never called.
unsafe impl CpuId for OneCore {
    fn cpu() -> usize {
        unreachable!()
    }
}

fn row<L: RawMutex>(name: &str, lock: usize, guard: usize) {
    println!("| {name} | {} | {} |", size_of::<L>(), size_of::<L::Guard>());
    assert_eq!((size_of::<L>(), size_of::<L::Guard>()), (lock, guard), "{name}");
}

#[test]
fn footprint() {
    println!("| lock | bytes | in the guard |\n|---|--:|--:|");
    row::<NoLock>("NoLock", 1, 0);
    row::<IrqMask<OneCore>>("IrqMask, 64-bit state", 1, 8);
    row::<Ticket>("Ticket", 8, 4);
    row::<TicketRelax>("TicketRelax", 8, 4);
    row::<Mcs>("Mcs", 16, 0);
    row::<Queued>("Queued", 16, 0);
    row::<Bakery<OneCore, 4>>("Bakery, 4 CPUs", 4 * 128, 4);
    row::<IrqSave<Ticket, OneCore>>("IrqSave<Ticket>, 64-bit state", 8, 16);
    row::<IrqSave<Ticket, Recorder>>("IrqSave<Ticket, Recorder>", 8, 8);
    row::<IrqSave<Mcs, OneCore>>("IrqSave<Mcs>, 64-bit state", 16, 8);
    row::<Instrumented<Ticket, Probe>>("Instrumented<Ticket>", 16, 40);
    row::<SpinTicket>("SpinTicket", 16, 0);
    row::<SpinMutex>("SpinMutex", 1, 0);
    row::<RawSpinlock>("spinning_top::RawSpinlock", 1, 0);
    row::<parking_lot::RawMutex>("parking_lot::RawMutex", 1, 0);
}
