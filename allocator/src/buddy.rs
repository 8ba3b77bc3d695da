//! [`Buddy`]: the free areas and the table without a lock and without a pool.

use crate::algorithm::allocated;
use crate::check::{self, Census};
use crate::coalesce::{Coalesce, Deferred};
use crate::error::{AllocError, CheckError, InitError, PageError};
use crate::free_area::FreeAreas;
use crate::pfn::{NR_ORDERS, Order, Pfn, PfnRange};
use crate::table::Table;
use crate::word::{Allocated, Holder, TableWord};

/// The buddy allocator alone, for code that brings its own lock and its own reference counts. Most want
/// [`HypPool`](crate::HypPool).
///
/// Every allocated block has one owner, who frees it.
///
/// ```
/// use hyp_pool::{Buddy, Eager, Pfn, PfnRange, TableWord, table_words};
///
/// let table = [const { TableWord::VACANT }; table_words(64)];
/// let mut buddy = Buddy::<Eager>::with_table(&table, PfnRange::new(Pfn::new(0x100), 64), 0)?;
/// let block = buddy.alloc(3)?;
/// assert_eq!(block, Pfn::new(0x100));
/// buddy.free(block)?;
/// assert_eq!(buddy.free_pages(), 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Buddy<'t, C: Coalesce = Deferred> {
    table: Table<'t>,
    areas: FreeAreas<C>,
}

impl<'t, C: Coalesce> Buddy<'t, C> {
    /// A buddy allocator for `range` over `frames`, of which it claims
    /// [`table_words(range.len())`](crate::table_words) words until it is dropped. The first `reserved`
    /// frames are allocated from the start.
    ///
    /// O(frames).
    ///
    /// # Errors
    ///
    /// As [`HypPool::with_table`](crate::HypPool::with_table).
    pub fn with_table(frames: &'t [TableWord], range: PfnRange, reserved: usize) -> Result<Self, InitError> {
        let table = Table::claim(frames, range, reserved)?;
        Ok(Self { table, areas: FreeAreas::fill(table, reserved) })
    }

    /// Allocates a block of `1 << order` frames, aligned to its size.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; nothing has been changed.
    #[inline]
    pub fn alloc(&mut self, order: u8) -> Result<Pfn, AllocError> {
        let order = Order::new(order).ok_or(AllocError::OrderTooLarge)?;
        let index = self.areas.extract(|| self.table, order)?;
        let frames = self.table.frames();
        frames.frame(index).set_allocated(Allocated::new(order, Holder::Number));
        Ok(frames.pfn(index))
    }

    /// Frees the block at `pfn`.
    ///
    /// # Errors
    ///
    /// [`PageError`] if no allocated block starts at `pfn`; nothing has been changed.
    #[inline]
    pub fn free(&mut self, pfn: Pfn) -> Result<(), PageError> {
        let (index, frame) = self.table.frames().find(pfn)?;
        let word = allocated(self.table.frames(), pfn, frame)?;
        frame.set_silent();
        self.areas.free(|| self.table, index, word.order());
        Ok(())
    }

    /// Free frames, in blocks of any order.
    #[must_use]
    pub fn free_pages(&self) -> usize {
        self.areas.free_pages()
    }

    /// Free blocks of each order, all coalesced. O(frames / 32).
    #[must_use]
    pub fn free_blocks(&mut self) -> [usize; NR_ORDERS] {
        self.coalesce();
        self.areas.free_blocks(self.table)
    }

    /// Coalesces the blocks that the policy has kept unmerged.
    pub fn coalesce(&mut self) {
        self.areas.coalesce(self.table);
    }

    /// Verifies the invariants of [`algorithm`](crate::algorithm). O(frames).
    ///
    /// # Errors
    ///
    /// The first violation found.
    pub fn check(&self) -> Result<Census, CheckError> {
        check::check(self.table, &self.areas)
    }
}

impl<C: Coalesce> Drop for Buddy<'_, C> {
    fn drop(&mut self) {
        self.table.vacate();
    }
}

impl<C: Coalesce> core::fmt::Debug for Buddy<'_, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Buddy")
            .field("range", &self.table.frames().range())
            .field("free_pages", &self.areas.free_pages())
            .finish()
    }
}
