//! The two ways to count references, chosen by a type parameter of the pool.
//!
//! | path | get, non-final put | final put | best for |
//! |---|---|---|---|
//! | [`Merged`] | count under the lock | count and free list in one critical section | one core, or pools whose blocks are seldom shared: a last put is one look and one section. Not for magazines, whose puts then take the lock |
//! | [`Atomic`] | compare-exchange on the frame's word, no lock | takes the lock *first*, then as above | everybody else: 99.8 % of the calls that stage-2 page-table work makes are not final |
//!
//! Both keep the promise that gave this crate its shape: *the last reference goes away, and the block becomes
//! free, in one critical section*. Nobody who holds the lock sees a block that is neither owned nor free, and
//! without the lock there is no word for such a thing.
//!
//! The final put of `Atomic`, and why the lock comes first:
//!
//! ```text
//!   word: count 1
//!     │  take the lock                     giving up the last reference before this is a known bug:
//!     │  compare-exchange ──lost──► somebody got a reference, or it is gone: look again
//!     ▼  word: Silent                      whoever holds the lock then sees a block that is in no free area
//!     │  into a ring, or coalesced into a chunk
//!     ▼  unlock
//! ```

use crate::error::PageError;
use crate::word::Allocated;

/// A way to count references: [`Merged`] or [`Atomic`].
pub trait RefcountPath: sealed::Sealed + 'static {
    /// Whether a count may change without the lock.
    #[doc(hidden)]
    const LOCK_FREE: bool;
}

/// Every change of a count is made under the lock.
#[derive(Clone, Copy, Debug)]
pub enum Merged {}

/// Counts change by compare-exchange; only the last put of a block takes the lock.
#[derive(Clone, Copy, Debug)]
pub enum Atomic {}

impl RefcountPath for Merged {
    const LOCK_FREE: bool = false;
}

impl RefcountPath for Atomic {
    const LOCK_FREE: bool = true;
}

/// `word`, if its count is 1.
#[inline]
pub(crate) fn sole(word: Allocated) -> Result<Allocated, PageError> {
    if word.count() == 1 { Ok(word) } else { Err(PageError::Shared) }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Merged {}
    impl Sealed for super::Atomic {}
}
