//! The pool: the buddy allocator behind one lock, with a reference count on every block.
//!
//! ```text
//!  cache lines    lock │ rings of kept blocks           what a pair of calls touches, and nothing else that is shared
//!  of HypPool     ─────┼──────────────────────────────
//!                 mask │ counter │ heads of the lists      
//!                 ──────────────────────────────────────
//!                 base │ length │ &[Frame]              written once; read without the lock
//! ```
//!
//! Each operation has *one* critical section, which covers the reference count and the change of the free areas that
//! it implies, and nothing else: no page is touched, nothing is zeroed, nothing is called.

use crate::buddy::allocated;
use crate::check::{self, Census};
use crate::coalesce::{Coalesce, Deferred};
use crate::error::{AllocError, CheckError, InitError, PageError};
use crate::frame::{Allocated, Frame, Holder, Index, State};
use crate::free_area::FreeAreas;
use crate::line::Line;
use crate::owner::OwnerIds;
use crate::pfn::{NR_ORDERS, Order, Pfn, PfnRange};
use crate::refcount::{Atomic, RefcountPath, sole};
use crate::sync::{Access, AtomicUsize, Ordering};
use crate::table::{Frames, Table};
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
/// use hyp_pool::{Frame, HypPool, Pfn, PfnRange, frames_needed};
/// use parking_lot::RawMutex as Lock; // or hyp_locks::Ticket, or your own
///
/// static TABLE: [Frame; frames_needed(1024)] = [const { Frame::VACANT }; frames_needed(1024)];
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
    words: &'t [Frame],
    /// The frame number of `words[0]`. Written once, before `len`.
    base: AtomicUsize,
    /// Frames that have words there; 0 until the pool has its range.
    len: AtomicUsize,
    pinned: AtomicUsize,
    pub(crate) owners: OwnerIds,
    path: PhantomData<fn() -> R>,
}

/// Making a pool.
impl<'t, L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'t, L, R, C> {
    /// A pool without a range, for a `static`: every call is refused until [`init`](Self::init).
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new(frames: &'t [Frame]) -> Self {
        Self {
            areas: Line(Mutex::new(FreeAreas::EMPTY)),
            words: frames,
            base: AtomicUsize::new(0),
            len: AtomicUsize::new(0),
            pinned: AtomicUsize::new(0),
            owners: OwnerIds::new(),
            path: PhantomData,
        }
    }

    /// As `new`, which `const` keeps from loom.
    #[cfg(loom)]
    pub(crate) fn vacant(lock: L, frames: &'t [Frame]) -> Self {
        Self {
            areas: Line(Mutex::from_raw(lock, FreeAreas::EMPTY)),
            words: frames,
            base: AtomicUsize::new(0),
            len: AtomicUsize::new(0),
            pinned: AtomicUsize::new(0),
            owners: OwnerIds::new(),
            path: PhantomData,
        }
    }

    /// Gives a pool made by [`new`](Self::new) its range, once. Claims
    /// [`frames_needed(range.len())`](crate::frames_needed) words of its table. The first `reserved` frames
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
    pub fn with_table(frames: &'t [Frame], range: PfnRange, reserved: usize) -> Result<Self, InitError> {
        Self::with_lock(L::INIT, frames, range, reserved)
    }

    /// As `with_table`, with a lock of the caller's making in place of [`RawMutex::INIT`].
    ///
    /// # Errors
    ///
    /// As [`init`](Self::init).
    pub fn with_lock(lock: L, frames: &'t [Frame], range: PfnRange, reserved: usize) -> Result<Self, InitError> {
        let table = Table::claim(frames, range, reserved)?;
        Ok(Self {
            areas: Line(Mutex::from_raw(lock, FreeAreas::fill(table, reserved))),
            words: frames,
            base: AtomicUsize::new(range.start().get()),
            len: AtomicUsize::new(table.frames().len()),
            pinned: AtomicUsize::new(0),
            owners: OwnerIds::new(),
            path: PhantomData,
        })
    }
}

/// For the test of the layout.
#[cfg(all(test, not(loom)))]
impl<L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'_, L, R, C> {
    /// What every call reads without the lock.
    pub(crate) const READ_ONLY: core::ops::Range<usize> =
        core::mem::offset_of!(Self, words)..core::mem::offset_of!(Self, pinned);
}

/// Blocks by frame number. The caller keeps the number and counts its references; the pool refuses what it
/// can tell is wrong. What no word can tell: a put too many after the block was allocated again looks like a
/// put of the new owner's, and a misuse that races a legal call may go unreported. Neither breaks an
/// invariant. [`PageRef`](crate::PageRef) counts for those who would rather not.
impl<L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'_, L, R, C> {
    /// Allocates a block of `1 << order` frames, aligned to its size, with one reference. Its contents are
    /// whatever they were.
    ///
    /// The block is one of those that `C` has kept, or else the lower end of the smallest one that is large enough,
    /// the lowest of these. At most [`MAX_ORDER`](crate::MAX_ORDER) splits under the lock; if nothing is large enough,
    /// all blocks kept are coalesced before the call gives up.
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
    /// O(1), without the lock on the `Atomic` path, unless it is the last one: then at most
    /// [`MAX_ORDER`](crate::MAX_ORDER) merges under the lock.
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

    /// As [`get_page`](Self::get_page), for a caller who has no reference, and knows no more than that the block may
    /// still be there. Afterwards it has one, to whatever block is at `pfn` now.
    ///
    /// Takes the lock: a last put that is under way is over, or has not begun.
    ///
    /// # Errors
    ///
    /// As `get_page`.
    pub fn try_get_page(&self, pfn: Pfn) -> Result<(), PageError> {
        let _areas = self.areas.0.lock();
        let (_, frame) = self.frames().find(pfn)?;
        loop {
            let word = self.held_by(pfn, frame, Holder::Number, Access::Look)?;
            let more = word.more(1).ok_or(PageError::Overflow)?;
            // On both paths: only the last put stores to such a word, with the lock held; but a magazine exchanges it.
            if frame.exchange(word, more, Access::TryGet) {
                return Ok(());
            }
        }
    }

    /// References to the block whose first frame is `pfn`: at least 1.
    ///
    /// One relaxed load: a snapshot, and no licence to touch the page. Page-table code that compares it with 1
    /// to find out whether a table is empty does so under the lock of its page table.
    ///
    /// # Errors
    ///
    /// [`PageError::OutOfRange`], [`Free`](PageError::Free) or [`Tail`](PageError::Tail).
    #[inline]
    pub fn page_count(&self, pfn: Pfn) -> Result<u32, PageError> {
        self.word(pfn).map(Allocated::count)
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
        self.pinned.load(Ordering::Relaxed)
    }

    /// Verifies invariants I1 to I7 of the [`buddy`](crate::buddy) module, and changes nothing. O(frames), under the
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

/// The operations, for any holder whose words several may change.
impl<'t, L: RawMutex, R: RefcountPath, C: Coalesce> HypPool<'t, L, R, C> {
    /// The frames' words.
    #[inline]
    pub(crate) fn frames(&self) -> Frames<'t> {
        let len = self.len.load(Access::Observe.ordering());
        let base = Pfn::new(self.base.load(Ordering::Relaxed));
        Frames::new(base, self.words, len)
    }

    /// All words.
    #[inline]
    pub(crate) fn table(&self) -> Table<'t> {
        let len = self.len.load(Access::Observe.ordering());
        let base = Pfn::new(self.base.load(Ordering::Relaxed));
        Table::new(base, self.words, len)
    }

    #[inline]
    pub(crate) fn alloc_as(&self, order: u8, holder: Holder) -> Result<Pfn, AllocError> {
        let order = Order::new(order).ok_or(AllocError::OrderTooLarge)?;
        let frames = self.frames();
        let mut areas = self.areas.0.lock();
        let index = areas.extract(|| self.table(), order)?;
        // INVARIANT: I4: it has left the free areas.
        frames.frame(index).set_allocated(Allocated::new(order, holder));
        drop(areas);
        Ok(frames.pfn(index))
    }

    #[inline]
    pub(crate) fn get_as(&self, pfn: Pfn, holder: Holder, n: u32) -> Result<(), PageError> {
        self.update(pfn, holder, Access::Get, |word| word.more(n).ok_or(PageError::Overflow))
    }

    /// Count `c → c - n`, or `n → Silent` and free in one critical section.
    #[inline]
    pub(crate) fn put_as(&self, pfn: Pfn, holder: Holder, n: u32) -> Result<(), PageError> {
        let (index, frame) = self.frames().find(pfn)?;
        if !R::LOCK_FREE {
            let mut areas = self.areas.0.lock();
            let word = self.held_by(pfn, frame, holder, Access::Look)?;
            match word.less(n) {
                // Release even here: a magazine looks at the word without the lock.
                Some(less) => frame.store(less, Access::Put),
                None if word.count() < n => return Err(PageError::Underflow),
                None => {
                    frame.set_silent();
                    areas.free(|| self.table(), index, word.order());
                }
            }
            return Ok(());
        }
        loop {
            let word = self.held_by(pfn, frame, holder, Access::Look)?;
            let done = match word.less(n) {
                Some(less) => frame.exchange(word, less, Access::Put),
                None if word.count() < n => return Err(PageError::Underflow),
                None => self.put_last(index, frame, pfn, holder, n)?,
            };
            // Somebody else changed the word, and so got on: look again.
            if done {
                return Ok(());
            }
        }
    }

    /// One reference less to a block counted by number, if another one is left; `false` if not.
    pub(crate) fn put_if_shared(&self, pfn: Pfn) -> Result<bool, PageError> {
        match self.update(pfn, Holder::Number, Access::Put, |word| word.less(1).ok_or(PageError::Underflow)) {
            Err(PageError::Underflow) => Ok(false),
            result => result.map(|()| true),
        }
    }

    /// The last references go and the block is free, the lock taken first; `false` if they are not the last.
    ///
    /// Whoever has all the references is the only one who may change the word, so that a store will do. Should somebody
    /// without one get one between the look and the store, against the rules, it is lost; but of two who put the same
    /// one too often the second finds the block free, since both come here.
    #[inline]
    fn put_last(&self, index: Index, frame: &Frame, pfn: Pfn, holder: Holder, n: u32) -> Result<bool, PageError> {
        let mut areas = self.areas.0.lock();
        let word = self.held_by(pfn, frame, holder, Access::LastPut)?;
        if word.count() != n {
            return Ok(false);
        }
        frame.set_silent();
        areas.free(|| self.table(), index, word.order());
        Ok(true)
    }

    /// Frees the block at `index`, whose word the caller alone may change.
    #[inline]
    pub(crate) fn free_own(&self, index: Index, frame: &Frame, order: Order) {
        let mut areas = self.areas.0.lock();
        frame.set_silent();
        areas.free(|| self.table(), index, order);
    }

    /// Splits the block and tells its former order.
    pub(crate) fn split_as(&self, pfn: Pfn, holder: Holder) -> Result<Order, PageError> {
        let frames = self.frames();
        let (index, frame) = frames.find(pfn)?;
        let areas = self.areas.0.lock();
        let order = loop {
            let word = sole(self.held_by(pfn, frame, holder, Access::Look)?)?;
            let single = Allocated::new(Order::ZERO, holder);
            if !R::LOCK_FREE {
                frame.set_allocated(single);
                break word.order();
            }
            // Under the lock, yet against lock-free gets: until the tails are written, only the head changes.
            if frame.exchange(word, single, Access::Sole) {
                break word.order();
            }
        };
        FreeAreas::<C>::scatter(frames, index, order, holder);
        drop(areas);
        Ok(order)
    }

    /// The block with the only reference changes from one kind of holder to another. Under the lock: of somebody who
    /// puts that reference, against the rules, the last put is over, or has not looked at the word yet.
    pub(crate) fn rehold(&self, pfn: Pfn, from: Holder, to: Holder) -> Result<(), PageError> {
        let (_, frame) = self.frames().find(pfn)?;
        let _areas = self.areas.0.lock();
        loop {
            let word = sole(self.held_by(pfn, frame, from, Access::Look)?)?;
            let to = Allocated::new(word.order(), to);
            if !R::LOCK_FREE {
                frame.set_allocated(to);
                return Ok(());
            }
            if frame.exchange(word, to, Access::Sole) {
                return Ok(());
            }
        }
    }

    /// A handle's count has overflowed: its block stays allocated for ever.
    #[cold]
    pub(crate) fn pin(&self, pfn: Pfn) {
        if self.update(pfn, Holder::Handle, Access::Pin, |word| Ok(word.pinned())).is_ok() {
            self.pinned.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The word of a block, whoever holds it.
    #[inline]
    pub(crate) fn word(&self, pfn: Pfn) -> Result<Allocated, PageError> {
        let frames = self.frames();
        allocated(frames, pfn, frames.find(pfn)?.1)
    }

    /// The word of a block that `holder` may count references of.
    #[inline]
    pub(crate) fn held_by(
        &self,
        pfn: Pfn,
        frame: &Frame,
        holder: Holder,
        access: Access,
    ) -> Result<Allocated, PageError> {
        match frame.state_by(access) {
            State::Allocated(word) if word.is_held_by(holder) && !word.is_pinned() => Ok(word),
            other => Err(self.refused(pfn, other)),
        }
    }

    /// Why nobody, or somebody else, counts in a word that says `state`.
    #[cold]
    fn refused(&self, pfn: Pfn, state: State) -> PageError {
        match state {
            State::Allocated(word) if word.is_pinned() => PageError::Pinned,
            State::Allocated(_) => PageError::Held,
            State::Silent | State::Vacant => self.frames().unallocated(pfn),
        }
    }

    /// `Allocated → Allocated` in the pool's way of counting.
    #[inline]
    fn update(
        &self,
        pfn: Pfn,
        holder: Holder,
        access: Access,
        change: impl Fn(Allocated) -> Result<Allocated, PageError>,
    ) -> Result<(), PageError> {
        let (_, frame) = self.frames().find(pfn)?;
        if R::LOCK_FREE {
            loop {
                let word = self.held_by(pfn, frame, holder, Access::Look)?;
                if frame.exchange(word, change(word)?, access) {
                    return Ok(());
                }
            }
        }
        let _areas = self.areas.0.lock();
        frame.set_allocated(change(self.held_by(pfn, frame, holder, Access::Look)?)?);
        Ok(())
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Drop for HypPool<'_, L, R, C> {
    /// Gives the table back. Blocks that are still allocated by number go with it; no handle can exist.
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
