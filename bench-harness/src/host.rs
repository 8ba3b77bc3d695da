//! This host as a machine of the instrument: threads, each kept on a core of its own.
//!
//! The clock is the counter that user programs can read (the invariant TSC, `CNTVCT_EL0`), through `quanta`, which
//! calibrates it once, before any worker starts. It reads it without a barrier, unlike the boards' `counter()` with its
//! ISB: a core may read it a little before what stands before it is done, or after what stands behind it has begun, so
//! that an instrumented time is off by what the core reorders.

use std::cell::Cell;
use std::panic;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail};
use bench_core::own::{OwnLoad, OwnLock};
use bench_core::{Lock, MAX_CORES, Machine, Panicked, Workload};
use core_affinity::CoreId;
use hyp_locks::InterruptControl;

use crate::own;
use crate::placement::Placement;
use crate::session::Impossible;

static CLOCK: LazyLock<quanta::Clock> = LazyLock::new(quanta::Clock::new);

/// What the first worker that panicked said.
static LAST_WORDS: Mutex<Option<String>> = Mutex::new(None);

thread_local! {
    /// `None` in a thread that is no worker.
    static WORKER: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Workers of a batch wait until all of them are there.
const WAIT: u8 = 0;
const GO: u8 = 1;
const GO_HOME: u8 = 2;

/// The host.
#[derive(Debug)]
pub struct Host {
    cores: Vec<CoreId>,
    hz: u64,
    /// By how many cores the workers are shifted: worker `i` is on core `i + rotation`.
    rotation: AtomicUsize,
    /// Whether somebody has chosen the cores: then workers rotate among as many as there are workers.
    placed: bool,
    /// Whether pinning works here; found out before anything is measured.
    pins: bool,
    /// Whether a worker could not be pinned, though that worked before.
    slipped: AtomicBool,
    counter: bool,
}

impl Host {
    /// This host: calibrates the clock, finds the cores that this process may use, tries to pin a thread to each.
    ///
    /// # Errors
    ///
    /// There is no telling which cores those are, and how many; or no thread can be started.
    pub fn new() -> Result<Self> {
        Self::placed(&Placement::System)
    }

    /// The same, with its cores in the order of `placement`.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); or there is no such core.
    pub fn placed(placement: &Placement) -> Result<Self> {
        let cores = match core_affinity::get_core_ids() {
            Some(cores) if !cores.is_empty() => cores,
            _ => bail!("the operating system does not tell which cores this process may use"),
        };
        let available: Vec<usize> = cores.iter().map(|core| core.id).collect();
        let order = placement.order(&available, Path::new("/sys/devices/system/cpu")).map_err(Impossible)?;
        let cores: Vec<CoreId> = order.into_iter().take(MAX_CORES).map(|id| CoreId { id }).collect();
        let tries = cores.clone();
        let pins = thread::Builder::new()
            .spawn(move || tries.into_iter().all(core_affinity::set_for_current))
            .context("cannot start a thread")?
            .join()
            .unwrap_or(false);
        // Long enough to know the frequency to ten digits, short enough for the nanoseconds to fit.
        const TICKS: u64 = 1 << 40;
        let nanoseconds = CLOCK.delta_as_nanos(0, TICKS);
        let hz = u128::from(TICKS) * 1_000_000_000 / u128::from(nanoseconds.max(1));
        Ok(Self {
            cores,
            hz: hz.try_into().context("the clock is faster than can be")?,
            rotation: AtomicUsize::new(0),
            placed: *placement != Placement::System,
            pins,
            slipped: AtomicBool::new(false),
            counter: nanoseconds != TICKS,
        })
    }

    /// From the next pass on, worker `i` is on the core `i + rotation`: no core is always the first.
    pub fn rotate(&self, rotation: u32) {
        self.rotation.store(rotation as usize, Relaxed);
    }

    /// The cores, by the system's numbers, in the order in which workers get them.
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        self.cores.iter().map(|core| core.id).collect()
    }

    /// Whether workers stay on their cores: `false` if the system does not do it, or did not always.
    pub fn pins(&self) -> bool {
        self.pins && !self.slipped.load(Relaxed)
    }

    /// Whether the clock is a counter read without a system call.
    pub fn reads_a_counter(&self) -> bool {
        self.counter
    }

    fn begin(&self, worker: usize, workers: usize) {
        WORKER.set(Some(worker));
        let among = if self.placed { workers } else { self.cores.len() };
        let core = self.cores[(worker + self.rotation.load(Relaxed)) % among];
        if self.pins && !core_affinity::set_for_current(core) {
            self.slipped.store(true, Relaxed);
        }
    }
}

/// A panic of a worker is a result, to be told with the scenario: it is kept, not printed. Others are printed as ever.
pub fn quiet_workers() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if WORKER.get().is_none() {
            return others(info);
        }
        let said = info.payload_as_str().unwrap_or("something that is no text");
        let text = info.location().map_or_else(|| said.to_owned(), |at| format!("{said} ({at})"));
        LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
    }));
}

/// What the first worker said that has panicked since this was asked last.
pub fn last_words() -> Option<String> {
    LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// No interrupts: none reaches a thread.
#[derive(Clone, Copy, Debug)]
pub struct NoInterrupts;

// SAFETY: the promises of `InterruptControl` for a thread of this program:
// 1. what interrupts a thread is a signal; the only handlers are those of `ctrlc`, which write to a pipe, and of the
//    standard library; none takes a lock, so that no handler that does begins to run, masked or not;
// 2. no access needs to be kept within a region that excludes nobody; the fences keep them there nevertheless;
// 3. a fence does not unwind, and nests.
unsafe impl InterruptControl for NoInterrupts {
    type State = ();

    #[inline]
    fn save_and_mask() {
        std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    }

    #[inline]
    unsafe fn restore((): ()) {
        std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    }
}

impl Machine for Host {
    type Irq = NoInterrupts;

    const INTERRUPTS: bool = false;

    fn own_lock(lock: Lock) -> Option<OwnLock<Self>> {
        own::lock(lock)
    }

    fn own_workload(workload: Workload) -> Option<OwnLoad> {
        own::workload(workload)
    }

    #[inline]
    fn now() -> u64 {
        CLOCK.raw()
    }

    /// Of the thread that measures, before and after its workers: that of the first one, whose place is free then.
    #[inline]
    fn core() -> usize {
        WORKER.get().unwrap_or(0)
    }

    fn hz(&self) -> u64 {
        self.hz
    }

    fn cores(&self) -> usize {
        self.cores.len()
    }

    /// # Panics
    ///
    /// If the system starts no thread more.
    fn run_on(&self, cores: usize, work: &(dyn Fn(usize) + Sync)) -> Result<(), Panicked> {
        // Relaxed: the word says all there is to say; starting a thread publishes what it works on.
        let state = AtomicU8::new(WAIT);
        let worker = |i| {
            self.begin(i, cores);
            loop {
                match state.load(Relaxed) {
                    WAIT => thread::yield_now(),
                    GO => return work(i),
                    _ => return,
                }
            }
        };
        thread::scope(|scope| {
            let worker = &worker;
            let start = |i| thread::Builder::new().name(format!("worker {i}")).spawn_scoped(scope, move || worker(i));
            let started: Result<Vec<_>, _> = (0..cores).map(start).collect();
            state.store(if started.is_ok() { GO } else { GO_HOME }, Relaxed);
            let workers = started.unwrap_or_else(|error| panic!("cannot start {cores} threads: {error}"));
            let ends: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
            if ends.iter().all(Result::is_ok) { Ok(()) } else { Err(Panicked) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_know_who_they_are_and_a_panic_is_an_error_that_ends_all() {
        let host = Host::new().unwrap();
        let seen = Mutex::new(vec![]);
        let all = host.cores();
        host.run_on(all, &|i| seen.lock().unwrap().push((i, Host::core()))).unwrap();
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..all).map(|i| (i, i)).collect::<Vec<_>>());
        quiet_workers();
        assert_eq!(host.run_on(1, &|_| panic!("of {}", "purpose")), Err(Panicked));
        assert!(last_words().unwrap().starts_with("of purpose ("));
    }

    #[test]
    fn the_clock_runs_as_fast_as_it_says() {
        let host = Host::new().unwrap();
        let first = Host::now();
        let instant = std::time::Instant::now();
        let second = Host::now();
        thread::sleep(std::time::Duration::from_millis(200));
        let third = Host::now();
        let elapsed = instant.elapsed().as_secs_f64();
        let last = Host::now();
        // However long this thread is off its core: the outer ticks take longer than `elapsed`, the inner ones less.
        let seconds = |ticks: u64| ticks as f64 / host.hz() as f64;
        assert!(seconds(last - first) > elapsed * 0.9, "too slow");
        assert!(seconds(third - second) < elapsed * 1.1, "too fast");
    }
}
