//! Many blocks of an owner at once: the tables of a guest that starts, or goes.
//!
//! ```text
//!   put_bulk:  count > 1    store count - 1                                  no lock
//!              count 1      lock, if not held; Silent; to the run            ┐ one critical section for up to
//!              other order  the run into the free areas, and a new one       ┘ BULK of the blocks named
//! ```
//!
//! What is the last reference an owner knows before it takes the lock: nobody else changes the word (W2).

use super::Owner;
use crate::bulk::BULK;
use crate::coalesce::Coalesce;
use crate::error::{AllocError, BulkError, PageError};
use crate::pfn::Pfn;
use crate::refcount::RefcountPath;
use crate::run::Run;
use lock_api::RawMutex;

/// Many blocks.
impl<L: RawMutex, R: RefcountPath, C: Coalesce> Owner<'_, L, R, C> {
    /// As [`HypPool::alloc_bulk`](crate::HypPool::alloc_bulk); the references are this owner's.
    ///
    /// Takes the lock once for each [`BULK`] blocks.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there was none at all; nothing has changed.
    pub fn alloc_bulk(&mut self, order: u8, out: &mut [Pfn]) -> Result<usize, AllocError> {
        let got = self.pool.alloc_bulk_as(order, self.holder(), out)?;
        self.gained(got);
        Ok(got)
    }

    /// One reference less to this owner's block at each of `pfns`, in their order, as by as many calls of
    /// [`put_page`](Self::put_page).
    ///
    /// Takes the lock once for each [`BULK`] of them, if one is the last.
    ///
    /// # Errors
    ///
    /// [`BulkError`] at the first one that is refused: those before it have been put, it and those behind it have not.
    pub fn put_bulk(&mut self, pfns: &[Pfn]) -> Result<(), BulkError> {
        for (nth, batch) in pfns.chunks(BULK).enumerate() {
            self.put_batch(batch).map_err(|(at, error)| BulkError { index: nth * BULK + at, error })?;
        }
        Ok(())
    }

    /// Puts up to [`BULK`] blocks in one critical section, or in none; or tells which was refused, and why.
    fn put_batch(&mut self, pfns: &[Pfn]) -> Result<(), (usize, PageError)> {
        let pool = self.pool;
        let mut locked = None;
        let mut run = Run::EMPTY;
        let result = pfns.iter().enumerate().try_for_each(|(at, &pfn)| {
            let (index, frame, word) = self.find(pfn).map_err(|error| (at, error))?;
            if let Some(less) = word.less(1) {
                // INVARIANT: W2.
                frame.set_allocated(less);
                return Ok(());
            }
            let areas = locked.get_or_insert_with(|| pool.areas.0.lock());
            // Count 1 → Silent, under the lock: who names the block again is told that it is free.
            frame.set_silent();
            run.push(index, word.order(), pool.table(), areas);
            // INVARIANT: W3.
            self.blocks -= 1;
            Ok(())
        });
        // In the same critical section, whether the batch came to its end or not.
        if let Some(mut areas) = locked {
            run.attach(pool.table(), &mut areas);
        }
        result
    }
}
