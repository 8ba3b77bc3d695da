//! Blocks of [`hyp_pool`], cleared where all memory is mapped at a fixed offset.
//!
//! ```text
//!   physical   ──────┬──── block ────┬──────────
//!                    │ + offset      │
//!   virtual    ──────┴───────────────┴──────────  mapped writable, normal memory
//!                     0 0 0 0 0 0 0 0             DC ZVA, a cache line's multiple at a time, on AArch64; else memset
//! ```
//!
//! What a hypervisor has at EL2 (Linux's `hyp_phys_to_virt`), and most RTOSes with an identity map (offset 0). For
//! [`Erasing`](hyp_pool::Erasing), which calls with no lock held:
//!
//! ```
//! use hyp_physmap::Linear;
//! use hyp_pool::{Contents, Erasing, HypPool, PageSize, Pfn, PfnRange, TableWord, table_words};
//!
//! // Eight "physical" pages from 0x1_0000 on, which this process has mapped elsewhere.
//! let memory = vec![0xaa_u8; 9 * 4096];
//! let mapped_at = memory.as_ptr().expose_provenance().next_multiple_of(4096);
//! let table = [const { TableWord::VACANT }; table_words(8)];
//! let pool = HypPool::<hyp_locks::Ticket>::with_table(&table, PfnRange::new(Pfn::new(0x10), 8), 0)?;
//! // SAFETY: L1 and L2: all eight frames are pages of `memory`, which nobody else touches.
//! let map = unsafe { Linear::new(PageSize::SIZE_4K, mapped_at.wrapping_sub(0x1_0000)) };
//! let zeroed = Erasing::new(&pool, map, Contents::ZeroOnAlloc);
//!
//! let block = zeroed.alloc_pages(1)?;
//! # let start = (block.get() * 4096).wrapping_add(map.offset());
//! # let bytes = &memory[start - memory.as_ptr().expose_provenance()..][..8192];
//! assert!(bytes.iter().all(|&byte| byte == 0));
//! # zeroed.put_page(block)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Invariants
//!
//! Promised by whoever calls [`Linear::new`]; every `unsafe` block here names the one that it stands on.
//!
//! * **L1** Each frame of each pool that the map is used with is mapped at `frame * page size + offset` (wrapping), one
//!   page, readable and writable, as Normal memory; and stays so as long as the map is used.
//! * **L2** Nobody else reads or writes a block that the pool has given to be cleared: it is being allocated, or its last
//!   owner has given it up. No guest has it mapped, no device writes to it, no Rust reference points there.
//!
//! What remains is the pool's: a block to be cleared is allocated, and nobody else's ([`Erasable`]).
//!
//! # Ordering
//!
//! Zeroing is plain stores. Whoever hands the page to another CPU, to a device or to a table walker orders that as it
//! does for its own stores; `DC ZVA` is ordered as a store is.

#![no_std]

#[cfg(target_arch = "aarch64")]
mod zva;

use hyp_pool::{Erasable, PageSize, PhysMap};

/// Memory mapped at a fixed offset from its physical address.
///
/// | on AArch64, a block is cleared by | |
/// |---|---|
/// | `DC ZVA` | if `DCZID_EL0.DZP` allows it at this exception level, and what one clears fits the block's start and a page |
/// | stores | otherwise, and always with [`with_stores`](Self::with_stores) |
///
/// `DCZID_EL0` is read once for each block: a few cycles, and right on whichever CPU this is. Elsewhere it is stores.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    page_size: PageSize,
    offset: usize,
    #[cfg_attr(not(target_arch = "aarch64"), expect(dead_code, reason = "there is no other way"))]
    by_stores: bool,
}

impl Linear {
    /// A map in which the page of frame `n` is at address `n * page_size + offset`, modulo the address space.
    ///
    /// # Safety
    ///
    /// As long as the map is used to clear blocks of some pools,
    ///
    /// * every frame of each of these pools is mapped, at that address, readable and writable, as *Normal* memory
    ///   (L1). On Device memory `DC ZVA` is an alignment fault, and while the MMU is off all memory is Device memory:
    ///   with either, use [`with_stores`](Self::with_stores);
    /// * nobody else touches a block that is free or has just been allocated: no reference, no other CPU, no guest, no
    ///   device (L2).
    #[must_use]
    pub const unsafe fn new(page_size: PageSize, offset: usize) -> Self {
        Self { page_size, offset, by_stores: false }
    }

    /// As [`new`](Self::new), without `DC ZVA`: for memory that is not cached, or before there is a cache.
    ///
    /// # Safety
    ///
    /// As for `new`, but that the memory may be of any kind that takes aligned stores of up to 16 bytes.
    #[must_use]
    pub const unsafe fn with_stores(page_size: PageSize, offset: usize) -> Self {
        Self { page_size, offset, by_stores: true }
    }

    /// The offset.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// How many bytes one instruction clears on this CPU; `None` where stores do it.
    #[must_use]
    pub fn zeroes_at_once(&self) -> Option<usize> {
        #[cfg(target_arch = "aarch64")]
        if !self.by_stores {
            return zva::BlockSize::of_this_cpu(self.page_size.bytes()).bytes();
        }
        None
    }
}

impl PhysMap for Linear {
    fn zero(&self, block: Erasable<'_>) {
        let page = self.page_size.bytes();
        let start = block.pfn().get().wrapping_mul(page).wrapping_add(self.offset);
        let len = block.nr_pages() * page;
        // The address is made of a number: by L1 there is memory that nobody got as a reference.
        let start = core::ptr::with_exposed_provenance_mut::<u8>(start);
        #[cfg(target_arch = "aarch64")]
        if !self.by_stores {
            let zva = zva::BlockSize::of_this_cpu(page);
            if zva.fits(start, len) {
                // SAFETY: L1: it is mapped as Normal memory. L2: nobody else touches it. It fits.
                return unsafe { zva.zero(start, len) };
            }
        }
        // SAFETY: L1: it is mapped and writable. L2: nobody else touches it. Bytes have no alignment.
        unsafe { start.write_bytes(0, len) };
    }
}
