//! Interrupts, by a real timer: an interrupt handler that takes the lock that it interrupts would wait for ever.

use crate::board::Board;
use crate::case::{Case, Outcome, ensure, ensure_eq};
use crate::pool::{checked, pool, table};
use core::sync::atomic::{AtomicUsize, Ordering};
use hyp_locks::{InterruptControl, IrqDepth, IrqSave, Ticket};
use hyp_pool::{Atomic, Coalesce, Deferred, Eager, Merged, RefcountPath, table_words};
use lock_api::{Mutex, MutexGuard, RawMutex};

/// Interrupts that a case waits for, on each core.
const ENOUGH: usize = 50;
/// Long enough for them on a busy host; a core that gets fewer fails.
const SECONDS: u64 = 20;

/// The cases.
pub(crate) fn cases<B: Board>() -> impl Iterator<Item = Case<B>> {
    [
        Case { name: "irq.section_is_masked", run: section_is_masked::<B, B::Irq> },
        Case { name: "irq.section_is_masked_by_priority", run: section_is_masked::<B, B::Priority> },
        Case { name: "control.unmasked_section_is_interrupted", run: unmasked_section_is_interrupted },
        Case { name: "irq.crossing_sections_are_masked_to_the_end", run: crossing_sections_are_masked_to_the_end },
        Case { name: "control.crossing_guards_unmask_too_early", run: crossing_guards_unmask_too_early },
        Case { name: "irq.handler_takes_the_lock", run: handler_takes_the_lock },
        Case { name: "irq.handler_allocates.merged", run: handler_allocates::<B, Merged, Eager> },
        Case { name: "irq.handler_allocates.atomic", run: handler_allocates::<B, Atomic, Deferred> },
    ]
    .into_iter()
}

/// Time between two interrupts: 100 µs.
fn period<B: Board>(board: &B) -> u64 {
    board.hz() / 10_000
}

/// On one core a handler never finds the lock held: it comes before the section or after it.
fn section_is_masked<B: Board, I: InterruptControl + 'static>(board: &B) -> Outcome {
    board.has_interrupts()?;
    let seen = interrupt_sections::<B, IrqSave<Ticket, I>>(board);
    ensure(seen.interrupts >= ENOUGH, "too few interrupts")?;
    ensure_eq(seen.intrusions, 0, "interrupts inside a section")
}

/// The same without the mask: a handler must find the lock held, or [`section_is_masked`] shows nothing.
fn unmasked_section_is_interrupted<B: Board>(board: &B) -> Outcome {
    board.has_interrupts()?;
    let seen = interrupt_sections::<B, Ticket>(board);
    ensure(seen.interrupts >= ENOUGH, "too few interrupts")?;
    ensure(seen.intrusions != 0, "no interrupt came inside a section that lets them in")
}

/// Of two sections of which the first ends first, none is interrupted if they are counted.
fn crossing_sections_are_masked_to_the_end<B: Board>(board: &B) -> Outcome {
    board.has_interrupts()?;
    let seen = cross_sections::<B, IrqDepth<Ticket, B::Irq, B::Cpus>>(board, usize::MAX);
    ensure(seen.interrupts >= ENOUGH, "too few interrupts")?;
    ensure_eq(seen.intrusions, 0, "interrupts inside a section")
}

/// The same with guards that put back what they found: the second section is interrupted, or the case above shows nothing.
fn crossing_guards_unmask_too_early<B: Board>(board: &B) -> Outcome {
    board.has_interrupts()?;
    let start = board.now();
    // One section a try: the second guard puts back the mask that it found, and interrupts stay masked after it. The only
    // one may come before the section, or after it.
    while cross_sections::<B, IrqSave<Ticket, B::Irq>>(board, 1).intrusions == 0 {
        let early = board.now() - start < SECONDS * board.hz();
        ensure(early, "no interrupt came inside a section that was unmasked too early")?;
    }
    Ok(())
}

struct Seen {
    interrupts: usize,
    intrusions: usize,
}

/// Sections twice as long as the time between two interrupts, whose handler tries the lock.
fn interrupt_sections<B: Board, L: RawMutex + Sync>(board: &B) -> Seen {
    let lock = Mutex::<L, ()>::new(());
    interrupt::<B, L>(board, usize::MAX, &lock, || lock.lock())
}

/// The same, with a section of another lock that begins before and ends soon after the section has begun.
fn cross_sections<B: Board, L: RawMutex + Sync>(board: &B, most: usize) -> Seen {
    let (first, lock) = (Mutex::<L, ()>::new(()), Mutex::<L, ()>::new(()));
    interrupt::<B, L>(board, most, &lock, || {
        let _first = first.lock();
        lock.lock()
    })
}

/// Sections that `begin` begins: until there were enough interrupts, and `most` of them at most.
fn interrupt<'l, B: Board, L: RawMutex + Sync>(
    board: &B,
    most: usize,
    lock: &'l Mutex<L, ()>,
    begin: impl Fn() -> MutexGuard<'l, L, ()>,
) -> Seen {
    let (interrupts, intrusions) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let period = period(board);
    let handler = || {
        interrupts.fetch_add(1, Ordering::Relaxed);
        if lock.try_lock().is_none() {
            intrusions.fetch_add(1, Ordering::Relaxed);
        }
    };
    board.with_timer(period, &handler, &mut || {
        let start = board.now();
        for _ in 0..most {
            if interrupts.load(Ordering::Relaxed) >= ENOUGH || board.now() - start >= SECONDS * board.hz() {
                break;
            }
            let _section = begin();
            let entered = board.now();
            while board.now() - entered < 2 * period {}
        }
    });
    Seen { interrupts: interrupts.into_inner(), intrusions: intrusions.into_inner() }
}

/// Threads of all cores and their handlers count under one lock: none waits for ever, and no count is lost.
fn handler_takes_the_lock<B: Board>(board: &B) -> Outcome {
    board.has_interrupts()?;
    let lock = Mutex::<IrqSave<Ticket, B::Irq>, usize>::new(0);
    let (turns, interrupts) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let slow = AtomicUsize::new(0);
    board.run_on(board.cores(), &|_| {
        let own = AtomicUsize::new(0);
        let handler = || {
            *lock.lock() += 1;
            own.fetch_add(1, Ordering::Relaxed);
        };
        board.with_timer(period(board), &handler, &mut || {
            let start = board.now();
            while own.load(Ordering::Relaxed) < ENOUGH {
                if board.now() - start > SECONDS * board.hz() {
                    slow.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                *lock.lock() += 1;
                turns.fetch_add(1, Ordering::Relaxed);
            }
        });
        interrupts.fetch_add(own.into_inner(), Ordering::Relaxed);
    });
    ensure_eq(slow.into_inner(), 0, "cores with too few interrupts")?;
    ensure_eq(lock.into_inner(), turns.into_inner() + interrupts.into_inner(), "counts under the lock")
}

/// Threads of all cores and their handlers allocate from one pool, which in the end is whole.
fn handler_allocates<B: Board, R: RefcountPath, C: Coalesce>(board: &B) -> Outcome {
    const FRAMES: usize = 512;
    const WORDS: usize = table_words(FRAMES);
    board.has_interrupts()?;
    let table = table::<WORDS>();
    let pool = pool::<B, R, C>(&table, FRAMES, 0)?;
    let (slow, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let use_pool = |order: u8| {
        // Nothing free is no fault: the others may have it all.
        let Ok(block) = pool.alloc_pages(order) else { return };
        let used = pool.get_page(block).and_then(|()| pool.put_page(block)).and_then(|()| pool.put_page(block));
        refused.fetch_add(usize::from(used.is_err()), Ordering::Relaxed);
    };
    board.run_on(board.cores(), &|_| {
        let own = AtomicUsize::new(0);
        let handler = || {
            use_pool(0);
            own.fetch_add(1, Ordering::Relaxed);
        };
        board.with_timer(period(board), &handler, &mut || {
            let start = board.now();
            let mut turn = 0;
            while own.load(Ordering::Relaxed) < ENOUGH {
                if board.now() - start > SECONDS * board.hz() {
                    slow.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                use_pool(turn % 4);
                turn = turn.wrapping_add(1);
            }
        });
    });
    ensure_eq(slow.into_inner(), 0, "cores with too few interrupts")?;
    ensure_eq(refused.into_inner(), 0, "legal calls that were refused")?;
    checked(&pool, FRAMES)
}

/// What [`IrqSave`] is for, left out: the handler waits for the lock that its own core holds, and this does not
/// return. For the time limit of whoever runs the suite, to see that it works.
pub fn deadlock<B: Board>(board: &B) {
    let lock = Mutex::<Ticket, usize>::new(0);
    let handler = || *lock.lock() += 1;
    board.with_timer(period(board), &handler, &mut || {
        loop {
            *lock.lock() += 1;
        }
    });
}
