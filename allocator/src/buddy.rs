//! The buddy allocator itself: pure, by `&mut`, with no lock and no knowledge of one.
//!
//! A free block is split until it fits, and coalesced with its buddy whenever that is free too. Below, 8
//! frames from frame 8 on, as calls change them under [`Eager`](crate::Eager) (`F` a free block, `A` an allocated one,
//! with its order):
//!
//! ```text
//! frame           8  9 10 11 12 13 14 15
//!                F3 ─────────────────────
//! alloc order 0  A0 F0 F1 ─── F2 ─────────     extract: 8 split off 12, then 10, then 9
//! free 8         F3 ─────────────────────     attach: 8 coalesced with 9, then 10, then 12
//! ```
//!
//! Under [`Deferred`](crate::Deferred) a freed block of low order waits in a ring before it is attached, and an
//! allocation that finds the ring empty fills it with the pieces of one block.
//!
//! # Invariants
//!
//! They hold whenever the lock that guards the free areas is free. Cited by number everywhere else.
//!
//! * **I1** A block of order `o` lies at a multiple of `1 << o` in physical frame numbers, inside the range.
//! * **I2** Only heads of allocated blocks speak: the words of free frames, and of those behind a head, are `Silent`.
//! * **I3** Blocks partition the range: every frame is in exactly one.
//! * **I4** A block that is not allocated is in the tree of its order, or in a ring of blocks kept unmerged, once.
//! * **I5** Trees are well-formed: a bit above stands for a word that is not zero, and the mask for a tree that is not
//!   empty.
//! * **I6** No two buddies of equal order are both in a tree: what is not kept is coalesced.
//! * **I7** Nothing is lost: free and allocated frames (the reserved ones count as allocated) are all frames,
//!   and the counters agree with the trees.
//!
//! # Cost
//!
//! Allocating (`extract`) and freeing (`free`) take at most [`MAX_ORDER`](crate::MAX_ORDER)
//! steps, each of which changes one bit of a tree, and what [`coalesce`](crate::Coalesce) says. No page is touched.
//!
//! After the binary buddy system: K. C. Knowlton, "A fast storage allocator", CACM 8(10), 1965; D. E. Knuth,
//! TAOCP volume 1, section 2.5.

use crate::check::{self, Census};
use crate::coalesce::{Coalesce, Deferred, sealed::Kept};
use crate::error::{AllocError, CheckError, InitError, PageError};
use crate::frame::{Allocated, Frame, Holder, Index, State};
use crate::free_area::FreeAreas;
use crate::pfn::{NR_ORDERS, Order, Pfn, PfnRange};
use crate::table::Table;

impl<C: Coalesce> FreeAreas<C> {
    /// The free areas of a table just claimed, all of whose words are silent: `reserved` frames allocated one
    /// by one, the rest free in the largest blocks that alignment allows.
    pub(crate) fn fill(table: Table<'_>, reserved: usize) -> Self {
        for index in 0..reserved {
            table.frame(Index::new(index)).set_allocated(Allocated::new(Order::ZERO, Holder::Number));
        }
        let mut areas = Self::new(table);
        let start = table.base().get();
        let mut end = table.len();
        while end > reserved {
            // I1: where an aligned block may end, one of the same order may start.
            let fits = |order: &Order| end - reserved >= order.pages() && Pfn::new(start + end).is_aligned(*order);
            let order = Order::all().rev().find(fits).unwrap_or(Order::ZERO);
            end -= order.pages();
            areas.insert(table, Index::new(end), order);
        }
        areas
    }

    /// Takes a block of `order` out of the free areas: one that is kept, or else a piece of the smallest one that is
    /// large enough.
    #[inline]
    pub(crate) fn extract(&mut self, table: Table<'_>, order: Order, holder: Holder) -> Result<Index, AllocError> {
        let index = match self.reuse(order) {
            Some(index) => index,
            None => self.split_off(table, order)?,
        };
        // INVARIANT: I4: out of its ring or tree above.
        table.frame(index).set_allocated(Allocated::new(order, holder));
        Ok(index)
    }

    /// A block of `order` out of a tree, where none is kept. If a larger one must be split, what is kept of it fills
    /// the ring.
    #[inline(never)]
    fn split_off(&mut self, table: Table<'_>, order: Order) -> Result<Index, AllocError> {
        let (found, index) = match self.smallest(table, order) {
            Some(found) => found,
            None => {
                self.coalesce(table);
                self.smallest(table, order).ok_or(AllocError::OutOfMemory)?
            }
        };
        self.remove(table, index, found);
        let piece = if self.keeps(order) { order.get() + Self::PIECE } else { order.get() };
        let mut size = found;
        while size.get() > piece {
            let Some(half) = size.down() else { break };
            // INVARIANT: I1, I3: the upper half of an aligned block is one, too. I6: the lower half is about
            // to be split or allocated.
            self.insert(table, Index::new(index.get() + half.pages()), half);
            size = half;
        }
        // The other blocks of the piece, so that the lowest is the next to be reused.
        let others = 1..size.pages() >> order.get();
        let count = others.len();
        for nth in others {
            let nth = if C::OLDEST_FIRST { nth } else { count + 1 - nth };
            self.keep(Index::new(index.get() + (nth << order.get())), order);
        }
        Ok(index)
    }

    /// An empty ring has room for all blocks but one of a piece `1 << PIECE` times as large.
    const PIECE: u8 = (C::Kept::CAPACITY + 1).ilog2() as u8;

    /// Makes the block at `index`, whose word is silent and which is in no tree and no ring, free: keeps it, or
    /// coalesces it.
    #[inline]
    pub(crate) fn free(&mut self, table: Table<'_>, index: Index, order: Order) {
        if !self.keeps(order) {
            return self.attach(table, index, order);
        }
        if !self.has_room(order)
            && let Some(oldest) = self.oldest(order)
        {
            self.attach(table, oldest, order);
        }
        self.keep(index, order);
    }

    /// Coalesces the block at `index` with every buddy that is free, and puts the result into its tree.
    #[inline(never)]
    fn attach(&mut self, table: Table<'_>, index: Index, order: Order) {
        let mut start = index;
        let mut size = order;
        while let Some(up) = size.up()
            && let Some(buddy) = self.remove_buddy(table, start, size)
        {
            steps::count();
            // INVARIANT: I1, I3: two buddies are the aligned block of the next order.
            start = start.min(buddy);
            size = up;
        }
        // INVARIANT: I4, I6.
        self.insert(table, start, size);
    }

    /// Coalesces all blocks that are kept.
    #[cold]
    pub(crate) fn coalesce(&mut self, table: Table<'_>) {
        for order in Order::all() {
            while let Some(index) = self.oldest(order) {
                self.attach(table, index, order);
            }
        }
    }

    /// Makes the allocated block at `index` into blocks of order 0, each with one reference. The head's own
    /// word has been changed already.
    pub(crate) fn scatter(table: Table<'_>, index: Index, order: Order, holder: Holder) {
        for tail in 1..order.pages() {
            // INVARIANT: I1: order 0 is aligned everywhere. I3: the block's frames, each now its own block.
            table.frame(Index::new(index.get() + tail)).set_allocated(Allocated::new(Order::ZERO, holder));
        }
    }

    /// Free blocks of each order, coalesced or not.
    pub(crate) fn free_blocks(&self) -> [usize; NR_ORDERS] {
        let mut blocks = [0; NR_ORDERS];
        for order in Order::all() {
            blocks[usize::from(order.get())] = self.blocks(order) + self.kept(order);
        }
        blocks
    }
}

/// The merges made on this thread, for the tests of the bounds that [`coalesce`](crate::Coalesce) states.
pub(crate) mod steps {
    #[cfg(all(test, not(loom)))]
    std::thread_local! {
        pub(crate) static MERGES: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
    }

    #[inline]
    pub(crate) fn count() {
        #[cfg(all(test, not(loom)))]
        MERGES.set(MERGES.get() + 1);
    }
}

/// The buddy allocator alone, for code that brings its own lock and its own reference counts. Most want
/// [`HypPool`](crate::HypPool).
///
/// Every allocated block has one owner, who frees it.
///
/// ```
/// use hyp_pool::{Buddy, Eager, Frame, Pfn, PfnRange, frames_needed};
///
/// let table = [const { Frame::VACANT }; frames_needed(64)];
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
    /// [`frames_needed(range.len())`](crate::frames_needed) words until it is dropped. The first `reserved`
    /// frames are allocated from the start.
    ///
    /// O(frames).
    ///
    /// # Errors
    ///
    /// As [`HypPool::with_table`](crate::HypPool::with_table).
    pub fn with_table(frames: &'t [Frame], range: PfnRange, reserved: usize) -> Result<Self, InitError> {
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
        let index = self.areas.extract(self.table, order, Holder::Number)?;
        Ok(self.table.pfn(index))
    }

    /// Frees the block at `pfn`.
    ///
    /// # Errors
    ///
    /// [`PageError`] if no allocated block starts at `pfn`; nothing has been changed.
    #[inline]
    pub fn free(&mut self, pfn: Pfn) -> Result<(), PageError> {
        let (index, frame) = self.table.find(pfn)?;
        let word = allocated(self.table, index, frame)?;
        frame.set_silent();
        self.areas.free(self.table, index, word.order());
        Ok(())
    }

    /// Free frames, in blocks of any order.
    #[must_use]
    pub fn free_pages(&self) -> usize {
        self.areas.free_pages()
    }

    /// Free blocks of each order, all coalesced. At most four rings of merges.
    #[must_use]
    pub fn free_blocks(&mut self) -> [usize; NR_ORDERS] {
        self.coalesce();
        self.areas.free_blocks()
    }

    /// Coalesces the blocks that the policy has kept unmerged.
    pub fn coalesce(&mut self) {
        self.areas.coalesce(self.table);
    }

    /// Verifies the invariants of this module. O(frames).
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
            .field("range", &self.table.range())
            .field("free_blocks", &self.areas.free_blocks())
            .finish()
    }
}

/// The word of an allocated block's head, or what the frame is instead.
#[inline]
pub(crate) fn allocated(table: Table<'_>, index: Index, frame: &Frame) -> Result<Allocated, PageError> {
    match frame.state() {
        State::Allocated(word) => Ok(word),
        State::Silent | State::Vacant => Err(unallocated(table, index)),
    }
}

/// What the silent frame at `index` is: inside an allocated block, or free. A snapshot, if nobody holds the lock.
#[cold]
pub(crate) fn unallocated(table: Table<'_>, index: Index) -> PageError {
    let pfn = table.pfn(index).get();
    for order in Order::all().skip(1) {
        // Where a block of this order that has the frame in it would start.
        let Ok((_, head)) = table.find(Pfn::new(pfn & !(order.pages() - 1))) else { break };
        if let State::Allocated(word) = head.state()
            && word.order() >= order
        {
            return PageError::Tail;
        }
    }
    PageError::Free
}
