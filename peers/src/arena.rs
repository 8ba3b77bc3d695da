//! The memory that everybody hands out: 64 MiB of pages, and room behind them for heaps that need more.
//!
//! ```text
//!  base (64 MiB aligned)         + 64 MiB                                + 192 MiB
//!  │ the pool: 16384 pages       │ only for heaps that double an aligned page │
//! ```
//!
//! Fresh from the kernel, hence zero, without huge pages. A page's number is its address divided by its size, as
//! if physical and virtual addresses were the same.

use std::num::NonZeroUsize;
use std::ptr;

use anyhow::{Context, Result};
use hyp_pool::{Pfn, PfnRange, TableWord, table_words};
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

/// Bytes of a page.
pub const PAGE: usize = 4096;
/// Pages of the pool: 64 MiB.
pub const PAGES: usize = 16384;
/// What a heap gets that needs a page more for each page that it aligns.
pub const HEAP: usize = 3 * PAGES * PAGE;

/// The memory of one subject at a time.
#[derive(Debug)]
pub struct Arena {
    base: usize,
    /// The frame table of our pool.
    frames: Vec<TableWord>,
}

impl Arena {
    /// An arena that is never given back: what is measured may refer to it for ever.
    ///
    /// # Errors
    ///
    /// The system has no memory for it.
    pub fn leak() -> Result<&'static Self> {
        let align = PAGES * PAGE;
        let length = NonZeroUsize::new(HEAP + align).context("an arena has a size")?;
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE;
        // SAFETY: a new private mapping, at an address of the kernel's choice, overlaps nothing that anybody has.
        let map = unsafe { mmap_anonymous(None, length, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, flags) };
        let map = map.context("256 MiB of memory for the pages")?;
        #[cfg(target_os = "linux")]
        // SAFETY: `map` is our mapping, `length` its length. The advice changes how it is backed, not what is in it.
        unsafe { nix::sys::mman::madvise(map, length.get(), nix::sys::mman::MmapAdvise::MADV_NOHUGEPAGE) }
            .or_else(|error| if error == nix::errno::Errno::EINVAL { Ok(()) } else { Err(error) }) // a kernel without any
            .context("no huge pages for the arena")?;
        let base = map.as_ptr().expose_provenance().next_multiple_of(align);
        let frames = (0..table_words(PAGES)).map(|_| TableWord::VACANT).collect();
        Ok(Box::leak(Box::new(Self { base, frames })))
    }

    /// Writes to every page, so that no page fault is measured. Nobody may be using the arena.
    pub fn touch(&self) {
        for at in (0..HEAP).step_by(PAGE) {
            // SAFETY: within our mapping, which nobody uses now (the caller's promise).
            unsafe { self.pointer(at).write_volatile(0) };
        }
    }

    /// All pages of the pool zero again: what a page table expects of a new page. Nobody may be using the arena.
    pub fn clear(&self) {
        // SAFETY: within our mapping, which nobody uses now (the caller's promise).
        unsafe { self.pointer(0).write_bytes(0, PAGES * PAGE) };
    }

    /// The address of the first page.
    #[must_use]
    pub fn base(&self) -> usize {
        self.base
    }

    /// The byte at `offset`, below [`HEAP`].
    #[must_use]
    pub fn pointer(&self, offset: usize) -> *mut u8 {
        ptr::with_exposed_provenance_mut(self.base + offset)
    }

    /// The frame table of our pool, and the frames that it describes.
    #[must_use]
    pub fn frames(&self) -> (&[TableWord], PfnRange) {
        (&self.frames, PfnRange::new(Pfn::new(self.base / PAGE), PAGES))
    }
}
