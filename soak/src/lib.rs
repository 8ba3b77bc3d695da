//! A soak: every call of the pool, in a mix, on several threads, for as long as one likes.
//!
//! ```text
//!   worker 0  ── operations ──┐           ┌── operations ──┐           ┌── … ── all put back
//!   worker 1  ── operations ──┼─ barrier ─┼── operations ──┼─ barrier ─┼── … ── all put back
//!   …                         │   check   │                │   check   │              │
//!                                 every ten million operations                        whole?
//! ```
//!
//! * Each thread writes its number to every frame that it gets, in a [`Ledger`] beside the pool, and takes it away
//!   before it gives the frame up. Whoever finds another's number there has found two owners of a page.
//! * A word of each frame is plain memory, written by who gets it and read by all who have it: where the pool does not
//!   order the ones before the other, ThreadSanitizer tells. (A job of [`ci`](../../ci/matrix.toml) runs it.)
//! * Every ten million operations all threads stop, and what they say they have, what the ledger says, and what
//!   `HypPool::check` counts must agree to the page ([`check`]).
//! * At the end everything is put back, and the pool is the one range that it was.
//!
//! | module | |
//! |---|---|
//! | [`ledger`] | whose each frame is |
//! | [`commons`] | the pool, and what all threads share |
//! | [`worker`] | one thread's blocks, and the mix of calls |
//! | [`check`] | the sums, with the world stopped |
//! | [`choice`] | the lock, and who counts |
//! | [`unordered`] | a lock that ThreadSanitizer must catch |
//!
//! The locks are those whose waiters would spin for ever, and here let others run after a while ([`Yield`]): with more
//! threads than cores it goes on, slowly, with holders and waiters preempted wherever they are. What such a run is good
//! for.

pub mod check;
pub mod choice;
pub mod commons;
pub mod ledger;
pub mod unordered;
pub mod worker;

pub use choice::{Counts, Lock};
use commons::Commons;
use hyp_locks::wait::Yield;
use hyp_locks::{Mcs, Queued, Ticket, Ttas};
use hyp_pool::{Atomic, Merged, RefcountPath};
pub use ledger::Ledger;
use lock_api::RawMutex;
use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Barrier, Mutex, PoisonError};
use std::time::{Duration, Instant};
use unordered::Unordered;
use worker::{Holdings, Worker};

/// Operations between two checks, of all threads together.
pub const CHECK_EVERY: u64 = 10_000_000;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Operations, of all threads together.
    pub operations: u64,
    /// The longest that it may take.
    pub limit: Option<Duration>,
    /// Threads.
    pub threads: usize,
    /// What the mix follows from.
    pub seed: u64,
    /// The lock of the pool, and of what is around it.
    pub lock: Lock,
    /// How references are counted.
    pub counts: Counts,
}

/// How far a run is, told after each check.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Operations done.
    pub operations: u64,
    /// Checks passed.
    pub checks: u64,
    /// Frames that somebody has at this moment.
    pub in_use: usize,
    /// Since the start.
    pub elapsed: Duration,
}

/// What was wrong, in words.
#[derive(Debug)]
pub struct Fault(pub String);

/// Runs to the end, or until `stop`; either way everything is put back and checked then.
///
/// # Errors
///
/// [`Fault`]: two owners of a page, a sum that is off, an invariant violated, a call refused that was legal.
pub fn run(settings: &Settings, stop: &AtomicBool, told: impl Fn(Progress) + Sync) -> Result<Progress, Fault> {
    choose(settings, stop, &told)
}

/// Not generic, so that all pools are compiled once, with this library.
fn choose(settings: &Settings, stop: &AtomicBool, told: &(dyn Fn(Progress) + Sync)) -> Result<Progress, Fault> {
    match settings.lock {
        Lock::Ticket => with_lock::<Ticket<Yield>>(settings, stop, told),
        Lock::Mcs => with_lock::<Mcs<Yield>>(settings, stop, told),
        Lock::Queued => with_lock::<Queued<Yield>>(settings, stop, told),
        Lock::Ttas => with_lock::<Ttas<Yield>>(settings, stop, told),
        Lock::Unordered => with_lock::<Unordered>(settings, stop, told),
    }
}

fn with_lock<L: RawMutex + Send + Sync>(
    settings: &Settings,
    stop: &AtomicBool,
    told: &(dyn Fn(Progress) + Sync),
) -> Result<Progress, Fault> {
    match settings.counts {
        Counts::Atomic => soak::<L, Atomic>(settings, stop, told),
        Counts::Merged => soak::<L, Merged>(settings, stop, told),
    }
}

fn soak<L: RawMutex + Send + Sync, R: RefcountPath>(
    settings: &Settings,
    stop: &AtomicBool,
    told: &(dyn Fn(Progress) + Sync),
) -> Result<Progress, Fault> {
    let threads = settings.threads.max(1);
    let table = commons::vacant_table();
    let pool = commons::pool::<L, R>(&table);
    let commons = mem::ManuallyDrop::new(Commons::new(&pool)); // dropped if nothing is wrong with the pool
    let fault: Mutex<Option<String>> = Mutex::new(None);
    let complain = |cause: Box<dyn Any + Send>| {
        fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| in_words(&*cause));
        stop.store(true, Relaxed); // nobody needs to go on until the next check
    };
    let (barrier, done) = (Barrier::new(threads), AtomicBool::new(false));
    let (operations, checks, start) = (AtomicU64::new(0), AtomicU64::new(0), Instant::now());
    let holdings: Vec<Mutex<Holdings>> = (0..threads).map(|_| Mutex::default()).collect();
    let progress = |in_use| Progress {
        operations: operations.load(Relaxed),
        checks: checks.load(Relaxed),
        in_use,
        elapsed: start.elapsed(),
    };
    let out_of_time = || settings.limit.is_some_and(|limit| start.elapsed() >= limit);

    let work = |me: usize| {
        let mut worker = mem::ManuallyDrop::new(Worker::new(&commons, me, settings.seed));
        let mut left = share(settings.operations, threads, me);
        while !done.load(Relaxed) {
            let mut round = left.min(share(CHECK_EVERY, threads, me));
            while round > 0 && !stop.load(Relaxed) && !out_of_time() {
                let some = round.min(4096);
                // After a panic this worker makes no call any more, and is not dropped either.
                if let Err(cause) = catch_unwind(AssertUnwindSafe(|| (0..some).for_each(|_| worker.step()))) {
                    complain(cause);
                    break;
                }
                operations.fetch_add(some, Relaxed);
                (left, round) = (left - some, round - some);
            }
            *holdings[me].lock().unwrap_or_else(PoisonError::into_inner) = worker.holdings();
            // Relaxed everywhere: the barrier orders what was done before it.
            if barrier.wait().is_leader() {
                let all: Vec<Holdings> = holdings
                    .iter()
                    .map(|one| mem::take(&mut *one.lock().unwrap_or_else(PoisonError::into_inner)))
                    .collect();
                let sound = fault.lock().is_ok_and(|fault| fault.is_none());
                // Whatever is wrong, this thread has to come to the barrier: the others wait there.
                let check = AssertUnwindSafe(|| {
                    let in_use = check::all(&commons, &all);
                    checks.fetch_add(1, Relaxed);
                    told(progress(in_use));
                });
                if sound {
                    catch_unwind(check).unwrap_or_else(complain);
                }
                let over = operations.load(Relaxed) >= settings.operations || out_of_time();
                done.store(over || stop.load(Relaxed), Relaxed);
            }
            barrier.wait();
        }
        if fault.lock().is_ok_and(|fault| fault.is_none()) {
            let leave = AssertUnwindSafe(|| mem::ManuallyDrop::into_inner(worker).put_all());
            catch_unwind(leave).unwrap_or_else(complain);
        }
    };
    std::thread::scope(|scope| {
        let work = &work;
        (0..threads).for_each(|me| drop(scope.spawn(move || work(me))));
    });
    if fault.lock().is_ok_and(|fault| fault.is_none()) {
        let end = AssertUnwindSafe(|| mem::ManuallyDrop::into_inner(commons).end());
        catch_unwind(end).unwrap_or_else(complain);
        checks.fetch_add(1, Relaxed);
    }
    let end = progress(0);
    match fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
        None => Ok(end),
        Some(fault) => Err(Fault(format!("{fault} (after about {} operations)", end.operations))),
    }
}

/// The part of worker `me` of `n`.
const fn share(n: u64, threads: usize, me: usize) -> u64 {
    let threads = threads as u64;
    n / threads + if (me as u64) < n % threads { 1 } else { 0 }
}

/// What a panic said.
fn in_words(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}
