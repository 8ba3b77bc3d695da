//! Many at once: what is cleared, in which order, and when it is free.

use super::*;
use crate::{BULK, BulkError};

const LEN: usize = 256;

/// Tells what was cleared, and how many pages were free at that moment.
struct Witness<'p, R: RefcountPath, C: Coalesce> {
    pool: &'p HypPool<'p, Lock, R, C>,
    cleared: RefCell<Vec<(usize, usize)>>,
}

impl<R: RefcountPath, C: Coalesce> crate::PhysMap for &Witness<'_, R, C> {
    fn zero(&self, block: Erasable<'_>) {
        assert_eq!(self.pool.get_page(block.pfn()), Err(PageError::Held));
        self.cleared.borrow_mut().push((block.pfn().get(), self.pool.free_pages()));
    }
}

fn with<R: RefcountPath, C: Coalesce>(
    test: impl Fn(&HypPool<'_, Lock, R, C>, &Witness<'_, R, C>, &dyn Fn() -> Vec<(usize, usize)>),
) {
    let table = vacant_table(LEN);
    let pool = pool_over::<R, C>(&table, 0, LEN, 0).unwrap();
    let witness = Witness { pool: &pool, cleared: RefCell::new(vec![]) };
    test(&pool, &witness, &|| witness.cleared.take());
    pool.coalesce();
    assert_eq!(pool.check().unwrap().free_pages, LEN);
}

fn firsts(cleared: &[(usize, usize)]) -> Vec<Pfn> {
    cleared.iter().map(|&(pfn, _)| Pfn::new(pfn)).collect()
}

#[test]
fn all_are_zero_when_they_are_allocated() {
    fn on<R: RefcountPath, C: Coalesce>() {
        with::<R, C>(|pool, witness, cleared| {
            let erasing = Erasing::new(pool, witness, Contents::ZeroOnAlloc);
            let mut out = [Pfn::new(usize::MAX); 70];
            assert_eq!(erasing.alloc_bulk(1, &mut out), Ok(70));
            let seen = cleared();
            assert_eq!(firsts(&seen), out);
            // A batch is allocated, and then cleared.
            let free: Vec<_> = seen.iter().map(|&(_, free)| (LEN - free) / 2).collect();
            let batches = [[BULK; BULK].as_slice(), &[2 * BULK; BULK], &[70; 70 - 2 * BULK]];
            assert_eq!(free, batches.concat());
            assert!(out.iter().all(|&pfn| pool.page_count(pfn) == Ok(1) && pool.get_page(pfn).is_ok()));
            erasing.put_bulk(&out).unwrap();
            erasing.put_bulk(&out).unwrap();
            assert_eq!(cleared(), []);
        });
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

#[test]
fn fewer_than_were_asked_for() {
    with::<Atomic, Deferred>(|pool, witness, cleared| {
        let erasing = Erasing::new(pool, witness, Contents::ZeroOnAlloc);
        let mut out = [Pfn::new(usize::MAX); 5];
        assert_eq!(erasing.alloc_bulk(6, &mut out), Ok(4));
        assert_eq!((firsts(&cleared()), out[4]), (out[..4].to_vec(), Pfn::new(usize::MAX)));
        let before = out;
        assert_eq!(erasing.alloc_bulk(0, &mut out), Err(AllocError::OutOfMemory));
        assert_eq!(erasing.alloc_bulk(11, &mut out), Err(AllocError::OrderTooLarge));
        assert_eq!(erasing.alloc_bulk(0, &mut []), Ok(0));
        assert_eq!((cleared(), out), (vec![], before));
        erasing.put_bulk(&out[..4]).unwrap();
    });
}

#[test]
fn all_are_cleared_before_any_of_a_batch_is_free() {
    fn on<R: RefcountPath, C: Coalesce>() {
        with::<R, C>(|pool, witness, cleared| {
            let erasing = Erasing::new(pool, witness, Contents::ScrubOnPut);
            let mut out = [Pfn::new(0); 70];
            assert_eq!(erasing.alloc_bulk(0, &mut out), Ok(70));
            pool.get_page(out[3]).unwrap();
            erasing.put_bulk(&out).unwrap();
            let seen = cleared();
            assert_eq!(firsts(&seen), [&out[..3], &out[4..]].concat(), "but the one that somebody else has");
            // Whole batches get free at once: one section for each.
            let free: Vec<_> = seen.iter().map(|&(_, free)| free - (LEN - 70)).collect();
            assert_eq!(free, [[0; BULK + 1].as_slice(), &[BULK; BULK], &[2 * BULK; 69 - 2 * BULK - 1]].concat());
            erasing.put_page(out[3]).unwrap();
            assert_eq!(firsts(&cleared()), [out[3]]);
        });
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

#[test]
fn of_several_orders_and_named_twice() {
    fn on<R: RefcountPath, C: Coalesce>() {
        with::<R, C>(|pool, witness, cleared| {
            let erasing = Erasing::new(pool, witness, Contents::ScrubOnPut);
            let blocks = [0, 5, 0, 0, 6, 6, 3, 0].map(|order| erasing.alloc_pages(order).unwrap());
            pool.get_page(blocks[2]).unwrap();
            let twice = [&blocks[..], &[blocks[2]]].concat();
            erasing.put_bulk(&twice).unwrap();
            let order = [0, 1, 3, 4, 5, 6, 7, 2].map(|nth| blocks[nth]);
            assert_eq!((firsts(&cleared()), pool.check().unwrap().free_pages), (order.to_vec(), LEN));
        });
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

#[test]
fn the_first_that_is_refused_ends_it() {
    fn on<R: RefcountPath, C: Coalesce>() {
        with::<R, C>(|pool, witness, cleared| {
            let erasing = Erasing::new(pool, witness, Contents::ScrubOnPut);
            let mut blocks = [Pfn::new(0); 40];
            erasing.alloc_bulk(0, &mut blocks).unwrap();
            let handle = pool.alloc(0).unwrap();
            let free = pool.free_pages();
            for (at, pfn, error) in [
                (0, handle.pfn(), PageError::Held),
                (1, Pfn::new(LEN), PageError::OutOfRange),
                // A second time, though it is not free before the batch is.
                (2, blocks[1], PageError::Free),
                (35, blocks[0], PageError::Free),
            ] {
                let named = [&blocks[..at], &[pfn], &blocks[at..]].concat();
                assert_eq!(erasing.put_bulk(&named), Err(BulkError { index: at, error }));
                assert_eq!((firsts(&cleared()), pool.free_pages()), (blocks[..at].to_vec(), free + at));
                assert!(blocks[at..].iter().all(|&pfn| pool.page_count(pfn) == Ok(1)));
                assert!(blocks[..at].iter().all(|&pfn| pool.page_count(pfn) == Err(PageError::Free)));
                erasing.alloc_bulk(0, &mut blocks[..at]).unwrap();
                pool.check().unwrap();
            }
            drop(handle);
            erasing.put_bulk(&blocks).unwrap();
            erasing.put_bulk(&[]).unwrap();
        });
    }
    on_all([on::<Merged, Eager>, on::<Atomic, Eager>, on::<Atomic, Deferred>, on::<Merged, Deferred>]);
}

/// A pool that does not clear at that moment is the pool.
#[test]
fn otherwise_nothing_is_cleared() {
    for when in [Contents::Keep, Contents::ScrubOnPut, Contents::ZeroOnAlloc] {
        with::<Atomic, Deferred>(|pool, witness, cleared| {
            let erasing = Erasing::new(pool, witness, when);
            let mut out = [Pfn::new(0); 40];
            assert_eq!(erasing.alloc_bulk(0, &mut out), Ok(40));
            assert_eq!(cleared().is_empty(), when != Contents::ZeroOnAlloc);
            erasing.put_bulk(&out).unwrap();
            assert_eq!(cleared().is_empty(), when != Contents::ScrubOnPut);
        });
    }
}
