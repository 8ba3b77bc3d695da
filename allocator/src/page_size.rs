//! The address layer: the one place where a page has a size.
//!
//! The pool counts frames and never touches one, so the size of a page is the business of whoever turns
//! addresses into frame numbers. One pool may serve 4 KiB pages, another 64 KiB granules, a third the
//! 256-byte regions of a microcontroller's protection unit.

use crate::pfn::{Pfn, PfnRange};

/// The size of a page: a power of two of bytes.
///
/// ```
/// use hyp_pool::{PageSize, Pfn};
///
/// let page = PageSize::SIZE_4K;
/// assert_eq!(page.pfn_of(0x8000_0abc), Pfn::new(0x8_0000)); // any address inside the page
/// assert_eq!(page.addr_of(Pfn::new(0x8_0000)), Some(0x8000_0000));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageSize {
    shift: u32,
}

impl PageSize {
    /// 4 KiB, the smallest granule of AArch64.
    pub const SIZE_4K: Self = Self { shift: 12 };
    /// 16 KiB.
    pub const SIZE_16K: Self = Self { shift: 14 };
    /// 64 KiB.
    pub const SIZE_64K: Self = Self { shift: 16 };

    /// Pages of `bytes`, which must be a power of two.
    #[must_use]
    pub const fn new(bytes: usize) -> Option<Self> {
        if bytes.is_power_of_two() { Some(Self { shift: bytes.trailing_zeros() }) } else { None }
    }

    /// Bytes in a page.
    #[must_use]
    pub const fn bytes(self) -> usize {
        1 << self.shift
    }

    /// The frame that `addr` lies in. Any address inside the page does: page-table code has the address
    /// of an entry and wants the frame of the table.
    #[must_use]
    pub const fn pfn_of(self, addr: usize) -> Pfn {
        Pfn::new(addr >> self.shift)
    }

    /// The address at which frame `pfn` starts, or `None` where that address does not fit a `usize`.
    #[must_use]
    pub const fn addr_of(self, pfn: Pfn) -> Option<usize> {
        let addr = pfn.get() << self.shift;
        if addr >> self.shift == pfn.get() { Some(addr) } else { None }
    }

    /// The frames that lie *wholly* inside `start..end`: `start` is rounded up, `end` down.
    #[must_use]
    pub const fn range(self, start: usize, end: usize) -> PfnRange {
        let mask = self.bytes() - 1;
        let first = (start >> self.shift) + (start & mask != 0) as usize;
        let last = end >> self.shift;
        PfnRange::new(Pfn::new(first), last.saturating_sub(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_a_page_is_in_its_frame() {
        for page in [PageSize::SIZE_4K, PageSize::SIZE_16K, PageSize::SIZE_64K, PageSize::new(32).unwrap()] {
            let pfn = Pfn::new(3);
            let addr = page.addr_of(pfn).unwrap();
            assert_eq!(page.pfn_of(addr), pfn);
            assert_eq!(page.pfn_of(addr + page.bytes() - 1), pfn);
            assert_eq!(page.pfn_of(addr + page.bytes()), Pfn::new(4));
        }
    }

    #[test]
    fn what_is_no_page_size_is_refused() {
        assert_eq!(PageSize::new(0), None);
        assert_eq!(PageSize::new(4095), None);
        assert_eq!(PageSize::new(4096), Some(PageSize::SIZE_4K));
    }

    #[test]
    fn an_address_that_does_not_fit_is_refused() {
        assert_eq!(PageSize::SIZE_4K.addr_of(Pfn::new(usize::MAX)), None);
    }

    #[test]
    fn a_range_has_whole_pages_only() {
        let page = PageSize::SIZE_4K;
        assert_eq!(page.range(0x1000, 0x4000), PfnRange::new(Pfn::new(1), 3));
        assert_eq!(page.range(0x1001, 0x3fff), PfnRange::new(Pfn::new(2), 1));
        assert!(page.range(0x1001, 0x1fff).is_empty());
        assert!(page.range(0x4000, 0x1000).is_empty());
        assert_eq!(page.range(usize::MAX, usize::MAX).len(), 0);
    }
}
