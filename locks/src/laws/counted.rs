//! A waiting policy that can be watched.

use core::marker::PhantomData;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::wait::{Wait, Word};

/// Waits as `W` does, and counts the waits that have begun, in one of sixteen counters.
///
/// A lock begins a wait when its caller has its place in the queue: so the count tells a test that it has come.
/// Laws that run at the same time take different counters.
///
/// ```
/// use hyp_locks::{Ticket, laws::Counted, wait::Spin};
/// use lock_api::RawMutex;
///
/// type Watched = Counted<Spin, 3>;
/// let lock = Ticket::<Watched>::INIT;
/// lock.lock();
/// assert_eq!(Watched::waits(), 1); // a ticket lock looks at once whether it is its turn
/// ```
#[derive(Debug)]
pub struct Counted<W, const COUNTER: usize = 0>(PhantomData<W>);

static WAITS: [AtomicUsize; 16] = [const { AtomicUsize::new(0) }; 16];

impl<W, const COUNTER: usize> Counted<W, COUNTER> {
    /// How many waits under this counter have begun.
    #[must_use]
    pub fn waits() -> usize {
        WAITS[COUNTER].load(Ordering::Acquire)
    }
}

// SAFETY: `W` waits.
unsafe impl<W: Wait, const COUNTER: usize> Wait for Counted<W, COUNTER> {
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        WAITS[COUNTER].fetch_add(1, Ordering::Release);
        W::until(word, ahead)
    }
}
