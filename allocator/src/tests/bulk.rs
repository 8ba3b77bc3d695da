//! Many blocks at once are as many calls, one after the other.

use super::{pool_over, vacant_table};
use crate::{
    AllocError, Atomic, BULK, BulkError, Coalesce, Deferred, Eager, MAX_COUNT, Merged, OldestFirst, PageError, Pfn,
    RefcountPath,
};
use std::collections::HashSet;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::vec;
use std::vec::Vec;

const NOBODY: Pfn = Pfn::new(usize::MAX);

fn on_all(tests: [fn(); 4]) {
    tests.into_iter().for_each(|test| test());
}

/// Checks that these are distinct, aligned, allocated blocks, and nothing else is.
fn all_allocated<R: RefcountPath, C: Coalesce>(pool: &crate::HypPool<'_, super::Lock, R, C>, got: &[Pfn], order: u8) {
    let distinct: HashSet<_> = got.iter().map(|pfn| pfn.get()).collect();
    assert_eq!(distinct.len(), got.len());
    assert!(got.iter().all(|pfn| pfn.get().is_multiple_of(1 << order) && pool.page_count(*pfn) == Ok(1)));
    let census = pool.check().unwrap();
    assert_eq!(census.allocated_blocks[usize::from(order)], got.len());
    assert_eq!(census.allocated_pages, got.len() << order);
}

#[test]
fn as_many_as_there_are() {
    fn on<R: RefcountPath, C: Coalesce>() {
        for order in [0, 1, 3, 4, 5, 6] {
            // Not a multiple of what one critical section does.
            let len = 32 * 7 + 40;
            let table = vacant_table(len);
            let pool = pool_over::<R, C>(&table, 32, len, 0).unwrap();
            let full = pool.check().unwrap();
            let before = pool.free_blocks();
            let most: usize = (order..=10).map(|o| before[usize::from(o)] << (o - order)).sum();
            // Fewer, one more than a batch, all, and more than there are; the rest of the slice is left alone.
            for wanted in [0, 1, BULK.min(most), (BULK + 1).min(most), most, most + 1, most + 70] {
                let mut out = vec![NOBODY; wanted];
                let got = pool.alloc_bulk(order, &mut out).unwrap();
                assert_eq!(got, wanted.min(most), "order {order}");
                assert!(out[got..].iter().all(|&pfn| pfn == NOBODY));
                all_allocated(&pool, &out[..got], order);
                pool.put_bulk(&out[..got]).unwrap();
                pool.coalesce();
                assert_eq!(pool.check().unwrap(), full);
            }
        }
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Atomic, OldestFirst<Deferred<3>>>]);
}

/// What is kept unmerged is merged before there is said to be no more.
#[test]
fn what_is_kept_is_found() {
    let table = vacant_table(64);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 64, 0).unwrap();
    let mut pages = [NOBODY; 64];
    assert_eq!(pool.alloc_bulk(0, &mut pages), Ok(64));
    // One by one, so that they go into a ring.
    pages[..6].iter().for_each(|&page| pool.put_page(page).unwrap());
    assert!(pool.check().unwrap().unmerged_blocks > 0);
    let mut pairs = [NOBODY; 8];
    assert_eq!(pool.alloc_bulk(1, &mut pairs), Ok(3));
    assert_eq!(pool.alloc_bulk(0, &mut pairs[3..]), Err(AllocError::OutOfMemory));
    assert_eq!(pool.check().unwrap().allocated_pages, 64);
}

#[test]
fn none_at_all_is_an_error() {
    let table = vacant_table(8);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 8, 0).unwrap();
    let before = pool.check().unwrap();
    let mut out = [NOBODY; 3];
    assert_eq!(pool.alloc_bulk(4, &mut out), Err(AllocError::OutOfMemory));
    assert_eq!(pool.alloc_bulk(11, &mut out), Err(AllocError::OrderTooLarge));
    assert_eq!(pool.alloc_bulk(u8::MAX, &mut []), Err(AllocError::OrderTooLarge));
    assert_eq!((pool.alloc_bulk(4, &mut []), pool.put_bulk(&[])), (Ok(0), Ok(())));
    assert_eq!((out, pool.check().unwrap()), ([NOBODY; 3], before));
}

/// Blocks of all orders, single and shared, in any order, some twice since they are shared.
#[test]
fn orders_and_counts_may_be_mixed() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(400);
        let pool = pool_over::<R, C>(&table, 0, 400, 0).unwrap();
        let mut blocks: Vec<_> = (0..40).map(|n| pool.alloc_pages(n % 4).unwrap()).collect();
        blocks.extend([pool.alloc_pages(5).unwrap(), pool.alloc_pages(6).unwrap(), pool.alloc_pages(4).unwrap()]);
        let shared: Vec<_> = blocks.iter().copied().step_by(3).collect();
        shared.iter().for_each(|&block| pool.get_page(block).unwrap());
        let kept = blocks[3];
        pool.get_page(kept).unwrap();
        blocks.extend(&shared);
        blocks.rotate_left(17);
        assert!(blocks.len() > BULK);
        pool.put_bulk(&blocks).unwrap();
        assert_eq!(pool.check().unwrap().allocated_blocks.iter().sum::<usize>(), 1);
        assert_eq!((pool.page_count(kept), pool.put_page(kept)), (Ok(1), Ok(())));
        pool.coalesce();
        assert_eq!(pool.check().unwrap().free_pages, 400);
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
            let mut owner = pool.owner().unwrap();
            let block = pool.alloc_pages(2).unwrap();
            let handle = pool.alloc(0).unwrap();
            let mut pages = vec![NOBODY; 2 * BULK + 2];
            assert_eq!(pool.alloc_bulk(0, &mut pages), Ok(2 * BULK + 2));
            let owned = owner.alloc_pages(0).unwrap();
            // Not one that is about to be reused.
            let is_free = |pfn: &Pfn| pool.page_count(*pfn) == Err(PageError::Free);
            let free = (0..200).rev().map(Pfn::new).find(is_free).unwrap();
            let cases = [
                (Pfn::new(block.get() + 1), PageError::Tail),
                (free, PageError::Free),
                (Pfn::new(200), PageError::OutOfRange),
                (handle.pfn(), PageError::Held),
                (owned, PageError::Held),
            ];
            let before = pool.check().unwrap();
            for (pfn, error) in cases {
                let mut named = pages.clone();
                named.insert(at, pfn);
                assert_eq!(pool.put_bulk(&named), Err(BulkError { index: at, error }));
                assert!(pages[..at].iter().all(|&page| pool.page_count(page) == Err(PageError::Free)));
                assert!(pages[at..].iter().all(|&page| pool.page_count(page) == Ok(1)));
                assert_eq!(pool.check().unwrap().free_pages, before.free_pages + at);
                // Those that were put, again.
                let mut again = vec![NOBODY; at];
                pool.alloc_bulk(0, &mut again).unwrap();
                pages.splice(..at, again);
            }
            // One that is named twice, with one reference, is refused the second time.
            let twice = [pages[0], pages[1], pages[0]];
            assert_eq!(pool.put_bulk(&twice), Err(BulkError { index: 2, error: PageError::Free }));
            pool.check().unwrap();
        }
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// Somebody who has no reference gets one where there is something to get, and is told why where there is not.
#[test]
fn a_get_by_a_stranger_is_granted_or_refused() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(16);
        let pool = pool_over::<R, C>(&table, 0, 16, 0).unwrap();
        let block = pool.alloc_pages(1).unwrap();
        let handle = pool.alloc(0).unwrap();
        let before = pool.check().unwrap();
        assert_eq!(pool.get_page(Pfn::new(block.get() + 1)), Err(PageError::Tail));
        assert_eq!(pool.get_page(Pfn::new(15)), Err(PageError::Free));
        assert_eq!(pool.get_page(Pfn::new(16)), Err(PageError::OutOfRange));
        assert_eq!(pool.get_page(handle.pfn()), Err(PageError::Held));
        assert_eq!((pool.get_page(block), pool.page_count(block)), (Ok(()), Ok(2)));
        pool.get_page_n(block, MAX_COUNT - 2).unwrap();
        assert_eq!((pool.get_page(block), pool.page_count(block)), (Err(PageError::Overflow), Ok(MAX_COUNT)));
        assert_eq!(pool.check().unwrap(), before);
        pool.put_page_n(block, MAX_COUNT).unwrap();
        assert_eq!(pool.get_page(block), Err(PageError::Free));
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// References that are not the last go without the lock: here somebody else holds it all the while.
#[test]
fn no_lock_if_none_is_the_last() {
    let table = vacant_table(8);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 8, 0).unwrap();
    let pages: Vec<_> = (0..3).map(|order| pool.alloc_pages(order).unwrap()).collect();
    pages.iter().for_each(|&page| pool.get_page_n(page, 2).unwrap());
    let (done, wait) = mpsc::channel();
    thread::scope(|scope| {
        let held = pool.areas.0.lock();
        scope.spawn(|| done.send(pool.put_bulk(&pages)).unwrap());
        let put = wait.recv_timeout(Duration::from_secs(60));
        drop(held); // so that a failure ends
        assert_eq!(put, Ok(Ok(())), "it waits for the lock");
    });
    assert!(pages.iter().all(|&page| pool.page_count(page) == Ok(2)));
    // One in front is not the last, one behind the last ones isn't either.
    pool.put_page(pages[1]).unwrap();
    pool.put_bulk(&[pages[0], pages[1], pages[2], pages[0]]).unwrap();
    assert_eq!((pool.page_count(pages[0]), pool.page_count(pages[2])), (Err(PageError::Free), Ok(1)));
    assert_eq!(pool.page_count(pages[1]), Err(PageError::Free));
    pool.check().unwrap();
}

/// The blocks kept for single allocations are the last ones to be handed out in bulk.
#[test]
fn the_blocks_that_are_kept_stay_kept() {
    let table = vacant_table(64);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 64, 0).unwrap();
    let kept: Vec<_> = (0..8).map(|_| pool.alloc_pages(0).unwrap()).collect();
    pool.coalesce();
    kept.iter().for_each(|&page| pool.put_page(page).unwrap());
    assert_eq!(pool.check().unwrap().unmerged_blocks, 8);
    let mut others = vec![NOBODY; 56];
    assert_eq!(pool.alloc_bulk(0, &mut others), Ok(56));
    assert!(kept.iter().all(|page| !others.contains(page)), "{others:?}");
    assert_eq!(pool.check().unwrap().unmerged_blocks, 8);
    // And they are, when there are no others.
    let mut rest = vec![NOBODY; 9];
    assert_eq!(pool.alloc_bulk(0, &mut rest), Ok(8));
    assert!(kept.iter().all(|page| rest.contains(page)), "{rest:?}");
}
