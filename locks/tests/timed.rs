//! Waiting with a deadline: by a clock that only the test moves.

#![cfg(not(loom))]

use std::cell::Cell;

use hyp_locks::{Clock, Mcs, Tas, Timed};
use lock_api::Mutex;

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
    let mutex = Mutex::<Timed<Tas, hyp_locks::timed::Monotonic>, u32>::new(0);
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
