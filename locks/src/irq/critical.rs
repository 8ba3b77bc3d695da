//! The interrupt control that the program has chosen for all of embedded Rust.

use core::marker::PhantomData;
use core::sync::atomic::{Ordering, compiler_fence};

use critical_section::RestoreState;

use super::InterruptControl;

/// The promise that guards come and go as scopes do: what [`CriticalSection`] wants of its user.
///
/// # Safety
///
/// Wherever a lock under `CriticalSection<Self>` is taken, its sections nest properly with each other and with every
/// other critical section of the CPU (the thread), whoever began it, `critical_section::with` included:
///
/// * A guard is dropped, or bumped, only after all critical sections that began after it have ended.
/// * A critical section ends only after all guards made within it have been dropped. So no guard made in one is
///   forgotten.
///
/// A guard that never leaves the scope in which it was made, and that no other section straddles, keeps it.
pub unsafe trait Nested {}

/// Masks what the program's `critical-section` implementation masks.
///
/// On a machine of several cores that implementation may well be a lock of its own, one for the whole program: then
/// a lock within is superfluous, but harmless.
///
/// That crate's sections must nest, and memory safety depends on it: others reach into their `Mutex`es on the strength
/// of a section that a guard dropped too late would end. No type can see the order of drops, so `P` promises it:
///
/// ```
/// use hyp_locks::{CriticalSection, IrqSave, Nested, Ticket};
///
/// struct Scoped;
/// // SAFETY: `COUNTER` is private here, and each of its guards lives for one statement.
/// unsafe impl Nested for Scoped {}
///
/// static COUNTER: lock_api::Mutex<IrqSave<Ticket, CriticalSection<Scoped>>, u32> = lock_api::Mutex::new(0);
/// *COUNTER.lock() += 1;
/// ```
///
/// Without the promise there is no lock:
///
/// ```compile_fail,E0277
/// use hyp_locks::{CriticalSection, IrqSave, Ticket};
///
/// struct Careless;
/// static COUNTER: lock_api::Mutex<IrqSave<Ticket, CriticalSection<Careless>>, u32> = lock_api::Mutex::new(0);
/// let guard = COUNTER.lock();
/// critical_section::with(|_| drop(guard)); // would end the outer section within the inner one
/// ```
#[derive(Debug)]
pub struct CriticalSection<P>(PhantomData<fn() -> P>);

// SAFETY: 1. the promise of `critical_section::set_impl!`'s implementor, for sections that nest, as `P` promises. 2.
// Fences, as that crate suggests. 3. The functions are `extern "Rust"` and may not unwind by the same promise. 4. Other
// orders do not happen, as `P` promises.
unsafe impl<P: Nested> InterruptControl for CriticalSection<P> {
    type State = RestoreState;

    #[inline]
    fn save_and_mask() -> RestoreState {
        // SAFETY: released by `restore`, nested with all others: `P` is `Nested`.
        let state = unsafe { critical_section::acquire() };
        compiler_fence(Ordering::SeqCst);
        state
    }

    #[inline]
    unsafe fn restore(state: RestoreState) {
        compiler_fence(Ordering::SeqCst);
        // SAFETY: `state` came from `acquire` on this CPU and is given back once (the caller's promise), after all
        // sections that began after it (`P` is `Nested`).
        unsafe { critical_section::release(state) };
    }
}
