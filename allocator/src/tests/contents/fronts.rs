//! Each front-end clears when its policy says so, and otherwise does what it does without.

use super::*;
use Contents::{ScrubOnPut, ZeroOnAlloc};

const WHEN: [Contents; 3] = [Contents::Keep, Contents::ZeroOnAlloc, Contents::ScrubOnPut];

/// Runs `test` with a pool, a map and each policy: once it is done, all must be free.
fn under_each<R: RefcountPath, C: Coalesce>(
    test: impl Fn(&HypPool<'_, Lock, R, C>, &Recorder<'_, R, C>, &dyn Fn(Contents) -> Vec<(usize, usize)>, Contents),
) {
    for when in WHEN {
        let table = vacant_table(64);
        let pool = pool_over::<R, C>(&table, 0, 64, 0).unwrap();
        let recorder = Recorder { pool: &pool, cleared: RefCell::new(vec![]) };
        // What was cleared since the last time: of interest where the policy is `at`, and nothing elsewhere.
        let cleared = |at: Contents| {
            let cleared = recorder.cleared.take();
            assert!(when == at || cleared.is_empty(), "{when:?}: {cleared:?}");
            cleared
        };
        test(&pool, &recorder, &cleared, when);
        pool.coalesce();
        assert_eq!(pool.check().unwrap().free_pages, 64);
    }
}

/// What was cleared, if that is when it is.
fn expected(when: Contents, at: Contents, pfn: Pfn, order: u8) -> Vec<(usize, usize)> {
    if when == at { vec![(pfn.get(), 1 << order)] } else { vec![] }
}

#[test]
fn a_pool_with_several_references() {
    fn on<R: RefcountPath, C: Coalesce>() {
        under_each::<R, C>(|pool, recorder, cleared, when| {
            let erasing = Erasing::new(pool, recorder, when);
            let block = erasing.alloc_pages(1).unwrap();
            assert_eq!(cleared(ZeroOnAlloc), expected(when, ZeroOnAlloc, block, 1));
            pool.get_page_n(block, 4).unwrap();
            assert_eq!(erasing.put_page_n(block, 6), Err(PageError::Underflow));
            erasing.put_page_n(block, 0).unwrap();
            erasing.put_page_n(block, 2).unwrap();
            assert_eq!((cleared(ScrubOnPut), pool.page_count(block)), (vec![], Ok(3)));
            erasing.put_page_n(block, 3).unwrap();
            assert_eq!(cleared(ScrubOnPut), expected(when, ScrubOnPut, block, 1));
        });
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

#[test]
fn handles() {
    fn on<R: RefcountPath, C: Coalesce>() {
        under_each::<R, C>(|pool, recorder, cleared, when| {
            let erasing = Erasing::new(pool, recorder, when);
            let handle = erasing.alloc(2).unwrap();
            let pfn = handle.pfn();
            assert_eq!((handle.order(), handle.count(), pool.get_page(pfn)), (2, 1, Err(PageError::Held)));
            assert_eq!(cleared(ZeroOnAlloc), expected(when, ZeroOnAlloc, pfn, 2));
            let (other, third) = (handle.clone(), handle.clone());
            erasing.put(handle).unwrap();
            drop(third);
            assert_eq!((cleared(ScrubOnPut), other.count()), (vec![], 1));
            erasing.put(other).unwrap();
            assert_eq!((cleared(ScrubOnPut), pool.free_pages()), (expected(when, ScrubOnPut, pfn, 2), 64));
            assert_eq!(erasing.alloc(11).map(drop), Err(AllocError::OrderTooLarge));
        });
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// Its memory may not be what the map knows.
#[test]
fn a_handle_of_another_pool_is_given_back() {
    under_each::<Atomic, Deferred>(|pool, recorder, cleared, when| {
        let table = vacant_table(64);
        let another = pool_over::<Atomic, Deferred>(&table, 0, 64, 0).unwrap();
        let handle = Erasing::new(pool, recorder, when).put(another.alloc(0).unwrap()).unwrap_err();
        assert_eq!((handle.count(), another.free_pages(), cleared(Contents::Keep)), (1, 63, vec![]));
    });
}

/// It is not counted any more, so that nobody knows which handle is the last.
#[test]
fn a_pinned_block_is_never_cleared() {
    let table = vacant_table(4);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 4, 0).unwrap();
    let recorder = Recorder { pool: &pool, cleared: RefCell::new(vec![]) };
    let handle = pool.alloc(0).unwrap();
    pool.pin(handle.pfn());
    Erasing::new(&pool, &recorder, ScrubOnPut).put(handle).unwrap();
    assert_eq!((recorder.cleared.take(), pool.pinned_blocks(), pool.free_pages()), (vec![], 1, 3));
}

#[test]
fn an_owner() {
    fn on<R: RefcountPath, C: Coalesce>() {
        under_each::<R, C>(|pool, recorder, cleared, when| {
            let mut erasing = Erasing::new(pool.owner().unwrap(), recorder, when);
            let number = pool.alloc_pages(0).unwrap();
            let block = erasing.alloc_pages(1).unwrap();
            assert_eq!(cleared(ZeroOnAlloc), expected(when, ZeroOnAlloc, block, 1));
            // And is the owner's, like all others.
            erasing.front_mut().get_page_n(block, 2).unwrap();
            assert_eq!((erasing.front().page_count(block), pool.put_page(block)), (Ok(3), Err(PageError::Held)));
            erasing.put_page(block).unwrap();
            assert_eq!(erasing.put_page_n(block, 3), Err(PageError::Underflow));
            assert_eq!((cleared(ScrubOnPut), erasing.front().page_count(block)), (vec![], Ok(2)));
            erasing.put_page_n(block, 2).unwrap();
            assert_eq!(cleared(ScrubOnPut), expected(when, ScrubOnPut, block, 1));
            for (pfn, error) in
                [(block, PageError::Free), (number, PageError::Held), (Pfn::new(64), PageError::OutOfRange)]
            {
                assert_eq!(erasing.put_page(pfn), Err(error));
            }
            assert_eq!(erasing.alloc_pages(11), Err(AllocError::OrderTooLarge));
            assert_eq!((cleared(Contents::Keep), pool.put_page(number)), (vec![], Ok(())));
        });
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

#[test]
fn a_magazine() {
    fn on<R: RefcountPath, C: Coalesce>() {
        under_each::<R, C>(|pool, recorder, cleared, when| {
            let mut erasing = Erasing::new(Magazine::<_, _, _, 8>::new(pool), recorder, when);
            // From the pool with others, and then from the rack.
            let blocks = [0, 0, 1, 4].map(|order| {
                let block = erasing.alloc_pages(order).unwrap();
                assert_eq!(cleared(ZeroOnAlloc), expected(when, ZeroOnAlloc, block, order));
                (block, order)
            });
            let (held, free) = (erasing.front().pages(), pool.free_pages());
            pool.get_page(blocks[0].0).unwrap();
            erasing.put_page(blocks[0].0).unwrap();
            assert_eq!(erasing.put_page_of(blocks[1].0, 1), Err(PageError::WrongOrder));
            assert_eq!(erasing.put_page_of(Pfn::new(63), 1), Err(PageError::Free));
            assert_eq!((cleared(Contents::Keep), erasing.front().pages()), (vec![], held));
            for (block, order) in blocks {
                if order == 1 { erasing.put_page_of(block, order) } else { erasing.put_page(block) }.unwrap();
                assert_eq!(cleared(ScrubOnPut), expected(when, ScrubOnPut, block, order));
                // Where it is now.
                let answer = if order == 4 { PageError::Free } else { PageError::Held };
                assert_eq!(erasing.put_page(block), Err(answer));
            }
            assert_eq!((erasing.front().pages(), pool.free_pages()), (held + 4, free + 16));
            assert_eq!(erasing.alloc_pages(1), Ok(blocks[2].0), "the last to come is the first to go");
            cleared(ZeroOnAlloc);
            erasing.put_page(blocks[2].0).unwrap();
            assert_eq!(cleared(ScrubOnPut), expected(when, ScrubOnPut, blocks[2].0, 1));
        });
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// A magazine of nobody yet, into which more is put than it holds.
#[test]
fn a_magazine_that_runs_over() {
    under_each::<Atomic, Deferred>(|pool, recorder, cleared, when| {
        let pages: Vec<_> = (0..30).map(|_| pool.alloc_pages(0).unwrap()).collect();
        let mut erasing = Erasing::new(Magazine::<_, _, _, 8>::new(pool), recorder, when);
        for (nth, &page) in pages.iter().enumerate() {
            erasing.put_page(page).unwrap();
            assert_eq!(cleared(ScrubOnPut), expected(when, ScrubOnPut, page, 0));
            // Half a rack at a time goes to the pool.
            assert_eq!(erasing.front().pages(), if nth < 8 { nth + 1 } else { 5 + nth % 4 });
            assert_eq!(pool.free_pages() + erasing.front().pages(), 34 + nth + 1);
        }
        assert_eq!(erasing.into_inner().pages(), 6);
    });
}

#[test]
fn magazines_of_cpus() {
    fn on<R: RefcountPath, C: Coalesce>() {
        under_each::<R, C>(|pool, recorder, cleared, when| {
            let cpus = PerCpu::<Lock, 2, Lock, R, C, 8>::new(pool);
            let erasing = Erasing::new(&cpus, recorder, when);
            for (cpu, order) in [(0, 0), (0, 0), (1, 1), (1, 4), (2, 0)] {
                let block = erasing.alloc_pages(cpu, order).unwrap();
                assert_eq!(cleared(ZeroOnAlloc), expected(when, ZeroOnAlloc, block, order));
                let kept = if order == 4 || cpu == 2 { 0 } else { 1 << order };
                let before = cpus.pages();
                assert_eq!(erasing.put_page_of(cpu, block, 2), Err(PageError::WrongOrder));
                pool.get_page(block).unwrap();
                erasing.put_page(cpu, block).unwrap();
                assert_eq!((cleared(Contents::Keep), cpus.pages()), (vec![], before));
                if order == 1 { erasing.put_page_of(cpu, block, 1) } else { erasing.put_page(cpu, block) }.unwrap();
                assert_eq!(cleared(ScrubOnPut), expected(when, ScrubOnPut, block, order));
                assert_eq!(cpus.pages(), before + kept);
            }
            cpus.drain_all();
        });
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// A map that finds the magazine of CPU 0 free, as an interrupt handler there would: what it puts stays in it.
#[test]
fn no_cpus_magazine_is_taken_while_a_block_is_cleared() {
    struct Handler<'c, 'p>(&'c PerCpu<'p, Lock, 1, Lock, Atomic, Deferred, 8>, RefCell<Vec<Pfn>>);
    impl crate::PhysMap for &Handler<'_, '_> {
        fn zero(&self, _: Erasable<'_>) {
            let page = self.1.borrow_mut().pop().unwrap();
            self.0.put_page(0, page).unwrap();
        }
    }
    for when in [ZeroOnAlloc, ScrubOnPut] {
        let table = vacant_table(64);
        let pool = pool_over::<Atomic, Deferred>(&table, 0, 64, 0).unwrap();
        let cpus = PerCpu::new(&pool);
        let handler = Handler(&cpus, RefCell::new(vec![pool.alloc_pages(0).unwrap()]));
        let erasing = Erasing::new(&cpus, &handler, when);
        let block = erasing.alloc_pages(0, 1).unwrap();
        let before = pool.free_pages();
        erasing.put_page(0, block).unwrap();
        assert!(handler.1.borrow().is_empty());
        assert_eq!(pool.free_pages(), before, "{when:?}: past the magazine, to the pool");
    }
}
