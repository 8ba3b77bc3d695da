//! The memory of a measurement: the words and counts of a pool's frames, and the pages themselves.
//!
//! One `static`, 64 MiB of pages and what goes with them, so that hosts and bare metal have the same without a heap.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use hyp_pool::{PageSize, Pfn, PfnRange, TableWord, table_words};

/// Frames of the pool: 64 MiB of 4 KiB pages.
pub const FRAMES: usize = 16384;

/// Entries in a page-table page.
pub const ENTRIES: usize = 512;

/// The frames of the pool, by number: 64 MiB from 2 GiB on, aligned to more than the largest block.
pub const RANGE: PfnRange = PageSize::SIZE_4K.range(0x8000_0000, 0x8000_0000 + FRAMES * ENTRIES * 8);

/// The memory of one measurement at a time.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct Arena {
    pages: [[AtomicU64; ENTRIES]; FRAMES],
    /// The pool's frame table.
    pub(crate) frames: [TableWord; table_words(FRAMES)],
    /// The reference counts of the strategies that count beside the buddy allocator.
    pub(crate) counts: [AtomicU32; FRAMES],
}

impl Arena {
    /// All of it zero, or what stands for it: in a `static` it takes no room in the binary.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a value of 64 MiB is for a static, not for a stack")]
    pub const fn new() -> Self {
        Self {
            pages: [const { [const { AtomicU64::new(0) }; ENTRIES] }; FRAMES],
            frames: [const { TableWord::VACANT }; table_words(FRAMES)],
            counts: [const { AtomicU32::new(0) }; FRAMES],
        }
    }

    /// Writes to every page, so that no page fault of the host is measured. No measurement may be under way.
    pub fn touch(&self) {
        for page in &self.pages {
            page[0].store(0, Relaxed);
        }
    }

    /// All pages zero again, as the next guest must find them. No measurement may be under way.
    pub(crate) fn clear(&self) {
        self.pages.as_flattened().iter().for_each(|entry| entry.store(0, Relaxed));
    }

    /// The page that frame `pfn` of [`RANGE`] stands for.
    ///
    /// # Panics
    ///
    /// If it is no frame of the range.
    #[inline]
    #[must_use]
    pub fn page(&self, pfn: Pfn) -> &[AtomicU64; ENTRIES] {
        &self.pages[pfn.get() - RANGE.start().get()]
    }
}
