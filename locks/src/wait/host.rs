//! Waiting where a scheduler may take the core away.

use super::{Wait, Word};
use crate::sync::spin_loop;

/// Looks `LOOKS` times with a hint in between, and lets another thread run; and again.
///
/// ```text
///   look, hint, look, hint, … 64 looks ──► sched_yield ──► again
/// ```
///
/// First in, first out means that the lock goes to the next in line, running or not. With more threads than cores, or
/// with somebody else's work on them, whoever's turn it is may have to wait for a core that those behind it keep busy by
/// spinning; they give it up here. `Yield<1>` yields after every look: for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Yield<const LOOKS: u32 = 64>;

// SAFETY: the one way out is `ahead == 0` for the value just seen; neither a hint nor `yield_now` unwinds.
unsafe impl<const LOOKS: u32> Wait for Yield<LOOKS> {
    #[inline]
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        loop {
            for look in 1..=LOOKS.max(1) {
                let seen = word.look();
                if ahead(seen) == 0 {
                    return seen;
                }
                if look < LOOKS {
                    spin_loop();
                }
            }
            std::thread::yield_now();
        }
    }
}
