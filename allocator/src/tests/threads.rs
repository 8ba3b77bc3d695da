//! Threads on one pool. What they prove is that nothing is lost and nothing given twice on the interleavings
//! that happen; the models under loom have the rest.

use super::{pool_over, vacant_table};
use crate::{Atomic, Coalesce, Deferred, Eager, Merged, PageError, Pfn, RefcountPath};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::vec::Vec;

const THREADS: usize = 3;
const ROUNDS: usize = if cfg!(miri) { 12 } else { 20_000 };

/// Allocates, shares and frees blocks of mixed orders; each frame says who owns it.
fn storm<R: RefcountPath, C: Coalesce>() {
    let len = if cfg!(miri) { 64 } else { 256 };
    let table = vacant_table(len);
    let pool = pool_over::<R, C>(&table, 0x77, len, 0).unwrap();
    let before = pool.check().unwrap();
    let owner: Vec<AtomicUsize> = (0..len).map(|_| AtomicUsize::new(0)).collect();
    thread::scope(|scope| {
        for me in 1..=THREADS {
            let (pool, owner) = (&pool, &owner);
            scope.spawn(move || {
                let mut rng = (me as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let mut mine: Vec<(Pfn, u8)> = Vec::new();
                let stamp = |pfn: Pfn, order: u8, from: usize, to: usize| {
                    for frame in &owner[pfn.get() - 0x77..][..1 << order] {
                        assert_eq!(frame.swap(to, Ordering::Relaxed), from, "two owners");
                    }
                };
                for _ in 0..ROUNDS {
                    rng ^= rng << 13;
                    rng ^= rng >> 7;
                    rng ^= rng << 17;
                    if rng & 1 == 0 || mine.is_empty() {
                        let order = (rng >> 8) as u8 & 3;
                        if let Ok(pfn) = pool.alloc_pages(order) {
                            stamp(pfn, order, 0, me);
                            mine.push((pfn, order));
                        }
                    } else {
                        let at = (rng >> 8) as usize % mine.len();
                        let (pfn, order) = mine[at];
                        if rng & 2 == 0 {
                            pool.get_page(pfn).unwrap();
                            pool.put_page(pfn).unwrap();
                        } else {
                            mine.swap_remove(at);
                            stamp(pfn, order, me, 0);
                            pool.put_page(pfn).unwrap();
                        }
                    }
                }
                for (pfn, order) in mine {
                    stamp(pfn, order, me, 0);
                    pool.put_page(pfn).unwrap();
                }
            });
        }
    });
    pool.coalesce();
    assert_eq!(pool.check().unwrap(), before);
}

#[test]
fn a_storm_loses_nothing_merged() {
    storm::<Merged, Eager>();
    storm::<Merged, Deferred>();
}

#[test]
fn a_storm_loses_nothing_atomic() {
    storm::<Atomic, Deferred>();
    storm::<Atomic, Eager>();
}

/// One page, its references put and got by all; the last one out frees it.
fn handles_of_one_block<R: RefcountPath, C: Coalesce>() {
    let table = vacant_table(8);
    let pool = pool_over::<R, C>(&table, 0, 8, 0).unwrap();
    let page = pool.alloc(1).unwrap();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let page = page.clone();
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    let another = page.clone();
                    assert!(another.count() >= 2);
                }
            });
        }
        drop(page);
    });
    assert_eq!(pool.check().unwrap().free_pages, 8);
}

#[test]
fn handles_of_one_block_on_all_threads_merged() {
    handles_of_one_block::<Merged, Eager>();
    handles_of_one_block::<Merged, Deferred>();
}

#[test]
fn handles_of_one_block_on_all_threads_atomic() {
    handles_of_one_block::<Atomic, Deferred>();
    handles_of_one_block::<Atomic, Eager>();
}

/// Misuse that races legal calls: errors here and there, and the invariants hold all the same.
fn misuse_in_a_race<R: RefcountPath, C: Coalesce>() {
    let table = vacant_table(64);
    let pool = pool_over::<R, C>(&table, 0, 64, 0).unwrap();
    thread::scope(|scope| {
        for me in 0..THREADS {
            let pool = &pool;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let pfn = Pfn::new((round * 7 + me) % 66);
                    let result = match round % 4 {
                        0 => pool.alloc_pages((round % 3) as u8).map(drop).map_err(|_| PageError::Free),
                        1 => pool.get_page(pfn),
                        2 => pool.split_page(pfn),
                        _ => pool.put_page(pfn),
                    };
                    assert!(!matches!(result, Err(PageError::Held | PageError::Pinned | PageError::Overflow)));
                }
            });
        }
    });
    pool.check().unwrap();
}

#[test]
fn misuse_in_a_race_breaks_nothing_merged() {
    misuse_in_a_race::<Merged, Eager>();
    misuse_in_a_race::<Merged, Deferred>();
}

#[test]
fn misuse_in_a_race_breaks_nothing_atomic() {
    misuse_in_a_race::<Atomic, Deferred>();
    misuse_in_a_race::<Atomic, Eager>();
}
