//! Many blocks of an owner at once are as many of its calls, one after the other.

use super::{pool_over, vacant_table};
use crate::{AllocError, Atomic, BULK, BulkError, Coalesce, Deferred, Eager, Merged, PageError, Pfn, RefcountPath};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use std::vec;
use std::vec::Vec;

const NOBODY: Pfn = Pfn::new(usize::MAX);

fn on_all(tests: [fn(); 4]) {
    tests.into_iter().for_each(|test| test());
}

#[test]
fn as_many_as_there_are_and_all_the_owners() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let len = 3 * BULK + 5;
        let table = vacant_table(len);
        let pool = pool_over::<R, C>(&table, 0, len, 0).unwrap();
        let full = pool.check().unwrap();
        let mut owner = pool.owner().unwrap();
        for wanted in [0, 1, BULK, BULK + 1, len, len + 1, len + 70] {
            let mut out = vec![NOBODY; wanted];
            let got = owner.alloc_bulk(0, &mut out).unwrap();
            assert_eq!((got, owner.blocks()), (wanted.min(len), wanted.min(len)));
            assert!(out[got..].iter().all(|&pfn| pfn == NOBODY));
            for &page in &out[..got] {
                assert_eq!((owner.page_count(page), pool.put_page(page)), (Ok(1), Err(PageError::Held)));
            }
            owner.put_bulk(&out[..got]).unwrap();
            assert_eq!(owner.blocks(), 0);
            pool.coalesce();
            assert_eq!(pool.check().unwrap(), full);
        }
        assert_eq!(owner.alloc_bulk(10, &mut [NOBODY]), Err(AllocError::OutOfMemory));
        assert_eq!(owner.alloc_bulk(11, &mut []), Err(AllocError::OrderTooLarge));
        assert_eq!((owner.put_bulk(&[]), owner.blocks()), (Ok(()), 0));
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// Blocks of all orders, single and shared, in any order, some named twice since they are shared.
#[test]
fn orders_and_counts_may_be_mixed() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(400);
        let pool = pool_over::<R, C>(&table, 0, 400, 0).unwrap();
        let full = pool.check().unwrap();
        let mut owner = pool.owner().unwrap();
        let mut blocks: Vec<_> = (0..40).map(|n| owner.alloc_pages(n % 4).unwrap()).collect();
        blocks.extend([5, 6, 4].map(|order| owner.alloc_pages(order).unwrap()));
        let shared: Vec<_> = blocks.iter().copied().step_by(3).collect();
        shared.iter().for_each(|&block| owner.get_page(block).unwrap());
        let kept = blocks[3];
        owner.get_page(kept).unwrap();
        blocks.extend(&shared);
        blocks.rotate_left(17);
        assert!(blocks.len() > BULK);
        owner.put_bulk(&blocks).unwrap();
        assert_eq!((owner.blocks(), owner.page_count(kept)), (1, Ok(1)));
        assert_eq!(pool.check().unwrap().allocated_blocks.iter().sum::<usize>(), 1);
        owner.put_page(kept).unwrap();
        pool.coalesce();
        assert_eq!(pool.check().unwrap(), full);
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// The first one that is refused ends it: those before are put, those behind are not, and it is named.
#[test]
fn a_refused_one_is_named() {
    fn on<R: RefcountPath, C: Coalesce>() {
        for at in [0, 1, BULK - 1, BULK, BULK + 5, 2 * BULK + 1] {
            let table = vacant_table(200);
            let pool = pool_over::<R, C>(&table, 0, 200, 0).unwrap();
            let (mut owner, mut other) = (pool.owner().unwrap(), pool.owner().unwrap());
            let block = owner.alloc_pages(2).unwrap();
            let (by_number, others) = (pool.alloc_pages(0).unwrap(), other.alloc_pages(0).unwrap());
            let mut pages = vec![NOBODY; 2 * BULK + 2];
            assert_eq!(owner.alloc_bulk(0, &mut pages), Ok(2 * BULK + 2));
            // Not one that is about to be reused.
            let is_free = |pfn: &Pfn| pool.page_count(*pfn) == Err(PageError::Free);
            let free = (0..200).rev().map(Pfn::new).find(is_free).unwrap();
            let cases = [
                (Pfn::new(block.get() + 1), PageError::Tail),
                (free, PageError::Free),
                (Pfn::new(200), PageError::OutOfRange),
                (by_number, PageError::Held),
                (others, PageError::Held),
            ];
            let before = pool.check().unwrap();
            for (pfn, error) in cases {
                let mut named = pages.clone();
                named.insert(at, pfn);
                assert_eq!(owner.put_bulk(&named), Err(BulkError { index: at, error }));
                assert_eq!(owner.blocks(), 1 + pages.len() - at);
                assert!(pages[..at].iter().all(|&page| owner.page_count(page) == Err(PageError::Free)));
                assert!(pages[at..].iter().all(|&page| owner.page_count(page) == Ok(1)));
                assert_eq!(pool.check().unwrap().free_pages, before.free_pages + at);
                // Those that were put, again.
                let mut again = vec![NOBODY; at];
                owner.alloc_bulk(0, &mut again).unwrap();
                pages.splice(..at, again);
            }
            // One that is named twice, with one reference, is refused the second time; with two it is not.
            let twice = [pages[0], pages[1], pages[0], pages[2]];
            assert_eq!(owner.put_bulk(&twice), Err(BulkError { index: 2, error: PageError::Free }));
            owner.get_page(pages[2]).unwrap();
            owner.put_bulk(&[pages[2], pages[2]]).unwrap();
            assert_eq!(owner.blocks(), 1 + pages.len() - 3);
            pool.check().unwrap();
        }
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// Where none is the last reference, nobody waits for the lock: it is held here until the call is back.
#[test]
fn what_frees_nothing_takes_no_lock() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(64);
        let pool = pool_over::<R, C>(&table, 0, 64, 0).unwrap();
        let mut owner = pool.owner().unwrap();
        let mut pages = vec![NOBODY; BULK + 3];
        owner.alloc_bulk(0, &mut pages).unwrap();
        pages.iter().for_each(|&page| owner.get_page(page).unwrap());
        let areas = pool.areas.0.lock();
        let back = thread::scope(|scope| {
            let (done, back) = channel();
            let (owner, pages) = (&mut owner, &pages);
            scope.spawn(move || {
                owner.put_bulk(pages).unwrap();
                done.send(()).unwrap();
            });
            let back = back.recv_timeout(Duration::from_secs(20));
            drop(areas);
            back
        });
        assert_eq!(back, Ok(()));
        assert!(pages.iter().all(|&page| owner.page_count(page) == Ok(1)));
        owner.put_bulk(&pages).unwrap();
        assert_eq!(pool.free_pages(), 64);
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// As [`HypPool::put_bulk`](crate::HypPool::put_bulk): what is freed is merged at once, in runs, and nothing is kept.
#[test]
fn what_is_freed_is_merged() {
    let table = vacant_table(64);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 64, 0).unwrap();
    let mut owner = pool.owner().unwrap();
    let mut pages = [NOBODY; 64];
    assert_eq!(owner.alloc_bulk(0, &mut pages), Ok(64));
    owner.put_bulk(&pages).unwrap();
    let census = pool.check().unwrap();
    assert_eq!((census.unmerged_blocks, census.free_blocks[6]), (0, 1));
}
