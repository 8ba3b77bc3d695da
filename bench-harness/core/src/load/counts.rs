//! The storms are the ones that were defined: their calls are counted on a real pool, and so are the pages they need.
//!
//! The numbers are those of the original measurements (the real C `hyp_pool` under the same storms): a guest's root is
//! not among them, nor is what `count` reads.

use std::sync::{Mutex, PoisonError};

use hyp_locks::Ticket;
use hyp_pool::{HypPool, Merged, Pfn};

use super::stage2::{Storm, guest_pages};
use super::{Load, Mixed, Place, Random, RemoteFree, Sequential, Sparse, Stage2};
use crate::Axis as _;
use crate::arena::{Arena, ENTRIES, FRAMES, RANGE};
use crate::axes::Mix;
use crate::machine::MAX_CORES;
use crate::pages::{Ops, Pages as _, Refused, conserved};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Calls {
    alloc: u64,
    get: u64,
    put: u64,
}

struct Counted<'p> {
    pool: &'p HypPool<'static, Ticket, Merged>,
    calls: Calls,
}

impl Ops for Counted<'_> {
    fn alloc(&mut self, order: u8) -> Result<Pfn, Refused> {
        self.calls.alloc += 1;
        Ops::alloc(&mut self.pool, order)
    }

    fn get(&mut self, pfn: Pfn) -> Result<(), Refused> {
        self.calls.get += 1;
        Ops::get(&mut self.pool, pfn)
    }

    fn put(&mut self, pfn: Pfn) -> Result<(), Refused> {
        self.calls.put += 1;
        Ops::put(&mut self.pool, pfn)
    }

    fn count(&mut self, pfn: Pfn) -> Result<u32, Refused> {
        Ops::count(&mut self.pool, pfn)
    }
}

/// A pool that is whole before and after; one test at a time has it.
fn on_a_pool<T>(body: impl FnOnce(&mut Counted<'_>, &'static Arena) -> T) -> T {
    static ARENA: Arena = Arena::new();
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let pool = HypPool::with_table(&ARENA.frames, RANGE, 0).unwrap();
    let before = pool.census().unwrap();
    let result = body(&mut Counted { pool: &pool, calls: Calls::default() }, &ARENA);
    conserved(&pool.census().unwrap(), &before).unwrap();
    result
}

fn place(arena: &'static Arena, worker: usize, workers: usize) -> Place {
    Place { arena, worker, workers, mix: Mix::Usual, think: 0 }
}

/// The calls of `steps` steps and, with `teardown`, of putting back what is left; without the root's own.
fn calls<S: Storm>(steps: u32, teardown: bool) -> Calls {
    on_a_pool(|ops, arena| {
        let mut storm = Stage2::<S>::begin(ops, place(arena, 0, 1)).unwrap();
        (0..steps).for_each(|_| storm.step(ops).unwrap());
        let before = ops.calls;
        storm.end(ops).unwrap();
        let after = ops.calls;
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
fn crowd<W: Load>(ops: &mut Counted<'_>, arena: &'static Arena, workers: usize, steps: u32, mix: Mix) {
    let crowd: std::vec::Vec<_> = (0..workers)
        .map(|worker| {
            let mut load = W::begin(ops, Place { mix, ..place(arena, worker, workers) }).unwrap();
            (0..steps).for_each(|_| load.step(ops).unwrap());
            load
        })
        .collect();
    crowd.into_iter().for_each(|load| load.end(ops).unwrap());
    W::tear_down(ops).unwrap();
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
        on_a_pool(|ops, arena| crowd::<Stage2<Random>>(ops, arena, workers, steps, Mix::Usual));
        on_a_pool(|ops, arena| crowd::<Stage2<Sparse>>(ops, arena, workers, steps, Mix::Usual));
        on_a_pool(|ops, arena| crowd::<RemoteFree>(ops, arena, workers, steps, Mix::Usual));
    }
    for workers in [1, 2, 31, 64, 256] {
        for &mix in Mix::ALL {
            on_a_pool(|ops, arena| crowd::<Mixed>(ops, arena, workers, 64_000 / workers as u32, mix));
        }
    }
}
