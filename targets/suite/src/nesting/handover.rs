//! A non-maskable interrupt in the release of a lock for which another core waits.
//!
//! | location | op | ordering | pairs with | why not weaker |
//! |---|---|---|---|---|
//! | `begun` | store | Release | the load of core 1 | the lock is held before core 1 comes to wait for it |
//! | `begun` | load | Acquire | the store | sees that |
//! | `done` | store | Release | the load of core 0 | core 1 has released the lock before the next round |
//! | `done` | load | Acquire | the store | sees that |

use super::nmi::try_lock;
use super::scene::{Kind, Phase, Scene, Tally, wait_until};
use super::sweep::sweep;
use crate::board::{Board, Next};
use crate::case::{Outcome, ensure, needs_cores};
use core::sync::atomic::{AtomicUsize, Ordering};
use hyp_locks::Ticket;
use lock_api::{Mutex, RawMutex};

/// Instructions that the shortest of the releases takes.
const LEAST: usize = 4;

/// Of `begun`: there is no round any more.
const OVER: usize = usize::MAX;

/// The handler tries while the interrupted code hands over.
pub(super) fn nmi_tries_at_handover<B: Board, L: RawMutex + Sync>(board: &B, kind: &Kind) -> Outcome {
    board.has_interrupts()?;
    needs_cores(board, 2, "one core: nobody to hand over to")?;
    let scene = Scene::<L>::new();
    let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (got, refused, visits) = (Tally::new(), Tally::new(), AtomicUsize::new(0));
    let swept = Mutex::<Ticket, _>::new(None);
    board.run_on(2, &|core| {
        if core == 0 {
            let mut round = 0;
            let coverage = sweep(|needle| {
                round += 1;
                let mut guard = Some(scene.lock.lock());
                let before = kind.waits[0]();
                begun.store(round, Ordering::Release);
                wait_until::<B>(|| kind.waits[0]() != before);
                let between = |pause| {
                    needle.go(pause, || {
                        try_lock(&scene, &got, &refused, &visits);
                        Next::Step
                    })
                };
                let open = board.step(&between, &|_| {}, &mut || {
                    if let Some(guard) = guard.take() {
                        scene.leave(guard);
                    }
                });
                wait_until::<B>(|| done.load(Ordering::Acquire) == round);
                ensure(open, "interrupts were left masked")
            });
            begun.store(OVER, Ordering::Release);
            *swept.lock() = Some((coverage, round));
            return;
        }
        for round in 1.. {
            wait_until::<B>(|| begun.load(Ordering::Acquire) >= round);
            if begun.load(Ordering::Acquire) == OVER {
                break;
            }
            scene.visit(scene.lock.lock());
            done.store(round, Ordering::Release);
        }
    });
    let (coverage, rounds) = swept.into_inner().expect("core 0 says");
    let coverage = coverage?;
    board.print(format_args!("{coverage}{} got it; ", got.all()));
    scene.finish(rounds + visits.into_inner())?;
    ensure(refused.of(Phase::Unlocking) != 0, "no handler came while the lock was still held")?;
    coverage.suffices(LEAST)
}
