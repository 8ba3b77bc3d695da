//! The racks of a magazine: the blocks that it holds, of each order, the most recent on top.
//!
//! # Invariants
//!
//! * **Z1** A block in a rack says `Magazine`, the rack's order and this magazine's number.
//! * **Z2** A word that says so is changed by the magazine of that number alone, and only by stores.
//!
//! Under [`Merged`](crate::Merged) every change of a count is a store under the lock, and so is the one that takes a block
//! back: there a put takes the lock, and a magazine spares half of them.

use crate::bulk::BULK;
use crate::coalesce::Coalesce;
use crate::contents::Cleared;
use crate::error::{AllocError, PageError};
use crate::pfn::{Order, Pfn};
use crate::pool::HypPool;
use crate::refcount::RefcountPath;
use crate::sync::{Access, Ordering};
use crate::table::Frames;
use crate::word::{Allocated, Holder, Index, MagazineId};
use lock_api::RawMutex;

/// Orders of which a magazine holds blocks: 0 to 3. Larger ones go to the pool directly.
pub(crate) const ORDERS: usize = 4;

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

    /// The blocks of each order, for tests that compare whole states.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &[u32]> {
        self.racks.iter().map(|rack| &rack.slots[..rack.len as usize])
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
