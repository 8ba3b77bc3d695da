//! The samples of an instrumented lock, on a clock that the test moves.

#![cfg(not(loom))]

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use hyp_locks::{Acquired, Instrumented, Mcs, Probe, Queued, Ticket};
use lock_api::{Mutex, MutexGuard, RawMutex};

/// A clock of this thread that is moved by hand, and the samples of this thread.
struct ByHand;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static PANIC_AT: Cell<Option<u64>> = const { Cell::new(None) };
    static SAMPLES: RefCell<Vec<(Acquired, u64)>> = const { RefCell::new(Vec::new()) };
    static ACQUIRED: Cell<Option<Acquired>> = const { Cell::new(None) };
}

impl Probe for ByHand {
    fn now() -> u64 {
        let now = NOW.get();
        NOW.set(now + 1);
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
fn a_waiter_measures_the_hand_over() {
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
