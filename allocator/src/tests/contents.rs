//! What is in a block when it is handed out: cleared by who alone has it, when the policy says so, and without the lock.

mod fronts;
mod many;
mod panics;

use super::{Lock, pool_over, vacant_table};
use crate::{
    AllocError, Atomic, Coalesce, Contents, Deferred, Eager, Erasable, Erasing, HypPool, Magazine, Merged, PageError,
    PerCpu, Pfn, RefcountPath,
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
        assert_eq!([self.pool.get_page(pfn), self.pool.put_page(pfn)], [held; 2]);
        assert_eq!((self.pool.split_page(pfn), self.pool.page_count(pfn)), (held, Ok(1)));
        self.cleared.borrow_mut().push((pfn.get(), block.nr_pages()));
    }
}

fn with<R: RefcountPath, C: Coalesce>(
    when: Contents,
    test: impl Fn(&Erasing<&HypPool<'_, Lock, R, C>, &Recorder<'_, R, C>>, &dyn Fn() -> Vec<(usize, usize)>),
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
                erasing.front().get_page(pfn).unwrap();
                erasing.put_page(pfn).unwrap();
                erasing.put_page(pfn).unwrap();
                assert_eq!(cleared(), []);
            });
            with::<R, C>(Contents::ScrubOnPut, |erasing, cleared| {
                let pfn = erasing.alloc_pages(order).unwrap();
                erasing.front().get_page_n(pfn, 2).unwrap();
                erasing.put_page(pfn).unwrap();
                erasing.put_page(pfn).unwrap();
                assert_eq!((cleared(), erasing.front().page_count(pfn)), (vec![], Ok(1)), "somebody has it still");
                erasing.put_page(pfn).unwrap();
                assert_eq!((cleared(), erasing.front().page_count(pfn)), (block(pfn), Err(PageError::Free)));
            });
        }
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

#[test]
fn what_is_refused_is_not_cleared() {
    for when in [Contents::Keep, Contents::ZeroOnAlloc, Contents::ScrubOnPut] {
        with::<Atomic, Deferred>(when, |erasing, cleared| {
            let pool = erasing.front();
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

/// Threads that leave a secret in every page that they put, each by a front-end of its own, by number and by handle: nobody
/// ever finds one.
fn nobody_finds_a_secret<R: RefcountPath, C: Coalesce>(when: Contents) {
    const LEN: usize = 64;
    let table = vacant_table(LEN);
    let pool = pool_over::<R, C>(&table, 0, LEN, 0).unwrap();
    let memory = Memory((0..LEN).map(|_| AtomicU8::new(0)).collect());
    let cpus = PerCpu::<Lock, 2, Lock, R, C, 8>::new(&pool);
    let (erasing, on_cpus) = (Erasing::new(&pool, &memory, when), Erasing::new(&cpus, &memory, when));
    let shared = AtomicUsize::new(0);
    thread::scope(|scope| {
        for me in 1..=3_u8 {
            let (pool, erasing, on_cpus, memory, shared) = (&pool, &erasing, &on_cpus, &memory, &shared);
            scope.spawn(move || {
                let mut magazine = Erasing::new(Magazine::<_, _, _, 8>::new(pool), memory, when);
                let dirty = |pfn: Pfn, order: u8| {
                    for byte in &memory.0[pfn.get()..][..1 << order] {
                        assert_eq!(byte.swap(me, Ordering::Relaxed), 0, "a secret was handed on");
                    }
                };
                for round in 0..1500_usize {
                    let (order, cpu) = ((round % 3) as u8, usize::from(me) % 2);
                    if round % 5 == 0 {
                        let Ok(handle) = erasing.alloc(order) else { continue };
                        dirty(handle.pfn(), order);
                        let other = handle.clone();
                        // Two put it, in a race for who is last.
                        thread::scope(|inner| {
                            inner.spawn(|| erasing.put(other).unwrap());
                            erasing.put(handle).unwrap();
                        });
                        continue;
                    }
                    let got = match round % 3 {
                        0 => erasing.alloc_pages(order),
                        1 => magazine.alloc_pages(order),
                        _ => on_cpus.alloc_pages(cpu, order),
                    };
                    let Ok(pfn) = got else { continue };
                    dirty(pfn, order);
                    let mut put = |round| match round % 4 {
                        0 => erasing.put_page(pfn).unwrap(),
                        1 => magazine.put_page(pfn).unwrap(),
                        2 => on_cpus.put_page(cpu, pfn).unwrap(),
                        _ => erasing.put_bulk(&[pfn]).unwrap(),
                    };
                    if round % 4 == 0 {
                        pool.get_page(pfn).unwrap();
                        shared.fetch_add(1, Ordering::Relaxed);
                        thread::scope(|inner| {
                            inner.spawn(|| erasing.put_page(pfn).unwrap());
                            put(round / 4);
                        });
                    } else {
                        put(round / 2);
                    }
                }
            });
        }
    });
    assert!(shared.into_inner() > 0);
    drop(cpus);
    pool.coalesce();
    assert_eq!(pool.check().unwrap().free_pages, LEN);
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
