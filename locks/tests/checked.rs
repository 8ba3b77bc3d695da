//! What a checked lock finds, and what it does not object to.

#![cfg(not(loom))]

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicUsize;

use hyp_locks::{Check, Checked, CpuId, Fault, Mcs, Ticket, cpu};
use lock_api::Mutex;

/// Each thread is a CPU, whose clock it moves itself, and keeps the faults that it is told.
struct Threads;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static FAULTS: RefCell<Vec<Fault>> = const { RefCell::new(Vec::new()) };
}

// SAFETY: a thread has a number of its own, and keeps it.
unsafe impl CpuId for Threads {
    fn cpu() -> usize {
        cpu::of_this_thread()
    }
}

impl Check for Threads {
    const LIMIT: u64 = 100;

    fn held() -> &'static AtomicUsize {
        static HELD: [AtomicUsize; 64] = [const { AtomicUsize::new(0) }; 64];
        &HELD[Self::cpu()]
    }

    fn now() -> u64 {
        NOW.get()
    }

    fn report(fault: &Fault) {
        FAULTS.with_borrow_mut(|faults| faults.push(*fault));
        if let Fault::Recursion { .. } = fault {
            panic!("{fault}");
        }
    }
}

type Locked = Mutex<Checked<Ticket, Threads>, ()>;

fn faults() -> Vec<Fault> {
    FAULTS.take()
}

#[test]
fn sections_in_order_and_in_time_are_not_objected_to() {
    let (a, b) = (Locked::new(()), Locked::new(()));
    for _ in 0..3 {
        let outer = a.lock();
        let inner = b.try_lock().unwrap();
        NOW.set(NOW.get() + 100);
        drop((inner, outer));
        lock_api::MutexGuard::unlock_fair(a.lock());
        let mut guard = a.lock();
        lock_api::MutexGuard::bump(&mut guard);
    }
    assert_eq!(faults(), []);
}

#[test]
fn who_waits_for_what_it_holds_is_told_where() {
    let mutex = Mutex::<Checked<Mcs, Threads>, ()>::new(());
    let line = line!() + 1;
    let guard = mutex.lock();
    assert!(mutex.try_lock().is_none(), "to try is no fault");
    assert_eq!(faults(), []);
    catch_unwind(AssertUnwindSafe(|| drop(mutex.lock()))).unwrap_err();
    match faults()[..] {
        [Fault::Recursion { cpu, held_since, wanted }] => {
            assert_eq!((cpu, held_since.line(), wanted.line()), (Threads::cpu(), line, line + 3));
            assert_eq!(wanted.file(), file!());
        }
        ref other => panic!("{other:?}"),
    }
    drop(guard);
    drop(mutex.lock());
    assert_eq!(faults(), [], "what was released is not held");
}

#[test]
fn another_cpu_may_wait() {
    let mutex = Locked::new(());
    let guard = mutex.lock();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            drop(mutex.lock());
            faults()
        });
        std::thread::yield_now();
        drop(guard);
        assert_eq!(waiter.join().unwrap(), []);
    });
    assert_eq!(faults(), []);
}

#[test]
fn a_section_that_takes_too_long_is_named() {
    let mutex = Locked::new(());
    let line = line!() + 1;
    let guard = mutex.lock();
    NOW.set(NOW.get() + 101);
    drop(guard);
    match faults()[..] {
        [Fault::HeldTooLong { ticks: 101, acquired }] => assert_eq!(acquired.line(), line),
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_release_out_of_order_is_named() {
    let (a, b, c) = (Locked::new(()), Locked::new(()), Locked::new(()));
    let line = line!() + 1;
    let first = a.lock();
    let (second, third) = (b.lock(), c.lock());
    drop(first);
    match faults()[..] {
        [Fault::OutOfOrder { acquired, later: 2 }] => assert_eq!(acquired.line(), line),
        ref other => panic!("{other:?}"),
    }
    drop((third, second));
    assert_eq!(faults(), [], "the others are in order");
}
