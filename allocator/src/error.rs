//! What can go wrong, one small enum for each kind of call. Every error leaves the pool as it was.

use crate::pfn::Pfn;
use core::{error::Error, fmt};

/// Why a pool could not be made over a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum InitError {
    /// There is no frame in the range.
    EmptyRange,
    /// The range runs past the last frame number.
    RangeOverflow,
    /// A table cannot have so many frames.
    TooManyFrames {
        /// The most it can have.
        max: usize,
    },
    /// The table has fewer words than a pool over this range needs.
    TableTooShort {
        /// Words needed, as [`table_words`](crate::table_words) says.
        needed: usize,
        /// Words that the table has.
        len: usize,
    },
    /// A word of the table belongs to a pool: one that is alive, one that was forgotten, or one that is being made at
    /// this moment (of two made at once over the same words, both may be refused).
    TableInUse {
        /// The first such word.
        index: usize,
    },
    /// More frames are to be reserved than there are.
    ReservedTooLong,
    /// This pool has its range already.
    AlreadyInitialised,
}

/// Why no block was allocated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AllocError {
    /// No pool has blocks of that order: it is above [`MAX_ORDER`](crate::MAX_ORDER).
    OrderTooLarge,
    /// No free block is large enough now.
    OutOfMemory,
}

/// Why a call that names a page frame was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PageError {
    /// The frame is not in this pool: another pool's, nobody's, or the pool has no range yet.
    OutOfRange,
    /// The frame is free: a double put, or a get of a page that nobody owns.
    Free,
    /// The frame is inside an allocated block and not its first one.
    Tail,
    /// The block belongs to somebody who alone may count its references: handles, an owner, a magazine; or it is
    /// being cleared.
    Held,
    /// Somebody else has a reference too, and the call needs the only one.
    Shared,
    /// The count would exceed [`MAX_COUNT`](crate::MAX_COUNT).
    Overflow,
    /// There are fewer references than were to be put.
    Underflow,
    /// The block is of another order than the caller says.
    WrongOrder,
    /// The block is pinned for ever: its count once overflowed.
    Pinned,
}

/// Which of many blocks was refused, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BulkError {
    /// Its place among those that were named. Those before it are done; it and those behind it are as they were.
    pub index: usize,
    /// Why.
    pub error: PageError,
}

/// Which invariant does not hold, and where; see [`algorithm`](crate::algorithm) for the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckError {
    /// The number of the invariant, 1 to 7.
    pub invariant: u8,
    /// The frame at which it was found violated.
    pub pfn: Pfn,
    /// What was found.
    pub found: &'static str,
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::EmptyRange => write!(f, "the range has no frame"),
            Self::RangeOverflow => write!(f, "the range runs past the last frame number"),
            Self::TooManyFrames { max } => write!(f, "the range has more than {max} frames"),
            Self::TableTooShort { needed, len } => {
                write!(f, "the frame table has {len} words, and the range needs {needed}")
            }
            Self::TableInUse { index } => write!(f, "word {index} of the frame table belongs to a pool already"),
            Self::ReservedTooLong => write!(f, "more frames are reserved than the range has"),
            Self::AlreadyInitialised => write!(f, "the pool has its range already"),
        }
    }
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OrderTooLarge => "no pool has blocks of that order",
            Self::OutOfMemory => "no free block is large enough",
        })
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "the frame is not in this pool",
            Self::Free => "the frame is free",
            Self::Tail => "the frame is inside an allocated block and not its first",
            Self::Held => "the block is held by somebody who alone may count its references",
            Self::Shared => "the block has another reference",
            Self::Overflow => "the reference count would exceed its maximum",
            Self::Underflow => "the block has fewer references than that",
            Self::WrongOrder => "the block is of another order",
            Self::Pinned => "the block is pinned for ever",
        })
    }
}

impl fmt::Display for BulkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "block {} of those named: {}", self.index, self.error)
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I{} does not hold at frame {}: {}", self.invariant, self.pfn, self.found)
    }
}

impl Error for InitError {}
impl Error for AllocError {}
impl Error for PageError {}
impl Error for BulkError {}
impl Error for CheckError {}
