//! An owner counts alone: everybody else is refused its blocks, and it is refused theirs.

use super::{pool_over, vacant_table};
use crate::word::{Allocated, Holder, Index};
use crate::{
    AllocError, Atomic, BulkError, Coalesce, Deferred, Eager, HypPool, MAX_COUNT, MAX_POOL_OWNERS, Merged, Owner,
    PageError, Pfn, PfnRange, RefcountPath,
};
use std::vec::Vec;

fn on_all(tests: [fn(); 3]) {
    tests.into_iter().for_each(|test| test());
}

#[test]
fn nobody_else_counts_an_owners_blocks() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(16);
        let pool = pool_over::<R, C>(&table, 0, 16, 0).unwrap();
        let (mut a, mut b) = (pool.owner().unwrap(), pool.owner().unwrap());
        let block = a.alloc_pages(1).unwrap();
        let before = pool.check().unwrap();
        let held = Err(PageError::Held);
        assert_eq!([pool.get_page(block), pool.put_page(block), pool.split_page(block)], [held; 3]);
        assert_eq!([pool.get_page_n(block, 0), pool.put_page_n(block, 7)], [held; 2]);
        assert_eq!(pool.adopt(block).unwrap_err(), PageError::Held);
        assert_eq!([b.get_page(block), b.put_page(block), b.adopt(block), b.release(block)], [held; 4]);
        assert_eq!(b.page_count(block), Err(PageError::Held));
        // Its own, once more, is no block by number either.
        assert_eq!(a.adopt(block), held);
        assert_eq!((pool.page_count(block), a.page_count(block)), (Ok(1), Ok(1)));
        assert_eq!(pool.check().unwrap(), before);
        a.put_page(block).unwrap();
        assert_eq!(a.put_page(block), Err(PageError::Free));
        assert_eq!(pool.check().unwrap().free_pages, 16);
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>]);
}

#[test]
fn an_owner_is_refused_everything_that_is_not_its_own() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(16);
        let pool = pool_over::<R, C>(&table, 4, 16, 0).unwrap();
        let mut owner = pool.owner().unwrap();
        let by_number = pool.alloc_pages(1).unwrap();
        let handle = pool.alloc(0).unwrap();
        let tail = Pfn::new(by_number.get() + 1);
        let before = pool.check().unwrap();
        let cases = [
            (by_number, PageError::Held),
            (handle.pfn(), PageError::Held),
            (tail, PageError::Tail),
            (Pfn::new(19), PageError::Free),
            (Pfn::new(3), PageError::OutOfRange),
            (Pfn::new(20), PageError::OutOfRange),
        ];
        for (pfn, expected) in cases {
            assert_eq!(owner.get_page(pfn), Err(expected));
            assert_eq!(owner.put_page(pfn), Err(expected));
            assert_eq!(owner.release(pfn), Err(expected));
            assert_eq!(owner.page_count(pfn), Err(expected));
            if pfn != by_number {
                assert_eq!(owner.adopt(pfn), Err(expected));
            }
        }
        pool.get_page(by_number).unwrap();
        assert_eq!(owner.adopt(by_number), Err(PageError::Shared));
        pool.put_page(by_number).unwrap();
        assert_eq!(pool.check().unwrap(), before);
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>]);
}

#[test]
fn a_block_goes_to_an_owner_and_back_with_its_only_reference() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(16);
        let pool = pool_over::<R, C>(&table, 0, 16, 0).unwrap();
        let (mut a, mut b) = (pool.owner().unwrap(), pool.owner().unwrap());
        let block = pool.alloc_pages(2).unwrap();
        a.adopt(block).unwrap();
        a.get_page_n(block, 3).unwrap();
        assert_eq!((a.page_count(block), a.release(block)), (Ok(4), Err(PageError::Shared)));
        a.put_page_n(block, 3).unwrap();
        a.release(block).unwrap();
        b.adopt(block).unwrap();
        b.release(block).unwrap();
        let handle = pool.adopt(block).unwrap();
        assert_eq!(handle.order(), 2);
        drop(handle);
        assert_eq!(pool.free_blocks()[4], 1);
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>]);
}

#[test]
fn counts_of_an_owner_stay_within_their_bounds() {
    let table = vacant_table(2);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 2, 0).unwrap();
    let mut owner = pool.owner().unwrap();
    let page = owner.alloc_pages(0).unwrap();
    owner.get_page_n(page, MAX_COUNT - 1).unwrap();
    assert_eq!(
        (owner.get_page(page), owner.get_page_n(page, u32::MAX)),
        (Err(PageError::Overflow), Err(PageError::Overflow))
    );
    assert_eq!(owner.get_page_n(page, 0), Ok(()));
    assert_eq!(owner.put_page_n(page, MAX_COUNT + 1), Err(PageError::Underflow));
    assert_eq!((owner.put_page_n(page, 0), owner.page_count(page)), (Ok(()), Ok(MAX_COUNT)));
    owner.put_page_n(page, MAX_COUNT).unwrap();
    assert_eq!((owner.put_page_n(page, 0), pool.free_pages()), (Err(PageError::Free), 2));
}

#[test]
fn there_are_so_many_owners_and_an_id_is_used_again() {
    let table = vacant_table(512);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 512, 0).unwrap();
    let mut owners: Vec<_> = (0..MAX_POOL_OWNERS).map(|_| pool.owner().unwrap()).collect();
    assert!(pool.owner().is_none());
    // No two of them take each other's blocks.
    let pages: Vec<_> = owners.iter_mut().map(|owner| owner.alloc_pages(0).unwrap()).collect();
    for (o, owner) in owners.iter_mut().enumerate() {
        for (p, &page) in pages.iter().enumerate() {
            assert_eq!(owner.get_page(page), if o == p { Ok(()) } else { Err(PageError::Held) });
        }
    }
    // One goes, with nothing left; the next one is the only one that may have its id.
    for gone in [0, 31, 32, MAX_POOL_OWNERS / 2, MAX_POOL_OWNERS - 1] {
        let mut last = owners.remove(gone);
        last.put_page_n(pages[gone], 2).unwrap();
        drop(last);
        let mut next = pool.owner().unwrap();
        assert!(pool.owner().is_none());
        assert_eq!(next.get_page(pages[gone]), Err(PageError::Free));
        // The block freed last.
        assert_eq!(next.alloc_pages(0), Ok(pages[gone]));
        next.get_page(pages[gone]).unwrap();
        assert_eq!(owners.iter_mut().filter_map(|other| other.get_page(pages[gone]).ok()).count(), 0);
        owners.insert(gone, next);
    }
    for (owner, &page) in owners.iter_mut().zip(&pages) {
        owner.put_page_n(page, 2).unwrap();
    }
    drop(owners);
    assert_eq!((pool.check().unwrap().free_pages, pool.free_pages()), (512, 512));
    // All of them are gone: as many may come.
    let again: Vec<_> = (0..MAX_POOL_OWNERS).map(|_| pool.owner().unwrap()).collect();
    assert!(pool.owner().is_none());
    drop(again);
}

/// Blocks in a magazine, and blocks that are being cleared, are nobody's but whose they are.
#[test]
fn holders_without_calls_are_left_alone() {
    let table = vacant_table(2);
    let pool = pool_over::<Atomic, Eager>(&table, 0, 2, 1).unwrap();
    let mut owner = pool.owner().unwrap();
    let page = Pfn::new(0);
    for holder in [Holder::Magazine, Holder::Scrub] {
        pool.table().frames().frame(Index::new(0)).set_allocated(Allocated::new(crate::Order::ZERO, holder));
        assert_eq!([pool.get_page(page), pool.put_page(page), pool.split_page(page)], [Err(PageError::Held); 3]);
        assert_eq!([owner.get_page(page), owner.put_page(page), owner.adopt(page)], [Err(PageError::Held); 3]);
        assert_eq!(pool.check().unwrap().allocated_pages, 1);
    }
}

/// What an owner leaves behind is nobody's, for good, and its id with it.
#[test]
fn an_owner_that_goes_with_blocks_takes_its_id() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(MAX_POOL_OWNERS + 2);
        let pool = pool_over::<R, C>(&table, 0, MAX_POOL_OWNERS + 2, 0).unwrap();
        let mut left = Vec::new();
        while let Some(mut owner) = pool.owner() {
            assert!(left.iter().all(|&page| owner.put_page(page) == Err(PageError::Held)));
            left.push(owner.alloc_pages(0).unwrap());
        }
        assert_eq!(left.len(), MAX_POOL_OWNERS);
        let held = Err(PageError::Held);
        for &page in &left {
            assert_eq!([pool.get_page(page), pool.put_page(page), pool.split_page(page)], [held; 3]);
            assert_eq!((pool.adopt(page).map(drop), pool.page_count(page)), (held, Ok(1)));
            assert_eq!(pool.put_bulk(&[page]), Err(BulkError { index: 0, error: PageError::Held }));
        }
        let census = pool.check().unwrap();
        assert_eq!((census.allocated_pages, census.free_pages), (MAX_POOL_OWNERS, 2));
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>]);
}

/// Through every call that brings an owner a block, or takes one, and through those that are refused.
#[test]
fn blocks_are_counted() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(32);
        let pool = pool_over::<R, C>(&table, 0, 32, 0).unwrap();
        let mut owner = pool.owner().unwrap();
        assert_eq!(owner.blocks(), 0);
        let block = owner.alloc_pages(2).unwrap();
        owner.get_page(block).unwrap();
        owner.alloc_pages(11).unwrap_err();
        owner.alloc_pages(5).unwrap_err();
        assert_eq!(owner.blocks(), 1);
        let adopted = pool.alloc_pages(1).unwrap();
        owner.adopt(adopted).unwrap();
        owner.adopt(adopted).unwrap_err();
        assert_eq!(owner.blocks(), 2);
        owner.split_page(block).unwrap_err(); // shared
        owner.release(block).unwrap_err();
        owner.put_page(block).unwrap(); // not the last
        owner.put_page_n(block, 2).unwrap_err();
        assert_eq!(owner.blocks(), 2);
        owner.split_page(block).unwrap();
        assert_eq!(owner.blocks(), 5);
        owner.split_page(block).unwrap();
        owner.release(adopted).unwrap();
        owner.release(adopted).unwrap_err();
        assert_eq!(owner.blocks(), 4);
        owner.put_page(block).unwrap();
        owner.put_page(block).unwrap_err();
        owner.put_page_n(Pfn::new(block.get() + 1), 1).unwrap();
        assert_eq!(owner.blocks(), 2);
        let rest = [2, 3].map(|n| Pfn::new(block.get() + n));
        owner.put_bulk(&rest).unwrap();
        assert_eq!(owner.blocks(), 0);
        drop(owner);
        // It had nothing left: its id is there for another.
        let again: Vec<_> = (0..MAX_POOL_OWNERS).map_while(|_| pool.owner()).collect();
        assert_eq!(again.len(), MAX_POOL_OWNERS);
        pool.put_page(adopted).unwrap();
        assert_eq!(pool.check().unwrap().free_pages, 32);
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>]);
}

#[test]
fn the_pages_of_a_block_that_is_split_are_the_owners() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(16);
        let pool = pool_over::<R, C>(&table, 0, 16, 0).unwrap();
        let (mut owner, mut other) = (pool.owner().unwrap(), pool.owner().unwrap());
        let block = owner.alloc_pages(3).unwrap();
        let by_number = pool.alloc_pages(1).unwrap();
        let before = pool.check().unwrap();
        let cases = [
            (Pfn::new(block.get() + 1), PageError::Tail),
            (by_number, PageError::Held),
            (Pfn::new(15), PageError::Free),
            (Pfn::new(16), PageError::OutOfRange),
        ];
        for (pfn, error) in cases {
            assert_eq!(owner.split_page(pfn), Err(error));
        }
        assert_eq!(other.split_page(block), Err(PageError::Held));
        owner.get_page(block).unwrap();
        assert_eq!(owner.split_page(block), Err(PageError::Shared));
        owner.put_page(block).unwrap();
        assert_eq!(pool.check().unwrap(), before);
        owner.split_page(block).unwrap();
        for page in (0..8).map(|n| Pfn::new(block.get() + n)) {
            assert_eq!((owner.page_count(page), pool.put_page(page)), (Ok(1), Err(PageError::Held)));
            owner.get_page(page).unwrap();
            owner.put_page_n(page, 2).unwrap();
        }
        pool.put_page(by_number).unwrap();
        pool.coalesce();
        assert_eq!((owner.blocks(), pool.free_blocks()[4]), (0, 1));
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>]);
}

/// An owner that is there before the range is: refused until then, and told the same as the pool from then on.
#[test]
fn an_owner_may_come_before_the_range() {
    type Early<'p> = Owner<'p, super::Lock>;
    let gains: [fn(&mut Early<'_>) -> Pfn; 3] = [
        |owner| owner.alloc_pages(0).unwrap(),
        |owner| {
            let mut out = [Pfn::new(0)];
            assert_eq!(owner.alloc_bulk(0, &mut out), Ok(1));
            out[0]
        },
        |owner| {
            owner.adopt(Pfn::new(3)).unwrap();
            Pfn::new(3)
        },
    ];
    for gain in gains {
        let table = vacant_table(16);
        let pool = HypPool::<super::Lock>::new(&table);
        let mut owner = pool.owner().unwrap();
        assert_eq!(owner.alloc_pages(0), Err(AllocError::OutOfMemory));
        assert_eq!(owner.alloc_bulk(0, &mut [Pfn::new(0)]), Err(AllocError::OutOfMemory));
        for got in [owner.get_page(Pfn::new(3)), owner.adopt(Pfn::new(3)), owner.split_page(Pfn::new(3))] {
            assert_eq!(got, Err(PageError::OutOfRange));
        }
        // It has one id, and so has each of all others that there may be.
        let others: Vec<_> = (0..2 * MAX_POOL_OWNERS).map_while(|_| pool.owner()).collect();
        assert_eq!(others.len(), MAX_POOL_OWNERS - 1);
        pool.init(PfnRange::new(Pfn::new(3), 16), 1).unwrap();
        for (pfn, error) in [(3, PageError::Held), (4, PageError::Free), (2, PageError::OutOfRange)] {
            let pfn = Pfn::new(pfn);
            assert_eq!([owner.get_page(pfn), owner.put_page(pfn), owner.release(pfn)], [Err(error); 3]);
        }
        let page = gain(&mut owner);
        assert_eq!((owner.get_page(page), owner.page_count(page), owner.blocks()), (Ok(()), Ok(2), 1));
        owner.put_page_n(page, 2).unwrap();
    }
}
