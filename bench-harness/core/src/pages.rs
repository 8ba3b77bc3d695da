//! A pool under one of the strategies.
//!
//! | strategy | get | put | what it is |
//! |---|---|---|---|
//! | `split` | lock, count, unlock | lock, count, unlock; if 0: lock, free, unlock | [`Plain<L, true>`](Plain) |
//! | `merged-ref` | the same | lock, count, if 0: free, unlock | [`Plain<L, false>`](Plain) |
//! | `merged` | lock, count, unlock | lock, count or free, unlock | `HypPool<L, Merged>` |
//! | `atomic` | compare-exchange | compare-exchange; the last: lock, free, unlock | `HypPool<L, Atomic>` |
//! | `magazine` | as `atomic` | as `atomic`; the last: into the worker's own magazine | [`Magazines`] |
//!
//! `count`, which asks and changes nothing, takes no lock under any of them.
//!
//! Each operation is a call, under every strategy, as it is for those who embed a pool: nobody has a buddy allocator
//! inlined wherever a page is allocated.

mod magazines;
mod plain;

use hyp_pool::{Census, HypPool, Pfn, RefcountPath};
use lock_api::RawMutex;

pub(crate) use magazines::Magazines;
pub(crate) use plain::Plain;

use crate::arena::RANGE;
use crate::record::Wrong;

/// The pool refused a call; every call of the loads is legal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused;

/// What a worker does with a pool, under whichever strategy.
pub trait Ops {
    /// A block of 2^`order` pages, with one reference.
    ///
    /// # Errors
    ///
    /// There is none left.
    fn alloc(&mut self, order: u8) -> Result<Pfn, Refused>;

    /// One reference more.
    ///
    /// # Errors
    ///
    /// The block is not allocated.
    fn get(&mut self, pfn: Pfn) -> Result<(), Refused>;

    /// One reference less; the last one frees it.
    ///
    /// # Errors
    ///
    /// The block is not allocated.
    fn put(&mut self, pfn: Pfn) -> Result<(), Refused>;

    /// How many references there are.
    ///
    /// # Errors
    ///
    /// It is no block.
    fn count(&mut self, pfn: Pfn) -> Result<u32, Refused>;
}

/// What a worker has a pool for.
pub(crate) type Body<'b> = &'b mut dyn FnMut(&mut dyn Ops) -> Result<(), Refused>;

/// A pool that workers share.
pub(crate) trait Pages: Sync {
    /// The invariants, and what there is; nobody else uses the pool.
    fn census(&self) -> Result<Census, Wrong>;

    /// Calls `body` with a worker's own way to the pool.
    fn with(&self, body: Body<'_>) -> Result<(), Refused>;
}

/// Everything was put back: all of it is free, in the blocks that it was in before.
pub(crate) fn conserved(after: &Census, before: &Census) -> Result<(), Wrong> {
    if after.free_pages != RANGE.len() {
        return Err(Wrong::Leaked);
    }
    if after != before {
        return Err(Wrong::NotCoalesced);
    }
    Ok(())
}

impl<L: RawMutex + Sync, R: RefcountPath> Pages for HypPool<'static, L, R> {
    fn census(&self) -> Result<Census, Wrong> {
        self.coalesce(); // or the blocks would depend on what was freed last
        self.check().map_err(|_| Wrong::Invariant)
    }

    fn with(&self, body: Body<'_>) -> Result<(), Refused> {
        body(&mut &*self)
    }
}

impl<L: RawMutex + Sync, R: RefcountPath> Ops for &HypPool<'static, L, R> {
    fn alloc(&mut self, order: u8) -> Result<Pfn, Refused> {
        self.alloc_pages(order).map_err(|_| Refused)
    }

    fn get(&mut self, pfn: Pfn) -> Result<(), Refused> {
        self.get_page(pfn).map_err(|_| Refused)
    }

    fn put(&mut self, pfn: Pfn) -> Result<(), Refused> {
        self.put_page(pfn).map_err(|_| Refused)
    }

    fn count(&mut self, pfn: Pfn) -> Result<u32, Refused> {
        self.page_count(pfn).map_err(|_| Refused)
    }
}
