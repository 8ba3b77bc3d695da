//! The free areas: where the free blocks of each order are; and before them a few that were freed last and are not
//! coalesced yet.
//!
//! ```text
//! kept      order 0: 5 9 12 …   order 1: …         rings, right behind the lock                      (coalesce)
//! ───────────────────────────────────────────
//! nonempty  0 … 0 1 0 1          one bit a class: the smallest that will do is one count of zeros away
//!                 │   │
//! heads     …     2   0          a doubly linked list of chunks a class, links in the frame table
//!                 │   └───► chunk 7 ◄──► chunk 3      each with single free frames, and nothing larger   (chunk)
//!                 └───────► chunk 4                   with four in a row, aligned
//! ```
//!
//! A class below 5 is the order of a chunk's largest free block; 5 and above, the order of the free block that starts
//! with that chunk. Every operation changes one chunk's words, and the links of its neighbours if its class changes.

use crate::chunk::{self, Chunks, Link};
use crate::coalesce::{Coalesce, KEPT_ORDERS, sealed::Kept};
use crate::pfn::{NR_ORDERS, Order};
use crate::word::Index;

/// The rings, and the heads of the lists.
///
/// # Invariants
///
/// I4 and I5 of the [`algorithm`](crate::algorithm) module, and: bit `c` of `nonempty` is set if and only if `heads[c]` is not
/// the end.
#[repr(C)] // what a pair of calls touches comes first, next to the lock
pub(crate) struct FreeAreas<C: Coalesce> {
    kept: C::Kept,
    nonempty: u32,
    /// Free frames, but for those in the rings.
    free_pages: u32,
    heads: [Link; NR_ORDERS],
    tails: [Link; NR_ORDERS],
}

impl<C: Coalesce> FreeAreas<C> {
    /// No free block.
    pub(crate) const EMPTY: Self = Self {
        kept: C::Kept::EMPTY,
        nonempty: 0,
        free_pages: 0,
        heads: [Link::END; NR_ORDERS],
        tails: [Link::END; NR_ORDERS],
    };

    /// Free frames, coalesced or not.
    pub(crate) fn free_pages(&self) -> usize {
        let kept: usize = Order::all().map(|order| self.kept(order) << order.get()).sum();
        self.free_pages as usize + kept
    }

    /// The counter alone, for the referee.
    pub(crate) const fn counted_pages(&self) -> usize {
        self.free_pages as usize
    }

    /// Blocks of `order` that are kept unmerged.
    #[inline]
    pub(crate) fn kept(&self, order: Order) -> usize {
        if Self::keeps(order) { self.kept.len(usize::from(order.get())) } else { 0 }
    }

    /// The `nth` oldest block of `order` that is kept.
    pub(crate) fn kept_block(&self, order: Order, nth: usize) -> Option<Index> {
        if Self::keeps(order) { self.kept.nth(usize::from(order.get()), nth).map(index) } else { None }
    }

    /// Whether the policy keeps blocks of `order`.
    #[inline]
    pub(crate) const fn keeps(order: Order) -> bool {
        C::Kept::CAPACITY > 0 && (order.get() as usize) < KEPT_ORDERS
    }

    /// The first chunk of a class.
    pub(crate) const fn head(&self, class: Order) -> Link {
        self.heads[class.get() as usize]
    }

    /// The last chunk of a class.
    pub(crate) const fn tail(&self, class: Order) -> Link {
        self.tails[class.get() as usize]
    }

    /// What the mask says of the list of `class`.
    pub(crate) const fn says_nonempty(&self, class: Order) -> bool {
        self.nonempty >> class.get() & 1 == 1
    }

    /// Takes the block of `order` to be reused next out of those kept.
    #[inline]
    pub(crate) fn reuse(&mut self, order: Order) -> Option<Index> {
        if !Self::keeps(order) {
            return None;
        }
        let order = usize::from(order.get());
        if C::OLDEST_FIRST { self.kept.pop_front(order) } else { self.kept.pop_back(order) }.map(index)
    }

    /// Takes the oldest block of `order` out of those kept.
    #[inline]
    pub(crate) fn oldest(&mut self, order: Order) -> Option<Index> {
        if Self::keeps(order) { self.kept.pop_front(usize::from(order.get())).map(index) } else { None }
    }

    /// Whether there is room for one more block of `order` among those kept.
    #[inline]
    pub(crate) fn has_room(&self, order: Order) -> bool {
        self.kept(order) < C::Kept::CAPACITY
    }

    /// Keeps the free block of `order` at `index` as it is. There is room.
    #[inline]
    pub(crate) fn keep(&mut self, index: Index, order: Order) {
        debug_assert!(Self::keeps(order) && self.has_room(order));
        // INVARIANT: I4: in a ring, and nowhere else.
        self.kept.push(usize::from(order.get()), index.get() as u32);
    }

    /// The smallest class, at least `order`, of which there is a chunk, and the first one of these.
    #[inline]
    pub(crate) fn smallest(&self, order: Order) -> Option<(Order, usize)> {
        let candidates = self.nonempty >> order.get();
        if candidates == 0 {
            return None;
        }
        let class = Order::new(order.get() + candidates.trailing_zeros() as u8)?;
        Some((class, self.head(class).chunk()?))
    }

    /// So many frames have become free, or, negative, have been taken.
    #[inline]
    pub(crate) fn count(&mut self, pages: isize) {
        self.free_pages = self.free_pages.wrapping_add_signed(pages as i32);
    }

    /// Changes the free frames of chunk `at`, of class `from` until now: neither all of them before, nor after.
    #[inline]
    pub(crate) fn set_free(&mut self, chunks: Chunks<'_>, at: usize, from: Option<Order>, free: u32) {
        debug_assert!(free != chunk::ALL);
        chunks.at(at).set_free(free);
        let to = chunk::class(free);
        if from != to {
            self.relist(chunks, at, from, to);
        }
    }

    /// Moves chunk `at` from the list of one class to that of another.
    fn relist(&mut self, chunks: Chunks<'_>, at: usize, from: Option<Order>, to: Option<Order>) {
        if let Some(class) = from {
            self.unlist(chunks, at, class);
        }
        if let Some(class) = to {
            self.list(chunks, at, class);
        }
    }

    /// Puts chunk `at` on the list of `class`.
    #[inline]
    pub(crate) fn list(&mut self, chunks: Chunks<'_>, at: usize, class: Order) {
        let c = usize::from(class.get());
        let chunk = chunks.at(at);
        chunk.set_class(Some(class));
        // INVARIANT: I5: it links to its neighbour, and back.
        let (prev, next) = match self.tails[c] {
            last if C::OLDEST_FIRST && self.heads[c] != Link::END => (last, Link::END),
            _ => (Link::END, self.heads[c]),
        };
        chunk.set_prev(prev);
        chunk.set_next(next);
        match prev.chunk() {
            Some(prev) => chunks.at(prev).set_next(Link::to(at)),
            None => self.heads[c] = Link::to(at),
        }
        match next.chunk() {
            Some(next) => chunks.at(next).set_prev(Link::to(at)),
            None => self.tails[c] = Link::to(at),
        }
        self.nonempty |= 1 << c;
    }

    /// Takes chunk `at` off the list of `class`.
    #[inline]
    pub(crate) fn unlist(&mut self, chunks: Chunks<'_>, at: usize, class: Order) {
        let c = usize::from(class.get());
        let chunk = chunks.at(at);
        let (prev, next) = (chunk.prev(), chunk.next());
        chunk.set_class(None);
        // INVARIANT: I5: the neighbours link to each other.
        match prev.chunk() {
            Some(prev) => chunks.at(prev).set_next(next),
            None => {
                self.heads[c] = next;
                if next == Link::END {
                    self.nonempty &= !(1 << c);
                }
            }
        }
        match next.chunk() {
            Some(next) => chunks.at(next).set_prev(prev),
            None => self.tails[c] = prev,
        }
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

    /// For the referee's tests: says that a list ends there.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn set_tail_unchecked(&mut self, class: Order, tail: Link) {
        self.tails[class.get() as usize] = tail;
    }

    /// For the referee's tests: flips bits of the mask, and adds to the counter.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn miscount(&mut self, mask: u32, pages: u32) {
        self.nonempty ^= mask;
        self.free_pages += pages;
    }
}

#[inline]
const fn index(index: u32) -> Index {
    Index::new(index as usize)
}
