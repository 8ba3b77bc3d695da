//! Blocks that are cleared, by their only owner and without the lock.

mod fronts;

use super::*;
use crate::{Contents as When, Erasable, Erasing, PhysMap};

const SECRET: u32 = 7;

/// The memory of one page, watched by loom.
struct Page(UnsafeCell<u32>);

impl Page {
    fn get(&self) -> u32 {
        // SAFETY: none is needed but loom's, as in `Contents`.
        self.0.with(|p| unsafe { *p })
    }

    fn set(&self, to: u32) {
        // SAFETY: as in `get`.
        self.0.with_mut(|p| unsafe { *p = to });
    }
}

impl PhysMap for Arc<Page> {
    fn zero(&self, _: Erasable<'_>) {
        self.set(0);
    }
}

fn forever() -> &'static Pool {
    let range = PfnRange::new(Pfn::new(0), 1);
    Box::leak(Box::new(HypPool::with_lock(ModelLock(AtomicBool::new(false)), table(1), range, 0).unwrap()))
}

/// Somebody lets go of a page with a secret in it, by `put`; whoever gets it next finds none.
fn a_secret_is_put(put: fn(&'static Pool, &Arc<Page>, Pfn)) {
    let pool = forever();
    let memory = Arc::new(Page(UnsafeCell::new(0)));
    let page = pool.alloc_pages(0).unwrap();
    memory.set(SECRET);
    let other = thread::spawn({
        let memory = memory.clone();
        move || put(pool, &memory, page)
    });
    pool.check().unwrap_or_else(|e| panic!("{e}"));
    if let Ok(page) = pool.alloc_pages(0) {
        assert_eq!(memory.get(), 0, "a secret was handed on");
        pool.put_page(page).unwrap();
    }
    other.join().unwrap();
    pool.check().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(pool.free_pages(), 1);
}

#[test]
fn a_page_is_clear_before_it_is_free() {
    loom::model(|| {
        a_secret_is_put(|pool, memory, page| {
            Erasing::new(pool, memory.clone(), When::ScrubOnPut).put_page(page).unwrap();
        });
    });
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_a_page_cleared_after_it_is_free() {
    loom::model(|| {
        a_secret_is_put(|pool, memory, page| {
            pool.put_page(page).unwrap();
            memory.set(0);
        });
    });
}

/// One of two owners scrubs, whichever is the last; the other one is done with the page.
fn two_owners_and_a_scrub() {
    let pool = forever();
    let memory = Arc::new(Page(UnsafeCell::new(0)));
    let page = pool.alloc_pages(0).unwrap();
    pool.get_page(page).unwrap();
    let put = move |memory: &Arc<Page>| Erasing::new(pool, memory.clone(), When::ScrubOnPut).put_page(page).unwrap();
    let other = thread::spawn({
        let memory = memory.clone();
        move || {
            memory.set(SECRET);
            put(&memory);
        }
    });
    put(&memory);
    if let Ok(page) = pool.alloc_pages(0) {
        assert_eq!(memory.get(), 0, "a secret was handed on");
        pool.put_page(page).unwrap();
    }
    other.join().unwrap();
    assert_eq!((pool.free_pages(), memory.get()), (1, 0));
}

#[test]
fn the_last_of_two_owners_scrubs() {
    loom::model(two_owners_and_a_scrub);
}

/// As above, where the other one's put is known not to have been the last.
fn the_last_owner_scrubs() {
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
    Erasing::new(pool, memory.clone(), When::ScrubOnPut).put_page(page).unwrap();
    other.join().unwrap();
    assert_eq!((pool.free_pages(), memory.get()), (1, 0));
}

#[test]
fn who_scrubs_comes_after_the_others() {
    loom::model(the_last_owner_scrubs);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_a_scrub_without_acquire() {
    with_weakened(Access::Sole, the_last_owner_scrubs);
}

/// The only reference is put twice, once with a scrub: one is refused, and the page is free once.
#[test]
fn a_put_too_many_of_a_page_that_is_scrubbed() {
    fn twice(put: fn(&'static Pool, &Arc<Page>, Pfn) -> Result<(), PageError>) {
        let pool = forever();
        let memory = Arc::new(Page(UnsafeCell::new(SECRET)));
        let page = pool.alloc_pages(0).unwrap();
        let other = thread::spawn({
            let memory = memory.clone();
            move || put(pool, &memory, page)
        });
        let mine = Erasing::new(pool, memory.clone(), When::ScrubOnPut).put_page(page);
        pool.check().unwrap_or_else(|e| panic!("{e}"));
        let theirs = other.join().unwrap();
        let refused = Err::<(), _>(PageError::Free);
        let held = Err(PageError::Held);
        assert!(
            matches!((mine, theirs), (Ok(()), e) | (e, Ok(())) if e == refused || e == held),
            "{mine:?}, {theirs:?}"
        );
        pool.check().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(pool.free_pages(), 1);
    }
    loom::model(|| twice(|pool, _, page| pool.put_page(page)));
    loom::model(|| {
        twice(|pool, memory, page| Erasing::new(pool, memory.clone(), When::ScrubOnPut).put_page(page));
    });
}

/// A page that is cleared on its way out of the pool is nobody else's meanwhile.
#[test]
fn a_page_is_clear_before_it_is_anybodys() {
    loom::model(|| {
        let pool = forever();
        let memory = Arc::new(Page(UnsafeCell::new(SECRET)));
        let other = thread::spawn(move || pool.get_page(Pfn::new(0)));
        let page = Erasing::new(pool, memory.clone(), When::ZeroOnAlloc).alloc_pages(0).unwrap();
        assert_eq!(memory.get(), 0);
        let got = other.join().unwrap();
        assert!(matches!(got, Ok(()) | Err(PageError::Free | PageError::Held)), "{got:?}");
        assert_eq!(pool.page_count(page), Ok(1 + u32::from(got.is_ok())));
        pool.check().unwrap_or_else(|e| panic!("{e}"));
    });
}
