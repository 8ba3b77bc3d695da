//! The worst case: how many merges one call may make, on pools built to provoke it; and which of the blocks kept comes
//! back first.

use super::{Lock, pool_over, vacant_table};
use crate::algorithm::steps::MERGES;
use crate::chunk;
use crate::coalesce::{KEPT_ORDERS, sealed::Kept};
use crate::{Atomic, Coalesce, Deferred, Eager, HypPool, MAX_ORDER, Merged, OldestFirst, Pfn};
use std::vec::Vec;

const LARGEST: usize = 1 << MAX_ORDER;

/// The merges from one chunk to the largest block; below that there is nothing to merge.
const FROM_A_CHUNK: usize = (MAX_ORDER - chunk::ORDER.get()) as usize;

/// The merges that `call` makes.
fn merges<T>(call: impl FnOnce() -> T) -> (usize, T) {
    let before = MERGES.get();
    let result = call();
    (MERGES.get() - before, result)
}

/// A pool of blocks of the largest order, of each of which one small block alone is allocated: `each` blocks of order
/// 0, then as many of order 1, and so on up to the last one that is kept. Everything else is free and merged, so that
/// each of them, freed, makes its chunk whole, and merges with one buddy of every order from there on up.
fn spread<C: Coalesce>(pool: &HypPool<'_, Lock, Atomic, C>, each: usize) -> Vec<Pfn> {
    let regions: Vec<_> = (0..each * KEPT_ORDERS).map(|_| pool.alloc_pages(MAX_ORDER).unwrap()).collect();
    assert_eq!(pool.free_pages(), 0);
    let mut fillers = Vec::new();
    let mut blocks = Vec::new();
    for (nth, region) in regions.into_iter().enumerate() {
        let order = (nth / each) as u8;
        pool.put_page(region).unwrap();
        blocks.push(pool.alloc_pages(order).unwrap());
        pool.coalesce();
        // What is left of the region, so that the next block comes from the next one.
        fillers.extend((order..MAX_ORDER).map(|order| pool.alloc_pages(order).unwrap()));
        assert_eq!(pool.free_pages(), 0);
    }
    fillers.into_iter().for_each(|filler| pool.put_page(filler).unwrap());
    pool.coalesce();
    assert_eq!(pool.check().unwrap().unmerged_blocks, 0);
    blocks
}

#[test]
fn an_allocation_that_must_merge_everything_makes_no_more_merges_than_stated() {
    fn on<const N: usize>() {
        let len = N * KEPT_ORDERS * LARGEST;
        let table = vacant_table(len);
        let pool = pool_over::<Atomic, Deferred<N>>(&table, 0, len, 0).unwrap();
        let blocks = spread(&pool, N);
        blocks.into_iter().for_each(|block| assert_eq!(merges(|| pool.put_page(block).unwrap()).0, 0));
        assert_eq!(pool.check().unwrap().unmerged_blocks, KEPT_ORDERS * N, "every ring is full");
        let (made, largest) = merges(|| pool.alloc_pages(MAX_ORDER));
        largest.unwrap();
        // From a chunk to the largest block there are five merges, and each block kept makes its chunk whole: no string
        // can make more.
        assert_eq!(made, KEPT_ORDERS * N * FROM_A_CHUNK);
        assert_eq!(pool.free_pages(), len - LARGEST);
    }
    on::<7>();
    on::<1>();
    on::<12>();
    on::<15>();
}

/// And it fails only where nothing could help.
#[test]
fn an_allocation_that_merges_to_no_avail_says_so_once() {
    let table = vacant_table(8);
    let pool = pool_over::<Merged, Deferred>(&table, 0, 8, 1).unwrap();
    let pages: Vec<_> = (0..7).map(|_| pool.alloc_pages(0).unwrap()).collect();
    pages.into_iter().for_each(|page| pool.put_page(page).unwrap());
    assert!(pool.check().unwrap().unmerged_blocks > 0);
    assert_eq!(merges(|| pool.alloc_pages(3)), (0, Err(crate::AllocError::OutOfMemory)));
    assert_eq!(pool.check().unwrap().unmerged_blocks, 0);
    assert_eq!(merges(|| pool.alloc_pages(3)), (0, Err(crate::AllocError::OutOfMemory)));
    assert_eq!(merges(|| pool.alloc_pages(2)), (0, Ok(Pfn::new(4))));
}

#[test]
fn a_put_merges_half_a_ring_or_one_block() {
    const EACH: usize = 25;
    fn on<C: Coalesce>() {
        let len = EACH * KEPT_ORDERS * LARGEST;
        let table = vacant_table(len);
        let pool = pool_over::<Atomic, C>(&table, 0, len, 0).unwrap();
        let blocks = spread(&pool, EACH);
        // Of each order, those that are kept, and then the one for which there is no room puts out the older half.
        let half = C::Kept::CAPACITY.div_ceil(2);
        for order in 0..KEPT_ORDERS {
            for (nth, &block) in blocks[order * EACH..][..EACH].iter().enumerate() {
                let merged = match nth.checked_sub(C::Kept::CAPACITY) {
                    Some(_) if half == 0 => 1,
                    Some(more) if more % half == 0 => half,
                    _ => 0,
                };
                let expected = merged * FROM_A_CHUNK;
                assert_eq!(merges(|| pool.put_page(block).unwrap()).0, expected, "order {order}, the {nth}th");
            }
        }
        pool.check().unwrap();
    }
    on::<Eager>();
    on::<OldestFirst<Eager>>();
    on::<Deferred<1>>();
    on::<Deferred<7>>();
    on::<Deferred>();
    on::<OldestFirst>();
}

/// Which of the kept blocks an allocation gets.
fn reused<C: Coalesce>() -> Vec<usize> {
    let table = vacant_table(64);
    let pool = pool_over::<Atomic, C>(&table, 0, 64, 0).unwrap();
    let pages: Vec<_> = (0..32).map(|_| pool.alloc_pages(0).unwrap()).collect();
    pool.coalesce();
    // No two of them buddies.
    [2, 10, 6].into_iter().for_each(|n| pool.put_page(pages.iter().copied().find(|p| p.get() == n).unwrap()).unwrap());
    (0..3).map(|_| pool.alloc_pages(0).unwrap().get()).collect()
}

#[test]
fn the_policy_says_which_block_is_reused_first() {
    assert_eq!(reused::<Deferred>(), [6, 10, 2]);
    assert_eq!(reused::<OldestFirst>(), [2, 10, 6]);
    assert_eq!(reused::<Eager>(), [2, 6, 10]);
    assert_eq!(reused::<OldestFirst<Eager>>(), [2, 6, 10]);
    // The ring has room for two: the oldest one was put out and merged, and is the last.
    assert_eq!(reused::<Deferred<2>>(), [6, 10, 2]);
    assert_eq!(reused::<OldestFirst<Deferred<2>>>(), [10, 6, 2]);
    // The ring has room for one: the two older ones were merged, and the lowest of them is next.
    assert_eq!(reused::<Deferred<1>>(), [6, 2, 10]);
}

/// Which of two chunks, freed in this order, an allocation of order 5 gets.
fn chunk_reused<C: Coalesce>() -> usize {
    let table = vacant_table(128);
    let pool = pool_over::<Atomic, C>(&table, 0, 128, 0).unwrap();
    let chunks: Vec<_> = (0..4).map(|_| pool.alloc_pages(5).unwrap()).collect();
    // No two of them buddies.
    pool.put_page(chunks[2]).unwrap();
    pool.put_page(chunks[0]).unwrap();
    let got = pool.alloc_pages(5).unwrap();
    chunks.iter().position(|&chunk| chunk == got).unwrap()
}

#[test]
fn the_policy_says_which_chunk_is_reused_first() {
    assert_eq!((chunk_reused::<Eager>(), chunk_reused::<Deferred>()), (0, 0));
    assert_eq!((chunk_reused::<OldestFirst<Eager>>(), chunk_reused::<OldestFirst>()), (2, 2));
}

/// A fresh pool hands out the lowest address first, under every policy, so that runs can be compared.
#[test]
fn a_fresh_pool_hands_out_the_lowest_address_first() {
    fn on<C: Coalesce>() {
        for order in 0..5 {
            let table = vacant_table(128);
            let pool = pool_over::<Atomic, C>(&table, 128, 128, 0).unwrap();
            let got: Vec<_> = (0..128 >> order).map(|_| pool.alloc_pages(order).unwrap().get()).collect();
            let expected: Vec<_> = (0..128 >> order).map(|n: usize| 128 + (n << order)).collect();
            assert_eq!(got, expected, "order {order}");
        }
    }
    on::<Eager>();
    on::<Deferred>();
    on::<Deferred<1>>();
    on::<Deferred<2>>();
    on::<OldestFirst>();
}
