//! What a checked lock finds, and what it does not object to.

#![cfg(not(loom))]

#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod stepping;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicUsize;

use hyp_locks::timed::Monotonic;
use hyp_locks::{
    Acquired, Check, Checked, CpuId, Fault, Instrumented, IrqSave, Mcs, Probe, Recorder, Ticket, Timed, cpu,
};
use lock_api::{GuardSend, Mutex, RawMutex};

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

struct NoProbe;

impl Probe for NoProbe {
    fn now() -> u64 {
        0
    }

    fn acquired(_: Acquired) {}

    fn released(_: u64) {}
}

#[test]
fn places_are_the_callers_whatever_is_around_the_check() {
    fn too_long<L: RawMutex>() {
        let mutex = Mutex::<L, ()>::new(());
        let line = line!() + 1;
        let guard = mutex.lock();
        NOW.set(NOW.get() + 101);
        drop(guard);
        match faults()[..] {
            [Fault::HeldTooLong { acquired, .. }] => assert_eq!((acquired.file(), acquired.line()), (file!(), line)),
            ref other => panic!("{other:?}"),
        }
    }
    type Inner = Checked<Ticket, Threads>;
    too_long::<IrqSave<Inner, Recorder>>();
    too_long::<Timed<Inner, Monotonic>>();
    too_long::<Instrumented<Inner, NoProbe>>();
    too_long::<Checked<IrqSave<Ticket, Recorder>, Threads>>();
}

/// A lock that lets everyone in. What comes just after a release may be another CPU, which a test writes.
struct Handed;

/// The CPU that the test says this thread is.
struct Said;

thread_local! {
    static CPU: Cell<usize> = const { Cell::new(0) };
    static AFTER_RELEASE: Cell<Option<fn()>> = const { Cell::new(None) };
    /// The line since which the lock is held, of the first fault.
    static HELD_SINCE: Cell<Option<u32>> = const { Cell::new(None) };
}

// SAFETY: one thread uses it, for nothing.
unsafe impl RawMutex for Handed {
    const INIT: Self = Self;

    type Guard = GuardSend;

    fn lock(&self) -> GuardSend {
        GuardSend::new()
    }

    fn try_lock(&self) -> Option<GuardSend> {
        Some(GuardSend::new())
    }

    unsafe fn unlock(&self, _: GuardSend) {
        if let Some(act) = AFTER_RELEASE.take() {
            act();
        }
    }

    fn is_locked(&self) -> bool {
        false
    }
}

// SAFETY: one thread after the other is each of these CPUs.
unsafe impl CpuId for Said {
    fn cpu() -> usize {
        CPU.get()
    }
}

impl Check for Said {
    fn held() -> &'static AtomicUsize {
        static HELD: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
        &HELD[Self::cpu()]
    }

    fn report(fault: &Fault) {
        if let Fault::Recursion { held_since, .. } = fault
            && HELD_SINCE.get().is_none()
        {
            HELD_SINCE.set(Some(held_since.line()));
        }
    }
}

#[test]
fn a_release_does_not_undo_the_note_of_who_comes_next() {
    static MUTEX: Mutex<Checked<Handed, Said>, ()> = Mutex::new(());
    const LINE: u32 = line!() + 3;
    AFTER_RELEASE.set(Some(|| {
        CPU.set(1);
        std::mem::forget(MUTEX.lock());
        CPU.set(0);
    }));
    drop(MUTEX.lock());
    CPU.set(1);
    std::mem::forget(MUTEX.lock());
    assert_eq!(HELD_SINCE.get(), Some(LINE), "CPU 1 waits for what it holds");
}

/// After each instruction of an acquisition, in turn, a handler waits for the same lock.
#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
#[test]
fn who_finds_its_number_finds_the_place() {
    type Lock = Mutex<Checked<Handed, Said>, ()>;
    thread_local! {
        static LOCK: Cell<Option<&'static Lock>> = const { Cell::new(None) };
        static TOLD: Cell<Option<u32>> = const { Cell::new(None) };
    }
    fn handler() {
        std::mem::forget(LOCK.get().map(|mutex| mutex.lock()));
        TOLD.set(HELD_SINCE.take());
    }
    let mut told = 0;
    for at in 0.. {
        let mutex: &Lock = Box::leak(Box::new(Mutex::new(())));
        LOCK.set(Some(mutex));
        drop(mutex.lock()); // another place
        let (came, line) = stepping::interrupted(at, handler, || {
            std::mem::forget(mutex.lock());
            line!() - 1
        });
        if !came {
            break;
        }
        if let Some(since) = TOLD.take() {
            assert_eq!(since, line, "instruction {at}");
            told += 1;
        }
        HELD_SINCE.take(); // found by what was interrupted: the handler has not let go
    }
    assert!(told > 5, "interrupted too seldom: {told}");
}

#[test]
fn a_bump_keeps_the_place_and_begins_a_new_time() {
    let mutex = Locked::new(());
    let line = line!() + 1;
    let mut guard = mutex.lock();
    NOW.set(NOW.get() + 90);
    lock_api::MutexGuard::bump(&mut guard);
    NOW.set(NOW.get() + 90);
    assert_eq!(faults(), [], "neither half is too long");
    catch_unwind(AssertUnwindSafe(|| drop(mutex.lock()))).unwrap_err();
    match faults()[..] {
        [Fault::Recursion { held_since, .. }] => assert_eq!((held_since.file(), held_since.line()), (file!(), line)),
        ref other => panic!("{other:?}"),
    }
    NOW.set(NOW.get() + 101);
    drop(guard);
    match faults()[..] {
        [Fault::HeldTooLong { acquired, .. }] => assert_eq!((acquired.file(), acquired.line()), (file!(), line)),
        ref other => panic!("{other:?}"),
    }
}
