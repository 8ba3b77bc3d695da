//! The calls by frame number: what a hypervisor written in C would call, and what everything else is made of.

use crate::coalesce::Coalesce;
use crate::error::{AllocError, PageError};
use crate::pfn::Pfn;
use crate::pool::HypPool;
use crate::refcount::RefcountPath;
use crate::word::Holder;
use lock_api::RawMutex;

/// Blocks by frame number. The caller keeps the number and counts its references; the pool refuses what it
/// can tell is wrong. What no word can tell: a put too many after the block was allocated again looks like a
/// put of the new owner's, and a misuse that races a legal call may go unreported. Neither breaks an
/// invariant. [`PageRef`](crate::PageRef) counts for those who would rather not.
impl<L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'_, L, R, C> {
    /// Allocates a block of `1 << order` frames, aligned to its size, with one reference. Its contents are
    /// whatever they were.
    ///
    /// The block is one of those that `C` has kept, or else out of a [chunk](crate::algorithm) whose largest free block is the
    /// smallest that will do: there an exact fit first, and the lowest of these. One word and at most five list steps
    /// under the lock; if nothing is large enough, all blocks kept are coalesced before the call gives up.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; nothing has changed.
    #[inline]
    pub fn alloc_pages(&self, order: u8) -> Result<Pfn, AllocError> {
        self.alloc_as(order, Holder::Number)
    }

    /// One reference more to the block whose first frame is `pfn`. The caller has one already.
    ///
    /// O(1); without the lock on the `Atomic` path.
    ///
    /// # Errors
    ///
    /// [`PageError::OutOfRange`], [`Free`](PageError::Free), [`Tail`](PageError::Tail),
    /// [`Held`](PageError::Held), [`Pinned`](PageError::Pinned) or [`Overflow`](PageError::Overflow); nothing has changed.
    #[inline]
    pub fn get_page(&self, pfn: Pfn) -> Result<(), PageError> {
        self.get_as(pfn, Holder::Number, 1)
    }

    /// One reference less to the block whose first frame is `pfn`. The last one frees the block, in the same
    /// critical section, and coalesces it with its buddy, and so on upward: at once or later, as `C` says.
    ///
    /// O(1), without the lock on the `Atomic` path, unless it is the last one: then one word and
    /// at most five merges under the lock.
    ///
    /// # Errors
    ///
    /// [`PageError::OutOfRange`], [`Free`](PageError::Free), [`Tail`](PageError::Tail),
    /// [`Held`](PageError::Held) or [`Pinned`](PageError::Pinned); nothing has changed.
    #[inline]
    pub fn put_page(&self, pfn: Pfn) -> Result<(), PageError> {
        self.put_as(pfn, Holder::Number, 1)
    }

    /// Makes the block at `pfn`, to which the caller has the only reference, into blocks of order 0 with one
    /// reference each. Of a block of order 0 it makes itself.
    ///
    /// O(frames of the block), under the lock.
    ///
    /// # Errors
    ///
    /// [`PageError::OutOfRange`], [`Free`](PageError::Free), [`Tail`](PageError::Tail),
    /// [`Held`](PageError::Held), [`Pinned`](PageError::Pinned) or [`Shared`](PageError::Shared); nothing has changed.
    pub fn split_page(&self, pfn: Pfn) -> Result<(), PageError> {
        self.split_as(pfn, Holder::Number).map(drop)
    }

    /// References to the block whose first frame is `pfn`: at least 1.
    ///
    /// One relaxed load: a snapshot, and no licence to touch the page. Page-table code that compares it with 1
    /// to find out whether a table is empty does so under the lock of its page table.
    ///
    /// # Errors
    ///
    /// [`PageError::OutOfRange`], [`Free`](PageError::Free) or [`Tail`](PageError::Tail); [`Held`](PageError::Held) of a
    /// block in a magazine, which was put.
    #[inline]
    pub fn page_count(&self, pfn: Pfn) -> Result<u32, PageError> {
        let word = self.word(pfn)?;
        if word.is_in_magazine() { Err(PageError::Held) } else { Ok(word.count()) }
    }

    /// `n` references more to the block whose first frame is `pfn`, as by `n` calls of
    /// [`get_page`](Self::get_page): all, or none and an error.
    ///
    /// # Errors
    ///
    /// As `get_page`.
    #[inline]
    pub fn get_page_n(&self, pfn: Pfn, n: u32) -> Result<(), PageError> {
        self.get_as(pfn, Holder::Number, n)
    }

    /// `n` references less to the block whose first frame is `pfn`, as by `n` calls of [`put_page`](Self::put_page):
    /// all, or none and an error. What a page table does that is collapsed into a block.
    ///
    /// # Errors
    ///
    /// As `put_page`, and [`PageError::Underflow`] if there are fewer.
    #[inline]
    pub fn put_page_n(&self, pfn: Pfn, n: u32) -> Result<(), PageError> {
        self.put_as(pfn, Holder::Number, n)
    }
}
