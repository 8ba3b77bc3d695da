//! Owners, who count with loads and stores, beside those who count with compare-exchanges; and several references at
//! once.

use super::*;
use crate::Owner;

type Sole = Owner<'static, ModelLock, Atomic, Deferred<1>>;

/// A pool that outlives the model, as its owners need it.
fn forever(len: usize) -> &'static Pool<Deferred<1>> {
    let range = PfnRange::new(Pfn::new(0), len);
    Box::leak(Box::new(HypPool::with_lock(ModelLock(AtomicBool::new(false)), table(len), range, 0).unwrap()))
}

fn contents() -> Arc<Contents> {
    Arc::new(Contents(UnsafeCell::new(0)))
}

/// An owner goes and leaves a page; whoever gets its id next gets the page, with all that was done to it, and its count.
fn an_id_is_handed_on() {
    let pool = forever(1);
    let contents = contents();
    let mut first: Sole = pool.owner().unwrap();
    let page = first.alloc_pages(0).unwrap();
    let other = thread::spawn({
        let contents = contents.clone();
        move || {
            first.get_page(page).unwrap();
            contents.touch();
            drop(first);
        }
    });
    let mut second = pool.owner().unwrap();
    match second.page_count(page) {
        Ok(count) => {
            contents.touch();
            assert_eq!(count, 2, "a stale count");
            second.put_page_n(page, 2).unwrap();
        }
        Err(e) => assert_eq!(e, PageError::Held),
    }
    other.join().unwrap();
    pool.check().unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn the_next_owner_of_an_id_comes_after_the_last() {
    loom::model(an_id_is_handed_on);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_an_id_taken_without_acquire() {
    with_weakened(Access::TakeId, an_id_is_handed_on);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_an_id_given_without_release() {
    with_weakened(Access::GiveId, an_id_is_handed_on);
}

/// Two who want an id at once get two.
#[test]
fn two_owners_at_once_are_two() {
    loom::model(|| {
        let pool = forever(2);
        let other = thread::spawn(move || {
            let mut owner = pool.owner().unwrap();
            let page = owner.alloc_pages(0).unwrap();
            (owner, page)
        });
        let mut mine = pool.owner().unwrap();
        let page = mine.alloc_pages(0).unwrap();
        let (mut theirs, other_page) = other.join().unwrap();
        assert_eq!(mine.get_page(other_page), Err(PageError::Held));
        assert_eq!(theirs.get_page(page), Err(PageError::Held));
        theirs.put_page(other_page).unwrap();
        mine.put_page(page).unwrap();
        assert_eq!(pool.free_pages(), 2);
    });
}

/// Somebody by number tries, at any moment of an owner's life with a page: refused, and nothing is lost. `put` is the
/// owner's last.
fn a_stranger_against_an_owner(put: fn(&mut Sole, Pfn)) {
    let pool = forever(1);
    let mut owner: Sole = pool.owner().unwrap();
    let page = owner.alloc_pages(0).unwrap();
    let other = thread::spawn(move || pool.get_page(page));
    owner.get_page(page).unwrap();
    assert_eq!(owner.page_count(page), Ok(2));
    owner.put_page(page).unwrap();
    put(&mut owner, page);
    let got = other.join().unwrap();
    match pool.page_count(page) {
        Ok(count) => assert_eq!((count, got), (2, Ok(()))),
        Err(e) => assert!(e == PageError::Free && matches!(got, Err(PageError::Held | PageError::Free)), "{got:?}"),
    }
    pool.check().unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn an_owner_counts_alone() {
    loom::model(|| a_stranger_against_an_owner(|owner, page| owner.put_page(page).unwrap()));
}

/// A page that its owner releases: from then on whoever knows its number counts.
#[test]
fn a_page_released_is_counted_by_all() {
    loom::model(|| {
        let pool = forever(1);
        let mut owner: Sole = pool.owner().unwrap();
        let page = owner.alloc_pages(0).unwrap();
        let other = thread::spawn(move || pool.get_page(page));
        owner.release(page).unwrap();
        let mine = pool.get_page(page);
        let theirs = other.join().unwrap();
        assert_eq!(mine, Ok(()));
        assert!(matches!(theirs, Ok(()) | Err(PageError::Held)));
        assert_eq!(pool.page_count(page), Ok(2 + u32::from(theirs.is_ok())));
    });
}

/// An owner takes a page, while somebody by number gets a reference: either it is alone, or it is refused. Then it
/// counts by stores, as `adopt` has let it.
fn an_adoption_against_a_get(adopt: fn(&mut Sole, &Pool<Deferred<1>>, Pfn) -> Result<(), PageError>) {
    let pool = forever(1);
    let page = pool.alloc_pages(0).unwrap();
    let mut owner: Sole = pool.owner().unwrap();
    let other = thread::spawn(move || pool.get_page(page));
    let adopted = adopt(&mut owner, pool, page);
    let got = other.join().unwrap();
    let expected = match adopted {
        Ok(()) => Err(PageError::Held),
        Err(_) => Ok(()),
    };
    assert_eq!(got, expected, "a reference that was granted is gone");
}

#[test]
fn an_owner_adopts_what_nobody_else_has() {
    loom::model(|| an_adoption_against_a_get(|owner, _, page| owner.adopt(page)));
}

/// An adoption that looks, and then stores.
#[test]
#[should_panic(expected = "a reference that was granted is gone")]
fn caught_an_adoption_by_a_store() {
    loom::model(|| {
        an_adoption_against_a_get(|_, pool, page| {
            let (index, word) = head(pool, page);
            if word.count() != 1 {
                return Err(PageError::Shared);
            }
            let id = crate::frame::OwnerId::new(0).unwrap();
            let to = Allocated::new(word.order(), crate::frame::Holder::Owner(id));
            pool.frames().frame(index).set_allocated(to);
            Ok(())
        });
    });
}

/// What an owner did to a page comes before what the next one who gets it does; and whoever looks sees a whole pool.
/// `put` is the owner's last.
fn an_owners_page_is_handed_on(put: fn(&mut Sole, &Pool<Deferred<1>>, Pfn)) {
    let pool = forever(2);
    let contents = contents();
    let mut owner: Sole = pool.owner().unwrap();
    let (page, kept) = (owner.alloc_pages(0).unwrap(), pool.alloc_pages(0).unwrap());
    let other = thread::spawn({
        let contents = contents.clone();
        move || {
            contents.touch();
            put(&mut owner, pool, page);
        }
    });
    pool.check().unwrap_or_else(|e| panic!("{e}"));
    if let Ok(next) = pool.alloc_pages(0) {
        assert_eq!(next, page);
        contents.touch();
        pool.put_page(next).unwrap();
    }
    other.join().unwrap();
    pool.put_page(kept).unwrap();
    assert_eq!(pool.free_blocks()[1], 1);
}

#[test]
fn an_owners_last_put_is_one_critical_section() {
    loom::model(|| an_owners_page_is_handed_on(|owner, _, page| owner.put_page(page).unwrap()));
}

/// An owner's last put that makes the word silent before it takes the lock. By its number, since nobody else may.
#[test]
#[should_panic(expected = "does not hold")]
fn caught_an_owner_that_takes_the_lock_late() {
    loom::model(|| an_owners_page_is_handed_on(|_, pool, page| put_with_the_lock_taken_late(pool, page)));
}

/// Several references at once, against the last put of somebody else: the block is freed once, by the last, who sees
/// what the other one did.
fn several_against_a_final_put(put_n: fn(&Pool, Pfn, u32)) {
    let pool = pool(1);
    let contents = contents();
    let page = pool.alloc_pages(0).unwrap();
    pool.get_page(page).unwrap();
    let other = thread::spawn({
        let (pool, contents) = (pool.clone(), contents.clone());
        move || {
            contents.touch();
            pool.put_page(page).unwrap();
        }
    });
    pool.get_page_n(page, 2).unwrap();
    put_n(&pool, page, 3);
    if let Ok(next) = pool.alloc_pages(0) {
        contents.touch();
        pool.put_page(next).unwrap();
    }
    other.join().unwrap();
    assert_eq!(pool.page_count(page), Err(PageError::Free), "a reference was lost");
    pool.check().unwrap_or_else(|e| panic!("{e}"));
}

fn put_n(pool: &Pool, page: Pfn, n: u32) {
    pool.put_page_n(page, n).unwrap();
}

#[test]
fn several_references_go_at_once() {
    loom::model(|| several_against_a_final_put(put_n));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_several_put_without_release() {
    with_weakened(Access::Put, || several_against_a_final_put(put_n));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn caught_several_put_last_without_acquire() {
    with_weakened(Access::LastPut, || several_against_a_final_put(put_n));
}

/// A put of several that looks, and then stores.
#[test]
#[should_panic(expected = "a reference was lost")]
fn caught_several_put_by_a_store() {
    loom::model(|| {
        several_against_a_final_put(|pool, page, n| {
            let (index, word) = head(pool, page);
            match word.less(n) {
                Some(less) => pool.frames().frame(index).set_allocated(less),
                None => pool.put_page_n(page, n).unwrap(),
            }
        });
    });
}

/// Several gets of somebody without a reference, against the last put and the rules: granted and lost, at worst.
#[test]
fn several_gets_against_the_rules_break_nothing() {
    with_stores_in_order(|| {
        let pool = pool(1);
        let page = pool.alloc_pages(0).unwrap();
        let other = thread::spawn({
            let pool = pool.clone();
            move || pool.get_page_n(page, 5)
        });
        pool.put_page(page).unwrap();
        let got = other.join().unwrap();
        assert!(matches!(got, Ok(()) | Err(PageError::Free)));
        match pool.page_count(page) {
            Ok(count) => assert_eq!((count, got), (5, Ok(()))),
            Err(e) => assert_eq!(e, PageError::Free),
        }
        pool.check().unwrap_or_else(|e| panic!("{e}"));
    });
}
