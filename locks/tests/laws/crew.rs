//! Threads that keep a law together, with a watchdog; and waiting for a host, where threads outnumber cores.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use hyp_locks::bakery::{Line, Visibility};
use hyp_locks::laws::{Core, Violation};
use hyp_locks::qspin::{CpuNodes, Nodes};
use hyp_locks::{Acquired, CpuId, InterruptControl, Probe, Recorder, SingleCore};
use lock_api::RawMutex;

/// How many threads, and rounds for each; fewer where an interpreter runs them.
pub(crate) const THREADS: usize = if cfg!(miri) { 3 } else { 4 };
const ROUNDS: u32 = if cfg!(miri) { 30 } else { 2000 };

/// Much longer than any law takes; a lock that never lets go is found by this.
const WATCHDOG: Duration = Duration::from_secs(if cfg!(miri) { 600 } else { 120 });

/// Four threads.
pub(crate) fn crew(law: impl Fn(Core, u32) -> Result<(), Violation> + Sync) -> Result<(), Violation> {
    of(THREADS, law)
}

/// `count` threads, each keeping `law`: the first violation that one of them saw.
pub(crate) fn of(count: usize, law: impl Fn(Core, u32) -> Result<(), Violation> + Sync) -> Result<(), Violation> {
    idling(count, thread::yield_now, law)
}

/// The same, with something of one's own to do where a law idles.
pub(crate) fn idling(
    count: usize,
    idle: fn(),
    law: impl Fn(Core, u32) -> Result<(), Violation> + Sync,
) -> Result<(), Violation> {
    let (done, watched) = mpsc::channel::<()>();
    let name = thread::current().name().unwrap_or("a law").to_owned();
    let watchdog = thread::spawn(move || {
        if watched.recv_timeout(WATCHDOG) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("{name}: not done after {WATCHDOG:?}: some thread waits for ever");
            std::process::abort();
        }
    });
    let kept = thread::scope(|scope| {
        let law = &law;
        let members: Vec<_> = (0..count)
            .map(|index| scope.spawn(move || as_cpu(index, || law(Core { index, count, idle }, ROUNDS))))
            .collect();
        members.into_iter().map(|member| member.join().expect("a law panicked")).fold(Ok(()), Result::and)
    });
    drop(done);
    watchdog.join().expect("the watchdog only waits");
    kept
}

thread_local! {
    static CPU: Cell<usize> = const { Cell::new(0) };
}

fn as_cpu<R>(cpu: usize, run: impl FnOnce() -> R) -> R {
    CPU.set(cpu);
    run()
}

/// A member of a crew is a CPU.
pub(crate) struct Member;

// SAFETY: the members of a crew have different numbers, below `THREADS`, each for its life; a lock belongs to one crew,
// or to the one thread of a test.
unsafe impl CpuId for Member {
    fn cpu() -> usize {
        CPU.get()
    }
}

/// A thread is a CPU, whichever crew it is in: where the CPUs queue is one place for all locks of a program.
pub(crate) struct Thread;

/// More threads than these tests have at a time.
const NUMBERS: usize = 128;

/// A number that no other thread has, as long as this one is there.
struct Lease(usize);

static TAKEN: Mutex<[bool; NUMBERS]> = Mutex::new([false; NUMBERS]);

impl Lease {
    fn sign() -> Self {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let free = taken.iter().position(|taken| !taken).expect("a number for each thread: or it would not queue");
        taken[free] = true;
        Self(free)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        TAKEN.lock().unwrap_or_else(PoisonError::into_inner)[self.0] = false;
    }
}

// SAFETY: no two threads have one number at a time.
unsafe impl CpuId for Thread {
    fn cpu() -> usize {
        thread_local! {
            static LEASE: Lease = Lease::sign();
        }
        LEASE.with(|lease| lease.0)
    }
}

impl Nodes for Thread {
    fn nodes() -> &'static [CpuNodes] {
        static NODES: [CpuNodes; NUMBERS] = [const { CpuNodes::new() }; NUMBERS];
        &NODES
    }
}

/// The same, of whom only the first two have a node: the others go for the flag without queueing.
pub(crate) struct FewNodes;

// SAFETY: as `Member`; of `QSpin` exclusion does not rest on it.
unsafe impl CpuId for FewNodes {
    fn cpu() -> usize {
        Thread::cpu() + NUMBERS - 2
    }
}

impl Nodes for FewNodes {
    fn nodes() -> &'static [CpuNodes] {
        static NODES: [CpuNodes; NUMBERS] = [const { CpuNodes::new() }; NUMBERS];
        &NODES
    }
}

/// Tells of every number that is drawn.
pub(crate) struct Draws;

static DRAWN: AtomicUsize = AtomicUsize::new(0);

impl Draws {
    /// How many numbers have been drawn.
    pub(crate) fn drawn() -> usize {
        DRAWN.load(Ordering::Acquire)
    }
}

// SAFETY: the host is coherent.
unsafe impl Visibility for Draws {
    fn publish(line: &Line) {
        // SAFETY: a line begins with its word, which is never accessed but as an atomic.
        let word = unsafe { AtomicU32::from_ptr(line.as_ptr().cast_mut().cast()) };
        if word.load(Ordering::Relaxed) > 1 {
            DRAWN.fetch_add(1, Ordering::Release);
        }
    }

    fn refresh(_: &Line) {}
}

/// Lets another thread run after every look.
pub(crate) type Yield = hyp_locks::wait::Yield<1>;

/// The same for the traits of `spinning_top` and `spin`.
#[derive(Default)]
pub(crate) struct Idle;

impl spinning_top::relax::Relax for Idle {
    fn relax(&mut self) {
        thread::yield_now();
    }
}

impl spin::RelaxStrategy for Idle {
    fn relax() {
        thread::yield_now();
    }
}

/// A `spin` lock that tells of its waits, by the strategy it relaxes with: a thread's first `relax` in a `lock`.
pub(crate) struct Announced<L>(L);

/// The strategy of an [`Announced`] lock.
pub(crate) struct Announce;

static WAITS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static TOLD: Cell<bool> = const { Cell::new(true) };
}

impl Announce {
    /// How many waits have begun.
    pub(crate) fn waits() -> usize {
        WAITS.load(Ordering::Acquire)
    }
}

impl spin::RelaxStrategy for Announce {
    fn relax() {
        if !TOLD.replace(true) {
            WAITS.fetch_add(1, Ordering::Release);
        }
        thread::yield_now();
    }
}

// SAFETY: `L`'s operations, one for one.
unsafe impl<L: RawMutex> RawMutex for Announced<L> {
    const INIT: Self = Self(L::INIT);

    type Guard = L::Guard;

    fn lock(&self) -> L::Guard {
        TOLD.set(false);
        self.0.lock()
    }

    fn try_lock(&self) -> Option<L::Guard> {
        self.0.try_lock()
    }

    unsafe fn unlock(&self, guard: L::Guard) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.0.unlock(guard) };
    }

    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
}

/// An instrument that keeps nothing.
pub(crate) struct NoProbe;

impl Probe for NoProbe {
    fn now() -> u64 {
        static TICKS: AtomicUsize = AtomicUsize::new(1);
        TICKS.fetch_add(1, Ordering::Relaxed) as u64
    }

    fn acquired(_: Acquired) {}

    fn released(_: u64) {}
}

/// The recorder on a machine of one core.
pub(crate) struct OneCore;

// SAFETY: as `Recorder`, whose calls it makes.
unsafe impl InterruptControl for OneCore {
    type State = <Recorder as InterruptControl>::State;

    fn save_and_mask() -> Self::State {
        Recorder::save_and_mask()
    }

    unsafe fn restore(state: Self::State) {
        // SAFETY: the caller's promise, passed on.
        unsafe { Recorder::restore(state) };
    }
}

// SAFETY: the tests give a lock of this control to one thread only.
unsafe impl SingleCore for OneCore {}
