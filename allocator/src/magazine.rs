//! Magazines: blocks set aside for one CPU, which takes and puts them back without the lock.
//!
//! ```text
//!             alloc_pages                      put_page
//!                  ▲                               │
//!   order 0  … ■ ■ ■ │        1 … 2: ■ ■ ■ │       ▼        owned by `&mut`: no lock, and no word that is shared
//!                  ▲ │                               │
//!          refill: │ ▼ flush: half a rack in one critical section
//!                HypPool
//! ```
//!
//! The magazine is the owner of what it holds: a block in it is allocated, with one reference, and its word says
//! `Magazine`, so that everybody else is refused it, and [`check`](HypPool::check) holds at any time. To hand a
//! block out or to take one back is one compare-exchange of its word, which nobody else is at.
//!
//! After J. Bonwick and J. Adams, "Magazines and Vmem: Extending the Slab Allocator to Many CPUs and Arbitrary
//! Resources", USENIX ATC 2001.
//!
//! # Invariants
//!
//! * **Z1** A block in a rack says `Magazine`, the rack's order and count 1, unless somebody put it by number while
//!   somebody else put it here; then it is left alone when its turn comes. It is in one rack alone.
//! * **Z2** A word that says `Magazine` is changed by the magazine that has it alone; or, once, by such a
//!   put, which had looked at it before.

use crate::coalesce::{Coalesce, Deferred};
use crate::error::{AllocError, PageError};
use crate::frame::{Allocated, Holder, Index, State};
use crate::pfn::{Order, Pfn};
use crate::pool::HypPool;
use crate::refcount::{Atomic, RefcountPath};
use crate::sync::Access;
use core::fmt;
use lock_api::RawMutex;

/// Orders of which a magazine holds blocks: 0 to 3. Larger ones go to the pool directly.
pub(crate) const ORDERS: usize = 4;

/// Blocks of a pool set aside for whoever has the `&mut`: a CPU, a thread, a device's driver.
///
/// It lives where its caller puts it and needs no CPU number and no thread-local storage; [`PerCpu`](crate::PerCpu) is
/// for those who have a CPU number and interrupts. `N` is the most blocks of order 0 that it holds; of order 1 half as
/// many, of orders 2 and 3 a quarter. What it holds counts as allocated: with `c` magazines, up to `c` × 5 `N` pages
/// that nobody else can have. A caller to whom the pool refuses a block has the magazine emptied
/// and asks again; dropping it empties it.
///
/// ```
/// use hyp_pool::{Frame, HypPool, Magazine, Pfn, PfnRange, frames_needed};
///
/// let table = [const { Frame::VACANT }; frames_needed(64)];
/// let pool = HypPool::<parking_lot::RawMutex>::with_table(&table, PfnRange::new(Pfn::new(0x100), 64), 0)?;
/// let mut magazine = Magazine::<_>::new(&pool);
///
/// let page = magazine.alloc_pages(0)?; // one critical section for the next sixteen
/// magazine.put_page(page)?; // none
/// assert!(pool.free_pages() < 64); // the magazine has some
/// magazine.drain();
/// assert_eq!(pool.free_pages(), 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Magazine<'p, L: RawMutex, R: RefcountPath = Atomic, C: Coalesce = Deferred, const N: usize = 32> {
    pool: &'p HypPool<'p, L, R, C>,
    racks: Racks<N>,
}

impl<'p, L: RawMutex, R: RefcountPath, C: Coalesce, const N: usize> Magazine<'p, L, R, C, N> {
    /// An empty magazine.
    #[must_use]
    pub const fn new(pool: &'p HypPool<'p, L, R, C>) -> Self {
        Self { pool, racks: Racks::EMPTY }
    }

    /// As [`HypPool::alloc_pages`], from the magazine if it can be. No lock, or else one critical section of at most
    /// `N / 2` blocks. If the pool has none, everything in the magazine is given back, and the pool asked again.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; the caller has nothing.
    #[inline]
    pub fn alloc_pages(&mut self, order: u8) -> Result<Pfn, AllocError> {
        self.racks.alloc(self.pool, order)
    }

    /// As [`HypPool::put_page`], into the magazine if it is the last reference. No lock, or else one critical section of
    /// at most `N / 2` blocks.
    ///
    /// # Errors
    ///
    /// [`PageError`]; nothing has changed.
    #[inline]
    pub fn put_page(&mut self, pfn: Pfn) -> Result<(), PageError> {
        self.racks.put(self.pool, pfn)
    }

    /// Gives everything back to the pool: when memory runs short, before the CPU goes offline, at shutdown. Critical
    /// sections of at most `N / 2` blocks.
    pub fn drain(&mut self) {
        self.racks.drain(self.pool);
    }

    /// The pool, for the models.
    #[cfg(all(test, loom))]
    pub(crate) const fn pool(&self) -> &'p HypPool<'p, L, R, C> {
        self.pool
    }

    /// The racks, for tests that compare whole states.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn racks(&self) -> impl Iterator<Item = &[u32]> {
        self.racks.0.iter().map(|rack| &rack.slots[..rack.len])
    }

    /// Pages that the magazine holds.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.racks.pages()
    }
}

/// A magazine but for the pool that it is of: every call must name the same one.
pub(crate) struct Racks<const N: usize>([Rack<N>; ORDERS]);

/// The blocks of one order.
///
/// # Invariants
///
/// `len <= N`; the blocks are in `slots[..len]`, the most recent last.
struct Rack<const N: usize> {
    len: usize,
    slots: [u32; N],
}

impl<const N: usize> Racks<N> {
    const FITS: () = assert!(N >= 8 && N <= 256, "a magazine holds 8 to 256 blocks of order 0");
    pub(crate) const EMPTY: Self = {
        let () = Self::FITS;
        Self([const { Rack { len: 0, slots: [0; N] } }; ORDERS])
    };

    #[inline]
    pub(crate) fn alloc<L: RawMutex, R: RefcountPath, C: Coalesce>(
        &mut self,
        pool: &HypPool<'_, L, R, C>,
        order: u8,
    ) -> Result<Pfn, AllocError> {
        if let Some(rack) = self.0.get_mut(usize::from(order))
            && let Some(&index) = rack.slots.get(rack.len.wrapping_sub(1))
            && let Some(order) = Order::new(order)
        {
            rack.len -= 1;
            if let Some(pfn) = hand_out(pool, index, order) {
                return Ok(pfn);
            }
        }
        self.refill(pool, order)
    }

    #[inline]
    pub(crate) fn put<L: RawMutex, R: RefcountPath, C: Coalesce>(
        &mut self,
        pool: &HypPool<'_, L, R, C>,
        pfn: Pfn,
    ) -> Result<(), PageError> {
        let (index, frame) = pool.frames().find(pfn)?;
        let order = loop {
            let word = pool.held_by(pfn, frame, Holder::Number, Access::Look)?;
            let order = word.order();
            if word.count() != 1 || usize::from(order.get()) >= ORDERS {
                return pool.put_page(pfn);
            }
            // INVARIANT: Z1. Against others who put or try to get, so that a block is in one rack, and a reference that
            // was granted is not lost.
            if frame.exchange(word, Allocated::new(order, Holder::Magazine), Access::Keep) {
                break order;
            }
        };
        let o = usize::from(order.get());
        if self.0[o].len >= limit::<N>(order) {
            self.flush(pool, order, limit::<N>(order).div_ceil(2));
        }
        let rack = &mut self.0[o];
        if let Some(slot) = rack.slots.get_mut(rack.len) {
            *slot = index.get() as u32;
            rack.len += 1;
        }
        Ok(())
    }

    pub(crate) fn drain<L: RawMutex, R: RefcountPath, C: Coalesce>(&mut self, pool: &HypPool<'_, L, R, C>) {
        for order in Order::all().take(ORDERS) {
            while self.0[usize::from(order.get())].len > 0 {
                self.flush(pool, order, N / 2);
            }
        }
    }

    pub(crate) fn pages(&self) -> usize {
        self.0.iter().enumerate().map(|(order, rack)| rack.len << order).sum()
    }

    /// A block from the pool, and half a rack of others.
    #[inline(never)]
    fn refill<L: RawMutex, R: RefcountPath, C: Coalesce>(
        &mut self,
        pool: &HypPool<'_, L, R, C>,
        order: u8,
    ) -> Result<Pfn, AllocError> {
        let Some(size) = Order::new(order).filter(|_| usize::from(order) < ORDERS) else {
            return match pool.alloc_pages(order) {
                Err(AllocError::OutOfMemory) if self.pages() > 0 => {
                    self.drain(pool);
                    pool.alloc_pages(order)
                }
                result => result,
            };
        };
        // Twice at most, unless somebody has put blocks of ours while we did.
        loop {
            let rack = &mut self.0[usize::from(order)];
            if rack.len == 0 {
                let half = limit::<N>(size) / 2;
                rack.len = pool.alloc_batch(size, Holder::Magazine, &mut rack.slots[..half]);
                // The lowest address last, so that it is the first to go.
                rack.slots[..rack.len].reverse();
            }
            let Some(left) = rack.len.checked_sub(1) else {
                if self.pages() == 0 {
                    return Err(AllocError::OutOfMemory);
                }
                self.drain(pool);
                continue;
            };
            rack.len = left;
            if let Some(pfn) = hand_out(pool, rack.slots[left], size) {
                return Ok(pfn);
            }
        }
    }

    /// Gives the oldest `n` blocks of `order` back, in one critical section.
    #[inline(never)]
    fn flush<L: RawMutex, R: RefcountPath, C: Coalesce>(
        &mut self,
        pool: &HypPool<'_, L, R, C>,
        order: Order,
        n: usize,
    ) {
        let rack = &mut self.0[usize::from(order.get())];
        let n = n.min(rack.len);
        pool.free_batch(order, Holder::Magazine, &rack.slots[..n]);
        rack.slots.copy_within(n..rack.len, 0);
        rack.len -= n;
    }
}

/// The block at `index`, out of a rack, for the caller; `None` if somebody put it twice.
#[inline]
fn hand_out<L: RawMutex, R: RefcountPath, C: Coalesce>(
    pool: &HypPool<'_, L, R, C>,
    index: u32,
    order: Order,
) -> Option<Pfn> {
    let frames = pool.frames();
    let index = Index::new(index as usize);
    let frame = frames.frame(index);
    let kept = Allocated::new(order, Holder::Magazine);
    while frame.state() == State::Allocated(kept) {
        // INVARIANT: Z2, for the last time; against a last put by number that one too many has under way.
        if frame.exchange(kept, Allocated::new(order, Holder::Number), Access::HandOut) {
            return Some(frames.pfn(index));
        }
    }
    None
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
