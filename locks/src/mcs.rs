//! MCS lock, in the K42 form.
//!
//! # In one sentence
//!
//! A queue of waiters, each watching a word of its own; the holder's place at the head is kept by the lock itself,
//! so no queue node outlives the call that waits.
//!
//! # Paper, and where this departs from it
//!
//! Mellor-Crummey and Scott, ACM TOCS 9(1), 1991, section 2.4, in the variant of the K42 operating system, described
//! in Scott, *Shared-Memory Synchronization*, 2nd ed. 2024, section 4.3.2: the node is on the waiter's stack and its
//! position moves into the lock before `lock` returns. K42 marks "held, nobody waits" by the lock's own address;
//! here it is the constant 1, because a locked `lock_api` lock may be moved. K42 moves a successor that is known into
//! the lock, too; here it goes into the guard (`lock_api` 0.5), and the release then leaves the lock's line alone.
//!
//! # State
//!
//! ```text
//!  held, two wait:
//!
//!   Mcs                    Node of the next one         Node of the last one
//!  ┌──────────┐           ┌──────────────────┐         ┌──────────────────┐
//!  │ next ────┼────┬─────►│ next ────────────┼────────►│ next: null       │
//!  │          │    │      │ wait: 1          │         │ wait: 1          │
//!  │ tail ────┼─┐  │      └──────────────────┘         └──────────────────┘
//!  └──────────┘ │  │        on its stack                 ▲
//!               └──┼─────────────────────────────────────┘
//!   McsGuard ──────┘        one of the two: `next`, of a waiter that came to a lock that had none; or the guard
//! ```
//!
//! | state | `tail` | `next` | guard |
//! |---|---|---|---|
//! | free | null | null | – |
//! | held, nobody waits | HELD | null | null |
//! | held, a waiter has come but is not linked | its node | null | null |
//! | held, waiters, who came after the holder had moved in | the last one's node | the first one's node | null |
//! | held, waiters, who came before | the last one's node | stale | the first one's node |
//! | granted, the new holder is still moving in | its own or a later node | stale | – |
//!
//! # Invariants
//!
//! * N1 `tail` is null exactly when the lock is free. While it is null or HELD, `next` is null.
//! * N2 Only the holder writes `next`, but for the one waiter that found `tail` = HELD, which links itself there.
//! * N3 A node is reached from `tail`, or from the link before it (`next` of the lock or of a node, of which the holder
//!   may have a copy in its guard), and from nowhere else.
//! * N4 `lock_slow` returns only when its node is reached from neither: its owner was granted the lock, so the link
//!   before it has been followed for the last time (the granter takes no look after M11); and `tail` has moved on,
//!   to HELD (M7) or to a successor's node, which has stored its link in the node (M8) and looks there no more.
//! * N5 Nothing in lock or guard points to a frame unless its owner is in `lock`, and stays there until it is granted; so a
//!   lock nobody waits for may be moved, dropped, and its guard sent or forgotten. HELD is no address: nodes are aligned.
//!
//! # Transitions
//!
//! ```text
//!  take     tail = null            ->  HELD                        lock, try_lock: held, nobody waits
//!  enqueue  tail = p               ->  me                          lock_slow; p = null: held at once
//!  link     next of p (or lock's, if p = HELD) = null  ->  me
//!  grant    me.wait = 1            ->  0                           by the holder; me holds
//!  move in  tail = me, lock.next   ->  HELD, null                  nobody has come since
//!           or guard               =   me.next                     somebody has
//!  release  tail = HELD            ->  null                        nobody waits
//!           or first waiter's wait = 1  ->  0                      it holds
//! ```
//!
//! # Memory ordering
//!
//! | access | operation | ordering | pairs with | why not weaker, why not stronger |
//! |---|---|---|---|---|
//! | M1 | `tail` compare-exchange, null to HELD | Acquire | M9 | after the section whose release left null |
//! | M2 | `tail` swap | AcqRel | M2, M7, M9 | Release: the node's first values are there before a successor stores its link in it. Acquire: the same of the predecessor's node; of M6 before our link in the lock's `next`; and, if null, of the section before |
//! | M3 | link store | Release | M5, M8, M10 | our node's `wait` = 1 is there before the granter's 0 |
//! | M4 | own `wait` load, waiting | Acquire | M11 | after the section of the granter |
//! | M5 | own `next` load | Acquire | M3 | the successor's node is ready to be granted |
//! | M6 | lock's `next` store, null | Relaxed | – | made visible to the waiter that will link there by M7 |
//! | M7 | `tail` compare-exchange, me to HELD | Release | M2 | M6 comes before the link of the one that finds HELD. Not Acquire: it reads our own M2 |
//! | M8 | own `next` load, waiting | Acquire | M3 | as M5 |
//! | M9 | `tail` compare-exchange, HELD to null | Release | M1, M2 | our section is done before the next one takes |
//! | M10 | lock's `next` load, waiting | Acquire | M3 | as M5: the waiter that found HELD links itself here |
//! | M11 | successor's `wait` store | Release | M4 | our section is done before the successor's begins |
//! | M12 | `tail` load, trying | Relaxed | – | a hint: saves the read-modify-write that would fail |
//! | M13 | `tail` load, bumping | Relaxed | – | a stale HELD says "nobody waits", which was true when it was written |
//! | M14 | `tail` load, `is_locked` | Relaxed | – | a snapshot promises nothing to what follows |
//!
//! # Progress and fairness
//!
//! Strictly first in, first out, from the swap (M2); hence [`RawMutexFair`]. Every waiter watches its own line, so a
//! handover disturbs nobody else. A release that finds a waiter which has come but not linked itself waits for it
//! (M10): for two instructions, if nothing comes in between there; but for as long as a handler runs, where the waiter
//! can be interrupted, and as long as the hypervisor or scheduler pleases, where it can lose its CPU.
//!
//! So a release can wait for a waiter's *handler*. If that handler wants a lock which the releaser still holds, neither
//! goes on, whatever the order in which locks are taken: hand over hand, take this one, then another that handlers take,
//! release this one first. With interrupts masked wherever the lock is taken ([`IrqSave`](crate::IrqSave)) that cannot be;
//! where they are not, take [`Queued`](crate::Queued), whose release waits for nobody.
//!
//! # Footprint, and when not to use it
//!
//! 16 bytes a lock (on 64 bits), 8 in the guard; a waiter has one aligned line on its stack while it waits. Two
//! read-modify-writes uncontended. With more than two cores at it a release is one store, to the waiter's line. Any
//! nesting: an interrupt handler brings its own frame.

use core::marker::PhantomData;
use core::ptr;

use lock_api::{RawMutex, RawMutexFair};

use crate::sync::{AcqRel, Acquire, AtomicPtr, AtomicU32, Relaxed, Release, constructor, initial};
use crate::wait::{DefaultWait, Wait};

/// A first-in-first-out queue lock; waiters watch lines of their own. See the [module](self).
///
/// ```
/// use hyp_locks::Mcs;
///
/// static COUNTER: lock_api::Mutex<Mcs, u64> = lock_api::Mutex::new(0);
/// *COUNTER.lock() += 1;
/// assert_eq!(*COUNTER.lock(), 1);
/// ```
///
/// The waiting policy `W` is a [`wait`](crate::wait) type.
#[derive(Debug)]
pub struct Mcs<W = DefaultWait> {
    tail: AtomicPtr<Node>,
    next: AtomicPtr<Node>,
    wait: PhantomData<fn() -> W>,
}

/// A waiter's place in the queue, on its stack; a line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Node {
    next: AtomicPtr<Node>,
    wait: AtomicU32,
}

/// The first waiter, if it was there before the holder had the lock; else null.
#[derive(Debug)]
pub struct McsGuard(*const Node);

// SAFETY: by N5 the waiter stays until it is granted, by whichever thread.
unsafe impl Send for McsGuard {}

// SAFETY: nothing of it is accessed through a shared reference.
unsafe impl Sync for McsGuard {}

impl McsGuard {
    const NOBODY: Self = Self(ptr::null());
}

/// `tail` of a lock that is held and has no waiters. No node is there: nodes are aligned.
const HELD: *mut Node = ptr::without_provenance_mut(1);

impl<W> Mcs<W> {
    /// What a waiter's node takes on its stack while it waits, in bytes; with the frame that aligns it, two or three times that.
    pub const WAITER: usize = size_of::<Node>();

    constructor! {
        /// A free lock.
        pub fn new() = Self {
            tail: AtomicPtr::new(ptr::null_mut()),
            next: AtomicPtr::new(ptr::null_mut()),
            wait: PhantomData,
        }
    }
}

impl<W> Default for Mcs<W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Wait> Mcs<W> {
    /// Takes the lock if it is free.
    #[inline]
    fn take(&self) -> bool {
        self.tail.compare_exchange(ptr::null_mut(), HELD, Acquire, Relaxed).is_ok() // M1 take: null -> HELD
    }

    /// Queues, waits to be granted the lock, and moves the holder's place from the node into lock and guard.
    #[cold]
    fn lock_slow(&self) -> McsGuard {
        let node = Node { next: AtomicPtr::new(ptr::null_mut()), wait: AtomicU32::new(1) };
        let me = ptr::from_ref(&node).cast_mut();

        let previous = self.tail.swap(me, AcqRel); // M2 enqueue: p -> me
        if !previous.is_null() {
            let link = if previous == HELD {
                &self.next
            } else {
                // SAFETY: by N4 its owner stays in `lock_slow` until our link is stored and read.
                unsafe { &(*previous).next }
            };
            link.store(me, Release); // M3 link: null -> me
            W::until(&node.wait, |wait| wait); // M4 grant: 1 -> 0
        }

        let mut successor = node.next.load(Acquire); // M5
        if successor.is_null() {
            self.next.store(ptr::null_mut(), Relaxed); // M6 before M7: from there on a waiter links here
            let alone = self.tail.compare_exchange(me, HELD, Release, Relaxed); // M7 move in: me -> HELD
            if alone.is_ok() {
                return McsGuard::NOBODY;
            }
            successor = W::until(&node.next, |next| u32::from(next.is_null())); // M8
        }
        McsGuard(successor)
    }
}

// SAFETY: mutual exclusion: the lock is held from `tail` = null -> not null (M1, or M2 that found null) or a grant,
// to `tail` = HELD -> null (M9) or the next grant (M11), each of which only the holder makes. M9 and M11 release what M1,
// M2 and M4 acquire. By N5 the lock may be moved, dropped, and its guard forgotten.
unsafe impl<W: Wait> RawMutex for Mcs<W> {
    const INIT: Self = initial!(Self::new());

    type Guard = McsGuard;

    /// Takes a free lock by one read-modify-write, else queues. Never panics.
    #[inline]
    fn lock(&self) -> McsGuard {
        if self.take() { McsGuard::NOBODY } else { self.lock_slow() }
    }

    /// Takes a free lock. Never waits, never panics.
    #[inline]
    fn try_lock(&self) -> Option<McsGuard> {
        let tail = self.tail.load(Relaxed); // M12
        (tail.is_null() && self.take()).then_some(McsGuard::NOBODY)
    }

    /// Frees the lock, or grants it to the first waiter, for whose link it may have to wait.
    #[inline]
    unsafe fn unlock(&self, McsGuard(mut successor): McsGuard) {
        if successor.is_null() {
            let freed = self.tail.compare_exchange(HELD, ptr::null_mut(), Release, Relaxed); // M9 release
            if freed.is_ok() {
                return;
            }
            successor = W::until(&self.next, |next| u32::from(next.is_null())); // M10
        }
        // SAFETY: by N4 its owner stays in `lock_slow` until granted.
        let successor = unsafe { &*successor };
        successor.wait.store(0, Release); // M11 grant: 1 -> 0
    }

    #[inline]
    fn is_locked(&self) -> bool {
        !self.tail.load(Relaxed).is_null() // M14
    }
}

// SAFETY: strictly first in, first out: a release hands the lock to the first in the queue, and a lock with a queue
// is not free.
unsafe impl<W: Wait> RawMutexFair for Mcs<W> {
    #[inline]
    unsafe fn unlock_fair(&self, guard: McsGuard) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.unlock(guard) };
    }

    /// Goes to the end of the queue, if there is one; else costs one load.
    #[inline]
    unsafe fn bump(&self, guard: &mut McsGuard) {
        let tail = self.tail.load(Relaxed); // M13
        if tail == HELD {
            return; // nobody waits
        }
        // SAFETY: the caller's promise, passed on; the guard is taken out, and there is none until `lock` returns.
        unsafe { self.unlock(core::mem::replace(guard, McsGuard::NOBODY)) };
        *guard = self.lock();
    }
}
