//! The free areas: for every order the set of its free blocks, as bits in the frame table; and before them a few
//! blocks that were freed last and are not coalesced yet.
//!
//! ```text
//! kept      order 0: 5 9 12 …   order 1: …         rings, on the lock's own cache line    (coalesce)
//! ───────────────────────────────────────────
//! nonempty  0 … 0 1 0 1          one bit an order: the smallest order that will do is one count of zeros away
//! blocks    …     2   7          how many of each order
//! trees     …     │   └──► order 0: 0…010 0…0110   bit n: the block n of this order is free (bit_tree)
//!                 └──────► order 2: …
//! ```
//!
//! A block's number within its order is its frame number divided by its size, counted from an even one at or below
//! the start of the range: so a block and its buddy are two neighbouring bits of one word. Free blocks have no link,
//! in the page or beside it; a free frame's word is silent.

use crate::bit_tree::{END, Links};
use crate::coalesce::{Coalesce, KEPT_ORDERS, sealed::Kept};
use crate::frame::Index;
use crate::pfn::{NR_ORDERS, Order};
use crate::table::Table;

/// The rings, the mask, and how many blocks there are in each tree. The trees are in the table.
///
/// # Invariants
///
/// I4 and I5 of the [`buddy`](crate::buddy) module, and: bit `o` of `nonempty` is set if and only if `blocks[o]` is
/// not 0.
#[repr(C)] // what a pair of calls touches comes first, next to the lock
pub(crate) struct FreeAreas<C: Coalesce> {
    kept: C::Kept,
    nonempty: u32,
    blocks: [u32; NR_ORDERS],
    /// Where the tree of each order starts in the table's words for trees. Written once.
    starts: [u32; NR_ORDERS],
}

/// Words that the trees of a pool of `nr_pages` frames need, wherever it starts.
pub(crate) const fn tree_words(nr_pages: usize) -> usize { 2 * nr_pages }

impl<C: Coalesce> FreeAreas<C> {
    /// No free block, and no tree.
    pub(crate) const EMPTY: Self =
        Self { kept: C::Kept::EMPTY, nonempty: 0, blocks: [0; NR_ORDERS], starts: [0; NR_ORDERS] };

    pub(crate) fn new(_: Table<'_>) -> Self { Self::EMPTY }

    /// Free frames, coalesced or not.
    pub(crate) fn free_pages(&self) -> usize {
        Order::all().map(|order| (self.blocks(order) + self.kept(order)) << order.get()).sum()
    }

    /// Free blocks of `order` in its tree.
    #[inline]
    pub(crate) const fn blocks(&self, order: Order) -> usize {
        self.blocks[order.get() as usize] as usize
    }

    /// Blocks of `order` that are kept unmerged.
    #[inline]
    pub(crate) fn kept(&self, order: Order) -> usize {
        if self.keeps(order) { self.kept.len(usize::from(order.get())) } else { 0 }
    }

    /// The `nth` oldest block of `order` that is kept.
    pub(crate) fn kept_block(&self, order: Order, nth: usize) -> Option<Index> {
        let block = if self.keeps(order) { self.kept.nth(usize::from(order.get()), nth) } else { None };
        block.map(|index| Index::new(index as usize))
    }

    /// Whether the policy keeps blocks of `order`.
    #[inline]
    #[expect(clippy::unused_self, reason = "reads like the others")]
    pub(crate) const fn keeps(&self, order: Order) -> bool {
        C::Kept::CAPACITY > 0 && (order.get() as usize) < KEPT_ORDERS
    }

    /// What the mask says of the tree of `order`.
    pub(crate) const fn says_nonempty(&self, order: Order) -> bool {
        self.nonempty >> order.get() & 1 == 1
    }

    /// Takes the block of `order` to be reused next out of those kept.
    #[inline]
    pub(crate) fn reuse(&mut self, order: Order) -> Option<Index> {
        if !self.keeps(order) {
            return None;
        }
        let order = usize::from(order.get());
        let block = if C::OLDEST_FIRST { self.kept.pop_front(order) } else { self.kept.pop_back(order) };
        block.map(|index| Index::new(index as usize))
    }

    /// Takes the oldest block of `order` out of those kept.
    #[inline]
    pub(crate) fn oldest(&mut self, order: Order) -> Option<Index> {
        let block = if self.keeps(order) { self.kept.pop_front(usize::from(order.get())) } else { None };
        block.map(|index| Index::new(index as usize))
    }

    /// Whether there is room for one more block of `order` among those kept.
    #[inline]
    pub(crate) fn has_room(&self, order: Order) -> bool {
        self.kept(order) < C::Kept::CAPACITY
    }

    /// Keeps the free block of `order` at `index` as it is. There is room.
    #[inline]
    pub(crate) fn keep(&mut self, index: Index, order: Order) {
        debug_assert!(self.keeps(order) && self.has_room(order));
        // INVARIANT: I4: in a ring, and in no tree.
        self.kept.push(usize::from(order.get()), index.get() as u32);
    }

    #[inline]
    pub(crate) fn smallest(&self, _: Table<'_>, order: Order) -> Option<(Order, Index)> {
        let candidates = self.nonempty >> order.get();
        if candidates == 0 {
            return None;
        }
        let found = Order::new(order.get() + candidates.trailing_zeros() as u8)?;
        Some((found, Index::new(self.starts[usize::from(found.get())] as usize)))
    }

    #[inline]
    pub(crate) fn insert(&mut self, table: Table<'_>, index: Index, order: Order) {
        let links = Links(table.trees(0));
        let o = usize::from(order.get());
        let first = if self.blocks[o] == 0 { END } else { self.starts[o] };
        links.set_prev(index.get(), order.get(), END);
        links.set_next(index.get(), first);
        if first != END {
            links.set_prev(first as usize, order.get(), index.get() as u32);
        }
        self.starts[o] = index.get() as u32;
        self.count(order, 1);
    }

    #[inline]
    pub(crate) fn remove(&mut self, table: Table<'_>, index: Index, order: Order) {
        let links = Links(table.trees(0));
        let o = usize::from(order.get());
        let (prev, next) = (links.prev(index.get()), links.next(index.get()));
        links.set_out(index.get());
        if prev == END { self.starts[o] = next } else { links.set_next(prev as usize, next) }
        if next != END { links.set_prev(next as usize, order.get(), prev) }
        self.count(order, -1);
    }

    #[inline]
    pub(crate) fn remove_buddy(&mut self, table: Table<'_>, index: Index, order: Order) -> Option<Index> {
        let buddy = table.pfn(index).buddy(order).get().wrapping_sub(table.base().get());
        if buddy >= table.len() || !Links(table.trees(0)).is_free(buddy, order.get()) {
            return None;
        }
        self.remove(table, Index::new(buddy), order);
        Some(Index::new(buddy))
    }

    pub(crate) fn contains(&self, table: Table<'_>, index: Index, order: Order) -> bool {
        Links(table.trees(0)).is_free(index.get(), order.get())
    }

    pub(crate) fn census(&self, _: Table<'_>, order: Order) -> Option<usize> {
        Some(self.blocks(order))
    }

    #[inline]
    fn count(&mut self, order: Order, change: i32) {
        let blocks = &mut self.blocks[usize::from(order.get())];
        *blocks = blocks.wrapping_add_signed(change);
        let bit = 1 << order.get();
        self.nonempty = if *blocks == 0 { self.nonempty & !bit } else { self.nonempty | bit };
    }

    /// For the referee's tests: flips bits of the mask, and adds to the counter of blocks of order 0.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn miscount(&mut self, mask: u32, blocks: u32) {
        self.nonempty ^= mask;
        self.blocks[0] += blocks;
    }
}

