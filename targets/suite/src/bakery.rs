//! Lock laws for the bakery: it is told how many cores there may be, spins, and tells of its queue in its own way.
//!
//! Its cores look at each other's lines, and `WFE` does not help: a look that was in vain gives way to whoever else shares
//! the host's core ([`Yielding`]), or each hand-over would cost a time slice for every core that waits.

use crate::board::Board;
use crate::case::Case;
use crate::locks::{Yielding, alone, fifo_admission, mutual_exclusion, relocation, try_lock_exclusion};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use hyp_locks::bakery::{Coherent, Line, Visibility};
use hyp_locks::{Bakery, IrqSave};

/// Cores that any board of ours has at most: lines that are looked at.
const MOST_CORES: usize = 64;

/// Times that each core takes the lock: fewer than of other locks, for where cores outnumber the host's and do not take
/// turns, each hand-over waits for the host.
const ROUNDS: u32 = 100;

/// The bakery of a board, for cores that see each other's stores by `V`.
type Boards<B, V> = Bakery<<B as Board>::Cpus, MOST_CORES, V, Yielding<B>>;

/// The same, and numbers run out at once.
type ShortOfNumbers<B> = Bakery<<B as Board>::Cpus, MOST_CORES, Coherent, Yielding<B>, 4>;

/// The cases.
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
    let cases = (every!(Boards<B, Coherent> as "bakery").into_iter())
        .chain([Case {
            name: "lock.bakery.fifo_admission",
            run: |board| fifo_admission::<B, Boards<B, Draws>>(board, Draws::drawn),
        }])
        .chain(every!(ShortOfNumbers<B> as "bakery_short_of_numbers"))
        .chain(every!(IrqSave<Boards<B, Coherent>, B::Irq> as "irqsave_bakery"));
    // Caches are on here, and emulated ones never wrong: that the instructions may be used is what this shows, and that
    // they disturb nothing.
    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    let cases = cases.chain(every!(Boards<B, hyp_locks::bakery::CachesOff> as "bakery_caches_off"));
    cases
}

/// Tells of every number that is drawn: whoever has published one has its place.
///
/// | access | ordering | pairs with | why not weaker, why not stronger |
/// |---|---|---|---|
/// | `word` load | Relaxed | – | this core's own store |
/// | `DRAWN` fetch-add | Release | the load | the number is out before the count tells of it |
/// | `DRAWN` load | Acquire | the fetch-add | whoever sees the count lets the next one come after that |
struct Draws;

static DRAWN: AtomicUsize = AtomicUsize::new(0);

impl Draws {
    /// How many numbers have been drawn.
    fn drawn() -> usize {
        DRAWN.load(Ordering::Acquire)
    }
}

// SAFETY: the memory of a board is coherent: its caches are on.
unsafe impl Visibility for Draws {
    fn publish(line: &Line) {
        const CHOOSING: u32 = 1;
        // SAFETY: a line begins with its word, which is never accessed but as an atomic.
        let word = unsafe { AtomicU32::from_ptr(line.as_ptr().cast_mut().cast()) };
        if word.load(Ordering::Relaxed) > CHOOSING {
            DRAWN.fetch_add(1, Ordering::Release);
        }
    }

    fn refresh(_: &Line) {}
}
