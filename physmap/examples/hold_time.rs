//! How long the lock is held for an allocation and a put, where blocks are cleared outside of it, and inside.
//!
//! ```sh
//! cargo run --release -p hyp-physmap --example hold_time
//! ```
//!
//! ```text
//!   zero on alloc, scrub on put    lock ─ extract ─ unlock ─ clear      clear ─ lock ─ free ─ unlock
//!   inside                         lock ─ extract ─ clear ─ unlock      lock ─ free ─ unlock
//! ```
//!
//! *Inside* is the control, and what the allocator does that this project started from: the same buddy allocator, a
//! lock around it, and the block cleared before the lock is left.

use comfy_table::Table;
use hyp_locks::{Acquired, Instrumented, Probe, Ticket};
use hyp_physmap::Linear;
use hyp_pool::{
    Buddy, Contents, Eager, Erasing, HypPool, NR_ORDERS, Order, PageSize, Pfn, PfnRange, TableWord, table_words,
};
use lock_api::Mutex;
use quanta::Clock;
use std::hint::black_box;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const PAGE: PageSize = PageSize::SIZE_4K;
const FRAMES: usize = 2048;
const ROUNDS: usize = 101;

static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::new);
static HELD: AtomicU64 = AtomicU64::new(0);

/// Adds up ticks for one thread.
#[derive(Debug)]
struct Ticks;

impl Probe for Ticks {
    fn now() -> u64 {
        CLOCK.raw()
    }

    fn acquired(_: Acquired) {}

    fn released(hold: u64) {
        HELD.fetch_add(hold, Relaxed);
    }
}

type Lock = Instrumented<Ticket, Ticks>;

/// Nanoseconds for which the lock is held in one `call`: the median.
fn hold(mut call: impl FnMut()) -> u64 {
    let mut samples: Vec<u64> = (0..ROUNDS)
        .map(|_| {
            HELD.store(0, Relaxed);
            call();
            CLOCK.delta_as_nanos(0, HELD.load(Relaxed))
        })
        .collect();
    samples.sort_unstable();
    samples[ROUNDS / 2]
}

fn table() -> Vec<TableWord> {
    (0..table_words(FRAMES)).map(|_| TableWord::VACANT).collect()
}

fn main() {
    let memory = Box::leak(vec![0xaa_u8; (FRAMES + 1) * PAGE.bytes()].into_boxed_slice()).as_mut_ptr();
    let offset = memory.expose_provenance().next_multiple_of(PAGE.bytes());
    // SAFETY: L1: frame 0 is at `offset`, inside what was leaked, and all others are behind it. L2: a single thread.
    let map = unsafe { Linear::new(PAGE, offset) };
    let range = PfnRange::new(Pfn::new(0), FRAMES);

    let (words, others) = (table(), table());
    let pool = HypPool::<Lock, hyp_pool::Atomic, Eager>::with_table(&words, range, 0).expect("a vacant table");
    let zeroing = Erasing::new(&pool, map, Contents::ZeroOnAlloc);
    let scrubbing = Erasing::new(&pool, map, Contents::ScrubOnPut);
    let inside = Mutex::<Lock, _>::new(Buddy::<Eager>::with_table(&others, range, 0).expect("a vacant table"));

    let mut rows = Table::new();
    rows.set_header(["order", "KiB", "zero on alloc", "scrub on put", "inside, the control"]);
    for order in Order::all().take(NR_ORDERS) {
        let bytes = order.pages() * PAGE.bytes();
        let pair = |erasing: &Erasing<&HypPool<'_, Lock, hyp_pool::Atomic, Eager>, Linear>| {
            let block = erasing.alloc_pages(order.get()).expect("all is free");
            erasing.put_page(black_box(block)).expect("just allocated");
        };
        let control = || {
            let mut buddy = inside.lock();
            let block = buddy.alloc(order.get()).expect("all is free");
            let start = memory.wrapping_add(offset - memory.addr() + block.get() * PAGE.bytes());
            // SAFETY: in the memory that was leaked, which a single thread accesses.
            unsafe { start.write_bytes(0, bytes) };
            drop(buddy);
            inside.lock().free(black_box(block)).expect("just allocated");
        };
        let held = [hold(|| pair(&zeroing)), hold(|| pair(&scrubbing)), hold(control)];
        let row = [order.get().to_string(), (bytes / 1024).to_string()];
        rows.add_row(row.into_iter().chain(held.map(|ns| ns.to_string())));
    }
    println!("{rows}");
    println!(
        "nanoseconds for which the lock is held by an allocation and a put: the median of {ROUNDS} pairs, one thread"
    );
}
