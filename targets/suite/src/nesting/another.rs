//! An interrupt whose handler waits for another lock of the same kind, while the interrupted code waits for its own: two
//! places in two queues on one core. The handler's must go without a trace.
//!
//! ```text
//!   core 0   lock A ─── waits ──┬──────────────── waits on ──► has A, unlock A
//!                               └► handler: lock B ── waits ──► has B, unlock B
//!   core 1                           has B … sees it wait … unlock B
//! ```
//!
//! A is held by nobody's code ([`Holder`]). On one core there is no one to hold B, and the handler finds it free; a bakery's
//! A is free, for only its own core could hold it.

use super::bad::OneNode;
use super::holder::Holder;
use super::scene::{Kind, Phase, Scene, Tally, wait_until};
use super::sweep::{Coverage, sweep};
use crate::board::{Board, Next};
use crate::case::{Case, Outcome, Stop, ensure, ensure_eq, needs_cores};
use core::sync::atomic::{AtomicUsize, Ordering};
use hyp_locks::Ticket;
use lock_api::{Mutex, RawMutex};

/// Instructions that the shortest of the locks takes, with its section.
const LEAST: usize = 15;

pub(super) fn controls<B: Board>() -> impl Iterator<Item = Case<B>> {
    [Case { name: "control.shared_node_is_caught", run: shared_node_is_caught }].into_iter()
}

/// What a sweep found.
struct Found {
    coverage: Coverage,
    /// Pauses at which the interrupted code was in its section, and its lock was another's.
    early: usize,
    /// Handlers that interrupted a wait.
    waiting: usize,
    /// Where the handlers came in.
    handlers: Tally,
}

pub(super) fn handler_takes_another<B, L, O>(board: &B, kind: &Kind) -> Outcome
where
    B: Board,
    L: RawMutex + Sync,
    O: RawMutex + Sync,
{
    board.has_interrupts()?;
    let Found { coverage, early, waiting, handlers } = nest_everywhere::<B, L, O>(board, kind)?;
    board.print(format_args!("{coverage}{waiting} while waiting; "));
    ensure_eq(early, 0, "pauses in a section whose lock is another's")?;
    ensure((waiting != 0) == kind.of_words, "no handler interrupted a wait")?;
    let everywhere = [Phase::Locking, Phase::Inside, Phase::Unlocking].iter().all(|&phase| handlers.of(phase) != 0);
    ensure(everywhere, "no handler while the lock was being taken, held or released")?;
    coverage.suffices(LEAST)?;
    coverage.went_inside()
}

fn nest_everywhere<B, L, O>(board: &B, kind: &Kind) -> Result<Found, Stop>
where
    B: Board,
    L: RawMutex + Sync,
    O: RawMutex + Sync,
{
    let (other, partner) = (Scene::<O>::new(), Partner::new());
    let found = Mutex::<Ticket, _>::new(None);
    board.run_on(board.cores().min(2), &|core| {
        if core == 0 {
            let visit = || {
                if board.cores() > 1 {
                    partner.take::<B>();
                }
                other.visit(other.lock.lock());
            };
            *found.lock() = Some(sweep_a_wait::<B, L>(board, kind, &visit));
            partner.dismiss();
        } else {
            partner.serve::<B, O>(&other.lock, kind.waits[1]);
        }
    });
    let found = found.into_inner().expect("core 0 says")?;
    other.finish(found.handlers.all())?;
    Ok(found)
}

fn sweep_a_wait<B: Board, L: RawMutex + Sync>(
    board: &B,
    kind: &Kind,
    visit: &(dyn Fn() + Sync),
) -> Result<Found, Stop> {
    let handlers = Tally::new();
    let (early, waiting) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let coverage = sweep(|needle| {
        let scene = Scene::<L>::new();
        let holder = Holder::at_once(&scene, kind);
        let came_to = AtomicUsize::new(0);
        let handler = |pc| {
            came_to.store(pc, Ordering::Relaxed);
            handlers.add(scene.phase());
            visit();
        };
        let between = |pause| {
            early.fetch_add(usize::from(holder.pause()), Ordering::Relaxed);
            needle.go(pause, || {
                waiting.fetch_add(usize::from(holder.is_waited_for()), Ordering::Relaxed);
                Next::Interrupt
            })
        };
        let open = board.step(&between, &handler, &mut || scene.pass());
        holder.let_go();
        ensure(open, "interrupts were left masked")?;
        ensure_eq(came_to.into_inner(), needle.struck().unwrap_or(0), "where the handler came in")?;
        scene.finish(1)
    })?;
    Ok(Found { coverage, early: early.into_inner(), waiting: waiting.into_inner(), handlers })
}

/// A core that takes a lock when it is told to, and releases it when somebody waits for it.
///
/// | location | op | ordering | pairs with | why not weaker |
/// |---|---|---|---|---|
/// | `order` | store | Release | the load of the other core | the lock is held before the other core comes to wait |
/// | `order` | load | Acquire | the store | sees that |
struct Partner {
    order: AtomicUsize,
}

const NOTHING: usize = 0;
const TAKE: usize = 1;
const TAKEN: usize = 2;
const DISMISSED: usize = 3;

impl Partner {
    fn new() -> Self {
        Self { order: AtomicUsize::new(NOTHING) }
    }

    /// Has it take the lock.
    fn take<B: Board>(&self) {
        self.order.store(TAKE, Ordering::Release);
        wait_until::<B>(|| self.order.load(Ordering::Acquire) == TAKEN);
    }

    fn dismiss(&self) {
        self.order.store(DISMISSED, Ordering::Release);
    }

    /// Its life.
    fn serve<B: Board, L: RawMutex>(&self, lock: &L, waits: fn() -> usize) {
        loop {
            match self.order.load(Ordering::Acquire) {
                TAKE => {
                    let guard = lock.lock();
                    let before = waits();
                    self.order.store(TAKEN, Ordering::Release);
                    wait_until::<B>(|| waits() != before);
                    // SAFETY: acquired above.
                    unsafe { lock.unlock(guard) };
                }
                DISMISSED => return,
                _ => B::relax(),
            }
        }
    }
}

/// A lock whose waiters have their place in common: the handler's wait must be seen to end the one that it interrupted.
fn shared_node_is_caught<B: Board>(board: &B) -> Outcome {
    board.has_interrupts()?;
    needs_cores(board, 2, "one core: nobody to wait for in the handler")?;
    let kind = Kind::of_words(OneNode::<B, 0>::waits, OneNode::<B, 1>::waits);
    let found = nest_everywhere::<B, OneNode<B, 0>, OneNode<B, 1>>(board, &kind)?;
    ensure(found.early != 0, "a wait that was ended by another went unnoticed")
}
