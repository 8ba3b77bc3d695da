//! The buddy allocator itself: pure, by `&mut`, with no lock and no knowledge of one.
//!
//! A free block is split until it fits and coalesced with its buddy whenever that is free too. Below, 8
//! frames from frame 8 on, as two calls change them (`F` the head of a free block, `A` of an allocated one,
//! with its order; `.` a tail):
//!
//! ```text
//! frame           8  9 10 11 12 13 14 15
//!                F3  .  .  .  .  .  .  .
//! alloc order 0  A0 F0 F1  . F2  .  .  .      extract: 8 split off 12, then 10, then 9
//! free 8         F3  .  .  .  .  .  .  .      attach: 8 coalesced with 9, then 10, then 12
//! ```
//!
//! # Invariants
//!
//! They hold whenever the lock that guards the free areas is free. Cited by number everywhere else.
//!
//! * **I1** A head of order `o` lies at a multiple of `1 << o` in physical frame numbers, and its block is
//!   inside the range.
//! * **I2** Tails are silent: the frames of a block behind its head all say `Tail`.
//! * **I3** Blocks partition the range: every frame is in exactly one.
//! * **I4** A block is on the free list of order `o` if and only if its head says `Free`, order `o`.
//! * **I5** Lists are well-formed: `next` and `prev` are inverse, and they end.
//! * **I6** No two buddies of equal order are both free: coalescing is eager.
//! * **I7** Nothing is lost: free and allocated frames (the reserved ones count as allocated) are all frames,
//!   and the counters agree with the words.
//!
//! # Cost
//!
//! Allocating (`extract`) and freeing (`attach`) take at most [`MAX_ORDER`](crate::MAX_ORDER)
//! steps, each of which touches the words of one buddy and of its neighbours on a list. No page is touched.
//!
//! After the binary buddy system: K. C. Knowlton, "A fast storage allocator", CACM 8(10), 1965; D. E. Knuth,
//! TAOCP volume 1, section 2.5.

use crate::check::{self, Census};
use crate::error::{AllocError, CheckError, InitError, PageError};
use crate::frame::{Allocated, Frame, Holder, Index, State};
use crate::free_area::FreeAreas;
use crate::pfn::{NR_ORDERS, Order, Pfn, PfnRange};
use crate::table::Table;

/// Somebody got a reference to the block just now, so that it is not free after all.
pub(crate) struct Lost;

impl FreeAreas {
    /// The free areas of a table just claimed, all of whose words say `Tail`: `reserved` frames allocated one
    /// by one, the rest free in the largest blocks that alignment allows, lowest address first on each list.
    pub(crate) fn fill(table: Table<'_>, reserved: usize) -> Self {
        for index in 0..reserved {
            table.frame(Index::new(index)).set_allocated(Allocated::new(Order::ZERO, Holder::Number));
        }
        let mut areas = Self::EMPTY;
        let start = table.range().start().get();
        // From the top down, so that the lowest block is pushed last and comes first.
        let mut end = table.len();
        while end > reserved {
            // I1: where an aligned block may end, one of the same order may start.
            let fits = |order: &Order| end - reserved >= order.pages() && Pfn::new(start + end).is_aligned(*order);
            let order = Order::all().rev().find(fits).unwrap_or(Order::ZERO);
            end -= order.pages();
            areas.push(table, Index::new(end), order);
        }
        areas
    }

    /// Takes a block of `order` out of the free areas, splitting the smallest one that is large enough.
    #[inline]
    pub(crate) fn extract(&mut self, table: Table<'_>, order: Order, holder: Holder) -> Result<Index, AllocError> {
        let (found, index) = self.smallest(order).ok_or(AllocError::OutOfMemory)?;
        self.unlink(table, index, found);
        let mut size = found;
        while size > order {
            let Some(half) = size.down() else { break };
            // INVARIANT: I1, I3: the upper half of an aligned block is one, too. I6: the lower half is about
            // to be split or allocated.
            self.push(table, Index::new(index.get() + half.pages()), half);
            size = half;
        }
        // INVARIANT: I4: off the list above.
        table.frame(index).set_allocated(Allocated::new(order, holder));
        Ok(index)
    }

    /// Puts the allocated block at `index`, whose only reference is the caller's, back into the free areas, coalesced
    /// with every buddy that is free. Nobody else can change its word.
    #[inline]
    pub(crate) fn attach(&mut self, table: Table<'_>, index: Index, order: Order) {
        let mut start = index;
        let mut size = order;
        while let Some((up, buddy)) = free_buddy(table, start, size) {
            self.unlink(table, buddy, size);
            // INVARIANT: I2: the upper one of the two heads becomes a tail. The lower one's word is left to
            // the next step or to `push`.
            table.frame(start.max(buddy)).set_tail();
            start = start.min(buddy);
            size = up;
        }
        // INVARIANT: I4, I6.
        self.push(table, start, size);
    }

    /// As [`attach`](Self::attach), where somebody may get a reference at any time, without the lock.
    ///
    /// What the block will merge with is found first and read-only; then `release` makes the head's word its *final*
    /// one, `Free` of that order or, for `None`, `Tail`, and only if that succeeded are the lists touched.
    ///
    /// # Errors
    ///
    /// [`Lost`] if `release` failed: somebody got a reference. Nothing has been changed.
    #[inline]
    pub(crate) fn attach_if(
        &mut self,
        table: Table<'_>,
        index: Index,
        order: Order,
        release: impl FnOnce(&Frame, Option<Order>) -> bool,
    ) -> Result<(), Lost> {
        let mut start = index;
        let mut size = order;
        while let Some((up, buddy)) = free_buddy(table, start, size) {
            start = start.min(buddy);
            size = up;
        }
        if !release(table.frame(index), (start == index).then_some(size)) {
            return Err(Lost);
        }
        // The same walk again, now with the right to change what it finds.
        self.attach(table, index, order);
        Ok(())
    }

    /// Makes the allocated block at `index` into blocks of order 0, each with one reference. The head's own
    /// word has been changed already.
    pub(crate) fn scatter(table: Table<'_>, index: Index, order: Order, holder: Holder) {
        for tail in 1..order.pages() {
            // INVARIANT: I1: order 0 is aligned everywhere. I3: the block's frames, each now its own block.
            table.frame(Index::new(index.get() + tail)).set_allocated(Allocated::new(Order::ZERO, holder));
        }
    }
}

/// The buddy of the block of `order` at `index` if it is a free block of the same order, and the order of the
/// two together.
#[inline]
fn free_buddy(table: Table<'_>, index: Index, order: Order) -> Option<(Order, Index)> {
    let up = order.up()?;
    let buddy = table.buddy(index, order)?;
    // By I1 and I3, "free, of equal order" at the buddy's first frame implies all of the buddy.
    table.frame(buddy).is_free(order).then_some((up, buddy))
}

/// The buddy allocator alone, for code that brings its own lock and its own reference counts. Most want
/// [`HypPool`](crate::HypPool).
///
/// Every allocated block has one owner, who frees it.
///
/// ```
/// use hyp_pool::{Buddy, Frame, Pfn, PfnRange};
///
/// let table = [const { Frame::VACANT }; 64];
/// let mut buddy = Buddy::with_table(&table, PfnRange::new(Pfn::new(0x100), 64), 0)?;
/// let block = buddy.alloc(3)?;
/// assert_eq!(block, Pfn::new(0x100));
/// buddy.free(block)?;
/// assert_eq!(buddy.free_pages(), 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Buddy<'t> {
    table: Table<'t>,
    areas: FreeAreas,
}

impl<'t> Buddy<'t> {
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
        let word = allocated(frame)?;
        self.areas.attach(self.table, index, word.order());
        Ok(())
    }

    /// Free frames, in blocks of any order.
    #[must_use]
    pub fn free_pages(&self) -> usize {
        self.areas.free_pages()
    }

    /// Free blocks of each order.
    #[must_use]
    pub fn free_blocks(&self) -> [usize; NR_ORDERS] {
        free_blocks(&self.areas)
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

impl Drop for Buddy<'_> {
    fn drop(&mut self) {
        self.table.vacate();
    }
}

impl core::fmt::Debug for Buddy<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Buddy").field("range", &self.table.range()).field("areas", &self.areas).finish()
    }
}

/// The word of an allocated block's head, or what the frame is instead.
#[inline]
pub(crate) fn allocated(frame: &Frame) -> Result<Allocated, PageError> {
    match frame.state() {
        State::Allocated(word) => Ok(word),
        State::Free { .. } => Err(PageError::Free),
        State::Tail => Err(PageError::Tail),
        State::Vacant => Err(PageError::OutOfRange),
    }
}

pub(crate) fn free_blocks(areas: &FreeAreas) -> [usize; NR_ORDERS] {
    let mut blocks = [0; NR_ORDERS];
    for order in Order::all() {
        blocks[order.get() as usize] = areas.blocks(order);
    }
    blocks
}
