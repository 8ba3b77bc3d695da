//! Handles count for themselves, and nobody counts behind their back.

use super::{pool_over, vacant_table};
use crate::{Atomic, Coalesce, Deferred, Eager, Merged, PageError, RefcountPath};
use std::vec::Vec;

/// On both paths, and under both policies.
fn on_all(tests: [fn(); 4]) {
    tests.into_iter().for_each(|test| test());
}

#[test]
fn clone_gets_and_drop_puts() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(16);
        let pool = pool_over::<R, C>(&table, 0, 16, 0).unwrap();
        let block = pool.alloc(2).unwrap();
        let other = block.clone();
        assert_eq!((block.order(), block.nr_pages(), block.count(), other.count()), (2, 4, 2, 2));
        drop(block);
        assert_eq!((other.count(), pool.free_pages()), (1, 12));
        drop(other);
        assert_eq!(pool.free_blocks()[4], 1);
        pool.check().unwrap();
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Merged, Deferred>, on::<Atomic, Deferred>]);
}

#[test]
fn calls_by_number_are_refused() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(4);
        let pool = pool_over::<R, C>(&table, 0, 4, 0).unwrap();
        let page = pool.alloc(0).unwrap();
        assert_eq!(pool.put_page(page.pfn()), Err(PageError::Held));
        assert_eq!(pool.get_page(page.pfn()), Err(PageError::Held));
        assert_eq!(pool.split_page(page.pfn()), Err(PageError::Held));
        assert_eq!(pool.adopt(page.pfn()).unwrap_err(), PageError::Held);
        assert_eq!(pool.page_count(page.pfn()), Ok(1));
        assert_eq!(page.count(), 1);
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Merged, Deferred>, on::<Atomic, Deferred>]);
}

#[test]
fn a_reference_changes_hands_only_alone() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(4);
        let pool = pool_over::<R, C>(&table, 0, 4, 0).unwrap();
        let page = pool.alloc(1).unwrap();
        let other = page.clone();
        let page = page.into_raw().unwrap_err();
        drop(other);
        let pfn = page.into_raw().unwrap();
        pool.get_page(pfn).unwrap();
        assert_eq!(pool.adopt(pfn).unwrap_err(), PageError::Shared);
        pool.put_page(pfn).unwrap();
        let page = pool.adopt(pfn).unwrap();
        assert_eq!((page.order(), page.count()), (1, 1));
        drop(page);
        assert_eq!(pool.adopt(pfn).unwrap_err(), PageError::Free);
        assert_eq!(pool.check().unwrap().free_pages, 4);
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Merged, Deferred>, on::<Atomic, Deferred>]);
}

#[test]
fn a_block_splits_into_pages_that_live_on_their_own() {
    fn on<R: RefcountPath, C: Coalesce>() {
        let table = vacant_table(16);
        let pool = pool_over::<R, C>(&table, 0, 16, 0).unwrap();
        let block = pool.alloc(3).unwrap();
        let shared = block.clone();
        let block = block.split().unwrap_err();
        drop(shared);
        let mut pages = block.split().unwrap();
        assert_eq!(pages.len(), 8);
        let first: Vec<_> = pages.by_ref().take(3).collect();
        assert!(first.iter().enumerate().all(|(i, page)| page.pfn().get() == i && page.order() == 0));
        drop(pages); // the other five
        assert_eq!(pool.check().unwrap().allocated_pages, 3);
        drop(first);
        assert_eq!(pool.free_blocks()[4], 1);
        pool.check().unwrap();
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Merged, Deferred>, on::<Atomic, Deferred>]);
}

#[test]
fn a_forgotten_handle_keeps_its_block() {
    let table = vacant_table(2);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 2, 0).unwrap();
    core::mem::forget(pool.alloc(0).unwrap());
    assert_eq!(pool.check().unwrap().allocated_pages, 1);
}
