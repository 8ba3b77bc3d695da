//! A `static` pool whose lock masks interrupts, a main loop that shares blocks, an interrupt handler that allocates.

use core::sync::atomic::{AtomicUsize, Ordering};
use hyp_locks::{Daif, IrqSave, Ticket};
use hyp_pool::{AllocError, HypPool, PageSize, Pfn, TableWord, table_words};
use qemu_virt::{Board, El2, println};

/// 16 MiB in pages of 4 KiB; the table is 19 KiB of zeros.
const PAGES: usize = 4096;
const WORDS: usize = table_words(PAGES);
static TABLE: [TableWord; WORDS] = [const { TableWord::VACANT }; WORDS];
static POOL: HypPool<IrqSave<Ticket, Daif>> = HypPool::new(&TABLE);

// Both are Relaxed: one core alone, in its main loop and in its interrupt, reads and writes them.

/// The page that trace records go to, by its number; none yet is 0.
static TRACE: AtomicUsize = AtomicUsize::new(0);
static TICKS: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn main(board: &Board<El2>) -> u8 {
    // The end of RAM is nobody's. The pool never touches it, so it need not even be mapped.
    let (base, size) = board.machine().memory;
    let end = (base + size) as usize;
    POOL.init(PageSize::SIZE_4K.range(end - 4096 * PAGES, end), 0).expect("a fresh pool over a range of its size");

    board.with_timer(board.hz() / 1000, &on_tick, &mut || {
        while TICKS.load(Ordering::Relaxed) < 100 {
            run_guest().expect("16 MiB are enough for one guest");
        }
    });

    // All that is left is the trace page of the last tick.
    POOL.put_page(Pfn::new(TRACE.load(Ordering::Relaxed))).expect("the reference of on_tick");
    let census = POOL.check().expect("the invariants hold");
    println!("100 interrupts allocated; {} of {PAGES} pages are free again", census.free_pages);
    u8::from(census.free_pages != PAGES)
}

/// A guest comes, maps and goes. Each drop is a put; the last one of a block frees it.
fn run_guest() -> Result<(), AllocError> {
    let root = POOL.alloc(1)?; // two concatenated stage-2 tables: 8 KiB, aligned
    let table = POOL.alloc(0)?;
    let (entry, other_entry) = (table.clone(), table.clone()); // one reference for each entry in use
    drop((entry, other_entry, table, root));
    Ok(())
}

/// In the timer's interrupt: a fresh page for the trace, the old one goes back.
fn on_tick() {
    let Ok(fresh) = POOL.alloc_pages(0) else { return };
    match TRACE.swap(fresh.get(), Ordering::Relaxed) {
        0 => {}
        old => POOL.put_page(Pfn::new(old)).expect("the reference of the tick before"),
    }
    TICKS.fetch_add(1, Ordering::Relaxed);
}
