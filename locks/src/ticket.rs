//! Ticket lock.
//!
//! # In one sentence
//!
//! Draw a number; your turn is when the counter shows it.
//!
//! # Paper, and where this departs from it
//!
//! Mellor-Crummey and Scott, *Algorithms for Scalable Synchronization on Shared-Memory Multiprocessors*, ACM TOCS
//! 9(1), 1991, section 2.2, with its proportional backoff. Two words of 32 bits instead of the two halves of one
//! word: a release is one plain store (Rust has no store to half an atomic), and `try_lock` has no practical ABA.
//! The number travels in the guard (`lock_api` 0.5), so the release does not read the lock either.
//!
//! # State
//!
//! ```text
//!            31               0
//!  + 0      ┌──────────────────┐
//!  next     │  number to draw  │   written by every acquirer (read-modify-write)
//!  + 4      ├──────────────────┤
//!  owner    │  number on show  │   written by the holder alone (plain store)
//!           └──────────────────┘
//!
//!  owner = 41, next = 44:   41 holds · 42, 43 wait, in that order · the next to come draws 44
//! ```
//!
//! | state | owner | next |
//! |---|---|---|
//! | free | n | n |
//! | held, nobody waits | n | n + 1 |
//! | held, k wait | n | n + 1 + k |
//!
//! All arithmetic is modulo 2³².
//!
//! # Invariants
//!
//! * N1 `next − owner` is the number of holders (0 or 1) and waiters; it stays below 2³² because every one of them
//!   is a CPU inside `lock` or a guard in memory.
//! * N2 A number is drawn once between two wraps of `next`: by the read-modify-write that moved `next` past it.
//! * N3 Only the holder writes `owner`, and only to its own number + 1.
//!
//! # Transitions
//!
//! ```text
//!  draw     owner = o, next = t   ->  owner = o, next = t + 1      lock; held at once if o == t
//!  turn     owner = t             ->  unchanged                    the waiter with t holds
//!  try      owner = o, next = o   ->  owner = o, next = o + 1      try_lock; in any other state it fails
//!  release  owner = t             ->  owner = t + 1                unlock by the holder t
//! ```
//!
//! # Memory ordering
//!
//! | access | operation | ordering | pairs with | why not weaker, why not stronger |
//! |---|---|---|---|---|
//! | T1 | `next` fetch-add | Relaxed | – | hands out numbers and nothing else; the look at `owner` that follows is what acquires |
//! | T2 | `owner` load, waiting | Acquire | T6 | the look that sees one's number orders the section after the previous one |
//! | T3 | `owner` load, trying | Acquire | T6 | as T2: if T4 succeeds, this was the look that saw our number |
//! | T4 | `next` compare-exchange | Relaxed | – | as T1. Succeeding means that nobody drew in between, so the number seen by T3 is ours (N2) |
//! | T5 | `next` load, bumping | Relaxed | – | a stale value says "nobody waits", which was true when it was written |
//! | T6 | `owner` store | Release | T2, T3 | the section is done before the next one sees the number |
//! | T7 | `owner` load, `is_locked` | Acquire | T6 | T8 sees every draw that happened before the release which this saw. Not for what the lock guards |
//! | T8 | `next` load, `is_locked` | Relaxed | – | a snapshot promises nothing to what follows |
//!
//! What `is_locked` says is a snapshot of two words. It never says "free" while the calling thread holds the lock, nor
//! while another does whose acquisition happened before the call: T8 sees that draw, and T7 no number beyond it; nor
//! while it goes to a waiter of whom its last holder knew. Where all cores see a store at once (x86, ARMv8, RISC-V)
//! equal words prove a moment at which the lock was free. C11 does not promise that: T8 may miss the draw (T1) of a
//! waiter of whom the holder did not know, and to whom the release that T7 saw has handed the lock.
//!
//! # Progress and fairness
//!
//! Strictly first in, first out, from the instruction that draws (T1); hence [`RawMutexFair`]. A release takes a
//! bounded number of steps. Whoever is preempted while waiting or holding stops everyone behind it: on a host with
//! more threads than cores, or under a hypervisor that may take a virtual CPU away, expect convoys. `try_lock`
//! never waits and never draws a number that it does not use. It could be fooled only if exactly 2³² sections
//! went by between its two accesses.
//!
//! Without LSE atomics (`-C target-feature=+lse`) AArch64 draws in a load-exclusive/store-exclusive loop, which
//! has no progress guarantee under contention: build with LSE for more than four cores.
//!
//! # Footprint, and when not to use it
//!
//! 8 bytes a lock, 4 in the guard, none a waiter or CPU. One read-modify-write and one store uncontended. All
//! waiters watch the one word: each handover costs as many line transfers as there are waiters, so beyond about
//! eight cores take [`Mcs`](crate::Mcs) or [`Queued`](crate::Queued).

use core::marker::PhantomData;

use lock_api::{RawMutex, RawMutexFair};

use crate::sync::{Acquire, AtomicU32, Relaxed, Release, constructor, initial};
use crate::timed::Watch;
use crate::wait::{DefaultWait, Wait};

/// A first-in-first-out spin lock of two words; the release is one plain store. See the [module](self).
///
/// ```
/// use hyp_locks::Ticket;
///
/// static COUNTER: lock_api::Mutex<Ticket, u64> = lock_api::Mutex::new(0);
/// *COUNTER.lock() += 1;
/// assert_eq!(*COUNTER.lock(), 1);
/// ```
///
/// The waiting policy `W` is a [`wait`](crate::wait) type.
#[derive(Debug)]
#[repr(C)] // the order of the drawing
pub struct Ticket<W = DefaultWait> {
    next: AtomicU32,
    owner: AtomicU32,
    wait: PhantomData<fn() -> W>,
}

/// The number that the holder drew.
#[derive(Debug)]
#[must_use]
pub struct TicketGuard(u32);

impl<W> Ticket<W> {
    constructor! {
        /// A free lock; nobody has drawn a number.
        pub fn new() = Self { next: AtomicU32::new(0), owner: AtomicU32::new(0), wait: PhantomData }
    }
}

impl<W> Default for Ticket<W> {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: mutual exclusion: a section begins when `owner` shows its number (T2, T3) and ends when its holder
// moves `owner` on (N3), and no two acquirers have the same number (N2). T6 releases what T2 and T3 acquire. A
// guard is a number: forgetting it leaves the lock held, and no part of the lock knows its own address.
unsafe impl<W: Wait> RawMutex for Ticket<W> {
    const INIT: Self = initial!(Self::new());

    type Guard = TicketGuard;

    /// Draws a number and waits for it. One read-modify-write; never panics.
    #[inline]
    fn lock(&self) -> TicketGuard {
        let ticket = self.next.fetch_add(1, Relaxed); // T1 draw: next = t -> t + 1
        W::until(&self.owner, |owner| ticket.wrapping_sub(owner)); // T2 turn: owner = t
        TicketGuard(ticket)
    }

    /// Draws a number if it is on show already. Never waits, never panics.
    #[inline]
    fn try_lock(&self) -> Option<TicketGuard> {
        let owner = self.owner.load(Acquire); // T3
        let next = owner.wrapping_add(1);
        let drawn = self.next.compare_exchange(owner, next, Relaxed, Relaxed); // T4 try: o, o -> o, o + 1
        drawn.ok().map(TicketGuard)
    }

    /// Shows the next number: one store, no read.
    #[inline]
    unsafe fn unlock(&self, TicketGuard(ticket): TicketGuard) {
        self.owner.store(ticket.wrapping_add(1), Release); // T6 release: owner = t -> t + 1
    }

    #[inline]
    fn is_locked(&self) -> bool {
        let owner = self.owner.load(Acquire); // T7
        self.next.load(Relaxed) != owner // T8
    }
}

// SAFETY: strictly first in, first out (N2, N3): every release hands the lock to the longest waiter.
unsafe impl<W: Wait> RawMutexFair for Ticket<W> {
    #[inline]
    unsafe fn unlock_fair(&self, guard: TicketGuard) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.unlock(guard) };
    }

    /// Goes to the end of the queue, if there is one; else costs one load.
    #[inline]
    unsafe fn bump(&self, guard: &mut TicketGuard) {
        let next = self.next.load(Relaxed); // T5
        if next == guard.0.wrapping_add(1) {
            return; // nobody waits
        }
        let held = core::mem::replace(guard, TicketGuard(0)); // nothing below unwinds, so the 0 is never used
        // SAFETY: the caller's promise, passed on.
        unsafe { self.unlock(held) };
        *guard = self.lock();
    }
}

impl<W: Wait> Watch for Ticket<W> {
    type Word = AtomicU32;

    #[inline]
    fn word(&self) -> &AtomicU32 {
        &self.owner
    }
}
