//! Many blocks at once: one critical section for up to [`BULK`] of them.
//!
//! For the top-up of a cache of pages before something that must not fail, and for taking page tables down.

use crate::coalesce::Coalesce;
use crate::error::{AllocError, BulkError, PageError};
use crate::frame::{Allocated, Holder, Index, State};
use crate::pfn::{Order, Pfn};
use crate::pool::HypPool;
use crate::refcount::RefcountPath;
use lock_api::RawMutex;

/// How many blocks are allocated or freed in one critical section, at most, by the calls for many and by magazines. With
/// what [`Coalesce`] says of an allocation that finds nothing large enough, it is the bound on how long the lock is held.
pub const BULK: usize = 32;

/// Many blocks by frame number.
impl<L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'_, L, R, C> {
    /// Allocates a block of `order` for each element of `out`, and tells how many there were: those are in
    /// `out[..n]`, with one reference each, and the rest of `out` is as it was. The blocks freed last, which are kept for
    /// single allocations, are not among them as long as there are others.
    ///
    /// Takes the lock once for each [`BULK`] blocks.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there was none at all; nothing has changed.
    pub fn alloc_bulk(&self, order: u8, out: &mut [Pfn]) -> Result<usize, AllocError> {
        self.alloc_bulk_as(order, Holder::Number, out, |_, batch, out| {
            for (out, &index) in out.iter_mut().zip(batch) {
                *out = self.frames().pfn(Index::new(index as usize));
            }
        })
    }

    /// As `alloc_bulk`, for `holder`: `name` is given the word and the indices of each batch, without the lock, and writes
    /// the blocks' numbers.
    #[inline]
    pub(crate) fn alloc_bulk_as(
        &self,
        order: u8,
        holder: Holder,
        out: &mut [Pfn],
        name: impl Fn(Allocated, &[u32], &mut [Pfn]),
    ) -> Result<usize, AllocError> {
        let order = Order::new(order).ok_or(AllocError::OrderTooLarge)?;
        let word = Allocated::new(order, holder);
        let mut len = 0;
        for out in out.chunks_mut(BULK) {
            let mut batch = [0; BULK];
            let got = self.alloc_batch(order, word, &mut batch[..out.len()]);
            name(word, &batch[..got], &mut out[..got]);
            len += got;
            if got < out.len() {
                break;
            }
        }
        if len == 0 && !out.is_empty() { Err(AllocError::OutOfMemory) } else { Ok(len) }
    }

    /// One reference less to the block at each of `pfns`, in their order, as by as many calls of
    /// [`put_page`](Self::put_page).
    ///
    /// Takes the lock once for each [`BULK`] of them, whether one is the last or not.
    ///
    /// # Errors
    ///
    /// [`BulkError`] at the first one that is refused: those before it have been put, it and those behind it have not.
    pub fn put_bulk(&self, pfns: &[Pfn]) -> Result<(), BulkError> {
        for (nth, batch) in pfns.chunks(BULK).enumerate() {
            self.put_batch(batch).map_err(|(at, error)| BulkError { index: nth * BULK + at, error })?;
        }
        Ok(())
    }

    /// Blocks for `out`, as many as there are, in one critical section, with `word` for a word. Their indices.
    pub(crate) fn alloc_batch(&self, order: Order, word: Allocated, out: &mut [u32]) -> usize {
        let frames = self.frames();
        let mut areas = self.areas.0.lock();
        let got = areas.extract_many(self.table(), order, out);
        for &index in &out[..got] {
            // INVARIANT: I4: it has left the free areas.
            frames.frame(Index::new(index as usize)).set_allocated(word);
        }
        got
    }

    /// Frees blocks of `order` whose word is `word`, which the caller alone may change, in one critical section. A block
    /// that says something else has been lost to misuse, and is left alone.
    pub(crate) fn free_batch(&self, order: Order, word: Allocated, blocks: &[u32]) {
        let table = self.table();
        let mut areas = self.areas.0.lock();
        let blocks = blocks.iter().map(|&index| Index::new(index as usize)).filter(|&index| {
            let frame = table.frames().frame(index);
            let ours = frame.state() == State::Allocated(word);
            if ours {
                frame.set_silent();
            }
            ours
        });
        areas.attach_many(table, order, blocks);
    }

    /// Puts up to [`BULK`] blocks in one critical section; or tells which was refused, and why.
    fn put_batch(&self, pfns: &[Pfn]) -> Result<(), (usize, PageError)> {
        let mut areas = self.areas.0.lock();
        for (at, &pfn) in pfns.iter().enumerate() {
            let (index, frame) = self.find(pfn).map_err(|error| (at, error))?;
            if let Some(word) = self.put_locked(pfn, frame, Holder::Number, 1).map_err(|error| (at, error))? {
                areas.attach_many(self.table(), word.order(), core::iter::once(index));
            }
        }
        Ok(())
    }
}
