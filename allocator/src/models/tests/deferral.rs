//! Blocks that are freed and not merged yet, and the merges that are made up for later.
//!
//! What a merge asks of a block is whether it is in the bits of a chunk, or on a list, and never what its word says: a block on its way from one
//! place to the next, seen by nobody but the holder of the lock, is merged with by nobody. So the bug of lazy buddy
//! systems whose words say "free, of order n" – a drain that merges with the very block that is being freed – has
//! nothing to read here; what is left of it is a block that is nowhere, or in two places, outside the lock.

use super::*;
use crate::free_area::FreeAreas;

/// What a put does when the ring of order 0 is full, in some way.
type Put = fn(&Pool<Deferred<1>>, Pfn);

fn put(pool: &Pool<Deferred<1>>, page: Pfn) {
    pool.put_page(page).unwrap();
}

/// A put that puts another block out of the ring, while somebody looks, or needs all there is.
fn a_put_that_evicts(put: Put, meanwhile: fn(&Pool<Deferred<1>>)) {
    let pool = pool_of::<Deferred<1>>(2);
    let (a, b) = (pool.alloc_pages(0).unwrap(), pool.alloc_pages(0).unwrap());
    pool.put_page(a).unwrap();
    assert_eq!(pool.check().unwrap().unmerged_blocks, 1);
    let other = thread::spawn({
        let pool = pool.clone();
        move || put(&pool, b)
    });
    meanwhile(&pool);
    other.join().unwrap();
    pool.check().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(pool.free_blocks()[1], 1);
}

fn look(pool: &Pool<Deferred<1>>) {
    let census = pool.check().unwrap_or_else(|e| panic!("{e}"));
    assert!(matches!(census.free_pages, 1 | 2));
}

fn take_and_put_one(pool: &Pool<Deferred<1>>) {
    let page = pool.alloc_pages(0).unwrap_or_else(|e| panic!("one page is free all the time: {e}"));
    pool.put_page(page).unwrap();
}

fn take_and_put_both(pool: &Pool<Deferred<1>>) {
    match pool.alloc_pages(1) {
        Ok(block) => pool.put_page(block).unwrap(),
        // The other page is not free yet; which is not to be seen from here, but by the end of the model.
        Err(e) => assert_eq!(e, AllocError::OutOfMemory),
    }
}

#[test]
fn a_put_that_evicts_is_one_critical_section() {
    loom::model(|| a_put_that_evicts(put, look));
    loom::model(|| a_put_that_evicts(put, take_and_put_one));
    loom::model(|| a_put_that_evicts(put, take_and_put_both));
}

/// The oldest block leaves its ring, and is coalesced in a critical section of its own.
fn put_that_merges_later(pool: &Pool<Deferred<1>>, page: Pfn) {
    let (index, word) = head(pool, page);
    let table = pool.table();
    let mut areas = pool.areas.0.lock();
    table.frames().frame(index).set_silent();
    let evicted = areas.oldest(word.order());
    areas.keep(index, word.order());
    drop(areas);
    if let Some(evicted) = evicted {
        pool.areas.0.lock().free(|| table, evicted, word.order());
    }
}

#[test]
#[should_panic(expected = "does not hold")]
fn caught_an_eviction_merged_later() {
    loom::model(|| a_put_that_evicts(put_that_merges_later, look));
}

/// The block is listed first, and gives up its last reference after: an allocation may have it by then.
fn put_that_lists_first(pool: &Pool<Deferred<1>>, page: Pfn) {
    let (index, word) = head(pool, page);
    let table = pool.table();
    pool.areas.0.lock().free(|| table, index, word.order());
    table.frames().frame(index).set_silent();
}

#[test]
#[should_panic(expected = "does not hold")]
fn caught_a_block_listed_before_its_last_reference_goes() {
    loom::model(|| a_put_that_evicts(put_that_lists_first, look));
}

/// And so it is handed out twice, which no look under the lock is needed for.
#[test]
#[should_panic(expected = "handed out twice")]
fn caught_a_block_listed_before_by_who_gets_it() {
    loom::model(|| {
        let pool = pool_of::<Deferred<1>>(1);
        let page = pool.alloc_pages(0).unwrap();
        let other = thread::spawn({
            let pool = pool.clone();
            move || put_that_lists_first(&pool, page)
        });
        let mine = pool.alloc_pages(0);
        other.join().unwrap();
        if let Ok(mine) = mine {
            assert_eq!(pool.page_count(mine), Ok(1), "handed out twice, or to be");
        }
    });
}

/// A put that changes the chunks without the lock.
fn put_without_the_lock(pool: &Pool, page: Pfn) {
    let (index, word) = head(pool, page);
    let table = pool.table();
    table.frames().frame(index).set_silent();
    // The same words; ends of lists that nobody else sees.
    let mut areas = FreeAreas::<Eager>::EMPTY;
    areas.free(|| table, index, word.order());
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_chunks_changed_without_the_lock() {
    loom::model(|| {
        let pool = pool(4);
        let (a, b) = (pool.alloc_pages(0).unwrap(), pool.alloc_pages(0).unwrap());
        let other = thread::spawn({
            let pool = pool.clone();
            move || put_without_the_lock(&pool, b)
        });
        pool.put_page(a).unwrap();
        other.join().unwrap();
    });
}

/// And one that only looks.
#[test]
#[should_panic(expected = "Causality violation")]
fn caught_chunks_read_without_the_lock() {
    loom::model(|| {
        let pool = pool(2);
        let page = pool.alloc_pages(1).unwrap();
        let other = thread::spawn({
            let pool = pool.clone();
            move || pool.put_page(page).unwrap()
        });
        let table = pool.table();
        let _ = table.chunks().at(0).free();
        other.join().unwrap();
    });
}

/// Somebody needs all four pages while the last one is put: refused, or served, and served in the end.
#[test]
fn a_large_allocation_merges_what_is_kept() {
    loom::model(|| {
        let pool = pool_of::<Deferred<1>>(4);
        let page = pool.alloc_pages(0).unwrap();
        let other = thread::spawn({
            let pool = pool.clone();
            move || pool.put_page(page).unwrap()
        });
        let all = pool.alloc_pages(2);
        other.join().unwrap();
        pool.check().unwrap_or_else(|e| panic!("{e}"));
        match all {
            Ok(block) => assert_eq!((block, pool.free_pages()), (Pfn::new(0), 0)),
            Err(e) => assert_eq!((e, pool.alloc_pages(2)), (AllocError::OutOfMemory, Ok(Pfn::new(0)))),
        }
    });
}

/// Two threads that take and put a page each, with one ring between them.
#[test]
fn a_ring_serves_two() {
    fn take_and_put(pool: &Pool<Deferred<1>>, contents: &[Contents; 2]) {
        let page = pool.alloc_pages(0).unwrap();
        contents[page.get()].touch();
        pool.put_page(page).unwrap();
    }
    loom::model(|| {
        let pool = pool_of::<Deferred<1>>(2);
        let contents = Arc::new([0, 0].map(|n| Contents(UnsafeCell::new(n))));
        let other = thread::spawn({
            let (pool, contents) = (pool.clone(), contents.clone());
            move || take_and_put(&pool, &contents)
        });
        take_and_put(&pool, &contents);
        other.join().unwrap();
        pool.check().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(pool.free_blocks()[1], 1);
    });
}
