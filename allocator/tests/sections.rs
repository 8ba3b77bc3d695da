//! How often the lock is taken, and so how much is done in one critical section: by a lock that counts.

#![cfg(not(any(loom, miri)))] // one thread: nothing for them to find

use std::cell::Cell;

use hyp_pool::{Atomic, BULK, HypPool, Magazine, Pfn, PfnRange, TableWord, table_words};
use lock_api::{GuardSend, RawMutex};

const FRAMES: usize = 1024;
const WORDS: usize = table_words(FRAMES);

thread_local! {
    static SECTIONS: Cell<usize> = const { Cell::new(0) };
}

/// `parking_lot`'s, counted.
struct Counting(parking_lot::RawMutex);

// SAFETY: `parking_lot`'s operations, one for one.
unsafe impl RawMutex for Counting {
    const INIT: Self = Self(parking_lot::RawMutex::INIT);

    type Guard = GuardSend;

    fn lock(&self) -> GuardSend {
        SECTIONS.set(SECTIONS.get() + 1);
        RawMutex::lock(&self.0);
        GuardSend::new()
    }

    fn try_lock(&self) -> Option<GuardSend> {
        unreachable!("the pool waits")
    }

    unsafe fn unlock(&self, _: GuardSend) {
        // SAFETY: the caller's promise, passed on; its guard has no state.
        unsafe { RawMutex::unlock(&self.0, Default::default()) };
    }

    fn is_locked(&self) -> bool {
        RawMutex::is_locked(&self.0)
    }
}

type Pool<'t> = HypPool<'t, Counting, Atomic>;

fn pool(table: &[TableWord]) -> Pool<'_> {
    HypPool::with_table(table, PfnRange::new(Pfn::new(0), FRAMES), 0).unwrap()
}

/// How many sections `call` has.
fn sections<T>(call: impl FnOnce() -> T) -> (usize, T) {
    let before = SECTIONS.get();
    let result = call();
    (SECTIONS.get() - before, result)
}

#[test]
fn bulk_calls_do_no_more_in_a_section_than_they_say() {
    let table = [const { TableWord::VACANT }; WORDS];
    let pool = pool(&table);
    for blocks in [1, BULK - 1, BULK, BULK + 1, 3 * BULK, 100] {
        let mut pages = vec![Pfn::new(0); blocks];
        let expected = blocks.div_ceil(BULK);
        assert_eq!(sections(|| pool.alloc_bulk(0, &mut pages).unwrap()), (expected, blocks));
        pages.iter().for_each(|&page| pool.get_page(page).unwrap());
        assert_eq!(sections(|| pool.put_bulk(&pages).unwrap()).0, 0, "none of them is the last");
        assert_eq!(sections(|| pool.put_bulk(&pages).unwrap()).0, expected);

        let mut owner = pool.owner().unwrap();
        assert_eq!(sections(|| owner.alloc_bulk(0, &mut pages).unwrap()), (expected, blocks));
        assert_eq!(sections(|| owner.put_bulk(&pages).unwrap()).0, expected);
    }
    assert_eq!(pool.check().unwrap().free_pages, FRAMES);
}

#[test]
fn a_magazine_does_no_more_in_a_section_than_it_says() {
    let table = [const { TableWord::VACANT }; WORDS];
    let pool = pool(&table);
    let mut magazine: Magazine<'_, _, _, _, 64> = Magazine::new(&pool);
    let pages: Vec<_> = (0..64).map(|_| pool.alloc_pages(0).unwrap()).collect();
    assert_eq!(sections(|| pages.iter().for_each(|&page| magazine.put_page(page).unwrap())).0, 0);
    assert_eq!(magazine.pages(), 64);
    let one_more = pool.alloc_pages(0).unwrap();
    assert_eq!(sections(|| magazine.put_page(one_more).unwrap()).0, 1, "it makes room");
    let held = magazine.pages();
    assert!(held >= 64 - BULK, "by no more than {BULK}: {held} are left");
    assert_eq!(sections(|| magazine.drain()).0, held.div_ceil(BULK));
    assert_eq!(pool.free_pages(), FRAMES);
    // And fills itself with as many at most.
    assert_eq!(sections(|| magazine.alloc_pages(0).unwrap()).0, 1);
    assert!(magazine.pages() < BULK);
}

#[test]
fn a_single_call_is_one_section_or_none() {
    let table = [const { TableWord::VACANT }; WORDS];
    let pool = pool(&table);
    for order in 0..=hyp_pool::MAX_ORDER {
        let (alloc, block) = sections(|| pool.alloc_pages(order).unwrap());
        let (counts, ()) = sections(|| {
            pool.get_page_n(block, 2).unwrap();
            pool.put_page_n(block, 2).unwrap();
            pool.page_count(block).map(drop).unwrap();
        });
        assert_eq!((alloc, counts, sections(|| pool.put_page(block).unwrap()).0), (1, 0, 1), "order {order}");
    }
}
