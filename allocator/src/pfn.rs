//! Page frame numbers, ranges of them, orders, and the buddy arithmetic on both.
//!
//! The pool knows memory by number alone: frame `n` is the `n`-th page of physical memory, whatever a
//! page is. How large one is belongs to the address layer, [`PageSize`](crate::PageSize).
//!
//! A block of order `k` is `1 << k` frames that start at a multiple of `1 << k`, counted from frame 0 of
//! physical memory and not from the start of a pool, so that a block's *address* is aligned to its size.
//! Its buddy is the one other block with which it forms a block of order `k + 1`:
//!
//! ```text
//! order 2  |       0       |       4       |
//! order 1  |   0   |   2   |   4   |   6   |      buddy(4, order 1) = 4 ^ 2 = 6
//! order 0  | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 |      buddy(5, order 0) = 5 ^ 1 = 4
//! ```

use core::fmt;

/// How many orders there are: blocks of `1 << 0` to `1 << 10` frames, as in Linux with 4 KiB pages.
pub const NR_ORDERS: usize = 11;

/// The largest order, inclusive.
pub const MAX_ORDER: u8 = NR_ORDERS as u8 - 1;

/// A page frame number.
///
/// Proves nothing about the frame: that it exists, that a pool has it, or that anybody may use it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Pfn(usize);

impl Pfn {
    /// Frame number `n`.
    #[must_use]
    pub const fn new(n: usize) -> Self {
        Self(n)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }

    /// Whether a block of `order` may start here.
    #[must_use]
    pub const fn is_aligned(self, order: Order) -> bool {
        self.0 & (order.pages() - 1) == 0
    }

    /// The frame at which the buddy of the block of `order` at this frame starts.
    #[must_use]
    pub const fn buddy(self, order: Order) -> Self {
        Self(self.0 ^ order.pages())
    }
}

impl fmt::Debug for Pfn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pfn({:#x})", self.0)
    }
}

impl fmt::Display for Pfn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// The size of a block: its binary logarithm in frames, at most [`MAX_ORDER`].
///
/// # Invariants
///
/// The value is at most `MAX_ORDER`; [`Order::new`] is the only way in from outside the crate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Order(u8);

impl Order {
    /// One frame.
    pub const ZERO: Self = Self(0);
    /// The largest block.
    pub const MAX: Self = Self(MAX_ORDER);

    /// `order` if it is at most [`MAX_ORDER`].
    #[must_use]
    pub const fn new(order: u8) -> Option<Self> {
        if order <= MAX_ORDER { Some(Self(order)) } else { None }
    }

    /// The order as a number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Frames in a block of this order.
    #[must_use]
    pub const fn pages(self) -> usize {
        1 << self.0
    }

    /// The next larger order, if there is one.
    #[must_use]
    pub const fn up(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }

    /// The next smaller order, if there is one.
    #[must_use]
    pub const fn down(self) -> Option<Self> {
        if self.0 == 0 { None } else { Some(Self(self.0 - 1)) }
    }

    /// All orders, smallest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (0..NR_ORDERS as u8).map(Self)
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Order({})", self.0)
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Consecutive page frames, `start` inclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PfnRange {
    start: Pfn,
    nr_pages: usize,
}

impl PfnRange {
    /// `nr_pages` frames from `start` on. A range that runs past the last frame number can be written
    /// down here and is refused where a pool is made of it.
    #[must_use]
    pub const fn new(start: Pfn, nr_pages: usize) -> Self {
        Self { start, nr_pages }
    }

    /// The first frame.
    #[must_use]
    pub const fn start(self) -> Pfn {
        self.start
    }

    /// The frame after the last one, or `None` where that number does not exist.
    #[must_use]
    pub const fn end(self) -> Option<Pfn> {
        match self.start.0.checked_add(self.nr_pages) {
            Some(end) => Some(Pfn(end)),
            None => None,
        }
    }

    /// How many frames.
    #[must_use]
    pub const fn len(self) -> usize {
        self.nr_pages
    }

    /// Whether there is no frame in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.nr_pages == 0
    }

    /// Whether `pfn` is one of the frames.
    #[must_use]
    pub const fn contains(self, pfn: Pfn) -> bool {
        pfn.0 >= self.start.0 && pfn.0 - self.start.0 < self.nr_pages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buddy_is_its_buddys_buddy_and_together_they_are_the_next_order() {
        for order in Order::all() {
            let pfn = Pfn::new(0x8_0000 + 6 * order.pages());
            let buddy = pfn.buddy(order);
            assert_eq!(buddy.buddy(order), pfn);
            assert!(buddy.is_aligned(order));
            assert_eq!(pfn.get().abs_diff(buddy.get()), order.pages());
            if let Some(up) = order.up() {
                assert!(pfn.min(buddy).is_aligned(up));
            }
        }
    }

    #[test]
    fn orders_end_where_they_should() {
        assert_eq!(Order::new(MAX_ORDER), Some(Order::MAX));
        assert_eq!(Order::new(MAX_ORDER + 1), None);
        assert_eq!(Order::MAX.up(), None);
        assert_eq!(Order::ZERO.down(), None);
        assert_eq!(Order::all().count(), NR_ORDERS);
    }

    #[test]
    fn a_range_knows_its_frames() {
        let range = PfnRange::new(Pfn::new(5), 3);
        assert!(!range.contains(Pfn::new(4)));
        assert!(range.contains(Pfn::new(5)));
        assert!(range.contains(Pfn::new(7)));
        assert!(!range.contains(Pfn::new(8)));
        assert_eq!(range.end(), Some(Pfn::new(8)));
        let too_long = PfnRange::new(Pfn::new(usize::MAX), 2);
        assert_eq!(too_long.end(), None);
        assert!(too_long.contains(Pfn::new(usize::MAX)) && !too_long.contains(Pfn::new(0)));
    }
}
