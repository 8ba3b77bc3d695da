//! The state of one page frame in one atomic word. Nothing else in the crate knows the bits.
//!
//! ```text
//!  31 30 29     26 25 24                                   0
//! +-----+---------+--+-------------------------------------+
//! | 00  |                        0                         |  Vacant     no pool has claimed this word
//! | 01  |  order  |          previous free head            |  Free       head of a free block
//! | 10  |  order  |H |               count                 |  Allocated  head of an allocated block, count >= 1
//! | 11  |                        0                         |  Tail       inside a block
//! +-----+---------+--+-------------------------------------+
//!                  H: held by handles; calls by frame number are refused
//! ```
//!
//! A count exists in `Allocated` alone, where it is at least 1: *"count 0 but on no free list" cannot be
//! written down*. It is the state that Linux's `hyp_pool` passed through between two critical sections,
//! and that its lock-free successor brought back.
//!
//! | before → after | by | how |
//! |---|---|---|
//! | `Vacant → Tail` | claiming the table | compare-exchange, no lock |
//! | `Tail → Free`, `Tail → Allocated` | init, split | store under the lock |
//! | `Free → Allocated`, `Free → Tail`, `Free → Free` | alloc; merging; list links | store under the lock: nobody else writes a word that is not `Allocated` |
//! | `Allocated → Allocated` (count, H, order) | get, non-final put, adopt, split | `Atomic`: compare-exchange. `Merged`: store under the lock |
//! | `Allocated → Free`, `Allocated → Tail` | final put | under the lock; `Atomic`: compare-exchange |
//! | any → `Vacant` | dropping the pool | store, `&mut` |
//!
//! The second word of a frame is the free list's `next`. It means something only in the head of a free
//! block and only under the lock.

use crate::pfn::Order;
use crate::sync::{Access, AtomicU32, Ordering};

const STATE_SHIFT: u32 = 30;
const ORDER_SHIFT: u32 = 26;
const LINK_MASK: u32 = (1 << ORDER_SHIFT) - 1;
const HELD_BIT: u32 = 1 << 25;
const COUNT_MASK: u32 = HELD_BIT - 1;

const VACANT: u32 = 0;
const FREE: u32 = 1;
const ALLOCATED: u32 = 2;
const TAIL: u32 = 3;

const _: () = assert!(Order::MAX.get() < 1 << (STATE_SHIFT - ORDER_SHIFT));

/// The most frames that a table may have: an index must fit a link. 256 GiB of 4 KiB pages.
pub(crate) const MAX_FRAMES: usize = LINK_MASK as usize;

/// The count at which a block is pinned: it stays allocated for ever.
const PINNED: u32 = COUNT_MASK;

/// The highest count that a get may reach, 33 554 430. A clone of a handle beyond it pins the block.
pub const MAX_COUNT: u32 = PINNED - 1;

/// A frame's place in its table.
///
/// # Invariants
///
/// At most [`MAX_FRAMES`] − 1, so that it fits a link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(transparent)]
pub(crate) struct Index(u32);

impl Index {
    /// `index`, which is inside a table.
    #[inline]
    pub(crate) const fn new(index: usize) -> Self {
        debug_assert!(index < MAX_FRAMES);
        Self(index as u32)
    }

    #[inline]
    pub(crate) const fn get(self) -> usize {
        self.0 as usize
    }
}

/// A link of a free list: the head of another free block, or the end. One word, all ones for the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub(crate) struct Link(u32);

impl Link {
    pub(crate) const END: Self = Self(LINK_MASK);

    #[inline]
    pub(crate) const fn to(index: Index) -> Self {
        Self(index.0)
    }

    #[inline]
    pub(crate) const fn index(self) -> Option<Index> {
        if self.0 == LINK_MASK { None } else { Some(Index(self.0)) }
    }
}

/// Who refers to an allocated block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holder {
    /// Code that remembers the frame number and calls `get_page` and `put_page`.
    Number,
    /// [`PageRef`](crate::PageRef)s.
    Handle,
}

/// What a word says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Vacant,
    Free { order: Order, prev: Link },
    Allocated(Allocated),
    Tail,
}

/// The word of an allocated block's head, decoded no further than needed.
///
/// # Invariants
///
/// The state bits say `Allocated` and the count is at least 1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allocated(u32);

impl Allocated {
    #[inline]
    pub(crate) const fn new(order: Order, holder: Holder) -> Self {
        let held = match holder {
            Holder::Number => 0,
            Holder::Handle => HELD_BIT,
        };
        // INVARIANT: the state is Allocated, the count 1.
        Self(ALLOCATED << STATE_SHIFT | (order.get() as u32) << ORDER_SHIFT | held | 1)
    }

    #[inline]
    pub(crate) const fn order(self) -> Order {
        order_of(self.0)
    }

    #[inline]
    pub(crate) const fn count(self) -> u32 {
        self.0 & COUNT_MASK
    }

    #[inline]
    pub(crate) const fn holder(self) -> Holder {
        if self.0 & HELD_BIT == 0 { Holder::Number } else { Holder::Handle }
    }

    #[inline]
    pub(crate) const fn is_pinned(self) -> bool {
        self.count() == PINNED
    }

    /// One reference more, or `None` at [`MAX_COUNT`] and for a pinned block.
    #[inline]
    pub(crate) const fn incremented(self) -> Option<Self> {
        // INVARIANT: the count only grows.
        if self.count() >= MAX_COUNT { None } else { Some(Self(self.0 + 1)) }
    }

    /// One reference less, or `None` if this is the last one. Not for a pinned block.
    #[inline]
    pub(crate) const fn decremented(self) -> Option<Self> {
        debug_assert!(!self.is_pinned());
        // INVARIANT: the count was at least 2.
        if self.count() == 1 { None } else { Some(Self(self.0 - 1)) }
    }

    /// The same block with another count, for tests that cannot wait for it.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn with_count(self, count: u32) -> Self {
        assert!((1..=MAX_COUNT).contains(&count));
        Self(self.0 & !COUNT_MASK | count)
    }

    /// The same block, allocated for ever.
    #[inline]
    pub(crate) const fn pinned(self) -> Self {
        Self(self.0 | PINNED)
    }
}

impl core::fmt::Debug for Allocated {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "order {}, count {}, {:?}", self.order(), self.count(), self.holder())
    }
}

#[inline]
const fn order_of(word: u32) -> Order {
    match Order::new((word >> ORDER_SHIFT & 0xf) as u8) {
        Some(order) => order,
        // No word with these bits is ever written; saturating keeps a stray one from panicking.
        None => Order::MAX,
    }
}

/// The pool's knowledge of one page frame: eight bytes that the caller supplies and the pool owns.
///
/// Made vacant, by [`Frame::VACANT`]; all bytes zero, so that a table in a `static` costs no image space.
#[derive(Debug)]
#[repr(C)]
pub struct Frame {
    word: AtomicU32,
    next: AtomicU32,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Frame>() == 8);

impl Frame {
    /// A frame that no pool has claimed.
    #[cfg(not(loom))]
    #[expect(clippy::declare_interior_mutable_const, reason = "an initialiser for tables in statics, never borrowed")]
    pub const VACANT: Self = Self { word: AtomicU32::new(VACANT), next: AtomicU32::new(0) };

    /// A frame that no pool has claimed.
    #[cfg(loom)]
    pub(crate) fn vacant() -> Self {
        Self { word: AtomicU32::new(VACANT), next: AtomicU32::new(0) }
    }

    /// `Vacant → Tail`, and whether it was vacant.
    pub(crate) fn claim(&self) -> bool {
        let claimed = TAIL << STATE_SHIFT;
        self.word.compare_exchange(VACANT, claimed, Access::Claim.ordering(), Ordering::Relaxed).is_ok()
    }

    /// any → `Vacant`.
    pub(crate) fn vacate(&self) {
        self.word.store(VACANT, Access::Vacate.ordering());
    }

    /// One load, decoded.
    #[inline]
    pub(crate) fn state(&self) -> State {
        let word = self.word.load(Ordering::Relaxed);
        match word >> STATE_SHIFT {
            VACANT => State::Vacant,
            FREE => State::Free { order: order_of(word), prev: Link(word & LINK_MASK) },
            ALLOCATED => State::Allocated(Allocated(word)),
            _ => State::Tail,
        }
    }

    /// Whether this is the head of a free block of `order`.
    #[inline]
    pub(crate) fn is_free(&self, order: Order) -> bool {
        self.word.load(Ordering::Relaxed) >> ORDER_SHIFT == FREE << (STATE_SHIFT - ORDER_SHIFT) | order.get() as u32
    }

    /// `→ Free`. Under the lock, and not of an `Allocated` word that the `Atomic` path may be changing.
    #[inline]
    pub(crate) fn set_free(&self, order: Order, prev: Link) {
        self.word.store(free(order, prev), Ordering::Relaxed);
    }

    /// `→ Tail`. As [`set_free`](Self::set_free).
    #[inline]
    pub(crate) fn set_tail(&self) {
        self.word.store(TAIL << STATE_SHIFT, Ordering::Relaxed);
    }

    /// `→ Allocated`. As [`set_free`](Self::set_free), or under the lock of the `Merged` path.
    #[inline]
    pub(crate) fn set_allocated(&self, to: Allocated) {
        self.word.store(to.0, Ordering::Relaxed);
    }

    /// `Allocated → Allocated` against everybody else; on failure somebody else has changed the word.
    #[inline]
    pub(crate) fn exchange(&self, from: Allocated, to: Allocated, access: Access) -> bool {
        self.word.compare_exchange_weak(from.0, to.0, access.ordering(), Ordering::Relaxed).is_ok()
    }

    /// `Allocated → Free` or, for `None`, `→ Tail`, against everybody else who may get a reference. Under
    /// the lock.
    #[inline]
    pub(crate) fn release(&self, from: Allocated, to_free: Option<Order>) -> bool {
        let to = match to_free {
            Some(order) => free(order, Link::END),
            None => TAIL << STATE_SHIFT,
        };
        self.word.compare_exchange(from.0, to, Access::LastPut.ordering(), Ordering::Relaxed).is_ok()
    }

    /// The previous head on the free list. Under the lock, of the head of a free block.
    #[inline]
    pub(crate) fn prev(&self) -> Link {
        Link(self.word.load(Ordering::Relaxed) & LINK_MASK)
    }

    /// The next head on the free list. Under the lock.
    #[inline]
    pub(crate) fn next(&self) -> Link {
        Link(self.next.load(Ordering::Relaxed))
    }

    /// Sets the next head on the free list. Under the lock.
    #[inline]
    pub(crate) fn set_next(&self, next: Link) {
        self.next.store(next.0, Ordering::Relaxed);
    }
}

#[inline]
const fn free(order: Order, prev: Link) -> u32 {
    FREE << STATE_SHIFT | (order.get() as u32) << ORDER_SHIFT | prev.0
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let frame = Frame::VACANT;
        assert_eq!(frame.state(), State::Vacant);
        assert!(frame.claim());
        assert!(!frame.claim());
        assert_eq!(frame.state(), State::Tail);
        for order in Order::all() {
            for prev in [Link::END, Link::to(Index::new(0)), Link::to(Index::new(MAX_FRAMES - 1))] {
                frame.set_free(order, prev);
                assert_eq!(frame.state(), State::Free { order, prev });
                assert!(frame.is_free(order));
                assert!(Order::all().all(|other| other == order || !frame.is_free(other)));
            }
            for holder in [Holder::Number, Holder::Handle] {
                let word = Allocated::new(order, holder);
                frame.set_allocated(word);
                assert_eq!(frame.state(), State::Allocated(word));
                assert_eq!((word.order(), word.count(), word.holder()), (order, 1, holder));
                assert!(!frame.is_free(order));
            }
        }
        frame.vacate();
        assert_eq!(frame.state(), State::Vacant);
    }

    #[test]
    fn a_count_never_reaches_zero_and_never_overflows() {
        let one = Allocated::new(Order::MAX, Holder::Handle);
        assert_eq!(one.decremented(), None);
        let two = one.incremented().unwrap();
        assert_eq!((two.count(), two.order(), two.holder()), (2, Order::MAX, Holder::Handle));
        assert_eq!(two.decremented(), Some(one));
        let most = one.with_count(MAX_COUNT);
        assert_eq!(most.count(), MAX_COUNT);
        assert_eq!(most.incremented(), None);
        assert!(!most.is_pinned());
        assert!(most.pinned().is_pinned());
        assert_eq!(most.pinned().incremented(), None);
        assert_eq!((most.pinned().order(), most.pinned().holder()), (Order::MAX, Holder::Handle));
    }
}
