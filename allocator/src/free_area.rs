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

use crate::bit_tree::{self, BitTree};
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
pub(crate) const fn tree_words(nr_pages: usize) -> usize {
    let mut sum = 0;
    let mut order = 0;
    while order < NR_ORDERS {
        sum += bit_tree::words(most_blocks(nr_pages, order));
        order += 1;
    }
    sum
}

/// Numbers in the tree of `order`: whole blocks, one cut off at each end, and one to make the first number even.
#[inline]
const fn most_blocks(nr_pages: usize, order: usize) -> usize {
    (nr_pages >> order).saturating_add(3)
}

impl<C: Coalesce> FreeAreas<C> {
    /// No free block, and no tree.
    pub(crate) const EMPTY: Self =
        Self { kept: C::Kept::EMPTY, nonempty: 0, blocks: [0; NR_ORDERS], starts: [0; NR_ORDERS] };

    /// No free block, in a table just claimed, whose trees are empty.
    pub(crate) fn new(table: Table<'_>) -> Self {
        let mut areas = Self::EMPTY;
        let mut start = 0;
        for order in 0..NR_ORDERS {
            areas.starts[order] = start;
            start += bit_tree::words(most_blocks(table.len(), order)) as u32;
        }
        areas
    }

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

    /// The smallest order, at least `order`, of which there is a block in a tree, and the first one of these.
    #[inline]
    pub(crate) fn smallest(&self, table: Table<'_>, order: Order) -> Option<(Order, Index)> {
        let candidates = self.nonempty >> order.get();
        if candidates == 0 {
            return None;
        }
        let found = Order::new(order.get() + candidates.trailing_zeros() as u8)?;
        let set = self.set(table, found);
        Some((found, set.index(set.tree.first()?)))
    }

    /// Puts the free block of `order` at `index` into its tree.
    #[inline]
    pub(crate) fn insert(&mut self, table: Table<'_>, index: Index, order: Order) {
        let set = self.set(table, order);
        set.tree.insert(set.number(index));
        self.count(order, 1);
    }

    /// Takes the free block of `order` at `index` out of its tree.
    #[inline]
    pub(crate) fn remove(&mut self, table: Table<'_>, index: Index, order: Order) {
        let set = self.set(table, order);
        set.tree.remove(set.number(index));
        self.count(order, -1);
    }

    /// Takes the buddy of the block of `order` at `index` out of its tree, if it is there, and tells where it is.
    #[inline]
    pub(crate) fn remove_buddy(&mut self, table: Table<'_>, index: Index, order: Order) -> Option<Index> {
        let set = self.set(table, order);
        let buddy = set.number(index) ^ 1;
        // A buddy that is not in the range, or not all of it, is in no tree (I1).
        if !set.tree.contains(buddy) {
            return None;
        }
        set.tree.remove(buddy);
        self.count(order, -1);
        Some(set.index(buddy))
    }

    /// Whether the block of `order` at `index`, aligned to it, is in its tree.
    pub(crate) fn contains(&self, table: Table<'_>, index: Index, order: Order) -> bool {
        let set = self.set(table, order);
        set.tree.contains(set.number(index))
    }

    /// Blocks in the tree of `order`, counted there, if all its levels agree.
    pub(crate) fn census(&self, table: Table<'_>, order: Order) -> Option<usize> {
        self.set(table, order).tree.count()
    }

    #[inline]
    fn count(&mut self, order: Order, change: i32) {
        let blocks = &mut self.blocks[usize::from(order.get())];
        *blocks = blocks.wrapping_add_signed(change);
        let bit = 1 << order.get();
        self.nonempty = if *blocks == 0 { self.nonempty & !bit } else { self.nonempty | bit };
    }

    #[inline]
    fn set<'t>(&self, table: Table<'t>, order: Order) -> Set<'t> {
        let start = self.starts[usize::from(order.get())] as usize;
        let numbers = most_blocks(table.len(), usize::from(order.get()));
        let base = table.base().get();
        // Even: a block and its buddy are the numbers 2n and 2n + 1.
        Set { tree: BitTree::new(table.trees(start), numbers), base, origin: base >> order.get() & !1, order }
    }

    /// For the test of the layout: where the ring of order 0 ends, and where all of them do.
    #[cfg(all(test, not(loom)))]
    pub(crate) const KEPT_ENDS: [usize; 2] = {
        let kept = core::mem::offset_of!(Self, kept);
        [kept + C::Kept::FIRST_ENDS, kept + size_of::<C::Kept>()]
    };

    /// For the referee's tests: keeps a block that no ring may have.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn keep_unchecked(&mut self, index: usize, order: Order) {
        self.kept.push(usize::from(order.get()), index as u32);
    }

    /// For the referee's tests: flips bits of the mask, and adds to the counter of blocks of order 0.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn miscount(&mut self, mask: u32, blocks: u32) {
        self.nonempty ^= mask;
        self.blocks[0] += blocks;
    }
}

/// A tree, and which blocks its numbers stand for.
struct Set<'t> {
    tree: BitTree<'t>,
    base: usize,
    origin: usize,
    order: Order,
}

impl Set<'_> {
    #[inline]
    const fn number(&self, index: Index) -> usize {
        (self.base.wrapping_add(index.get()) >> self.order.get()) - self.origin
    }

    #[inline]
    const fn index(&self, number: usize) -> Index {
        // INVARIANT: I1: a block in a tree starts at a frame of the range.
        Index::new(((number + self.origin) << self.order.get()).wrapping_sub(self.base))
    }
}
