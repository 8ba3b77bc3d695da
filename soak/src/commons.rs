//! The pool, and what all threads share.
//!
//! ```text
//!   pool     3001 frames from 0x80123 on, 5 of them reserved; deferred coalescing; lock and counts are chosen
//!   pages    16 pages that nobody frees: everybody gets and puts references to them, without a lock, all the time
//!   slots    8 blocks by handle, now and then replaced: the last handle goes wherever it happens to be dropped
//!   cpus     8 magazines, more than one thread at one of them at times
//! ```

use crate::ledger::{Ledger, SHARED};
use hyp_pool::{
    Erasable, HypPool, NR_ORDERS, PageRef, PerCpu, Pfn, PfnRange, PhysMap, RefcountPath, TableWord, table_words,
};
use lock_api::{Mutex, RawMutex};

/// Its range: an odd start and an odd length.
const RANGE: PfnRange = PfnRange::new(Pfn::new(0x8_0123), 3001);
const RESERVED: usize = 5;
const PAGES: usize = 16;
const SLOTS: usize = 8;
/// Magazines by number.
pub const CPUS: usize = 8;

/// A table for [`pool`].
#[must_use]
pub fn vacant_table() -> Vec<TableWord> {
    (0..table_words(RANGE.len())).map(|_| TableWord::VACANT).collect()
}

/// The pool over `table`.
///
/// # Panics
///
/// If the table is too short, or in use.
#[must_use]
pub fn pool<L: RawMutex, R: RefcountPath>(table: &[TableWord]) -> HypPool<'_, L, R> {
    HypPool::with_table(table, RANGE, RESERVED).expect("a vacant table of the right length")
}

/// What all threads share. `L` is the pool's lock, and that of everything else here; `R` counts.
#[derive(Debug)]
pub struct Commons<'p, L: RawMutex, R: RefcountPath> {
    /// The pool.
    pub pool: &'p HypPool<'p, L, R>,
    /// Whose each frame is.
    pub ledger: Ledger,
    /// Pages with one reference of nobody in particular.
    pub pages: Vec<Pfn>,
    /// Blocks that come and go.
    pub slots: [Mutex<L, Option<PageRef<'p, L, R>>>; SLOTS],
    /// A magazine a CPU.
    pub cpus: PerCpu<'p, L, CPUS, L, R>,
    whole: [usize; NR_ORDERS],
}

impl<'p, L: RawMutex, R: RefcountPath> Commons<'p, L, R> {
    /// Of a new pool.
    ///
    /// # Panics
    ///
    /// If the pool is not new.
    #[must_use]
    pub fn new(pool: &'p HypPool<'p, L, R>) -> Self {
        let ledger = Ledger::new(RANGE.start().get(), RANGE.len());
        let whole = pool.free_blocks();
        let pages: Vec<Pfn> = (0..PAGES).map(|_| pool.alloc_pages(0).expect("an empty pool")).collect();
        pages.iter().for_each(|&page| ledger.enter(page, 0, SHARED));
        (0..RESERVED).for_each(|n| ledger.enter(Pfn::new(RANGE.start().get() + n), 0, SHARED));
        let slots = core::array::from_fn(|_| Mutex::new(None));
        Self { pool, ledger, pages, slots, cpus: PerCpu::new(pool), whole }
    }

    /// Frames of all kinds.
    #[must_use]
    pub fn len(&self) -> usize {
        RANGE.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        RANGE.is_empty()
    }

    /// Everything put back.
    ///
    /// # Panics
    ///
    /// If the pool is not what it was at first.
    pub fn end(self) {
        for slot in &self.slots {
            if let Some(handle) = slot.lock().take() {
                self.ledger.leave(handle.pfn(), handle.order(), SHARED);
            }
        }
        self.cpus.drain_all();
        for &page in &self.pages {
            self.ledger.leave(page, 0, SHARED);
            assert_eq!(self.pool.page_count(page), Ok(1), "somebody's reference to a shared page is left, or missing");
            self.pool.put_page(page).expect("it is there");
        }
        let census = self.pool.check().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((census.free_pages, census.allocated_pages), (RANGE.len() - RESERVED, RESERVED), "pages are lost");
        assert_eq!(self.pool.free_blocks(), self.whole, "the pool is not what it was at first");
        assert_eq!(self.ledger.sums(0), [RESERVED], "the ledger is not empty");
    }
}

/// Clears nothing but a word, in the ledger: a block to be cleared is nobody's yet, or nobody's any more.
impl<L: RawMutex, R: RefcountPath> PhysMap for Commons<'_, L, R> {
    fn zero(&self, block: Erasable<'_>) {
        let order = block.nr_pages().trailing_zeros() as u8;
        self.ledger.enter(block.pfn(), order, SHARED);
        self.ledger.leave(block.pfn(), order, SHARED);
    }
}
