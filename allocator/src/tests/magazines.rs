//! Magazines: what one holds is allocated and nobody else's, and is given back when it is asked for, or needed.

use super::{Lock, pool_over, vacant_table};
use crate::magazine::Magazine;
use crate::{AllocError, Atomic, Coalesce, Deferred, Eager, Merged, PageError, PerCpu, Pfn, RefcountPath};
use lock_api::RawMutex as _;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::vec::Vec;

const ROUNDS: usize = if cfg!(miri) { 40 } else { 10_000 };

fn on_all(tests: [fn(); 4]) {
    tests.into_iter().for_each(|test| test());
}

#[test]
fn what_a_magazine_holds_is_allocated_and_nobody_elses() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(64);
        let pool = pool_over::<R, C>(&table, 0, 64, 0).unwrap();
        let mut owner = pool.owner().unwrap();
        let mut magazine = Magazine::<Lock, R, C, 8>::new(&pool);
        let mut other = Magazine::<Lock, R, C, 8>::new(&pool);
        let page = magazine.alloc_pages(0).unwrap();
        magazine.put_page(page).unwrap();
        assert_eq!((magazine.pages(), pool.free_pages()), (4, 60));
        let before = pool.check().unwrap();
        assert_eq!(before.allocated_pages, 4);
        let held = Err(PageError::Held);
        for pfn in (0..4).map(Pfn::new) {
            assert_eq!(pool.page_count(pfn), Ok(1));
            assert_eq!(
                [pool.get_page(pfn), pool.put_page(pfn), pool.split_page(pfn), pool.try_get_page(pfn)],
                [held; 4]
            );
            assert_eq!([owner.adopt(pfn), owner.put_page(pfn), other.put_page(pfn)], [held; 3]);
            // A put too many, by way of the magazine that has it.
            assert_eq!(magazine.put_page(pfn), held);
            assert_eq!(pool.adopt(pfn).unwrap_err(), PageError::Held);
            assert_eq!(pool.put_bulk(&[pfn]).unwrap_err().error, PageError::Held);
        }
        assert_eq!((pool.check().unwrap(), magazine.pages(), other.pages()), (before, 4, 0));
        magazine.drain();
        assert_eq!((magazine.pages(), pool.check().unwrap().free_pages), (0, 64));
        // The one put too many is found after that, too.
        assert_eq!(magazine.put_page(page), Err(PageError::Free));
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

#[test]
fn what_is_not_the_callers_is_refused() {
    let table = vacant_table(64);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 64, 0).unwrap();
    let mut owner = pool.owner().unwrap();
    let mut magazine = Magazine::<Lock>::new(&pool);
    let block = pool.alloc_pages(2).unwrap();
    let handle = pool.alloc(0).unwrap();
    let owned = owner.alloc_pages(0).unwrap();
    let before = pool.check().unwrap();
    let cases = [
        (Pfn::new(block.get() + 1), PageError::Tail),
        (Pfn::new(63), PageError::Free),
        (Pfn::new(64), PageError::OutOfRange),
        (handle.pfn(), PageError::Held),
        (owned, PageError::Held),
    ];
    for (pfn, error) in cases {
        assert_eq!(magazine.put_page(pfn), Err(error));
    }
    assert_eq!(magazine.alloc_pages(11), Err(AllocError::OrderTooLarge));
    assert_eq!((pool.check().unwrap(), magazine.pages()), (before, 0));
}

#[test]
fn shared_and_large_blocks_are_the_pools() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(64);
        let pool = pool_over::<R, C>(&table, 0, 64, 0).unwrap();
        let mut magazine = Magazine::<Lock, R, C>::new(&pool);
        let page = pool.alloc_pages(0).unwrap();
        pool.get_page(page).unwrap();
        assert_eq!((magazine.put_page(page), pool.page_count(page), magazine.pages()), (Ok(()), Ok(1), 0));
        assert_eq!((magazine.put_page(page), magazine.pages()), (Ok(()), 1));
        magazine.drain();
        for order in 4..=5 {
            let block = magazine.alloc_pages(order).unwrap();
            assert_eq!((magazine.pages(), pool.free_pages()), (0, 64 - (1 << order)));
            magazine.put_page(block).unwrap();
            assert_eq!((magazine.pages(), pool.free_pages()), (0, 64));
        }
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// It holds what it says, and not a page more; dropping it gives back everything.
#[test]
fn a_magazine_holds_so_much() {
    fn on<C: Coalesce>() {
        let table = vacant_table(512);
        let pool = pool_over::<Atomic, C>(&table, 0, 512, 0).unwrap();
        let mut magazine = Magazine::<Lock, Atomic, C, 8>::new(&pool);
        for (order, limit) in [(0, 8), (1, 4), (2, 2), (3, 2)] {
            let blocks: Vec<_> = (0..20).map(|_| pool.alloc_pages(order).unwrap()).collect();
            let before = magazine.pages();
            for block in blocks {
                magazine.put_page(block).unwrap();
                assert!(magazine.pages() - before <= limit << order);
                assert_eq!(pool.check().unwrap().free_pages, pool.free_pages());
            }
            assert!(magazine.pages() > before);
        }
        assert_eq!(magazine.pages(), 5 * 8, "five times what it holds of order 0");
        drop(magazine);
        assert_eq!(pool.check().unwrap().free_pages, 512);
    }
    on::<Eager>();
    on::<Deferred>();
}

/// With everything in the magazine, every order that could be served is.
#[test]
fn out_of_memory_empties_the_magazine_first() {
    for order in 0..=6 {
        let table = vacant_table(64);
        let pool = pool_over::<Atomic, Deferred>(&table, 0, 64, 0).unwrap();
        let mut magazine = Magazine::<Lock, Atomic, Deferred, 64>::new(&pool);
        let pages: Vec<_> = (0..64).map(|_| pool.alloc_pages(0).unwrap()).collect();
        pages.into_iter().for_each(|page| magazine.put_page(page).unwrap());
        assert_eq!((magazine.pages(), pool.free_pages()), (64, 0));
        assert_eq!(pool.alloc_pages(order), Err(AllocError::OutOfMemory));
        let block = magazine.alloc_pages(order).unwrap();
        assert_eq!(
            pool.check().unwrap().allocated_blocks[usize::from(order)],
            1 + magazine.racks().nth(usize::from(order)).map_or(0, <[_]>::len)
        );
        assert_eq!(magazine.alloc_pages(6).ok(), None);
        magazine.put_page(block).unwrap();
        magazine.drain();
        assert_eq!(pool.check().unwrap().free_pages, 64);
    }
}

/// A page that two magazines were given, as only a race can do, is handed out by the first and left alone by the other.
#[test]
fn a_page_lost_to_misuse_is_left_alone() {
    let table = vacant_table(8);
    let pool = pool_over::<Atomic, Eager>(&table, 0, 8, 0).unwrap();
    let mut magazine = Magazine::<Lock, Atomic, Eager, 8>::new(&pool);
    let pages: Vec<_> = (0..8).map(|_| pool.alloc_pages(0).unwrap()).collect();
    pages.iter().for_each(|&page| magazine.put_page(page).unwrap());
    // What a last put by number that had looked before would have done to two of them.
    for page in [pages[3], pages[7]] {
        let frames = pool.frames();
        let (index, frame) = frames.find(page).unwrap();
        pool.free_own(index, frame, crate::Order::ZERO);
    }
    let got: HashSet<_> = (0..6).map(|_| magazine.alloc_pages(0).unwrap().get()).collect();
    assert!(got.len() == 6 && !got.contains(&pages[3].get()) && !got.contains(&pages[7].get()));
    pool.check().unwrap();
    magazine.drain();
    assert_eq!(pool.check().unwrap().free_pages, 2);
    // And when its turn comes in a flush.
    got.into_iter().for_each(|page| magazine.put_page(Pfn::new(page)).unwrap());
    let (index, frame) = pool.frames().find(pages[0]).unwrap();
    pool.free_own(index, frame, crate::Order::ZERO);
    magazine.drain();
    assert_eq!(pool.check().unwrap().free_pages, 8);
}

type Cpus<'p, const CPUS: usize> = PerCpu<'p, Lock, Lock, CPUS, Atomic, Deferred, 8>;

#[test]
fn a_cpu_out_of_range_goes_to_the_pool() {
    let table = vacant_table(16);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 16, 0).unwrap();
    let cpus = Cpus::<2>::new(&pool);
    for cpu in [2, usize::MAX] {
        let page = cpus.alloc_pages(cpu, 0).unwrap();
        assert_eq!((cpus.pages(), pool.free_pages()), (0, 15));
        cpus.put_page(cpu, page).unwrap();
        assert_eq!((cpus.put_page(cpu, page), cpus.pages(), pool.free_pages()), (Err(PageError::Free), 0, 16));
        cpus.drain(cpu);
    }
}

#[test]
fn each_cpu_has_its_own_and_they_are_drained() {
    let table = vacant_table(64);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 64, 0).unwrap();
    let cpus = Cpus::<3>::new(&pool);
    let pages: Vec<_> = (0..3).map(|cpu| cpus.alloc_pages(cpu, 0).unwrap()).collect();
    assert_eq!((cpus.pages(), pool.free_pages()), (9, 64 - 12));
    // Put on another one than it was taken on.
    pages.iter().enumerate().for_each(|(cpu, &page)| cpus.put_page((cpu + 1) % 3, page).unwrap());
    assert_eq!(cpus.put_page(0, pages[0]), Err(PageError::Held));
    assert_eq!(cpus.pages(), 12);
    cpus.drain(1);
    assert_eq!((cpus.pages(), pool.free_pages()), (8, 56));
    cpus.drain_all();
    assert_eq!((cpus.pages(), pool.check().unwrap().free_pages), (0, 64));
    cpus.alloc_pages(0, 0).unwrap();
    drop(cpus);
    assert_eq!(pool.free_pages(), 63);
}

#[test]
fn a_cpu_that_runs_short_has_what_the_others_keep() {
    let table = vacant_table(16);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 16, 0).unwrap();
    let cpus = Cpus::<2>::new(&pool);
    let pages: Vec<_> = (0..16).map(|_| pool.alloc_pages(0).unwrap()).collect();
    pages[..8].iter().for_each(|&page| cpus.put_page(0, page).unwrap());
    pages[8..].iter().for_each(|&page| cpus.put_page(1, page).unwrap());
    assert_eq!((cpus.pages(), pool.alloc_pages(0)), (16, Err(AllocError::OutOfMemory)));
    let all = cpus.alloc_pages(1, 4).unwrap();
    assert_eq!((all, cpus.pages(), cpus.alloc_pages(0, 0)), (Pfn::new(0), 0, Err(AllocError::OutOfMemory)));
    cpus.put_page(0, all).unwrap();
    assert_eq!(cpus.alloc_pages(0, 11), Err(AllocError::OrderTooLarge));
    assert_eq!(pool.check().unwrap().free_pages, 16);
}

/// The magazine of a CPU that is in the middle of a call, as its interrupt handler finds it, is left alone; nobody waits.
#[test]
fn a_magazine_that_is_taken_sends_its_callers_to_the_pool() {
    let table = vacant_table(16);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 16, 0).unwrap();
    let taken = Lock::INIT;
    let _ = taken.lock();
    let cpus = Cpus::<2>::with_locks(&pool, [taken, Lock::INIT]);
    let page = cpus.alloc_pages(0, 0).unwrap();
    assert_eq!(pool.free_pages(), 15);
    cpus.put_page(0, page).unwrap();
    assert_eq!((pool.page_count(page), pool.free_pages()), (Err(PageError::Free), 16));
    // One that is taken keeps nobody from emptying the others.
    let page = cpus.alloc_pages(1, 0).unwrap();
    assert_eq!((pool.free_pages(), cpus.alloc_pages(0, 4)), (12, Err(AllocError::OutOfMemory)));
    assert_eq!(pool.free_pages(), 15);
    cpus.put_page(1, page).unwrap();
    assert_eq!((pool.free_pages(), cpus.alloc_pages(0, 4)), (15, Ok(Pfn::new(0))));
}

/// Threads on magazines of their own and of each other, with somebody who drains them: nothing is lost, and nothing is
/// two threads' at a time.
#[test]
fn a_storm_on_magazines_loses_nothing() {
    const LEN: usize = 96;
    let table = vacant_table(LEN);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, LEN, 0).unwrap();
    let before = pool.check().unwrap();
    let cpus = Cpus::<3>::new(&pool);
    let owner: Vec<_> = (0..LEN).map(|_| AtomicUsize::new(0)).collect();
    let stamp = |pfn: Pfn, order: u8, from: usize, to: usize| {
        for frame in &owner[pfn.get()..][..1 << order] {
            assert_eq!(frame.swap(to, Ordering::Relaxed), from, "two owners");
        }
    };
    thread::scope(|scope| {
        for me in 1..=3 {
            let (cpus, pool, stamp) = (&cpus, &pool, &stamp);
            scope.spawn(move || {
                let mut rng = (me as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let mut mine: Vec<(Pfn, u8)> = Vec::new();
                for round in 0..ROUNDS {
                    rng ^= rng << 13;
                    rng ^= rng >> 7;
                    rng ^= rng << 17;
                    // Now and then on another CPU, as a thread that was moved.
                    let cpu = if rng & 0xf0 == 0 { me % 3 } else { me - 1 };
                    match rng & 7 {
                        0..=3 if mine.len() < 24 => {
                            let order = (rng >> 8) as u8 % 5;
                            if let Ok(pfn) = cpus.alloc_pages(cpu, order) {
                                stamp(pfn, order, 0, me);
                                mine.push((pfn, order));
                            }
                        }
                        7 if round % 16 == 0 => cpus.drain((rng >> 8) as usize % 4),
                        _ if !mine.is_empty() => {
                            let (pfn, order) = mine.swap_remove((rng >> 8) as usize % mine.len());
                            if rng & 8 == 0 {
                                pool.get_page(pfn).unwrap();
                                cpus.put_page(cpu, pfn).unwrap();
                            }
                            stamp(pfn, order, me, 0);
                            cpus.put_page(cpu, pfn).unwrap();
                        }
                        _ => {}
                    }
                }
                for (pfn, order) in mine {
                    stamp(pfn, order, me, 0);
                    cpus.put_page(me - 1, pfn).unwrap();
                }
            });
        }
    });
    pool.check().unwrap();
    cpus.drain_all();
    pool.coalesce();
    assert_eq!(pool.check().unwrap(), before);
}

/// Pages put twice and gotten by who has none, in a race: errors here and there, and the invariants hold.
#[test]
fn misuse_of_magazines_in_a_race_breaks_nothing() {
    let table = vacant_table(32);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 32, 0).unwrap();
    let cpus = Cpus::<3>::new(&pool);
    thread::scope(|scope| {
        for me in 0..3 {
            let (cpus, pool) = (&cpus, &pool);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let pfn = Pfn::new((round * 7 + me) % 34);
                    let _ = match round % 6 {
                        0 | 1 => cpus.alloc_pages(me, (round % 3) as u8).map(drop).map_err(|_| PageError::Free),
                        2 => pool.put_page(pfn),
                        3 => pool.try_get_page(pfn),
                        4 => pool.put_bulk(&[pfn]).map_err(|e| e.error),
                        _ => cpus.put_page(me, pfn),
                    };
                }
            });
        }
    });
    pool.check().unwrap();
    cpus.drain_all();
    pool.check().unwrap();
}
