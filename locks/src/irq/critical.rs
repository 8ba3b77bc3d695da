//! The interrupt control that the program has chosen for all of embedded Rust.

use core::sync::atomic::{Ordering, compiler_fence};

use critical_section::RestoreState;

use super::InterruptControl;

/// Masks what the program's `critical-section` implementation masks.
///
/// On a machine of several cores that implementation may well be a lock of its own, one for the whole program: then
/// a lock within is superfluous, but harmless.
#[derive(Debug)]
pub struct CriticalSection;

// SAFETY: 1. the promise of `critical_section::set_impl!`'s implementor. 2. Fences, as that crate suggests. 3. The
// functions are `extern "Rust"` and may not unwind by the same promise.
unsafe impl InterruptControl for CriticalSection {
    type State = RestoreState;

    #[inline]
    fn save_and_mask() -> RestoreState {
        // SAFETY: released by `restore`, whose caller promises the nesting.
        let state = unsafe { critical_section::acquire() };
        compiler_fence(Ordering::SeqCst);
        state
    }

    #[inline]
    unsafe fn restore(state: RestoreState) {
        compiler_fence(Ordering::SeqCst);
        // SAFETY: `state` came from `acquire`, and is given back once and in order (the caller's promise).
        unsafe { critical_section::release(state) };
    }
}
