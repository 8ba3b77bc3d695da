//! The negative control: a lock that does not lock. What checks the other measurements must catch it.

use lock_api::{GuardSend, RawMutex};

/// Lets everybody in, always.
#[derive(Debug)]
pub(crate) struct Broken;

// SAFETY: none; it breaks the one promise of the trait, and what it guards is raced for: undefined behaviour, on purpose,
// as smoke is for a smoke detector. It runs when a user asks for `broken` by name, in a program that then ends. What
// is raced for are plain integers in a pool without unsafe code, where a torn one is a wrong index, hence a panic.
unsafe impl RawMutex for Broken {
    const INIT: Self = Self;

    type Guard = GuardSend;

    #[inline]
    fn lock(&self) -> GuardSend {
        GuardSend::new()
    }

    #[inline]
    fn try_lock(&self) -> Option<GuardSend> {
        Some(GuardSend::new())
    }

    #[inline]
    unsafe fn unlock(&self, _: GuardSend) {}

    #[inline]
    fn is_locked(&self) -> bool {
        false
    }
}
