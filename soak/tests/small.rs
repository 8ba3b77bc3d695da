//! A small soak, on one thread and on several: it ends, does what it was told, and finds nothing.

use soak::{Counts, Ledger, Lock, Settings, run};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const OPERATIONS: u64 = 100_000;

/// On a machine with much else to do, each handover to a third thread may take a time slice.
fn settings(threads: usize) -> Settings {
    let operations = if threads > 2 { OPERATIONS / 20 } else { OPERATIONS };
    Settings { operations, limit: None, threads, seed: 1, lock: Lock::Ticket, counts: Counts::Atomic }
}

#[test]
fn nothing_is_lost_on_one_thread_two_and_three() {
    for threads in 1..=3 {
        let told = AtomicU64::new(0);
        let settings = settings(threads);
        let end = run(&settings, &AtomicBool::new(false), |progress| told.store(progress.operations, Relaxed));
        let end = end.unwrap_or_else(|fault| panic!("{threads} threads: {}", fault.0));
        assert_eq!((end.operations, end.checks, told.into_inner()), (settings.operations, 2, settings.operations));
    }
}

#[test]
fn nothing_is_lost_under_any_lock_whoever_counts() {
    for lock in [Lock::Ticket, Lock::Mcs, Lock::Queued, Lock::Ttas] {
        for counts in [Counts::Atomic, Counts::Merged] {
            let settings = Settings { operations: OPERATIONS / 20, lock, counts, ..settings(2) };
            let end = run(&settings, &AtomicBool::new(false), |_| ());
            let end = end.unwrap_or_else(|fault| panic!("{lock:?}, {counts:?}: {}", fault.0));
            assert_eq!((end.operations, end.checks), (settings.operations, 2));
        }
    }
}

#[test]
fn who_is_asked_to_stop_stops_and_checks() {
    let end = run(&settings(2), &AtomicBool::new(true), |_| ()).unwrap();
    assert_eq!((end.operations, end.checks), (0, 2));
    let long = Settings { operations: u64::MAX, limit: Some(Duration::from_millis(200)), ..settings(2) };
    let end = run(&long, &AtomicBool::new(false), |_| ()).unwrap();
    assert!(end.operations > 0 && end.checks >= 2);
}

fn panics(call: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(call)).is_err()
}

#[test]
fn two_owners_of_a_page_are_noticed() {
    let ledger = Ledger::new(100, 8);
    let pfn = hyp_pool::Pfn::new;
    ledger.enter(pfn(104), 1, 1);
    assert!(panics(|| ledger.enter(pfn(104), 2, 2)));
    assert!(panics(|| ledger.leave(pfn(100), 0, 1)), "it was nobody's");
    assert!(panics(|| ledger.enter(pfn(106), 2, 1)), "past the end");
    ledger.read(pfn(104), 1, 1);
    assert!(panics(|| ledger.read(pfn(104), 2, 1)), "nobody has written its third frame");
}

/// Every worker waits at the barrier for the one that tells: it has to come there whatever happens.
#[test]
fn who_cannot_tell_ends_the_run_and_says_why() {
    let fault = run(&settings(2), &AtomicBool::new(false), |_| panic!("nobody listens")).unwrap_err();
    assert!(fault.0.starts_with("nobody listens (after about "), "{}", fault.0);
}
