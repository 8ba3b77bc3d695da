//! `hyp-pool` with a magazine for each worker: most allocations and last puts take no lock.

use hyp_pool::{Atomic, Census, HypPool, InitError, Magazine, Pfn};
use lock_api::RawMutex;

use super::{Body, Ops, Pages, Refused};
use crate::arena::{Arena, RANGE};
use crate::record::Wrong;

pub(crate) struct Magazines<L: RawMutex>(HypPool<'static, L, Atomic>);

impl<L: RawMutex> Magazines<L> {
    pub(crate) fn new(arena: &'static Arena) -> Result<Self, InitError> {
        Ok(Self(HypPool::with_table(&arena.frames, RANGE, 0)?))
    }
}

impl<L: RawMutex + Sync> Pages for Magazines<L> {
    fn census(&self) -> Result<Census, Wrong> {
        self.0.census()
    }

    /// With a magazine that is empty at first, and is emptied afterwards.
    fn with(&self, body: Body<'_>) -> Result<(), Refused> {
        body(&mut Own { pool: &self.0, magazine: self.0.magazine() })
    }
}

struct Own<'p, L: RawMutex> {
    pool: &'p HypPool<'static, L, Atomic>,
    magazine: Magazine<'p, L>,
}

impl<L: RawMutex + Sync> Ops for Own<'_, L> {
    fn alloc(&mut self, order: u8) -> Result<Pfn, Refused> {
        self.magazine.alloc_pages(order).map_err(|_| Refused)
    }

    fn get(&mut self, pfn: Pfn) -> Result<(), Refused> {
        self.pool.get_page(pfn).map_err(|_| Refused)
    }

    fn put(&mut self, pfn: Pfn) -> Result<(), Refused> {
        self.magazine.put_page(pfn).map_err(|_| Refused)
    }

    fn count(&mut self, pfn: Pfn) -> Result<u32, Refused> {
        self.pool.page_count(pfn).map_err(|_| Refused)
    }
}
