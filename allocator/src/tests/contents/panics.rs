//! A map that panics: what of the pool is as it was, and what becomes of the block.

use super::*;
use crate::BULK;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

const LEN: usize = 256;

/// Clears some blocks, and panics at the next one; the block that it panicked at.
struct Fails {
    after: Cell<usize>,
    at: Cell<Option<Pfn>>,
}

impl crate::PhysMap for &Fails {
    fn zero(&self, block: Erasable<'_>) {
        match self.after.get().checked_sub(1) {
            Some(left) => self.after.set(left),
            None => {
                self.at.set(Some(block.pfn()));
                // Without a message on the console.
                std::panic::resume_unwind(std::boxed::Box::new("no such memory"));
            }
        }
    }
}

type Pool<'t> = HypPool<'t, Lock, Atomic, Deferred>;

/// A call that has a block cleared; it does not get to say whether it was granted.
type Call = fn(&Pool<'_>, &Fails) -> bool;

/// A call in which the map panics after `after` blocks; the block that it panicked at stays allocated, and nobody's.
fn fails<'p>(
    table: &'p [crate::TableWord],
    after: usize,
    when: Contents,
    call: impl FnOnce(&Pool<'p>, &Fails) -> bool,
) -> (Pool<'p>, Pfn) {
    let pool = pool_over::<Atomic, Deferred>(table, 0, LEN, 0).unwrap();
    let map = Fails { after: Cell::new(after), at: Cell::new(None) };
    let result = catch_unwind(AssertUnwindSafe(|| call(&pool, &map)));
    assert!(result.is_err(), "{when:?}: the map was not called");
    let at = map.at.get().unwrap();
    pool.check().unwrap();
    let refused = Err(PageError::Held);
    assert_eq!((pool.page_count(at), pool.get_page(at), pool.put_page(at)), (Ok(1), refused, refused));
    (pool, at)
}

/// One block, by every front-end: nothing else is lost.
#[test]
fn one_block_is_nobodys() {
    use Contents::{ScrubOnPut, ZeroOnAlloc};
    let calls: [(Contents, Call); 11] = [
        (ZeroOnAlloc, |pool, map| Erasing::new(pool, map, ZeroOnAlloc).alloc_pages(0).is_ok()),
        (ZeroOnAlloc, |pool, map| Erasing::new(pool, map, ZeroOnAlloc).alloc(0).is_ok()),
        (ZeroOnAlloc, |pool, map| Erasing::new(pool.magazine(), map, ZeroOnAlloc).alloc_pages(0).is_ok()),
        (ZeroOnAlloc, |pool, map| Erasing::new(pool.owner().unwrap(), map, ZeroOnAlloc).alloc_pages(0).is_ok()),
        (ZeroOnAlloc, |pool, map| {
            let cpus = PerCpu::<Lock, 1>::new(pool);
            Erasing::new(&cpus, map, ZeroOnAlloc).alloc_pages(0, 0).is_ok()
        }),
        (ScrubOnPut, |pool, map| Erasing::new(pool, map, ScrubOnPut).put_page(pool.alloc_pages(0).unwrap()).is_ok()),
        (ScrubOnPut, |pool, map| Erasing::new(pool, map, ScrubOnPut).put(pool.alloc(0).unwrap()).is_ok()),
        (ScrubOnPut, |pool, map| {
            Erasing::new(pool.magazine(), map, ScrubOnPut).put_page(pool.alloc_pages(0).unwrap()).is_ok()
        }),
        (ScrubOnPut, |pool, map| {
            let mut owner = Erasing::new(pool.owner().unwrap(), map, ScrubOnPut);
            let page = owner.alloc_pages(0).unwrap();
            owner.put_page(page).is_ok()
        }),
        (ScrubOnPut, |pool, map| {
            let cpus = PerCpu::<Lock, 1>::new(pool);
            Erasing::new(&cpus, map, ScrubOnPut).put_page(0, pool.alloc_pages(0).unwrap()).is_ok()
        }),
        (ScrubOnPut, |pool, map| Erasing::new(pool, map, ScrubOnPut).put_bulk(&[pool.alloc_pages(0).unwrap()]).is_ok()),
    ];
    for (when, call) in calls {
        let table = vacant_table(LEN);
        let (pool, _) = fails(&table, 0, when, |pool, map| call(pool, map));
        assert_eq!(pool.free_pages(), LEN - 1, "{when:?}");
    }
}

/// At the first of a batch, inside one, at the last of one, in another batch.
const PLACES: [usize; 5] = [0, 5, BULK - 1, BULK, BULK + 3];

#[test]
fn of_many_that_are_allocated_one_is_nobodys() {
    for place in PLACES {
        let table = vacant_table(LEN);
        let mut out = [Pfn::new(usize::MAX); BULK + 10];
        let (pool, at) = fails(&table, place, Contents::ZeroOnAlloc, |pool, map| {
            Erasing::new(pool, map, Contents::ZeroOnAlloc).alloc_bulk(0, &mut out).is_ok()
        });
        // Those before it are the caller's, those behind it are free.
        assert_eq!(pool.free_pages(), LEN - place - 1);
        assert!(out[..place].iter().all(|&pfn| pool.page_count(pfn) == Ok(1) && pfn != at));
        assert!(out[place..].iter().all(|&pfn| pfn == Pfn::new(usize::MAX)));
        pool.put_bulk(&out[..place]).unwrap();
        assert_eq!(pool.check().unwrap().allocated_pages, 1);
    }
}

#[test]
fn of_many_that_are_put_one_is_nobodys() {
    for place in PLACES {
        let table = vacant_table(LEN);
        let mut blocks = [Pfn::new(0); BULK + 10];
        let (pool, at) = fails(&table, place, Contents::ScrubOnPut, |pool, map| {
            let erasing = Erasing::new(pool, map, Contents::ScrubOnPut);
            erasing.alloc_bulk(0, &mut blocks).unwrap();
            erasing.put_bulk(&blocks).is_ok()
        });
        // Those before it are free, those behind it have not been put.
        assert_eq!((blocks[place], pool.free_pages()), (at, LEN - blocks.len() + place));
        assert!(blocks[..place].iter().all(|&pfn| pool.page_count(pfn) == Err(PageError::Free)));
        pool.put_bulk(&blocks[place + 1..]).unwrap();
        assert_eq!(pool.check().unwrap().allocated_pages, 1);
    }
}
