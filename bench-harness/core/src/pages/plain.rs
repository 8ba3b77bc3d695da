//! The world before the patch, and its control: a plain array of counts beside a buddy allocator, under one lock.
//!
//! ```text
//!  split        lock ── count - 1 ── unlock      lock ── free ── unlock      alloc likewise: extract, then count = 1
//!  merged-ref   lock ── count - 1 ────────────────────── free ── unlock
//!                                      ▲
//!                     here a page is neither owned nor free
//! ```
//!
//! The two differ in that unlock and lock alone, so that their ratio is the price of the second critical section. The
//! state between cannot be written down in `hyp-pool`'s frame words; that is why they exist here and only here.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use hyp_pool::{Buddy, Census, InitError, Pfn};
use lock_api::{Mutex, RawMutex};

use super::{Body, Ops, Pages, Refused};
use crate::arena::{Arena, RANGE};
use crate::record::Wrong;

/// Counts beside a buddy allocator; `SPLIT`: changed in two critical sections.
///
/// The counts are changed with the lock held: plain loads and stores, hence `Relaxed`. `count` reads without it:
/// the loads ask for counts of their own tables alone, which no other worker changes.
pub(crate) struct Plain<L: RawMutex, const SPLIT: bool> {
    buddy: Mutex<L, Buddy<'static>>,
    counts: &'static [AtomicU32],
}

impl<L: RawMutex, const SPLIT: bool> Plain<L, SPLIT> {
    pub(crate) fn new(arena: &'static Arena) -> Result<Self, InitError> {
        let buddy = Buddy::with_table(&arena.frames, RANGE, 0)?;
        arena.counts.iter().for_each(|count| count.store(0, Relaxed));
        Ok(Self { buddy: Mutex::new(buddy), counts: &arena.counts })
    }

    #[inline]
    fn counter(&self, pfn: Pfn) -> Result<&AtomicU32, Refused> {
        self.counts.get(pfn.get().wrapping_sub(RANGE.start().get())).ok_or(Refused)
    }
}

impl<L: RawMutex + Sync, const SPLIT: bool> Pages for Plain<L, SPLIT> {
    fn census(&self) -> Result<Census, Wrong> {
        let mut buddy = self.buddy.lock();
        buddy.coalesce(); // or the blocks would depend on what was freed last
        buddy.check().map_err(|_| Wrong::Invariant)
    }

    fn with(&self, body: Body<'_>) -> Result<(), Refused> {
        body(&mut &*self)
    }
}

impl<L: RawMutex + Sync, const SPLIT: bool> Ops for &Plain<L, SPLIT> {
    fn alloc(&mut self, order: u8) -> Result<Pfn, Refused> {
        let mut buddy = self.buddy.lock();
        let pfn = buddy.alloc(order).map_err(|_| Refused)?;
        if SPLIT {
            drop(buddy);
            let _again = self.buddy.lock();
            self.counter(pfn)?.store(1, Relaxed);
        } else {
            self.counter(pfn)?.store(1, Relaxed);
        }
        Ok(pfn)
    }

    fn get(&mut self, pfn: Pfn) -> Result<(), Refused> {
        let count = self.counter(pfn)?;
        let _buddy = self.buddy.lock();
        match count.load(Relaxed) {
            0 | u32::MAX => Err(Refused),
            n => {
                count.store(n + 1, Relaxed);
                Ok(())
            }
        }
    }

    fn put(&mut self, pfn: Pfn) -> Result<(), Refused> {
        let count = self.counter(pfn)?;
        let mut buddy = self.buddy.lock();
        let left = count.load(Relaxed).checked_sub(1).ok_or(Refused)?;
        count.store(left, Relaxed);
        if left != 0 {
            return Ok(());
        }
        if SPLIT {
            drop(buddy);
            buddy = self.buddy.lock();
        }
        buddy.free(pfn).map_err(|_| Refused)
    }

    fn count(&mut self, pfn: Pfn) -> Result<u32, Refused> {
        Ok(self.counter(pfn)?.load(Relaxed))
    }
}
