//! What a measurement leaves: one [`Pass`] for each time that a scenario ran, the same from a host and from a board.
//!
//! Raw: ticks and counts. What they mean is worked out by whoever reads them, so that it can be worked out again.

use core::fmt;

use heapless::Vec;
use serde::{Deserialize, Serialize};

use crate::axes::{Lock, Mix, Strategy, Workload};
use crate::burn::Burnt;
use crate::histogram::Histogram;
use crate::machine::MAX_CORES;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scenario {
    /// The lock of the pool.
    pub lock: Lock,
    /// Where counts and lists are changed.
    pub strategy: Strategy,
    /// What every core does.
    pub workload: Workload,
    /// How many cores do it at once.
    pub cores: u16,
    /// Which orders are allocated.
    #[serde(default)]
    pub mix: Mix,
    /// How much longer every section holds the lock, in nanoseconds, as asked for.
    #[serde(default)]
    pub hold_ns: u32,
    /// How long a core does something else after each operation, in nanoseconds, as asked for.
    #[serde(default)]
    pub think_ns: u32,
}

impl Scenario {
    /// One that adds nothing to the workload.
    #[must_use]
    pub const fn new(lock: Lock, strategy: Strategy, workload: Workload, cores: u16) -> Self {
        Self { lock, strategy, workload, cores, mix: Mix::Usual, hold_ns: 0, think_ns: 0 }
    }
}

/// A scenario, once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pass {
    /// What ran.
    pub scenario: Scenario,
    /// The how-manieth time, from 0.
    pub repeat: u32,
    /// Ticks in a second, of all times here.
    pub hz: u64,
    /// What each core did.
    #[cfg_attr(feature = "schema", schemars(with = "[CoreCount]"))]
    pub cores: Vec<CoreCount, MAX_CORES>,
    /// What the hold is; `None` if there is none.
    #[serde(default)]
    pub hold: Option<Burnt>,
    /// What the think is; `None` if there is none.
    #[serde(default)]
    pub think: Option<Burnt>,
    /// How the lock was waited for and held; `None` in a pass without instruments, whose speed is the one to quote.
    pub samples: Option<Samples>,
    /// What was wrong afterwards, if anything was: then no figure of this pass means anything.
    pub wrong: Option<Wrong>,
}

/// What a core does and with how much between: a scenario without its lock, strategy and number of cores. Figures are
/// compared within a task.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Task {
    /// What every core does.
    pub workload: Workload,
    /// Which orders are allocated.
    pub mix: Mix,
    /// How much longer every section holds the lock, in nanoseconds.
    pub hold_ns: u32,
    /// How long a core does something else after each operation, in nanoseconds.
    pub think_ns: u32,
}

/// `pair`, `mixed (huge)`, `section, hold 200 ns, think 1000 ns`.
impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.workload)?;
        if self.mix != Mix::Usual {
            write!(f, " ({})", self.mix)?;
        }
        for (what, ns) in [("hold", self.hold_ns), ("think", self.think_ns)] {
            if ns > 0 {
                write!(f, ", {what} {ns} ns")?;
            }
        }
        Ok(())
    }
}

impl Scenario {
    /// What a core does.
    #[must_use]
    pub const fn task(&self) -> Task {
        let Self { workload, mix, hold_ns, think_ns, .. } = *self;
        Task { workload, mix, hold_ns, think_ns }
    }
}

impl Pass {
    /// One in which nothing happened.
    #[must_use]
    pub fn of(scenario: Scenario, repeat: u32) -> Self {
        Self { scenario, repeat, hz: 1, cores: Vec::new(), hold: None, think: None, samples: None, wrong: None }
    }
}

/// What one core did in the time measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CoreCount {
    /// Operations completed.
    pub ops: u64,
    /// When its measured time began, in ticks.
    pub start: u64,
    /// When it ended.
    pub stop: u64,
    /// The longest time between two looks at the clock, about a microsecond of operations apart: no operation of this core
    /// took longer, whether it was starved or off its core.
    #[serde(default)]
    pub gap: u64,
}

/// Times of the lock, over all cores, in ticks.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Samples {
    /// From the call to the acquisition.
    pub wait: Histogram,
    /// From the acquisition to the release.
    pub hold: Histogram,
    /// From one holder's release to the acquisition of one who waited for it.
    pub handover: Histogram,
    /// The longest from a call to its release: under a lock that masks interrupts, the longest time that they were masked.
    #[serde(default)]
    pub longest: u64,
    /// All waits together: by all cores' time, how many cores waited on average (Little's law).
    #[serde(default)]
    pub waited: u64,
}

/// Why a pass is void.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Wrong {
    /// A worker panicked: an index out of bounds, an overflow, a debug assertion.
    Panicked,
    /// The pool refused a legal call: the block was free, or somebody else's, or there was no memory though there had
    /// to be.
    Refused,
    /// An invariant of the pool does not hold.
    Invariant,
    /// Updates under the lock were lost.
    Lost,
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
            Self::Lost => "updates under the lock were lost",
            Self::Leaked => "pages were put back that are not free",
            Self::NotCoalesced => "all pages are free, but not in the blocks that they were in before",
        }
    }
}
