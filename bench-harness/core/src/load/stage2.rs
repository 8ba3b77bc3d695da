//! `s2-*`: what a hypervisor does to the pool when a guest's memory is mapped and unmapped: stage-2 page tables.
//!
//! Three levels of tables, each a page of the pool, with real entries in real memory:
//!
//! ```text
//!   guest address │ 38…30 │ 29…21 │ 20…12 │ 11…0 │
//!                    L1 ──►  L2  ──►  L3  ──► leaf
//! ```
//!
//! A table's page has one reference from its parent (or, the root, from its owner) and one for each entry that is not
//! empty: map gets the page of the entry, unmap puts it, and a table whose count is 1 is empty and goes. So nearly all
//! calls are gets and puts that are not the last: 99.8 % in `s2-seq`.
//!
//! Every worker has tables of its own, as every guest has; they share the pool. `s2-rand` needs 514 pages for them, and
//! `s2-seq` 258: more than 16 workers have smaller guests, so that the pool has pages for all.
//!
//! A table that goes is all zero, since
//! it is empty: the next one to get the page finds it as a table must be, and no worker has to clear it. Only after a
//! pass in which something went wrong are there entries left, and `measure` clears all pages.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hyp_pool::Pfn;

use super::{Load, Place, Rng};
use crate::arena::{Arena, ENTRIES};
use crate::pages::{Ops, Refused};

const LEAF: u64 = 1;
/// Levels above the leaves, from the root: where their index stands in a guest page number.
const SHIFTS: [u32; 3] = [18, 9, 0];

/// The tables of one guest.
pub(crate) struct Tables {
    arena: &'static Arena,
    root: Pfn,
}

impl Tables {
    /// The entry for guest page `page` in the table at `table`, of a level with shift `shift`. Relaxed: a guest's
    /// tables are changed by its worker alone; another who gets the page next is ordered after by the pool.
    #[inline]
    fn entry(&self, table: Pfn, shift: u32, page: u64) -> &'static AtomicU64 {
        &self.arena.page(table)[(page >> shift) as usize & (ENTRIES - 1)]
    }

    /// Maps guest page `page`; `false` if it is mapped.
    #[inline]
    fn map(&self, ops: &mut dyn Ops, page: u64) -> Result<bool, Refused> {
        let mut table = self.root;
        for shift in [SHIFTS[0], SHIFTS[1]] {
            let entry = self.entry(table, shift, page);
            let below = entry.load(Relaxed);
            table = if below == 0 {
                let fresh = ops.alloc(0)?;
                ops.get(table)?;
                entry.store(fresh.get() as u64, Relaxed);
                fresh
            } else {
                Pfn::new(below as usize)
            };
        }
        let leaf = self.entry(table, SHIFTS[2], page);
        if leaf.load(Relaxed) != 0 {
            return Ok(false);
        }
        ops.get(table)?;
        leaf.store(page << 1 | LEAF, Relaxed);
        Ok(true)
    }

    /// Unmaps guest page `page`, which is mapped, and frees the tables that this leaves empty, but for the root.
    #[inline]
    fn unmap(&self, ops: &mut dyn Ops, page: u64) -> Result<(), Refused> {
        let upper = self.entry(self.root, SHIFTS[0], page);
        let middle = Pfn::new(upper.load(Relaxed) as usize);
        let lower = self.entry(middle, SHIFTS[1], page);
        let last = Pfn::new(lower.load(Relaxed) as usize);

        self.entry(last, SHIFTS[2], page).store(0, Relaxed);
        ops.put(last)?;
        if ops.count(last)? == 1 {
            lower.store(0, Relaxed);
            ops.put(middle)?;
            ops.put(last)?;
            if ops.count(middle)? == 1 {
                upper.store(0, Relaxed);
                ops.put(self.root)?;
                ops.put(middle)?;
            }
        }
        Ok(())
    }

    /// Unmaps whatever is mapped.
    fn clear(&self, ops: &mut dyn Ops) -> Result<(), Refused> {
        let each = |table: Pfn| (0_u64..).zip(self.arena.page(table)).filter(|(_, e)| e.load(Relaxed) != 0);
        for (i, upper) in each(self.root) {
            let middle = Pfn::new(upper.load(Relaxed) as usize);
            for (j, lower) in each(middle) {
                for (k, _) in each(Pfn::new(lower.load(Relaxed) as usize)) {
                    self.unmap(ops, i << SHIFTS[0] | j << SHIFTS[1] | k)?;
                    // The tables go with the last of their pages: then there is nothing more to look at in them.
                    if lower.load(Relaxed) == 0 {
                        break;
                    }
                }
                if upper.load(Relaxed) == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Pages of a guest with `memory` bytes: so many for up to 16 workers; beyond, they share what 16 have, evenly as far as
/// a power of two allows.
pub(super) const fn guest_pages(memory: u64, workers: usize) -> u64 {
    (memory >> 12) / (workers as u64).next_power_of_two().div_ceil(16)
}

/// Which page a storm maps or unmaps next.
pub(crate) trait Storm: Sized {
    fn new(worker: usize, workers: usize) -> Self;
    fn step(&mut self, tables: &Tables, ops: &mut dyn Ops) -> Result<(), Refused>;
}

/// A storm on tables of one's own.
pub(crate) struct Stage2<S> {
    tables: Tables,
    storm: S,
}

impl<S: Storm> Load for Stage2<S> {
    fn begin(ops: &mut dyn Ops, place: Place) -> Result<Self, Refused> {
        let tables = Tables { arena: place.arena, root: ops.alloc(0)? };
        Ok(Self { tables, storm: S::new(place.worker, place.workers) })
    }

    #[inline]
    fn step(&mut self, ops: &mut dyn Ops) -> Result<(), Refused> {
        self.storm.step(&self.tables, ops)
    }

    fn end(self, ops: &mut dyn Ops) -> Result<(), Refused> {
        self.tables.clear(ops)?;
        ops.put(self.tables.root)
    }
}

/// `s2-seq`: 512 MiB, mapped in order, then unmapped in order, and again. An operation is one map or one unmap.
///
/// A cycle is 262144 operations: what is measured is whole cycles only where an operation is quick. In a short pass, or
/// a slow one, it is maps alone.
pub(crate) struct Sequential {
    at: u64,
    pages: u64,
}

impl Storm for Sequential {
    fn new(_: usize, workers: usize) -> Self {
        Self { at: 0, pages: guest_pages(512 << 20, workers) }
    }

    #[inline]
    fn step(&mut self, tables: &Tables, ops: &mut dyn Ops) -> Result<(), Refused> {
        // Powers of two: masks are remainders.
        let page = self.at & (self.pages - 1);
        let mapping = self.at < self.pages;
        self.at = (self.at + 1) & (2 * self.pages - 1);
        if mapping { tables.map(ops, page).map(drop) } else { tables.unmap(ops, page) }
    }
}

/// `s2-rand`: a random page of 1 GiB, mapped, or unmapped if it was mapped.
pub(crate) struct Random {
    rng: Rng,
    pages: u64,
}

impl Storm for Random {
    fn new(worker: usize, workers: usize) -> Self {
        Self { rng: Rng::of(worker), pages: guest_pages(1 << 30, workers) }
    }

    #[inline]
    fn step(&mut self, tables: &Tables, ops: &mut dyn Ops) -> Result<(), Refused> {
        let page = self.rng.next() >> 32 & (self.pages - 1);
        if tables.map(ops, page)? { Ok(()) } else { tables.unmap(ops, page) }
    }
}

const RING: usize = 4096;

/// `s2-sparse`: 4096 random pages of 64 GiB; the oldest is unmapped, another one mapped. Several cores share the 4096,
/// since as many for each would need more tables than the pool has pages.
pub(crate) struct Sparse {
    rng: Rng,
    ring: [u32; RING],
    len: usize,
    at: usize,
}

impl Storm for Sparse {
    fn new(worker: usize, workers: usize) -> Self {
        Self { rng: Rng::of(worker), ring: [0; RING], len: (RING / workers).max(1), at: 0 }
    }

    #[inline]
    fn step(&mut self, tables: &Tables, ops: &mut dyn Ops) -> Result<(), Refused> {
        const PAGES: u64 = (64 << 30) >> 12;
        let page = self.rng.next() >> 32 & (PAGES - 1);
        let slot = &mut self.ring[self.at];
        self.at = (self.at + 1) % self.len;
        if *slot != 0 {
            tables.unmap(ops, u64::from(*slot) - 1)?;
        }
        // A page that another slot has mapped is mapped once: this slot then has none.
        *slot = if tables.map(ops, page)? { page as u32 + 1 } else { 0 };
        Ok(())
    }
}
