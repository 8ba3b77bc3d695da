//! What the calls come down to: one look at a frame's word, and one change of it, for any [`Holder`] whose words several
//! may change. See [`refcount`](crate::refcount) for why the last reference goes the way it does.

use crate::coalesce::Coalesce;
use crate::contents::Scrub;
use crate::error::{AllocError, PageError};
use crate::free_area::FreeAreas;
use crate::pfn::{Order, Pfn};
use crate::pool::HypPool;
use crate::refcount::{RefcountPath, sole};
use crate::sync::{Access, Ordering};
use crate::table::{Frames, Table};
use crate::word::{Allocated, Holder, Index, State, TableWord};
use lock_api::RawMutex;

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
        let mut areas = self.areas.0.lock();
        let index = areas.extract(|| self.table(), order)?;
        // INVARIANT: I4: it has left the free areas, which have frames of the range alone.
        self.words[index.get()].set_allocated(Allocated::new(order, holder));
        drop(areas);
        Ok(Pfn::new(self.base.load(Ordering::Relaxed).wrapping_add(index.get())))
    }

    #[inline]
    pub(crate) fn get_as(&self, pfn: Pfn, holder: Holder, n: u32) -> Result<(), PageError> {
        self.update(pfn, holder, Access::Get, |word| word.more(n).ok_or(PageError::Overflow))
    }

    /// Count `c → c - n`, or `n → Silent` and free in one critical section.
    #[inline]
    pub(crate) fn put_as(&self, pfn: Pfn, holder: Holder, n: u32) -> Result<(), PageError> {
        let (index, frame) = self.find(pfn)?;
        if R::LOCK_FREE && self.put_if_shared(pfn, frame, holder, n)? {
            return Ok(());
        }
        self.put_under_lock(index, frame, pfn, holder, n)
    }

    /// Count `c → c - n` without the lock, if that leaves one; whether it did. On the `Atomic` path.
    #[inline]
    pub(crate) fn put_if_shared(&self, pfn: Pfn, frame: &TableWord, holder: Holder, n: u32) -> Result<bool, PageError> {
        loop {
            let word = self.held_by(pfn, frame, holder, Access::Look)?;
            let Some(less) = word.less(n) else { return Ok(false) };
            // If it fails somebody else has changed the word, and so got on: look again.
            if frame.exchange(word, less, Access::Put) {
                return Ok(true);
            }
        }
    }

    /// As `put_as`, with the lock taken first: for the last references, and for all if counts change under the lock.
    #[inline(never)]
    fn put_under_lock(
        &self,
        index: Index,
        frame: &TableWord,
        pfn: Pfn,
        holder: Holder,
        n: u32,
    ) -> Result<(), PageError> {
        let mut areas = self.areas.0.lock();
        if let Some(word) = self.put_locked(pfn, frame, holder, n)? {
            areas.free(|| self.table(), index, word.order());
        }
        Ok(())
    }

    /// `n` references less, with the lock held. If they were the last ones, the word of the block, which is silent now
    /// and still to be freed.
    #[inline]
    pub(crate) fn put_locked(
        &self,
        pfn: Pfn,
        frame: &TableWord,
        holder: Holder,
        n: u32,
    ) -> Result<Option<Allocated>, PageError> {
        loop {
            let word = self.held_by(pfn, frame, holder, Access::Look)?;
            match word.less(n) {
                Some(less) if R::LOCK_FREE => {
                    if frame.exchange(word, less, Access::Put) {
                        return Ok(None);
                    }
                }
                Some(less) => {
                    frame.set_allocated(less);
                    return Ok(None);
                }
                None if word.count() != n => return Err(PageError::Underflow),
                None if !R::LOCK_FREE => {
                    frame.set_silent();
                    return Ok(Some(word));
                }
                // Lost, if somebody got a reference or a magazine took the block: look again.
                None => {
                    if frame.release(word) {
                        return Ok(Some(word));
                    }
                }
            }
        }
    }

    /// Count `c → c - n`, or `n → Scrub`: if they were the last, the block is the caller's to clear. Without the lock on
    /// the `Atomic` path, whether they were or not.
    ///
    /// One look and one change: who asks first whether it has the only reference, and puts it if not, may put the last one
    /// after all, and have the block free with a secret in it.
    pub(crate) fn scrub_as(&self, pfn: Pfn, holder: Holder, n: u32) -> Result<Option<Scrub<'t>>, PageError> {
        let (index, frame) = self.find(pfn)?;
        let _areas = if R::LOCK_FREE { None } else { Some(self.areas.0.lock()) };
        // With the lock held nobody else changes the word, and the first exchange is the last.
        loop {
            let word = self.held_by(pfn, frame, holder, Access::Look)?;
            match word.less(n) {
                Some(less) => {
                    if frame.exchange(word, less, Access::Put) {
                        return Ok(None);
                    }
                }
                None if word.count() < n => return Err(PageError::Underflow),
                None => {
                    if frame.exchange(word, Allocated::new(word.order(), Holder::Scrub), Access::Sole) {
                        return Ok(Some(Scrub::new(pfn, index, frame, word.order())));
                    }
                }
            }
        }
    }

    /// Frees the block at `index`, whose word the caller alone may change.
    #[inline(never)]
    pub(crate) fn free_own(&self, index: Index, frame: &TableWord, order: Order) {
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

    /// The block with the only reference changes from one kind of holder to another.
    #[inline]
    pub(crate) fn rehold(&self, pfn: Pfn, from: Holder, to: Holder) -> Result<(), PageError> {
        self.update(pfn, from, Access::Sole, |word| Ok(Allocated::new(sole(word)?.order(), to)))
    }

    /// The block with the only reference, which must be of the order that `to` says, goes to a magazine.
    pub(crate) fn give_to(&self, pfn: Pfn, to: Allocated) -> Result<(), PageError> {
        self.update(pfn, Holder::Number, Access::Keep, |word| match sole(word)?.order() == to.order() {
            true => Ok(to),
            false => Err(PageError::WrongOrder),
        })
    }

    /// A handle's count has overflowed: its block stays allocated for ever.
    #[cold]
    pub(crate) fn pin(&self, pfn: Pfn) {
        if self.update(pfn, Holder::Handle, Access::Pin, |word| Ok(word.pinned())).is_ok() {
            self.counters.0.pinned.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The word of a block that is counted by number, and of this order.
    #[inline]
    pub(crate) fn word_of(&self, pfn: Pfn, order: u8) -> Result<Allocated, PageError> {
        let (_, frame) = self.find(pfn)?;
        let word = self.held_by(pfn, frame, Holder::Number, Access::Look)?;
        if word.order().get() == order { Ok(word) } else { Err(PageError::WrongOrder) }
    }

    /// The word of a block, whoever holds it.
    #[inline]
    pub(crate) fn word(&self, pfn: Pfn) -> Result<Allocated, PageError> {
        let (_, frame) = self.find(pfn)?;
        match frame.state() {
            State::Allocated(word) => Ok(word),
            other => Err(self.refused(pfn, other)),
        }
    }

    /// The place and the word of `pfn`.
    #[inline]
    pub(crate) fn find(&self, pfn: Pfn) -> Result<(Index, &'t TableWord), PageError> {
        let len = self.len.load(Access::Observe.ordering());
        let offset = pfn.get().wrapping_sub(self.base.load(Ordering::Relaxed));
        match self.words.get(offset) {
            Some(frame) if offset < len => Ok((Index::new(offset), frame)),
            _ => Err(PageError::OutOfRange),
        }
    }

    /// The word of a block that `holder` may count references of.
    #[inline]
    pub(crate) fn held_by(
        &self,
        pfn: Pfn,
        frame: &TableWord,
        holder: Holder,
        access: Access,
    ) -> Result<Allocated, PageError> {
        frame.held_by(holder, access).map_err(|state| self.refused(pfn, state))
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
        let (_, frame) = self.find(pfn)?;
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
