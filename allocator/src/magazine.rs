//! Magazines: blocks set aside for one CPU, which takes and puts them back without the lock.
//!
//! ```text
//!             alloc_pages                      put_page
//!                  ▲                               │
//!   order 0  … ■ ■ ■ │        1 … 2: ■ ■ ■ │       ▼        owned by `&mut`: no lock
//!                  ▲ │                               │
//!          refill: │ ▼ flush: half a rack in one critical section
//!                HypPool
//! ```
//!
//! The magazine is the owner of what it holds: a block in it is allocated, with one reference, and its word says
//! `Magazine`, so that everybody else is refused it, and [`check`](HypPool::check) holds at any time. To hand a
//! block out is one store to its word, and to take one back one compare-exchange; a store, if who puts it has it to
//! themselves already, since it was cleared.
//!
//! After J. Bonwick and J. Adams, "Magazines and Vmem: Extending the Slab Allocator to Many CPUs and Arbitrary
//! Resources", USENIX ATC 2001. What it holds, and its invariants: [`racks`](crate::racks).

#[cfg(doc)]
use crate::bulk::BULK;
use crate::coalesce::{Coalesce, Deferred};
use crate::contents::Cleared;
use crate::error::{AllocError, PageError};
use crate::pfn::Pfn;
use crate::pool::HypPool;
use crate::racks::Racks;
use crate::refcount::{Atomic, RefcountPath};
use crate::table::Frames;
use crate::word::Holder;
use core::fmt;
use lock_api::RawMutex;

/// Making magazines.
impl<L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'_, L, R, C> {
    /// An empty magazine of this pool, for up to 64 blocks of order 0.
    #[must_use]
    pub const fn magazine(&self) -> Magazine<'_, L, R, C> {
        Magazine::new(self)
    }
}

/// Blocks of a pool set aside for whoever has the `&mut`: a CPU, a thread, a device's driver.
///
/// It lives where its caller puts it and needs no CPU number and no thread-local storage; [`PerCpu`](crate::PerCpu) is
/// for those who have a CPU number and interrupts. `N`, from 8 to 64, is the most blocks of order 0 that it holds; of
/// order 1 half as many, of orders 2 and 3 a quarter. What it holds counts as allocated: with `c` magazines, up to `c` × 5 `N`
/// pages that nobody else can have, 320 a magazine of 64; take a smaller one where memory is short. A caller to whom the
/// pool refuses a block has the magazine emptied and asks again; dropping it empties it. What a magazine holds that is
/// forgotten (`mem::forget`) stays allocated.
///
/// ```
/// use hyp_pool::{HypPool, Pfn, PfnRange, TableWord, table_words};
///
/// let table = [const { TableWord::VACANT }; table_words(64)];
/// let pool = HypPool::<parking_lot::RawMutex>::with_table(&table, PfnRange::new(Pfn::new(0x100), 64), 0)?;
/// let mut magazine = pool.magazine();
///
/// let page = magazine.alloc_pages(0)?; // one critical section for the next 32
/// magazine.put_page(page)?; // none
/// assert!(pool.free_pages() < 64); // the magazine has some
/// magazine.drain();
/// assert_eq!(pool.free_pages(), 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Magazine<'p, L: RawMutex, R: RefcountPath = Atomic, C: Coalesce = Deferred, const N: usize = 64> {
    pool: &'p HypPool<'p, L, R, C>,
    /// The pool's, as of the first call, so as not to look them up in every other one.
    frames: Frames<'p>,
    racks: Racks<N>,
}

impl<'p, L: RawMutex, R: RefcountPath, C: Coalesce, const N: usize> Magazine<'p, L, R, C, N> {
    /// An empty magazine, for a `static` or of another size; [`HypPool::magazine`] otherwise.
    #[must_use]
    pub const fn new(pool: &'p HypPool<'p, L, R, C>) -> Self {
        Self { pool, frames: Frames::NONE, racks: Racks::EMPTY }
    }

    /// As [`HypPool::alloc_pages`], from the magazine if it can be. No lock, or else one critical section of at most
    /// [`BULK`] blocks. If the pool has none, everything in the magazine is given back, in as many sections as that takes,
    /// and the pool asked again.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; the caller has nothing.
    #[inline]
    pub fn alloc_pages(&mut self, order: u8) -> Result<Pfn, AllocError> {
        self.alloc_as(order, Holder::Number)
    }

    /// As `alloc_pages`, for `holder`.
    #[inline]
    pub(crate) fn alloc_as(&mut self, order: u8, holder: Holder) -> Result<Pfn, AllocError> {
        match self.racks.take(self.frames, order, holder) {
            Some(pfn) => Ok(pfn),
            None => {
                self.frames = self.pool.frames();
                self.racks.refill(self.pool, order, holder)
            }
        }
    }

    /// As [`HypPool::put_page`], into the magazine if it is the last reference, as one look at the count tells. No lock, or
    /// else one critical section of at most [`BULK`] blocks; under [`Merged`](crate::Merged) one more for the count.
    ///
    /// # Errors
    ///
    /// [`PageError`]; nothing has changed.
    #[inline]
    pub fn put_page(&mut self, pfn: Pfn) -> Result<(), PageError> {
        let word = self.pool.word(pfn)?;
        if word.count() > 1 {
            // Not the last one, most likely: without an exchange that would fail.
            return self.pool.put_page(pfn);
        }
        self.put_page_of(pfn, word.order().get())
    }

    /// As [`put_page`](Self::put_page), for a caller who knows the order of the block, which makes it quicker.
    ///
    /// # Errors
    ///
    /// [`PageError`], [`WrongOrder`](PageError::WrongOrder) if the block is of another order; nothing has changed.
    #[inline]
    pub fn put_page_of(&mut self, pfn: Pfn, order: u8) -> Result<(), PageError> {
        if self.racks.keep::<R>(self.frames, pfn, order) {
            return Ok(());
        }
        self.frames = self.pool.frames();
        self.racks.put(self.pool, pfn, order)
    }

    /// Takes a block that has been cleared, if it holds blocks of that order; or the pool does.
    pub(crate) fn take_back(&mut self, block: Cleared<'p>) {
        self.racks.take_back(self.pool, block);
    }

    /// Gives everything back to the pool: when memory runs short, before the CPU goes offline, at shutdown. Critical
    /// sections of at most [`BULK`] blocks.
    pub fn drain(&mut self) {
        self.racks.drain(self.pool);
    }

    /// Pages that the magazine holds.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.racks.pages()
    }

    pub(crate) const fn pool(&self) -> &'p HypPool<'p, L, R, C> {
        self.pool
    }

    /// The racks, for tests that compare whole states.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn racks(&self) -> impl Iterator<Item = &[u32]> {
        self.racks.blocks()
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce, const N: usize> Drop for Magazine<'_, L, R, C, N> {
    fn drop(&mut self) {
        self.drain();
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce, const N: usize> fmt::Debug for Magazine<'_, L, R, C, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Magazine").field("pages", &self.pages()).finish_non_exhaustive()
    }
}
