//! What is in a block when it is handed out: a policy of the caller, carried out without the lock.
//!
//! ```text
//!   ZeroOnAlloc    lock: extract ──► word: Scrub ──► clear it ──► word: Number, the caller's
//!   ScrubOnPut     last put: word: Scrub ──► clear it ──► lock: free
//!                                   ▲
//!                    nobody else can get the block here, and nobody waits for the lock
//! ```
//!
//! The allocator that this crate is after clears a block with its lock held: four megabytes for the largest. Here the
//! only owner does it, before it takes the lock or after it has left it, so that how long the lock is held does not
//! depend on a block's size.
//!
//! The pool knows frames by number and touches none; how to write to one is what a [`PhysMap`] knows.

use crate::coalesce::{Coalesce, Deferred};
use crate::error::{AllocError, PageError};
use crate::frame::{Allocated, Holder};
use crate::pfn::{Order, Pfn};
use crate::pool::HypPool;
use crate::refcount::{Atomic, RefcountPath};
use crate::sync::Access;
use core::fmt;
use core::marker::PhantomData;
use lock_api::RawMutex;

/// Access to the memory of frames.
pub trait PhysMap {
    /// Makes all bytes of `block` zero.
    ///
    /// Takes as long as the block is large; no lock of the pool is held. If it panics, the block stays allocated, and
    /// nobody's.
    fn zero(&self, block: Erasable<'_>);
}

/// Proof that a block may be overwritten: it is allocated, the caller of the pool is its only owner, and nobody gets a
/// reference as long as this lives. Only the pool makes one.
#[derive(Debug)]
pub struct Erasable<'a> {
    pfn: Pfn,
    order: Order,
    lives: PhantomData<&'a mut ()>,
}

impl Erasable<'_> {
    /// The first frame.
    #[must_use]
    pub const fn pfn(&self) -> Pfn {
        self.pfn
    }

    /// How many frames.
    #[must_use]
    pub const fn nr_pages(&self) -> usize {
        self.order.pages()
    }
}

/// When a block is cleared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contents {
    /// Never: whoever allocates a block finds what the last owner left.
    Keep,
    /// When it is allocated: its lines are then in the cache of whoever asked for it.
    ZeroOnAlloc,
    /// When its last reference goes: no secret outlives its owner. Memory that a pool starts out with is not cleared.
    ScrubOnPut,
}

/// A pool whose blocks are cleared, by way of `M`.
///
/// ```
/// use core::cell::RefCell;
/// use hyp_pool::{Contents, Erasable, Erasing, Frame, HypPool, Pfn, PfnRange, PhysMap, frames_needed};
///
/// /// Frame 0 to 7, a byte each.
/// struct Memory(RefCell<[u8; 8]>);
///
/// impl PhysMap for Memory {
///     fn zero(&self, block: Erasable<'_>) {
///         self.0.borrow_mut()[block.pfn().get()..][..block.nr_pages()].fill(0);
///     }
/// }
///
/// let table = [const { Frame::VACANT }; frames_needed(8)];
/// let pool = HypPool::<parking_lot::RawMutex>::with_table(&table, PfnRange::new(Pfn::new(0), 8), 0)?;
/// let memory = Memory(RefCell::new([0xaa; 8]));
/// let zeroed = Erasing::new(&pool, &memory, Contents::ZeroOnAlloc);
///
/// let block = zeroed.alloc_pages(1)?;
/// assert_eq!(memory.0.borrow()[block.get()..][..2], [0, 0]);
/// zeroed.put_page(block)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Erasing<'p, M, L: RawMutex, R: RefcountPath = Atomic, C: Coalesce = Deferred> {
    pool: &'p HypPool<'p, L, R, C>,
    map: M,
    when: Contents,
}

impl<'p, M: PhysMap, L: RawMutex, R: RefcountPath, C: Coalesce> Erasing<'p, M, L, R, C> {
    /// `pool`, with its blocks cleared at `when` by way of `map`.
    pub const fn new(pool: &'p HypPool<'p, L, R, C>, map: M, when: Contents) -> Self {
        Self { pool, map, when }
    }

    /// As [`HypPool::alloc_pages`], and the block is all zero if that is the policy.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; nothing has changed.
    pub fn alloc_pages(&self, order: u8) -> Result<Pfn, AllocError> {
        if self.when != Contents::ZeroOnAlloc {
            return self.pool.alloc_pages(order);
        }
        let size = Order::new(order).ok_or(AllocError::OrderTooLarge)?;
        let pfn = self.pool.alloc_as(order, Holder::Scrub)?;
        self.map.zero(Erasable { pfn, order: size, lives: PhantomData });
        if let Ok((_, frame)) = self.pool.find(pfn) {
            // Only we may change a word that says Scrub.
            frame.set_allocated(Allocated::new(size, Holder::Number));
        }
        Ok(pfn)
    }

    /// As [`HypPool::put_page`]; if it is the last reference and that is the policy, the block is cleared before it is
    /// free.
    ///
    /// # Errors
    ///
    /// [`PageError`]; nothing has changed.
    pub fn put_page(&self, pfn: Pfn) -> Result<(), PageError> {
        if self.when != Contents::ScrubOnPut {
            return self.pool.put_page(pfn);
        }
        loop {
            match self.pool.rehold(pfn, Holder::Number, Holder::Scrub) {
                Ok(()) => break,
                Err(PageError::Shared) => {}
                Err(error) => return Err(error),
            }
            // Not the last one; or it has become that meanwhile, and is cleared on another look.
            if self.pool.put_if_shared(pfn)? {
                return Ok(());
            }
        }
        let (index, frame) = self.pool.find(pfn)?;
        let word = self.pool.held_by(pfn, frame, Holder::Scrub, Access::Look)?;
        self.map.zero(Erasable { pfn, order: word.order(), lives: PhantomData });
        self.pool.free_own(index, frame, word.order());
        Ok(())
    }

    /// The pool, for everything else. Whoever puts blocks there has them free without clearing.
    #[must_use]
    pub const fn pool(&self) -> &'p HypPool<'p, L, R, C> {
        self.pool
    }
}

impl<M, L: RawMutex, R: RefcountPath, C: Coalesce> fmt::Debug for Erasing<'_, M, L, R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Erasing").field("when", &self.when).finish_non_exhaustive()
    }
}

impl<M: PhysMap + ?Sized> PhysMap for &M {
    fn zero(&self, block: Erasable<'_>) {
        (**self).zero(block);
    }
}
