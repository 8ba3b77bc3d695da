//! `s2_*`: what a hypervisor does to the pool when guest memory is mapped and unmapped. Real tables in real pages:
//!
//! ```text
//!   guest address │ 38…30 │ 29…21 │ 20…12 │ 11…0 │
//!                    L1 ──►  L2  ──►  L3  ──► leaf
//! ```
//!
//! The page of a table has one reference from its parent and one for each entry that is not empty. So mapping a page
//! gets the last table once and, for each table that was missing, allocates it and gets its parent; unmapping puts the
//! last table, and one whose count is down to 1 is empty and goes, and so on upward. A table that goes is all zero,
//! since it is empty: the next to get the page finds it as a table must be.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{Place, Plan, Work};
use crate::rng::Rng;
use crate::subject::{Counted, Name, Refused};

const ENTRIES: u64 = 512;
const LEAF: u64 = 1;

/// The tables of one guest.
#[derive(Debug)]
pub struct Tables<N>(N);

impl<N: Name> Tables<N> {
    /// The entry for guest page `page` in `table`, whose level has `shift`. Relaxed: only this guest's thread uses its
    /// tables; whoever gets the page next is ordered after by the subject.
    #[inline(always)]
    fn entry<P: Counted<Page = N>>(pages: &P, table: N, shift: u32, page: u64) -> &'static AtomicU64 {
        let at = pages.address(table).wrapping_add((page >> shift & (ENTRIES - 1)) as usize * 8);
        // SAFETY: a table is a page of the arena, which lives for ever, and 8 times an index below 512 is inside of it.
        // Aligned, as the page is. Whoever holds the page makes no other reference to it.
        unsafe { AtomicU64::from_ptr(at.cast()) }
    }

    /// Maps guest page `page`; `false` if it was mapped.
    #[inline(always)]
    fn map<P: Counted<Page = N>>(&self, pages: &mut P, page: u64) -> Result<bool, Refused> {
        let mut table = self.0;
        for shift in [18, 9] {
            let entry = Self::entry(pages, table, shift, page);
            let below = entry.load(Relaxed);
            table = if below == 0 {
                let fresh = pages.alloc(0)?;
                pages.get(table)?;
                entry.store(fresh.number() as u64, Relaxed);
                fresh
            } else {
                N::of(below as usize)
            };
        }
        let leaf = Self::entry(pages, table, 0, page);
        if leaf.load(Relaxed) != 0 {
            return Ok(false);
        }
        pages.get(table)?;
        leaf.store(page << 1 | LEAF, Relaxed);
        Ok(true)
    }

    /// Unmaps guest page `page`, which is mapped.
    #[inline(always)]
    fn unmap<P: Counted<Page = N>>(&self, pages: &mut P, page: u64) -> Result<(), Refused> {
        let upper = Self::entry(pages, self.0, 18, page);
        let middle = N::of(upper.load(Relaxed) as usize);
        let lower = Self::entry(pages, middle, 9, page);
        let last = N::of(lower.load(Relaxed) as usize);
        Self::entry(pages, last, 0, page).store(0, Relaxed);
        pages.put(last)?;
        if pages.count(last)? == 1 {
            lower.store(0, Relaxed);
            pages.put(middle)?;
            pages.put(last)?;
            if pages.count(middle)? == 1 {
                upper.store(0, Relaxed);
                pages.put(self.0)?;
                pages.put(middle)?;
            }
        }
        Ok(())
    }

    /// Unmaps all that is mapped, but for the root.
    fn clear<P: Counted<Page = N>>(&self, pages: &mut P) -> Result<(), Refused> {
        for i in 0..ENTRIES {
            let upper = Self::entry(pages, self.0, 18, i << 18);
            for j in 0..ENTRIES {
                let middle = upper.load(Relaxed);
                if middle == 0 {
                    break; // the table went with its last entry
                }
                let lower = Self::entry(pages, N::of(middle as usize), 9, j << 9);
                for k in 0..ENTRIES {
                    let last = lower.load(Relaxed);
                    if last == 0 {
                        break;
                    }
                    if Self::entry(pages, N::of(last as usize), 0, k).load(Relaxed) != 0 {
                        self.unmap(pages, i << 18 | j << 9 | k)?;
                        if upper.load(Relaxed) == 0 {
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// Which page is mapped or unmapped next.
pub trait Storm<N: Name>: Sized {
    /// How a pass is cut.
    const PLAN: Plan;
    /// From the beginning.
    fn new(thread: usize) -> Self;
    /// An operation.
    fn step<P: Counted<Page = N>>(&mut self, tables: &Tables<N>, pages: &mut P) -> Result<(), Refused>;
}

/// A storm on tables of the thread's own. The walk is the caller's and the same for everybody: it is inlined, whatever the
/// size of what it calls.
#[derive(Debug)]
pub struct Stage2<N, S> {
    tables: Tables<N>,
    storm: S,
    thread: usize,
}

impl<'p, P: Counted, S: Storm<P::Page>> Work<'p, P> for Stage2<P::Page, S> {
    fn begin(pages: &mut P, place: Place<'p>) -> Result<Self, Refused> {
        Ok(Self { tables: Tables(pages.alloc(0)?), storm: S::new(place.thread), thread: place.thread })
    }

    fn plan(&self) -> Plan {
        S::PLAN
    }

    fn chunk(&mut self, pages: &mut P, ops: usize) -> Result<(), Refused> {
        for _ in 0..ops {
            self.storm.step(&self.tables, pages)?;
        }
        Ok(())
    }

    fn rewind(&mut self, pages: &mut P) -> Result<(), Refused> {
        self.storm = S::new(self.thread);
        self.tables.clear(pages)
    }

    fn end(self, pages: &mut P) -> Result<(), Refused> {
        self.tables.clear(pages)?;
        pages.put(self.tables.0)
    }
}

/// `s2_seq`: 131072 pages mapped in order, then unmapped in order.
#[derive(Debug)]
pub struct Sequential(u64);

const IN_ORDER: u64 = 1 << 17;

impl<N: Name> Storm<N> for Sequential {
    const PLAN: Plan = Plan::Passes { chunks: 16, ops: 2 * IN_ORDER as usize / 16 };

    fn new(_: usize) -> Self {
        Self(0)
    }

    #[inline(always)]
    fn step<P: Counted<Page = N>>(&mut self, tables: &Tables<N>, pages: &mut P) -> Result<(), Refused> {
        let page = self.0 & (IN_ORDER - 1);
        let mapping = self.0 < IN_ORDER;
        self.0 += 1;
        if mapping { tables.map(pages, page).map(drop) } else { tables.unmap(pages, page) }
    }
}

/// `s2_rand`: a million times a random page of 1 GiB.
#[derive(Debug)]
pub struct Random(Rng);

impl<N: Name> Storm<N> for Random {
    const PLAN: Plan = Plan::Passes { chunks: 500, ops: 2000 };

    fn new(thread: usize) -> Self {
        Self(Rng::of(thread))
    }

    #[inline(always)]
    fn step<P: Counted<Page = N>>(&mut self, tables: &Tables<N>, pages: &mut P) -> Result<(), Refused> {
        let page = self.0.draw() >> 32 & 0x3_ffff;
        if tables.map(pages, page)? { Ok(()) } else { tables.unmap(pages, page) }
    }
}

/// `s2_sparse`: 4096 random pages of 64 GiB; 200 000 times the oldest goes and another comes.
#[derive(Debug)]
pub struct Sparse {
    rng: Rng,
    ring: Box<[u32; 4096]>,
    at: usize,
}

impl<N: Name> Storm<N> for Sparse {
    const PLAN: Plan = Plan::Passes { chunks: 200, ops: 1000 };

    fn new(thread: usize) -> Self {
        Self { rng: Rng::of(thread), ring: Box::new([0; 4096]), at: 0 }
    }

    #[inline(always)]
    fn step<P: Counted<Page = N>>(&mut self, tables: &Tables<N>, pages: &mut P) -> Result<(), Refused> {
        let page = self.rng.draw() >> 32 & 0xff_ffff;
        let slot = &mut self.ring[self.at];
        self.at = (self.at + 1) % 4096;
        if *slot != 0 {
            tables.unmap(pages, u64::from(*slot - 1))?;
        }
        // A page that another slot has mapped stays that slot's.
        *slot = if tables.map(pages, page)? { page as u32 + 1 } else { 0 };
        Ok(())
    }
}
