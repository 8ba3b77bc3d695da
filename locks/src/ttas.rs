//! Test-and-test-and-set lock.
//!
//! # In one sentence
//!
//! Look first; set the flag, in one step, only if it looks clear.
//!
//! # Paper, and where this departs from it
//!
//! Rudolph and Segall, *Dynamic Decentralized Cache Schemes for MIMD Parallel Processors*, ISCA 1984. With a
//! compare-exchange where they exchange, as [`Tas`](crate::Tas), from which the first look sets it apart: whoever comes to a
//! held lock leaves its line with the holder.
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
//!  take     locked = false  ->  true       by one of those who saw false; it holds, the others look again
//!  release  locked = true   ->  false      unlock
//! ```
//!
//! # Memory ordering
//!
//! | access | operation | ordering | pairs with | why not weaker, why not stronger |
//! |---|---|---|---|---|
//! | TT1 | `locked` load, waiting | Acquire | – | could be Relaxed, for TT2 decides; waiting always acquires, at no cost |
//! | TT2 | `locked` compare-exchange | Acquire | TT4 | after the section whose release left false |
//! | TT3 | `locked` load, trying | Relaxed | – | a hint: saves the compare-exchange that would fail |
//! | TT4 | `locked` store | Release | TT2 | our section is done before the next one takes |
//! | TT5 | `locked` load, `is_locked` | Relaxed | – | a snapshot promises nothing to what follows |
//!
//! # Progress and fairness
//!
//! As [`Tas`](crate::Tas): none. A release is one store; a waiter may give up at any time.
//!
//! # Footprint, and when not to use it
//!
//! 1 byte a lock, none in the guard, none a waiter. One look, one read-modify-write and one store uncontended: the look
//! costs a second transfer of the line if another core had it last, so that a lock which is rarely held when somebody
//! comes is better a [`Tas`](crate::Tas).

use core::marker::PhantomData;

use lock_api::{GuardSend, RawMutex};

use crate::sync::{Acquire, AtomicBool, Relaxed, Release, constructor, initial};
use crate::timed::Watch;
use crate::wait::{DefaultWait, Wait};

/// One byte, looked at before it is set. See the [module](self).
///
/// ```
/// use hyp_locks::Ttas;
///
/// static COUNTER: lock_api::Mutex<Ttas, u64> = lock_api::Mutex::new(0);
/// *COUNTER.lock() += 1;
/// assert_eq!(*COUNTER.lock(), 1);
/// ```
///
/// The waiting policy `W` is a [`wait`](crate::wait) type.
#[derive(Debug)]
pub struct Ttas<W = DefaultWait> {
    locked: AtomicBool,
    wait: PhantomData<fn() -> W>,
}

impl<W> Ttas<W> {
    constructor! {
        /// A free lock.
        pub fn new() = Self { locked: AtomicBool::new(false), wait: PhantomData }
    }
}

impl<W> Default for Ttas<W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W> Ttas<W> {
    /// Takes the lock if it is free.
    #[inline]
    fn take(&self) -> bool {
        self.locked.compare_exchange(false, true, Acquire, Relaxed).is_ok() // TT2 take: false -> true
    }
}

// SAFETY: mutual exclusion by N1 and N2; TT4 releases what TT2 acquires. A guard is nothing: forgetting it leaves the lock
// held, and no part of the lock knows its own address.
unsafe impl<W: Wait> RawMutex for Ttas<W> {
    const INIT: Self = initial!(Self::new());

    type Guard = GuardSend;

    /// Waits until the lock looks free, and tries. Never panics.
    #[inline]
    fn lock(&self) -> GuardSend {
        loop {
            W::until(&self.locked, u32::from); // TT1
            if self.take() {
                return GuardSend::new();
            }
        }
    }

    /// Takes a free lock. Never waits, never panics.
    #[inline]
    fn try_lock(&self) -> Option<GuardSend> {
        let locked = self.locked.load(Relaxed); // TT3
        (!locked && self.take()).then(GuardSend::new)
    }

    /// One store.
    #[inline]
    unsafe fn unlock(&self, _: GuardSend) {
        self.locked.store(false, Release); // TT4 release: true -> false
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.locked.load(Relaxed) // TT5
    }
}

impl<W: Wait> Watch for Ttas<W> {
    type Word = AtomicBool;

    #[inline]
    fn word(&self) -> &AtomicBool {
        &self.locked
    }
}
