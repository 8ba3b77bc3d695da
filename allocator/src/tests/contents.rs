//! What is in a block when it is handed out: cleared by who alone has it, when the policy says so, and without the lock.

use super::{Lock, pool_over, vacant_table};
use crate::{
    AllocError, Atomic, Coalesce, Contents, Deferred, Eager, Erasable, Erasing, HypPool, Merged, PageError, Pfn,
    RefcountPath,
};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::thread;
use std::vec;
use std::vec::Vec;

/// Tells what was cleared, and that the lock was free and the block nobody else's while it was.
struct Recorder<'p, R: RefcountPath, C: Coalesce> {
    pool: &'p HypPool<'p, Lock, R, C>,
    cleared: RefCell<Vec<(usize, usize)>>,
}

impl<R: RefcountPath, C: Coalesce> crate::PhysMap for &Recorder<'_, R, C> {
    fn zero(&self, block: Erasable<'_>) {
        assert!(self.pool.areas.0.try_lock().is_some(), "cleared with the lock held");
        // All that takes the lock may be called, or what follows would wait for ever.
        let census = self.pool.check().unwrap();
        assert_eq!(census.free_pages, self.pool.free_pages());
        let held = Err(PageError::Held);
        let pfn = block.pfn();
        assert_eq!([self.pool.get_page(pfn), self.pool.put_page(pfn), self.pool.try_get_page(pfn)], [held; 3]);
        assert_eq!((self.pool.split_page(pfn), self.pool.page_count(pfn)), (held, Ok(1)));
        self.cleared.borrow_mut().push((pfn.get(), block.nr_pages()));
    }
}

fn with<R: RefcountPath, C: Coalesce>(
    when: Contents,
    test: impl Fn(&Erasing<'_, &Recorder<'_, R, C>, Lock, R, C>, &dyn Fn() -> Vec<(usize, usize)>),
) {
    let table = vacant_table(64);
    let pool = pool_over::<R, C>(&table, 0, 64, 0).unwrap();
    let recorder = Recorder { pool: &pool, cleared: RefCell::new(vec![]) };
    let erasing = Erasing::new(&pool, &recorder, when);
    test(&erasing, &|| recorder.cleared.take());
    pool.coalesce();
    assert_eq!(pool.check().unwrap().free_pages, 64);
}

fn on_all(tests: [fn(); 4]) {
    tests.into_iter().for_each(|test| test());
}

#[test]
fn each_policy_clears_when_it_says() {
    fn on<R: RefcountPath, C: Coalesce>() {
        for order in [0, 2, 5] {
            let block = |pfn: Pfn| vec![(pfn.get(), 1 << order)];
            with::<R, C>(Contents::Keep, |erasing, cleared| {
                let pfn = erasing.alloc_pages(order).unwrap();
                erasing.put_page(pfn).unwrap();
                assert_eq!(cleared(), []);
            });
            with::<R, C>(Contents::ZeroOnAlloc, |erasing, cleared| {
                let pfn = erasing.alloc_pages(order).unwrap();
                assert_eq!(cleared(), block(pfn));
                // And is an allocated block like all others.
                erasing.pool().get_page(pfn).unwrap();
                erasing.put_page(pfn).unwrap();
                erasing.put_page(pfn).unwrap();
                assert_eq!(cleared(), []);
            });
            with::<R, C>(Contents::ScrubOnPut, |erasing, cleared| {
                let pfn = erasing.alloc_pages(order).unwrap();
                erasing.pool().get_page_n(pfn, 2).unwrap();
                erasing.put_page(pfn).unwrap();
                erasing.put_page(pfn).unwrap();
                assert_eq!((cleared(), erasing.pool().page_count(pfn)), (vec![], Ok(1)), "somebody has it still");
                erasing.put_page(pfn).unwrap();
                assert_eq!((cleared(), erasing.pool().page_count(pfn)), (block(pfn), Err(PageError::Free)));
            });
        }
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

#[test]
fn what_is_refused_is_not_cleared() {
    for when in [Contents::Keep, Contents::ZeroOnAlloc, Contents::ScrubOnPut] {
        with::<Atomic, Deferred>(when, |erasing, cleared| {
            let pool = erasing.pool();
            let block = pool.alloc_pages(1).unwrap();
            let handle = pool.alloc(0).unwrap();
            pool.coalesce();
            let before = pool.check().unwrap();
            let cases = [
                (Pfn::new(block.get() + 1), PageError::Tail),
                (Pfn::new(63), PageError::Free),
                (Pfn::new(64), PageError::OutOfRange),
                (handle.pfn(), PageError::Held),
            ];
            for (pfn, error) in cases {
                assert_eq!(erasing.put_page(pfn), Err(error));
            }
            assert_eq!(erasing.alloc_pages(6), Err(AllocError::OutOfMemory));
            assert_eq!(erasing.alloc_pages(11), Err(AllocError::OrderTooLarge));
            assert_eq!((pool.check().unwrap(), cleared()), (before, vec![]));
            erasing.put_page(block).unwrap();
            cleared();
            assert_eq!((erasing.put_page(block), cleared()), (Err(PageError::Free), vec![]));
        });
    }
}

/// The memory of frames, a byte each.
struct Memory(Vec<AtomicU8>);

impl crate::PhysMap for &Memory {
    fn zero(&self, block: Erasable<'_>) {
        for byte in &self.0[block.pfn().get()..][..block.nr_pages()] {
            thread::yield_now();
            byte.store(0, Ordering::Relaxed);
        }
    }
}

/// Threads that leave a secret in every page that they put: nobody ever finds one.
fn nobody_finds_a_secret<R: RefcountPath, C: Coalesce>(when: Contents) {
    let table = vacant_table(24);
    let pool = pool_over::<R, C>(&table, 0, 24, 0).unwrap();
    let memory = Memory((0..24).map(|_| AtomicU8::new(0)).collect());
    let erasing = Erasing::new(&pool, &memory, when);
    let shared = AtomicUsize::new(0);
    thread::scope(|scope| {
        for me in 1..=3_u8 {
            let (erasing, memory, shared) = (&erasing, &memory, &shared);
            scope.spawn(move || {
                for round in 0..1500_usize {
                    let order = (round % 3) as u8;
                    let Ok(pfn) = erasing.alloc_pages(order) else { continue };
                    let bytes = &memory.0[pfn.get()..][..1 << order];
                    for byte in bytes {
                        assert_eq!(byte.swap(me, Ordering::Relaxed), 0, "a secret was handed on");
                    }
                    // Two put it, in a race for who is last.
                    if round % 4 == 0 {
                        erasing.pool().get_page(pfn).unwrap();
                        shared.fetch_add(1, Ordering::Relaxed);
                        thread::scope(|inner| {
                            inner.spawn(|| erasing.put_page(pfn).unwrap());
                            erasing.put_page(pfn).unwrap();
                        });
                    } else {
                        erasing.put_page(pfn).unwrap();
                    }
                }
            });
        }
    });
    assert!(shared.into_inner() > 0);
    pool.coalesce();
    assert_eq!(pool.check().unwrap().free_pages, 24);
    if when == Contents::ScrubOnPut {
        assert!(memory.0.iter().all(|byte| byte.load(Ordering::Relaxed) == 0));
    }
}

#[test]
fn nobody_finds_a_secret_that_was_scrubbed() {
    nobody_finds_a_secret::<Atomic, Deferred>(Contents::ScrubOnPut);
    nobody_finds_a_secret::<Merged, Eager>(Contents::ScrubOnPut);
}

#[test]
fn nobody_finds_a_secret_that_is_cleared_on_the_way_out() {
    nobody_finds_a_secret::<Atomic, Deferred>(Contents::ZeroOnAlloc);
    nobody_finds_a_secret::<Merged, Eager>(Contents::ZeroOnAlloc);
}
