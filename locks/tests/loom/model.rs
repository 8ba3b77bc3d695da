//! The models, generic over the lock.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hyp_locks::bakery::Coherent;
use hyp_locks::qspin::{CpuNodes, Nodes};
use hyp_locks::wait::{Spin, Wait, Word};
use hyp_locks::{Bakery, CpuId, Mcs, QSpin, Queued, Tas, Ticket, Ttas};
use lock_api::RawMutex;
use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::thread;

/// A lock that a model can make: loom's atomics have no constant initial value.
pub(crate) trait Fresh: RawMutex + Send + Sync + Sized + 'static {
    fn fresh() -> Self;
}

macro_rules! fresh {
    ($($lock:ident)*) => {$(
        impl<W: Wait + 'static> Fresh for $lock<W> {
            fn fresh() -> Self {
                Self::new()
            }
        }
    )*};
}

fresh!(Tas Ttas Ticket Mcs Queued);

impl<const CPUS: usize, W: Wait + 'static, const LAST: u32> Fresh for Bakery<Cpu, CPUS, Coherent, W, LAST> {
    fn fresh() -> Self {
        Self::new()
    }
}

impl<C: Nodes + 'static, W: Wait + 'static> Fresh for QSpin<C, W> {
    fn fresh() -> Self {
        Self::new()
    }
}

loom::thread_local! {
    static CPU: Cell<usize> = Cell::new(0);
}

/// A thread of a model is a CPU, with the number of its part in the plan.
pub(crate) struct Cpu;

// SAFETY: each thread sets its own number, before it locks, and once.
unsafe impl CpuId for Cpu {
    fn cpu() -> usize {
        CPU.with(Cell::get)
    }
}

loom::lazy_static! {
    static ref NODES: [CpuNodes; 3] = [CpuNodes::new(), CpuNodes::new(), CpuNodes::new()];
}

impl Nodes for Cpu {
    fn nodes() -> &'static [CpuNodes] {
        &*NODES
    }
}

/// The same CPUs, of which only the first has nodes.
pub(crate) struct Few;

// SAFETY: as `Cpu`.
unsafe impl CpuId for Few {
    fn cpu() -> usize {
        Cpu::cpu()
    }
}

impl Nodes for Few {
    fn nodes() -> &'static [CpuNodes] {
        &NODES[..1]
    }
}

/// Looks, and yields to the other threads of the model. After `LOOKS` looks in vain of one wait the execution goes on
/// to its end, checked as ever, but nothing new branches off: three threads of which two look at one word could
/// otherwise take turns at looking for ever, and each turn would be explored.
pub(crate) struct Patient<const LOOKS: u32>;

// SAFETY: the one way out is `ahead == 0` for the value just seen. Loom unwinds when it has found something; nothing
// of the model is used after that.
unsafe impl<const LOOKS: u32> Wait for Patient<LOOKS> {
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        let mut looks = 0;
        loop {
            let seen = word.look();
            if ahead(seen) == 0 {
                return seen;
            }
            looks += 1;
            if looks == LOOKS {
                loom::skip_branch();
            }
            thread::yield_now();
        }
    }
}

loom::lazy_static! {
    static ref WAITS: loom::sync::atomic::AtomicU32 = loom::sync::atomic::AtomicU32::new(0);
}

/// Tells that a wait has begun, and waits as [`Spin`] does.
pub(crate) struct Announced;

// SAFETY: `Spin` waits.
unsafe impl Wait for Announced {
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        WAITS.fetch_add(1, Ordering::Release);
        Spin::until(word, ahead)
    }
}

loom::thread_local! {
    static HANDLER: RefCell<Option<Handler>> = RefCell::new(None);
}

/// An interrupt handler that has not come yet.
struct Handler {
    /// After so many waits of its thread.
    after: u32,
    run: Box<dyn FnOnce()>,
}

/// Waits as [`Spin`] does; but first, if it is time for it in a model of [`nested`] waits, an interrupt handler comes.
pub(crate) struct Interrupted;

// SAFETY: `Spin` waits. Loom unwinds when it has found something; nothing of the model is used after that.
unsafe impl Wait for Interrupted {
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        let handler = HANDLER.with(|pending| match &mut *pending.borrow_mut() {
            Some(Handler { after, .. }) if *after > 0 => {
                *after -= 1;
                None
            }
            due => due.take(),
        });
        if let Some(handler) = handler {
            (handler.run)();
        }
        Spin::until(word, ahead)
    }
}

/// What a thread of a model does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Do {
    /// A section by `lock`.
    Lock,
    /// A section by `try_lock`, if it succeeds.
    Try,
}

pub(crate) use Do::{Lock, Try};

/// A model: what each thread does. The first is the one that starts the others.
pub(crate) type Plan = &'static [&'static [Do]];

/// The lock, and a cell that loom watches: two accesses that no lock orders are an error.
struct Guarded<L> {
    lock: L,
    cell: UnsafeCell<u32>,
    sections: AtomicU32, // of `std`: loom does not see it
}

// SAFETY: the cell is accessed with the lock held; if the lock fails in that, loom tells.
unsafe impl<L: Sync> Sync for Guarded<L> {}

impl<L: Fresh> Guarded<L> {
    fn new() -> Arc<Self> {
        Arc::new(Self { lock: L::fresh(), cell: UnsafeCell::new(0), sections: AtomicU32::new(0) })
    }

    fn section(&self, guard: L::Guard) {
        self.cell.with_mut(|cell| {
            // SAFETY: loom has checked that nobody else accesses it, or has panicked.
            unsafe { *cell += 1 }
        });
        self.sections.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the guard is that of an acquisition by the caller.
        unsafe { self.lock.unlock(guard) };
    }

    fn run(&self, todo: &[Do]) {
        for what in todo {
            match what {
                Lock => self.section(self.lock.lock()),
                Try => {
                    if let Some(guard) = self.lock.try_lock() {
                        self.section(guard);
                    }
                }
            }
        }
    }

    /// After all threads have ended: nothing was lost, and the lock is free.
    fn finish(&self) {
        self.cell.with(|cell| {
            // SAFETY: as above.
            let cell = unsafe { *cell };
            assert_eq!(cell, self.sections.load(Ordering::Relaxed), "sections were lost");
        });
        assert!(!self.lock.is_locked(), "the lock stays held");
        let guard = self.lock.try_lock().expect("the lock is not free");
        // SAFETY: acquired above.
        unsafe { self.lock.unlock(guard) };
        mem::forget(self.lock.lock()); // does not wait for somebody who has left
    }
}

/// Checks `model` with at most `preemptions` preemptions (`None`: any number); returns how many executions there were.
fn check(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) -> u32 {
    let executions = Arc::new(AtomicU32::new(0));
    let mut builder = Builder::new();
    builder.preemption_bound = preemptions;
    builder.check({
        let executions = executions.clone();
        move || {
            executions.fetch_add(1, Ordering::Relaxed);
            model();
        }
    });
    executions.load(Ordering::Relaxed)
}

/// Every thread does its part of `plan`; no two sections race, none is lost, and the lock is free in the end.
pub(crate) fn exclusion<L: Fresh>(plan: Plan, preemptions: Option<usize>) -> u32 {
    check(preemptions, move || {
        let guarded = Guarded::<L>::new();
        let others: Vec<_> = (1..)
            .zip(&plan[1..])
            .map(|(cpu, todo)| {
                let guarded = guarded.clone();
                thread::spawn(move || {
                    CPU.with(|own| own.set(cpu));
                    guarded.run(todo);
                })
            })
            .collect();
        guarded.run(plan[0]);
        for other in others {
            other.join().unwrap();
        }
        guarded.finish();
    })
}

/// A handler that waits interrupts a wait, of whom somebody is next in line already: one thread waits for `lock`, and its
/// handler for `other`, which the other thread holds while it queues for `lock` behind the first. The handler comes after
/// so many waits of the first thread: 0, it interrupts that for the lock; 1, what is waited for with the lock in hand.
pub(crate) fn nested<L: Fresh>(after: u32, preemptions: Option<usize>) -> u32 {
    fn interrupted<L: Fresh>(lock: &Guarded<L>, after: u32, handler: impl FnOnce() + 'static) {
        HANDLER.with(|pending| pending.replace(Some(Handler { after, run: Box::new(handler) })));
        lock.run(&[Lock]);
        let late = HANDLER.with(RefCell::take); // it did not have to wait
        late.into_iter().for_each(|handler| (handler.run)());
    }
    check(preemptions, move || {
        let (lock, other) = (Guarded::<L>::new(), Guarded::<L>::new());
        let (first, held) = (lock.lock.lock(), other.lock.lock());
        let waiter = thread::spawn({
            let (lock, other) = (lock.clone(), other.clone());
            move || {
                CPU.with(|own| own.set(1));
                interrupted(&lock, after, move || other.run(&[Lock]));
            }
        });
        lock.section(first);
        interrupted(&lock, 0, {
            let other = other.clone();
            move || other.section(held)
        });
        waiter.join().unwrap();
        lock.finish();
        other.finish();
    })
}

/// One thread locks, another unlocks with the guard that it was given, a third one comes in between.
pub(crate) fn guard_sent<L: Fresh + RawMutex<Guard: Send>>(preemptions: Option<usize>) -> u32 {
    check(preemptions, || {
        let guarded = Guarded::<L>::new();
        let guard = guarded.lock.lock();
        let waiter = thread::spawn({
            let guarded = guarded.clone();
            move || guarded.run(&[Lock])
        });
        let releaser = thread::spawn({
            let guarded = guarded.clone();
            move || guarded.section(guard)
        });
        waiter.join().unwrap();
        releaser.join().unwrap();
        guarded.finish();
    })
}

/// A lock that is handed to a waiter, who keeps it, is never free: `is_locked` says so at all times. The lock waits
/// with [`Announced`], so that the holder knows of the waiter.
pub(crate) fn held_throughout<L: Fresh>(preemptions: Option<usize>) -> u32 {
    check(preemptions, || {
        let lock = Arc::new(L::fresh());
        let guard = lock.lock();
        let before = WAITS.load(Ordering::Relaxed);
        let waiter = thread::spawn({
            let lock = lock.clone();
            move || mem::forget(lock.lock())
        });
        let watcher = thread::spawn({
            let lock = lock.clone();
            move || assert!(lock.is_locked(), "free between two holders")
        });
        while WAITS.load(Ordering::Acquire) == before {
            thread::yield_now();
        }
        // SAFETY: acquired above.
        unsafe { lock.unlock(guard) };
        waiter.join().unwrap();
        watcher.join().unwrap();
    })
}

/// What a model found: the first sentence of what it panicked with.
pub(crate) fn finding(panic: &(dyn Any + Send)) -> &str {
    let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let said = said.unwrap_or("a panic without words").trim();
    said.split(". ").next().unwrap_or(said).lines().next().unwrap_or(said)
}
