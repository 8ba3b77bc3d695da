//! `DC ZVA`: a block of memory becomes zero in the cache, without being read first.
//!
//! ```text
//!   DCZID_EL0    31 ……… 5   4     3 ─ 0
//!                  RES0    DZP     BS         bytes cleared: 4 << BS, naturally aligned
//!                           └ 1: not allowed at this exception level (HCR_EL2.TDZ, SCTLR_EL1.DZE)
//! ```
//!
//! The block around the address is cleared, whatever the low bits of the address say: a start that were not aligned
//! would clear bytes in front of it. Of Device memory it is an alignment fault. Arm ARM (DDI 0487), C6.2 and D19.2.

use core::arch::asm;

/// How many bytes a `DC ZVA` clears; 0: it must not be used.
///
/// # Invariants
///
/// * **V1** 0, or a power of two that this CPU's `DC ZVA` clears at this exception level, and that divides a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockSize(usize);

impl BlockSize {
    const NONE: Self = Self(0);

    /// What `DCZID_EL0` says; nothing, if a block is larger than a page.
    pub(crate) fn of_this_cpu(page: usize) -> Self {
        let dczid: u64;
        // SAFETY: `DCZID_EL0` can be read at every exception level, and reading it has no effect (Arm ARM, D19.2.34).
        unsafe { asm!("mrs {}, dczid_el0", out(reg) dczid, options(nomem, nostack, preserves_flags, pure)) };
        Self::from_register(dczid, page)
    }

    const fn from_register(dczid: u64, page: usize) -> Self {
        let prohibited = dczid >> 4 & 1 == 1;
        let bytes = 4_usize << (dczid & 0xf);
        // V1. Powers of two both, so that the smaller divides the larger.
        if prohibited || bytes > page { Self::NONE } else { Self(bytes) }
    }

    pub(crate) const fn bytes(self) -> Option<usize> {
        if self.0 == 0 { None } else { Some(self.0) }
    }

    /// Whether `len` bytes from `start` on can be cleared this way, and nothing beside them.
    pub(crate) fn fits(self, start: *mut u8, len: usize) -> bool {
        self.0 != 0 && start.addr().is_multiple_of(self.0) && len.is_multiple_of(self.0)
    }

    /// Clears `len` bytes from `start` on.
    ///
    /// # Safety
    ///
    /// They [fit](Self::fits). They are Normal memory, mapped writable, and nobody else accesses them.
    pub(crate) unsafe fn zero(self, start: *mut u8, len: usize) {
        debug_assert!(self.fits(start, len));
        let mut at = start;
        let end = start.wrapping_add(len);
        while at != end {
            // SAFETY: V1, and the caller's promise: of the bytes from `at` on, `self.0` are cleared, all between
            // `start` and `end`.
            unsafe { asm!("dc zva, {}", in(reg) at, options(nostack, preserves_flags)) };
            at = at.wrapping_add(self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BlockSize;

    #[test]
    fn the_register_is_read_as_the_manual_says() {
        assert_eq!(BlockSize::from_register(0b0_0100, 4096).bytes(), Some(64)); // most of Arm's own
        assert_eq!(BlockSize::from_register(0b0_1001, 4096).bytes(), Some(2048)); // the most there is
        assert_eq!(BlockSize::from_register(0b1_0100, 4096).bytes(), None); // prohibited
        assert_eq!(BlockSize::from_register(0b0_1001, 1024).bytes(), None); // larger than a page
    }
}
