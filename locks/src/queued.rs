//! Queued spin lock: a flag, and a queue of those who wait for it.
//!
//! # In one sentence
//!
//! Waiters queue up, each watching a word of its own; only the first of them watches the lock.
//!
//! # Paper, and where this departs from it
//!
//! The idea of Linux's `qspinlock` (Zijlstra, Long, 2014/15): the queue orders the waiters, not the holder. Its nodes
//! are per-CPU arrays and its word is 4 bytes; here a node is on the waiter's stack and there is no notion of a CPU.
//! There is no pending bit either, which saves the second waiter its node.
//!
//! # State
//!
//! ```text
//!  held, three wait:
//!
//!   Queued                 Node of the first            second                third
//!  ┌──────────┐           ┌──────────────────┐         ┌──────────────┐      ┌──────────────┐
//!  │ locked: 1│◄·watches··│ next ────────────┼────────►│ next ────────┼─────►│ next: null   │
//!  │ tail ────┼────┐      │ wait: 0          │         │ wait: 1      │      │ wait: 1      │
//!  └──────────┘    │      └──────────────────┘         └──────────────┘      └──────────────┘
//!                  └───────────────────────────────────────────────────────────▲
//! ```
//!
//! | state | `locked` | `tail` |
//! |---|---|---|
//! | free | 0 | null |
//! | held, nobody waits | 1 | null |
//! | held, waiters | 1 | the last one's node |
//! | released, the first waiter has not taken it yet | 0 | the last one's node |
//!
//! # Invariants
//!
//! * N1 `locked` goes from 0 to 1 by a compare-exchange, whose winner holds, and back by the holder only.
//! * N2 A node is reached from `tail`, or from `next` of the node before it, and from nowhere else.
//! * N3 `lock_slow` returns only when its node is reached from neither: whoever granted it the head looks there no
//!   more (Q11 was its last, and is behind us by Q12 and Q7), and `tail` has moved on, to null (Q9) or to a
//!   successor's node, whose link has been stored and read (Q10).
//! * N4 The lock points to a frame only while its owner is in `lock`; so a lock nobody waits for may be moved,
//!   dropped, and its guard sent or forgotten.
//! * N5 One waiter is the head: the one that found `tail` null, or the one whose `wait` is 0. Only it goes for
//!   `locked` among those in the queue.
//!
//! # Transitions
//!
//! ```text
//!  take     locked = 0, tail = null  ->  1                 lock, without queueing; try_lock, whatever `tail` is
//!  enqueue  tail = p                 ->  me                p = null: me is the head
//!  link     p.next = null            ->  me
//!  head     me.wait = 1              ->  0                 by the head before, when it has taken the lock
//!  take     locked = 0               ->  1                 by the head
//!  leave    tail = me                ->  null              nobody has come since
//!           or me.next.wait = 1      ->  0                 the next one is the head
//!  release  locked = 1               ->  0
//! ```
//!
//! # Memory ordering
//!
//! | access | operation | ordering | pairs with | why not weaker, why not stronger |
//! |---|---|---|---|---|
//! | Q1 | `tail` load | Relaxed | – | keeps newcomers from passing a queue; passing one is unfair, not wrong |
//! | Q2 | `locked` compare-exchange, not queued or trying | Acquire | Q12 | after the section whose release left 0 |
//! | Q3 | `tail` swap | AcqRel | Q3 | Release: the node's first values are there before a successor stores its link in it. Acquire: the same of the predecessor's node |
//! | Q4 | link store | Release | Q8, Q10 | our node's `wait` = 1 is there before the predecessor's 0 |
//! | Q5 | own `wait` load, waiting | Acquire | – | could be Relaxed, see Q11; waiting always acquires, at no cost |
//! | Q6 | `locked` load, waiting | Acquire | – | could be Relaxed, for Q7 decides; waiting always acquires, at no cost |
//! | Q7 | `locked` compare-exchange, head | Acquire | Q12 | after the section whose release left 0 |
//! | Q8 | own `next` load | Acquire | Q4 | the successor's node is ready to be told |
//! | Q9 | `tail` compare-exchange, me to null | Relaxed | – | hands nothing over: who finds null goes for `locked` like anyone, and our own later nodes at this address come after it in program order |
//! | Q10 | own `next` load, waiting | Acquire | Q4 | as Q8 |
//! | Q11 | successor's `wait` store | Relaxed | – | guards nothing: who is told goes for `locked` like anyone. It is the last access to a node by another than its owner, and happens before the granter's own Q12, which the owner's Q7 acquires before its frame ends: at once, or through a chain of others' sections (Q12, then Q2 or Q7, then Q12) |
//! | Q12 | `locked` store | Release | Q2, Q7 | our section is done before the next one takes |
//! | Q13 | `locked` load, trying | Relaxed | – | a hint: saves the read-modify-write that would fail |
//! | Q14 | `locked` load, `is_locked` | Relaxed | – | a snapshot promises nothing to what follows |
//!
//! # Progress and fairness
//!
//! First in, first out among those in the queue. A newcomer that looked at `tail` before anyone queued may still pass
//! (one per CPU, once), and `try_lock` takes a free lock whatever the queue: so there is no `RawMutexFair`. A release
//! is one store, whatever the others do: the one wait for somebody's two instructions (Q10) is in `lock`, by a holder
//! that has not returned yet. An interrupt handler that takes the lock brings its own frame, at any depth.
//!
//! # Footprint, and when not to use it
//!
//! 16 bytes a lock (on 64 bits), none in the guard; a waiter has one aligned line on its stack while it waits. One
//! read-modify-write and one store uncontended. A handover costs the head a miss and a compare-exchange on the
//! lock's line: with two or three cores [`Ticket`](crate::Ticket) is faster.

use core::marker::PhantomData;
use core::ptr;

use lock_api::{GuardSend, RawMutex};

use crate::sync::{AcqRel, Acquire, AtomicPtr, AtomicU32, Relaxed, Release, constructor, initial};
use crate::timed::Watch;
use crate::wait::{DefaultWait, Wait};

/// A flag with a queue before it; the release is one plain store. See the [module](self).
///
/// ```
/// use hyp_locks::Queued;
///
/// static COUNTER: lock_api::Mutex<Queued, u64> = lock_api::Mutex::new(0);
/// *COUNTER.lock() += 1;
/// assert_eq!(*COUNTER.lock(), 1);
/// ```
///
/// The waiting policy `W` is a [`wait`](crate::wait) type.
#[derive(Debug)]
pub struct Queued<W = DefaultWait> {
    tail: AtomicPtr<Node>,
    locked: AtomicU32,
    wait: PhantomData<fn() -> W>,
}

/// A waiter's place in the queue, on its stack; a line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Node {
    next: AtomicPtr<Node>,
    wait: AtomicU32,
}

impl<W> Queued<W> {
    /// What a waiter's node takes on its stack while it waits, in bytes; with the frame that aligns it, two or three times that.
    pub const WAITER: usize = size_of::<Node>();

    constructor! {
        /// A free lock.
        pub fn new() = Self { tail: AtomicPtr::new(ptr::null_mut()), locked: AtomicU32::new(0), wait: PhantomData }
    }
}

impl<W> Default for Queued<W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Wait> Queued<W> {
    /// Takes the lock if it is free, whatever the queue.
    #[inline]
    fn take(&self) -> bool {
        self.locked.compare_exchange(0, 1, Acquire, Relaxed).is_ok() // Q2 take: 0 -> 1
    }

    /// Queues, takes the lock as the head of the queue, and makes the next one the head.
    #[cold]
    fn lock_slow(&self) {
        let node = Node { next: AtomicPtr::new(ptr::null_mut()), wait: AtomicU32::new(1) };
        let me = ptr::from_ref(&node).cast_mut();

        let previous = self.tail.swap(me, AcqRel); // Q3 enqueue: p -> me
        if !previous.is_null() {
            // SAFETY: by N3 its owner stays in `lock_slow` until our link is stored and read.
            let previous = unsafe { &*previous };
            previous.next.store(me, Release); // Q4 link: null -> me
            W::until(&node.wait, |wait| wait); // Q5 head: 1 -> 0
        }

        loop {
            W::until(&self.locked, |locked| locked); // Q6
            let taken = self.locked.compare_exchange(0, 1, Acquire, Relaxed); // Q7 take: 0 -> 1
            if taken.is_ok() {
                break;
            }
        }

        let mut successor = node.next.load(Acquire); // Q8
        if successor.is_null() {
            let alone = self.tail.compare_exchange(me, ptr::null_mut(), Relaxed, Relaxed); // Q9 leave: me -> null
            if alone.is_ok() {
                return;
            }
            successor = W::until(&node.next, |next| u32::from(next.is_null())); // Q10
        }
        // SAFETY: by N3 its owner stays in `lock_slow` until it is told.
        let successor = unsafe { &*successor };
        successor.wait.store(0, Relaxed); // Q11 head: 1 -> 0
    }
}

// SAFETY: mutual exclusion by N1; Q12 releases what Q2 and Q7 acquire. By N4 the lock may be moved, dropped, and its
// guard forgotten.
unsafe impl<W: Wait> RawMutex for Queued<W> {
    const INIT: Self = initial!(Self::new());

    type Guard = GuardSend;

    /// Takes a free lock that has no queue by one read-modify-write, else queues. Never panics.
    #[inline]
    fn lock(&self) -> GuardSend {
        let queue = self.tail.load(Relaxed); // Q1
        if !queue.is_null() || !self.take() {
            self.lock_slow();
        }
        GuardSend::new()
    }

    /// Takes a free lock, even if others wait for it. Never waits, never panics.
    #[inline]
    fn try_lock(&self) -> Option<GuardSend> {
        let locked = self.locked.load(Relaxed); // Q13
        (locked == 0 && self.take()).then(GuardSend::new)
    }

    /// One store.
    #[inline]
    unsafe fn unlock(&self, _: GuardSend) {
        self.locked.store(0, Release); // Q12 release: 1 -> 0
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.locked.load(Relaxed) != 0 // Q14
    }
}

impl<W: Wait> Watch for Queued<W> {
    type Word = AtomicU32;

    #[inline]
    fn word(&self) -> &AtomicU32 {
        &self.locked
    }
}
