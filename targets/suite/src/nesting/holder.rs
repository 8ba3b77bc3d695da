//! Who has the lock for which the interrupted code waits: nobody's code, but a guard, which is given up when the code has
//! waited for a while.
//!
//! On one core, and the same in every run. On another core there would be somebody whose time it is to let go when the
//! emulator sees fit.

use super::scene::{Kind, Phase, Scene};
use core::cell::Cell;
use core::sync::atomic::{AtomicUsize, Ordering};
use lock_api::RawMutex;

/// A guard of a scene's lock, or none.
pub(crate) struct Holder<'s, L: RawMutex> {
    scene: &'s Scene<L>,
    guard: Shelf<L::Guard>,
    patience: Patience,
}

impl<'s, L: RawMutex> Holder<'s, L> {
    /// Holds nothing yet.
    pub(crate) fn new(scene: &'s Scene<L>, kind: &Kind) -> Self {
        Self { scene, guard: Shelf::new(), patience: Patience::new(kind) }
    }

    /// Holds the lock from the start, if that is of a kind that may be released by whoever has the guard.
    pub(crate) fn at_once(scene: &'s Scene<L>, kind: &Kind) -> Self {
        let guard = kind.of_words.then(|| scene.lock.lock());
        let holder = Self::new(scene, kind); // not before: an acquisition may count as a wait
        if let Some(guard) = guard {
            holder.keep(guard);
        }
        holder
    }

    /// From now on holds.
    pub(crate) fn keep(&self, guard: L::Guard) {
        self.guard.put(guard);
    }

    pub(crate) fn holds(&self) -> bool {
        !self.guard.is_empty()
    }

    /// Whether the interrupted code waits for it.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.holds() && self.patience.waits()
    }

    /// For each pause: gives up the lock when the code has waited for it long enough. Returns whether the code is in its
    /// section all the same.
    pub(crate) fn pause(&self) -> bool {
        let both = self.holds() && self.scene.phase() == Phase::Inside;
        if both || (self.is_waited_for() && self.patience.is_over()) {
            self.let_go();
        }
        both
    }

    /// Gives up the lock, if it holds it.
    pub(crate) fn let_go(&self) {
        if let Some(guard) = self.guard.take() {
            // SAFETY: of this lock (`keep`), acquired on this core.
            unsafe { self.scene.lock.unlock(guard) };
        }
    }
}

/// How long the interrupted code is left waiting: until it waits, and then for some laps of its loop.
///
/// Not less: a first-in-first-out lock that links its waiters one to the other is released only when the last one has
/// linked, for which a handler that has interrupted just that would wait for ever.
struct Patience {
    waits: Option<fn() -> usize>,
    before: usize,
    pauses: AtomicUsize,
}

/// Pauses: some laps of any wait there is.
const LAPS: usize = 64;

impl Patience {
    fn new(kind: &Kind) -> Self {
        // A core that waits for its own line of a bakery, which only a test could do, does not say so.
        let waits = kind.of_words.then_some(kind.waits[0]);
        Self { waits, before: waits.map_or(0, |waits| waits()), pauses: AtomicUsize::new(0) }
    }

    fn waits(&self) -> bool {
        self.waits.is_none_or(|waits| waits() != self.before)
    }

    /// To be asked once a pause. Relaxed: by one core.
    fn is_over(&self) -> bool {
        let pauses = self.pauses.load(Ordering::Relaxed);
        self.pauses.store(pauses + 1, Ordering::Relaxed);
        pauses >= LAPS
    }
}

/// Something that a core's handlers hand to each other.
struct Shelf<T>(Cell<Option<T>>);

// SAFETY: it is for `between` and `handler` of one `Board::step`, and for the code around it: these run on one core, and
// do not interrupt each other.
unsafe impl<T> Sync for Shelf<T> {}

impl<T> Shelf<T> {
    const fn new() -> Self {
        Self(Cell::new(None))
    }

    fn put(&self, content: T) {
        self.0.set(Some(content));
    }

    fn take(&self) -> Option<T> {
        self.0.take()
    }

    fn is_empty(&self) -> bool {
        let content = self.0.take();
        let is_empty = content.is_none();
        self.0.set(content);
        is_empty
    }
}
