//! The code that is interrupted: a lock taken, a section, the lock released; and what a handler can tell of where it is.

use crate::board::Board;
use crate::case::{Outcome, ensure, ensure_eq};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering, compiler_fence};
use lock_api::RawMutex;

/// How far the interrupted code is. The handler sees it a little late or early, never wrong about [`Inside`](Self::Inside),
/// which begins after the acquisition and ends before the release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(crate) enum Phase {
    Before,
    Locking,
    Inside,
    Unlocking,
    After,
}

impl Phase {
    pub(crate) const COUNT: usize = 5;
}

/// A lock and what it guards.
///
/// The atomics are accessed Relaxed: `phase` by one core and its handlers, which see its stores in program order, kept by
/// compiler fences; `inside` and `count` by whoever holds the lock, and if that lets two in, they tell. `intruded` is read
/// when all is over.
pub(crate) struct Scene<L> {
    pub(crate) lock: L,
    phase: AtomicUsize,
    inside: AtomicBool,
    count: AtomicUsize,
    intruded: AtomicBool,
}

impl<L: RawMutex> Scene<L> {
    pub(crate) fn new() -> Self {
        Self {
            lock: L::INIT,
            phase: AtomicUsize::new(Phase::Before as usize),
            inside: AtomicBool::new(false),
            count: AtomicUsize::new(0),
            intruded: AtomicBool::new(false),
        }
    }

    /// The code to be interrupted.
    pub(crate) fn pass(&self) {
        self.enter(Phase::Locking);
        let guard = self.lock.lock();
        self.enter(Phase::Inside);
        self.section();
        self.leave(guard);
    }

    /// Its second half.
    pub(crate) fn leave(&self, guard: L::Guard) {
        self.enter(Phase::Unlocking);
        // SAFETY: the caller acquired it.
        unsafe { self.lock.unlock(guard) };
        self.enter(Phase::After);
    }

    fn enter(&self, phase: Phase) {
        compiler_fence(Ordering::SeqCst); // the phase changes between the steps, not in the middle of one
        self.phase.store(phase as usize, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
    }

    /// Where the interrupted code is, for its handlers.
    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Before,
            1 => Phase::Locking,
            2 => Phase::Inside,
            3 => Phase::Unlocking,
            _ => Phase::After,
        }
    }

    /// A critical section, which notices another one, and loses a count if there is one.
    pub(crate) fn section(&self) {
        if self.inside.load(Ordering::Relaxed) {
            self.intruded.store(true, Ordering::Relaxed);
        }
        self.inside.store(true, Ordering::Relaxed);
        let count = self.count.load(Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        self.count.store(count + 1, Ordering::Relaxed);
        self.inside.store(false, Ordering::Relaxed);
    }

    /// A handler's own section.
    pub(crate) fn visit(&self, guard: L::Guard) {
        self.section();
        // SAFETY: the caller acquired it.
        unsafe { self.lock.unlock(guard) };
    }

    /// All is over: so many sections were counted, none within another, and the lock is free.
    pub(crate) fn finish(self, sections: usize) -> Outcome {
        let free = !self.lock.is_locked();
        let taken = self.lock.try_lock().map(|guard| {
            // SAFETY: acquired just now.
            unsafe { self.lock.unlock(guard) };
        });
        ensure(free && taken.is_some(), "the lock was left held")?;
        ensure(!self.intruded.into_inner(), "a section inside of another")?;
        ensure_eq(self.count.into_inner(), sections, "sections counted")
    }
}

/// What the cases have to know of a kind of lock.
pub(crate) struct Kind {
    /// Waits that have begun, of the lock under trial; and of the other one.
    pub(crate) waits: [fn() -> usize; 2],
    /// It is made of read-modify-writes, and knows no core: whoever has the guard may release it anywhere.
    pub(crate) of_words: bool,
}

impl Kind {
    /// A lock that all who take it change by read-modify-writes.
    pub(crate) fn of_words(waits: fn() -> usize, other_waits: fn() -> usize) -> Self {
        Self { waits: [waits, other_waits], of_words: true }
    }

    /// A lock in which each core has a line of its own.
    pub(crate) fn of_lines(waits: fn() -> usize, other_waits: fn() -> usize) -> Self {
        Self { waits: [waits, other_waits], of_words: false }
    }
}

/// Counts, by the phase in which something was found.
pub(crate) struct Tally([AtomicUsize; Phase::COUNT]);

impl Tally {
    pub(crate) const fn new() -> Self {
        Self([const { AtomicUsize::new(0) }; Phase::COUNT])
    }

    pub(crate) fn add(&self, phase: Phase) {
        self.0[phase as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn of(&self, phase: Phase) -> usize {
        self.0[phase as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn all(&self) -> usize {
        self.0.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// Waits for another core.
pub(crate) fn wait_until<B: Board>(mut come: impl FnMut() -> bool) {
    while !come() {
        B::relax();
    }
}
