//! Waiting with a deadline: by a clock that only the test moves.

#![cfg(not(loom))]

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use hyp_locks::qspin::{CpuNodes, Nodes};
use hyp_locks::timed::{Between, Doze, Monotonic, Poll, Watch};
use hyp_locks::wait::Word;
use hyp_locks::{
    Acquired, Check, Checked, Clock, CpuId, Instrumented, IrqSave, Mcs, Probe, QSpin, Queued, Recorder, Tas, Ticket,
    Timed, Ttas,
};
use lock_api::{GuardSend, Mutex, RawMutex};

/// Moves on by one with each look.
struct Turns;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
}

impl Clock for Turns {
    type Duration = u64;
    type Instant = u64;

    fn now() -> u64 {
        NOW.set(NOW.get() + 1);
        NOW.get()
    }

    fn after(turns: u64) -> u64 {
        NOW.get().saturating_add(turns)
    }
}

#[test]
fn a_free_lock_is_taken_without_a_look_at_the_clock() {
    let mutex = Mutex::<Timed<Tas, Turns>, ()>::new(());
    drop(mutex.try_lock_for(0).expect("it is free"));
    assert_eq!(NOW.get(), 0);
}

#[test]
fn who_waits_gives_up_at_the_deadline_and_not_before() {
    let mutex = Mutex::<Timed<Mcs, Turns>, ()>::new(());
    let guard = mutex.lock();
    assert!(mutex.try_lock_for(10).is_none());
    assert_eq!(NOW.get(), 10);
    assert!(mutex.try_lock_until(5).is_none(), "a deadline that has passed");
    assert_eq!(NOW.get(), 11);
    drop(guard);
    assert!(mutex.try_lock_until(5).is_some(), "it is tried once in any case");
    assert!(mutex.try_lock().is_some(), "who gave up has left nothing behind");
}

#[test]
fn who_waits_gets_the_lock_when_it_is_released() {
    fn waits<L: RawMutex + Sync, B: Between<L>>() {
        let mutex = Mutex::<Timed<L, Monotonic, B>, u32>::new(0);
        std::thread::scope(|scope| {
            let guard = mutex.lock();
            let waiter = scope.spawn(|| {
                *mutex.try_lock_for(std::time::Duration::MAX).expect("there is time enough") += 1;
            });
            std::thread::yield_now();
            drop(guard);
            waiter.join().unwrap();
        });
        assert_eq!(*mutex.lock(), 1);
    }
    waits::<Tas, Poll>();
    waits::<Tas, Doze>();
    waits::<Ticket, Doze>();
}

struct OneCpu;

// SAFETY: the locks here are taken by one thread each, and nobody waits in a queue.
unsafe impl CpuId for OneCpu {
    fn cpu() -> usize {
        0
    }
}

impl Nodes for OneCpu {
    fn nodes() -> &'static [CpuNodes] {
        &[]
    }
}

impl Check for OneCpu {
    fn held() -> &'static AtomicUsize {
        static HELD: AtomicUsize = AtomicUsize::new(0);
        &HELD
    }
}

impl Probe for OneCpu {
    fn now() -> u64 {
        0
    }

    fn acquired(_: Acquired) {}

    fn released(_: u64) {}
}

/// Or who dozes would not wake.
#[test]
fn every_release_changes_the_word_that_is_watched() {
    fn changes<L: Watch>() {
        let lock = L::INIT;
        let guard = lock.lock();
        let held = lock.word().look();
        // SAFETY: acquired above.
        unsafe { lock.unlock(guard) };
        assert!(lock.word().look() != held);
    }
    changes::<Tas>();
    changes::<Ttas>();
    changes::<Ticket>();
    changes::<Queued>();
    changes::<QSpin<OneCpu>>();
    changes::<IrqSave<Ticket, Recorder>>();
    changes::<Checked<Ticket, OneCpu>>();
    changes::<Instrumented<Tas, OneCpu>>();
}

thread_local! {
    static NAPS: Cell<u32> = const { Cell::new(0) };
}

/// Its nap is until the deadline, unless the word is not what it was.
struct Sleeper;

impl Clock for Sleeper {
    type Duration = u64;
    type Instant = u64;

    fn now() -> u64 {
        Turns::now()
    }

    fn after(turns: u64) -> u64 {
        Turns::after(turns)
    }

    fn nap<A: Word>(word: &A, seen: A::Value, deadline: u64) {
        NAPS.set(NAPS.get() + 1);
        if word.look() == seen {
            NOW.set(deadline);
        }
    }
}

#[test]
fn who_dozes_naps_once_where_nobody_releases() {
    let mutex = Mutex::<Timed<Ticket, Sleeper, Doze>, ()>::new(());
    let guard = mutex.lock();
    assert!(mutex.try_lock_for(1000).is_none());
    assert_eq!((NAPS.get(), NOW.get()), (1, 1001), "a nap to the deadline, a try, and a look at the clock");
    drop(guard);
    assert!(mutex.try_lock_for(1000).is_some());
}

/// A lock whose `try_lock` a test writes: what becomes of its word, and whether it succeeds.
struct Written(AtomicU32);

thread_local! {
    static TRY: Cell<fn(&AtomicU32) -> bool> = const { Cell::new(|_| true) };
}

// SAFETY: it is used by one thread, and guards nothing.
unsafe impl RawMutex for Written {
    const INIT: Self = Self(AtomicU32::new(0));

    type Guard = GuardSend;

    fn lock(&self) -> GuardSend {
        unreachable!("it is only tried")
    }

    fn try_lock(&self) -> Option<GuardSend> {
        TRY.get()(&self.0).then(GuardSend::new)
    }

    unsafe fn unlock(&self, _: GuardSend) {}

    fn is_locked(&self) -> bool {
        unreachable!("nobody asks")
    }
}

impl Watch for Written {
    type Word = AtomicU32;

    fn word(&self) -> &AtomicU32 {
        &self.0
    }
}

#[test]
fn a_release_just_after_a_try_in_vain_is_not_slept_over() {
    TRY.set(|word| word.fetch_add(1, Relaxed) > 0);
    let mutex = Mutex::<Timed<Written, Sleeper, Doze>, ()>::new(());
    assert!(mutex.try_lock_until(1000).is_some());
    assert_eq!((NAPS.get(), NOW.get()), (1, 2), "two looks at the clock, and a nap that ends at once");
}

#[test]
fn who_gives_up_has_tried_after_the_deadline() {
    TRY.set(|_| NOW.get() >= 10);
    let mutex = Mutex::<Timed<Written, Turns>, ()>::new(());
    assert!(mutex.try_lock_until(10).is_some(), "it is free from the deadline on");
}
