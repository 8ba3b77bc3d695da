//! Interrupted after every instruction: a lock is at each of its states when a handler comes that wants it, too.
//!
//! ```text
//!   body      lock ─┬─┬─┬─┬─ section ─┬─┬─ unlock ─┬─┬─┬─          one instruction further each time, to the end
//!   handler         ▲ ▲ ▲ ▲           ▲ ▲          ▲ ▲ ▲
//! ```
//!
//! | case | what comes | what it does | what must hold |
//! |---|---|---|---|
//! | `nmi_tries` | nothing masks it | `try_lock`, a section | it gets the lock exactly when nobody has it, and who was interrupted goes on |
//! | `nmi_keeps` | the same | `try_lock`, and keeps it | of it and a `try_lock` that it interrupts one holds |
//! | `handler_finds_it_free` | an interrupt, which the lock masks | `try_lock` | it comes before the section or after it |
//! | `waits_nest` | nothing masks it | waits for another lock, while who was interrupted waits for one | both get theirs |
//!
//! One core does it all; whom it waits for lets go when it begins to wait ([`waits`]).

mod waits;

use crate::board::Board;
use crate::case::{Case, Outcome, Stop, ensure, ensure_eq};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use hyp_locks::qspin::{CpuNodes, Nodes};
use hyp_locks::{Bakery, CpuId, InterruptControl, IrqDepth, IrqSave, Mcs, QSpin, Queued, Tas, Ticket, Ttas};
use lock_api::{Mutex, RawMutex};

/// Longer than any body here.
const MOST: usize = 5000;
/// Of the handlers that come while a lock is taken and released, at least so many find it free, and held.
const FEW: usize = 3;

/// The cases.
pub(crate) fn cases<B: Board>() -> impl Iterator<Item = Case<B>> {
    macro_rules! nmi {
        ($lock:ty as $name:literal) => {
            [
                Case { name: concat!("step.", $name, ".nmi_tries"), run: nmi_tries::<B, $lock> },
                Case { name: concat!("step.", $name, ".nmi_keeps"), run: nmi_keeps::<B, $lock> },
            ]
        };
    }
    macro_rules! masked {
        ($lock:ty as $name:literal) => {
            [Case { name: concat!("step.", $name, ".handler_finds_it_free"), run: handler_finds_it_free::<B, $lock> }]
        };
    }
    (nmi!(Tas as "tas").into_iter())
        .chain(nmi!(Ttas as "ttas"))
        .chain(nmi!(Ticket as "ticket"))
        .chain(nmi!(Mcs as "mcs"))
        .chain(nmi!(Queued as "queued"))
        .chain(nmi!(QSpin<OneCpu> as "qspin"))
        .chain(nmi!(Bakery<OneCpu, 2> as "bakery"))
        .chain([Case { name: "control.step_sees_a_lock_that_locks_late", run: late_lock_is_seen }])
        .chain(masked!(IrqSave<Ticket, B::Irq> as "irqsave_ticket"))
        .chain(masked!(IrqSave<Ticket, B::Priority> as "irqsave_priority_ticket"))
        .chain(masked!(IrqSave<Mcs, B::Irq> as "irqsave_mcs"))
        .chain(masked!(IrqSave<Queued, B::Irq> as "irqsave_queued"))
        .chain(masked!(IrqDepth<Ticket, B::Irq, B::Cpus> as "irqdepth_ticket"))
        .chain([Case { name: "control.step_sees_a_mask_that_ends_early", run: early_mask_is_seen }])
        .chain(waits::cases())
}

/// Everything here runs on the boot core.
struct OneCpu;

// SAFETY: see above; what comes in between are handlers, which return first.
unsafe impl CpuId for OneCpu {
    #[inline]
    fn cpu() -> usize {
        0
    }
}

impl Nodes for OneCpu {
    fn nodes() -> &'static [CpuNodes] {
        static NODES: [CpuNodes; 1] = [CpuNodes::new()];
        &NODES
    }
}

/// A lock, and who is in a section of it.
struct Watched<L> {
    lock: L,
    inside: AtomicBool,
    intrusions: AtomicUsize,
}

impl<L: RawMutex> Watched<L> {
    fn new() -> Self {
        Self { lock: L::INIT, inside: AtomicBool::new(false), intrusions: AtomicUsize::new(0) }
    }

    fn section(&self, guard: L::Guard) {
        // Relaxed: one core.
        self.intrusions.fetch_add(usize::from(self.inside.swap(true, Relaxed)), Relaxed);
        self.inside.store(false, Relaxed);
        // SAFETY: the guard is that of an acquisition by the caller.
        unsafe { self.lock.unlock(guard) };
    }

    /// Nobody has it any more, and it can be had.
    fn is_whole(&self) -> Outcome {
        ensure_eq(self.intrusions.load(Relaxed), 0, "sections inside another one")?;
        ensure(!self.lock.is_locked(), "the lock stays held")?;
        let guard = self.lock.try_lock();
        ensure(guard.is_some(), "the lock is not free")?;
        guard.into_iter().for_each(|guard| self.section(guard));
        Ok(())
    }
}

/// How often a handler got the lock, and did not.
#[derive(Default)]
struct Tries {
    got: AtomicUsize,
    refused: AtomicUsize,
}

impl Tries {
    fn note(&self, got: bool) {
        if got { &self.got } else { &self.refused }.fetch_add(1, Relaxed);
    }
}

/// Does `once(n)` for n = 0, 1, …, until it says that its body was not that long.
fn sweep(mut once: impl FnMut(usize) -> Result<bool, Stop>) -> Result<usize, Stop> {
    for at in 0..MOST {
        if !once(at)? {
            return Ok(at);
        }
    }
    ensure(false, "a body that does not end")?;
    Ok(MOST)
}

/// How a handler comes: [`Board::nmi_after`], or [`Board::interrupt_after`].
type Comes<B> = fn(&B, usize, &(dyn Fn() + Sync), &mut dyn FnMut()) -> bool;

/// A handler that tries comes after every instruction of a lock's taking, of a section, and of its release.
fn try_everywhere<B: Board, L: RawMutex + Sync>(board: &B, comes: Comes<B>) -> Result<Tries, Stop> {
    board.has_steps()?;
    let tries = Tries::default();
    let steps = sweep(|at| {
        let watched = Watched::<L>::new();
        let handler = || {
            let guard = watched.lock.try_lock();
            tries.note(guard.is_some());
            guard.into_iter().for_each(|guard| watched.section(guard));
        };
        let came = comes(board, at, &handler, &mut || watched.section(watched.lock.lock()));
        watched.is_whole()?;
        Ok(came)
    })?;
    ensure_eq(tries.got.load(Relaxed) + tries.refused.load(Relaxed), steps, "handlers")?;
    Ok(tries)
}

fn nmi_tries<B: Board, L: RawMutex + Sync>(board: &B) -> Outcome {
    let tries = try_everywhere::<B, L>(board, B::nmi_after)?;
    ensure(tries.got.into_inner() >= FEW, "too few handlers found the lock free")?;
    ensure(tries.refused.into_inner() >= FEW, "too few handlers found the lock held")
}

fn handler_finds_it_free<B: Board, L: RawMutex + Sync>(board: &B) -> Outcome {
    board.has_interrupts()?;
    let tries = try_everywhere::<B, L>(board, B::interrupt_after)?;
    ensure(tries.got.into_inner() >= FEW, "too few handlers")?;
    ensure_eq(tries.refused.into_inner(), 0, "handlers that found the lock held by what they interrupted")
}

/// What a handler leaves to what it interrupted.
struct Kept<G>(Option<G>);

// SAFETY: both are on one core.
unsafe impl<G> Send for Kept<G> {}

fn nmi_keeps<B: Board, L: RawMutex + Sync>(board: &B) -> Outcome {
    board.has_steps()?;
    let tries = Tries::default();
    sweep(|at| {
        let watched = Watched::<L>::new();
        let kept = Mutex::<Ticket, Kept<L::Guard>>::new(Kept(None));
        let mut ours = None;
        let handler = || kept.lock().0 = watched.lock.try_lock();
        let came = board.nmi_after(at, &handler, &mut || ours = watched.lock.try_lock());
        let Kept(theirs) = kept.into_inner();
        if came {
            ensure(ours.is_some() != theirs.is_some(), "of two who try, one has it")?;
            tries.note(theirs.is_some());
        }
        ours.into_iter().chain(theirs).for_each(|guard| watched.section(guard));
        watched.is_whole()?;
        Ok(came)
    })?;
    ensure(tries.got.into_inner() > 0, "no handler got the lock")?;
    ensure(tries.refused.into_inner() > 0, "no handler came too late")
}

/// A lock that looks, and then takes: a handler in between has it, too, or the sweeps show nothing.
fn late_lock_is_seen<B: Board>(board: &B) -> Outcome {
    struct Late(AtomicBool);
    // SAFETY: none, and no memory is made to depend on it: all here are atomics.
    unsafe impl RawMutex for Late {
        const INIT: Self = Self(AtomicBool::new(false));
        type Guard = lock_api::GuardSend;
        fn lock(&self) -> Self::Guard {
            loop {
                if let Some(guard) = self.try_lock() {
                    return guard;
                }
            }
        }
        fn try_lock(&self) -> Option<Self::Guard> {
            if self.0.load(Relaxed) {
                return None;
            }
            self.0.store(true, Relaxed);
            Some(lock_api::GuardSend::new())
        }
        unsafe fn unlock(&self, _: Self::Guard) {
            self.0.store(false, Relaxed);
        }
        fn is_locked(&self) -> bool {
            self.0.load(Relaxed)
        }
    }
    match nmi_keeps::<B, Late>(board) {
        Err(Stop::Failed(_)) => Ok(()),
        Ok(()) => ensure(false, "two had the lock, and nobody saw it"),
        not_applicable => not_applicable,
    }
}

/// A mask that ends before the section does: a handler must find the lock held, or the sweeps show nothing.
fn early_mask_is_seen<B: Board>(board: &B) -> Outcome {
    struct Early<I>(Ticket, PhantomData<fn() -> I>);
    // SAFETY: the ticket lock's operations, one for one.
    unsafe impl<I: InterruptControl> RawMutex for Early<I> {
        const INIT: Self = Self(Ticket::INIT, PhantomData);
        type Guard = (I::State, <Ticket as RawMutex>::Guard);
        fn lock(&self) -> Self::Guard {
            (I::save_and_mask(), self.0.lock())
        }
        fn try_lock(&self) -> Option<Self::Guard> {
            let state = I::save_and_mask();
            let Some(guard) = self.0.try_lock() else {
                // SAFETY: saved above.
                unsafe { I::restore(state) };
                return None;
            };
            Some((state, guard))
        }
        unsafe fn unlock(&self, (state, guard): Self::Guard) {
            // SAFETY: saved by the acquisition; too early, which is the fault.
            unsafe { I::restore(state) };
            // SAFETY: the caller's promise, passed on.
            unsafe { self.0.unlock(guard) };
        }
        fn is_locked(&self) -> bool {
            self.0.is_locked()
        }
    }
    board.has_interrupts()?;
    let tries = try_everywhere::<B, Early<B::Irq>>(board, B::interrupt_after)?;
    ensure(tries.refused.into_inner() > 0, "no handler came between the mask's end and the section's")
}
