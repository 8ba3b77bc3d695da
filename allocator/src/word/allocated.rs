//! The word of an allocated block, as a value.

use super::{ALLOCATED, COUNT_MASK, HOLDER_SHIFT, Holder, MATCH_MASK, MAX_COUNT, MagazineId, ORDER_SHIFT, PINNED};
use crate::pfn::Order;

/// The word of an allocated block's head, decoded no further than needed.
///
/// # Invariants
///
/// The state bits say `Allocated` and the count is at least 1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allocated(pub(super) u32);

impl Allocated {
    #[inline]
    pub(crate) const fn new(order: Order, holder: Holder) -> Self {
        // INVARIANT: the state is Allocated, the count 1.
        Self(ALLOCATED | (order.get() as u32) << ORDER_SHIFT | holder.bits() | 1)
    }

    #[inline]
    pub(crate) const fn order(self) -> Order {
        match Order::new((self.0 >> ORDER_SHIFT & 0xf) as u8) {
            Some(order) => order,
            // No word with these bits is ever written; saturating keeps a stray one from panicking.
            None => Order::MAX,
        }
    }

    #[inline]
    pub(crate) const fn count(self) -> u32 {
        self.0 & COUNT_MASK
    }

    /// The word of a block in the magazine of that number: its count is 1, and where that would stand the magazine does.
    #[inline]
    pub(crate) const fn in_magazine(order: Order, magazine: MagazineId) -> Self {
        // INVARIANT: the number is at least 1.
        Self(ALLOCATED | (order.get() as u32) << ORDER_SHIFT | Holder::Magazine.bits() | magazine.0)
    }

    /// Whether a magazine has it.
    #[inline]
    pub(crate) const fn is_in_magazine(self) -> bool {
        self.0 & MATCH_MASK == ALLOCATED | Holder::Magazine.bits()
    }

    #[inline]
    pub(crate) const fn is_pinned(self) -> bool {
        self.count() == PINNED
    }

    /// `n` references more, or `None` beyond [`MAX_COUNT`] and for a pinned block.
    #[inline]
    pub(crate) const fn more(self, n: u32) -> Option<Self> {
        // INVARIANT: the count only grows, and not into the holder's bits.
        if self.count() <= MAX_COUNT && n <= MAX_COUNT - self.count() { Some(Self(self.0 + n)) } else { None }
    }

    /// `n` references less, or `None` if not one would be left. Not for a pinned block.
    #[inline]
    pub(crate) const fn less(self, n: u32) -> Option<Self> {
        debug_assert!(!self.is_pinned());
        // INVARIANT: the count stays at 1 or more.
        if self.count() > n { Some(Self(self.0 - n)) } else { None }
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
        let holder = (self.0 & MATCH_MASK & !ALLOCATED) >> HOLDER_SHIFT;
        write!(f, "order {}, count {}, holder {holder}", self.order(), self.count())
    }
}
