//! Queued spin lock of four bytes: its waiters' nodes are those of their CPUs.
//!
//! # In one sentence
//!
//! A flag and a queue of those who wait for it, as [`Queued`](crate::Queued), but a waiter is known by its CPU and how deep
//! it is nested there, which fits in 16 bits.
//!
//! # Paper, and where this departs from it
//!
//! Linux's `qspinlock` (Zijlstra, Long, 2014/15). Its word is one of 32 bits, of which it writes halves and bytes; Rust has
//! no store to a part of an atomic, so these are two of 16 bits, and what Linux decides by one compare-exchange of the
//! whole is decided by the flag alone. There is no pending bit: the second waiter takes its node, too.
//!
//! # State
//!
//! ```text
//!  held, two wait; CPU 2 waits in a handler (level 1), which came in while it was waiting for another lock (level 0):
//!
//!   QSpin                     CpuNodes of CPU 5              CpuNodes of CPU 2
//!  ┌────────────────┐        ┌─────────────────────┐        ┌─────────────────────┐
//!  │ locked: 1      │◄·watch·│ taken: 1            │        │ taken: 2            │
//!  │ tail: 2, lvl 1 ┼──┐     │ 0: next ────────────┼──┐     │ 0: (another queue)  │
//!  └────────────────┘  │     │    wait: 0          │  └────►│ 1: next: 0, wait: 1 │
//!                      │     │ 1, 2, 3: –          │        │ 2, 3: –             │
//!                      │     └─────────────────────┘        └──────────▲──────────┘
//!                      └───────────────────────────────────────────────┘
//! ```
//!
//! A place in the queue is `4 * cpu + level + 1`, 0 is none.
//!
//! | state | `locked` | `tail` |
//! |---|---|---|
//! | free | 0 | 0 |
//! | held, nobody waits | 1 | 0 |
//! | held, waiters | 1 | the last one's place |
//! | released, the first waiter has not taken it yet | 0 | the last one's place |
//!
//! # Invariants
//!
//! * N1 `locked` goes from 0 to 1 by a compare-exchange, whose winner holds, and back by the holder only. Exclusion rests
//!   on nothing else: not on [`CpuId`], nor on the nodes.
//! * N2 A node is in one queue at most: its CPU takes the nodes in order and gives them back in the opposite one, for a
//!   handler that waits has done so before what it interrupted goes on. `taken` counts them.
//! * N3 `lock_slow` gives its node back only when nobody will access it any more for this wait: whoever granted it the
//!   head has done so before `wait` was seen to be 0, and `tail` has moved on, to 0 (S9) or to a successor's place, whose
//!   link has been stored and read (S10).
//! * N4 One waiter is the head: the one that found `tail` 0, or the one whose `wait` is 0. Only it goes for `locked`
//!   among those in the queue.
//!
//! # Transitions
//!
//! ```text
//!  take     locked = 0, tail = 0     ->  1                 lock, without queueing; try_lock, whatever `tail` is
//!  enqueue  tail = p                 ->  me                p = 0: me is the head
//!  link     p.next = 0               ->  me
//!  head     me.wait = 1              ->  0                 by the head before, when it has taken the lock
//!  take     locked = 0               ->  1                 by the head, or by who has no node left
//!  leave    tail = me                ->  0                 nobody has come since
//!           or me.next.wait = 1      ->  0                 the next one is the head
//!  release  locked = 1               ->  0
//! ```
//!
//! # Memory ordering
//!
//! | access | operation | ordering | pairs with | why not weaker, why not stronger |
//! |---|---|---|---|---|
//! | S1 | `tail` load | Relaxed | – | keeps newcomers from passing a queue; passing one is unfair, not wrong |
//! | S2 | `locked` compare-exchange, not queued or trying | Acquire | S12 | after the section whose release left 0 |
//! | S3 | `tail` swap | AcqRel | S3 | Release: the node's first values (S17, S18) are there before a successor stores its link in it. Acquire: the same of the predecessor's node |
//! | S4 | link store | Release | S8, S10 | our node's `wait` = 1 is there before the predecessor's 0 |
//! | S5 | own `wait` load, waiting | Acquire | – | could be Relaxed, see S11; waiting always acquires, at no cost |
//! | S6 | `locked` load, waiting | Acquire | – | could be Relaxed, for S7 decides; waiting always acquires, at no cost |
//! | S7 | `locked` compare-exchange, waiting | Acquire | S12 | after the section whose release left 0 |
//! | S8 | own `next` load | Acquire | S4 | the successor's node is ready to be told |
//! | S9 | `tail` compare-exchange, me to 0 | Relaxed | – | hands nothing over: who finds 0 goes for `locked` like anyone, and our own later use of the node comes after it in program order |
//! | S10 | own `next` load, waiting | Acquire | S4 | as S8 |
//! | S11 | successor's `wait` store | Relaxed | – | guards nothing: who is told goes for `locked` like anyone. Its next 1 (S18) comes after it in the order of that word, for it has read this 0 |
//! | S12 | `locked` store | Release | S2, S7 | our section is done before the next one takes |
//! | S13 | `locked` load, trying | Relaxed | – | a hint: saves the read-modify-write that would fail |
//! | S14 | `locked` load, `is_locked` | Relaxed | – | a snapshot promises nothing to what follows |
//! | S15 | own `taken` load | Relaxed | – | its CPU's alone; a handler in between leaves it as it found it (N2) |
//! | S16 | own `taken` store, taking a node | Relaxed | – | as S15; the compiler fence after it has a handler see it before the node is touched |
//! | S17 | own `next` store, first value | Relaxed | – | S3 publishes it |
//! | S18 | own `wait` store, first value | Relaxed | – | S3 and S4 publish it |
//! | S19 | own `taken` store, giving the node back | Relaxed | – | as S15; the compiler fence before it has a handler find the node done with |
//!
//! # Progress and fairness
//!
//! As [`Queued`](crate::Queued): first in, first out among those in the queue; a newcomer that looked at `tail` before
//! anyone queued may pass once, and so may `try_lock`; hence no `RawMutexFair`. A release is one store. A CPU that waits
//! on five levels at once, each in an interrupt of the one before, has no node left for the fifth: that one goes for the
//! flag without queueing, as does a CPU for which [`Nodes`] has no place.
//!
//! # Footprint, and when not to use it
//!
//! 4 bytes a lock, none in the guard; 64 bytes a CPU, for all locks of the program together. One read-modify-write and one
//! store uncontended. To be chosen for locks by the thousand (one a page, one a table); one lock that stands alone is
//! simpler as [`Queued`](crate::Queued), which knows no CPU. What waits must stay on its CPU meanwhile ([`CpuId`]): threads
//! that an OS may move need preemption off, as in Linux.

use core::marker::PhantomData;
use core::sync::atomic::{Ordering::SeqCst, compiler_fence};

use lock_api::{GuardSend, RawMutex};

use crate::cpu::CpuId;
use crate::sync::{AcqRel, Acquire, AtomicU16, Relaxed, Release, array, constructor, initial};
use crate::timed::Watch;
use crate::wait::{DefaultWait, Wait};

/// How many locks a CPU can queue for at once: a thread's, and those of three interrupts that came in one upon the other.
const LEVELS: u16 = 4;

/// A flag with a queue of CPUs before it, in four bytes; the release is one plain store. See the [module](self).
///
/// ```
/// use hyp_locks::qspin::{CpuNodes, Nodes, QSpin};
/// use hyp_locks::CpuId;
///
/// struct Cpus;
/// // SAFETY: this example has one thread.
/// unsafe impl CpuId for Cpus {
///     fn cpu() -> usize {
///         0 // on AArch64, TPIDR_EL2
///     }
/// }
/// impl Nodes for Cpus {
///     fn nodes() -> &'static [CpuNodes] {
///         static NODES: [CpuNodes; 8] = [const { CpuNodes::new() }; 8];
///         &NODES
///     }
/// }
///
/// static COUNTER: lock_api::Mutex<QSpin<Cpus>, u64> = lock_api::Mutex::new(0);
/// *COUNTER.lock() += 1;
/// assert_eq!(*COUNTER.lock(), 1);
/// ```
///
/// The waiting policy `W` is a [`wait`](crate::wait) type.
#[derive(Debug)]
pub struct QSpin<C, W = DefaultWait> {
    locked: AtomicU16,
    tail: AtomicU16,
    cpus: PhantomData<fn() -> (C, W)>,
}

/// Where the CPUs of a program queue, for any number of [`QSpin`]s.
pub trait Nodes: CpuId {
    /// The nodes, by CPU: always the same. A CPU for which there are none does not queue. If it is another list, who waits
    /// panics or waits for ever; nobody gets in who should not.
    fn nodes() -> &'static [CpuNodes];
}

/// The nodes of one CPU, a line of its own.
#[derive(Debug)]
#[repr(align(64))]
pub struct CpuNodes {
    taken: AtomicU16,
    nodes: [Node; LEVELS as usize],
}

/// A waiter's place in a queue.
#[derive(Debug)]
struct Node {
    next: AtomicU16,
    wait: AtomicU16,
}

impl CpuNodes {
    constructor! {
        /// Of a CPU that waits for nothing.
        pub fn new() = Self {
            taken: AtomicU16::new(0),
            nodes: array![Node { next: AtomicU16::new(0), wait: AtomicU16::new(0) }; LEVELS as usize]
        }
    }
}

impl Default for CpuNodes {
    fn default() -> Self {
        Self::new()
    }
}

impl<C, W> QSpin<C, W> {
    constructor! {
        /// A free lock.
        pub fn new() = Self { locked: AtomicU16::new(0), tail: AtomicU16::new(0), cpus: PhantomData }
    }
}

impl<C, W> Default for QSpin<C, W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Nodes, W: Wait> QSpin<C, W> {
    /// Takes the lock if it is free, whatever the queue.
    #[inline]
    fn take(&self) -> bool {
        self.locked.compare_exchange(0, 1, Acquire, Relaxed).is_ok() // S2 take: 0 -> 1
    }

    /// Takes the lock as soon as it is free: as the head of the queue, or for want of a node.
    fn take_next(&self) {
        loop {
            W::until(&self.locked, u32::from); // S6
            let taken = self.locked.compare_exchange(0, 1, Acquire, Relaxed); // S7 take: 0 -> 1
            if taken.is_ok() {
                return;
            }
        }
    }

    /// Queues with a node of this CPU, if it has one left.
    #[cold]
    fn lock_slow(&self) {
        let cpu = C::cpu();
        let Some(own) = C::nodes().get(cpu) else { return self.take_next() };
        let level = own.taken.load(Relaxed); // S15
        let place = u16::try_from(cpu).ok().and_then(|cpu| cpu.checked_mul(LEVELS)?.checked_add(level + 1));
        let (Some(node), Some(me)) = (own.nodes.get(usize::from(level)), place) else { return self.take_next() };
        own.taken.store(level + 1, Relaxed); // S16
        compiler_fence(SeqCst); // a handler that comes from here on takes the next node
        self.lock_queued(me, node);
        compiler_fence(SeqCst); // and this one again when nobody looks at it any more
        own.taken.store(level, Relaxed); // S19
    }

    /// Queues, takes the lock as the head of the queue, and makes the next one the head.
    fn lock_queued(&self, me: u16, node: &Node) {
        node.next.store(0, Relaxed); // S17
        node.wait.store(1, Relaxed); // S18
        let previous = self.tail.swap(me, AcqRel); // S3 enqueue: p -> me
        if previous != 0 {
            Self::node(previous).next.store(me, Release); // S4 link: 0 -> me
            W::until(&node.wait, u32::from); // S5 head: 1 -> 0
        }

        self.take_next();

        let mut successor = node.next.load(Acquire); // S8
        if successor == 0 {
            let alone = self.tail.compare_exchange(me, 0, Relaxed, Relaxed); // S9 leave: me -> 0
            if alone.is_ok() {
                return;
            }
            successor = W::until(&node.next, |next| u32::from(next == 0)); // S10
        }
        Self::node(successor).wait.store(0, Relaxed); // S11 head: 1 -> 0
    }

    /// The node at a place that its CPU has put into the queue, so there is one.
    fn node(place: u16) -> &'static Node {
        let place = place - 1;
        &C::nodes()[usize::from(place / LEVELS)].nodes[usize::from(place % LEVELS)]
    }
}

// SAFETY: mutual exclusion by N1; S12 releases what S2 and S7 acquire. What is queued are CPUs, not addresses: the lock may
// be moved, dropped, and its guard forgotten.
unsafe impl<C: Nodes, W: Wait> RawMutex for QSpin<C, W> {
    const INIT: Self = initial!(Self::new());

    type Guard = GuardSend;

    /// Takes a free lock that has no queue by one read-modify-write, else queues. Never panics, if [`Nodes`] keeps its word.
    #[inline]
    fn lock(&self) -> GuardSend {
        let queue = self.tail.load(Relaxed); // S1
        if queue != 0 || !self.take() {
            self.lock_slow();
        }
        GuardSend::new()
    }

    /// Takes a free lock, even if others wait for it. Never waits, never panics.
    #[inline]
    fn try_lock(&self) -> Option<GuardSend> {
        let locked = self.locked.load(Relaxed); // S13
        (locked == 0 && self.take()).then(GuardSend::new)
    }

    /// One store.
    #[inline]
    unsafe fn unlock(&self, _: GuardSend) {
        self.locked.store(0, Release); // S12 release: 1 -> 0
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.locked.load(Relaxed) != 0 // S14
    }
}

impl<C: Nodes, W: Wait> Watch for QSpin<C, W> {
    type Word = AtomicU16;

    #[inline]
    fn word(&self) -> &AtomicU16 {
        &self.locked
    }
}
