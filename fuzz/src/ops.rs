//! What a string may say: pools, and calls on them.
//!
//! ```text
//!   Input ─┬─ Setup: path, policy, start, length, reserved      a life
//!          │    Op Op Op Op …
//!          ├─ Setup …                                           the next pool, over the same table
//! ```
//!
//! Legal and illegal calls alike: a block is named by its rank among those that there are, or by any frame number.

use arbitrary::Arbitrary;
use hyp_pool::Contents;

/// The longest range.
pub const MOST_FRAMES: usize = 3000;

/// Some pools, one after the other, and what is done with each.
#[derive(Debug, Arbitrary)]
pub struct Input {
    /// Each with its operations.
    pub lives: Vec<(Setup, Vec<Op>)>,
}

/// How a pool is made.
#[derive(Debug, Arbitrary)]
pub struct Setup {
    /// The path: `Atomic`, or else `Merged`.
    pub atomic: bool,
    /// When freed blocks are coalesced.
    pub policy: Policy,
    far: u8,
    start: u16,
    long: u8,
    len: u16,
    reserved: u8,
    /// Whether everything is given back before the pool is dropped.
    pub tidy: bool,
}

/// The policies of coalescing.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub enum Policy {
    /// `Eager`.
    Eager,
    /// `Deferred<1>`.
    Deferred1,
    /// `Deferred`, as it is by default.
    Deferred,
    /// `OldestFirst`.
    OldestFirst,
}

/// The range of a pool.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The first frame.
    pub start: usize,
    /// Frames.
    pub len: usize,
    /// Those that are allocated from the beginning.
    pub reserved: usize,
    /// Whether everything is given back at the end.
    pub tidy: bool,
}

impl Setup {
    /// The range it means.
    #[must_use]
    pub fn range(&self) -> Range {
        let len = 1 + usize::from(self.len)
            % match self.long {
                7 => MOST_FRAMES,
                n if n.is_multiple_of(4) => 300,
                _ => 100,
            };
        let start = match self.far % 4 {
            0 => usize::from(self.start) % 70,
            1 => usize::from(self.start),
            2 => 0x8_0000 + usize::from(self.start) % 1030,
            _ => usize::MAX - len - usize::from(self.start) % 1030, // the last frames there are
        };
        Range { start, len, reserved: usize::from(self.reserved).min(len), tidy: self.tidy }
    }
}

/// A frame: that of a block, or any.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub enum Target {
    /// The first frame of a block of the model, by rank.
    Block(u8),
    /// The block allocated last.
    Last,
    /// Any frame of the range, and one on either side.
    Any(u16),
}

/// Who makes a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Arbitrary)]
pub enum Via {
    /// By number.
    Pool,
    /// One of two owners.
    Owner(bool),
    /// A handle.
    Handle,
    /// One of two magazines, of 8 and of 64 blocks.
    Magazine(bool),
    /// A magazine of a CPU, of 8 blocks; of four CPUs there are two.
    PerCpu(u8),
}

/// When the blocks of a call are cleared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Arbitrary)]
pub enum When {
    /// Never: the call is made of the front-end itself.
    Plain,
    /// Never: by way of `Erasing`, which passes it on.
    Keep,
    /// When they are allocated.
    Zeroing,
    /// When they are free.
    Scrubbing,
}

impl When {
    /// The policy of an `Erasing`, if there is one.
    #[must_use]
    pub fn contents(self) -> Option<Contents> {
        match self {
            Self::Plain => None,
            Self::Keep => Option::Some(Contents::Keep),
            Self::Zeroing => Option::Some(Contents::ZeroOnAlloc),
            Self::Scrubbing => Option::Some(Contents::ScrubOnPut),
        }
    }
}

/// A call.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub enum Op {
    /// Allocates a block.
    Alloc(Via, When, u8),
    /// Gets a reference; several if there is a way to.
    Get(Via, Target, Some),
    /// Puts a reference.
    Put(Via, When, Target, Some),
    /// Puts all references in the way that is right.
    Free(Target),
    /// Puts a reference into a magazine, to a block that is of this order, or is not.
    PutPageOf(When, Target, u8),
    /// Splits a block, by number or by handle.
    Split(Target),
    /// Splits a block of an owner.
    OwnerSplit(bool, Target),
    /// Makes a block a handle's.
    Adopt(Target),
    /// Makes a handle's block one by number.
    IntoRaw(Target),
    /// Makes a block an owner's.
    OwnerAdopt(bool, Target),
    /// Makes an owner's block one by number.
    Release(bool, Target),
    /// Allocates one after the other.
    AllocMany(Via, When, u8, u8),
    /// Puts a reference to each block from this rank on, so many: a magazine overflows.
    PutMany(Via, When, u8, u8),
    /// Allocates many at once: by number, or one of two owners.
    AllocBulk(Option<bool>, When, u8, u8),
    /// Puts those from this rank on, so many, by number or one of two owners its own; one of them may be any frame.
    PutBulk(Option<bool>, When, u8, u8, Option<(u8, u16)>),
    /// Coalesces.
    Coalesce,
    /// Counts free blocks.
    FreeBlocks,
    /// Empties a magazine.
    Drain(bool),
    /// Empties a CPU's magazine, or all.
    DrainCpu(u8),
    /// Replaces a magazine by a new one.
    NewMagazine(bool),
    /// Replaces an owner by a new one. What it has is lost.
    NewOwner(bool),
    /// Initialises what is initialised; makes a second pool over the same table.
    MakeAgain,
}

/// A number of references.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub enum Some {
    /// One.
    One,
    /// Few, or none.
    Few(u8),
    /// Many, from the most downwards.
    Many(u8),
    /// All there can be in the argument.
    Max,
}

impl Some {
    /// The number.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Few(n) => u32::from(n % 4),
            Self::Many(n) => hyp_pool::MAX_COUNT - u32::from(n),
            Self::Max => u32::MAX,
        }
    }
}
