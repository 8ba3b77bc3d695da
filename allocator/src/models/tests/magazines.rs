//! Magazines, which keep blocks and hand them out without the lock, beside the pool and beside each other.

use super::*;
use crate::word::Holder;
use crate::{Magazine, PerCpu};

type Mag = Magazine<'static, ModelLock, Atomic, Eager, 8>;
type Cpus<const CPUS: usize> = PerCpu<'static, ModelLock, CPUS, ModelLock, Atomic, Eager, 8>;

type MergedPool = HypPool<'static, ModelLock, Merged, Eager>;

/// A pool that outlives the model, as its magazines need it.
fn forever<R: RefcountPath>(len: usize) -> &'static HypPool<'static, ModelLock, R, Eager> {
    let range = PfnRange::new(Pfn::new(0), len);
    Box::leak(Box::new(HypPool::with_lock(ModelLock(AtomicBool::new(false)), table(len), range, 0).unwrap()))
}

fn whole<R: RefcountPath>(pool: &HypPool<'static, ModelLock, R, Eager>) {
    pool.check().unwrap_or_else(|e| panic!("{e}"));
}

fn contents<const N: usize>() -> Arc<[Contents; N]> {
    Arc::new([0; N].map(|n| Contents(UnsafeCell::new(n))))
}

/// A page goes from one CPU's magazine by way of the pool to another's, with all that was done to it.
#[test]
fn a_page_goes_from_one_magazine_to_another() {
    loom::model(|| {
        let pool = forever(1);
        let contents = contents::<1>();
        let other = thread::spawn({
            let contents = contents.clone();
            move || {
                let mut theirs = Mag::new(pool);
                if let Ok(page) = theirs.alloc_pages(0) {
                    contents[page.get()].touch();
                    theirs.put_page(page).unwrap();
                }
                theirs.drain();
            }
        });
        let mut mine = Mag::new(pool);
        if let Ok(page) = mine.alloc_pages(0) {
            contents[page.get()].touch();
            whole(pool);
            mine.put_page(page).unwrap();
        }
        drop(mine);
        other.join().unwrap();
        whole(pool);
        assert_eq!(pool.free_pages(), 1);
    });
}

/// A magazine that takes all there is, against an allocation from the pool: it is served or refused, and no page is two
/// callers'.
#[test]
fn a_magazine_against_an_allocation() {
    loom::model(|| {
        let pool = forever(2);
        let contents = contents::<2>();
        let other = thread::spawn({
            let contents = contents.clone();
            move || {
                let mut magazine = Mag::new(pool);
                if let Ok(page) = magazine.alloc_pages(0) {
                    contents[page.get()].touch();
                    magazine.put_page(page).unwrap();
                }
            }
        });
        if let Ok(page) = pool.alloc_pages(0) {
            contents[page.get()].touch();
            whole(pool);
            pool.put_page(page).unwrap();
        }
        other.join().unwrap();
        whole(pool);
        assert_eq!(pool.free_blocks()[1], 1);
    });
}

/// A magazine keeps a page whose other owner has let it go; the next owner comes after both.
fn a_page_is_kept() {
    let pool = forever(1);
    let contents = contents::<1>();
    let page = pool.alloc_pages(0).unwrap();
    pool.get_page(page).unwrap();
    let other = thread::spawn({
        let contents = contents.clone();
        move || {
            contents[0].touch();
            pool.put_page(page).unwrap();
        }
    });
    let mut magazine = Mag::new(pool);
    while pool.page_count(page) == Ok(2) {
        thread::yield_now();
    }
    magazine.put_page(page).unwrap();
    assert_eq!((magazine.pages(), magazine.alloc_pages(0)), (1, Ok(page)));
    contents[0].touch();
    other.join().unwrap();
}

#[test]
fn a_page_that_is_kept_comes_after_its_other_owner() {
    loom::model(a_page_is_kept);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_a_page_kept_without_acquire() {
    with_weakened(Access::Keep, a_page_is_kept);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_a_page_kept_after_a_put_without_release() {
    with_weakened(Access::Put, a_page_is_kept);
}

/// Somebody without a reference gets one while a magazine takes the last one.
fn a_get_against_a_magazine(put: fn(&mut Mag, Pfn)) {
    let pool = forever(1);
    let page = pool.alloc_pages(0).unwrap();
    let other = thread::spawn(move || pool.get_page(page));
    let mut magazine = Mag::new(pool);
    put(&mut magazine, page);
    let got = other.join().unwrap();
    whole(pool);
    match got {
        Ok(()) => assert_eq!(pool.put_page(page), Ok(()), "a reference that was granted is gone"),
        Err(e) => assert_eq!(e, PageError::Held),
    }
}

#[test]
fn who_gets_too_late_comes_first_or_finds_it_kept() {
    loom::model(|| a_get_against_a_magazine(|magazine, page| magazine.put_page(page).unwrap()));
}

/// A magazine that looks, and then stores.
#[test]
#[should_panic(expected = "a reference that was granted is gone")]
fn caught_a_magazine_that_keeps_by_a_store() {
    loom::model(|| {
        a_get_against_a_magazine(|magazine, page| {
            let pool = magazine.pool();
            let (index, word) = head(pool, page);
            if word.count() == 1 {
                // And has it in no rack, which is of no matter here.
                pool.frames().frame(index).set_allocated(Allocated::new(word.order(), Holder::Magazine));
            }
        });
    });
}

/// A page is put twice, by way of two magazines: the second one is refused, whatever the first does with it meanwhile.
#[test]
fn a_put_too_many_by_two_magazines() {
    fn put_and(then: fn(&mut Mag)) {
        let pool = forever(2);
        let page = pool.alloc_pages(0).unwrap();
        let other = thread::spawn(move || {
            let mut theirs = Mag::new(pool);
            let put = theirs.put_page(page);
            then(&mut theirs);
            put
        });
        let mut mine = Mag::new(pool);
        let put = mine.put_page(page);
        whole(pool);
        let theirs = other.join().unwrap();
        let refused = |put| matches!(put, Err(PageError::Held | PageError::Free));
        assert!(put.is_ok() && refused(theirs) || refused(put) && theirs.is_ok(), "{put:?}, {theirs:?}");
        drop(mine);
        whole(pool);
        assert_eq!(pool.free_pages(), 2);
    }
    loom::model(|| put_and(|_| ()));
    loom::model(|| put_and(Mag::drain));
}

/// A page is put twice, by way of a magazine and of the pool: one of them is refused, and the page is in one place.
fn put_by_a_magazine_and(put: fn(&Pool, Pfn) -> Result<(), PageError>) {
    let pool = forever(2);
    let page = pool.alloc_pages(0).unwrap();
    let other = thread::spawn(move || put(pool, page));
    let mut magazine = Mag::new(pool);
    let mine = magazine.put_page(page);
    whole(pool);
    let theirs = other.join().unwrap();
    assert!(
        matches!((mine, theirs), (Ok(()), Err(PageError::Held)) | (Err(PageError::Free), Ok(()))),
        "put twice: {mine:?}, {theirs:?}"
    );
    whole(pool);
    assert_eq!(pool.free_pages() + magazine.pages(), 2);
    let (a, b) = (magazine.alloc_pages(0).unwrap(), magazine.alloc_pages(0).unwrap());
    assert_ne!(a, b, "handed out twice");
    whole(pool);
}

#[test]
fn a_put_too_many_by_a_magazine_and_by_number() {
    loom::model(|| put_by_a_magazine_and(Pool::put_page));
}

#[test]
#[should_panic(expected = "put twice")]
fn caught_a_last_put_that_does_not_compare_against_a_magazine() {
    loom::model(|| put_by_a_magazine_and(races::put_that_does_not_compare));
}

/// As above, where the magazine hands out at once what it was given: then nobody can tell that the other put is one too
/// many, and whoever has the page has lost it; nothing else is.
#[test]
fn a_put_too_many_by_number_of_a_page_that_is_handed_out() {
    loom::model(|| {
        let pool = forever(1);
        let page = pool.alloc_pages(0).unwrap();
        let other = thread::spawn(move || pool.put_page(page));
        let mut magazine = Mag::new(pool);
        if magazine.put_page(page).is_ok() {
            let _ = magazine.alloc_pages(0);
        }
        let _ = other.join().unwrap();
        whole(pool);
    });
}

/// Where counts change by stores under the lock, a magazine takes a block under the lock: who gets a reference too late
/// finds it kept, or has one, and whatever the magazine hands out is nobody else's.
fn under_the_lock(
    put: fn(&mut Magazine<'static, ModelLock, Merged, Eager, 8>, &MergedPool, Pfn) -> bool,
    other: fn(&MergedPool, Pfn) -> Result<(), PageError>,
) {
    let pool: &'static MergedPool = forever(2);
    let page = pool.alloc_pages(1).unwrap();
    let theirs = thread::spawn(move || other(pool, page));
    let mut magazine = Magazine::<_, _, _, 8>::new(pool);
    let kept = put(&mut magazine, pool, page);
    whole(pool);
    let theirs = theirs.join().unwrap();
    whole(pool);
    assert!(
        !kept || pool.page_count(page) == Err(PageError::Held),
        "it has been taken out of the magazine: {theirs:?}"
    );
    assert!(kept || theirs.is_ok(), "refused to both: {theirs:?}");
}

fn put_order_1(magazine: &mut Magazine<'static, ModelLock, Merged, Eager, 8>, _: &MergedPool, page: Pfn) -> bool {
    magazine.put_page_of(page, 1).is_ok() && magazine.pages() == 2
}

#[test]
fn a_magazine_under_the_lock_against_misuse() {
    loom::model(|| under_the_lock(put_order_1, MergedPool::get_page));
    loom::model(|| under_the_lock(put_order_1, MergedPool::put_page));
    loom::model(|| under_the_lock(put_order_1, MergedPool::split_page));
}

/// A magazine that takes a block by a compare-exchange without the lock, where others store with it held.
#[test]
#[should_panic(expected = "it has been taken out of the magazine")]
fn caught_a_magazine_that_takes_no_lock_where_others_store_under_it() {
    loom::model(|| {
        under_the_lock(
            |_, pool, page| {
                let (index, word) = head(pool, page);
                let kept = Allocated::new(word.order(), Holder::Magazine);
                word.count() == 1 && pool.frames().frame(index).exchange_strong(word, kept, Access::Keep)
            },
            MergedPool::get_page,
        );
    });
}

/// A CPU takes and puts a page, while somebody drains its magazine, as on its way offline.
#[test]
fn a_drain_against_its_cpu() {
    loom::model(|| {
        let pool = forever(1);
        let cpus: Arc<Cpus<1>> = Arc::new(PerCpu::with_locks(pool, [ModelLock(AtomicBool::new(false))]));
        let contents = contents::<1>();
        let other = thread::spawn({
            let (cpus, contents) = (cpus.clone(), contents.clone());
            move || {
                if let Ok(page) = cpus.alloc_pages(0, 0) {
                    contents[0].touch();
                    cpus.put_page(0, page).unwrap();
                }
            }
        });
        cpus.drain(0);
        whole(pool);
        if let Ok(page) = pool.alloc_pages(0) {
            contents[0].touch();
            pool.put_page(page).unwrap();
        }
        other.join().unwrap();
        cpus.drain_all();
        whole(pool);
        assert_eq!(pool.free_pages(), 1);
    });
}

/// Two CPUs, and memory for one: what one keeps the other may have.
#[test]
fn a_cpu_that_runs_short_empties_the_others() {
    loom::model(|| {
        let pool = forever(1);
        let cpus: Arc<Cpus<2>> = Arc::new(PerCpu::with_locks(pool, [0, 1].map(|_| ModelLock(AtomicBool::new(false)))));
        let contents = contents::<1>();
        let page = cpus.alloc_pages(0, 0).unwrap();
        let other = thread::spawn({
            let (cpus, contents) = (cpus.clone(), contents.clone());
            move || {
                contents[0].touch();
                cpus.put_page(0, page).unwrap();
            }
        });
        if let Ok(page) = cpus.alloc_pages(1, 0) {
            contents[0].touch();
            cpus.put_page(1, page).unwrap();
        }
        other.join().unwrap();
        whole(pool);
        assert_eq!(cpus.alloc_pages(1, 0), Ok(page), "with nobody at work, it is there to be had");
    });
}
