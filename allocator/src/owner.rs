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
//! * **W1** No two owners of a pool that are alive have the same id.
//! * **W2** A word that says `Owner(id)` is changed by the owner of that id alone, or not at all. So a load and a
//!   store are as good as a read-modify-write, and the store needs no ordering: whoever gets the `&mut` next is ordered
//!   after by whatever gave it to them.

use crate::coalesce::{Coalesce, Deferred};
use crate::contents::Scrub;
use crate::error::{AllocError, PageError};
use crate::frame::{Allocated, Frame, Holder, Index, MAX_OWNERS, OwnerId};
use crate::pfn::Pfn;
use crate::pool::HypPool;
use crate::refcount::{Atomic, RefcountPath, sole};
use crate::sync::{Access, AtomicU32, Ordering};
use crate::table::Frames;
use core::fmt;
use lock_api::RawMutex;

/// How many owners a pool may have at a time.
pub const MAX_POOL_OWNERS: usize = MAX_OWNERS as usize;

/// The ids in use, a bit each.
pub(crate) struct OwnerIds([AtomicU32; WORDS]);

const WORDS: usize = (MAX_OWNERS as usize).div_ceil(32);

impl OwnerIds {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; WORDS])
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self(core::array::from_fn(|_| AtomicU32::new(0)))
    }

    /// An id that nobody else has.
    fn take(&self) -> Option<OwnerId> {
        for (at, word) in (0_u8..).zip(&self.0) {
            let mut taken = word.load(Ordering::Relaxed);
            while taken != u32::MAX {
                let bit = (!taken).trailing_zeros();
                let Some(id) = OwnerId::new(at * 32 + bit as u8) else { break };
                // INVARIANT: W1: the exchange sets a bit that was clear.
                let to = taken | 1 << bit;
                match word.compare_exchange(taken, to, Access::TakeId.ordering(), Ordering::Relaxed) {
                    Ok(_) => return Some(id),
                    Err(now) => taken = now,
                }
            }
        }
        None
    }

    fn give_back(&self, id: OwnerId) {
        let (word, bit) = (&self.0[usize::from(id.get() / 32)], id.get() % 32);
        let mut taken = word.load(Ordering::Relaxed);
        while let Err(now) =
            word.compare_exchange(taken, taken & !(1 << bit), Access::GiveId.ordering(), Ordering::Relaxed)
        {
            taken = now;
        }
    }
}

/// Making owners.
impl<L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'_, L, R, C> {
    /// A new owner, with no block yet; `None` if there are [`MAX_POOL_OWNERS`] already, or the pool has no range yet.
    pub fn owner(&self) -> Option<Owner<'_, L, R, C>> {
        let frames = self.frames();
        if frames.len() == 0 {
            return None;
        }
        Some(Owner { pool: self, frames, id: self.counters.0.owners.take()? })
    }
}

/// The place and the word of an owner's block.
type Mine<'p> = (Index, &'p Frame, Allocated);

/// Whoever alone counts the references of some blocks of a pool, and so counts by a load and a store: the tables of one
/// guest, say, whose mappings are changed under that guest's lock. Everybody else is refused the blocks.
///
/// Blocks that are still allocated when their owner is dropped stay allocated; who puts them by number is refused, and
/// a later owner, to whom the id has gone, may put them.
///
/// ```
/// use hyp_pool::{Frame, HypPool, PageError, Pfn, PfnRange, frames_needed};
///
/// let table = [const { Frame::VACANT }; frames_needed(64)];
/// let range = PfnRange::new(Pfn::new(0x100), 64);
/// let pool = HypPool::<parking_lot::RawMutex>::with_table(&table, range, 0)?;
///
/// let mut guest = pool.owner().ok_or("too many guests")?;
/// let table_page = guest.alloc_pages(0)?;
/// guest.get_page(table_page)?; // an entry was written
/// assert_eq!(pool.get_page(table_page), Err(PageError::Held)); // the guest's alone
/// guest.put_page(table_page)?; // and cleared
/// guest.put_page(table_page)?; // free
/// assert_eq!(pool.free_pages(), 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Owner<'p, L: RawMutex, R: RefcountPath = Atomic, C: Coalesce = Deferred> {
    pool: &'p HypPool<'p, L, R, C>,
    /// The pool's, so as not to look them up in every call.
    frames: Frames<'p>,
    id: OwnerId,
}

impl<'p, L: RawMutex, R: RefcountPath, C: Coalesce> Owner<'p, L, R, C> {
    /// As [`HypPool::alloc_pages`]; the reference is this owner's.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; nothing has changed.
    #[inline]
    pub fn alloc_pages(&mut self, order: u8) -> Result<Pfn, AllocError> {
        self.pool.alloc_as(order, self.holder())
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

    /// Count `c → c - n`; or the block, if they are the last, as it was.
    #[inline]
    fn less(&mut self, pfn: Pfn, n: u32) -> Result<Option<Mine<'p>>, PageError> {
        let (index, frame, word) = self.find(pfn)?;
        match word.less(n) {
            // INVARIANT: W2.
            Some(less) => frame.set_allocated(less),
            None if word.count() < n => return Err(PageError::Underflow),
            None => return Ok(Some((index, frame, word))),
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

    /// Makes the block at `pfn`, to which the caller has the only reference by number, this owner's.
    ///
    /// # Errors
    ///
    /// As [`HypPool::adopt`]; nothing has changed.
    pub fn adopt(&mut self, pfn: Pfn) -> Result<(), PageError> {
        self.pool.rehold(pfn, Holder::Number, self.holder())
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
        Ok(())
    }

    #[inline]
    pub(crate) const fn pool(&self) -> &'p HypPool<'p, L, R, C> {
        self.pool
    }

    #[inline]
    pub(crate) fn holder(&self) -> Holder {
        Holder::Owner(self.id)
    }

    #[inline]
    fn find(&self, pfn: Pfn) -> Result<Mine<'p>, PageError> {
        let (index, frame) = self.frames.find(pfn)?;
        let word = self.pool.held_by(pfn, frame, self.holder(), Access::Look)?;
        Ok((index, frame, word))
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Drop for Owner<'_, L, R, C> {
    fn drop(&mut self) {
        self.pool.counters.0.owners.give_back(self.id);
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> fmt::Debug for Owner<'_, L, R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("id", &self.id.get()).finish_non_exhaustive()
    }
}
