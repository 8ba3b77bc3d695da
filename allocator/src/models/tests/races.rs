//! Misuse that races a legal call: it may succeed or be refused, and the invariants hold either way. A table that one
//! pool leaves to the next, and a pool that gets its range.

use super::*;

/// Two puts of one reference: one of them is a put too many. What the final put must notice, once it has the lock.
fn two_puts_of_the_last_reference(put: fn(&Pool, Pfn) -> Result<(), PageError>) {
    let pool = pool(2);
    let page = pool.alloc_pages(0).unwrap();
    let other = thread::spawn({
        let pool = pool.clone();
        move || put(&pool, page)
    });
    let mine = put(&pool, page);
    let theirs = other.join().unwrap();
    let census = pool.check().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(census.free_pages, 2);
    assert!(matches!((mine, theirs), (Ok(()), Err(PageError::Free)) | (Err(PageError::Free), Ok(()))));
}

fn put(pool: &Pool, page: Pfn) -> Result<(), PageError> {
    pool.put_page(page)
}

/// The final put that looks at the word before it takes the lock, and not again.
fn put_without_looking_again(pool: &Pool, page: Pfn) -> Result<(), PageError> {
    let frames = pool.frames();
    let (index, frame) = frames.find(page)?;
    let word = allocated(frames, page, frame)?;
    assert_eq!(word.count(), 1, "no model has two references here");
    let mut areas = pool.areas.0.lock();
    frame.set_silent();
    areas.free(|| pool.table(), index, word.order());
    Ok(())
}

#[test]
fn a_put_too_many_is_refused() {
    loom::model(|| two_puts_of_the_last_reference(put));
    loom::model(|| two_puts_of_the_last_reference(put_bulk));
}

fn put_bulk(pool: &Pool, page: Pfn) -> Result<(), PageError> {
    pool.put_bulk(&[page]).map_err(|e| e.error)
}

#[test]
#[should_panic(expected = "does not hold")]
fn caught_two_puts_without_looking_again() {
    loom::model(|| two_puts_of_the_last_reference(put_without_looking_again));
}

/// Somebody without a reference wants one while the last one is put: either that came first, and the block stays, or it
/// is refused.
fn a_get_too_late(get: fn(&Pool, Pfn) -> Result<(), PageError>, put: fn(&Pool, Pfn) -> Result<(), PageError>) {
    let pool = pool(2);
    let page = pool.alloc_pages(0).unwrap();
    let other = thread::spawn({
        let pool = pool.clone();
        move || get(&pool, page)
    });
    put(&pool, page).unwrap();
    let got = other.join().unwrap();
    pool.check().unwrap_or_else(|e| panic!("{e}"));
    let expected = if got.is_ok() { Ok(1) } else { Err(PageError::Free) };
    assert_eq!(pool.page_count(page), expected, "a reference that was granted is gone");
}

#[test]
fn who_tries_to_get_comes_first_or_is_refused() {
    loom::model(|| a_get_too_late(|pool, page| pool.try_get_page(page), put));
    loom::model(|| a_get_too_late(|pool, page| pool.try_get_page(page), put_bulk));
}

/// A get that has no business there: the lock is what makes the other one sound.
#[test]
#[should_panic(expected = "a reference that was granted is gone")]
fn caught_a_try_without_the_lock() {
    with_stores_in_order(|| a_get_too_late(|pool, page| pool.get_page(page), put));
}

/// And breaks nothing else: the reference is lost, and the invariants hold.
#[test]
fn a_get_against_the_rules_breaks_nothing() {
    with_stores_in_order(|| {
        let pool = pool(2);
        let page = pool.alloc_pages(0).unwrap();
        let other = thread::spawn({
            let pool = pool.clone();
            move || pool.get_page(page)
        });
        pool.put_page(page).unwrap();
        pool.check().unwrap_or_else(|e| panic!("{e}"));
        let got = other.join().unwrap();
        assert!(matches!(got, Ok(()) | Err(PageError::Free)), "{got:?}");
        pool.check().unwrap_or_else(|e| panic!("{e}"));
        assert!(matches!((pool.page_count(page), got), (Ok(1), Ok(())) | (Err(PageError::Free), _)));
    });
}

/// Whoever learns of a block from its word alone comes after what those have done who let it go.
fn a_try_comes_after_what_was_done() {
    let pool = pool(1);
    let contents = Arc::new(Contents(UnsafeCell::new(0)));
    let page = pool.alloc_pages(0).unwrap();
    pool.get_page(page).unwrap();
    let other = thread::spawn({
        let (pool, contents) = (pool.clone(), contents.clone());
        move || {
            contents.touch();
            pool.put_page(page).unwrap();
        }
    });
    while pool.page_count(page) == Ok(2) {
        thread::yield_now();
    }
    pool.try_get_page(page).unwrap();
    contents.touch();
    other.join().unwrap();
}

#[test]
fn who_tries_to_get_comes_after_the_others() {
    loom::model(a_try_comes_after_what_was_done);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_a_try_without_acquire() {
    with_weakened(Access::TryGet, a_try_comes_after_what_was_done);
}

/// A get without a reference against a split and an adoption, which need the only one.
#[test]
fn who_is_alone_is_alone_or_refused() {
    loom::model(|| {
        let pool = pool(2);
        let block = pool.alloc_pages(1).unwrap();
        let other = thread::spawn({
            let pool = pool.clone();
            move || pool.get_page(block)
        });
        let split = pool.split_page(block);
        assert!(matches!(split, Ok(()) | Err(PageError::Shared)));
        other.join().unwrap().unwrap();
        pool.check().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(pool.page_count(block), Ok(2));
    });
    loom::model(|| {
        let pool = pool(1);
        let page = pool.alloc_pages(0).unwrap();
        let other = thread::spawn({
            let pool = pool.clone();
            move || pool.get_page(page)
        });
        let adopted = pool.adopt(page).map(core::mem::forget);
        let got = other.join().unwrap();
        assert!(matches!((adopted, got), (Ok(()), Err(PageError::Held)) | (Err(PageError::Shared), Ok(()))));
        pool.check().unwrap_or_else(|e| panic!("{e}"));
    });
}

/// References counted under the lock, by two at once.
#[test]
fn merged_counts_lose_nothing() {
    loom::model(|| {
        let range = PfnRange::new(Pfn::new(0), 2);
        let pool: HypPool<'static, _, Merged, Eager> =
            HypPool::with_lock(ModelLock(AtomicBool::new(false)), table(2), range, 0).unwrap();
        let pool = Arc::new(pool);
        let page = pool.alloc_pages(0).unwrap();
        let other = thread::spawn({
            let pool = pool.clone();
            move || pool.get_page(page).unwrap()
        });
        pool.get_page(page).unwrap();
        other.join().unwrap();
        assert_eq!(pool.page_count(page), Ok(3));
        pool.check().unwrap();
    });
}

/// A pool is dropped while somebody tries to make the next one over its table.
fn a_table_is_handed_on() {
    let frames = table(1);
    let range = PfnRange::new(Pfn::new(0), 1);
    let contents = Arc::new(Contents(UnsafeCell::new(0)));
    let make = move || Pool::<Eager>::with_lock(ModelLock(AtomicBool::new(false)), frames, range, 0);
    let first = make().unwrap();
    let other = thread::spawn({
        let contents = contents.clone();
        move || {
            contents.touch();
            drop(first);
        }
    });
    if let Ok(_second) = make() {
        contents.touch();
    }
    other.join().unwrap();
}

#[test]
fn the_next_pool_over_a_table_comes_after_the_last() {
    loom::model(a_table_is_handed_on);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_vacate_without_release() {
    with_weakened(Access::Vacate, a_table_is_handed_on);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_claim_without_acquire() {
    with_weakened(Access::Claim, a_table_is_handed_on);
}

/// A pool gets its range while somebody calls it: refused, or served with the right base.
fn init_against_calls() {
    let lock = ModelLock(AtomicBool::new(false));
    let pool: Arc<Pool> = Arc::new(HypPool::vacant(lock, table(1)));
    let other = thread::spawn({
        let pool = pool.clone();
        move || pool.init(PfnRange::new(Pfn::new(7), 1), 1).unwrap()
    });
    assert_eq!(pool.get_page(Pfn::new(0)), Err(PageError::OutOfRange), "seen half made: frame 7 taken for frame 0");
    let seven = pool.get_page(Pfn::new(7));
    assert!(matches!(seven, Ok(()) | Err(PageError::OutOfRange)), "seen half made: {seven:?}");
    other.join().unwrap();
}

#[test]
fn a_call_during_init_is_refused_or_right() {
    loom::model(init_against_calls);
}

#[test]
#[should_panic(expected = "seen half made")]
fn caught_init_without_release() {
    with_weakened(Access::Publish, init_against_calls);
}

#[test]
#[should_panic(expected = "seen half made")]
fn caught_init_seen_without_acquire() {
    with_weakened(Access::Observe, init_against_calls);
}
