//! Magazines: blocks set aside for one CPU, which takes and puts them back without the lock.
//!
//! ```text
//!             alloc_pages                      put_page
//!                  ▲                               │
//!   order 0  … ■ ■ ■ │        1 … 2: ■ ■ ■ │       ▼        owned by `&mut`: no lock, no read-modify-write
//!                  ▲ │                               │
//!          refill: │ ▼ flush: half a rack in one critical section
//!                HypPool
//! ```
//!
//! The magazine is the owner of what it holds: a block in it is allocated, with one reference, and its word says
//! `Magazine`, so that everybody else is refused it, and [`check`](HypPool::check) holds at any time. To hand a
//! block out or to take one back is one store to its word.
//!
//! After J. Bonwick and J. Adams, "Magazines and Vmem: Extending the Slab Allocator to Many CPUs and Arbitrary
//! Resources", USENIX ATC 2001.
//!
//! # Invariants
//!
//! * **Z1** A block in a rack says `Magazine`, the rack's order and this magazine's number; unless somebody else put the
//!   same reference at the same moment, against the rules: then it says who was later, and this magazine leaves it alone
//!   when its turn comes.
//! * **Z2** A word that says `Magazine` is changed by the magazine of that number alone, and only by stores.

use crate::coalesce::{Coalesce, Deferred};
use crate::error::{AllocError, PageError};
use crate::frame::{Allocated, Holder, Index, MagazineId, State};
use crate::pfn::{Order, Pfn};
use crate::pool::HypPool;
use crate::refcount::{Atomic, RefcountPath};
use crate::sync::{Access, Ordering};
use core::fmt;
use lock_api::RawMutex;

/// Orders of which a magazine holds blocks: 0 to 3. Larger ones go to the pool directly.
pub(crate) const ORDERS: usize = 4;

/// Blocks of a pool set aside for whoever has the `&mut`: a CPU, a thread, a device's driver.
///
/// It lives where its caller puts it and needs no CPU number and no thread-local storage; [`PerCpu`](crate::PerCpu) is
/// for those who have a CPU number and interrupts. `N` is the most blocks of order 0 that it holds; of order 1 half as
/// many, of orders 2 and 3 a quarter. What it holds counts as allocated: with `c` magazines, up to `c` × 4.5 `N` pages
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
pub(crate) struct Racks<const N: usize> {
    /// The magazine's number, as of the first call.
    id: Option<MagazineId>,
    racks: [Rack<N>; ORDERS],
}

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
        Self { id: None, racks: [const { Rack { len: 0, slots: [0; N] } }; ORDERS] }
    };

    #[inline]
    pub(crate) fn alloc<L: RawMutex, R: RefcountPath, C: Coalesce>(
        &mut self,
        pool: &HypPool<'_, L, R, C>,
        order: u8,
    ) -> Result<Pfn, AllocError> {
        if let Some(rack) = self.racks.get_mut(usize::from(order))
            && let Some(&index) = rack.slots.get(rack.len.wrapping_sub(1))
            && let Some(order) = Order::new(order)
            && let Some(id) = self.id
        {
            rack.len -= 1;
            if let Some(pfn) = hand_out(pool, index, Allocated::in_magazine(order, id), order) {
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
        let (index, frame) = pool.find(pfn)?;
        let word = pool.held_by(pfn, frame, Holder::Number, Access::Keep)?;
        let order = word.order();
        let o = usize::from(order.get());
        if word.count() != 1 || o >= ORDERS {
            return pool.put_page(pfn);
        }
        if self.racks[o].len >= limit::<N>(order) {
            self.flush(pool, order, limit::<N>(order).div_ceil(2));
        }
        let id = self.id.unwrap_or_else(|| self.number(pool));
        // INVARIANT: Z1. Whoever has the only reference is the only one who may change the word, by a store.
        frame.set_allocated(Allocated::in_magazine(order, id));
        let rack = &mut self.racks[o];
        if let Some(slot) = rack.slots.get_mut(rack.len) {
            *slot = index.get() as u32;
            rack.len += 1;
        }
        Ok(())
    }

    pub(crate) fn drain<L: RawMutex, R: RefcountPath, C: Coalesce>(&mut self, pool: &HypPool<'_, L, R, C>) {
        for order in Order::all().take(ORDERS) {
            while self.racks[usize::from(order.get())].len > 0 {
                self.flush(pool, order, N / 2);
            }
        }
    }

    pub(crate) fn pages(&self) -> usize {
        self.racks.iter().enumerate().map(|(order, rack)| rack.len << order).sum()
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
        let word = Allocated::in_magazine(size, self.id.unwrap_or_else(|| self.number(pool)));
        // Twice at most, unless somebody has put blocks of ours while we did.
        loop {
            let rack = &mut self.racks[usize::from(order)];
            if rack.len == 0 {
                let half = limit::<N>(size) / 2;
                rack.len = pool.alloc_batch(size, word, &mut rack.slots[..half]);
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
            if let Some(pfn) = hand_out(pool, rack.slots[left], word, size) {
                return Ok(pfn);
            }
        }
    }

    /// Takes a number, for good.
    #[cold]
    fn number<L: RawMutex, R: RefcountPath, C: Coalesce>(&mut self, pool: &HypPool<'_, L, R, C>) -> MagazineId {
        let id = MagazineId::nth(pool.magazines.fetch_add(1, Ordering::Relaxed));
        *self.id.insert(id)
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
        let n = n.min(rack.len);
        if let Some(id) = self.id {
            pool.free_batch(order, Allocated::in_magazine(order, id), &rack.slots[..n]);
        }
        rack.slots.copy_within(n..rack.len, 0);
        rack.len -= n;
    }
}

/// The block at `index`, out of a rack, for the caller; `None` if somebody put it twice.
#[inline]
fn hand_out<L: RawMutex, R: RefcountPath, C: Coalesce>(
    pool: &HypPool<'_, L, R, C>,
    index: u32,
    word: Allocated,
    order: Order,
) -> Option<Pfn> {
    let frames = pool.frames();
    let index = Index::new(index as usize);
    let frame = frames.frame(index);
    if frame.state() != State::Allocated(word) {
        return None;
    }
    // INVARIANT: Z2, for the last time.
    frame.set_allocated(Allocated::new(order, Holder::Number));
    Some(frames.pfn(index))
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
