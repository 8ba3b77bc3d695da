//! Queues in states that a free-running schedule seldom shows: each test stops the schedule where it matters.

#![cfg(not(loom))]

#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod stepping;

use std::array;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hyp_locks::qspin::{CpuNodes, Nodes};
use hyp_locks::wait::{Wait, Word};
use hyp_locks::{CpuId, QSpin, Queued, Ticket};
use lock_api::{GuardSend, RawMutex};

/// Does what its thread has prepared when a wait begins that does not end at once; then yields until it ends.
struct Staged;

thread_local! {
    static PREPARED: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

fn prepare(act: impl FnOnce() + 'static) {
    PREPARED.set(Some(Box::new(act)));
}

// SAFETY: the one way out is `ahead == 0` for the value just seen; what is prepared panics only to fail a test.
unsafe impl Wait for Staged {
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        loop {
            let seen = word.look();
            if ahead(seen) == 0 {
                return seen;
            }
            match PREPARED.take() {
                Some(act) => act(),
                None => thread::yield_now(),
            }
        }
    }
}

/// The CPU `NUMBER`, of which there is one: the tests that queue with its nodes come one after the other.
struct Cpu<const NUMBER: usize>;

// SAFETY: each test below holds `ONE_AT_A_TIME` as long as it has a thread with such a number, and has one of each.
unsafe impl<const NUMBER: usize> CpuId for Cpu<NUMBER> {
    fn cpu() -> usize {
        NUMBER
    }
}

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The last CPU that has a place in 16 bits, on three of its four levels.
const LAST: usize = 16383;

/// CPUs with nodes: as many as there are places for, and one more. For miri, which keeps account of each word, two; there
/// the last ones are not in the list.
const LISTED: usize = if cfg!(miri) { 2 } else { LAST + 2 };

impl<const NUMBER: usize> Nodes for Cpu<NUMBER> {
    fn nodes() -> &'static [CpuNodes] {
        static NODES: [CpuNodes; LISTED] = [const { CpuNodes::new() }; LISTED];
        &NODES
    }
}

/// This thread's own CPU: 0, or 1 for who comes first.
struct Either;

thread_local! {
    static FIRST: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: as `Cpu`.
unsafe impl CpuId for Either {
    fn cpu() -> usize {
        usize::from(FIRST.get())
    }
}

impl Nodes for Either {
    fn nodes() -> &'static [CpuNodes] {
        static NODES: [CpuNodes; 2] = [const { CpuNodes::new() }; 2];
        &NODES
    }
}

/// The lock has been released, and the one at the head of its queue has not taken it yet: a newcomer comes.
fn newcomer<L: RawMutex + Sync>() -> Vec<&'static str> {
    static WAITS: AtomicBool = AtomicBool::new(false);
    static GO_ON: AtomicBool = AtomicBool::new(false);
    let _alone = ONE_AT_A_TIME.lock().unwrap();
    WAITS.store(false, Ordering::Relaxed);
    GO_ON.store(false, Ordering::Relaxed);
    let (lock, order) = (L::INIT, Mutex::new(vec![]));
    let section = |name| {
        let guard = lock.lock();
        order.lock().unwrap().push(name);
        // SAFETY: acquired above.
        unsafe { lock.unlock(guard) };
    };
    let held = lock.lock();
    thread::scope(|scope| {
        scope.spawn(|| {
            FIRST.set(true);
            prepare(|| {
                WAITS.store(true, Ordering::Release);
                while !GO_ON.load(Ordering::Acquire) {
                    thread::yield_now();
                }
            });
            section("head");
        });
        while !WAITS.load(Ordering::Acquire) {
            thread::yield_now();
        }
        // SAFETY: acquired above.
        unsafe { lock.unlock(held) };
        prepare(|| GO_ON.store(true, Ordering::Release));
        section("newcomer");
        drop(PREPARED.take());
        GO_ON.store(true, Ordering::Release); // it did not have to wait
    });
    order.into_inner().unwrap()
}

#[test]
fn a_newcomer_that_sees_a_queue_does_not_pass_it() {
    assert_eq!(newcomer::<Queued<Staged>>(), ["head", "newcomer"]);
    assert_eq!(newcomer::<QSpin<Either, Staged>>(), ["head", "newcomer"]);
    assert_eq!(newcomer::<Ticket<Staged>>(), ["head", "newcomer"]);
}

#[test]
fn that_test_tells_of_one_that_does() {
    assert_eq!(newcomer::<hyp_locks::Tas<Staged>>(), ["newcomer", "head"]);
}

/// How many locks a CPU waits for at once: one more than it has nodes.
const DEPTH: usize = 5;

/// All of them are held, and each wait is interrupted by the next one. When the last one waits, all are released.
fn interrupted<const NUMBER: usize>() {
    type Lock<const NUMBER: usize> = QSpin<Cpu<NUMBER>, Staged>;

    struct Held<const NUMBER: usize> {
        locks: [Lock<NUMBER>; DEPTH],
        guards: Cell<Option<[GuardSend; DEPTH]>>,
        waited: Cell<usize>,
    }

    fn wait_for<const NUMBER: usize>(held: &Rc<Held<NUMBER>>, level: usize) {
        prepare({
            let held = held.clone();
            move || {
                held.waited.set(level + 1);
                if level + 1 < DEPTH {
                    wait_for(&held, level + 1);
                } else {
                    let guards = held.guards.take().expect("released once");
                    for (lock, guard) in held.locks.iter().zip(guards) {
                        // SAFETY: acquired before any of the waits began.
                        unsafe { lock.unlock(guard) };
                    }
                }
            }
        });
        let guard = held.locks[level].lock();
        assert_eq!(held.waited.get(), DEPTH, "CPU {NUMBER}: lock {level} was held, and taken");
        assert!(held.locks[level].try_lock().is_none(), "CPU {NUMBER}: lock {level} is not held");
        // SAFETY: acquired above.
        unsafe { held.locks[level].unlock(guard) };
    }

    let locks = array::from_fn(|_| Lock::<NUMBER>::INIT);
    let guards = array::from_fn(|n| locks[n].lock());
    wait_for(&Rc::new(Held { locks, guards: Cell::new(Some(guards)), waited: Cell::new(0) }), 0);
}

#[test]
fn a_cpu_that_has_no_node_left_waits_all_the_same() {
    let _alone = ONE_AT_A_TIME.lock().unwrap();
    for _ in 0..2 {
        interrupted::<0>(); // four nodes
        interrupted::<LAST>(); // three
        interrupted::<{ LAST + 1 }>(); // none
        interrupted::<{ LAST + 2 }>(); // not in the list
    }
}

/// The hazard that the documentation of `mcs` names: a release waits for a waiter's link, and so for a handler that has come
/// before it; not so with a lock whose release waits for nobody.
#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod a_waiter_is_interrupted {
    use std::sync::atomic::AtomicU64;
    use std::time::{Duration, Instant};

    use hyp_locks::Mcs;
    use lock_api::Mutex as Locked;

    use super::*;
    use crate::stepping;

    /// More than it takes to come into the queue, in a build for debugging, too.
    const INSTRUCTIONS: usize = 600;

    static CAME: AtomicBool = AtomicBool::new(false);
    /// What the handler waits for, and the releaser holds.
    static HELD: AtomicBool = AtomicBool::new(false);
    static STUCK: AtomicBool = AtomicBool::new(false);
    /// After so many milliseconds it is.
    static PATIENCE: AtomicU64 = AtomicU64::new(0);

    fn handler() {
        CAME.store(true, Ordering::Release);
        let since = Instant::now();
        while HELD.load(Ordering::Acquire) {
            if since.elapsed() > Duration::from_millis(PATIENCE.load(Ordering::Relaxed)) {
                return STUCK.store(true, Ordering::Release);
            }
            thread::yield_now();
        }
    }

    /// After how many of a waiter's instructions the handler, and the releaser with it, are stuck.
    fn stuck<L: RawMutex + Send + Sync>(patience: u64) -> usize {
        let _alone = ONE_AT_A_TIME.lock().unwrap();
        PATIENCE.store(patience, Ordering::Relaxed);
        let instructions = (0..INSTRUCTIONS).filter(|&at| {
            for flag in [&CAME, &STUCK] {
                flag.store(false, Ordering::Release);
            }
            let lock = Locked::<L, ()>::new(());
            let first = lock.lock();
            HELD.store(true, Ordering::Release); // hand over hand: a second one is taken, ...
            thread::scope(|scope| {
                scope.spawn(|| stepping::interrupted(at, handler, || drop(lock.lock())));
                while !CAME.load(Ordering::Acquire) {
                    thread::yield_now();
                }
                drop(first); // ... and the first one released
                HELD.store(false, Ordering::Release);
            });
            STUCK.load(Ordering::Acquire)
        });
        instructions.count()
    }

    #[test]
    fn and_a_release_waits_for_its_handler_where_it_waits_for_a_link() {
        // As long as a thread may be off its core.
        assert_eq!(stuck::<Queued>(5000), 0);
        assert_eq!(stuck::<Ticket>(5000), 0);
        let mcs = stuck::<Mcs>(10);
        assert!((1..INSTRUCTIONS / 2).contains(&mcs), "between the swap and the link: {mcs} instructions");
    }
}
