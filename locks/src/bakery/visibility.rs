//! What it takes, beyond the instruction, to make a store seen by a CPU whose caches are off, and to see its stores.

use core::marker::PhantomData;

use crate::sync::{Acquire, AtomicBool, AtomicU32, constructor, spin_loop};
use crate::wait::{Word, sealed::Sealed};

/// What one CPU writes, and no other: a line of its own in every cache.
///
/// 128 bytes, as [crossbeam's
/// `CachePadded`](https://docs.rs/crossbeam-utils/latest/crossbeam_utils/struct.CachePadded.html) has it for AArch64:
/// no granule of that size or less holds the words of two CPUs. One writes a whole granule back, and would overwrite
/// what the other has written with its caches off. `CTR_EL0.CWG` tells a core's granule; the A64FX's is 256, which is
/// too much for `CachesOff`.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Line {
    /// 0: away; 1: choosing; else the number drawn.
    pub(super) word: AtomicU32,
    /// This CPU is between its first and its last step at the door. No other CPU looks at it.
    pub(super) door: AtomicBool,
}

impl Line {
    constructor! {
        /// Of a CPU that is away.
        pub(super) fn new() = Self { word: AtomicU32::new(0), door: AtomicBool::new(false) }
    }

    /// Where it is; everything in it lies within the first 8 bytes.
    #[must_use]
    pub fn as_ptr(&self) -> *const u8 {
        core::ptr::from_ref(self).cast()
    }
}

/// What makes a store to a [`Line`] seen by CPUs whose caches may be off, and theirs seen here.
///
/// # Safety
///
/// Exclusion rests on it. On every CPU that takes the lock:
///
/// 1. When [`publish`](Self::publish) returns, this CPU's stores to the line that precede it are what every other CPU
///    loads that refreshes after that, or something newer.
/// 2. When [`refresh`](Self::refresh) returns, what is loaded from the line is not older than anything published
///    before.
/// 3. Neither writes to memory, nor unwinds, nor is crossed by accesses of the compiler's.
pub unsafe trait Visibility {
    /// Follows each store to `line`, by the one CPU that writes it.
    fn publish(line: &Line);

    /// Precedes each load from `line` by another CPU.
    fn refresh(line: &Line);
}

/// Nothing: the memory is coherent for all CPUs that take the lock, as it is wherever their caches are on, and on
/// machines without any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Coherent;

// SAFETY: 1. and 2. a store to coherent memory is seen by all, and the algorithm's own fences order it. 3. Nothing is
// done.
unsafe impl Visibility for Coherent {
    #[inline(always)]
    fn publish(_: &Line) {}

    #[inline(always)]
    fn refresh(_: &Line) {}
}

/// Another CPU's word, to be waited for: each look refreshes first. There is no exclusive in it, whatever the policy: a
/// core with its MMU off may not have any, and `WFE` on one would never wake.
pub(super) struct Watched<'a, V> {
    line: &'a Line,
    visibility: PhantomData<V>,
}

impl<'a, V> Watched<'a, V> {
    pub(super) fn new(line: &'a Line) -> Self {
        Self { line, visibility: PhantomData }
    }
}

impl<V> Sealed for Watched<'_, V> {}

impl<V: Visibility> Word for Watched<'_, V> {
    type Value = u32;

    #[inline(always)]
    fn look(&self) -> u32 {
        V::refresh(self.line);
        self.line.word.load(Acquire)
    }

    fn changed(&self, seen: u32) -> u32 {
        loop {
            let now = self.look();
            if now != seen {
                return now;
            }
            spin_loop();
        }
    }
}
