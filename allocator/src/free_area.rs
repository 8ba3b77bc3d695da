//! The free areas: for every order the list of the heads of its free blocks, most recently freed first.
//!
//! ```text
//! nonempty  0 … 0 1 0 1          one bit an order: the smallest order that will do is one count of zeros away
//!                 │   │
//! heads     …     2   0          one index an order
//!                 │   └───► frame 5 ◄──► frame 9 ──► END
//!                 └───────► frame 12 ──► END        links in the frames' words, never in the pages
//! ```
//!
//! Every operation is O(1) and touches the words of one block and of its neighbours on the list.

use crate::frame::{Index, Link};
use crate::pfn::{NR_ORDERS, Order};
use crate::table::Table;

/// The lists, and how long each is.
///
/// # Invariants
///
/// I4 and I5 of the [`buddy`](crate::buddy) module, and: bit `o` of `nonempty` is set if and only if
/// `heads[o]` is not the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FreeAreas {
    nonempty: u32,
    free_pages: u32,
    heads: [Link; NR_ORDERS],
    blocks: [u32; NR_ORDERS],
}

impl FreeAreas {
    /// No free block.
    pub(crate) const EMPTY: Self =
        Self { nonempty: 0, free_pages: 0, heads: [Link::END; NR_ORDERS], blocks: [0; NR_ORDERS] };

    #[inline]
    pub(crate) const fn free_pages(&self) -> usize {
        self.free_pages as usize
    }

    #[inline]
    pub(crate) const fn blocks(&self, order: Order) -> usize {
        self.blocks[order.get() as usize] as usize
    }

    /// The most recently freed block of `order`.
    #[inline]
    pub(crate) const fn head(&self, order: Order) -> Link {
        self.heads[order.get() as usize]
    }

    /// What the mask says of the list of `order`.
    pub(crate) const fn says_nonempty(&self, order: Order) -> bool {
        self.nonempty >> order.get() & 1 == 1
    }

    /// The smallest order, at least `order`, of which there is a free block, and the most recently freed one.
    #[inline]
    pub(crate) fn smallest(&self, order: Order) -> Option<(Order, Index)> {
        let candidates = self.nonempty >> order.get();
        if candidates == 0 {
            return None;
        }
        let found = Order::new(order.get() + candidates.trailing_zeros() as u8)?;
        Some((found, self.head(found).index()?))
    }

    /// Makes the block of `order` at `index` the first on its list: its word becomes `Free`.
    #[inline]
    pub(crate) fn push(&mut self, table: Table<'_>, index: Index, order: Order) {
        let o = order.get() as usize;
        let first = self.heads[o];
        let frame = table.frame(index);
        // INVARIANT: I4, I5: the new first links to the old first and back.
        frame.set_free(order, Link::END);
        frame.set_next(first);
        if let Some(first) = first.index() {
            table.frame(first).set_free(order, Link::to(index));
        }
        self.heads[o] = Link::to(index);
        self.nonempty |= 1 << o;
        self.blocks[o] += 1;
        self.free_pages += order.pages() as u32;
    }

    /// Takes the free block of `order` at `index` off its list. Its word still says `Free`: the caller knows
    /// what it becomes.
    #[inline]
    pub(crate) fn unlink(&mut self, table: Table<'_>, index: Index, order: Order) {
        let o = order.get() as usize;
        let frame = table.frame(index);
        let next = frame.next();
        let prev = frame.prev();
        // INVARIANT: I5: the neighbours link to each other.
        match prev.index() {
            Some(prev) => table.frame(prev).set_next(next),
            None => {
                self.heads[o] = next;
                if next == Link::END {
                    self.nonempty &= !(1 << o);
                }
            }
        }
        if let Some(next) = next.index() {
            table.frame(next).set_free(order, prev);
        }
        self.blocks[o] -= 1;
        self.free_pages -= order.pages() as u32;
    }

    /// For the referee's tests: flips bits of the mask, and adds to the counters of pages and of blocks of order 0.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn miscount(&mut self, mask: u32, pages: u32, blocks: u32) {
        self.nonempty ^= mask;
        self.free_pages += pages;
        self.blocks[0] += blocks;
    }
}
