//! How much memory each lock takes: promised here, and printed into `locks/README.md`.
//!
//! ```text
//! cargo test -p hyp-locks --test footprint               # compare
//! BLESS=1 cargo test -p hyp-locks --test footprint       # write it anew
//! ```

#![cfg(all(not(any(loom, miri)), target_pointer_width = "64"))]

use hyp_locks::{
    Checked, Instrumented, IrqDepth, IrqMask, IrqSave, Mcs, NoLock, QSpin, Queued, RawSpinlock, Recorder, SpinMutex,
    SpinTicket, Tas, Ticket, TicketRelax, Ttas,
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
// SAFETY: never called.
unsafe impl hyp_locks::Depths<OneCore> for OneCore {
    fn slots() -> &'static [hyp_locks::IrqSlot<OneCore>] {
        unreachable!()
    }
}
// SAFETY: never used.
unsafe impl hyp_locks::SingleCore for OneCore {}
// SAFETY: never called.
unsafe impl hyp_locks::CpuId for OneCore {
    fn cpu() -> usize {
        unreachable!()
    }
}
impl hyp_locks::qspin::Nodes for OneCore {
    fn nodes() -> &'static [hyp_locks::qspin::CpuNodes] {
        unreachable!()
    }
}
impl hyp_locks::Check for OneCore {
    fn held() -> &'static std::sync::atomic::AtomicUsize {
        unreachable!()
    }
}

struct Table(String);

impl Table {
    fn row<L: RawMutex>(&mut self, name: &str, [lock, guard, waiter, cpu]: [usize; 4]) {
        let row = (size_of::<L>(), size_of::<L::Guard>());
        assert_eq!(row, (lock, guard), "{name}");
        let (name, of) = name.split_once(", 64").map_or((name, ""), |(name, _)| (name, ", 64-bit state"));
        self.0 += &format!("| `{name}`{of} | {lock} | {guard} | {waiter} | {cpu} |\n");
    }
}

#[test]
fn footprint() {
    let mut table =
        Table("| lock | bytes | in the guard | a waiter's node | a CPU |\n|---|--:|--:|--:|--:|\n".to_owned());
    table.row::<NoLock>("NoLock", [1, 0, 0, 0]);
    table.row::<IrqMask<OneCore>>("IrqMask, 64-bit state", [1, 8, 0, 0]);
    table.row::<Tas>("Tas", [1, 0, 0, 0]);
    table.row::<Ttas>("Ttas", [1, 0, 0, 0]);
    table.row::<hyp_locks::Bakery<OneCore, 4>>("Bakery<C, 4>", [512, 4, 0, 0]);
    table.row::<Ticket>("Ticket", [8, 4, 0, 0]);
    table.row::<TicketRelax>("TicketRelax", [8, 4, 0, 0]);
    table.row::<Mcs>("Mcs", [16, 8, Mcs::<()>::WAITER, 0]);
    table.row::<Queued>("Queued", [16, 0, Queued::<()>::WAITER, 0]);
    table.row::<QSpin<OneCore>>("QSpin", [4, 0, 0, size_of::<hyp_locks::qspin::CpuNodes>()]);
    table.row::<IrqSave<Ticket, OneCore>>("IrqSave<Ticket>, 64-bit state", [8, 16, 0, 0]);
    table.row::<IrqDepth<Ticket, OneCore, OneCore>>(
        "IrqDepth<Ticket>, 64-bit state",
        [8, 4, 0, size_of::<hyp_locks::IrqSlot<OneCore>>()],
    );
    table.row::<IrqSave<Ticket, Recorder>>("IrqSave<Ticket, Recorder>", [8, 8, 0, 0]);
    table.row::<IrqSave<Mcs, OneCore>>("IrqSave<Mcs>, 64-bit state", [16, 16, Mcs::<()>::WAITER, 0]);
    table.row::<Checked<Ticket, OneCore>>("Checked<Ticket>", [24, 32, 0, 8]);
    table.row::<Instrumented<Ticket, Probe>>("Instrumented<Ticket>", [16, 40, 0, 0]);
    table.row::<SpinTicket>("SpinTicket", [16, 0, 0, 0]);
    table.row::<SpinMutex>("SpinMutex", [1, 0, 0, 0]);
    table.row::<RawSpinlock>("spinning_top::RawSpinlock", [1, 0, 0, 0]);
    table.row::<parking_lot::RawMutex>("parking_lot::RawMutex", [1, 0, 0, 0]);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("a marker where the table begins");
    let (found, after) = rest.split_once(END).expect("a marker where it ends");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", table.0)).unwrap();
    } else {
        assert_eq!(found, table.0, "locks/README.md; write it anew with BLESS=1");
    }
}

const BEGIN: &str = "<!-- footprint: cargo test -p hyp-locks --test footprint -->\n";
const END: &str = "<!-- end -->";
