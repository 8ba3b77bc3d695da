//! What neither the laws nor loom see of a bakery lock: that every access is made visible, and interrupt handlers of
//! the same CPU.

#![cfg(not(loom))]

#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod stepping;

use std::cell::Cell;

use hyp_locks::bakery::{Line, Visibility};
use hyp_locks::wait::Spin;
use hyp_locks::{Bakery, CpuId};
use lock_api::RawMutex;

/// How many CPUs the locks here have. One of them runs.
const CPUS: usize = 3;

struct Cpu1;

// SAFETY: a test has one thread for each of its locks, and its handlers interrupt that one.
unsafe impl CpuId for Cpu1 {
    fn cpu() -> usize {
        1
    }
}

thread_local! {
    static PUBLISHED: Cell<usize> = const { Cell::new(0) };
    static REFRESHED: Cell<usize> = const { Cell::new(0) };
}

/// Counts.
struct Counting;

// SAFETY: the host is coherent.
unsafe impl Visibility for Counting {
    fn publish(_: &Line) {
        PUBLISHED.set(PUBLISHED.get() + 1);
    }

    fn refresh(_: &Line) {
        REFRESHED.set(REFRESHED.get() + 1);
    }
}

#[test]
fn every_store_is_published_and_every_load_refreshed() {
    let counts = || (PUBLISHED.take(), REFRESHED.take());
    let lock = Bakery::<Cpu1, CPUS, Counting>::INIT;

    let guard = lock.lock();
    assert_eq!(counts(), (2, 2 * (CPUS - 1)), "choosing and number; each other CPU while choosing and while waiting");
    assert!(lock.try_lock().is_none());
    assert_eq!(counts(), (0, 2), "a look at CPUs 0 and 1 is enough");
    // SAFETY: acquired above.
    unsafe { lock.unlock(guard) };
    assert_eq!(counts(), (1, 0));

    let guard = lock.try_lock().unwrap();
    assert_eq!(counts(), (2, CPUS + 2 * (CPUS - 1)), "as lock, after a look at all");
    // SAFETY: acquired above.
    unsafe { lock.unlock(guard) };
}

#[test]
fn the_last_number_may_be_drawn() {
    let lock = Bakery::<Cpu1, CPUS, Counting, Spin, 2>::INIT;
    for _ in 0..3 {
        let guard = lock.lock();
        // SAFETY: acquired above.
        unsafe { lock.unlock(guard) };
    }
}

/// After each instruction of an acquisition in turn, a handler takes the lock, or tries to.
#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod a_handler_after_every_instruction {
    use hyp_locks::bakery::BakeryGuard;

    use super::*;
    use crate::stepping::interrupted;

    type Lock = Bakery<Cpu1, 2>;

    thread_local! {
        static LOCK: Cell<Option<&'static Lock>> = const { Cell::new(None) };
        /// Whether the handler keeps what it gets, and it.
        static KEEPS: Cell<bool> = const { Cell::new(false) };
        static KEPT: Cell<Option<BakeryGuard>> = const { Cell::new(None) };
        static GOT_IT: Cell<bool> = const { Cell::new(false) };
    }

    fn handler() {
        let lock = LOCK.get().expect("set before the first step");
        let guard = lock.try_lock();
        GOT_IT.set(guard.is_some());
        match guard {
            Some(guard) if KEEPS.get() => KEPT.set(Some(guard)),
            // SAFETY: acquired above.
            Some(guard) => unsafe { lock.unlock(guard) },
            None => (),
        }
    }

    /// Interrupts `acquire` after each of its instructions; `check` gets what came of it. How often the handler got the
    /// lock, and did not.
    fn sweep<R>(
        keeps: bool,
        acquire: impl Fn(&Lock) -> R,
        check: impl Fn(&Lock, R, Option<BakeryGuard>),
    ) -> [usize; 2] {
        let mut handlers = [0, 0];
        for at in 0.. {
            let lock: &'static Lock = Box::leak(Box::new(Lock::INIT));
            LOCK.set(Some(lock));
            KEEPS.set(keeps);
            let (came, acquired) = interrupted(at, handler, || acquire(lock));
            if !came {
                break;
            }
            handlers[usize::from(!GOT_IT.get())] += 1;
            check(lock, acquired, KEPT.take());
            assert!(!lock.is_locked(), "left held, instruction {at}");
            assert!(lock.try_lock().is_some(), "left shut, instruction {at}");
        }
        println!("handlers that got the lock, and did not: {handlers:?}");
        handlers
    }

    #[test]
    fn that_keeps_what_it_gets_excludes_a_try() {
        let [kept, refused] = sweep(true, Lock::try_lock, |lock, ours, theirs| {
            assert!(ours.is_some() != theirs.is_some(), "one of the two holds: {ours:?}, {theirs:?}");
            // SAFETY: acquired by the code or by its handler, which holds no more.
            ours.or(theirs).into_iter().for_each(|guard| unsafe { lock.unlock(guard) });
        });
        assert!(kept > 10 && refused > 10, "interrupted too seldom: {kept}, {refused}");
    }

    #[test]
    fn that_lets_go_again_does_not_disturb_a_section() {
        let section = |lock: &Lock| {
            let guard = lock.lock();
            // SAFETY: acquired above.
            unsafe { lock.unlock(guard) };
        };
        let [let_go, refused] = sweep(false, section, |_, (), kept| assert!(kept.is_none()));
        assert!(let_go > 10 && refused > 10, "interrupted too seldom: {let_go}, {refused}");
    }
}
