//! What no mask keeps out: a handler that may try the very lock that it has interrupted, and must never wait for it.
//!
//! It gets the lock if that is free, and then the interrupted code must find it free again, or wait; and does not get it if
//! it is not. In between, while the lock is being taken or released, either will do, but not both: one of two is in.
//! A [bakery](hyp_locks::bakery) refuses it in the middle of a draw, too.

use super::bad::{Careless, Torn};
use super::holder::Holder;
use super::scene::{Kind, Phase, Scene, Tally};
use super::sweep::{Coverage, sweep};
use crate::board::{Board, Next};
use crate::case::{Case, Outcome, Stop, ensure, ensure_eq};
use core::sync::atomic::{AtomicUsize, Ordering};
use hyp_locks::Ticket;
use hyp_locks::laws::Counted;
use hyp_locks::wait::DefaultWait;
use lock_api::RawMutex;

/// Instructions that the shortest of the locks takes, with its section.
const LEAST: usize = 15;

pub(super) fn controls<B: Board>() -> impl Iterator<Item = Case<B>> {
    [
        Case { name: "control.careless_try_lock_is_caught", run: careless_try_lock_is_caught },
        Case { name: "control.torn_try_lock_is_caught", run: torn_try_lock_is_caught },
    ]
    .into_iter()
}

/// What the handlers of a sweep found.
struct Found {
    coverage: Coverage,
    /// The lock, and took it.
    got: Tally,
    /// That they did not get it.
    refused: Tally,
}

/// The handler tries, and lets go again at once.
pub(super) fn nmi_tries<B: Board, L: RawMutex + Sync>(board: &B) -> Outcome {
    board.has_interrupts()?;
    let Found { coverage, got, refused } = try_everywhere::<B, L>(board, true)?;
    board.print(format_args!("{coverage}{} got it; ", got.all()));
    ensure_eq(got.of(Phase::Inside), 0, "handlers that took the lock while it was held")?;
    ensure_eq(refused.of(Phase::Before) + refused.of(Phase::After), 0, "handlers that were refused a free lock")?;
    ensure(
        got.of(Phase::Locking) != 0 && got.of(Phase::Unlocking) != 0,
        "none took the lock before or after the section",
    )?;
    ensure(refused.of(Phase::Inside) != 0, "no handler came inside of the section")?;
    coverage.suffices(LEAST)?;
    coverage.went_inside()
}

/// The same while the interrupted code waits for whoever holds the lock, and then is handed it.
pub(super) fn nmi_tries_at_a_wait<B: Board, L: RawMutex + Sync>(board: &B, kind: &Kind) -> Outcome {
    board.has_interrupts()?;
    // During the wait; and, whether the code waited or not, with somebody else's lock.
    let (waiting, stolen) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (got, refused) = (Tally::new(), Tally::new());
    let coverage = sweep(|needle| {
        let scene = Scene::<L>::new();
        let holder = Holder::at_once(&scene, kind);
        let visits = AtomicUsize::new(0);
        let between = |pause| {
            stolen.fetch_add(usize::from(holder.pause()), Ordering::Relaxed);
            needle.go(pause, || {
                waiting.fetch_add(usize::from(holder.is_waited_for()), Ordering::Relaxed);
                let got_it = try_lock(&scene, &got, &refused, &visits);
                stolen.fetch_add(usize::from(got_it && holder.holds()), Ordering::Relaxed);
                Next::Step
            })
        };
        let open = board.step(&between, &|_| {}, &mut || scene.pass());
        holder.let_go();
        ensure(open, "interrupts were left masked")?;
        scene.finish(1 + visits.into_inner())
    })?;
    let waiting = waiting.into_inner();
    board.print(format_args!("{coverage}{waiting} while waiting; "));
    ensure_eq(stolen.into_inner(), 0, "times that the lock was taken while it was held")?;
    ensure_eq(got.of(Phase::Inside), 0, "handlers that took the lock while it was held")?;
    ensure(waiting != 0 && refused.of(Phase::Locking) >= waiting, "no handler came during the wait")?;
    ensure(refused.of(Phase::Inside) != 0, "no handler came inside of the section")?;
    coverage.suffices(LEAST)?;
    coverage.went_inside()
}

/// `strict`: what the sections count is checked, too.
fn try_everywhere<B: Board, L: RawMutex + Sync>(board: &B, strict: bool) -> Result<Found, Stop> {
    let (got, refused) = (Tally::new(), Tally::new());
    let coverage = sweep(|needle| {
        let scene = Scene::<L>::new();
        let visits = AtomicUsize::new(0);
        let between = |pause| {
            needle.go(pause, || {
                try_lock(&scene, &got, &refused, &visits);
                Next::Step
            })
        };
        let open = board.step(&between, &|_| {}, &mut || scene.pass());
        ensure(open, "interrupts were left masked")?;
        if strict { scene.finish(1 + visits.into_inner()) } else { Ok(()) }
    })?;
    Ok(Found { coverage, got, refused })
}

/// The handler: tries, and if it gets the lock has a section. Returns whether it did.
pub(super) fn try_lock<L: RawMutex>(scene: &Scene<L>, got: &Tally, refused: &Tally, visits: &AtomicUsize) -> bool {
    let Some(guard) = scene.lock.try_lock() else {
        refused.add(scene.phase());
        return false;
    };
    got.add(scene.phase());
    scene.visit(guard);
    visits.fetch_add(1, Ordering::Relaxed);
    true
}

/// The handler tries, and keeps what it gets until the interrupted code has waited for it for a while.
pub(super) fn nmi_keeps<B: Board, L: RawMutex + Sync>(board: &B, kind: &Kind) -> Outcome {
    board.has_interrupts()?;
    let (Found { coverage, got, refused }, both) = keep_everywhere::<B, L>(board, kind)?;
    board.print(format_args!("{coverage}{} got it; ", got.all()));
    ensure_eq(both, 0, "pauses in a section whose lock is the handler's")?;
    ensure(got.of(Phase::Locking) != 0, "no handler took the lock from the code that was about to")?;
    ensure(refused.of(Phase::Inside) != 0, "no handler came inside of the section")?;
    coverage.suffices(LEAST)?;
    coverage.went_inside()
}

/// What was found; and pauses at which both had the lock.
fn keep_everywhere<B: Board, L: RawMutex + Sync>(board: &B, kind: &Kind) -> Result<(Found, usize), Stop> {
    let (got, refused) = (Tally::new(), Tally::new());
    let both = AtomicUsize::new(0);
    let coverage = sweep(|needle| {
        let scene = Scene::<L>::new();
        let holder = Holder::new(&scene, kind);
        let between = |pause| {
            both.fetch_add(usize::from(holder.pause()), Ordering::Relaxed);
            needle.go(pause, || {
                match scene.lock.try_lock() {
                    Some(guard) => {
                        got.add(scene.phase());
                        holder.keep(guard);
                    }
                    None => refused.add(scene.phase()),
                }
                Next::Step
            })
        };
        let open = board.step(&between, &|_| {}, &mut || scene.pass());
        holder.let_go();
        ensure(open, "interrupts were left masked")?;
        scene.finish(1)
    })?;
    Ok((Found { coverage, got, refused }, both.into_inner()))
}

/// A `try_lock` that always says yes must be seen, or the cases above show nothing.
fn careless_try_lock_is_caught<B: Board>(board: &B) -> Outcome {
    board.has_interrupts()?;
    let found = try_everywhere::<B, Careless<Ticket<Counted<DefaultWait>>>>(board, false)?;
    ensure(found.got.of(Phase::Inside) != 0, "a try_lock that takes what is held went unnoticed")
}

/// As must a lock that is free for an instruction too long.
fn torn_try_lock_is_caught<B: Board>(board: &B) -> Outcome {
    board.has_interrupts()?;
    let kind = Kind::of_lines(|| 0, || 0); // it does not tell when it waits
    let (_, both) = keep_everywhere::<B, Torn>(board, &kind)?;
    ensure(both != 0, "a lock that two have taken went unnoticed")
}
