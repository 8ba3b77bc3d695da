//! What is done to the pages. An operation is what the third column says; times are per operation, as one thread sees
//! it: with two threads, the time from the first start to the last end, by the operations of one.
//!
//! | name | what | operation | threads |
//! |---|---|---|---|
//! | `W1` | allocate a page of a whole pool and give it back: a buddy splits and merges all the way | pair | 1 |
//! | `W1f` | as `W1`, with every other page held: nothing to split or to merge | pair | 1 |
//! | `W2` | one of 1024 slots at random: give back what is there, or else allocate, orders 0 to 3 | either | 1 |
//! | `mixed` | the original's: one of 1024 blocks at random given back *and* another allocated, orders 0 to 3 | both | 1 |
//! | `W3l`, `W3f`, `W3r` | allocate all pages, give them back last first, first first, in random order | either | 1 |
//! | `W4` | as `W1` | pair | 2 |
//! | `W5` | as `W2`, 512 slots each | either | 2 |
//! | `W5z` | as `W5`, each block all zero when it is free | either | 2 |
//! | `W6` | get and put of an allocated page | both | 1 |
//! | `W7` | as `W6`, two pages 71 apart | both | 2 |
//! | `W7b` | as `W6`, two neighbours: their words are neighbours, too | both | 2 |
//! | `W8` | as `W6`, the same page | both | 2 |
//! | `W9` | one thread allocates pages and passes them on, the other one gives them back | page | 2 |
//! | `s2_seq` | stage-2 tables: 512 MiB mapped in order, then unmapped in order | either | 1 |
//! | `s2_rand` | a random page of 1 GiB mapped, or unmapped if it was | either | 1 |
//! | `s2_sparse` | the oldest of 4096 random pages of 64 GiB unmapped, another one mapped | both | 1 |
//! | `s2_rand2` | as `s2_rand`, each thread with tables of its own, pages from one pool | either | 2 |
//!
//! `W6` to `W8` and the storms count references: only those who do take part.

mod blocks;
mod counts;
mod fill;
mod pairs;
mod pass_on;
mod stage2;

pub use blocks::{Blocks, Mixed};
pub use counts::{Apart, GetPut};
pub use fill::{FEW, Fill, Way};
pub use pairs::{Pairs, PairsHeld};
pub use pass_on::PassOn;
pub use stage2::{Random, Sequential, Sparse, Stage2};

use std::sync::atomic::{AtomicBool, AtomicUsize};

use crate::subject::{Pages, Refused};
use pass_on::Ring;

/// Which workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the table of the module says what each is")]
pub enum Workload {
    W1,
    W1f,
    W2,
    Mixed,
    W3l,
    W3f,
    W3r,
    W4,
    W5,
    W5z,
    W9,
    W6,
    W7,
    W7b,
    W8,
    S2Seq,
    S2Rand,
    S2Sparse,
    S2Rand2,
}

/// Name, number of threads, whether references are counted, and a line about it.
type Facts = (&'static str, usize, bool, &'static str);

impl Workload {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 19] = {
        use Workload::{
            Mixed, S2Rand, S2Rand2, S2Seq, S2Sparse, W1, W1f, W2, W3f, W3l, W3r, W4, W5, W5z, W6, W7, W7b, W8, W9,
        };
        [W1, W1f, W2, Mixed, W3l, W3f, W3r, W4, W5, W5z, W9, W6, W7, W7b, W8, S2Seq, S2Rand, S2Sparse, S2Rand2]
    };

    const fn facts(self) -> Facts {
        match self {
            Self::W1 => ("W1", 1, false, "pair on a whole pool"),
            Self::W1f => ("W1f", 1, false, "pair, every other page held"),
            Self::W2 => ("W2", 1, false, "orders 0-3, 1024 slots"),
            Self::Mixed => ("mixed", 1, false, "put and alloc, orders 0-3, 1024 live"),
            Self::W3l => ("W3l", 1, false, "fill and empty, last first"),
            Self::W3f => ("W3f", 1, false, "fill and empty, first first"),
            Self::W3r => ("W3r", 1, false, "fill and empty, random"),
            Self::W4 => ("W4", 2, false, "pairs, two cores"),
            Self::W5 => ("W5", 2, false, "orders 0-3, two cores"),
            Self::W5z => ("W5z", 2, false, "as W5, free blocks are zero"),
            Self::W9 => ("W9", 2, false, "one allocates, the other one frees"),
            Self::W6 => ("W6", 1, true, "get and put"),
            Self::W7 => ("W7", 2, true, "get and put, pages 71 apart"),
            Self::W7b => ("W7b", 2, true, "get and put, neighbours"),
            Self::W8 => ("W8", 2, true, "get and put, same page"),
            Self::S2Seq => ("s2_seq", 1, true, "stage 2, 512 MiB in order"),
            Self::S2Rand => ("s2_rand", 1, true, "stage 2, 1 GiB at random"),
            Self::S2Sparse => ("s2_sparse", 1, true, "stage 2, 4096 pages of 64 GiB"),
            Self::S2Rand2 => ("s2_rand2", 2, true, "as s2_rand, own tables, two cores"),
        }
    }

    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// How many threads it takes.
    #[must_use]
    pub fn threads(self) -> usize {
        self.facts().1
    }

    /// Whether it counts references.
    #[must_use]
    pub fn counts(self) -> bool {
        self.facts().2
    }

    /// A line about it.
    #[must_use]
    pub fn about(self) -> &'static str {
        self.facts().3
    }

    /// Whether it takes blocks of more than one page.
    #[must_use]
    pub fn orders(self) -> bool {
        matches!(self, Self::W2 | Self::Mixed | Self::W5 | Self::W5z)
    }

    /// Whether pages are page tables, which are zero when they are new.
    #[must_use]
    pub fn tables(self) -> bool {
        matches!(self, Self::S2Seq | Self::S2Rand | Self::S2Sparse | Self::S2Rand2)
    }
}

/// What the threads of one measurement share besides the subject.
#[derive(Debug, Default)]
pub struct Shared {
    /// Pages that the first thread got for all: their numbers, 0 before.
    pages: [AtomicUsize; 2],
    ring: Ring,
    /// Somebody was refused something: do not wait for more.
    pub failed: AtomicBool,
}

/// Where a thread stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    /// Its number.
    pub thread: usize,
    /// Of how many.
    pub threads: usize,
    /// Pages that can be had one by one.
    pub capacity: usize,
    /// What it shares with the others.
    pub shared: &'p Shared,
}

/// What is timed at a stretch, a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Every operation is like every other one: as many as take a fraction of a millisecond.
    Steady,
    /// A pass has `chunks` of so many operations, which differ: an early one does other work than a late one.
    Passes {
        /// Chunks of a pass.
        chunks: usize,
        /// Operations of a chunk.
        ops: usize,
    },
}

/// What one thread does.
pub trait Work<'p, P: Pages>: Sized {
    /// Before the clock runs.
    fn begin(pages: &mut P, place: Place<'p>) -> Result<Self, Refused>;

    /// How it is cut.
    fn plan(&self) -> Plan {
        Plan::Steady
    }

    /// `ops` operations: this is timed.
    fn chunk(&mut self, pages: &mut P, ops: usize) -> Result<(), Refused>;

    /// After a pass, so that the next one is the same. Not timed.
    fn rewind(&mut self, _: &mut P) -> Result<(), Refused> {
        Ok(())
    }

    /// Gives everything back.
    fn end(self, pages: &mut P) -> Result<(), Refused>;
}
