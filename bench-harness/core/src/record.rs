//! What a measurement leaves: one [`Pass`] for each time that a scenario ran, the same from a host and from a board.
//!
//! Raw: ticks and counts. What they mean is worked out by whoever reads them, so that it can be worked out again.

use heapless::Vec;
use serde::{Deserialize, Serialize};

use crate::axes::{Lock, Strategy, Workload};
use crate::histogram::Histogram;
use crate::machine::MAX_CORES;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Scenario {
    /// The lock of the pool.
    pub lock: Lock,
    /// Where counts and lists are changed.
    pub strategy: Strategy,
    /// What every core does.
    pub workload: Workload,
    /// How many cores do it at once.
    pub cores: u16,
}

/// A scenario, once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pass {
    /// What ran.
    pub scenario: Scenario,
    /// The how-manieth time, from 0.
    pub repeat: u32,
    /// Ticks in a second, of all times here.
    pub hz: u64,
    /// What each core did.
    pub cores: Vec<CoreCount, MAX_CORES>,
    /// How the lock was waited for and held; `None` in a pass without instruments, whose speed is the one to quote.
    pub samples: Option<Samples>,
    /// What was wrong afterwards, if anything was: then no figure of this pass means anything.
    pub wrong: Option<Wrong>,
}

/// What one core did in the time measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CoreCount {
    /// Operations completed.
    pub ops: u64,
    /// When its measured time began, in ticks.
    pub start: u64,
    /// When it ended.
    pub stop: u64,
}

/// Times of the lock, over all cores, in ticks.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Samples {
    /// From the call to the acquisition.
    pub wait: Histogram,
    /// From the acquisition to the release.
    pub hold: Histogram,
    /// From one holder's release to the acquisition of one who waited for it.
    pub handover: Histogram,
}

/// Why a pass is void.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wrong {
    /// A worker panicked: an index out of bounds, an overflow, a debug assertion.
    Panicked,
    /// The pool refused a legal call: the block was free, or somebody else's, or there was no memory though there had
    /// to be.
    Refused,
    /// An invariant of the pool does not hold.
    Invariant,
    /// All was put back, and not everything is free.
    Leaked,
    /// Everything is free, but not in the blocks that it was in before.
    NotCoalesced,
}

impl Wrong {
    /// What it means, in a sentence.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Panicked => "a worker panicked",
            Self::Refused => "the pool refused a call that was legal",
            Self::Invariant => "an invariant of the pool does not hold",
            Self::Leaked => "pages were put back that are not free",
            Self::NotCoalesced => "all pages are free, but not in the blocks that they were in before",
        }
    }
}
