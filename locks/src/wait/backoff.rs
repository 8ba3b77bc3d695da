//! Waiting longer after each look in vain.

use super::{Wait, Word};
use crate::sync::spin_loop;

/// Looks, and pauses twice as long after each look in vain: 1, 2, 4, … up to `MOST` hints.
///
/// For locks without an order, [`Tas`](crate::Tas) and [`Ttas`](crate::Ttas): their waiters all rush to the lock when it
/// becomes free, and the later they come the fewer do. It makes them even less fair, since who has waited long looks
/// rarely. Not for locks with a queue, where everybody behind the one that oversleeps its turn waits, too: take
/// [`Proportional`](super::Proportional) there.
///
/// After T. E. Anderson, *The Performance of Spin Lock Alternatives for Shared-Memory Multiprocessors*, IEEE TPDS 1(1), 1990.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff<const MOST: u32 = 64>;

// SAFETY: the one way out is `ahead == 0` for the value just seen; nothing unwinds.
unsafe impl<const MOST: u32> Wait for Backoff<MOST> {
    #[inline(always)]
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        let mut pauses = 1_u32;
        loop {
            let seen = word.look();
            if ahead(seen) == 0 {
                return seen;
            }
            (0..pauses).for_each(|_| spin_loop());
            pauses = pauses.saturating_mul(2).min(MOST);
        }
    }
}
