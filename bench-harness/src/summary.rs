//! What the passes of a run say: one [`CellSummary`] for each scenario, over its repeats.
//!
//! 1. Speeds, shares and overlap come from passes without instruments, waiting and holding from those with them.
//! 2. Of a scenario with a pass that was wrong there are no figures at all: it is in [`Run::void`].
//! 3. A figure is the median of the repeats, with its interval ([`statistics`](crate::statistics)); two are told apart only if
//!    their intervals do not overlap.

use bench_core::{Clock, Scenario, Transfer, Wrong};
use hdrhistogram::Histogram;

pub use crate::collect::Collector;
use crate::details::Details;
use crate::record::{End, Header, Refused};
pub use crate::statistics::Spread;

/// Of times of the lock, in nanoseconds, over all cores and repeats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Percentiles {
    /// How many times there were.
    pub count: u64,
    /// Half of them were no longer than this.
    pub p50: u64,
    /// 99 of 100.
    pub p99: u64,
    /// 999 of 1000.
    pub p999: u64,
    /// The longest, exactly.
    pub max: u64,
}

/// What is known of a scenario.
#[derive(Clone, Debug)]
pub struct CellSummary {
    /// What ran.
    pub scenario: Scenario,
    /// How many passes without instruments the figures are of.
    pub repeats: usize,
    /// Nanoseconds an operation of each of them, in the order of the repeats.
    pub each: Vec<f64>,
    /// Operations a second, of all cores together.
    pub ops_per_s: Spread,
    /// Nanoseconds an operation, as one core sees it: time of all cores by operations of all cores.
    pub ns_per_op: Spread,
    /// Which part of the operations each core did, the most first, in the repeat of median fairness; sums to 1.
    pub shares: Vec<f64>,
    /// Jain's index of the operations of the cores: 1 if all did as many, 1/cores if one did all (Jain, Chiu, Hawe:
    /// A quantitative measure of fairness, DEC TR-301, 1984).
    pub jain: Spread,
    /// Overlap of the measured windows, which does not see a worker off its core in the middle: (earliest stop − latest start) / (latest stop − earliest start).
    pub concurrency: Spread,
    /// From the call to the acquisition.
    pub wait: Option<Percentiles>,
    /// From the acquisition to the release.
    pub hold: Option<Percentiles>,
    /// From a release to the acquisition by one who waited for it.
    pub handover: Option<Percentiles>,
    /// All waits, in nanoseconds, for plots of their distribution.
    pub waits: Option<Histogram<u64>>,
    /// What the instruments cost: `ns_per_op` with them by `ns_per_op` without.
    pub overhead: Option<f64>,
    /// What else is known of it.
    pub details: Details,
}

impl CellSummary {
    /// The smallest of the shares.
    #[must_use]
    pub fn share_min(&self) -> f64 {
        self.shares.last().copied().unwrap_or(1.0)
    }

    /// The largest of the shares.
    #[must_use]
    pub fn share_max(&self) -> f64 {
        self.shares.first().copied().unwrap_or(1.0)
    }
}

/// A scenario without figures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VoidCell {
    /// What ran.
    pub scenario: Scenario,
    /// In which repeat it went wrong first.
    pub repeat: u32,
    /// What was wrong; `None` if nothing was, but no operation was completed.
    pub wrong: Option<Wrong>,
}

impl VoidCell {
    /// Why there are no figures, in a clause.
    #[must_use]
    pub fn about(&self) -> &'static str {
        self.wrong.map_or("no operation was completed in the time", Wrong::about)
    }
}

/// A run, whole or not.
#[derive(Clone, Debug)]
pub struct Run {
    /// What ran where, from which source.
    pub header: Header,
    /// What a reading of the clock takes there.
    pub clock: Option<Clock>,
    /// What a line takes from core to core, for every two cores.
    pub transfers: Vec<Transfer>,
    /// What was measured, in the order in which it was measured first.
    pub cells: Vec<CellSummary>,
    /// What was measured, and means nothing.
    pub void: Vec<VoidCell>,
    /// What was asked for, and cannot run there.
    pub refused: Vec<Refused>,
    /// How it ended; `None` if the records end without saying so.
    pub end: Option<End>,
}

impl Run {
    /// Whether everything that was planned was measured.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.complete)
    }
}
