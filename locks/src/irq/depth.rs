//! Interrupts masked as long as *any* section of this CPU goes on.
//!
//! ```text
//!              a.lock()   b.lock()   drop(a)    drop(b)
//!  IrqSave     mask       (masked)   UNMASK     MASK         a's guard puts back what it found, and b's section goes on;
//!                                                             b's puts back what *it* found, and nothing unmasks any more
//!  IrqDepth    mask       (masked)   (masked)   unmask
//!  depth       0 → 1      1 → 2      2 → 1      1 → 0
//! ```
//!
//! The mask as it was is kept once for each CPU, by the outermost section; whichever ends last puts it back. What Rust for
//! Linux does with its counted interrupt disabling, for the same reason.

use core::cell::Cell;
use core::marker::PhantomData;
use core::sync::atomic::{Ordering, compiler_fence};

use super::{InterruptControl, IrqSave};
use crate::cpu::CpuId;

/// The lock `L`, taken with interrupts masked by `I` until the last such section of this CPU ends, in whatever order the
/// guards are dropped. `C` has the CPUs' depths.
///
/// Counted are sections of `IrqDepth`. Where a lock under plain [`IrqSave`] and the same control is held as well, guards of
/// the two kinds have to be dropped in the reverse order of their making, or interrupts are unmasked too early and then stay
/// masked: take one kind for all locks under a control.
///
/// ```
/// use hyp_locks::{CpuId, Depths, IrqDepth, IrqSlot, Recorder, Ticket};
///
/// struct Cpus;
/// // SAFETY: this example has one thread.
/// unsafe impl CpuId for Cpus {
///     fn cpu() -> usize {
///         0
///     }
/// }
/// // SAFETY: nobody else uses the slots, and there is one for each CPU.
/// unsafe impl Depths<Recorder> for Cpus {
///     fn slots() -> &'static [IrqSlot<Recorder>] {
///         static SLOTS: [IrqSlot<Recorder>; 1] = [IrqSlot::NEW];
///         &SLOTS
///     }
/// }
///
/// type Mutex = lock_api::Mutex<IrqDepth<Ticket, Recorder, Cpus>, u32>;
/// let (a, b) = (Mutex::new(1), Mutex::new(2));
/// let (first, second) = (a.lock(), b.lock());
/// drop(first);
/// assert!(Recorder::masked()); // `b` is held
/// drop(second);
/// assert!(!Recorder::masked());
/// ```
pub type IrqDepth<L, I, C> = IrqSave<L, Depth<I, C>>;

/// The control `I`, counted: what [`IrqDepth`] masks with.
#[derive(Debug)]
pub struct Depth<I, C>(PhantomData<fn() -> (I, C)>);

/// What is kept for one CPU, a line of its own: each section writes it.
///
/// # Invariants
///
/// * **D1** A slot is accessed by its CPU alone ([`CpuId`]), and with interrupts masked by `I`; or by a handler that comes
///   in between all the same, because `I` does not mask it (a non-maskable interrupt, which only tries locks) or somebody
///   else has unmasked it. Such a handler leaves `depth` as it found it, and if that is not 0, `saved` too; if it is 0, it
///   leaves `saved` empty.
/// * **D2** `saved` is there only while `depth` is not 0: the mask as it was before the first of those sections. Hence it is
///   put there after the depth has left 0, and taken before it is 0 again: a handler that came in the other way round would
///   take it for its own, and interrupts would stay masked for ever.
#[repr(align(64))]
pub struct IrqSlot<I: InterruptControl> {
    depth: Cell<usize>,
    saved: Cell<Option<I::State>>,
}

// SAFETY: D1: whoever implements `Depths` promises that a CPU gets its own slot, and nobody else any.
unsafe impl<I: InterruptControl> Sync for IrqSlot<I> {}

impl<I: InterruptControl> IrqSlot<I> {
    /// Of a CPU that has no section.
    #[expect(clippy::declare_interior_mutable_const, reason = "to make arrays of")]
    pub const NEW: Self = Self { depth: Cell::new(0), saved: Cell::new(None) };
}

impl<I: InterruptControl> core::fmt::Debug for IrqSlot<I> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("IrqSlot") // another CPU's may not be looked at
    }
}

/// Where the depths of all CPUs are kept: one implementor for each control `I` of a program, or a section under one
/// would end the masking that a section under another still needs.
///
/// # Safety
///
/// The slots are always the same, one for each number that [`CpuId::cpu`] returns, and nobody else has access to them.
pub unsafe trait Depths<I: InterruptControl + 'static>: CpuId {
    /// The slots, by CPU.
    fn slots() -> &'static [IrqSlot<I>];
}

impl<I: InterruptControl + 'static, C: Depths<I>> Depth<I, C> {
    #[inline]
    fn slot() -> &'static IrqSlot<I> {
        &C::slots()[C::cpu()]
    }
}

// SAFETY: 1. `I` masks before the depth is counted, and is asked to restore only when the last section ends: from the return
// of `save_and_mask` to that moment no handler begins. 2. `I` keeps accesses inside. 3. `I` does not unwind, nor is there
// a slot missing (the promise of `Depths`). They nest, which is the point. 4. Sections that end in any order are counted
// alike; one that never ends keeps interrupts masked.
unsafe impl<I: InterruptControl + 'static, C: Depths<I>> InterruptControl for Depth<I, C> {
    type State = ();

    #[inline]
    fn save_and_mask() {
        let state = I::save_and_mask();
        // Masked from here on: this CPU's slot, and whoever comes in between leaves it as it is (D1).
        let slot = Self::slot();
        let depth = slot.depth.get();
        slot.depth.set(depth + 1);
        compiler_fence(Ordering::SeqCst); // D2, as a handler sees it
        if depth == 0 {
            slot.saved.set(Some(state));
        }
    }

    #[inline]
    unsafe fn restore((): ()) {
        let slot = Self::slot();
        let depth = slot.depth.get().saturating_sub(1);
        let last = if depth == 0 { slot.saved.take() } else { None };
        compiler_fence(Ordering::SeqCst); // D2, as a handler sees it
        slot.depth.set(depth);
        if let Some(state) = last {
            // SAFETY: D2: it came from `save_and_mask` on this CPU and is given back once: it has been taken.
            unsafe { I::restore(state) };
        }
    }
}
