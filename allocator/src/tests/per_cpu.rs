//! A magazine for each CPU: each has its own, whoever finds one taken goes to the pool, and who runs short has them all.

use super::{Lock, pool_over, vacant_table};
use crate::{AllocError, Atomic, Deferred, PageError, PerCpu, Pfn};
use lock_api::RawMutex as _;
use std::vec::Vec;

type Cpus<'p, const CPUS: usize> = PerCpu<'p, Lock, CPUS, Lock, Atomic, Deferred, 8>;

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

/// With the right order it is a put; with a wrong one it is refused and nothing has changed, whether the magazine is
/// free, full or taken, or there is none.
#[test]
fn whoever_names_the_order_is_held_to_it() {
    let table = vacant_table(64);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 64, 0).unwrap();
    let taken = Lock::INIT;
    let _ = taken.lock();
    let cpus = Cpus::<2>::with_locks(&pool, [Lock::INIT, taken]);
    for order in 0..=5 {
        for cpu in 0..3 {
            let block = pool.alloc_pages(order).unwrap();
            let free = pool.free_pages();
            for wrong in (0..=12).chain([255]).filter(|&wrong| wrong != order) {
                assert_eq!(cpus.put_page_of(cpu, block, wrong), Err(PageError::WrongOrder));
                assert_eq!(cpus.put_page_of(cpu, Pfn::new(64), wrong), Err(PageError::OutOfRange));
            }
            assert_eq!((pool.page_count(block), pool.free_pages()), (Ok(1), free));
            cpus.put_page_of(cpu, block, order).unwrap();
            let kept = cpu == 0 && order < 4;
            assert_eq!(pool.free_pages(), if kept { free } else { free + (1 << order) });
            let again = if kept { PageError::Held } else { PageError::Free };
            assert_eq!(cpus.put_page_of(cpu, block, order), Err(again));
            // One that is shared is a reference less, wherever.
            cpus.drain(0);
            let block = pool.alloc_pages(order).unwrap();
            pool.get_page(block).unwrap();
            assert_eq!((cpus.put_page_of(cpu, block, order), pool.page_count(block)), (Ok(()), Ok(1)));
            pool.put_page(block).unwrap();
            assert_eq!(pool.free_pages(), 64);
        }
    }
    let pages: Vec<_> = (0..9).map(|_| pool.alloc_pages(0).unwrap()).collect();
    pages[..8].iter().for_each(|&page| cpus.put_page_of(0, page, 0).unwrap());
    assert_eq!((cpus.put_page_of(0, pages[8], 1), pool.free_pages()), (Err(PageError::WrongOrder), 64 - 9));
    assert_eq!((cpus.put_page_of(0, pages[8], 0), pool.free_pages()), (Ok(()), 64 - 5));
    cpus.drain(0);
    // Dropping needs no lock.
    assert_eq!(pool.check().unwrap().free_pages, 64);
}
