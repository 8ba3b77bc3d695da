//! An interrupt whose handler takes the lock that it interrupts: what [`IrqSave`](hyp_locks::IrqSave) is for.
//!
//! One on each side of the masked region is let in where it is raised; one raised inside waits for the end. Either way
//! it must find the lock free.

use super::bad::{MasksTooLate, UnmasksTooEarly};
use super::scene::{Phase, Scene, Tally};
use super::sweep::{Coverage, sweep};
use crate::board::{Board, Next};
use crate::case::{Case, Outcome, Stop, ensure, ensure_eq};
use core::sync::atomic::{AtomicUsize, Ordering};
use hyp_locks::Ticket;
use hyp_locks::laws::Counted;
use hyp_locks::wait::DefaultWait;
use lock_api::RawMutex;

/// Instructions that the shortest of the locks takes, with its section and the mask.
const LEAST: usize = 20;

pub(super) fn controls<B: Board>() -> impl Iterator<Item = Case<B>> {
    [
        Case { name: "control.unmasking_too_early_is_caught", run: unmasking_too_early_is_caught },
        Case { name: "control.masking_too_late_is_caught", run: masking_too_late_is_caught },
    ]
    .into_iter()
}

/// What the handlers of a sweep found.
struct Found {
    coverage: Coverage,
    /// The lock held.
    held: Tally,
    /// The lock free.
    free: Tally,
    /// How many of them came where they were raised.
    at_once: usize,
}

pub(super) fn handler_takes_it<B: Board, L: RawMutex + Sync>(board: &B) -> Outcome {
    board.has_interrupts()?;
    let Found { coverage, held, free, at_once } = interrupt_everywhere::<B, L>(board)?;
    board.print(format_args!("{coverage}{at_once} at once; "));
    ensure_eq(held.all(), 0, "handlers that found the lock held")?;
    ensure_eq(free.of(Phase::Inside), 0, "handlers inside of the section")?;
    ensure(free.of(Phase::Locking) != 0 && free.of(Phase::Unlocking) != 0, "no handler just before or after the mask")?;
    ensure(at_once != 0 && at_once != free.all(), "no handler had to wait, or all had to")?;
    coverage.suffices(LEAST)?;
    coverage.went_inside()
}

fn interrupt_everywhere<B: Board, L: RawMutex + Sync>(board: &B) -> Result<Found, Stop> {
    let (held, free) = (Tally::new(), Tally::new());
    let mut at_once = 0;
    let coverage = sweep(|needle| {
        let scene = Scene::<L>::new();
        let (handlers, visits, came_to) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let handler = |pc| {
            handlers.fetch_add(1, Ordering::Relaxed);
            came_to.store(pc, Ordering::Relaxed);
            // First a look, so that a lock that is held is counted and not waited for, for ever.
            match scene.lock.try_lock() {
                None => return held.add(scene.phase()),
                Some(guard) => scene.visit(guard),
            }
            free.add(scene.phase());
            scene.visit(scene.lock.lock());
            visits.fetch_add(2, Ordering::Relaxed);
        };
        let open = board.step(&|pause| needle.go(pause, || Next::Interrupt), &handler, &mut || scene.pass());
        ensure(open, "interrupts were left masked")?;
        ensure_eq(handlers.into_inner(), usize::from(needle.struck().is_some()), "handlers")?;
        at_once += usize::from(needle.struck() == Some(came_to.into_inner()));
        scene.finish(1 + visits.into_inner())
    })?;
    Ok(Found { coverage, held, free, at_once })
}

/// The mask put back before the release: handlers must be seen to come in between.
fn unmasking_too_early_is_caught<B: Board>(board: &B) -> Outcome {
    board.has_interrupts()?;
    let found = interrupt_everywhere::<B, UnmasksTooEarly<Ticket<Counted<DefaultWait>>, B::Irq>>(board)?;
    ensure(found.held.of(Phase::Unlocking) != 0, "no handler found the lock held and interrupts let in")
}

/// Masked only after the acquisition: the same, on the other side.
fn masking_too_late_is_caught<B: Board>(board: &B) -> Outcome {
    board.has_interrupts()?;
    let found = interrupt_everywhere::<B, MasksTooLate<Ticket<Counted<DefaultWait>>, B::Irq>>(board)?;
    ensure(found.held.of(Phase::Locking) != 0, "no handler found the lock held and interrupts let in")
}
