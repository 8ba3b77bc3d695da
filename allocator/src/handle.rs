//! Handles: references that count themselves.
//!
//! `Clone` gets, `Drop` puts. A block that handles hold carries a mark, and calls by frame number are refused
//! for it: nobody can put a reference that a handle relies on.
//!
//! ```text
//!   alloc_pages(order) ──► Pfn ──adopt──► PageRef ◄── alloc(order)
//!                           ▲                │
//!                           └───into_raw─────┘          both need the only reference
//! ```

use crate::coalesce::{Coalesce, Deferred};
use crate::contents::Scrub;
use crate::error::{AllocError, PageError};
use crate::pfn::{Order, Pfn};
use crate::pool::HypPool;
use crate::refcount::{Atomic, RefcountPath};
use crate::word::Holder;
use core::fmt;
use core::mem;
use lock_api::RawMutex;

impl<L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'_, L, R, C> {
    /// As [`alloc_pages`](Self::alloc_pages), with a handle for the reference.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; nothing has changed.
    pub fn alloc(&self, order: u8) -> Result<PageRef<'_, L, R, C>, AllocError> {
        let pfn = self.alloc_as(order, Holder::Handle)?;
        Ok(PageRef::new(self, pfn))
    }

    /// Makes a handle of the only reference to the block at `pfn`.
    ///
    /// # Errors
    ///
    /// [`PageError`], [`Shared`](PageError::Shared) if it is not the only one; nothing has changed.
    pub fn adopt(&self, pfn: Pfn) -> Result<PageRef<'_, L, R, C>, PageError> {
        self.rehold(pfn, Holder::Number, Holder::Handle)?;
        Ok(PageRef::new(self, pfn))
    }
}

/// A reference to a block of a pool.
///
/// Proves that the block is allocated and stays so; that its frames are in the pool's range, consecutive and
/// aligned. Does *not* prove that nobody else refers to the block, nor anything about its contents.
///
/// # Invariants
///
/// The head at `pfn` is `Allocated` and held by handles, and its count is the number of handles there are
/// (forgotten ones too), or it is pinned.
pub struct PageRef<'p, L: RawMutex, R: RefcountPath = Atomic, C: Coalesce = Deferred> {
    pool: &'p HypPool<'p, L, R, C>,
    pfn: Pfn,
}

impl<'p, L: RawMutex, R: RefcountPath, C: Coalesce> PageRef<'p, L, R, C> {
    /// A handle for a reference that handles hold, and that no other one stands for.
    pub(crate) const fn new(pool: &'p HypPool<'p, L, R, C>, pfn: Pfn) -> Self {
        Self { pool, pfn }
    }

    pub(crate) const fn pool(&self) -> &'p HypPool<'p, L, R, C> {
        self.pool
    }

    /// Puts the reference; if it was the last, the block is the caller's to clear.
    pub(crate) fn into_scrub(self) -> Option<Scrub<'p>> {
        // By the invariant the put is legal; of a pinned block it is refused, and the block stays.
        let last = self.pool.scrub_as(self.pfn, Holder::Handle, 1).ok().flatten();
        mem::forget(self); // its reference is gone
        last
    }

    /// The first frame of the block.
    #[must_use]
    pub const fn pfn(&self) -> Pfn {
        self.pfn
    }

    /// The size of the block: `1 << order` frames.
    #[must_use]
    pub fn order(&self) -> u8 {
        // By the invariant there is a word.
        self.pool.word(self.pfn).map_or(0, |word| word.order().get())
    }

    /// How many handles there are, as a snapshot.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.pool.word(self.pfn).map_or(0, |word| word.count())
    }

    /// One more handle.
    ///
    /// # Errors
    ///
    /// [`PageError::Overflow`] or [`PageError::Pinned`], where `clone` would pin the block.
    pub fn try_clone(&self) -> Result<Self, PageError> {
        self.pool.get_as(self.pfn, Holder::Handle, 1)?;
        Ok(Self { pool: self.pool, pfn: self.pfn })
    }

    /// The frame number, for code that counts by itself and will `put_page` it.
    ///
    /// # Errors
    ///
    /// The handle itself, if it is not the only one.
    pub fn into_raw(self) -> Result<Pfn, Self> {
        match self.pool.rehold(self.pfn, Holder::Handle, Holder::Number) {
            Ok(()) => {
                let pfn = self.pfn;
                mem::forget(self); // its reference lives on
                Ok(pfn)
            }
            Err(_) => Err(self),
        }
    }

    /// A handle for each frame of the block.
    ///
    /// # Errors
    ///
    /// The handle itself, if it is not the only one.
    pub fn split(self) -> Result<SplitPages<'p, L, R, C>, Self> {
        match self.pool.split_as(self.pfn, Holder::Handle) {
            Ok(order) => {
                let pages = SplitPages { pool: self.pool, next: self.pfn, left: order.pages() };
                mem::forget(self); // its reference is that of the first page
                Ok(pages)
            }
            Err(_) => Err(self),
        }
    }

    /// The size of the block in frames.
    #[must_use]
    pub fn nr_pages(&self) -> usize {
        Order::new(self.order()).map_or(0, Order::pages)
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Clone for PageRef<'_, L, R, C> {
    /// One more handle. Cannot fail: a count that would overflow pins the block for ever instead, which the
    /// pool counts ([`pinned_blocks`](HypPool::pinned_blocks)). [`try_clone`](PageRef::try_clone) tells.
    fn clone(&self) -> Self {
        match self.try_clone() {
            Ok(handle) => handle,
            Err(_) => {
                self.pool.pin(self.pfn);
                Self { pool: self.pool, pfn: self.pfn }
            }
        }
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Drop for PageRef<'_, L, R, C> {
    fn drop(&mut self) {
        // By the invariant the put is legal; of a pinned block it is refused, and the block stays.
        let _ = self.pool.put_as(self.pfn, Holder::Handle, 1);
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> fmt::Debug for PageRef<'_, L, R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageRef")
            .field("pfn", &self.pfn)
            .field("order", &self.order())
            .field("count", &self.count())
            .finish()
    }
}

/// The handles of the frames of a block that was split, lowest first. Dropping it drops those not taken.
pub struct SplitPages<'p, L: RawMutex, R: RefcountPath = Atomic, C: Coalesce = Deferred> {
    pool: &'p HypPool<'p, L, R, C>,
    next: Pfn,
    left: usize,
}

impl<'p, L: RawMutex, R: RefcountPath, C: Coalesce> Iterator for SplitPages<'p, L, R, C> {
    type Item = PageRef<'p, L, R, C>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let pfn = self.next;
        self.next = Pfn::new(pfn.get() + 1);
        self.left -= 1;
        Some(PageRef { pool: self.pool, pfn })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> ExactSizeIterator for SplitPages<'_, L, R, C> {}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Drop for SplitPages<'_, L, R, C> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> fmt::Debug for SplitPages<'_, L, R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SplitPages").field("next", &self.next).field("left", &self.left).finish()
    }
}
