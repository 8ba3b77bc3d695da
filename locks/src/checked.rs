//! A lock that notices what its users do wrong: waits for what they hold themselves, hold it for too long, release out of
//! order.
//!
//! ```text
//!  lock     does this CPU hold it? ── yes ──► Recursion: nobody could ever release it
//!    │ no
//!  acquire   owner = this CPU, where and when; this CPU holds one lock more: it is its n-th
//!    ·
//!  unlock    held longer than the limit? ──► HeldTooLong      this CPU's last one? ── no ──► OutOfOrder
//! ```
//!
//! For debug builds: `type Lock = Checked<Ticket, Cpus>` there, `Ticket` otherwise; inside or outside of the other
//! decorators. Xen and Zephyr have such checks; here
//! they are a decorator, and what is done about a [`Fault`] is the program's to say ([`Check::report`]).
//!
//! # What it cannot tell
//!
//! A handler that waits for a lock which the code that it interrupted holds is found, as recursion: it is the same CPU; but
//! not in the few instructions between an acquisition and its note, or a note taken back and its release. Not found are: a
//! handler that queues behind a *wait* of its own CPU, in a lock that is first in, first out; two CPUs that wait for each
//! other's locks. After a release out of order the next one may go unnoticed. After `MutexGuard::unlocked` the place is one in
//! `lock_api`, which takes the lock again. To try with a deadline for what one holds is no fault: it ends. A
//! `bump` is not checked: neither that sections begun later go on, nor how long this one took until then.
//!
//! # Invariants
//!
//! * **C1** `owner` is the number of the CPU that holds the lock, plus one, from shortly after its acquisition to shortly
//!   before its release; else 0. So a CPU that finds its own number there holds the lock.
//! * **C2** `place` is where it was acquired, as long as `owner` is not 0: a `Location` that lives for ever, or null.
//!
//! # Memory ordering
//!
//! | access | ordering | why |
//! |---|---|---|
//! | `owner`, `place`, store by the holder | Relaxed | only the CPU that wrote its own number is to recognise it, and a CPU sees its own stores in order |
//! | `owner`, load | Relaxed | another CPU's number, stale or not, is not this one's |
//! | `place`, load | Relaxed | by the CPU that has found its own number in `owner`, and so wrote it |
//!
//! # Cost
//!
//! Four stores, two loads and what the clock and the CPU number take; 16 bytes more in the lock on 64 bits.

use core::fmt;
use core::marker::PhantomData;
use core::panic::Location;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering::Relaxed};

use lock_api::{RawMutex, RawMutexFair};

use crate::cpu::CpuId;
use crate::timed::Watch;

/// What the checks need, and what is done about what they find.
pub trait Check: CpuId {
    /// How many ticks of [`now`](Self::now) a section may take.
    const LIMIT: u64 = u64::MAX;

    /// How many checked locks this CPU holds: a word of its own, which nobody else writes.
    fn held() -> &'static AtomicUsize;

    /// Now, in ticks. Without a clock there is no limit.
    #[must_use]
    fn now() -> u64 {
        0
    }

    /// A fault was found. Unless it diverges, what was asked for goes on: a recursion then waits for ever.
    ///
    /// This one panics. A section that took too long, or ended out of order, is found by the drop of its guard: a panic
    /// there, while unwinding from another, aborts the program; and of both faults in one section the first one is all that
    /// is seen. Where that is too much, write it to a log.
    #[track_caller]
    fn report(fault: &Fault) {
        panic!("{fault}");
    }
}

/// What was done wrong, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// This CPU waits for a lock that it holds.
    Recursion {
        /// Which CPU.
        cpu: usize,
        /// Where it acquired the lock.
        held_since: &'static Location<'static>,
        /// Where it waits for it.
        wanted: &'static Location<'static>,
    },
    /// A section took longer than [`Check::LIMIT`].
    HeldTooLong {
        /// How long, in ticks.
        ticks: u64,
        /// Where the lock was acquired.
        acquired: &'static Location<'static>,
    },
    /// A lock was released before one that this CPU acquired after it. Harmless in itself; with a lock that saves the
    /// interrupt mask it unmasks too early, and the last one leaves it masked ([`irq`](crate::irq)).
    OutOfOrder {
        /// Where the lock was acquired.
        acquired: &'static Location<'static>,
        /// How many were acquired after it and are still held.
        later: usize,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recursion { cpu, held_since, wanted } => {
                write!(f, "CPU {cpu} waits at {wanted} for a lock that it holds since {held_since}")
            }
            Self::HeldTooLong { ticks, acquired } => {
                write!(f, "a lock acquired at {acquired} was held for {ticks} ticks")
            }
            Self::OutOfOrder { acquired, later } => {
                write!(f, "a lock acquired at {acquired} is released before {later} acquired later")
            }
        }
    }
}

impl core::error::Error for Fault {}

/// The lock `L`, its use checked by `K`. See the [module](self).
///
/// ```should_panic
/// use core::sync::atomic::AtomicUsize;
/// use hyp_locks::{Check, Checked, CpuId, Ticket};
///
/// struct OneCore;
/// // SAFETY: there is one.
/// unsafe impl CpuId for OneCore {
///     fn cpu() -> usize {
///         0
///     }
/// }
/// impl Check for OneCore {
///     fn held() -> &'static AtomicUsize {
///         static HELD: AtomicUsize = AtomicUsize::new(0);
///         &HELD
///     }
/// }
///
/// let mutex = lock_api::Mutex::<Checked<Ticket, OneCore>, ()>::new(());
/// let guard = mutex.lock();
/// mutex.lock(); // CPU 0 waits at … for a lock that it holds since …
/// # drop(guard);
/// ```
#[derive(Debug)]
pub struct Checked<L, K> {
    owner: AtomicU32,
    place: AtomicPtr<Location<'static>>,
    lock: L,
    check: PhantomData<fn() -> K>,
}

/// The lock's own guard, and what its release is checked against.
///
/// Not `Send`: a section belongs to the CPU that began it.
///
/// ```compile_fail,E0277
/// use std::sync::atomic::AtomicUsize;
/// use hyp_locks::{Check, Checked, CpuId, Ticket};
///
/// struct OneCore;
/// // SAFETY: this example has one thread.
/// unsafe impl CpuId for OneCore {
///     fn cpu() -> usize {
///         0
///     }
/// }
/// impl Check for OneCore {
///     fn held() -> &'static AtomicUsize {
///         static HELD: AtomicUsize = AtomicUsize::new(0);
///         &HELD
///     }
/// }
///
/// static POOL: lock_api::Mutex<Checked<Ticket, OneCore>, u32> = lock_api::Mutex::new(0);
/// let guard = POOL.lock();
/// std::thread::spawn(move || drop(guard));
/// ```
#[derive(Debug)]
#[must_use]
pub struct CheckedGuard<G> {
    inner: G,
    since: u64,
    /// How many locks this CPU held before.
    depth: usize,
    acquired: &'static Location<'static>,
    not_send: PhantomData<*mut ()>,
}

// SAFETY: nothing of it is accessed through a shared reference: what is shared is what the lock guards.
unsafe impl<G> Sync for CheckedGuard<G> {}

impl<L, K> Checked<L, K> {
    /// Checks the use of `lock`, which nobody has locked.
    #[must_use]
    pub const fn from_raw(lock: L) -> Self {
        Self { owner: AtomicU32::new(0), place: AtomicPtr::new(core::ptr::null_mut()), lock, check: PhantomData }
    }
}

impl<L: RawMutex, K: Check> Checked<L, K> {
    /// The number that stands for this CPU in `owner`.
    fn me() -> u32 {
        (K::cpu() as u32).wrapping_add(1)
    }

    /// Before this CPU waits.
    #[track_caller]
    fn before(&self) {
        if self.owner.load(Relaxed) == Self::me() {
            // SAFETY: C2: it is null, or a `Location` that lives for ever and nobody writes.
            let place = unsafe { self.place.load(Relaxed).as_ref() };
            let wanted = Location::caller();
            K::report(&Fault::Recursion { cpu: K::cpu(), held_since: place.unwrap_or(wanted), wanted });
        }
    }

    /// This CPU has acquired it.
    #[track_caller]
    fn after(&self, inner: L::Guard) -> CheckedGuard<L::Guard> {
        let acquired = Location::caller();
        // INVARIANT: C2 before C1: who finds its number there finds the place.
        self.place.store(core::ptr::from_ref(acquired).cast_mut(), Relaxed);
        self.owner.store(Self::me(), Relaxed);
        // A handler that comes in between leaves the count as it found it: load and store will do.
        let depth = K::held().load(Relaxed);
        K::held().store(depth + 1, Relaxed);
        CheckedGuard { inner, since: K::now(), depth, acquired, not_send: PhantomData }
    }

    /// Ends the section by `unlock`, and reports what was wrong with it after that: nobody waits for the report.
    #[track_caller]
    fn end(&self, guard: CheckedGuard<L::Guard>, unlock: impl FnOnce(&L, L::Guard)) {
        let CheckedGuard { inner, since, depth, acquired, .. } = guard;
        let ticks = K::now().saturating_sub(since);
        let held = K::held().load(Relaxed);
        K::held().store(held.saturating_sub(1), Relaxed);
        // INVARIANT: C1.
        self.owner.store(0, Relaxed);
        unlock(&self.lock, inner);
        if ticks > K::LIMIT {
            K::report(&Fault::HeldTooLong { ticks, acquired });
        }
        let later = held.saturating_sub(depth + 1);
        if later != 0 {
            K::report(&Fault::OutOfOrder { acquired, later });
        }
    }
}

// SAFETY: exclusion and ordering are those of `L`, whose operations are called one for one with its own guard. If a report
// unwinds, nothing stays held: it comes before the acquisition, or after the release. If the clock does, the lock stays
// held, as with a guard forgotten.
unsafe impl<L: RawMutex, K: Check> RawMutex for Checked<L, K> {
    const INIT: Self = Self::from_raw(L::INIT);

    type Guard = CheckedGuard<L::Guard>;

    #[track_caller]
    fn lock(&self) -> Self::Guard {
        self.before();
        self.after(self.lock.lock())
    }

    /// Fails, as ever, if this CPU holds it: an NMI handler may try.
    #[track_caller]
    fn try_lock(&self) -> Option<Self::Guard> {
        self.lock.try_lock().map(|inner| self.after(inner))
    }

    #[track_caller]
    unsafe fn unlock(&self, guard: Self::Guard) {
        self.end(guard, |lock, inner| {
            // SAFETY: the caller holds the section that `guard` stands for, and `inner` is that section's.
            unsafe { lock.unlock(inner) }
        });
    }

    fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }
}

impl<L: Watch, K: Check> Watch for Checked<L, K> {
    type Word = L::Word;

    #[inline]
    fn word(&self) -> &L::Word {
        self.lock.word()
    }
}

// SAFETY: as fair as `L`, whose own `bump` it is: the section goes on, for whoever looks at it from outside.
unsafe impl<L: RawMutexFair, K: Check> RawMutexFair for Checked<L, K> {
    #[track_caller]
    unsafe fn unlock_fair(&self, guard: Self::Guard) {
        self.end(guard, |lock, inner| {
            // SAFETY: as in `unlock`.
            unsafe { lock.unlock_fair(inner) }
        });
    }

    /// What another CPU that gets its turn holds it for is not checked against this section: it began before, and goes on.
    unsafe fn bump(&self, guard: &mut Self::Guard) {
        let place = self.place.load(Relaxed);
        // INVARIANT: C1, C2: while another one may hold it, it is not this CPU's.
        self.owner.store(0, Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { self.lock.bump(&mut guard.inner) };
        self.place.store(place, Relaxed);
        self.owner.store(Self::me(), Relaxed);
        guard.since = K::now();
    }
}
