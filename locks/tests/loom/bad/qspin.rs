//! The queue of CPUs, with faults.

use hyp_locks::CpuId;
use hyp_locks::sync::Ordering::{AcqRel, Acquire, Relaxed, Release};
use hyp_locks::sync::{AtomicU16, AtomicU32};
use hyp_locks::wait::Wait;
use lock_api::{GuardSend, RawMutex};

use super::{LOSES_THE_SUCCESSOR, NONE, RACE, TAKES_BY_STORE, WAITS_FOR_EVER, tells};
use crate::model::{Cpu, Fresh, Interrupted, Lock, exclusion, nested};

/// Whoever has no node takes it that the lock is its own.
const LETS_IN_WHO_HAS_NO_NODE: u8 = 20;
/// The node is given back when the lock has been taken, though the next one may not have linked itself to it yet.
const GIVES_THE_NODE_BACK_EARLY: u8 = 21;
/// A handler that waits takes the node of the wait that it interrupted.
const HAS_ONE_NODE_FOR_ALL: u8 = 22;

/// The nodes of a CPU: two levels.
struct Own {
    taken: AtomicU16,
    nodes: [Node; 2],
}

struct Node {
    next: AtomicU32,
    wait: AtomicU32,
}

impl Own {
    fn new() -> Self {
        let node = || Node { next: AtomicU32::new(0), wait: AtomicU32::new(0) };
        Self { taken: AtomicU16::new(0), nodes: [node(), node()] }
    }
}

loom::lazy_static! {
    static ref NODES: [Own; 2] = [Own::new(), Own::new()];
}

/// `CPUS`: how many have nodes.
struct QSpin<const FAULT: u8, const CPUS: usize = 2> {
    locked: AtomicU32,
    tail: AtomicU32,
}

impl<const FAULT: u8, const CPUS: usize> QSpin<FAULT, CPUS> {
    fn take(&self) -> bool {
        self.locked.compare_exchange(0, 1, Acquire, Relaxed).is_ok()
    }

    fn take_next(&self) {
        loop {
            Interrupted::until(&self.locked, |locked| locked);
            if FAULT == TAKES_BY_STORE {
                return self.locked.store(1, Relaxed);
            }
            if self.take() {
                return;
            }
        }
    }

    fn node(place: u32) -> &'static Node {
        &NODES[(place - 1) as usize / 2].nodes[(place - 1) as usize % 2]
    }

    fn lock_slow(&self) {
        let cpu = Cpu::cpu();
        let Some(own) = NODES[..CPUS].get(cpu) else {
            if FAULT != LETS_IN_WHO_HAS_NO_NODE {
                self.take_next();
            }
            return;
        };
        let level = own.taken.load(Relaxed);
        if FAULT != HAS_ONE_NODE_FOR_ALL {
            own.taken.store(level + 1, Relaxed);
        }
        let (me, node) = ((2 * cpu) as u32 + u32::from(level) + 1, &own.nodes[usize::from(level)]);
        node.next.store(0, Relaxed);
        node.wait.store(1, Relaxed);
        let previous = self.tail.swap(me, AcqRel);
        if previous != 0 {
            Self::node(previous).next.store(me, Release);
            Interrupted::until(&node.wait, |wait| wait);
        }
        self.take_next();
        if FAULT == GIVES_THE_NODE_BACK_EARLY {
            own.taken.store(level, Relaxed);
        }
        let mut successor = node.next.load(Acquire);
        let more = successor == 0 && self.tail.compare_exchange(me, 0, Relaxed, Relaxed).is_err();
        if more && FAULT != LOSES_THE_SUCCESSOR {
            successor = Interrupted::until(&node.next, |next| u32::from(next == 0));
        }
        if successor != 0 {
            Self::node(successor).wait.store(0, Relaxed);
        }
        own.taken.store(level, Relaxed);
    }
}

// SAFETY: none, with a fault: that is what the models must find.
unsafe impl<const FAULT: u8, const CPUS: usize> RawMutex for QSpin<FAULT, CPUS> {
    const INIT: Self = panic!("a model makes its locks with fresh()");

    type Guard = GuardSend;

    fn lock(&self) -> GuardSend {
        if self.tail.load(Relaxed) != 0 || !self.take() {
            self.lock_slow();
        }
        GuardSend::new()
    }

    fn try_lock(&self) -> Option<GuardSend> {
        self.take().then(GuardSend::new)
    }

    unsafe fn unlock(&self, _: GuardSend) {
        self.locked.store(0, Release);
    }

    fn is_locked(&self) -> bool {
        self.locked.load(Relaxed) != 0
    }
}

impl<const FAULT: u8, const CPUS: usize> Fresh for QSpin<FAULT, CPUS> {
    fn fresh() -> Self {
        Self { locked: AtomicU32::new(0), tail: AtomicU32::new(0) }
    }
}

#[test]
fn a_successor_lost() {
    fn model<const FAULT: u8>() -> u32 {
        exclusion::<QSpin<FAULT>>(&[&[Lock, Lock], &[Lock, Lock]], Some(3))
    }
    tells(model::<NONE>, model::<LOSES_THE_SUCCESSOR>, WAITS_FOR_EVER);
}

#[test]
fn taken_by_store() {
    fn model<const FAULT: u8>() -> u32 {
        exclusion::<QSpin<FAULT>>(&[&[Lock], &[Lock, Lock]], Some(3))
    }
    tells(model::<NONE>, model::<TAKES_BY_STORE>, RACE);
}

#[test]
fn entered_for_want_of_a_node() {
    fn model<const FAULT: u8>() -> u32 {
        exclusion::<QSpin<FAULT, 1>>(&[&[Lock], &[Lock]], Some(3))
    }
    tells(model::<NONE>, model::<LETS_IN_WHO_HAS_NO_NODE>, RACE);
}

#[test]
fn a_node_given_back_before_the_link_is_read() {
    fn model<const FAULT: u8>() -> u32 {
        nested::<QSpin<FAULT>>(1, Some(3))
    }
    tells(model::<NONE>, model::<GIVES_THE_NODE_BACK_EARLY>, WAITS_FOR_EVER);
}

#[test]
fn a_node_taken_twice() {
    fn model<const FAULT: u8>() -> u32 {
        nested::<QSpin<FAULT>>(0, Some(2))
    }
    tells(model::<NONE>, model::<HAS_ONE_NODE_FOR_ALL>, WAITS_FOR_EVER);
}
