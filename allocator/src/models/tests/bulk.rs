//! Many puts in one critical section: what another sees while it lasts, and what may happen to the blocks named in it.

use super::*;
use crate::bulk::BULK;
use crate::error::BulkError;
use crate::run::Run;
use crate::word::Holder;

/// Puts two buddies, one call for both, while somebody with the lock looks: a block of the list is owned or free.
fn an_observer_of_a_bulk_put<C: Coalesce>(put: fn(&Pool<C>, [Pfn; 2])) {
    let pool = pool_of::<C>(2);
    let pages = [pool.alloc_pages(0).unwrap(), pool.alloc_pages(0).unwrap()];
    let other = thread::spawn({
        let pool = pool.clone();
        move || put(&pool, pages)
    });
    let free = pool.check().unwrap_or_else(|e| panic!("{e}")).free_pages;
    assert!(free == 0 || free == 2, "one critical section, or {free} of the two pages");
    other.join().unwrap();
    assert_eq!(pool.check().unwrap().free_pages, 2);
}

fn put_both<C: Coalesce>(pool: &Pool<C>, pages: [Pfn; 2]) {
    pool.put_bulk(&pages).unwrap();
}

/// The last references go in one critical section, and the blocks are attached in the next.
fn put_and_attach_later<C: Coalesce>(pool: &Pool<C>, pages: [Pfn; 2]) {
    let mut run = Run::EMPTY;
    let mut areas = pool.areas.0.lock();
    for page in pages {
        let (index, frame) = pool.find(page).unwrap();
        let word = pool.put_locked(page, frame, Holder::Number, 1).unwrap().unwrap();
        run.push(index, word.order(), pool.table(), &mut areas);
    }
    drop(areas);
    run.attach(pool.table(), &mut pool.areas.0.lock());
}

#[test]
fn an_observer_sees_each_block_of_a_list_owned_or_free() {
    loom::model(|| an_observer_of_a_bulk_put::<Eager>(put_both));
    loom::model(|| an_observer_of_a_bulk_put::<Deferred<1>>(put_both));
}

#[test]
#[should_panic(expected = "does not hold")]
fn caught_a_run_attached_in_the_next_critical_section() {
    loom::model(|| an_observer_of_a_bulk_put::<Eager>(put_and_attach_later));
}

/// Somebody gets a block that stands in the list behind one whose last reference goes, so that the lock is held when
/// its turn comes. `references` to it there are before.
fn a_get_behind_the_first_last_one(put: fn(&Pool, &[Pfn]) -> Result<(), BulkError>, references: u32) {
    let pool = pool(2);
    let (first, behind) = (pool.alloc_pages(0).unwrap(), pool.alloc_pages(0).unwrap());
    pool.get_page_n(behind, references - 1).unwrap();
    let other = thread::spawn({
        let pool = pool.clone();
        move || pool.get_page(behind)
    });
    put(&pool, &[first, behind]).unwrap();
    let got = other.join().unwrap();
    pool.check().unwrap_or_else(|e| panic!("{e}"));
    let left = references - 1 + u32::from(got.is_ok());
    let expected = if left > 0 { Ok(left) } else { Err(PageError::Free) };
    assert_eq!(pool.page_count(behind), expected, "a reference that was granted is gone");
}

/// Counts by stores once the lock is held, as one may if nobody counts without it. By exchanges: see
/// `races::put_that_does_not_compare`.
fn put_bulk_by_stores(pool: &Pool, pages: &[Pfn]) -> Result<(), BulkError> {
    assert!(pages.len() <= BULK);
    let mut areas = pool.areas.0.lock();
    for &page in pages {
        let (index, frame) = pool.find(page).unwrap();
        let word = allocated(pool.frames(), page, frame).unwrap();
        match word.less(1) {
            Some(less) => while !frame.exchange(allocated(pool.frames(), page, frame).unwrap(), less, Access::Put) {},
            None => {
                while !frame.release(allocated(pool.frames(), page, frame).unwrap()) {}
                areas.free(|| pool.table(), index, word.order());
            }
        }
    }
    Ok(())
}

#[test]
fn who_gets_a_block_of_a_list_comes_first_or_is_refused() {
    loom::model(|| a_get_behind_the_first_last_one(Pool::put_bulk, 1));
    loom::model(|| a_get_behind_the_first_last_one(Pool::put_bulk, 2));
}

#[test]
#[should_panic(expected = "a reference that was granted is gone")]
fn caught_a_last_one_of_a_list_that_is_stored() {
    loom::model(|| a_get_behind_the_first_last_one(put_bulk_by_stores, 1));
}

#[test]
#[should_panic(expected = "a reference that was granted is gone")]
fn caught_one_of_a_list_that_is_stored() {
    loom::model(|| a_get_behind_the_first_last_one(put_bulk_by_stores, 2));
}

/// Two lists of the same two blocks, in opposite orders, by two who own both: each block is freed by whoever puts it
/// last, and the next owner comes after both.
fn two_lists_of_the_same_blocks() {
    let pool = pool(2);
    let pages = [pool.alloc_pages(0).unwrap(), pool.alloc_pages(0).unwrap()];
    let contents = Arc::new([Contents(UnsafeCell::new(0)), Contents(UnsafeCell::new(0))]);
    for page in pages {
        pool.get_page(page).unwrap();
    }
    let other = thread::spawn({
        let (pool, contents) = (pool.clone(), contents.clone());
        move || {
            contents[0].touch();
            pool.put_bulk(&pages).unwrap();
        }
    });
    contents[1].touch();
    pool.put_bulk(&[pages[1], pages[0]]).unwrap();
    if let Ok(page) = pool.alloc_pages(0) {
        contents[page.get()].touch();
        pool.put_page(page).unwrap();
    }
    other.join().unwrap();
    assert_eq!(pool.check().unwrap_or_else(|e| panic!("{e}")).free_pages, 2);
}

#[test]
fn blocks_of_two_lists_are_handed_on_with_all_that_was_done_to_them() {
    loom::model(two_lists_of_the_same_blocks);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_put_of_a_list_without_release() {
    with_weakened(Access::Put, two_lists_of_the_same_blocks);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_last_put_of_a_list_without_acquire() {
    with_weakened(Access::LastPut, two_lists_of_the_same_blocks);
}
