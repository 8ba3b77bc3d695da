//! A waiting policy that can be watched.

use core::marker::PhantomData;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::wait::{Wait, Word};

/// Waits as `W` does, and counts the waits that have begun, in one of sixteen counters: `COUNTER`, from 0 to 15.
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
///
/// There is no seventeenth:
///
/// ```compile_fail,E0080
/// use hyp_locks::{Ticket, laws::Counted, wait::Spin};
/// use lock_api::RawMutex;
///
/// Ticket::<Counted<Spin, 16>>::INIT.lock();
/// ```
///
/// | access | ordering | pairs with | why not weaker, why not stronger |
/// |---|---|---|---|
/// | C1 fetch-add | Release | C2 | the waiter's place in the queue is taken before the count tells of it |
/// | C2 load | Acquire | C1 | whoever sees the count lets the next waiter come after that |
#[derive(Debug)]
pub struct Counted<W, const COUNTER: usize = 0>(PhantomData<W>);

static WAITS: [AtomicUsize; COUNTERS] = [const { AtomicUsize::new(0) }; COUNTERS];

const COUNTERS: usize = 16;

impl<W, const COUNTER: usize> Counted<W, COUNTER> {
    /// How many waits under this counter have begun.
    #[must_use]
    pub fn waits() -> usize {
        Self::counter().load(Ordering::Acquire) // C2
    }

    /// Its counter; that there is one is checked when this is compiled, so that a wait does not panic.
    fn counter() -> &'static AtomicUsize {
        const { assert!(COUNTER < COUNTERS, "there are sixteen counters, from 0") };
        &WAITS[COUNTER]
    }
}

// SAFETY: `W` waits; there is a counter (`counter`), so nothing unwinds.
unsafe impl<W: Wait, const COUNTER: usize> Wait for Counted<W, COUNTER> {
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        Self::counter().fetch_add(1, Ordering::Release); // C1
        W::until(word, ahead)
    }
}
