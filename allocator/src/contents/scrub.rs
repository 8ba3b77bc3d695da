//! A block while it is cleared.
//!
//! ```text
//!   allocated for Scrub ─┐                    ┌─ hand_out   word: the caller's
//!                        ├─► Scrub ─clear─► Cleared ─ keep  word: a magazine's
//!   the last put ────────┘                    └─ free       word: Silent, in the section that frees it
//! ```
//!
//! Its word says `Scrub`: nobody counts in it, nobody gets a reference, and whoever has the value here alone changes it,
//! by stores. What leads on from there takes a `Cleared`, and only the map makes one: that a block is free, or handed
//! out, before it is clear cannot be written down.
//!
//! Neither is dropped by anything but a panic of the map: then the word goes on saying `Scrub`, for ever. Nobody can say
//! what of the block is clear.

use super::{Erasable, PhysMap};
use crate::coalesce::Coalesce;
use crate::error::PageError;
use crate::pfn::{Order, Pfn};
use crate::pool::HypPool;
use crate::refcount::RefcountPath;
use crate::sync::Access;
use crate::word::{Allocated, Holder, Index, TableWord};
use core::marker::PhantomData;
use lock_api::RawMutex;

/// A block to be cleared.
///
/// # Invariants
///
/// The word says `Scrub` and the order, and there is no other value for the block.
#[must_use = "nobody else can free it"]
pub(crate) struct Scrub<'t> {
    pfn: Pfn,
    index: Index,
    frame: &'t TableWord,
    order: Order,
}

impl<'t> Scrub<'t> {
    /// The block at `pfn`, whose word the caller has made say `Scrub`.
    pub(crate) const fn new(pfn: Pfn, index: Index, frame: &'t TableWord, order: Order) -> Self {
        Self { pfn, index, frame, order }
    }

    /// The block at `pfn`, which the caller has allocated for `Scrub`.
    pub(super) fn at<L: RawMutex, R: RefcountPath, C: Coalesce>(
        pool: &HypPool<'t, L, R, C>,
        pfn: Pfn,
    ) -> Result<Self, PageError> {
        let (index, frame) = pool.find(pfn)?;
        let word = pool.held_by(pfn, frame, Holder::Scrub, Access::Look)?;
        Ok(Self::new(pfn, index, frame, word.order()))
    }

    /// Has it cleared, without any lock.
    pub(super) fn clear(self, map: &impl PhysMap) -> Cleared<'t> {
        map.zero(Erasable { pfn: self.pfn, order: self.order, lives: PhantomData });
        Cleared(self)
    }
}

/// A block that has been cleared, and is nobody's yet.
#[must_use = "nobody else can free it"]
pub(crate) struct Cleared<'t>(Scrub<'t>);

impl<'t> Cleared<'t> {
    pub(crate) const fn order(&self) -> Order {
        self.0.order
    }

    /// `Scrub → holder`, with one reference.
    pub(super) fn hand_out(self, holder: Holder) -> Pfn {
        self.0.frame.set_allocated(Allocated::new(self.0.order, holder));
        self.0.pfn
    }

    /// `Scrub → Magazine`: the word of the rack that the block goes to.
    pub(crate) fn keep(self, word: Allocated) -> Index {
        self.0.frame.set_allocated(word);
        self.0.index
    }

    /// `Scrub → Silent`, and free.
    pub(crate) fn free<L: RawMutex, R: RefcountPath, C: Coalesce>(self, pool: &HypPool<'t, L, R, C>) {
        pool.free_own(self.0.index, self.0.frame, self.0.order);
    }

    /// Its place, for one who frees it with others. The word says `Scrub` until then.
    pub(super) const fn into_index(self) -> Index {
        self.0.index
    }
}
