//! What every lock must do, written once: run by threads on a host, by cores on bare metal, for any
//! [`RawMutex`].
//!
//! | law | cores | holds for |
//! |---|---|---|
//! | [`alone`] | one | every lock |
//! | [`relocation`] | one | every lock: a held one may be moved and dropped, its guard forgotten |
//! | [`mutual_exclusion`] | all | every lock |
//! | [`try_lock_exclusion`] | all | every lock |
//! | [`guard_crosses_cores`] | all | locks whose guard is `Send` |
//! | [`fifo_admission`] | all | locks that admit waiters in the order of their coming: [`RawMutexFair`](lock_api::RawMutexFair), and [`Queued`](crate::Queued) while it is held |
//!
//! A law over several cores is a function that *each* of them calls, with the same state and its own [`Core`]; every
//! core gets a result, and the law is kept if all are `Ok`. A core that sees a violation goes on to the end, so that
//! none of the others is left waiting. What laws cannot do is end when the *lock* never ends: the caller has a
//! watchdog.
//!
//! What is guarded are atomics, accessed Relaxed and without read-modify-writes: a lock that does not exclude, or
//! does not order, shows in their values and does not make the test itself undefined.
//!
//! | atomic | accesses | ordering | why |
//! |---|---|---|---|
//! | `inside`, `first`, `last`, `admitted` | load, store | Relaxed | guarded by the lock on trial: ordering of their own would hide that it has none. `last` outside of a section, and between laws: ordered by `meet` |
//! | `arrived` | fetch-add | AcqRel | each comer's writes go to the last one, through those between (a chain of read-modify-writes) |
//! | `arrived` | store of 0 | Relaxed | the last one's, before its `generation` store, which everybody acquires before coming again |
//! | `generation` | load; store | Acquire; Release | the last comer, and with it all who came, before whoever goes on |
//! | `turn` | load; store | Acquire; Release | the holder has seen the waiter before in its place when the next one comes |
//!
//! ```
//! use hyp_locks::{Ticket, laws};
//!
//! let shared = laws::Shared::<Ticket>::new();
//! std::thread::scope(|threads| {
//!     for index in 0..2 {
//!         let core = laws::Core { index, count: 2, idle: std::thread::yield_now };
//!         let shared = &shared;
//!         threads.spawn(move || laws::mutual_exclusion(shared, core, 100).unwrap());
//!     }
//! });
//! ```

mod counted;

use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

pub use counted::Counted;
use lock_api::RawMutex;

use crate::Ticket;

/// One of the cores, or threads, that keep a law together.
#[derive(Clone, Copy, Debug)]
pub struct Core {
    /// Which one, from 0.
    pub index: usize,
    /// How many there are.
    pub count: usize,
    /// What to do while waiting for the others: `core::hint::spin_loop`, or, where there may be more threads than
    /// cores, `std::thread::yield_now`.
    pub idle: fn(),
}

/// How a lock broke a law.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Violation {
    /// A core was inside when another one came in.
    TwoInside,
    /// A core came in and did not see all that the one before it had done.
    Unordered,
    /// Not as many updates as sections were counted: some were lost.
    Lost {
        /// Updates that should have been counted.
        expected: u32,
        /// Updates counted.
        counted: u32,
    },
    /// A waiter was admitted out of its turn.
    Overtaken {
        /// Its place in the order of coming, from 1.
        place: usize,
        /// The place in which it was admitted.
        admitted: usize,
    },
    /// `is_locked` of a lock that only this core uses said otherwise.
    IsLocked {
        /// What it should have said.
        expected: bool,
    },
    /// `try_lock` took a lock that was held.
    TookHeld,
    /// `try_lock` did not take a lock that was free, and that nobody else uses.
    RefusedFree,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoInside => f.write_str("two cores in the critical section"),
            Self::Unordered => f.write_str("a section did not see the one before it"),
            Self::Lost { expected, counted } => write!(f, "{counted} updates of {expected}"),
            Self::Overtaken { place, admitted } => write!(f, "waiter {place} was admitted as number {admitted}"),
            Self::IsLocked { expected: true } => f.write_str("is_locked says that a held lock is free"),
            Self::IsLocked { expected: false } => f.write_str("is_locked says that a free lock is held"),
            Self::TookHeld => f.write_str("try_lock took a held lock"),
            Self::RefusedFree => f.write_str("try_lock did not take a free lock"),
        }
    }
}

impl core::error::Error for Violation {}

/// Shared by the cores that keep a law together: the lock, what it guards, and where they wait for each other. May
/// be used for one law after the other.
#[derive(Debug)]
pub struct Shared<L> {
    lock: L,
    inside: AtomicU32,
    first: AtomicU32,
    last: AtomicU32,
    arrived: AtomicUsize,
    generation: AtomicU32,
    turn: AtomicUsize,
    admitted: AtomicUsize,
}

impl<L: RawMutex> Shared<L> {
    /// For a `static`, or a value that all cores borrow.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            lock: L::INIT,
            inside: AtomicU32::new(0),
            first: AtomicU32::new(0),
            last: AtomicU32::new(0),
            arrived: AtomicUsize::new(0),
            generation: AtomicU32::new(0),
            turn: AtomicUsize::new(0),
            admitted: AtomicUsize::new(0),
        }
    }

    /// Waits until all cores are here.
    fn meet(&self, core: Core) {
        let generation = self.generation.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == core.count {
            self.arrived.store(0, Ordering::Relaxed);
            self.generation.store(generation.wrapping_add(1), Ordering::Release);
        } else {
            while self.generation.load(Ordering::Acquire) == generation {
                (core.idle)();
            }
        }
    }

    /// A critical section: two words that must be equal, and are made unequal for a while.
    fn section(&self, linger: impl FnOnce()) -> Result<(), Violation> {
        let alone = self.inside.load(Ordering::Relaxed) == 0;
        self.inside.store(1, Ordering::Relaxed);
        let first = self.first.load(Ordering::Relaxed);
        let last = self.last.load(Ordering::Relaxed);
        self.first.store(first.wrapping_add(1), Ordering::Relaxed);
        linger();
        self.last.store(first.wrapping_add(1), Ordering::Relaxed);
        self.inside.store(0, Ordering::Relaxed);
        match (alone, first == last) {
            (false, _) => Err(Violation::TwoInside),
            (_, false) => Err(Violation::Unordered),
            (true, true) => Ok(()),
        }
    }

    /// `rounds` sections of each core, entered as `enter` does, and the count of them afterwards.
    fn sections(&self, core: Core, rounds: u32, mut enter: impl FnMut(u32, &L) -> L::Guard) -> Result<(), Violation> {
        let before = self.last.load(Ordering::Relaxed);
        self.meet(core);
        let mut kept = Ok(());
        for round in 0..rounds {
            let guard = enter(round, &self.lock);
            let section = self.section(|| {
                if round % 8 == 0 {
                    (core.idle)(); // long enough for another core to come in, if it can
                }
            });
            // SAFETY: acquired above.
            unsafe { self.lock.unlock(guard) };
            kept = kept.and(section);
        }
        self.meet(core);
        let counted = self.last.load(Ordering::Relaxed).wrapping_sub(before);
        let expected = rounds * core.count as u32;
        self.meet(core); // nobody begins the next law before all have counted
        kept.and(if counted == expected { Ok(()) } else { Err(Violation::Lost { expected, counted }) })
    }
}

impl<L: RawMutex> Default for Shared<L> {
    fn default() -> Self {
        Self::new()
    }
}

/// One core is in the section at a time, and sees what the one before it did. Each core takes the lock `rounds`
/// times.
///
/// # Errors
///
/// The first [`Violation`] that this core saw.
pub fn mutual_exclusion<L: RawMutex>(shared: &Shared<L>, core: Core, rounds: u32) -> Result<(), Violation> {
    shared.sections(core, rounds, |_, lock| lock.lock())
}

/// The same when every second acquisition is by `try_lock`, again and again until it succeeds.
///
/// # Errors
///
/// The first [`Violation`] that this core saw.
pub fn try_lock_exclusion<L: RawMutex>(shared: &Shared<L>, core: Core, rounds: u32) -> Result<(), Violation> {
    shared.sections(core, rounds, |round, lock| {
        if round % 2 == core.index as u32 % 2 {
            return lock.lock();
        }
        loop {
            if let Some(guard) = lock.try_lock() {
                break guard;
            }
            (core.idle)();
        }
    })
}

/// Waiters that come one after the other while the lock is held are admitted in that order.
///
/// In each round one core holds the lock and lets the others come, in turn. `waits` says how many waits have begun
/// so far: that is how the holder knows that a waiter has its place in the queue before the next one comes. Give the
/// lock a [`Counted`] waiting policy and pass [`Counted::waits`].
///
/// # Errors
///
/// The first [`Violation`] that this core saw.
pub fn fifo_admission<L: RawMutex>(
    shared: &Shared<L>,
    core: Core,
    rounds: u32,
    waits: impl Fn() -> usize,
) -> Result<(), Violation> {
    let mut kept = Ok(());
    for round in 0..rounds as usize {
        let place = (core.index + round) % core.count;
        shared.meet(core);
        if place == 0 {
            let guard = shared.lock.lock();
            shared.admitted.store(0, Ordering::Relaxed);
            for next in 1..core.count {
                let before = waits();
                shared.turn.store(next, Ordering::Release);
                while waits() == before {
                    (core.idle)();
                }
            }
            shared.turn.store(0, Ordering::Release);
            // SAFETY: acquired above.
            unsafe { shared.lock.unlock(guard) };
        } else {
            while shared.turn.load(Ordering::Acquire) != place {
                (core.idle)();
            }
            let guard = shared.lock.lock();
            let admitted = shared.admitted.load(Ordering::Relaxed) + 1;
            shared.admitted.store(admitted, Ordering::Relaxed);
            // SAFETY: acquired above.
            unsafe { shared.lock.unlock(guard) };
            if admitted != place {
                kept = kept.and(Err(Violation::Overtaken { place, admitted }));
            }
        }
        shared.meet(core);
    }
    kept
}

/// Where a guard is left for the next core; shared by the cores beside [`Shared`].
#[derive(Debug)]
pub struct Parcel<L: RawMutex>(lock_api::Mutex<Ticket, Option<L::Guard>>);

impl<L: RawMutex> Parcel<L> {
    /// For a `static`, or a value that all cores borrow.
    #[must_use]
    pub const fn new() -> Self {
        Self(lock_api::Mutex::new(None))
    }
}

impl<L: RawMutex> Default for Parcel<L> {
    fn default() -> Self {
        Self::new()
    }
}

/// What one core has locked another may unlock, while the rest wait for it. Each round one core locks and the next
/// one unlocks; all others go through the lock once.
///
/// # Errors
///
/// The first [`Violation`] that this core saw.
pub fn guard_crosses_cores<L: RawMutex<Guard: Send>>(
    shared: &Shared<L>,
    parcel: &Parcel<L>,
    core: Core,
    rounds: u32,
) -> Result<(), Violation> {
    let mut kept = Ok(());
    for round in 0..rounds as usize {
        let place = (core.index + round) % core.count;
        shared.meet(core);
        if place == 0 {
            let guard = shared.lock.lock();
            *parcel.0.lock() = Some(guard);
        }
        if place == 1 || core.count == 1 {
            let guard = loop {
                if let Some(guard) = parcel.0.lock().take() {
                    break guard;
                }
                (core.idle)();
            };
            kept = kept.and(shared.section(core.idle));
            // SAFETY: acquired by another core, which has given us the guard.
            unsafe { shared.lock.unlock(guard) };
        }
        if place > 1 {
            let guard = shared.lock.lock();
            kept = kept.and(shared.section(core.idle));
            // SAFETY: acquired above.
            unsafe { shared.lock.unlock(guard) };
        }
        shared.meet(core);
    }
    kept
}

/// A lock that nobody else uses: free, taken, refused to a second comer, free again; several times over.
///
/// # Errors
///
/// The first [`Violation`].
pub fn alone<L: RawMutex>() -> Result<(), Violation> {
    let lock = L::INIT;
    for round in 0..4 {
        expect_locked(&lock, false)?;
        let guard = if round % 2 == 0 { lock.lock() } else { lock.try_lock().ok_or(Violation::RefusedFree)? };
        expect_locked(&lock, true)?;
        // SAFETY: acquired above.
        unsafe { lock.unlock(guard) };
    }
    expect_locked(&lock, false)
}

/// A held lock may be moved, and its guard releases it where it has come to; its guard may be forgotten, and it be
/// moved and dropped all the same.
///
/// # Errors
///
/// The first [`Violation`].
pub fn relocation<L: RawMutex>() -> Result<(), Violation> {
    fn inhabitant<L>(places: &[Option<L>; 2]) -> &L {
        places.iter().flatten().next().expect("one place is taken")
    }

    let mut places = [Some(L::INIT), None];
    let guard = inhabitant(&places).lock();
    places.swap(0, 1);
    expect_locked(inhabitant(&places), true)?;
    // SAFETY: acquired above, where the lock was then.
    unsafe { inhabitant(&places).unlock(guard) };
    expect_locked(inhabitant(&places), false)?;

    core::mem::forget(inhabitant(&places).lock());
    places.swap(0, 1);
    expect_locked(inhabitant(&places), true)?;
    drop(places); // while locked
    Ok(())
}

/// What `is_locked` says, and whether `try_lock` agrees.
fn expect_locked<L: RawMutex>(lock: &L, expected: bool) -> Result<(), Violation> {
    if lock.is_locked() != expected {
        return Err(Violation::IsLocked { expected });
    }
    match lock.try_lock() {
        Some(_) if expected => Err(Violation::TookHeld),
        None if !expected => Err(Violation::RefusedFree),
        None => Ok(()),
        Some(guard) => {
            // SAFETY: acquired above.
            unsafe { lock.unlock(guard) };
            Ok(())
        }
    }
}
