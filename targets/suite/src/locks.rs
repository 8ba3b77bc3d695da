//! Lock laws: `hyp_locks::laws`, kept by the cores of a board, for each lock that several cores may share.

use crate::board::Board;
use crate::case::{Case, Outcome, ensure, ensure_ok, needs_cores};
use core::fmt::Debug;
use core::marker::PhantomData;
use hyp_locks::laws::{self, Core, Counted, Parcel, Shared, Violation};
use hyp_locks::wait::{DefaultWait, Wait, Word};
use hyp_locks::{IrqDepth, IrqSave, Mcs, QSpin, Queued, Tas, Ticket, Ttas};
use lock_api::{Mutex, RawMutex};

/// Times that each core takes the lock.
const ROUNDS: u32 = 500;
/// Times that the cores line up.
const LINES: u32 = 20;

/// The cases, for locks that wait as they do by default, on AArch64 by `WFE`. One that spins would need a slice of
/// 100 ms for each hand-over where an emulator lets the cores take turns.
pub(crate) fn cases<B: Board>() -> impl Iterator<Item = Case<B>> {
    macro_rules! every {
        ($lock:ty as $name:literal) => {
            [
                Case { name: concat!("lock.", $name, ".alone"), run: alone::<B, $lock> },
                Case { name: concat!("lock.", $name, ".relocation"), run: relocation::<B, $lock> },
                Case {
                    name: concat!("lock.", $name, ".mutual_exclusion"),
                    run: |board| mutual_exclusion::<B, $lock>(board, ROUNDS),
                },
                Case {
                    name: concat!("lock.", $name, ".try_lock_exclusion"),
                    run: |board| try_lock_exclusion::<B, $lock>(board, ROUNDS),
                },
            ]
        };
    }
    macro_rules! sent {
        ($lock:ty as $name:literal) => {
            [Case { name: concat!("lock.", $name, ".guard_crosses_cores"), run: guard_crosses_cores::<B, $lock> }]
        };
    }
    macro_rules! fair {
        ($lock:ident as $name:literal) => {
            [
                Case { name: concat!("lock.", $name, ".guard_crosses_cores"), run: guard_crosses_cores::<B, $lock> },
                Case {
                    name: concat!("lock.", $name, ".fifo_admission"),
                    run: |board| fifo_admission::<B, $lock<Watched>>(board, Watched::waits),
                },
            ]
        };
    }
    (every!(Tas as "tas").into_iter().chain(sent!(Tas as "tas")))
        .chain(every!(Ttas as "ttas").into_iter().chain(sent!(Ttas as "ttas")))
        .chain(every!(Ticket as "ticket").into_iter().chain(fair!(Ticket as "ticket")))
        .chain(every!(Mcs as "mcs").into_iter().chain(fair!(Mcs as "mcs")))
        .chain(every!(Queued as "queued").into_iter().chain(fair!(Queued as "queued")))
        .chain(every!(QSpin<B::Cpus> as "qspin").into_iter().chain(sent!(QSpin<B::Cpus> as "qspin")))
        .chain([Case {
            name: "lock.qspin.fifo_admission",
            run: |board| fifo_admission::<B, QSpin<B::Cpus, Watched>>(board, Watched::waits),
        }])
        .chain(every!(IrqSave<Ticket, B::Irq> as "irqsave_ticket"))
        .chain(every!(IrqSave<Mcs, B::Irq> as "irqsave_mcs"))
        // Without `relocation`: a guard that it forgets would keep this core's interrupts masked for ever.
        .chain(
            every!(IrqDepth<Ticket, B::Irq, B::Cpus> as "irqdepth_ticket")
                .into_iter()
                .filter(|case| !case.name.ends_with("relocation")),
        )
        .chain([Case { name: "control.broken_lock_is_caught", run: broken_lock_is_caught }])
}

pub(crate) fn alone<B: Board, L: RawMutex>(_: &B) -> Outcome {
    kept(laws::alone::<L>())
}

pub(crate) fn relocation<B: Board, L: RawMutex>(_: &B) -> Outcome {
    kept(laws::relocation::<L>())
}

/// Each core takes the lock `rounds` times.
pub(crate) fn mutual_exclusion<B: Board, L: RawMutex + Sync>(board: &B, rounds: u32) -> Outcome {
    needs_cores(board, 2, "one core: nobody to exclude")?;
    let shared = Shared::<L>::new();
    kept(together(board, |core| laws::mutual_exclusion(&shared, core, rounds)))
}

/// Each core takes the lock `rounds` times.
pub(crate) fn try_lock_exclusion<B: Board, L: RawMutex + Sync>(board: &B, rounds: u32) -> Outcome {
    needs_cores(board, 2, "one core: nobody to exclude")?;
    let shared = Shared::<L>::new();
    kept(together(board, |core| laws::try_lock_exclusion(&shared, core, rounds)))
}

fn guard_crosses_cores<B: Board, L: RawMutex<Guard: Send> + Sync>(board: &B) -> Outcome {
    needs_cores(board, 2, "one core: no other to hand a guard to")?;
    let (shared, parcel) = (Shared::<L>::new(), Parcel::new());
    kept(together(board, |core| laws::guard_crosses_cores(&shared, &parcel, core, LINES)))
}

/// The waiting policy that tells when a waiter has its place. The cases run one after the other, so one counter will do.
type Watched = Counted<DefaultWait>;

/// `waits` says how many waiters have had their place so far.
pub(crate) fn fifo_admission<B: Board, L: RawMutex + Sync>(board: &B, waits: fn() -> usize) -> Outcome {
    needs_cores(board, 3, "fewer than three cores: no line of two")?;
    let shared = Shared::<L>::new();
    kept(together(board, |core| laws::fifo_admission(&shared, core, LINES, waits)))
}

/// A lock that lets everybody in must be seen, or the cases above show nothing. Sooner or later: where the host takes a
/// core away, the others may be done before it is back.
fn broken_lock_is_caught<B: Board>(board: &B) -> Outcome {
    const SECONDS: u64 = 10;
    needs_cores(board, 2, "one core: nobody to collide with")?;
    let start = board.now();
    let shared = Shared::<Broken>::new();
    while together(board, |core| laws::mutual_exclusion(&shared, core, ROUNDS)).is_ok() {
        ensure(board.now() - start < SECONDS * board.hz(), "a lock that locks nothing went unnoticed")?;
    }
    Ok(())
}

/// All cores keep a law: the violation that one of them saw, if any.
fn together<B: Board>(board: &B, law: impl Fn(Core) -> Result<(), Violation> + Sync) -> Result<(), Violation> {
    let seen = Mutex::<Ticket, _>::new(Ok(()));
    let count = board.cores();
    board.run_on(count, &|index| {
        if let Err(violation) = law(Core { index, count, idle: B::relax }) {
            *seen.lock() = Err(violation);
        }
    });
    seen.into_inner()
}

#[track_caller]
fn kept<E: Debug>(law: Result<(), E>) -> Outcome {
    ensure_ok(law, "the law was broken")
}

/// A policy for locks that spin: a look, and whoever else shares the host's core goes on.
pub(crate) struct Yielding<B>(PhantomData<fn() -> B>);

// SAFETY: the one way out is `ahead == 0` for the value just seen; a hint does not unwind.
unsafe impl<B: Board> Wait for Yielding<B> {
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        loop {
            let seen = word.look();
            if ahead(seen) == 0 {
                return seen;
            }
            B::relax();
        }
    }
}

/// A lock that locks nothing.
struct Broken;

// SAFETY: it is not one, and no memory is made to depend on it: all that the laws guard are atomics.
unsafe impl RawMutex for Broken {
    const INIT: Self = Self;
    type Guard = ();

    fn lock(&self) {}

    fn try_lock(&self) -> Option<()> {
        Some(())
    }

    unsafe fn unlock(&self, (): ()) {}

    fn is_locked(&self) -> bool {
        false
    }
}
