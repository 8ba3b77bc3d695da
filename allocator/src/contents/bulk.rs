//! Many blocks of a pool at once, cleared: a batch of up to [`BULK`] costs one critical section, and none of the clearing
//! is in it.
//!
//! ```text
//!   alloc_bulk   lock: extract all, words: Scrub ──► clear, word: Number; clear, word: Number; …
//!   put_bulk     last put: word: Scrub, clear; last put: word: Scrub, clear; … ──► lock: free all
//! ```
//!
//! One block after the other, so that a map that panics costs the block that it panics at, and no other: those before it
//! are handed out, or free; those behind it are free again, or have not been put.

use super::{Cleared, Erasing, PhysMap, Scrub};
use crate::bulk::BULK;
use crate::coalesce::Coalesce;
use crate::error::{AllocError, BulkError, PageError};
use crate::pfn::Pfn;
use crate::pool::HypPool;
use crate::refcount::RefcountPath;
use crate::word::{Allocated, Holder, Index, State};
use core::mem;
use lock_api::RawMutex;

/// Many of a pool's blocks by number.
impl<'p, M: PhysMap, L: RawMutex, R: RefcountPath, C: Coalesce> Erasing<&'p HypPool<'p, L, R, C>, M> {
    /// As [`HypPool::alloc_bulk`], and the blocks are all zero if that is the policy.
    ///
    /// If the map panics, the block that it panics at stays allocated, and nobody's. Those before it are in `out`, with one
    /// reference each; those behind it are free again.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there was none at all; nothing has changed.
    pub fn alloc_bulk(&self, order: u8, out: &mut [Pfn]) -> Result<usize, AllocError> {
        if self.first(Holder::Number) == Holder::Number {
            return self.front.alloc_bulk(order, out);
        }
        alloc_cleared(self.front, &self.map, Holder::Number, order, out, || ())
    }

    /// As [`HypPool::put_bulk`]; if that is the policy, those whose last reference it is are cleared before they are free.
    ///
    /// Takes the lock once for each [`BULK`] that are cleared; under [`Merged`](crate::Merged), and once for each reference.
    /// Whoever waits for the lock waits for the freeing of [`BULK`] blocks at most, and not for the clearing.
    ///
    /// If the map panics, the block that it panics at stays allocated, and nobody's. Those before it have been put; those
    /// behind it have not.
    ///
    /// A guest is torn down this way: its pages, scrubbed, and then it is gone.
    ///
    /// ```
    /// # use core::cell::RefCell;
    /// # use hyp_pool::{Contents, Erasable, Erasing, HypPool, Pfn, PfnRange, PhysMap, TableWord, table_words};
    /// # struct Memory(RefCell<[u8; 256]>);
    /// # impl PhysMap for Memory {
    /// #     fn zero(&self, block: Erasable<'_>) {
    /// #         self.0.borrow_mut()[block.pfn().get()..][..block.nr_pages()].fill(0);
    /// #     }
    /// # }
    /// # let table = [const { TableWord::VACANT }; table_words(256)];
    /// # let pool = HypPool::<parking_lot::RawMutex>::with_table(&table, PfnRange::new(Pfn::new(0), 256), 0)?;
    /// # let memory = Memory(RefCell::new([0x5e; 256]));
    /// let guests = Erasing::new(&pool, &memory, Contents::ScrubOnPut);
    /// let mut pages = [Pfn::new(0); 100];
    /// assert_eq!(guests.alloc_bulk(0, &mut pages)?, 100);
    /// pool.get_page(pages[7])?; // shared with the host
    ///
    /// guests.put_bulk(&pages)?; // the guest is gone: all clear and free, but the one
    /// assert_eq!(pool.free_pages(), 255);
    /// guests.put_page(pages[7])?; // and that one, when the host is done with it
    /// assert!(pages.iter().all(|page| memory.0.borrow()[page.get()] == 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BulkError`] at the first one that is refused: those before it have been put, it and those behind it have not.
    pub fn put_bulk(&self, pfns: &[Pfn]) -> Result<(), BulkError> {
        if !self.scrubs() {
            return self.front.put_bulk(pfns);
        }
        put_cleared(self.front, &self.map, pfns, |pfn| self.front.scrub_as(pfn, Holder::Number, 1))
    }
}

/// Blocks that are cleared and then `holder`'s, for whom `taken` is called at each.
pub(super) fn alloc_cleared<L: RawMutex, R: RefcountPath, C: Coalesce>(
    pool: &HypPool<'_, L, R, C>,
    map: &impl PhysMap,
    holder: Holder,
    order: u8,
    out: &mut [Pfn],
    mut taken: impl FnMut(),
) -> Result<usize, AllocError> {
    pool.alloc_bulk_with(order, Holder::Scrub, out, |word, blocks, out| {
        let uncleared = Uncleared { pool, word, blocks };
        for (out, block) in out.iter_mut().zip(uncleared) {
            *out = block.clear(map).hand_out(holder);
            taken();
        }
    })
}

/// One reference less to each block, by `put`, which makes the word of one say `Scrub` if it is the last.
pub(super) fn put_cleared<'p, L: RawMutex, R: RefcountPath, C: Coalesce>(
    pool: &HypPool<'p, L, R, C>,
    map: &impl PhysMap,
    pfns: &[Pfn],
    mut put: impl FnMut(Pfn) -> Result<Option<Scrub<'p>>, PageError>,
) -> Result<(), BulkError> {
    let mut cleared = Batch { pool, blocks: [0; BULK], len: 0 };
    for (index, &pfn) in pfns.iter().enumerate() {
        let last = put(pfn).or_else(|_| {
            // It may have been named before, and wait here: what is wrong with it is that it is free.
            cleared.free();
            put(pfn)
        });
        if let Some(block) = last.map_err(|error| BulkError { index, error })? {
            cleared.push(block.clear(map));
        }
    }
    Ok(())
}

/// Blocks of a batch that are to be cleared, one after the other. Those that are left when the map panics are free again:
/// they were so before, with what is in them.
struct Uncleared<'a, 'p, L: RawMutex, R: RefcountPath, C: Coalesce> {
    pool: &'a HypPool<'p, L, R, C>,
    /// What all of them say.
    word: Allocated,
    blocks: &'a [u32],
}

impl<'p, L: RawMutex, R: RefcountPath, C: Coalesce> Iterator for Uncleared<'_, 'p, L, R, C> {
    type Item = Scrub<'p>;

    fn next(&mut self) -> Option<Scrub<'p>> {
        let (&index, left) = self.blocks.split_first()?;
        self.blocks = left;
        let frames = self.pool.frames();
        let index = Index::new(index as usize);
        Some(Scrub::new(frames.pfn(index), index, frames.frame(index), self.word.order()))
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Drop for Uncleared<'_, '_, L, R, C> {
    fn drop(&mut self) {
        if !self.blocks.is_empty() {
            self.pool.free_batch(self.word.order(), self.blocks);
        }
    }
}

/// Blocks that have been cleared, to be freed in one critical section: when there are [`BULK`] of them, or when the call
/// ends, in whatever way.
///
/// # Invariants
///
/// `len <= BULK`; the words of `blocks[..len]` say `Scrub`, and nobody else changes them.
struct Batch<'a, 'p, L: RawMutex, R: RefcountPath, C: Coalesce> {
    pool: &'a HypPool<'p, L, R, C>,
    blocks: [u32; BULK],
    len: usize,
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Batch<'_, '_, L, R, C> {
    fn push(&mut self, block: Cleared<'_>) {
        if self.len == BULK {
            self.free();
        }
        self.blocks[self.len] = block.into_index().get() as u32;
        self.len += 1;
    }

    /// Frees them all: neighbours of one order together.
    fn free(&mut self) {
        let blocks = &self.blocks[..mem::take(&mut self.len)];
        if blocks.is_empty() {
            return;
        }
        let table = self.pool.table();
        let frame = |index: u32| table.frames().frame(Index::new(index as usize));
        let mut areas = self.pool.areas.0.lock();
        // Alike words are of one order.
        for run in blocks.chunk_by(|&a, &b| frame(a).state() == frame(b).state()) {
            let State::Allocated(word) = frame(run[0]).state() else { continue };
            let mut run = run.iter().map(|&index| Index::new(index as usize));
            areas.attach_many(table, word.order(), |_| {
                run.next().inspect(|&index| table.frames().frame(index).set_silent())
            });
        }
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Drop for Batch<'_, '_, L, R, C> {
    fn drop(&mut self) {
        self.free();
    }
}
