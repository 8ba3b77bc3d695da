//! The pool: the buddy allocator behind one lock, with a reference count on every block.
//!
//! ```text
//!  cache lines    lock │ rings of kept blocks           what a pair of calls touches
//!  of HypPool     ─────┼──────────────────────────────
//!                 mask │ counter │ heads of the lists
//!                 ──────────────────────────────────────
//!                 base │ length │ &[TableWord]              written once; read without the lock
//!                 ──────────────────────────────────────
//!                 owners │ magazines │ pinned           counted now and then, without the lock
//! ```
//!
//! Each operation has *one* critical section, which covers the reference count and the change of the free areas that
//! it implies, and nothing else: no page is touched, nothing is zeroed, nothing is called.

use crate::check::{self, Census};
use crate::coalesce::{Coalesce, Deferred};
use crate::error::{CheckError, InitError};
use crate::free_area::FreeAreas;
use crate::line::Line;
use crate::owner::OwnerIds;
use crate::pfn::{NR_ORDERS, PfnRange};
use crate::refcount::{Atomic, RefcountPath};
use crate::sync::{Access, AtomicUsize, Ordering};
use crate::table::Table;
use crate::word::TableWord;
use core::fmt;
use core::marker::PhantomData;
use lock_api::{Mutex, RawMutex};

/// A pool of page frames, handed out in reference-counted blocks of `1 << order` frames.
///
/// `L` is the lock, any `lock_api` 0.5 [`RawMutex`]; `R` the way references are counted, see
/// [`refcount`](crate::refcount); `C` when freed blocks are coalesced, see [`Coalesce`]. The pool is `Sync` if the
/// lock is.
///
/// The pool never touches the memory it hands out: a frame is a number.
///
/// # In a `static`
///
/// ```
/// use hyp_pool::{HypPool, Pfn, PfnRange, TableWord, table_words};
/// use parking_lot::RawMutex as Lock; // or hyp_locks::Ticket, or your own
///
/// static TABLE: [TableWord; table_words(1024)] = [const { TableWord::VACANT }; table_words(1024)];
/// static POOL: HypPool<Lock> = HypPool::new(&TABLE);
///
/// POOL.init(PfnRange::new(Pfn::new(0x4_0000), 1024), 16)?;
/// let table_page = POOL.alloc_pages(0)?; // one reference, the caller's
/// POOL.get_page(table_page)?;            // two
/// POOL.put_page(table_page)?;
/// POOL.put_page(table_page)?;            // free again
/// assert_eq!(POOL.free_pages(), 1024 - 16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[repr(C)] // lines that are written under the lock come first, and nothing else is on them
pub struct HypPool<'t, L: RawMutex, R: RefcountPath = Atomic, C: Coalesce = Deferred> {
    /// Protects the free areas and every word of `words`, but for what an `Allocated` word may become without
    /// it ([`refcount`](crate::refcount)). A leaf: nothing is called with it held.
    pub(crate) areas: Line<Mutex<L, FreeAreas<C>>>,
    pub(crate) words: &'t [TableWord],
    /// The frame number of `words[0]`. Written once, before `len`.
    pub(crate) base: AtomicUsize,
    /// Frames that have words there; 0 until the pool has its range.
    pub(crate) len: AtomicUsize,
    /// Written without the lock, now and then: not on the line that every call reads.
    pub(crate) counters: Line<Counters>,
    path: PhantomData<fn() -> R>,
}

/// What is counted outside the lock.
pub(crate) struct Counters {
    pub(crate) pinned: AtomicUsize,
    pub(crate) owners: OwnerIds,
    /// Numbers that magazines have been given.
    pub(crate) magazines: AtomicUsize,
}

impl Counters {
    #[cfg(not(loom))]
    const fn new() -> Self {
        Self { pinned: AtomicUsize::new(0), owners: OwnerIds::new(), magazines: AtomicUsize::new(0) }
    }

    #[cfg(loom)]
    fn new() -> Self {
        Self { pinned: AtomicUsize::new(0), owners: OwnerIds::new(), magazines: AtomicUsize::new(0) }
    }
}

/// Making a pool.
impl<'t, L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'t, L, R, C> {
    /// A pool without a range, for a `static`: every call is refused until [`init`](Self::init).
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new(frames: &'t [TableWord]) -> Self {
        Self {
            areas: Line(Mutex::new(FreeAreas::EMPTY)),
            words: frames,
            base: AtomicUsize::new(0),
            len: AtomicUsize::new(0),
            counters: Line(Counters::new()),
            path: PhantomData,
        }
    }

    /// As `new`, which `const` keeps from loom.
    #[cfg(all(test, loom))]
    pub(crate) fn vacant(lock: L, frames: &'t [TableWord]) -> Self {
        Self {
            areas: Line(Mutex::from_raw(lock, FreeAreas::EMPTY)),
            words: frames,
            base: AtomicUsize::new(0),
            len: AtomicUsize::new(0),
            counters: Line(Counters::new()),
            path: PhantomData,
        }
    }

    /// Gives a pool made by [`new`](Self::new) its range, once. Claims
    /// [`table_words(range.len())`](crate::table_words) words of its table. The first `reserved` frames
    /// start out allocated, each as a block of its own with one reference: memory that is in use already, a
    /// boot allocator's say. They may be got and put like all others.
    ///
    /// O(frames), under the lock.
    ///
    /// # Errors
    ///
    /// [`InitError`]; the pool and the table are as they were.
    pub fn init(&self, range: PfnRange, reserved: usize) -> Result<(), InitError> {
        let mut areas = self.areas.0.lock();
        if self.len.load(Ordering::Relaxed) != 0 {
            return Err(InitError::AlreadyInitialised);
        }
        let table = Table::claim(self.words, range, reserved)?;
        *areas = FreeAreas::fill(table, reserved);
        self.base.store(range.start().get(), Ordering::Relaxed);
        self.len.store(table.frames().len(), Access::Publish.ordering());
        Ok(())
    }

    /// A pool over `range`, by value: [`new`](Self::new) and [`init`](Self::init) in one.
    ///
    /// # Errors
    ///
    /// As `init`.
    #[cfg(not(loom))]
    pub fn with_table(frames: &'t [TableWord], range: PfnRange, reserved: usize) -> Result<Self, InitError> {
        Self::with_lock(L::INIT, frames, range, reserved)
    }

    /// As `with_table`, with a lock of the caller's making in place of [`RawMutex::INIT`].
    ///
    /// # Errors
    ///
    /// As [`init`](Self::init).
    pub fn with_lock(lock: L, frames: &'t [TableWord], range: PfnRange, reserved: usize) -> Result<Self, InitError> {
        let table = Table::claim(frames, range, reserved)?;
        Ok(Self {
            areas: Line(Mutex::from_raw(lock, FreeAreas::fill(table, reserved))),
            words: frames,
            base: AtomicUsize::new(range.start().get()),
            len: AtomicUsize::new(table.frames().len()),
            counters: Line(Counters::new()),
            path: PhantomData,
        })
    }
}

/// For the test of the layout.
#[cfg(all(test, not(loom)))]
impl<L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'_, L, R, C> {
    /// What every call reads without the lock.
    pub(crate) const READ_ONLY: core::ops::Range<usize> =
        core::mem::offset_of!(Self, words)..core::mem::offset_of!(Self, counters);
}

/// Looking at the pool as a whole.
impl<L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'_, L, R, C> {
    /// The frames of this pool; none before [`init`](Self::init).
    #[must_use]
    pub fn range(&self) -> PfnRange {
        self.frames().range()
    }

    /// Free frames, in blocks of any order. Takes the lock.
    #[must_use]
    pub fn free_pages(&self) -> usize {
        self.areas.0.lock().free_pages()
    }

    /// Free blocks of each order, all coalesced. O(frames / 32), under the lock; merges what was kept unmerged.
    #[must_use]
    pub fn free_blocks(&self) -> [usize; NR_ORDERS] {
        let mut areas = self.areas.0.lock();
        areas.coalesce(self.table());
        areas.free_blocks(self.table())
    }

    /// Coalesces the blocks that the policy `C` has kept unmerged. Nothing else that the pool does needs it: for those
    /// who want the next large allocation to be quick. Takes the lock.
    pub fn coalesce(&self) {
        self.areas.0.lock().coalesce(self.table());
    }

    /// How many blocks are pinned for ever because the count of their handles overflowed.
    #[must_use]
    pub fn pinned_blocks(&self) -> usize {
        self.counters.0.pinned.load(Ordering::Relaxed)
    }

    /// Verifies invariants I1 to I7 of the [`algorithm`](crate::algorithm) module, and changes nothing. O(frames), under the
    /// lock.
    ///
    /// # Errors
    ///
    /// The first violation found; none is ever, unless there is a bug in this crate or in the lock.
    pub fn check(&self) -> Result<Census, CheckError> {
        let areas = self.areas.0.lock();
        check::check(self.table(), &areas)
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Drop for HypPool<'_, L, R, C> {
    /// Gives the table back. Blocks that are still allocated go with it; nobody who could name them exists, but numbers.
    fn drop(&mut self) {
        self.table().vacate();
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> fmt::Debug for HypPool<'_, L, R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the lock: a debugger's or a panic handler's view must not wait for one.
        f.debug_struct("HypPool").field("range", &self.range()).finish_non_exhaustive()
    }
}
