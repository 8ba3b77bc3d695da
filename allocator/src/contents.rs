//! What is in a block when it is handed out: a policy of the caller, carried out without the lock.
//!
//! ```text
//!   ZeroOnAlloc    pool, rack: take ──► word: Scrub ──► clear it ──► word: the caller's
//!   ScrubOnPut     last put: word: Scrub ──► clear it ──► pool: free; or a magazine's rack
//!                                   ▲
//!                    nobody else can get the block here, and nobody waits for a lock
//! ```
//!
//! The allocator that this crate is after clears a block with its lock held: four megabytes for the largest. Here the
//! only owner does it, before it takes the lock or after it has left it, so that how long the lock is held does not
//! depend on a block's size.
//!
//! The pool knows frames by number and touches none; how to write to one is what a [`PhysMap`] knows.
//!
//! | file | |
//! |---|---|
//! | `scrub` | a block while it is cleared: what every front-end is given, and what it can do with it |
//! | `pool`, `bulk` | [`HypPool`]: by number, by handle, many at once |
//! | `cpus` | [`Magazine`](crate::Magazine) and [`PerCpu`](crate::PerCpu) |
//! | `owner` | [`Owner`](crate::Owner) |

mod bulk;
mod cpus;
mod owner;
mod pool;
mod scrub;

pub(crate) use scrub::{Cleared, Scrub};

use crate::coalesce::Coalesce;
use crate::pfn::{Order, Pfn};
use crate::pool::HypPool;
use crate::refcount::RefcountPath;
use crate::word::Holder;
use core::fmt;
use core::marker::PhantomData;
use lock_api::RawMutex;

/// Access to the memory of frames.
pub trait PhysMap {
    /// Makes all bytes of `block` zero.
    ///
    /// Takes as long as the block is large; no lock of the pool is held, nor of a magazine. If it panics, the block stays
    /// allocated, and nobody's.
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

/// A front-end `F` of a pool whose blocks are cleared, by way of `M`: a `&HypPool`, an [`Owner`](crate::Owner), a
/// [`Magazine`](crate::Magazine), a `&PerCpu`.
///
/// It has the calls that allocate and those that put a reference, under the names that they have there; everything else
/// is the front-end's ([`front`](Self::front)). What its calls cost is what the front-end's cost, and the clearing.
///
/// A secret is safe as long as every reference is put here, or by a front-end over the same pool that scrubs, too: whoever
/// puts the last one anywhere else has the block free without clearing.
///
/// ```
/// use core::cell::RefCell;
/// use hyp_pool::{Contents, Erasable, Erasing, HypPool, Pfn, PfnRange, PhysMap, TableWord, table_words};
///
/// /// Frame 0 to 63, a byte each.
/// struct Memory(RefCell<[u8; 64]>);
///
/// impl PhysMap for Memory {
///     fn zero(&self, block: Erasable<'_>) {
///         self.0.borrow_mut()[block.pfn().get()..][..block.nr_pages()].fill(0);
///     }
/// }
///
/// let table = [const { TableWord::VACANT }; table_words(64)];
/// let pool = HypPool::<parking_lot::RawMutex>::with_table(&table, PfnRange::new(Pfn::new(0), 64), 0)?;
/// let memory = Memory(RefCell::new([0; 64]));
///
/// // A CPU's pages: scrubbed when they are put, and kept for its next allocation.
/// let mut cpu = Erasing::new(pool.magazine(), &memory, Contents::ScrubOnPut);
/// let page = cpu.alloc_pages(0)?;
/// memory.0.borrow_mut()[page.get()] = 0x5e; // a secret
/// cpu.put_page(page)?; // cleared, then into the magazine: no lock
/// assert_eq!(memory.0.borrow()[page.get()], 0);
/// assert_eq!(cpu.alloc_pages(0)?, page);
///
/// // The pool itself, which other CPUs use meanwhile.
/// let scrubbed = Erasing::new(&pool, &memory, Contents::ScrubOnPut);
/// scrubbed.put_page(page)?;
/// cpu.front_mut().drain();
/// assert_eq!(pool.free_pages(), 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # In a `static`
///
/// ```
/// # use hyp_pool::{Contents, Erasable, Erasing, HypPool, PerCpu, Pfn, PfnRange, PhysMap, TableWord, table_words};
/// # use parking_lot::RawMutex as Lock;
/// # struct Map;
/// # impl PhysMap for Map {
/// #     fn zero(&self, _: Erasable<'_>) {}
/// # }
/// static TABLE: [TableWord; table_words(1024)] = [const { TableWord::VACANT }; table_words(1024)];
/// static POOL: HypPool<Lock> = HypPool::new(&TABLE);
/// static CPUS: PerCpu<Lock, 4> = PerCpu::new(&POOL);
/// static ZEROED: Erasing<&PerCpu<Lock, 4>, Map> = Erasing::new(&CPUS, Map, Contents::ZeroOnAlloc);
///
/// POOL.init(PfnRange::new(Pfn::new(0), 1024), 0)?;
/// let page = ZEROED.alloc_pages(2, 0)?; // on CPU 2
/// ZEROED.put_page(3, page)?; // on CPU 3
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Erasing<F, M> {
    front: F,
    map: M,
    when: Contents,
}

impl<F, M> Erasing<F, M> {
    /// `front`, with its blocks cleared at `when` by way of `map`.
    pub const fn new(front: F, map: M, when: Contents) -> Self {
        Self { front, map, when }
    }

    /// The front-end, for everything else. Whoever puts a block there has it free without clearing; whoever allocates
    /// there finds what the last owner left.
    #[must_use]
    pub const fn front(&self) -> &F {
        &self.front
    }

    /// As [`front`](Self::front), for what needs the `&mut`: an owner's `get_page`, a magazine's `drain`.
    #[must_use]
    pub const fn front_mut(&mut self) -> &mut F {
        &mut self.front
    }

    /// The front-end by itself. Nothing is cleared.
    #[must_use]
    pub fn into_inner(self) -> F {
        self.front
    }

    fn scrubs(&self) -> bool {
        self.when == Contents::ScrubOnPut
    }

    /// Who a block is allocated for on behalf of `holder`: whoever clears it comes first.
    fn first(&self, holder: Holder) -> Holder {
        if self.when == Contents::ZeroOnAlloc { Holder::Scrub } else { holder }
    }
}

impl<F, M: PhysMap> Erasing<F, M> {
    /// A block that was allocated for [`first`](Self::first) becomes `holder`'s, clear if that is the policy.
    fn ready<L: RawMutex, R: RefcountPath, C: Coalesce>(
        &self,
        pool: &HypPool<'_, L, R, C>,
        pfn: Pfn,
        holder: Holder,
    ) -> Pfn {
        if self.first(holder) == Holder::Scrub
            && let Ok(block) = Scrub::at(pool, pfn)
        {
            block.clear(&self.map).hand_out(holder);
        }
        pfn
    }
}

impl<F, M> fmt::Debug for Erasing<F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Erasing").field("when", &self.when).finish_non_exhaustive()
    }
}

impl<M: PhysMap + ?Sized> PhysMap for &M {
    fn zero(&self, block: Erasable<'_>) {
        (**self).zero(block);
    }
}
