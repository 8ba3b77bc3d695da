//! How a waiter waits: a policy, as a type parameter of the lock.
//!
//! A policy is told *which word* it waits for, not merely that time should pass: AArch64's `WFE` sleeps until
//! another core writes to an address that the waiter has read with a load-exclusive, so a hook without the
//! address cannot sleep safely. And it is told *how far away* its turn is: a waiter with five others ahead need
//! not look at the word as often as the next in line, and each look costs the holder a transfer of the line.
//!
//! | policy | between two looks | for |
//! |---|---|---|
//! | [`Spin`] | one `spin_loop` hint | few cores, short sections |
//! | [`Proportional`] | hints in proportion to the distance | ticket locks; the default elsewhere than on AArch64 |
//! | [`Wfe`] | the core sleeps until the word changes | AArch64, its default |
//! | [`Backoff`] | hints, twice as many each time | locks without an order: [`Tas`](crate::Tas), [`Ttas`](crate::Ttas) |
//! | `Yield` | hints, then another thread runs | hosts with more threads than cores (feature `std`) |
//! | `RelaxWith<R>` | whatever a `spinning_top` `Relax` does | code that has one (feature `spinning_top`) |
//!
//! Every look is a load-acquire: the look that ends the wait is what orders the waiter after whoever wrote the
//! word.

#[cfg(feature = "spinning_top")]
use core::marker::PhantomData;

mod backoff;
mod changed;
#[cfg(feature = "std")]
mod host;

pub use backoff::Backoff;
#[cfg(feature = "std")]
pub use host::Yield;

use crate::sync::{Acquire, AtomicBool, AtomicPtr, AtomicU16, AtomicU32, spin_loop};

/// A word that can be waited for: `AtomicU32`, `AtomicU16`, `AtomicPtr` or `AtomicBool`.
pub trait Word: sealed::Sealed {
    /// What the word holds.
    type Value: Copy + PartialEq;

    /// One look: a load-acquire.
    #[track_caller]
    fn look(&self) -> Self::Value;

    /// Waits until the word holds something else than `seen`, and returns that: a load-acquire.
    ///
    /// On AArch64 the core sleeps (`WFE`) in between; elsewhere, and in miri and loom, this is a loop of looks.
    #[track_caller]
    fn changed(&self, seen: Self::Value) -> Self::Value;

    /// Sleeps (`WFET`) until the word holds something else than `seen`, or `CNTVCT_EL0` is `deadline`, or anything else
    /// wakes the core; of a word that nothing wakes for, a hint.
    #[cfg(all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom)))]
    fn changed_until(&self, seen: Self::Value, deadline: u64) {
        let _ = (seen, deadline);
        spin_loop();
    }
}

/// How to wait until a word says that it is one's turn.
///
/// Implementations are types without values. One's own needs [`Word::look`] and something to do in between:
///
/// ```
/// use hyp_locks::{Ticket, wait::{Wait, Word}};
///
/// struct Nap;
/// // SAFETY: returns when `ahead` says 0 and not before; `sleep` does not unwind.
/// unsafe impl Wait for Nap {
///     fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
///         loop {
///             let seen = word.look();
///             if ahead(seen) == 0 {
///                 return seen;
///             }
///             std::thread::sleep(std::time::Duration::from_micros(50));
///         }
///     }
/// }
///
/// let mutex = lock_api::Mutex::<Ticket<Nap>, u32>::new(1);
/// assert_eq!(*mutex.lock(), 1);
/// ```
///
/// # Safety
///
/// Exclusion rests on it. [`until`](Self::until) returns only a value that [`Word::look`] or [`Word::changed`] gave
/// for this word and of which `ahead` said 0, and it does not unwind: a queue may know an address in the waiter's
/// frame.
pub unsafe trait Wait {
    /// Returns when `ahead(value of word)` is 0, and that value.
    ///
    /// `ahead` says how many handovers are still to come before one's turn, as far as the word tells: 0 now,
    /// 1 next. It must not change anything: it is called any number of times.
    #[track_caller] // a model attributes the looks to the line of the algorithm that waits
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value;
}

/// Looks, hints `spin_loop` once (x86 `pause`, AArch64 `isb`, RISC-V `pause`), looks again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spin;

// SAFETY: the one way out is `ahead == 0` for the value just seen; nothing unwinds.
unsafe impl Wait for Spin {
    #[inline(always)]
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        loop {
            let seen = word.look();
            if ahead(seen) == 0 {
                return seen;
            }
            spin_loop();
        }
    }
}

/// Looks often when next in line, and `PAUSES` hints later for every other one ahead.
///
/// A lock whose waiters all read one word costs its holder a line transfer for each of them at every handover;
/// those who cannot be next should stay away. In proportion, not exponentially: a ticket says how long to stay
/// away, and who sleeps past its turn holds up all the others. `PAUSES` should take about as long as one short
/// section with its handover, and rather less: a pause takes from 10 (older x86) to 140 (Skylake and later) cycles.
#[derive(Clone, Copy, Debug, Default)]
pub struct Proportional<const PAUSES: u32 = 4>;

// SAFETY: the one way out is `ahead == 0` for the value just seen; nothing unwinds.
unsafe impl<const PAUSES: u32> Wait for Proportional<PAUSES> {
    #[inline(always)]
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        loop {
            let seen = word.look();
            match ahead(seen) {
                0 => return seen,
                1 => spin_loop(),
                many => (0..(many - 1).saturating_mul(PAUSES)).for_each(|_| spin_loop()),
            }
        }
    }
}

/// Sleeps in `WFE` until the word changes.
///
/// `LDAXR` puts the word's line under the core's exclusive monitor; the write of another core clears the monitor,
/// which wakes the core. No `SEV` and no `DSB` is needed in the release: one store-release does it all.
///
/// Three conditions, none of which this type can check:
///
/// * The lock lies in Normal, Inner Shareable, cacheable memory **and the MMU is on**: without that the
///   architecture promises nothing of exclusives, and a waiter may sleep for ever (or fault). Before that, run
///   one core, or use a policy that does not sleep *and* a lock that needs no exclusives.
/// * Every core that takes the lock is in the same Inner Shareable domain.
/// * `WFE` is not trapped for ever by a higher exception level (`HCR_EL2.TWE`, `SCTLR_EL1.nTWE` may trap it in
///   order to schedule something else, which is welcome). Linux allows it in user space.
///
/// `WFE` is a hint: some cores do not sleep at all, others wake of themselves, so it is always in a loop. The
/// event stream (`CNTHCTL_EL2.EVNTEN`, `CNTKCTL_EL1.EVNTEN`) bounds each sleep and is a good safety net.
///
/// Exists on AArch64 only, and, without the sleep, in miri and loom.
#[cfg(any(all(target_arch = "aarch64", target_pointer_width = "64"), miri, loom, doc))]
#[derive(Clone, Copy, Debug, Default)]
pub struct Wfe;

#[cfg(any(all(target_arch = "aarch64", target_pointer_width = "64"), miri, loom, doc))]
// SAFETY: the one way out is `ahead == 0` for the value last seen; nothing unwinds.
unsafe impl Wait for Wfe {
    #[inline(always)]
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        let mut seen = word.look();
        while ahead(seen) != 0 {
            seen = word.changed(seen);
        }
        seen
    }
}

/// Between two looks does what `R` does: `spinning_top`'s `Spin` or `Backoff`, or one's own. Each wait starts
/// with a new `R`.
#[cfg(feature = "spinning_top")]
#[derive(Clone, Copy, Debug, Default)]
pub struct RelaxWith<R>(PhantomData<R>);

#[cfg(feature = "spinning_top")]
// SAFETY: the one way out is `ahead == 0` for the value just seen. All of `R` that runs here (`default`, `relax`, its
// drop) runs while the bomb is armed: if it unwinds, the program ends and nothing gets past this frame.
unsafe impl<R: spinning_top::relax::Relax> Wait for RelaxWith<R> {
    #[inline(always)]
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        let bomb = AbortOnUnwind;
        let mut relax = R::default();
        let seen = loop {
            let seen = word.look();
            if ahead(seen) == 0 {
                break seen;
            }
            relax.relax();
        };
        drop(relax);
        core::mem::forget(bomb);
        seen
    }
}

/// Ends the program when dropped while unwinding: a panic in a drop does, without `std` too.
#[cfg(feature = "spinning_top")]
struct AbortOnUnwind;

#[cfg(feature = "spinning_top")]
impl Drop for AbortOnUnwind {
    #[cold]
    fn drop(&mut self) {
        panic!("a Relax may not unwind: the queue knows an address in this frame");
    }
}

/// What a lock waits with unless told otherwise: [`Wfe`] on AArch64, [`Proportional`] elsewhere.
#[cfg(all(target_arch = "aarch64", target_pointer_width = "64"))]
pub type DefaultWait = Wfe;
/// What a lock waits with unless told otherwise: [`Wfe`] on AArch64, [`Proportional`] elsewhere.
#[cfg(not(all(target_arch = "aarch64", target_pointer_width = "64")))]
pub type DefaultWait = Proportional;

macro_rules! words {
    ($($word:ident $(<$t:ident>)?, $value:ty: $changed:ident, $until:ident;)*) => {$(
        impl $(<$t>)? sealed::Sealed for $word $(<$t>)? {}

        impl $(<$t>)? Word for $word $(<$t>)? {
            type Value = $value;

            #[inline(always)]
            fn look(&self) -> $value {
                self.load(Acquire)
            }

            #[inline(always)]
            fn changed(&self, seen: $value) -> $value {
                changed::$changed(self, seen)
            }

            #[cfg(all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom)))]
            #[inline(always)]
            fn changed_until(&self, seen: $value, deadline: u64) {
                changed::$until(self, seen, deadline);
            }
        }
    )*};
}

words! {
    AtomicBool, bool: bool, bool_until;
    AtomicU16, u16: u16, u16_until;
    AtomicU32, u32: u32, u32_until;
    AtomicPtr<T>, *mut T: ptr, ptr_until;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}
