//! The samples of an instrumented lock, on a clock that the test moves.

#![cfg(not(loom))]

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use hyp_locks::laws::Counted;
use hyp_locks::wait::Spin;
use hyp_locks::{Acquired, Instrumented, Mcs, Probe, Queued, Ticket};
use lock_api::{Mutex, MutexGuard, RawMutex};

/// A clock of this thread that is moved by hand, and the samples of this thread.
struct ByHand;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static STEP: Cell<u64> = const { Cell::new(1) };
    static PANIC_AT: Cell<Option<u64>> = const { Cell::new(None) };
    static SAMPLES: RefCell<Vec<(Acquired, u64)>> = const { RefCell::new(Vec::new()) };
    static ACQUIRED: Cell<Option<Acquired>> = const { Cell::new(None) };
}

impl Probe for ByHand {
    fn now() -> u64 {
        let now = NOW.get();
        NOW.set(now + STEP.get());
        assert!(PANIC_AT.get() != Some(now), "the clock broke");
        now
    }

    fn acquired(sample: Acquired) {
        assert!(ACQUIRED.replace(Some(sample)).is_none(), "one at a time");
    }

    fn released(hold: u64) {
        let acquired = ACQUIRED.take().expect("acquired comes first");
        SAMPLES.with_borrow_mut(|samples| samples.push((acquired, hold)));
    }
}

#[test]
fn a_free_lock_was_not_handed_over() {
    let mutex = Mutex::<Instrumented<Ticket, ByHand>, ()>::new(());
    NOW.set(100);
    let guard = mutex.lock(); // 100, 101
    NOW.set(150);
    assert_eq!(SAMPLES.take(), [], "nothing is recorded inside");
    drop(guard); // 150
    drop(mutex.try_lock().unwrap()); // 151, 152 .. 153
    let expected = [(Acquired { wait: 1, handover: None }, 49), (Acquired { wait: 1, handover: None }, 1)];
    assert_eq!(SAMPLES.take(), expected);
}

#[test]
fn a_refused_try_lock_is_no_section() {
    let mutex = Mutex::<Instrumented<Mcs, ByHand>, ()>::new(());
    let guard = mutex.lock();
    assert!(mutex.try_lock().is_none());
    drop(guard);
    assert_eq!(SAMPLES.take().len(), 1);
}

#[test]
fn a_fair_unlock_is_measured() {
    let mutex = Mutex::<Instrumented<Ticket, ByHand>, ()>::new(());
    let mut guard = mutex.lock();
    MutexGuard::bump(&mut guard);
    MutexGuard::unlock_fair(guard);
    assert_eq!(SAMPLES.take().len(), 2);
}

#[test]
fn a_clock_that_unwinds_leaves_nothing_held() {
    let mutex = Mutex::<Instrumented<Queued, ByHand>, ()>::new(());
    for at in 0..3 {
        NOW.set(0);
        PANIC_AT.set(Some(at)); // before the acquisition, after it, before the release
        catch_unwind(AssertUnwindSafe(|| drop(mutex.lock()))).unwrap_err();
        assert!(!mutex.is_locked(), "panic at {at}");
    }
}

/// A lock that is handed over at `BASE` + 30 to a waiter that came at `called`: the waiter's samples. It sees that it
/// has the lock at `BASE` + 37.
fn handed_over_to_a_waiter_since(called: u64) -> (Acquired, u64) {
    let lock = Instrumented::<Ticket<Counted<Spin>>, ByHand>::INIT;
    NOW.set(BASE);
    let guard = lock.lock();
    thread::scope(|scope| {
        let before = Counted::<Spin>::waits();
        let waiter = scope.spawn(|| {
            NOW.set(called);
            STEP.set(BASE + 37 - called); // from the call to the acquisition
            let guard = lock.lock();
            NOW.set(BASE + 40);
            // SAFETY: acquired above.
            unsafe { lock.unlock(guard) };
            SAMPLES.take()
        });
        while Counted::<Spin>::waits() == before {
            thread::yield_now();
        }
        NOW.set(BASE + 30);
        // SAFETY: acquired above.
        unsafe { lock.unlock(guard) };
        let [sample] = waiter.join().unwrap()[..] else { panic!("one section, one sample") };
        sample
    })
}

/// A time of which both words count.
const BASE: u64 = 5 << 32 | 100;

#[test]
fn a_handover_is_measured_from_the_release_and_the_wait_from_the_call() {
    let came_before = Acquired { wait: 27, handover: Some(7) };
    assert_eq!(handed_over_to_a_waiter_since(BASE + 10), (came_before, 3));
    let came_just_before = Acquired { wait: 8, handover: Some(7) };
    assert_eq!(handed_over_to_a_waiter_since(BASE + 29), (came_just_before, 3));
    let came_a_wrap_of_the_low_word_before = Acquired { wait: 237, handover: Some(7) };
    assert_eq!(handed_over_to_a_waiter_since(BASE - 200), (came_a_wrap_of_the_low_word_before, 3));
    let came_in_its_tick = Acquired { wait: 7, handover: None };
    assert_eq!(handed_over_to_a_waiter_since(BASE + 30), (came_in_its_tick, 3));
}

/// A probe that takes the lock whose samples it is given.
struct TakesIt;

static TAKEN_BY_ITS_PROBE: Instrumented<Queued, TakesIt> = RawMutex::INIT;

thread_local! {
    static TAKEN: Cell<u32> = const { Cell::new(0) };
    static TAKING: Cell<bool> = const { Cell::new(false) };
}

impl TakesIt {
    fn take() {
        if TAKING.replace(true) {
            return; // the sample of the section below
        }
        let guard = TAKEN_BY_ITS_PROBE.try_lock().expect("the probe is called outside of the section");
        // SAFETY: acquired above.
        unsafe { TAKEN_BY_ITS_PROBE.unlock(guard) };
        TAKING.set(false);
        TAKEN.set(TAKEN.get() + 1);
    }
}

impl Probe for TakesIt {
    fn now() -> u64 {
        0
    }

    fn acquired(_: Acquired) {
        Self::take();
    }

    fn released(_: u64) {
        Self::take();
    }
}

#[test]
fn the_probe_is_called_after_the_release() {
    let guard = TAKEN_BY_ITS_PROBE.lock();
    assert_eq!(TAKEN.get(), 0);
    // SAFETY: acquired above.
    unsafe { TAKEN_BY_ITS_PROBE.unlock(guard) };
    assert_eq!(TAKEN.get(), 2, "acquired and released");
}

/// One clock for all threads: each reading is a tick.
struct Ticks;

static TICKS: AtomicU64 = AtomicU64::new(1);
static HANDOVERS: AtomicU64 = AtomicU64::new(0);

impl Probe for Ticks {
    fn now() -> u64 {
        TICKS.fetch_add(1, Ordering::SeqCst)
    }

    fn acquired(sample: Acquired) {
        if let Some(handover) = sample.handover {
            assert!(handover <= sample.wait, "{sample:?}");
            HANDOVERS.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn released(_: u64) {}
}

#[test]
fn a_waiter_measures_the_handover() {
    let lock = Instrumented::<Ticket, Ticks>::INIT;
    let guard = lock.lock();
    let before = TICKS.load(Ordering::SeqCst);
    thread::scope(|scope| {
        scope.spawn(|| {
            let guard = lock.lock();
            // SAFETY: acquired above.
            unsafe { lock.unlock(guard) };
        });
        while TICKS.load(Ordering::SeqCst) == before {
            thread::yield_now(); // until the other has read the clock: it is waiting, or about to
        }
        // SAFETY: acquired above.
        unsafe { lock.unlock(guard) };
    });
    assert_eq!(HANDOVERS.load(Ordering::SeqCst), 1);
}
