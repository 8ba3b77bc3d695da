//! An exclusive owner: whoever alone counts the references of its blocks needs no read-modify-write for it.
//!
//! ```text
//!   alloc_pages ──► Allocated, Owner(id) ──get, put: load, store──► …  ──last put: lock, free──► Silent
//!                        ▲          │
//!                     adopt      release           from and to calls by number, with the only reference
//! ```
//!
//! The tables of one guest, say: whoever changes a mapping holds that guest's lock and so has the `&mut` that all calls
//! here need. Everybody else is refused the block ([`PageError::Held`]), and another owner, too: a word says which
//! owner it belongs to.
//!
//! # Invariants
//!
//! * **W1** No two owners of a pool that are alive have the same id, and no owner has one that an owner before it has left
//!   in a word.
//! * **W2** A word that says `Owner(id)` is changed by the owner of that id alone, or not at all. So a load and a
//!   store are as good as a read-modify-write, and the store needs no ordering: whoever gets the `&mut` next is ordered
//!   after by whatever gave it to them.
//! * **W3** An owner's `blocks` is how many words say its id.
//!
//! W1 is why an owner that goes with blocks left takes its id with it. Nobody can put these blocks any more, and that is
//! the point: who gets a recycled id would get power over a stranger's pages.

use crate::coalesce::{Coalesce, Deferred};
use crate::contents::Scrub;
use crate::error::{AllocError, PageError};
use crate::pfn::Pfn;
use crate::pool::HypPool;
use crate::refcount::{Atomic, RefcountPath, sole};
use crate::sync::Access;
use crate::table::Frames;
use crate::word::{Allocated, Holder, Index, MAX_OWNERS, OwnerId, TableWord};
use core::fmt;
use lock_api::RawMutex;

mod bulk;
mod ids;

pub(crate) use ids::OwnerIds;

/// How many owners a pool may have at a time. One that was dropped with blocks left is one of them for ever.
pub const MAX_POOL_OWNERS: usize = MAX_OWNERS as usize;

/// Making owners.
impl<L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'_, L, R, C> {
    /// A new owner, with no block yet; `None` if there are [`MAX_POOL_OWNERS`] already. The pool need not have its range
    /// yet.
    ///
    /// One compare-exchange, without the lock.
    pub fn owner(&self) -> Option<Owner<'_, L, R, C>> {
        let id = self.counters.0.owners.take()?;
        Some(Owner { pool: self, frames: self.frames(), id, blocks: 0 })
    }
}

/// The place and the word of an owner's block.
type Mine<'p> = (Index, &'p TableWord, Allocated);

/// Whoever alone counts the references of some blocks of a pool, and so counts by a load and a store: the tables of one
/// guest, say, whose mappings are changed under that guest's lock. Everybody else is refused the blocks.
///
/// # Dropping it
///
/// Put or [`release`](Self::release) all blocks first: [`blocks`](Self::blocks) tells whether any are left. Those that are
/// are leaked, as by `mem::forget`: they stay allocated, [`check`](HypPool::check) counts them so, and nobody can ever put
/// them, by number or otherwise. Their owner's id is not used again, and the pool has one owner less to give.
///
/// ```
/// use hyp_pool::{HypPool, PageError, Pfn, PfnRange, TableWord, table_words};
///
/// let table = [const { TableWord::VACANT }; table_words(64)];
/// let range = PfnRange::new(Pfn::new(0x100), 64);
/// let pool = HypPool::<parking_lot::RawMutex>::with_table(&table, range, 0)?;
///
/// let mut guest = pool.owner().ok_or("too many guests")?;
/// let table_page = guest.alloc_pages(0)?;
/// guest.get_page(table_page)?; // an entry was written
/// assert_eq!(pool.get_page(table_page), Err(PageError::Held)); // the guest's alone
/// guest.put_page(table_page)?; // and cleared
/// guest.put_page(table_page)?; // free
/// assert_eq!((guest.blocks(), pool.free_pages()), (0, 64));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Owner<'p, L: RawMutex, R: RefcountPath = Atomic, C: Coalesce = Deferred> {
    pool: &'p HypPool<'p, L, R, C>,
    /// The pool's, so as not to look them up in every call; none as long as the pool had none when the owner last looked.
    frames: Frames<'p>,
    id: OwnerId,
    /// Words that say `id`: W3.
    blocks: usize,
}

impl<'p, L: RawMutex, R: RefcountPath, C: Coalesce> Owner<'p, L, R, C> {
    /// As [`HypPool::alloc_pages`]; the reference is this owner's.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; nothing has changed.
    #[inline]
    pub fn alloc_pages(&mut self, order: u8) -> Result<Pfn, AllocError> {
        let pfn = self.pool.alloc_as(order, self.holder())?;
        self.gained(1);
        Ok(pfn)
    }

    /// One reference more to this owner's block at `pfn`. One load and one store.
    ///
    /// # Errors
    ///
    /// As [`HypPool::get_page`]; [`PageError::Held`] if the block is not this owner's. Nothing has changed.
    #[inline]
    pub fn get_page(&mut self, pfn: Pfn) -> Result<(), PageError> {
        self.get_page_n(pfn, 1)
    }

    /// `n` references more to this owner's block at `pfn`. One load and one store.
    ///
    /// # Errors
    ///
    /// As [`get_page`](Self::get_page).
    #[inline]
    pub fn get_page_n(&mut self, pfn: Pfn, n: u32) -> Result<(), PageError> {
        let (_, frame, word) = self.find(pfn)?;
        let more = word.more(n).ok_or(PageError::Overflow)?;
        // INVARIANT: W2.
        frame.set_allocated(more);
        Ok(())
    }

    /// One reference less to this owner's block at `pfn`. One load and one store; the last one takes the pool's
    /// lock and frees the block.
    ///
    /// # Errors
    ///
    /// As [`HypPool::put_page`]; [`PageError::Held`] if the block is not this owner's. Nothing has changed.
    #[inline]
    pub fn put_page(&mut self, pfn: Pfn) -> Result<(), PageError> {
        self.put_page_n(pfn, 1)
    }

    /// `n` references less to this owner's block at `pfn`.
    ///
    /// # Errors
    ///
    /// As [`put_page`](Self::put_page), and [`PageError::Underflow`] if there are fewer.
    #[inline]
    pub fn put_page_n(&mut self, pfn: Pfn, n: u32) -> Result<(), PageError> {
        if let Some((index, frame, word)) = self.less(pfn, n)? {
            self.pool.free_own(index, frame, word.order());
        }
        Ok(())
    }

    /// As `put_page_n`; if they were the last, the block is the caller's to clear.
    pub(crate) fn scrub_n(&mut self, pfn: Pfn, n: u32) -> Result<Option<Scrub<'p>>, PageError> {
        Ok(self.less(pfn, n)?.map(|(index, frame, word)| {
            // INVARIANT: W2, for the last time.
            frame.set_allocated(Allocated::new(word.order(), Holder::Scrub));
            Scrub::new(pfn, index, frame, word.order())
        }))
    }

    /// Count `c → c - n`; or the block, if they are the last, as it was, and no longer this owner's.
    #[inline]
    fn less(&mut self, pfn: Pfn, n: u32) -> Result<Option<Mine<'p>>, PageError> {
        let (index, frame, word) = self.find(pfn)?;
        match word.less(n) {
            // INVARIANT: W2.
            Some(less) => frame.set_allocated(less),
            None if word.count() < n => return Err(PageError::Underflow),
            None => {
                // INVARIANT: W3.
                self.blocks -= 1;
                return Ok(Some((index, frame, word)));
            }
        }
        Ok(None)
    }

    /// References to this owner's block at `pfn`.
    ///
    /// # Errors
    ///
    /// As [`HypPool::page_count`], and [`PageError::Held`] if the block is not this owner's.
    #[inline]
    pub fn page_count(&self, pfn: Pfn) -> Result<u32, PageError> {
        self.find(pfn).map(|(_, _, word)| word.count())
    }

    /// How many blocks this owner has.
    #[must_use]
    pub const fn blocks(&self) -> usize {
        self.blocks
    }

    /// Makes the block at `pfn`, to which the caller has the only reference by number, this owner's.
    ///
    /// # Errors
    ///
    /// As [`HypPool::adopt`]; nothing has changed.
    pub fn adopt(&mut self, pfn: Pfn) -> Result<(), PageError> {
        self.pool.rehold(pfn, Holder::Number, self.holder())?;
        self.gained(1);
        Ok(())
    }

    /// Makes this owner's block at `pfn`, with one reference, one that is counted by number.
    ///
    /// # Errors
    ///
    /// As [`put_page`](Self::put_page), and [`PageError::Shared`] if there is more than one reference.
    pub fn release(&mut self, pfn: Pfn) -> Result<(), PageError> {
        let (_, frame, word) = self.find(pfn)?;
        // INVARIANT: W2, for the last time.
        frame.set_allocated(Allocated::new(sole(word)?.order(), Holder::Number));
        // INVARIANT: W3.
        self.blocks -= 1;
        Ok(())
    }

    /// Makes this owner's block at `pfn`, with one reference, into blocks of order 0 with one reference each, all this
    /// owner's. Of a block of order 0 it makes itself.
    ///
    /// O(frames of the block), under the lock.
    ///
    /// # Errors
    ///
    /// As [`release`](Self::release); nothing has changed.
    pub fn split_page(&mut self, pfn: Pfn) -> Result<(), PageError> {
        let order = self.pool.split_as(pfn, self.holder())?;
        self.gained(order.pages() - 1);
        Ok(())
    }

    /// The pool has made `n` more words say this owner's id.
    #[inline]
    pub(crate) fn gained(&mut self, n: usize) {
        // INVARIANT: W3.
        self.blocks += n;
        // After the call and not before it: a pool that had a block to give has its range, and has shown it to this
        // thread, by its length or by its lock.
        if self.frames.len() == 0 {
            self.frames = self.pool.frames();
        }
    }

    #[inline]
    pub(crate) const fn pool(&self) -> &'p HypPool<'p, L, R, C> {
        self.pool
    }

    #[inline]
    pub(crate) fn holder(&self) -> Holder {
        Holder::Owner(self.id)
    }

    /// This owner's block at `pfn`.
    #[inline]
    fn find(&self, pfn: Pfn) -> Result<Mine<'p>, PageError> {
        if let Ok((index, frame)) = self.frames.find(pfn)
            && let Ok(word) = frame.held_by(self.holder(), Access::Look)
        {
            return Ok((index, frame, word));
        }
        Err(Self::refused(self.pool, self.holder(), pfn))
    }

    /// Why an owner has no block at `pfn`. The pool is asked, since it may have its range only now. By value: an owner
    /// whose address goes nowhere can be in registers.
    #[cold]
    fn refused(pool: &HypPool<'_, L, R, C>, owner: Holder, pfn: Pfn) -> PageError {
        let theirs = pool.find(pfn).and_then(|(_, frame)| pool.held_by(pfn, frame, owner, Access::Look));
        // By W2 it has not become this owner's since; and by `gained` an owner with blocks knows the frames.
        theirs.err().unwrap_or(PageError::Held)
    }

    /// What stands in its words, for tests that compare whole states, and the models.
    #[cfg(test)]
    pub(crate) const fn id(&self) -> OwnerId {
        self.id
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Drop for Owner<'_, L, R, C> {
    /// Gives the id back, if no word says it.
    fn drop(&mut self) {
        // INVARIANT: W1, by W3.
        if self.blocks == 0 {
            self.pool.counters.0.owners.give_back(self.id);
        }
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> fmt::Debug for Owner<'_, L, R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("id", &self.id.get()).field("blocks", &self.blocks).finish_non_exhaustive()
    }
}
