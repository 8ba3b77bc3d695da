//! The storms are the ones that were defined: their calls are counted on a real pool, and so are the pages they need.
//!
//! The numbers are those of the original measurements (the real C `hyp_pool` under the same storms): a guest's root is
//! not among them, nor is what `count` reads.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use hyp_locks::Ticket;
use hyp_pool::{Census, HypPool, Merged, Pfn};

use super::stage2::{Storm, guest_pages};
use super::{Load, Mixed, Place, Random, Sequential, Sparse, Stage2};
use crate::arena::{Arena, ENTRIES, FRAMES, RANGE};
use crate::machine::MAX_CORES;
use crate::pages::{Pages, Refused, conserved};
use crate::record::Wrong;

#[derive(PartialEq, Eq, Debug)]
struct Calls {
    alloc: u64,
    get: u64,
    put: u64,
}

struct Counted {
    pool: HypPool<'static, Ticket, Merged>,
    alloc: AtomicU64,
    get: AtomicU64,
    put: AtomicU64,
}

impl Counted {
    fn calls(&self) -> Calls {
        Calls { alloc: self.alloc.load(Relaxed), get: self.get.load(Relaxed), put: self.put.load(Relaxed) }
    }
}

impl Pages for Counted {
    fn alloc(&self, order: u8) -> Result<Pfn, Refused> {
        self.alloc.fetch_add(1, Relaxed);
        Pages::alloc(&self.pool, order)
    }

    fn get(&self, pfn: Pfn) -> Result<(), Refused> {
        self.get.fetch_add(1, Relaxed);
        Pages::get(&self.pool, pfn)
    }

    fn put(&self, pfn: Pfn) -> Result<(), Refused> {
        self.put.fetch_add(1, Relaxed);
        Pages::put(&self.pool, pfn)
    }

    fn count(&self, pfn: Pfn) -> Result<u32, Refused> {
        Pages::count(&self.pool, pfn)
    }

    fn census(&self) -> Result<Census, Wrong> {
        Pages::census(&self.pool)
    }
}

/// A pool that is whole before and after; one test at a time has it.
fn on_a_pool<T>(body: impl FnOnce(&Counted, &'static Arena) -> T) -> T {
    static ARENA: Arena = Arena::new();
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let pool = HypPool::with_table(&ARENA.frames, RANGE, 0).unwrap();
    let pages = Counted { pool, alloc: AtomicU64::new(0), get: AtomicU64::new(0), put: AtomicU64::new(0) };
    let before = pages.census().unwrap();
    let result = body(&pages, &ARENA);
    conserved(&pages.census().unwrap(), &before).unwrap();
    result
}

/// The calls of `steps` steps and, with `teardown`, of putting back what is left; without the root's own.
fn calls<S: Storm>(steps: u32, teardown: bool) -> Calls {
    on_a_pool(|pages, arena| {
        let mut storm = Stage2::<_, S>::begin(pages, Place { arena, worker: 0, workers: 1 }).unwrap();
        (0..steps).for_each(|_| storm.step().unwrap());
        let before = pages.calls();
        storm.end().unwrap();
        let after = pages.calls();
        if teardown {
            Calls { alloc: after.alloc - 1, put: after.put - 1, ..after }
        } else {
            Calls { alloc: before.alloc - 1, ..before }
        }
    })
}

#[test]
fn sequential_is_as_defined() {
    // 131072 leaves, 256 tables of them and one above those.
    assert_eq!(calls::<Sequential>(262_144, false), Calls { alloc: 257, get: 131_329, put: 131_586 });
    assert_eq!(calls::<Sequential>(131_072, false), Calls { alloc: 257, get: 131_329, put: 0 });
}

#[test]
fn random_is_as_defined() {
    assert_eq!(calls::<Random>(1_000_000, true), Calls { alloc: 513, get: 566_007, put: 566_520 });
}

#[test]
fn sparse_is_as_defined() {
    assert_eq!(calls::<Sparse>(200_000, true), Calls { alloc: 176_987, get: 376_939, put: 553_926 });
}

/// Workers that all have what they have at one time.
fn crowd<'p, W: Load<'p, Counted>>(pages: &'p Counted, arena: &'static Arena, workers: usize, steps: u32) {
    let crowd: std::vec::Vec<_> = (0..workers)
        .map(|worker| {
            let mut load = W::begin(pages, Place { arena, worker, workers }).unwrap();
            (0..steps).for_each(|_| load.step().unwrap());
            load
        })
        .collect();
    crowd.into_iter().for_each(|load| load.end().unwrap());
}

#[test]
fn the_pool_has_pages_for_as_many_workers_as_there_may_be() {
    for workers in 1..=MAX_CORES {
        for memory in [512 << 20, 1 << 30] {
            let tables = 2 + guest_pages(memory, workers) as usize / ENTRIES;
            assert!(workers * tables <= FRAMES, "{workers} workers of {tables} tables");
        }
    }
    for workers in [31, 64, 256] {
        let steps = 64_000 / workers as u32;
        on_a_pool(|pages, arena| crowd::<Stage2<'_, _, Random>>(pages, arena, workers, steps));
        on_a_pool(|pages, arena| crowd::<Stage2<'_, _, Sparse>>(pages, arena, workers, steps));
        on_a_pool(|pages, arena| crowd::<Mixed<'_, _>>(pages, arena, workers, steps));
    }
}
