//! Many blocks at once: one critical section for up to [`BULK`] of them.
//!
//! For the top-up of a cache of pages before something that must not fail, and for taking page tables down.

use crate::coalesce::Coalesce;
use crate::error::{AllocError, BulkError, PageError};
use crate::pfn::{Order, Pfn};
use crate::pool::HypPool;
use crate::refcount::RefcountPath;
use crate::run::Run;
use crate::word::{Allocated, Holder, Index};
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
        self.alloc_bulk_as(order, Holder::Number, out)
    }

    /// One reference less to the block at each of `pfns`, in their order, as by as many calls of
    /// [`put_page`](Self::put_page).
    ///
    /// Takes the lock once for each [`BULK`] of them; under [`Atomic`](crate::Atomic) not for those in front that are not
    /// the last, and so not at all if none is. Blocks of one order that become free together cost less if they are
    /// neighbours.
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

    /// As `alloc_bulk`, for any holder.
    pub(crate) fn alloc_bulk_as(&self, order: u8, holder: Holder, out: &mut [Pfn]) -> Result<usize, AllocError> {
        self.alloc_bulk_with(order, holder, out, |_, batch, out| {
            for (out, &index) in out.iter_mut().zip(batch) {
                *out = self.frames().pfn(Index::new(index as usize));
            }
        })
    }

    /// As `alloc_bulk_as`: `name` is given the word and the indices of each batch, without the lock, and writes the
    /// blocks' numbers.
    #[inline]
    pub(crate) fn alloc_bulk_with(
        &self,
        order: u8,
        holder: Holder,
        out: &mut [Pfn],
        mut name: impl FnMut(Allocated, &[u32], &mut [Pfn]),
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

    /// Blocks for `out`, as many as there are, in one critical section, with `word` for a word. Their indices.
    pub(crate) fn alloc_batch(&self, order: Order, word: Allocated, out: &mut [u32]) -> usize {
        let mut areas = self.areas.0.lock();
        // Not before: a pool that gets its range meanwhile has blocks to give, and no frames in an older view.
        let table = self.table();
        let got = areas.extract_many(table, order, out);
        for &index in &out[..got] {
            // INVARIANT: I4: it has left the free areas.
            table.frames().frame(Index::new(index as usize)).set_allocated(word);
        }
        got
    }

    /// Frees blocks of `order`, whose words the caller alone may change, in one critical section.
    pub(crate) fn free_batch(&self, order: Order, blocks: &[u32]) {
        let table = self.table();
        let mut areas = self.areas.0.lock();
        let mut blocks = blocks.iter().map(|&index| Index::new(index as usize));
        areas.attach_many(table, order, |_| blocks.next().inspect(|&index| table.frames().frame(index).set_silent()));
    }

    /// Puts up to [`BULK`] blocks in one critical section, or in none; or tells which was refused, and why.
    fn put_batch(&self, pfns: &[Pfn]) -> Result<(), (usize, PageError)> {
        let shared = if R::LOCK_FREE { self.put_shared(pfns)? } else { 0 };
        if shared == pfns.len() {
            return Ok(());
        }
        // The last reference goes with the lock held: it is looked at again.
        let mut areas = self.areas.0.lock();
        let mut run = Run::EMPTY;
        let result = pfns.iter().enumerate().skip(shared).try_for_each(|(at, &pfn)| {
            let (index, frame) = self.find(pfn).map_err(|error| (at, error))?;
            if let Some(word) = self.put_locked(pfn, frame, Holder::Number, 1).map_err(|error| (at, error))? {
                // Silent: who names the block again is told that it is free.
                run.push(index, word.order(), self.table(), &mut areas);
            }
            Ok(())
        });
        // In the same critical section, whether the batch came to its end or not.
        run.attach(self.table(), &mut areas);
        result
    }
    /// Puts the blocks in front to which there are other references, too, without the lock; how many that were.
    fn put_shared(&self, pfns: &[Pfn]) -> Result<usize, (usize, PageError)> {
        for (at, &pfn) in pfns.iter().enumerate() {
            let put = self.find(pfn).and_then(|(_, frame)| self.put_if_shared(pfn, frame, Holder::Number, 1));
            if !put.map_err(|error| (at, error))? {
                return Ok(at);
            }
        }
        Ok(pfns.len())
    }
}
