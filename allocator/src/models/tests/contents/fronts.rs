//! The same by way of magazines and handles, and what must be caught: whoever asks first whether they are alone, and
//! then puts as if they were not.

use super::*;
use crate::{Magazine, PerCpu};

type Mag = Magazine<'static, ModelLock, Atomic, Eager, 8>;
type Cpus = PerCpu<'static, ModelLock, 1, ModelLock, Atomic, Eager, 8>;
type Handle = PageRef<'static, ModelLock, Atomic, Eager>;

fn scrubbing<F>(front: F, memory: &Arc<Page>) -> Erasing<F, Arc<Page>> {
    Erasing::new(front, memory.clone(), When::ScrubOnPut)
}

/// Whoever gets the page from the pool finds it clear.
fn no_secret(pool: &'static Pool, memory: &Page) {
    if let Ok(page) = pool.alloc_pages(0) {
        assert_eq!(memory.get(), 0, "a secret was handed on");
        pool.put_page(page).unwrap();
    }
}

/// Two owners put the page at the same time, each by a magazine of its own; one of them has written a secret.
fn two_owners_put(put: fn(&'static Pool, &Arc<Page>, Pfn)) {
    let pool = forever();
    let memory = Arc::new(Page(UnsafeCell::new(SECRET)));
    let page = pool.alloc_pages(0).unwrap();
    pool.get_page(page).unwrap();
    let other = thread::spawn({
        let memory = memory.clone();
        move || put(pool, &memory, page)
    });
    put(pool, &memory, page);
    other.join().unwrap();
    pool.check().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((pool.free_pages(), memory.get()), (1, 0), "a secret got free");
}

#[test]
fn the_last_of_two_scrubs_into_its_magazine() {
    loom::model(|| {
        two_owners_put(|pool, memory, page| scrubbing(Mag::new(pool), memory).put_page(page).unwrap());
    });
}

/// "Somebody else has it too: then I need not clear it", by the time that it is put, may be wrong.
fn clear_if_alone(pool: &'static Pool, memory: &Arc<Page>, page: Pfn, put: impl FnOnce(Pfn)) {
    match pool.adopt(page) {
        Ok(handle) => scrubbing(pool, memory).put(handle).unwrap(),
        Err(PageError::Shared) => put(page),
        Err(e) => panic!("{e}"),
    }
}

#[test]
#[should_panic(expected = "a secret got free")]
fn caught_a_put_by_number_after_the_question() {
    loom::model(|| {
        two_owners_put(|pool, memory, page| {
            clear_if_alone(pool, memory, page, |page| pool.put_page(page).unwrap());
        });
    });
}

#[test]
#[should_panic(expected = "a secret got free")]
fn caught_a_put_into_a_magazine_after_the_question() {
    loom::model(|| {
        two_owners_put(|pool, memory, page| {
            clear_if_alone(pool, memory, page, |page| Mag::new(pool).put_page(page).unwrap());
        });
    });
}

/// Two handles are put at the same time.
fn two_handles_are_put(put: fn(&'static Pool, &Arc<Page>, Handle)) {
    let pool = forever();
    let memory = Arc::new(Page(UnsafeCell::new(SECRET)));
    let mine = pool.alloc(0).unwrap();
    let theirs = mine.clone();
    let other = thread::spawn({
        let memory = memory.clone();
        move || put(pool, &memory, theirs)
    });
    put(pool, &memory, mine);
    no_secret(pool, &memory);
    other.join().unwrap();
    pool.check().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((pool.free_pages(), memory.get()), (1, 0), "a secret got free");
}

#[test]
fn the_last_of_two_handles_scrubs() {
    loom::model(|| two_handles_are_put(|pool, memory, handle| scrubbing(pool, memory).put(handle).unwrap()));
}

/// `Arc::try_unwrap`, and a drop if that fails.
#[test]
#[should_panic(expected = "a secret")]
fn caught_a_handle_dropped_after_the_question() {
    loom::model(|| {
        two_handles_are_put(|pool, memory, handle| match handle.into_raw() {
            Ok(page) => scrubbing(pool, memory).put_page(page).unwrap(),
            Err(handle) => drop(handle),
        });
    });
}

/// One owner has written to the page and put it, and that is known; the other one clears it into a magazine, for the next.
fn scrubbed_into_a_magazine() {
    let pool = forever();
    let memory = Arc::new(Page(UnsafeCell::new(0)));
    let page = pool.alloc_pages(0).unwrap();
    pool.get_page(page).unwrap();
    let other = thread::spawn({
        let memory = memory.clone();
        move || {
            memory.set(SECRET);
            pool.put_page(page).unwrap();
        }
    });
    while pool.page_count(page) == Ok(2) {
        thread::yield_now();
    }
    let mut magazine = scrubbing(Mag::new(pool), &memory);
    magazine.put_page(page).unwrap();
    assert_eq!((magazine.alloc_pages(0), memory.get()), (Ok(page), 0));
    other.join().unwrap();
}

#[test]
fn a_scrub_into_a_magazine_comes_after_the_others() {
    loom::model(scrubbed_into_a_magazine);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_a_scrub_into_a_magazine_without_acquire() {
    with_weakened(Access::Sole, scrubbed_into_a_magazine);
}

/// The page goes through a magazine, scrubbed, and from there by way of the pool to somebody else.
fn through_a_magazine(put: fn(&mut Mag, &Arc<Page>, Pfn)) {
    let pool = forever();
    let memory = Arc::new(Page(UnsafeCell::new(SECRET)));
    let page = pool.alloc_pages(0).unwrap();
    let other = thread::spawn({
        let memory = memory.clone();
        move || {
            let mut magazine = Mag::new(pool);
            put(&mut magazine, &memory, page);
        }
    });
    pool.check().unwrap_or_else(|e| panic!("{e}"));
    no_secret(pool, &memory);
    other.join().unwrap();
    assert_eq!(pool.free_pages(), 1);
}

#[test]
fn a_page_out_of_a_magazine_is_clear() {
    loom::model(|| {
        through_a_magazine(|magazine, memory, page| {
            let mine = core::mem::replace(magazine, Mag::new(magazine.pool()));
            scrubbing(mine, memory).put_page(page).unwrap();
        });
    });
}

/// Into the magazine first, and cleared then: it is full, say, and gives the page away meanwhile.
#[test]
#[should_panic(expected = "Causality violation")]
fn caught_a_page_cleared_after_it_is_in_the_magazine() {
    loom::model(|| {
        through_a_magazine(|magazine, memory, page| {
            magazine.put_page(page).unwrap();
            magazine.drain();
            memory.set(0);
        });
    });
}

/// A CPU scrubs a page into its magazine, while somebody drains that, and allocates: it is clear, wherever it comes from.
#[test]
fn a_page_out_of_a_cpus_magazine_is_clear() {
    loom::model(|| {
        let pool = forever();
        let cpus: &'static Cpus = Box::leak(Box::new(PerCpu::with_locks(pool, [ModelLock(AtomicBool::new(false))])));
        let memory = Arc::new(Page(UnsafeCell::new(SECRET)));
        let page = pool.alloc_pages(0).unwrap();
        let other = thread::spawn({
            let memory = memory.clone();
            move || scrubbing(cpus, &memory).put_page(0, page).unwrap()
        });
        if let Ok(page) = cpus.alloc_pages(0, 0) {
            assert_eq!(memory.get(), 0, "a secret was handed on");
            pool.put_page(page).unwrap();
        }
        other.join().unwrap();
        cpus.drain(0);
        pool.check().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(pool.free_pages(), 1);
    });
}

/// A page that is cleared on its way out of a magazine is nobody else's meanwhile.
#[test]
fn a_page_out_of_a_magazine_is_clear_before_it_is_anybodys() {
    loom::model(|| {
        let pool = forever();
        let memory = Arc::new(Page(UnsafeCell::new(SECRET)));
        let mut magazine = Erasing::new(Mag::new(pool), memory.clone(), When::ZeroOnAlloc);
        let page = pool.alloc_pages(0).unwrap();
        magazine.put_page(page).unwrap();
        let other = thread::spawn(move || pool.get_page(page));
        assert_eq!((magazine.alloc_pages(0), memory.get()), (Ok(page), 0));
        let got = other.join().unwrap();
        assert!(matches!(got, Ok(()) | Err(PageError::Held)), "{got:?}");
        assert_eq!(pool.page_count(page), Ok(1 + u32::from(got.is_ok())));
        pool.check().unwrap_or_else(|e| panic!("{e}"));
    });
}

/// Two put the same pages in bulk, a reference each: each page is cleared once, by the last.
#[test]
fn two_tear_down_what_they_share() {
    loom::model(|| {
        two_owners_put(|pool, memory, page| scrubbing(pool, memory).put_bulk(&[page]).unwrap());
    });
}
