//! Magazines: what one holds is allocated and nobody else's, and is given back when it is asked for, or needed.

use super::{Lock, pool_over, vacant_table};
use crate::magazine::Magazine;
use crate::{
    AllocError, Atomic, Coalesce, Deferred, Eager, HypPool, Merged, PageError, PerCpu, Pfn, PfnRange, RefcountPath,
};
use std::vec::Vec;

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
            assert_eq!(pool.page_count(pfn), Err(PageError::Held));
            assert_eq!([pool.get_page(pfn), pool.put_page(pfn), pool.split_page(pfn)], [held; 3]);
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

/// A magazine's number is in the words of its blocks, where a count would be: nobody takes it for one.
#[test]
fn a_block_in_any_magazine_has_no_count() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(64);
        let pool = pool_over::<R, C>(&table, 0, 64, 0).unwrap();
        let owner = pool.owner().unwrap();
        for _ in 0..3 {
            let mut magazine = Magazine::<Lock, R, C, 8>::new(&pool);
            for order in 0..=3 {
                let block = magazine.alloc_pages(order).unwrap();
                assert_eq!((magazine.put_page(block), pool.page_count(block)), (Ok(()), Err(PageError::Held)));
                assert_eq!(owner.page_count(block), Err(PageError::Held));
                assert_eq!(pool.put_page_n(block, 2), Err(PageError::Held));
            }
        }
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// Whoever names the wrong order is told so, whatever there is room for, and nothing has changed.
#[test]
fn a_block_of_another_order_is_refused() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(64);
        let pool = pool_over::<R, C>(&table, 0, 64, 0).unwrap();
        let mut magazine = Magazine::<Lock, R, C, 8>::new(&pool);
        for order in 0..=4 {
            for shared in [false, true] {
                let block = pool.alloc_pages(order).unwrap();
                pool.get_page_n(block, u32::from(shared)).unwrap();
                let before = (pool.check().unwrap(), pool.page_count(block), magazine.pages());
                for wrong in (0..=12).chain([255]).filter(|&wrong| wrong != order) {
                    assert_eq!(magazine.put_page_of(block, wrong), Err(PageError::WrongOrder));
                    let tail = if order == 0 { PageError::Free } else { PageError::Tail };
                    assert_eq!(magazine.put_page_of(Pfn::new(block.get() + 1), wrong), Err(tail));
                    assert_eq!(magazine.put_page_of(Pfn::new(64), wrong), Err(PageError::OutOfRange));
                }
                assert_eq!((pool.check().unwrap(), pool.page_count(block), magazine.pages()), before);
                for _ in 0..=u8::from(shared) {
                    magazine.put_page_of(block, order).unwrap();
                }
                assert_eq!(magazine.pages(), if order < 4 { 1 << order } else { 0 });
                magazine.drain();
                assert_eq!(pool.free_pages(), 64);
                assert_eq!(magazine.put_page_of(block, order), Err(PageError::Free));
            }
        }
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// A block goes into one magazine: the second is refused it as long as the first has it, and when it has given it back.
#[test]
fn a_block_is_in_one_magazine() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(16);
        let pool = pool_over::<R, C>(&table, 0, 16, 0).unwrap();
        let mut first = Magazine::<Lock, R, C, 8>::new(&pool);
        let mut second = Magazine::<Lock, R, C, 8>::new(&pool);
        let block = pool.alloc_pages(1).unwrap();
        // Both have their numbers, and room.
        for magazine in [&mut first, &mut second] {
            let page = magazine.alloc_pages(0).unwrap();
            magazine.put_page(page).unwrap();
            magazine.drain();
        }
        first.put_page_of(block, 1).unwrap();
        assert_eq!([second.put_page(block), second.put_page_of(block, 1)], [Err(PageError::Held); 2]);
        assert_eq!((first.pages(), second.pages(), second.alloc_pages(1).unwrap() == block), (2, 0, false));
        first.drain();
        // Handed out by the pool, it is whoever's it is now.
        assert_eq!([first.put_page_of(block, 1), second.put_page_of(block, 1)], [Err(PageError::Free); 2]);
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// A magazine may be made before its pool has a range, for a `static`.
#[test]
fn a_magazine_of_a_pool_without_a_range_has_nothing_yet() {
    let table = vacant_table(16);
    let pool = HypPool::<Lock>::new(&table);
    let mut magazine = Magazine::<Lock>::new(&pool);
    let cpus = PerCpu::<Lock, 1>::new(&pool);
    assert_eq!(
        (magazine.alloc_pages(0), cpus.alloc_pages(0, 0)),
        (Err(AllocError::OutOfMemory), Err(AllocError::OutOfMemory))
    );
    for pfn in [0, 3].map(Pfn::new) {
        let refused = Err(PageError::OutOfRange);
        assert_eq!([magazine.put_page(pfn), magazine.put_page_of(pfn, 0), cpus.put_page(0, pfn)], [refused; 3]);
    }
    pool.init(PfnRange::new(Pfn::new(3), 16), 1).unwrap();
    assert_eq!((magazine.put_page_of(Pfn::new(3), 0), magazine.pages()), (Ok(()), 1));
    assert_eq!(magazine.alloc_pages(0), Ok(Pfn::new(3)));
    drop(magazine);
    assert!(cpus.alloc_pages(0, 0).is_ok_and(|page| pool.range().contains(page)));
    pool.check().unwrap();
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

/// Who makes room gives the oldest back: the pages that were used last stay, and come first.
#[test]
fn a_full_magazine_gives_its_oldest_pages_back() {
    let table = vacant_table(64);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 64, 0).unwrap();
    let mut magazine: Magazine<'_, _, _, _, 8> = Magazine::new(&pool);
    let pages: Vec<_> = (0..9).map(|_| pool.alloc_pages(0).unwrap()).collect();
    pages.iter().for_each(|&page| magazine.put_page(page).unwrap());
    let held = magazine.pages();
    assert!(held < 9);
    let (oldest, newest) = pages.split_at(9 - held);
    for &page in oldest {
        assert_eq!(pool.page_count(page), Err(PageError::Free), "{page:?} is the pool's");
    }
    for &page in newest.iter().rev() {
        assert_eq!(magazine.alloc_pages(0), Ok(page), "the last one first");
    }
}
