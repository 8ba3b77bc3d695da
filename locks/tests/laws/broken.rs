//! Locks that break the laws, one each: a law that does not tell is no law.
//!
//! That two threads meet inside, or that one overtakes another, is forced here, not hoped for: these tests hold under
//! every schedule.

use std::cell::Cell;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::thread;

use hyp_locks::laws::{self, Core, Violation};
use lock_api::{GuardSend, RawMutex};

use crate::crew::{self, THREADS, crew};

/// A correct lock, but for what `FAULT` names.
#[derive(Default)]
struct Broken<const FAULT: u8> {
    held: AtomicBool,
    /// Its own address, for the fault of keeping it.
    here: AtomicPtr<()>,
}

const LETS_ALL_IN: u8 = 0;
const TRY_LOCK_TAKES_HELD: u8 = 1;
const TRY_LOCK_REFUSES_FREE: u8 = 2;
const IS_LOCKED_SAYS_NO: u8 = 3;
const KNOWS_ITS_ADDRESS: u8 = 4;

// SAFETY: none: that is what the laws must find. What it guards is atomic, so nothing undefined happens.
unsafe impl<const FAULT: u8> RawMutex for Broken<FAULT> {
    const INIT: Self = Self { held: AtomicBool::new(false), here: AtomicPtr::new(ptr::null_mut()) };

    type Guard = GuardSend;

    fn lock(&self) -> GuardSend {
        while self.held.swap(true, Ordering::Acquire) && FAULT != LETS_ALL_IN {
            thread::yield_now();
        }
        self.here.store(ptr::from_ref(self).cast_mut().cast(), Ordering::Relaxed);
        INSIDE.set(true);
        GuardSend::new()
    }

    fn try_lock(&self) -> Option<GuardSend> {
        if FAULT == TRY_LOCK_REFUSES_FREE {
            return None;
        }
        let held = self.held.swap(true, Ordering::Acquire);
        if held && FAULT != TRY_LOCK_TAKES_HELD {
            return None;
        }
        INSIDE.set(true);
        Some(GuardSend::new())
    }

    unsafe fn unlock(&self, _: GuardSend) {
        INSIDE.set(false);
        self.held.store(false, Ordering::Release);
    }

    fn is_locked(&self) -> bool {
        match FAULT {
            IS_LOCKED_SAYS_NO => false,
            KNOWS_ITS_ADDRESS => {
                self.held.load(Ordering::Relaxed)
                    && ptr::eq(self.here.load(Ordering::Relaxed).cast_const().cast(), ptr::from_ref(self))
            }
            _ => self.held.load(Ordering::Relaxed),
        }
    }
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Keeps a law with four threads of which two must meet inside: `idle` is [`idle_and_meet`], and the laws idle in the
/// first section of each thread.
///
/// The law must tell: both were inside before anyone had left, so one of them saw that the other had begun, or both
/// counted from 0 and an update is lost.
fn exclusion_fails(idle: fn(), law: impl Fn(Core, u32) -> Result<(), Violation> + Sync) {
    let found = crew::idling(4, idle, law);
    assert!(matches!(found, Err(Violation::TwoInside | Violation::Unordered | Violation::Lost { .. })), "{found:?}");
}

/// Whoever idles inside stays until another one does.
fn idle_and_meet(met: &AtomicUsize) {
    thread::yield_now();
    if INSIDE.get() {
        met.fetch_add(1, Ordering::AcqRel);
        while met.load(Ordering::Acquire) < 2 {
            thread::yield_now();
        }
    }
}

#[test]
fn a_lock_that_lets_all_in_does_not_exclude() {
    static MET: AtomicUsize = AtomicUsize::new(0);
    let shared = laws::Shared::<Broken<LETS_ALL_IN>>::new();
    exclusion_fails(|| idle_and_meet(&MET), |core, rounds| laws::mutual_exclusion(&shared, core, rounds));
}

#[test]
fn a_try_lock_that_takes_a_held_lock_does_not_exclude() {
    static MET: AtomicUsize = AtomicUsize::new(0);
    let shared = laws::Shared::<Broken<TRY_LOCK_TAKES_HELD>>::new(); // threads 1 and 3 begin with `try_lock`
    exclusion_fails(|| idle_and_meet(&MET), |core, rounds| laws::try_lock_exclusion(&shared, core, rounds));
    assert_eq!(laws::alone::<Broken<TRY_LOCK_TAKES_HELD>>(), Err(Violation::TookHeld));
}

#[test]
fn a_try_lock_that_refuses_a_free_lock_is_told() {
    assert_eq!(laws::alone::<Broken<TRY_LOCK_REFUSES_FREE>>(), Err(Violation::RefusedFree));
}

#[test]
fn an_is_locked_that_says_no_is_told() {
    assert_eq!(laws::alone::<Broken<IS_LOCKED_SAYS_NO>>(), Err(Violation::IsLocked { expected: true }));
}

#[test]
fn a_lock_that_knows_its_address_cannot_be_moved() {
    laws::alone::<Broken<KNOWS_ITS_ADDRESS>>().unwrap();
    assert_eq!(laws::relocation::<Broken<KNOWS_ITS_ADDRESS>>(), Err(Violation::IsLocked { expected: true }));
}

/// Admits the waiter that came last.
struct LastFirst(Mutex<Stack>);

struct Stack {
    held: bool,
    came: usize,
    waiting: Vec<usize>,
    turn: usize,
}

static WAITS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: `held` is set by one and handed over to one, under the mutex.
unsafe impl RawMutex for LastFirst {
    const INIT: Self = Self(Mutex::new(Stack { held: false, came: 0, waiting: Vec::new(), turn: 0 }));

    type Guard = GuardSend;

    fn lock(&self) -> GuardSend {
        let mut stack = self.0.lock().unwrap();
        if !std::mem::replace(&mut stack.held, true) {
            return GuardSend::new();
        }
        stack.came += 1;
        let number = stack.came;
        stack.waiting.push(number);
        drop(stack);
        WAITS.fetch_add(1, Ordering::Release);
        while self.0.lock().unwrap().turn != number {
            thread::yield_now();
        }
        GuardSend::new()
    }

    fn try_lock(&self) -> Option<GuardSend> {
        let mut stack = self.0.lock().unwrap();
        (!std::mem::replace(&mut stack.held, true)).then(GuardSend::new)
    }

    unsafe fn unlock(&self, _: GuardSend) {
        let mut stack = self.0.lock().unwrap();
        match stack.waiting.pop() {
            Some(last) => stack.turn = last,
            None => stack.held = false,
        }
    }

    fn is_locked(&self) -> bool {
        self.0.lock().unwrap().held
    }
}

#[test]
fn a_lock_that_admits_the_last_one_first_is_not_fifo() {
    let shared = laws::Shared::<LastFirst>::new();
    let waits = || WAITS.load(Ordering::Acquire);
    let found = crew(|core, rounds| laws::fifo_admission(&shared, core, rounds / 10, waits));
    assert_eq!(found, Err(Violation::Overtaken { place: 1, admitted: THREADS - 1 }));
}
