//! Loom models: every interleaving of two owners, and what must be caught when the code is made worse.
//!
//! A model's lock is the simplest there is. The real ones have their own models, in their own crate.

use crate::sync::Access;
use std::cell::Cell;

std::thread_local! {
    /// The access that the model on this thread weakens to Relaxed. Loom runs all threads of a model on one.
    static WEAKENED: Cell<Option<Access>> = const { Cell::new(None) };
}

/// The access to weaken, if this model weakens one.
pub(crate) fn weakened() -> Option<Access> {
    WEAKENED.get()
}

#[cfg(test)]
mod tests {
    use super::WEAKENED;
    use crate::algorithm::allocated;
    use crate::sync::Access;
    use crate::word::{Allocated, Index};
    use crate::{
        AllocError, Atomic, Coalesce, Deferred, Eager, HypPool, Merged, PageError, PageRef, Pfn, PfnRange,
        RefcountPath, TableWord, table_words,
    };
    use lock_api::{GuardSend, RawMutex};
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicBool, Ordering};
    use loom::thread;
    use std::boxed::Box;

    mod bulk;
    mod contents;
    mod deferral;
    mod magazines;
    mod owners;
    mod races;

    struct ModelLock(AtomicBool);

    // SAFETY: the compare-exchange lets one in, with Acquire; the store lets the next in, with Release.
    unsafe impl RawMutex for ModelLock {
        const INIT: Self = panic!("loom has no const constructors: HypPool::with_lock");
        type Guard = GuardSend;

        fn lock(&self) -> GuardSend {
            while self.try_lock().is_none() {
                thread::yield_now();
            }
            GuardSend::default()
        }

        fn try_lock(&self) -> Option<GuardSend> {
            self.0
                .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
                .ok()
                .map(|_| GuardSend::default())
        }

        unsafe fn unlock(&self, _: GuardSend) {
            self.0.store(false, Ordering::Release);
        }

        fn is_locked(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }
    }

    /// Most models coalesce eagerly, so that a put does all that it may do at once; see `deferral` for the others.
    type Pool<C = Eager> = HypPool<'static, ModelLock, Atomic, C>;

    /// `len` frames from frame 0. The table is leaked: loom runs a model some thousand times.
    fn pool_of<C: Coalesce>(len: usize) -> Arc<Pool<C>> {
        let range = PfnRange::new(Pfn::new(0), len);
        Arc::new(HypPool::with_lock(ModelLock(AtomicBool::new(false)), table(len), range, 0).unwrap())
    }

    fn pool(len: usize) -> Arc<Pool> {
        pool_of(len)
    }

    fn table(len: usize) -> &'static [TableWord] {
        Box::leak((0..table_words(len)).map(|_| TableWord::vacant()).collect())
    }

    /// What stands in a page, watched by loom for races between its owners.
    struct Contents(UnsafeCell<u32>);

    impl Contents {
        fn touch(&self) {
            // SAFETY: none is needed but loom's: it fails the model if another access is not ordered with this one.
            self.0.with_mut(|p| unsafe { *p += 1 });
        }
    }

    /// Runs `model` with `access` weakened.
    fn with_weakened(access: Access, model: fn()) {
        struct Restore;
        impl Drop for Restore {
            fn drop(&mut self) {
                WEAKENED.set(None);
            }
        }
        let _restore = Restore;
        WEAKENED.set(Some(access));
        loom::model(model);
    }

    /// Two owners of buddies let go at the same time: whoever comes second finds the other one free and merges.
    fn two_final_puts<C: Coalesce>() {
        let pool = pool_of::<C>(2);
        let (a, b) = (pool.alloc_pages(0).unwrap(), pool.alloc_pages(0).unwrap());
        let other = thread::spawn({
            let pool = pool.clone();
            move || pool.put_page(b).unwrap()
        });
        pool.put_page(a).unwrap();
        other.join().unwrap();
        pool.coalesce();
        assert_eq!(pool.check().unwrap().free_blocks[1], 1, "the buddies are one block");
    }

    #[test]
    fn buddies_freed_at_once_become_one_block() {
        loom::model(two_final_puts::<Eager>);
        loom::model(two_final_puts::<Deferred<1>>);
    }

    /// One owner shares and lets go while the other lets go: the block is freed once, by the last.
    #[test]
    fn a_get_against_a_final_put() {
        loom::model(|| {
            let pool = pool(2);
            let page = pool.alloc_pages(0).unwrap();
            pool.get_page(page).unwrap();
            let other = thread::spawn({
                let pool = pool.clone();
                move || {
                    pool.get_page(page).unwrap();
                    pool.put_page(page).unwrap();
                    pool.put_page(page).unwrap();
                }
            });
            pool.put_page(page).unwrap();
            other.join().unwrap();
            assert_eq!(pool.check().unwrap().free_pages, 2);
            assert_eq!(pool.put_page(page), Err(PageError::Free));
        });
    }

    /// Whoever holds the lock sees a whole pool, whatever happens without it.
    #[test]
    fn an_observer_with_the_lock_sees_no_transient() {
        loom::model(|| {
            let pool = pool(2);
            let page = pool.alloc_pages(0).unwrap();
            let other = thread::spawn({
                let pool = pool.clone();
                move || {
                    pool.get_page(page).unwrap();
                    pool.put_page(page).unwrap();
                    pool.put_page(page).unwrap();
                }
            });
            pool.check().unwrap();
            assert!(matches!(pool.page_count(page), Ok(1 | 2) | Err(PageError::Free)));
            other.join().unwrap();
        });
    }

    /// An allocation may take the block that is being freed, and its buddy lookup may meet the put.
    #[test]
    fn an_alloc_against_a_final_put() {
        loom::model(|| {
            let pool = pool(4);
            let page = pool.alloc_pages(0).unwrap();
            let other = thread::spawn({
                let pool = pool.clone();
                move || pool.put_page(page).unwrap()
            });
            let block = pool.alloc_pages(1).unwrap();
            other.join().unwrap();
            pool.check().unwrap();
            pool.put_page(block).unwrap();
            assert_eq!(pool.check().unwrap().free_blocks[2], 1);
        });
    }

    /// Contents pass from an owner who let go, to the last one, to the next owner.
    fn contents_are_handed_on<C: Coalesce>() {
        let pool = pool_of::<C>(1);
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
        pool.put_page(page).unwrap();
        if let Ok(page) = pool.alloc_pages(0) {
            // The other one's reference is gone: so must be its work.
            contents.touch();
            pool.put_page(page).unwrap();
        }
        other.join().unwrap();
    }

    #[test]
    fn a_page_is_handed_on_with_all_that_was_done_to_it() {
        loom::model(contents_are_handed_on::<Eager>);
        loom::model(contents_are_handed_on::<Deferred<1>>);
    }

    /// As above, where the put that gave it up was not the last one, but the one before.
    fn the_last_owner_frees_after_all_others<C: Coalesce>() {
        let pool = pool_of::<C>(1);
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
        pool.put_page(page).unwrap();
        assert_eq!(pool.alloc_pages(0), Ok(page));
        contents.touch();
        other.join().unwrap();
    }

    #[test]
    fn the_last_owner_comes_after_the_others() {
        loom::model(the_last_owner_frees_after_all_others::<Eager>);
        loom::model(the_last_owner_frees_after_all_others::<Deferred<1>>);
    }

    #[test]
    #[should_panic(expected = "Causality violation")]
    fn caught_put_without_release() {
        with_weakened(Access::Put, the_last_owner_frees_after_all_others::<Eager>);
    }

    #[test]
    #[should_panic(expected = "Causality violation")]
    fn caught_last_put_without_acquire() {
        with_weakened(Access::LastPut, the_last_owner_frees_after_all_others::<Eager>);
    }

    /// The only owner left may work on the block; the others are done. `alone` says whether it is the only one.
    fn alone_means_alone(order: u8, alone: fn(PageRef<'static, ModelLock, Atomic, Eager>) -> bool) {
        let pool: &'static Pool = Box::leak(Box::new(
            HypPool::with_lock(ModelLock(AtomicBool::new(false)), table(2), PfnRange::new(Pfn::new(0), 2), 0).unwrap(),
        ));
        let contents = Arc::new(Contents(UnsafeCell::new(0)));
        let mine = pool.alloc(order).unwrap();
        let theirs = mine.clone();
        let other = thread::spawn({
            let contents = contents.clone();
            move || {
                contents.touch();
                drop(theirs);
            }
        });
        if alone(mine) {
            contents.touch();
        }
        other.join().unwrap();
    }

    fn into_raw_means_alone() {
        alone_means_alone(0, |mine| mine.into_raw().is_ok());
    }

    fn split_means_alone() {
        alone_means_alone(1, |mine| mine.split().map(core::mem::forget).is_ok());
    }

    #[test]
    fn who_is_alone_comes_after_the_others() {
        loom::model(into_raw_means_alone);
        loom::model(split_means_alone);
    }

    #[test]
    #[should_panic(expected = "Causality violation")]
    fn caught_sole_without_acquire() {
        with_weakened(Access::Sole, into_raw_means_alone);
    }

    #[test]
    #[should_panic(expected = "Causality violation")]
    fn caught_split_without_acquire() {
        with_weakened(Access::Sole, split_means_alone);
    }

    /// The known bug: the last reference goes first, then the lock is taken. Meanwhile the page says that it is free,
    /// and is in no free area.
    fn put_with_the_lock_taken_late<C: Coalesce>(pool: &Pool<C>, pfn: Pfn) {
        let (index, word) = head(pool, pfn);
        pool.frames().frame(index).set_silent();
        pool.areas.0.lock().free(|| pool.table(), index, word.order());
    }

    fn head<R: RefcountPath, C: Coalesce>(pool: &HypPool<'static, ModelLock, R, C>, pfn: Pfn) -> (Index, Allocated) {
        let frames = pool.frames();
        let (index, frame) = frames.find(pfn).unwrap();
        (index, allocated(frames, pfn, frame).unwrap())
    }

    #[test]
    #[should_panic(expected = "does not hold")]
    fn caught_lock_taken_after_the_last_reference() {
        loom::model(|| {
            let pool = pool(2);
            let (a, b) = (pool.alloc_pages(0).unwrap(), pool.alloc_pages(0).unwrap());
            let other = thread::spawn({
                let pool = pool.clone();
                move || put_with_the_lock_taken_late(&pool, b)
            });
            pool.put_page(a).unwrap();
            pool.check().unwrap_or_else(|e| panic!("{e}"));
            other.join().unwrap();
        });
    }

    /// The older bug's shape: count and list in two critical sections, the page neither owned nor free between.
    #[test]
    #[should_panic(expected = "does not hold")]
    fn caught_count_and_list_in_two_critical_sections() {
        loom::model(|| {
            let pool = pool(2);
            let page = pool.alloc_pages(0).unwrap();
            let other = thread::spawn({
                let pool = pool.clone();
                move || {
                    let (index, word) = head(&pool, page);
                    let areas = pool.areas.0.lock();
                    pool.frames().frame(index).set_silent();
                    drop(areas);
                    pool.areas.0.lock().free(|| pool.table(), index, word.order());
                }
            });
            pool.check().unwrap_or_else(|e| panic!("{e}"));
            other.join().unwrap();
        });
    }
}
