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
//! Resources", USENIX ATC 2001.
//!
//! # Invariants
//!
//! * **Z1** A block in a rack says `Magazine`, the rack's order and this magazine's number.
//! * **Z2** A word that says so is changed by the magazine of that number alone, and only by stores.
//!
//! Under [`Merged`](crate::Merged) every change of a count is a store under the lock, and so is the one that takes a block
//! back: there a put takes the lock, and a magazine spares half of them.

use crate::bulk::BULK;
use crate::coalesce::{Coalesce, Deferred};
use crate::contents::Cleared;
use crate::error::{AllocError, PageError};
use crate::frame::{Allocated, Holder, Index, MagazineId};
use crate::pfn::{Order, Pfn};
use crate::pool::HypPool;
use crate::refcount::{Atomic, RefcountPath};
use crate::sync::{Access, Ordering};
use crate::table::Frames;
use core::fmt;
use lock_api::RawMutex;

/// Orders of which a magazine holds blocks: 0 to 3. Larger ones go to the pool directly.
pub(crate) const ORDERS: usize = 4;

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
/// use hyp_pool::{Frame, HypPool, Pfn, PfnRange, frames_needed};
///
/// let table = [const { Frame::VACANT }; frames_needed(64)];
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

    /// As [`HypPool::put_page`], into the magazine if it is the last reference. No lock, or else one critical section of
    /// at most [`BULK`] blocks; under [`Merged`](crate::Merged) one more for the count.
    ///
    /// # Errors
    ///
    /// [`PageError`]; nothing has changed.
    #[inline]
    pub fn put_page(&mut self, pfn: Pfn) -> Result<(), PageError> {
        let order = self.pool.word(pfn)?.order();
        self.put_page_of(pfn, order.get())
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
        self.racks.racks.iter().map(|rack| &rack.slots[..rack.len as usize])
    }
}

/// A magazine but for the pool that it is of: every call must name the same one.
pub(crate) struct Racks<const N: usize> {
    /// Whether the words below have the magazine's number.
    numbered: bool,
    racks: [Rack<N>; ORDERS],
}

/// The blocks of one order.
///
/// # Invariants
///
/// `len <= limit <= N`; the blocks are in `slots[..len]`, the most recent last. The limit is 0 until the magazine has its
/// number.
struct Rack<const N: usize> {
    len: u32,
    limit: u32,
    /// What the blocks here say.
    word: Allocated,
    slots: [u32; N],
}

impl<const N: usize> Racks<N> {
    const FITS: () = assert!(N >= 8 && N <= 2 * BULK, "a magazine holds 8 to 64 blocks of order 0");
    const RACK: Rack<N> = Rack { len: 0, limit: 0, word: Allocated::new(Order::ZERO, Holder::Magazine), slots: [0; N] };
    pub(crate) const EMPTY: Self = {
        let () = Self::FITS;
        Self { numbered: false, racks: [Self::RACK; ORDERS] }
    };

    /// A block of `order` for `holder`, if there is one in its rack.
    #[inline]
    pub(crate) fn take(&mut self, frames: Frames<'_>, order: u8, holder: Holder) -> Option<Pfn> {
        let rack = self.racks.get_mut(usize::from(order))?;
        let left = rack.len.checked_sub(1)?;
        let index = Index::new(*rack.slots.get(left as usize)? as usize);
        let frame = frames.get(index)?;
        rack.len = left;
        // INVARIANT: Z2, for the last time. So there is no need to look.
        frame.set_allocated(Allocated::new(Order::new(order)?, holder));
        Some(frames.pfn(index))
    }

    /// Takes the block of `order` at `pfn` into its rack, if there is room, nobody else has a reference, and words may
    /// change without the lock.
    #[inline]
    pub(crate) fn keep<R: RefcountPath>(&mut self, frames: Frames<'_>, pfn: Pfn, order: u8) -> bool {
        if !R::LOCK_FREE {
            return false;
        }
        let (Some(rack), Ok((index, frame)), Some(size)) =
            (self.racks.get_mut(usize::from(order)), frames.find(pfn), Order::new(order))
        else {
            return false;
        };
        if rack.len >= rack.limit {
            return false;
        }
        let Some(slot) = rack.slots.get_mut(rack.len as usize) else { return false };
        // INVARIANT: Z1. Against others who put or get, so that a block is in one rack, and a reference that was granted
        // is not lost.
        let kept = frame.exchange_strong(Allocated::new(size, Holder::Number), rack.word, Access::Keep);
        if kept {
            *slot = index.get() as u32;
            rack.len += 1;
        }
        kept
    }

    /// As `keep`, where that was of no avail: there was no room, or it is not the last reference, or it is refused.
    #[inline(never)]
    pub(crate) fn put<L: RawMutex, R: RefcountPath, C: Coalesce>(
        &mut self,
        pool: &HypPool<'_, L, R, C>,
        pfn: Pfn,
        order: u8,
    ) -> Result<(), PageError> {
        let word = pool.word_of(pfn, order)?;
        if word.count() == 1 && self.racks.get(usize::from(order)).is_some() {
            self.number(pool);
            self.make_room(pool, word.order());
            if self.keep::<R>(pool.frames(), pfn, order) || (!R::LOCK_FREE && self.keep_locked(pool, pfn, order)) {
                return Ok(());
            }
        }
        pool.put_page(pfn)
    }

    /// As `keep`, under the lock. There is room.
    fn keep_locked<L: RawMutex, R: RefcountPath, C: Coalesce>(
        &mut self,
        pool: &HypPool<'_, L, R, C>,
        pfn: Pfn,
        order: u8,
    ) -> bool {
        let Some(rack) = self.racks.get_mut(usize::from(order)) else { return false };
        let (Some(slot), Ok((index, _))) = (rack.slots.get_mut(rack.len as usize), pool.find(pfn)) else {
            return false;
        };
        // INVARIANT: Z1.
        let kept = pool.give_to(pfn, rack.word).is_ok();
        if kept {
            *slot = index.get() as u32;
            rack.len += 1;
        }
        kept
    }

    /// Takes a block that nobody else has, and whose word says so, into its rack; or the pool does, if there is no rack for
    /// blocks of that size.
    pub(crate) fn take_back<'t, L: RawMutex, R: RefcountPath, C: Coalesce>(
        &mut self,
        pool: &HypPool<'t, L, R, C>,
        block: Cleared<'t>,
    ) {
        let order = block.order();
        if usize::from(order.get()) >= ORDERS {
            return block.free(pool);
        }
        self.number(pool);
        self.make_room(pool, order);
        let rack = &mut self.racks[usize::from(order.get())];
        let Some(slot) = rack.slots.get_mut(rack.len as usize) else { return block.free(pool) };
        // INVARIANT: Z1.
        *slot = block.keep(rack.word).get() as u32;
        rack.len += 1;
    }

    /// Half a rack more room, if it is full.
    fn make_room<L: RawMutex, R: RefcountPath, C: Coalesce>(&mut self, pool: &HypPool<'_, L, R, C>, order: Order) {
        let limit = limit::<N>(order);
        if self.racks[usize::from(order.get())].len as usize >= limit {
            self.flush(pool, order, limit.div_ceil(2));
        }
    }

    pub(crate) fn drain<L: RawMutex, R: RefcountPath, C: Coalesce>(&mut self, pool: &HypPool<'_, L, R, C>) {
        for order in Order::all().take(ORDERS) {
            while self.racks[usize::from(order.get())].len > 0 {
                self.flush(pool, order, N / 2);
            }
        }
    }

    pub(crate) fn pages(&self) -> usize {
        self.racks.iter().enumerate().map(|(order, rack)| (rack.len as usize) << order).sum()
    }

    /// A block from the pool for `holder`, and half a rack of others.
    #[inline(never)]
    pub(crate) fn refill<L: RawMutex, R: RefcountPath, C: Coalesce>(
        &mut self,
        pool: &HypPool<'_, L, R, C>,
        order: u8,
        holder: Holder,
    ) -> Result<Pfn, AllocError> {
        let Some(size) = Order::new(order).filter(|_| usize::from(order) < ORDERS) else {
            return match pool.alloc_as(order, holder) {
                Err(AllocError::OutOfMemory) if self.pages() > 0 => {
                    self.drain(pool);
                    pool.alloc_as(order, holder)
                }
                result => result,
            };
        };
        self.number(pool);
        // Twice at most: the second time nothing is left to drain.
        loop {
            let rack = &mut self.racks[usize::from(order)];
            if rack.len == 0 {
                let half = limit::<N>(size) / 2;
                let got = pool.alloc_batch(size, rack.word, &mut rack.slots[..half]);
                // The lowest address last, so that it is the first to go.
                rack.slots[..got].reverse();
                rack.len = got as u32;
            }
            match self.take(pool.frames(), order, holder) {
                Some(pfn) => return Ok(pfn),
                None if self.pages() == 0 => return Err(AllocError::OutOfMemory),
                None => self.drain(pool),
            }
        }
    }

    /// Takes a number, for good.
    fn number<L: RawMutex, R: RefcountPath, C: Coalesce>(&mut self, pool: &HypPool<'_, L, R, C>) {
        if self.numbered {
            return;
        }
        let id = MagazineId::nth(pool.counters.0.magazines.fetch_add(1, Ordering::Relaxed));
        for (order, rack) in Order::all().zip(&mut self.racks) {
            rack.word = Allocated::in_magazine(order, id);
            rack.limit = limit::<N>(order) as u32;
        }
        self.numbered = true;
    }

    /// Gives the oldest `n` blocks of `order` back, in one critical section.
    #[inline(never)]
    fn flush<L: RawMutex, R: RefcountPath, C: Coalesce>(
        &mut self,
        pool: &HypPool<'_, L, R, C>,
        order: Order,
        n: usize,
    ) {
        let rack = &mut self.racks[usize::from(order.get())];
        let len = rack.len as usize;
        let n = n.min(len);
        pool.free_batch(order, &rack.slots[..n]);
        rack.slots.copy_within(n..len, 0);
        rack.len -= n as u32;
    }
}

/// The most blocks of `order` that a magazine holds.
pub(crate) const fn limit<const N: usize>(order: Order) -> usize {
    N >> if order.get() < 2 { order.get() } else { 2 }
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
