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

/// An owner leaves its last page in one way or another, and goes. Whoever gets its id next is refused the page, whatever
/// it last saw of the page's word.
fn an_id_is_handed_on(leave: fn(&mut Sole, Pfn)) {
    let pool = forever(1);
    let mut first: Sole = pool.owner().unwrap();
    let page = first.alloc_pages(0).unwrap();
    let other = thread::spawn(move || {
        leave(&mut first, page);
        drop(first);
    });
    let mut second = pool.owner().unwrap();
    let got = second.get_page(page);
    assert!(matches!(got, Err(PageError::Held | PageError::Free)), "a stale word: {got:?}");
    other.join().unwrap();
    // Both are gone, and so nobody has that id: it is the next one's.
    drop(second);
    assert_eq!(pool.owner().unwrap().id().get(), 0);
    pool.check().unwrap_or_else(|e| panic!("{e}"));
}

fn after_a_put() {
    an_id_is_handed_on(|owner, page| owner.put_page(page).unwrap());
}

fn after_a_release() {
    an_id_is_handed_on(|owner, page| owner.release(page).unwrap());
}

fn after_a_put_of_many() {
    an_id_is_handed_on(|owner, page| owner.put_bulk(&[page]).unwrap());
}

#[test]
fn the_next_owner_of_an_id_comes_after_the_last() {
    loom::model(after_a_put);
    loom::model(after_a_release);
    loom::model(after_a_put_of_many);
}

#[test]
#[should_panic(expected = "a stale word")]
fn caught_an_id_taken_without_acquire() {
    with_weakened(Access::TakeId, after_a_put);
}

#[test]
#[should_panic(expected = "a stale word")]
fn caught_an_id_given_without_release() {
    with_weakened(Access::GiveId, after_a_put);
}

#[test]
#[should_panic(expected = "a stale word")]
fn caught_an_id_taken_after_a_release_without_acquire() {
    with_weakened(Access::TakeId, after_a_release);
}

#[test]
#[should_panic(expected = "a stale word")]
fn caught_an_id_given_after_a_release_without_release() {
    with_weakened(Access::GiveId, after_a_release);
}

/// An owner goes and leaves a page for good. At no moment does an owner that comes get power over it.
fn a_page_is_left_behind(go: fn(&Pool<Deferred<1>>, Sole)) {
    let pool = forever(1);
    let mut first: Sole = pool.owner().unwrap();
    let page = first.alloc_pages(0).unwrap();
    let other = thread::spawn(move || go(pool, first));
    let mut second = pool.owner().unwrap();
    assert_eq!(second.put_page(page), Err(PageError::Held), "a stranger's page");
    other.join().unwrap();
    assert_eq!(pool.owner().unwrap().put_page(page), Err(PageError::Held), "a stranger's page");
    assert_eq!(pool.check().unwrap().allocated_pages, 1);
}

#[test]
fn a_page_left_behind_is_nobodys() {
    loom::model(|| a_page_is_left_behind(|_, owner| drop(owner)));
}

/// The id given back with a word that says it.
#[test]
#[should_panic(expected = "a stranger's page")]
fn caught_an_id_that_is_given_back_with_a_page() {
    loom::model(|| a_page_is_left_behind(|pool, owner| pool.counters.0.owners.give_back(owner.id())));
}

/// An owner is there before its pool has a range: it gets a block once there is one, and knows it for its own.
fn an_owner_before_init(alloc: fn(&mut Sole) -> Result<Pfn, AllocError>) {
    let lock = ModelLock(AtomicBool::new(false));
    let pool: &'static Pool<Deferred<1>> = Box::leak(Box::new(HypPool::vacant(lock, table(1))));
    let mut owner: Sole = pool.owner().unwrap();
    let other = thread::spawn(move || pool.init(PfnRange::new(Pfn::new(7), 1), 0).unwrap());
    match alloc(&mut owner) {
        Ok(page) => {
            assert_eq!(page, Pfn::new(7));
            assert_eq!((owner.get_page(page), owner.page_count(page), owner.blocks()), (Ok(()), Ok(2), 1));
            owner.put_page_n(page, 2).unwrap();
        }
        Err(e) => assert_eq!(e, AllocError::OutOfMemory),
    }
    other.join().unwrap();
    assert_eq!(owner.put_page(Pfn::new(7)), Err(PageError::Free));
    assert_eq!((owner.blocks(), pool.check().unwrap().free_pages), (0, 1));
}

#[test]
fn an_owner_may_be_there_before_the_range_is() {
    loom::model(|| an_owner_before_init(|owner| owner.alloc_pages(0)));
    loom::model(|| {
        an_owner_before_init(|owner| {
            let mut out = [Pfn::new(0)];
            owner.alloc_bulk(0, &mut out).map(|_| out[0])
        });
    });
}

/// Whoever holds the lock sees a whole pool while an owner splits a block and puts the pages at once.
#[test]
fn an_owner_splits_and_puts_in_one_critical_section_each() {
    loom::model(|| {
        let pool = forever(2);
        let mut owner: Sole = pool.owner().unwrap();
        let block = owner.alloc_pages(1).unwrap();
        let other = thread::spawn(move || {
            owner.split_page(block).unwrap();
            owner.put_bulk(&[block, Pfn::new(block.get() + 1)]).unwrap();
            assert_eq!(owner.blocks(), 0);
        });
        let census = pool.check().unwrap_or_else(|e| panic!("{e}"));
        assert!(matches!((census.free_pages, census.allocated_blocks), (0, [0, 1, ..] | [2, 0, ..]) | (2, [0, 0, ..])));
        other.join().unwrap();
        assert_eq!(pool.check().unwrap().free_blocks[1], 1);
    });
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
    loom::model(|| a_stranger_against_an_owner(|owner, page| owner.put_bulk(&[page]).unwrap()));
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
            let id = crate::word::OwnerId::new(0).unwrap();
            let to = Allocated::new(word.order(), crate::word::Holder::Owner(id));
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
    loom::model(|| an_owners_page_is_handed_on(|owner, _, page| owner.put_bulk(&[page]).unwrap()));
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

/// Several gets of somebody without a reference, against the last put: all of them come first, or all are refused.
#[test]
fn several_gets_too_late_come_first_or_are_refused() {
    loom::model(|| {
        let pool = pool(1);
        let page = pool.alloc_pages(0).unwrap();
        let other = thread::spawn({
            let pool = pool.clone();
            move || pool.get_page_n(page, 5)
        });
        pool.put_page(page).unwrap();
        let got = other.join().unwrap();
        assert!(matches!(got, Ok(()) | Err(PageError::Free)));
        let expected = if got.is_ok() { Ok(5) } else { Err(PageError::Free) };
        assert_eq!(pool.page_count(page), expected, "a reference that was granted is gone");
        pool.check().unwrap_or_else(|e| panic!("{e}"));
    });
}
