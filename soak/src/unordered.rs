//! The negative control: a lock that lets one in at a time, and orders nothing. ThreadSanitizer must catch it.
//!
//! On the processors that we have, sums and ledger find nothing wrong with it: an exchange is a fence on x86, whatever
//! it asks for. That ThreadSanitizer does shows that it was built in, and looked at the pool.
//!
//! | access | operation | ordering | why |
//! |---|---|---|---|
//! | `held` | swap in `lock` and `try_lock`, store in `unlock` | Relaxed | this is the fault |
//! | `held` | load in `is_locked` | Relaxed | a snapshot |

use lock_api::{GuardSend, RawMutex};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::yield_now;

/// Excludes, and orders nothing.
#[derive(Debug)]
pub struct Unordered {
    held: AtomicBool,
}

// SAFETY: none; it lacks what the trait asks for beside exclusion, and what it guards is raced for: undefined behaviour,
// on purpose, as smoke is for a smoke detector. It runs when a user asks for `unordered` by name.
unsafe impl RawMutex for Unordered {
    const INIT: Self = Self { held: AtomicBool::new(false) };

    type Guard = GuardSend;

    fn lock(&self) -> GuardSend {
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            yield_now();
        }
    }

    fn try_lock(&self) -> Option<GuardSend> {
        (!self.held.swap(true, Relaxed)).then(GuardSend::new)
    }

    unsafe fn unlock(&self, _: GuardSend) {
        self.held.store(false, Relaxed);
    }

    fn is_locked(&self) -> bool {
        self.held.load(Relaxed)
    }
}
