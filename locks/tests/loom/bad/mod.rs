//! Known-bad variants: small copies of the algorithms with a step left out, or done in two. A weakened ordering is for
//! the matrix ([`mutants`](crate::mutants)); these are faults of structure.
//!
//! The same model runs the variant without its fault first, and must pass: so what it finds is the fault. And it must
//! say what the fault leads to: a variant that fails by another way is no evidence.

mod qspin;

use std::panic::catch_unwind;
use std::ptr;
use std::sync::atomic::AtomicBool;

use hyp_locks::CpuId;
use hyp_locks::sync::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use hyp_locks::sync::{AtomicPtr, AtomicU32, fence};
use hyp_locks::wait::{Spin, Wait};
use lock_api::RawMutex;

use crate::model::{Cpu, Fresh, Lock, Try, exclusion, finding};

/// No fault.
const NONE: u8 = 0;

/// `lock` and `try_lock` read the number and write it back: two may draw the same one.
const DRAWS_IN_TWO_STEPS: u8 = 1;
/// `try_lock` draws a number before it knows whether it is on show, and goes away with it.
const DRAWS_IN_VAIN: u8 = 2;
/// `unlock` moves on by two: somebody's turn never comes.
const SHOWS_EVERY_OTHER: u8 = 3;
/// `unlock` stores without Release.
const RELEASES_NOTHING: u8 = 4;
/// Whoever finds that another has come, but is not linked yet, does not wait for the link.
const LOSES_THE_SUCCESSOR: u8 = 5;
/// The lock's `next` still is the last queue's when a new one begins there (M6 left out).
const KEEPS_A_STALE_NEXT: u8 = 6;
/// The head of the queue sees that the lock is free, and takes it with a store.
const TAKES_BY_STORE: u8 = 7;

/// The lock is seen to be free, and taken with a store.
const LOOKS_THEN_STORES: u8 = 8;
/// The holder's byte is set free by whoever gives up a wait.
const FREES_WHAT_IT_HAS_NOT: u8 = 9;

struct Tas<const FAULT: u8> {
    locked: AtomicU32,
}

impl<const FAULT: u8> Tas<FAULT> {
    fn new() -> Self {
        Self { locked: AtomicU32::new(0) }
    }

    fn attempt(&self) -> Option<u32> {
        if FAULT == LOOKS_THEN_STORES {
            let locked = self.locked.load(Acquire);
            self.locked.store(1, Relaxed);
            return (locked == 0).then_some(0);
        }
        let taken = self.locked.compare_exchange(0, 1, Acquire, Relaxed).ok();
        if FAULT == FREES_WHAT_IT_HAS_NOT && taken.is_none() {
            self.locked.store(0, Release);
        }
        taken
    }

    fn acquire(&self) -> u32 {
        while self.attempt().is_none() {
            Spin::until(&self.locked, |locked| locked);
        }
        0
    }

    fn release(&self, _: u32) {
        self.locked.store(0, if FAULT == RELEASES_NOTHING { Relaxed } else { Release });
    }

    fn held(&self) -> bool {
        self.locked.load(Relaxed) != 0
    }
}
/// Who chooses a number does not say so: others pass while it does.
const CHOOSES_IN_SECRET: u8 = 10;
/// Two with the same number both go first.
const BREAKS_NO_TIE: u8 = 11;
/// Who comes takes the first number, whatever is out.
const SEES_NO_NUMBER: u8 = 12;

struct Ticket<const FAULT: u8> {
    next: AtomicU32,
    owner: AtomicU32,
}

impl<const FAULT: u8> Ticket<FAULT> {
    fn new() -> Self {
        Self { next: AtomicU32::new(0), owner: AtomicU32::new(0) }
    }

    fn draw(&self) -> u32 {
        if FAULT == DRAWS_IN_TWO_STEPS {
            let ticket = self.next.load(Relaxed);
            self.next.store(ticket + 1, Relaxed);
            return ticket;
        }
        self.next.fetch_add(1, Relaxed)
    }

    fn acquire(&self) -> u32 {
        let ticket = self.draw();
        Spin::until(&self.owner, |owner| ticket.wrapping_sub(owner));
        ticket
    }

    fn attempt(&self) -> Option<u32> {
        let owner = self.owner.load(Acquire);
        if FAULT == DRAWS_IN_VAIN {
            return (self.draw() == owner).then_some(owner);
        }
        self.next.compare_exchange(owner, owner + 1, Relaxed, Relaxed).ok()
    }

    fn release(&self, ticket: u32) {
        let next = if FAULT == SHOWS_EVERY_OTHER { ticket + 2 } else { ticket + 1 };
        self.owner.store(next, if FAULT == RELEASES_NOTHING { Relaxed } else { Release });
    }

    fn held(&self) -> bool {
        self.owner.load(Acquire) != self.next.load(Relaxed)
    }
}

/// A queue node that outlives the wait: to use it later is found here, and is not undefined.
struct Node {
    next: AtomicPtr<Node>,
    wait: AtomicU32,
    left: AtomicBool,
}

impl Node {
    fn new() -> *mut Self {
        let (next, wait) = (AtomicPtr::new(ptr::null_mut()), AtomicU32::new(1));
        Box::into_raw(Box::new(Self { next, wait, left: AtomicBool::new(false) })) // leaked
    }

    fn at<'a>(node: *mut Self) -> &'a Self {
        // SAFETY: made by `new`, and never freed.
        let node = unsafe { &*node };
        assert!(!node.left.load(Relaxed), "a node is used after its owner has left");
        node
    }
}

fn link(next: &AtomicPtr<Node>) -> *mut Node {
    Spin::until(next, |next| u32::from(next.is_null()))
}

struct Queued<const FAULT: u8> {
    tail: AtomicPtr<Node>,
    locked: AtomicU32,
}

impl<const FAULT: u8> Queued<FAULT> {
    fn new() -> Self {
        Self { tail: AtomicPtr::new(ptr::null_mut()), locked: AtomicU32::new(0) }
    }

    fn attempt(&self) -> Option<u32> {
        self.locked.compare_exchange(0, 1, Acquire, Relaxed).ok()
    }

    fn acquire(&self) -> u32 {
        if self.tail.load(Relaxed).is_null() && self.attempt().is_some() {
            return 0;
        }
        let me = Node::new();
        let node = Node::at(me);
        let previous = self.tail.swap(me, AcqRel);
        if !previous.is_null() {
            Node::at(previous).next.store(me, Release);
            Spin::until(&node.wait, |wait| wait);
        }
        loop {
            Spin::until(&self.locked, |locked| locked);
            if FAULT == TAKES_BY_STORE {
                self.locked.store(1, Relaxed);
                break;
            }
            if self.attempt().is_some() {
                break;
            }
        }
        let mut successor = node.next.load(Acquire);
        let more = successor.is_null() && self.tail.compare_exchange(me, ptr::null_mut(), Relaxed, Relaxed).is_err();
        if more && FAULT != LOSES_THE_SUCCESSOR {
            successor = link(&node.next);
        }
        if !successor.is_null() {
            Node::at(successor).wait.store(0, Relaxed);
        }
        node.left.store(true, Relaxed);
        0
    }

    fn release(&self, _: u32) {
        self.locked.store(0, Release);
    }

    fn held(&self) -> bool {
        self.locked.load(Relaxed) != 0
    }
}

struct Mcs<const FAULT: u8> {
    tail: AtomicPtr<Node>,
    next: AtomicPtr<Node>,
}

const HELD: *mut Node = ptr::without_provenance_mut(1);

impl<const FAULT: u8> Mcs<FAULT> {
    fn new() -> Self {
        Self { tail: AtomicPtr::new(ptr::null_mut()), next: AtomicPtr::new(ptr::null_mut()) }
    }

    fn attempt(&self) -> Option<u32> {
        self.tail.compare_exchange(ptr::null_mut(), HELD, Acquire, Relaxed).ok().map(|_| 0)
    }

    fn acquire(&self) -> u32 {
        if self.attempt().is_some() {
            return 0;
        }
        let me = Node::new();
        let node = Node::at(me);
        let previous = self.tail.swap(me, AcqRel);
        if !previous.is_null() {
            let next = if previous == HELD { &self.next } else { &Node::at(previous).next };
            next.store(me, Release);
            Spin::until(&node.wait, |wait| wait);
        }
        let mut successor = node.next.load(Acquire);
        if successor.is_null() {
            if FAULT != KEEPS_A_STALE_NEXT {
                self.next.store(ptr::null_mut(), Relaxed);
            }
            if self.tail.compare_exchange(me, HELD, Release, Relaxed).is_err() {
                successor = link(&node.next);
            }
        }
        if !successor.is_null() {
            self.next.store(successor, Relaxed);
        }
        node.left.store(true, Relaxed);
        0
    }

    fn release(&self, _: u32) {
        let mut successor = self.next.load(Acquire);
        if successor.is_null() && self.tail.compare_exchange(HELD, ptr::null_mut(), Release, Relaxed).is_err() {
            if FAULT == LOSES_THE_SUCCESSOR {
                return;
            }
            successor = link(&self.next);
        }
        if !successor.is_null() {
            Node::at(successor).wait.store(0, Release);
        }
    }

    fn held(&self) -> bool {
        !self.tail.load(Relaxed).is_null()
    }
}

/// Two CPUs' words: 0 is away, 1 is choosing, else the number.
struct Bakery<const FAULT: u8> {
    words: [AtomicU32; 2],
}

impl<const FAULT: u8> Bakery<FAULT> {
    fn new() -> Self {
        Self { words: [AtomicU32::new(0), AtomicU32::new(0)] }
    }

    fn draw(&self) -> u32 {
        let [own, other] = self.own_and_other();
        if FAULT != CHOOSES_IN_SECRET {
            own.store(1, Relaxed);
        }
        fence(SeqCst);
        let largest = if FAULT == SEES_NO_NUMBER { 1 } else { other.load(Relaxed).max(1) };
        own.store(largest + 1, Relaxed);
        fence(SeqCst);
        largest + 1
    }

    fn own_and_other(&self) -> [&AtomicU32; 2] {
        [&self.words[Cpu::cpu()], &self.words[1 - Cpu::cpu()]]
    }

    fn before(word: u32, number: u32) -> bool {
        let tie = FAULT != BREAKS_NO_TIE && word == number && Cpu::cpu() == 1;
        word != 0 && (word < number || tie)
    }

    fn acquire(&self) -> u32 {
        let number = self.draw();
        Spin::until(self.own_and_other()[1], |word| u32::from(Self::before(word, number)));
        number
    }

    fn attempt(&self) -> Option<u32> {
        let number = self.draw();
        let [own, other] = self.own_and_other();
        if Self::before(other.load(Acquire), number) {
            own.store(0, Relaxed);
            return None;
        }
        Some(number)
    }

    fn release(&self, _: u32) {
        self.own_and_other()[0].store(0, Release);
    }

    fn held(&self) -> bool {
        self.words.iter().any(|word| word.load(Relaxed) > 1)
    }
}

macro_rules! raw_mutex {
    ($($lock:ident)*) => {$(
        // SAFETY: none, with a fault: that is what the models must find.
        unsafe impl<const FAULT: u8> RawMutex for $lock<FAULT> {
            const INIT: Self = panic!("a model makes its locks with fresh()");

            type Guard = u32;

            fn lock(&self) -> u32 {
                self.acquire()
            }

            fn try_lock(&self) -> Option<u32> {
                self.attempt()
            }

            unsafe fn unlock(&self, guard: u32) {
                self.release(guard);
            }

            fn is_locked(&self) -> bool {
                self.held()
            }
        }

        impl<const FAULT: u8> Fresh for $lock<FAULT> {
            fn fresh() -> Self {
                Self::new()
            }
        }
    )*};
}

raw_mutex!(Tas Ticket Queued Mcs Bakery);

const RACE: &str = "Concurrent write accesses";
/// All that is left to do is to look, and to look again.
const WAITS_FOR_EVER: &str = "exceeded maximum number of branches";
const STAYS_HELD: &str = "the lock stays held";
const USED_TOO_LATE: &str = "a node is used after its owner has left";

/// The model passes without the fault, and says this with it.
fn tells(sound: fn() -> u32, faulty: fn() -> u32, says: &str) {
    sound();
    let found = catch_unwind(faulty);
    let panic = found.expect_err("the model does not find the fault");
    let said = finding(&*panic);
    assert!(said.contains(says), "it says: {said}");
}

/// A lock, its fault, the model, and what it says.
macro_rules! known_bad {
    ($($name:ident: $lock:ident, $fault:ident, $plan:expr, $says:ident;)*) => {$(
        #[test]
        fn $name() {
            fn model<const FAULT: u8>() -> u32 {
                exclusion::<$lock<FAULT>>($plan, Some(3))
            }
            tells(model::<NONE>, model::<$fault>, $says);
        }
    )*};
}

known_bad! {
    a_flag_taken_in_two_steps: Tas, LOOKS_THEN_STORES, &[&[Lock], &[Lock]], RACE;
    a_flag_freed_by_who_has_it_not: Tas, FREES_WHAT_IT_HAS_NOT, &[&[Lock], &[Try], &[Try]], RACE;
    a_number_drawn_twice: Ticket, DRAWS_IN_TWO_STEPS, &[&[Lock], &[Lock]], RACE;
    a_number_drawn_in_vain: Ticket, DRAWS_IN_VAIN, &[&[Lock], &[Try]], STAYS_HELD;
    a_number_never_shown: Ticket, SHOWS_EVERY_OTHER, &[&[Lock], &[Lock]], WAITS_FOR_EVER;
    a_release_that_releases_nothing: Ticket, RELEASES_NOTHING, &[&[Lock], &[Lock]], RACE;
    a_queued_successor_lost: Queued, LOSES_THE_SUCCESSOR, &[&[Lock, Lock], &[Lock, Lock]], WAITS_FOR_EVER;
    a_queued_lock_taken_by_store: Queued, TAKES_BY_STORE, &[&[Lock], &[Lock, Lock]], RACE;
    an_mcs_successor_lost: Mcs, LOSES_THE_SUCCESSOR, &[&[Lock], &[Lock]], WAITS_FOR_EVER;
    an_mcs_link_to_one_who_has_left: Mcs, KEEPS_A_STALE_NEXT, &[&[Lock, Lock], &[Lock, Lock]], USED_TOO_LATE;
    a_bakery_without_choosing: Bakery, CHOOSES_IN_SECRET, &[&[Lock], &[Lock]], RACE;
    a_bakery_without_a_tie_break: Bakery, BREAKS_NO_TIE, &[&[Lock], &[Lock]], RACE;
    a_bakery_that_sees_no_number: Bakery, SEES_NO_NUMBER, &[&[Lock], &[Lock]], RACE;
}
