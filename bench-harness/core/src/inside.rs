//! What a scenario adds to the critical section: a hold, or the zeroing of a page.
//!
//! ```text
//!  Inside<L>:   lock ── acquired ── hold: burn ── the pool's own section ── zero the page ── release
//! ```
//!
//! Only scenarios that ask for it have this lock around theirs; the others pay nothing. The instruments are within
//! (`Inside<Instrumented<L>>`): what is added counts as held.
//!
//! | atomic | ordering | why |
//! |---|---|---|
//! | `HOLD` store, before the workers start; load | Relaxed | starting them publishes it |

use core::marker::PhantomData;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use hyp_locks::Ticket;
use lock_api::{Mutex, RawMutex};

use crate::arena::ENTRIES;
use crate::burn::burn;
use crate::machine::{MAX_CORES, Machine};

/// A page's entries.
type Page = [AtomicU64; ENTRIES];

/// Iterations that every section holds the lock longer.
static HOLD: AtomicU32 = AtomicU32::new(0);

/// The page that a worker's next release zeroes first. Nobody else takes its lock: it is there so that this is safe.
#[repr(align(128))]
struct Due(Mutex<Ticket, Option<&'static Page>>);

static DUE: [Due; MAX_CORES] = [const { Due(Mutex::new(None)) }; MAX_CORES];

/// From the next pass on, sections take so many iterations more.
pub(crate) fn hold(iterations: u32) {
    HOLD.store(iterations, Relaxed);
}

/// The next section of worker `worker` zeroes `page` before it ends.
pub(crate) fn zero_in_next_section(worker: usize, page: &'static Page) {
    *DUE[worker].0.lock() = Some(page);
}

/// Zeroes a page, entry by entry: other cores may look at it.
pub(crate) fn zero(page: &Page) {
    page.iter().for_each(|entry| entry.store(0, Relaxed));
}

/// `L`, with more to do while it is held.
#[derive(Debug)]
pub(crate) struct Inside<L, M> {
    lock: L,
    machine: PhantomData<fn() -> M>,
}

// SAFETY: `L`'s operations, one for one, with its own guard.
unsafe impl<L: RawMutex, M: Machine> RawMutex for Inside<L, M> {
    const INIT: Self = Self { lock: L::INIT, machine: PhantomData };

    type Guard = L::Guard;

    #[inline]
    fn lock(&self) -> L::Guard {
        let guard = self.lock.lock();
        burn(HOLD.load(Relaxed));
        guard
    }

    #[inline]
    fn try_lock(&self) -> Option<L::Guard> {
        let guard = self.lock.try_lock()?;
        burn(HOLD.load(Relaxed));
        Some(guard)
    }

    #[inline]
    unsafe fn unlock(&self, guard: L::Guard) {
        if let Some(page) = DUE[M::core()].0.lock().take() {
            zero(page);
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { self.lock.unlock(guard) };
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }
}
