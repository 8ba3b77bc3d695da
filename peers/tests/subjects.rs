//! Every subject under every workload, briefly, with one thread and with two: it takes part or says why not, and has all
//! its pages afterwards. And that a subject which loses a page, or hands one out twice, is noticed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use hyp_locks::Ticket;
use hyp_pool::{Atomic, Deferred, Eager, Merged, Pfn};
use peers::arena::{Arena, PAGE, PAGES};
use peers::measure::{Amount, Cell, Measured, plain};
use peers::rng::Rng;
use peers::subject::{Pages, Refused, Subject};
use peers::subjects::{ALL, Kind, NULL, floor, heaps, original, ours, peers as crates, split};
use peers::workloads::{Mixed, Place, Shared, Work, Workload};

/// The arena, for one test at a time.
fn arena() -> MutexGuard<'static, &'static Arena> {
    static ARENA: OnceLock<Mutex<&'static Arena>> = OnceLock::new();
    let arena = ARENA.get_or_init(|| Mutex::new(Arena::leak().unwrap()));
    arena.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cell(arena: &'static Arena, workload: Workload) -> Cell<'static> {
    Cell { arena, workload, amount: Amount::Operations(3000), cores: &[] }
}

fn every_subject(threads: usize) {
    let arena = arena();
    for workload in Workload::ALL.into_iter().filter(|workload| workload.threads() == threads) {
        for contestant in ALL {
            let what = format!("{} under {}", contestant.name, workload.name());
            let Some(measured) = (contestant.measure)(&cell(&arena, workload)).expect(&what) else {
                let excused = workload.counts() && contestant.kind == Kind::Peer
                    || ["floor", "bulk"].contains(&contestant.name) && (workload.orders() || workload.counts())
                    || contestant.name == "per-cpu" && workload.counts()
                    || contestant.name == NULL && (workload.tables() || workload.name() == "W5z")
                    || contestant.name == "owner" && ["W7", "W7b", "W8", "W9"].contains(&workload.name());
                assert!(excused, "{what} took no part");
                continue;
            };
            assert!(measured.done >= 3000, "{what}: {measured:?}");
            let cannot_tell = [NULL, "talc", "rlsf", "buddyalloc"].contains(&contestant.name);
            assert_eq!(measured.conserved, (!cannot_tell).then_some(true), "{what}");
        }
    }
}

#[test]
fn every_subject_has_all_its_pages_after_every_workload_of_one_thread() {
    every_subject(1);
}

#[test]
fn every_subject_has_all_its_pages_after_every_workload_of_two_threads() {
    every_subject(2);
}

#[test]
fn the_original_s_shape_has_its_blocks_where_the_real_one_has_them() {
    original::verify(&arena()).unwrap();
}

#[test]
fn another_policy_has_another_hash() {
    let arena = arena();
    let mut pool = ours::Pool::<Ticket, Merged, Eager>::new(&arena).unwrap();
    let mut local = pool.locals(1).pop().unwrap();
    let shared = Shared::default();
    let place = Place { thread: 0, threads: 1, capacity: PAGES, shared: &shared };
    let mut mixed = Mixed::begin(&mut local, place).unwrap();
    mixed.chunk(&mut local, 200_000).unwrap();
    assert_ne!(mixed.hash(&local, arena.base()), Mixed::<Pfn>::HASH);
    mixed.end(&mut local).unwrap();
}

/// Random blocks, each stamped with a number of its own in its first and last word: two owners would see each other.
fn nobody_shares_a_block<S: Subject>() {
    let arena = arena();
    let mut subject = S::new(&arena).unwrap();
    let mut local = subject.locals(1).pop().unwrap();
    let (mut rng, mut live) = (Rng::of(7), BTreeMap::new());
    let ends = |at: *mut u8, order: u8| [at.cast::<u64>(), at.wrapping_add((PAGE << order) - 8).cast::<u64>()];
    for stamp in 0..20_000_u64 {
        let random = rng.draw();
        if let Some((page, order, stamped)) = live.remove(&(random >> 32 & 511)) {
            for end in ends(local.address(page), order) {
                // SAFETY: a word of a block that this test owns.
                assert_eq!(unsafe { end.read() }, stamped, "somebody else wrote to an allocated block");
            }
            local.free(page, order).unwrap();
        } else {
            let order = if S::ORDERS { (random >> 62) as u8 } else { 0 };
            let page = local.alloc(order).unwrap();
            let at = local.address(page);
            assert!(at.addr().is_multiple_of(PAGE) && at.addr() >= arena.base());
            for end in ends(at, order) {
                // SAFETY: as above.
                unsafe { end.write(stamp) };
            }
            live.insert(random >> 32 & 511, (page, order, stamp));
        }
    }
}

#[test]
fn no_subject_hands_out_a_page_twice() {
    nobody_shares_a_block::<ours::Pool<Ticket, Atomic, Deferred>>();
    nobody_shares_a_block::<ours::Pool<Ticket, Merged, Deferred>>();
    nobody_shares_a_block::<ours::Pool<Ticket, Atomic, Eager>>();
    nobody_shares_a_block::<ours::Owners<Ticket, Atomic, Deferred>>();
    nobody_shares_a_block::<floor::Floor>();
    nobody_shares_a_block::<original::Original<false>>();
    nobody_shares_a_block::<original::Original<true>>();
    nobody_shares_a_block::<split::Split>();
    nobody_shares_a_block::<crates::BsaFrame>();
    nobody_shares_a_block::<crates::BsaHeap>();
    nobody_shares_a_block::<heaps::Behind<crates::BuddySlab>>();
    nobody_shares_a_block::<crates::Bitmap>();
    nobody_shares_a_block::<heaps::Behind<crates::Ranges>>();
    nobody_shares_a_block::<heaps::Behind<heaps::Talc>>();
    nobody_shares_a_block::<heaps::Behind<heaps::Rlsf>>();
    nobody_shares_a_block::<heaps::Behind<heaps::LinkedList>>();
    nobody_shares_a_block::<heaps::Behind<heaps::BuddyAlloc>>();
    nobody_shares_a_block::<heaps::Behind<heaps::Buddyalloc>>();
}

#[test]
#[should_panic(expected = "somebody else wrote to an allocated block")]
fn a_page_handed_out_twice_is_noticed() {
    nobody_shares_a_block::<Faulty<{ Fault::Twice as u8 }>>();
}

fn measured<S: Subject>(workload: Workload) -> anyhow::Result<Option<Measured>> {
    plain::<S>(&cell(&arena(), workload))
}

#[test]
fn a_lost_page_is_noticed() {
    let kept = measured::<Faulty<{ Fault::None as u8 }>>(Workload::W4).unwrap().unwrap();
    assert_eq!(kept.conserved, Some(true));
    let lost = measured::<Faulty<{ Fault::Loses as u8 }>>(Workload::W4).unwrap().unwrap();
    assert_eq!(lost.conserved, Some(false));
}

#[test]
fn a_refusal_ends_the_measurement_in_all_threads() {
    for workload in [Workload::W1, Workload::W4, Workload::W9] {
        let error = measured::<Faulty<{ Fault::Refuses as u8 }>>(workload).unwrap_err();
        assert!(error.to_string().contains("refused"), "{error}");
    }
}

/// What is wrong with a subject.
enum Fault {
    None,
    Loses,
    Twice,
    Refuses,
}

/// A stack of page numbers with something wrong, every thousandth time.
struct Faulty<const FAULT: u8> {
    free: Mutex<(Vec<usize>, usize)>,
    base: usize,
}

impl<const FAULT: u8> Subject for Faulty<FAULT> {
    type Local<'s> = &'s Self;
    const ORDERS: bool = false;

    fn new(arena: &'static Arena) -> anyhow::Result<Self> {
        Ok(Self { free: Mutex::new(((0..PAGES).collect(), 0)), base: arena.base() })
    }

    fn locals(&mut self, threads: usize) -> Vec<&Self> {
        (0..threads).map(|_| &*self).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        Some(self.free.lock().unwrap().0.len())
    }
}

impl<const FAULT: u8> Pages for &Faulty<FAULT> {
    type Page = usize;

    fn alloc(&mut self, _: u8) -> Result<usize, Refused> {
        let mut free = self.free.lock().unwrap();
        free.1 += 1;
        let now = free.1.is_multiple_of(1000);
        if now && FAULT == Fault::Refuses as u8 {
            return Err(Refused);
        }
        let page = free.0.pop().ok_or(Refused)?;
        if now && FAULT == Fault::Twice as u8 {
            free.0.push(page);
        }
        Ok(page)
    }

    fn free(&mut self, page: usize, _: u8) -> Result<(), Refused> {
        let mut free = self.free.lock().unwrap();
        if !(free.1.is_multiple_of(1000) && FAULT == Fault::Loses as u8) {
            free.0.push(page);
        }
        Ok(())
    }

    fn address(&self, page: usize) -> *mut u8 {
        std::ptr::with_exposed_provenance_mut(self.base + page * PAGE)
    }
}
