//! Test-and-set lock.
//!
//! # In one sentence
//!
//! Set the flag if it is clear, in one step; whoever did has the lock.
//!
//! # Paper, and where this departs from it
//!
//! T. E. Anderson, *The Performance of Spin Lock Alternatives for Shared-Memory Multiprocessors*, IEEE TPDS 1(1), 1990.
//! The first try comes at once, as in the oldest spin locks; after one in vain the waiter looks, and tries again only when
//! it has seen the flag clear. [`Ttas`](crate::Ttas) looks before its first try, too. A try is a compare-exchange, not an
//! exchange: with `LDXR`/`STXR` one in vain stores nothing. An LSE `CAS` may write back what it has read, and so wake those
//! who sleep in `WFE`: they look again, and sleep on. Where newcomers are many, take `Ttas`.
//!
//! # State
//!
//! ```text
//!  + 0     ┌────────┐
//!  locked  │ 0 or 1 │   one byte, written by whoever takes it, and by the holder
//!          └────────┘
//! ```
//!
//! | state | `locked` |
//! |---|---|
//! | free | false |
//! | held, whoever waits | true |
//!
//! # Invariants
//!
//! * N1 `locked` is true from the compare-exchange that found false to its owner's release; one owner at a time.
//! * N2 Only the owner stores false.
//!
//! # Transitions
//!
//! ```text
//!  take     locked = false  ->  true       by one of those who try; it holds, the others wait until they see false
//!  release  locked = true   ->  false      unlock
//! ```
//!
//! # Memory ordering
//!
//! | access | operation | ordering | pairs with | why not weaker, why not stronger |
//! |---|---|---|---|---|
//! | A1 | `locked` compare-exchange | Acquire | A4 | after the section whose release left false. Not Release: false says nothing more |
//! | A2 | `locked` load, waiting | Acquire | – | could be Relaxed, for A1 decides; waiting always acquires, at no cost |
//! | A3 | `locked` load, trying | Relaxed | – | a hint: saves the compare-exchange that would fail |
//! | A4 | `locked` store | Release | A1 | our section is done before the next one takes |
//! | A5 | `locked` load, `is_locked` | Relaxed | – | a snapshot promises nothing to what follows |
//!
//! # Progress and fairness
//!
//! None: who tries first after a release has it, most often a core that shares a cache with the last holder, and a
//! waiter may starve for ever. A release is one store. A waiter has no place to lose: it may give up at any time
//! ([`Timed`](crate::Timed)), and a preempted one holds up nobody.
//!
//! # Footprint, and when not to use it
//!
//! 1 byte a lock, none in the guard, none a waiter. One read-modify-write and one store uncontended. Every release makes
//! all waiters try at once: with more than two or three cores, or where somebody must not starve, take
//! [`Ticket`](crate::Ticket).

use core::marker::PhantomData;

use lock_api::{GuardSend, RawMutex};

use crate::sync::{Acquire, AtomicBool, Relaxed, Release, constructor, initial};
use crate::timed::Watch;
use crate::wait::{DefaultWait, Wait};

/// One byte; whoever sets it has the lock. See the [module](self).
///
/// ```
/// use hyp_locks::Tas;
///
/// static COUNTER: lock_api::Mutex<Tas, u64> = lock_api::Mutex::new(0);
/// *COUNTER.lock() += 1;
/// assert_eq!(*COUNTER.lock(), 1);
/// ```
///
/// The waiting policy `W` is a [`wait`](crate::wait) type.
#[derive(Debug)]
pub struct Tas<W = DefaultWait> {
    locked: AtomicBool,
    wait: PhantomData<fn() -> W>,
}

impl<W> Tas<W> {
    constructor! {
        /// A free lock.
        pub fn new() = Self { locked: AtomicBool::new(false), wait: PhantomData }
    }
}

impl<W> Default for Tas<W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Wait> Tas<W> {
    /// Takes the lock if it is free.
    #[inline]
    fn take(&self) -> bool {
        self.locked.compare_exchange(false, true, Acquire, Relaxed).is_ok() // A1 take: false -> true
    }

    /// Waits, and takes the lock.
    #[cold]
    fn lock_slow(&self) {
        loop {
            W::until(&self.locked, u32::from); // A2
            if self.take() {
                return;
            }
        }
    }
}

// SAFETY: mutual exclusion by N1 and N2; A4 releases what A1 acquires. A guard is nothing: forgetting it leaves the lock
// held, and no part of the lock knows its own address.
unsafe impl<W: Wait> RawMutex for Tas<W> {
    const INIT: Self = initial!(Self::new());

    type Guard = GuardSend;

    /// Tries, and waits if that was in vain. Never panics.
    #[inline]
    fn lock(&self) -> GuardSend {
        if !self.take() {
            self.lock_slow();
        }
        GuardSend::new()
    }

    /// Takes a free lock. Never waits, never panics.
    #[inline]
    fn try_lock(&self) -> Option<GuardSend> {
        let locked = self.locked.load(Relaxed); // A3
        (!locked && self.take()).then(GuardSend::new)
    }

    /// One store.
    #[inline]
    unsafe fn unlock(&self, _: GuardSend) {
        self.locked.store(false, Release); // A4 release: true -> false
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.locked.load(Relaxed) // A5
    }
}

impl<W: Wait> Watch for Tas<W> {
    type Word = AtomicBool;

    #[inline]
    fn word(&self) -> &AtomicBool {
        &self.locked
    }
}
