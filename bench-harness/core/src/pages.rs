//! A pool under one of the strategies.
//!
//! | strategy | get | put | what it is |
//! |---|---|---|---|
//! | `split` | lock, count, unlock | lock, count, unlock; if 0: lock, free, unlock | [`Plain<L, true>`](Plain) |
//! | `merged-ref` | the same | lock, count, if 0: free, unlock | [`Plain<L, false>`](Plain) |
//! | `merged` | lock, count, unlock | lock, count or free, unlock | `HypPool<L, Merged>` |
//! | `atomic` | compare-exchange | compare-exchange; the last: lock, free, unlock | `HypPool<L, Atomic>` |
//!
//! `count`, which asks and changes nothing, takes no lock under any of them.
//!
//! Each operation is a call, under every strategy, as it is for those who embed a pool: nobody has a buddy allocator
//! inlined wherever a page is allocated.

mod plain;

use hyp_pool::{Census, HypPool, Pfn, RefcountPath};
use lock_api::RawMutex;

pub(crate) use plain::Plain;

use crate::arena::RANGE;
use crate::record::Wrong;

/// The pool refused a call; every call of the loads is legal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused;

/// What a load does with a pool, under whichever strategy.
pub(crate) trait Pages: Sync {
    fn alloc(&self, order: u8) -> Result<Pfn, Refused>;
    fn get(&self, pfn: Pfn) -> Result<(), Refused>;
    fn put(&self, pfn: Pfn) -> Result<(), Refused>;
    fn count(&self, pfn: Pfn) -> Result<u32, Refused>;

    /// The invariants, and what there is; nobody else uses the pool.
    fn census(&self) -> Result<Census, Wrong>;
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
    #[inline(never)]
    fn alloc(&self, order: u8) -> Result<Pfn, Refused> {
        self.alloc_pages(order).map_err(|_| Refused)
    }

    #[inline(never)]
    fn get(&self, pfn: Pfn) -> Result<(), Refused> {
        self.get_page(pfn).map_err(|_| Refused)
    }

    #[inline(never)]
    fn put(&self, pfn: Pfn) -> Result<(), Refused> {
        self.put_page(pfn).map_err(|_| Refused)
    }

    #[inline(never)]
    fn count(&self, pfn: Pfn) -> Result<u32, Refused> {
        self.page_count(pfn).map_err(|_| Refused)
    }

    fn census(&self) -> Result<Census, Wrong> {
        self.coalesce(); // or the blocks would depend on what was freed last
        self.check().map_err(|_| Wrong::Invariant)
    }
}
