//! Interrupts and locks: an interrupt handler that takes a lock held by the code that it interrupted waits for
//! ever. So whoever takes such a lock masks interrupts on this CPU first, and unmasks them after the release.
//!
//! | | what it is | exclusion between CPUs |
//! |---|---|---|
//! | [`IrqSave<L, I>`](IrqSave) | a lock `L` taken with interrupts masked by `I` | by `L` |
//! | [`IrqDepth<L, I, C>`](IrqDepth) | the same, with guards that may be dropped in any order | by `L` |
//! | [`IrqMask<I>`](IrqMask) | interrupts masked by `I`, on a machine of one core | none is needed |
//!
//! | interrupt control | masks | where |
//! |---|---|---|
//! | `Daif` | `DAIF.I`: IRQ | AArch64 bare metal, feature `cortex-a` |
//! | `DaifIf` | `DAIF.I` and `.F`: IRQ and FIQ | the same |
//! | `Pmr<LEVEL>` | GICv3 priorities of value `LEVEL` and more | AArch64 bare metal |
//! | `AllInt` | IRQ, FIQ and NMI (FEAT_NMI) | the same |
//! | `Sstatus` | `sstatus.SIE` | RISC-V bare metal, supervisor mode |
//! | `Primask` | all but NMI and HardFault | Cortex-M, feature `cortex-m` |
//! | `BasePri<LEVEL>` | exceptions of priority value `LEVEL` and more | the same, Armv7-M and Armv8-M Mainline |
//! | `CriticalSection<P>` | what the program's `critical-section` masks | anywhere, feature `critical-section` |
//! | `Recorder` | nothing: keeps a record | host tests, feature `recorder` |
//!
//! `AllInt` and `Sstatus` are built by every test run, and have been run nowhere yet; the others have, on emulated boards.
//!
//! Whatever else is waited for while such a lock is held has to be taken with interrupts masked *everywhere*: a CPU that
//! holds it with interrupts open may be interrupted by a handler that waits for the first one.
//!
//! # Drop guards in the reverse order of their making
//!
//! Each guard carries the mask as it was when its section began, and puts *that* back. Take `a`, take `b`, drop
//! `a` first: interrupts are unmasked while `b` is still held, and a handler that takes `b`'s lock waits for ever. Then
//! drop `b`: its guard puts back that they were masked, and this CPU takes no interrupt any more.
//! The same goes for a guard dropped inside somebody else's masked region that began after it. Rust cannot check the
//! order of drops; a scope a section is the habit that keeps it right. Or take [`IrqDepth`], which counts the sections of
//! a CPU and unmasks at the end of the last one; it has to know which CPU it is on.
//!
//! `MutexGuard::bump` and `unlocked` are a release and an acquisition: called on `a` while `b` is held, they unmask as a drop
//! of `a` does, for a while. [`IrqDepth`] keeps the mask.
//!
//! Habit is enough where the worst is a deadlock. It is not where a region trusts in the mask for *memory safety*, as
//! a `critical_section::with` does: so `CriticalSection<P>` wants an `unsafe` promise, `Nested`, of the user's own `P`.
//! Whoever trusts in another control's mask for memory safety, beside these locks, owes himself the same.

#[cfg(any(doc, all(target_arch = "aarch64", target_os = "none")))]
mod allint;
#[cfg(all(feature = "cortex-m", any(doc, all(target_arch = "arm", target_os = "none"))))]
mod basepri;
#[cfg(feature = "critical-section")]
mod critical;
#[cfg(all(feature = "cortex-a", any(doc, all(target_arch = "aarch64", target_os = "none"))))]
mod daif;
mod depth;
mod mask;
#[cfg(any(doc, all(target_arch = "aarch64", target_os = "none")))]
mod pmr;
#[cfg(all(feature = "cortex-m", any(doc, all(target_arch = "arm", target_os = "none"))))]
mod primask;
#[cfg(feature = "recorder")]
mod recorder;
mod save;
#[cfg(any(doc, all(any(target_arch = "riscv32", target_arch = "riscv64"), target_os = "none")))]
mod sstatus;

use core::marker::PhantomData;

#[cfg(any(doc, all(target_arch = "aarch64", target_os = "none")))]
pub use allint::{AllInt, AllIntBits};
#[cfg(all(feature = "cortex-m", any(doc, all(target_arch = "arm", target_os = "none"))))]
pub use basepri::{BasePri, BasePriBits};
#[cfg(feature = "critical-section")]
pub use critical::{CriticalSection, Nested};
#[cfg(all(feature = "cortex-a", any(doc, all(target_arch = "aarch64", target_os = "none"))))]
pub use daif::{Daif, DaifBits, DaifIf, DaifSet};
pub use depth::{Depth, Depths, IrqDepth, IrqSlot};
pub use mask::{IrqMask, SingleCore};
#[cfg(any(doc, all(target_arch = "aarch64", target_os = "none")))]
pub use pmr::{Pmr, PmrBits};
#[cfg(all(feature = "cortex-m", any(doc, all(target_arch = "arm", target_os = "none"))))]
pub use primask::{Primask, PrimaskBits};
#[cfg(feature = "recorder")]
pub use recorder::{Event, Recorder};
pub use save::IrqSave;
#[cfg(any(doc, all(any(target_arch = "riscv32", target_arch = "riscv64"), target_os = "none")))]
pub use sstatus::{Sstatus, SstatusBits};

/// Masks interrupts on this CPU, and puts the mask back as it was.
///
/// # Safety
///
/// The implementor promises, for the CPU (on a host: the thread) that makes the calls:
///
/// 1. From the return of [`save_and_mask`](Self::save_and_mask) until what it returned, or what an earlier call
///    returned, goes to [`restore`](Self::restore), no interrupt handler that takes a lock under this control begins
///    to run.
/// 2. The compiler does not move accesses to memory out of that region (no `nomem` on the assembly, or a
///    `compiler_fence`).
/// 3. Neither call unwinds. The calls nest.
/// 4. Safe code gives states back in any order, or never: `restore` is defined for that too. (A control that cannot
///    bear it makes its user promise the order, as `CriticalSection` does.)
pub unsafe trait InterruptControl {
    /// The mask as it was.
    type State: Copy;

    /// Masks interrupts; returns the mask as it was.
    fn save_and_mask() -> Self::State;

    /// Puts the mask back.
    ///
    /// # Safety
    ///
    /// `state` came from `save_and_mask` on this CPU and has not been given back yet.
    unsafe fn restore(state: Self::State);
}

/// What a section with interrupts masked keeps: the guard of the lock within, and the mask as it was.
///
/// Not `Send`: the mask belongs to the CPU.
#[derive(Debug)]
#[must_use]
pub struct IrqGuard<G, S> {
    inner: G,
    state: S,
    not_send: PhantomData<*mut ()>,
}

// SAFETY: nothing of it is accessed through a shared reference: what is shared is what the lock guards.
unsafe impl<G, S> Sync for IrqGuard<G, S> {}

impl<G, S: Copy> IrqGuard<G, S> {
    /// The guard of the lock within, to be given up before the mask is restored by dropping the other.
    #[inline]
    fn open<I: InterruptControl<State = S>>(self) -> (G, Masked<I>) {
        (self.inner, Masked { state: self.state })
    }
}

/// Interrupts are masked on this CPU until this is dropped, by unwinding too, or goes into a guard.
struct Masked<I: InterruptControl> {
    state: I::State,
}

impl<I: InterruptControl> Masked<I> {
    #[inline]
    fn new() -> Self {
        Self { state: I::save_and_mask() }
    }

    #[inline]
    fn into_guard<G>(self, inner: G) -> IrqGuard<G, I::State> {
        let state = self.state;
        core::mem::forget(self);
        IrqGuard { inner, state, not_send: PhantomData }
    }
}

impl<I: InterruptControl> Drop for Masked<I> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the state came from `save_and_mask` and is given back once: a `Masked` becomes an `IrqGuard` and
        // back without a copy. On the same CPU: a `Masked` never leaves the function that made it, and `IrqGuard`
        // is not `Send`.
        unsafe { I::restore(self.state) }
    }
}
