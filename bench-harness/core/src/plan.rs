//! What is to be measured, in which order and for how long.
//!
//! ```text
//!  "quick locks=ticket,mcs cores=1,4"  ──parse──►  Request  ──plan(cores of the machine)──►  Plan ──► cells
//!   what a user, or a host, asks for                                     repeats × cells, interleaved
//! ```
//!
//! A request is a line of words, since that is what a bare-metal image can be told: its kernel command line.

use core::fmt;

use heapless::Vec;

use crate::axes::{Axis, Lock, Mix, Set, Strategy, UnknownName, Workload};
use crate::own::Known;
use crate::record::Scenario;

/// Core counts in a request, at the most.
pub const MAX_CORE_COUNTS: usize = 16;

/// Numbers of cores.
pub type CoreCounts = Vec<u16, MAX_CORE_COUNTS>;

/// Stands for all cores that a machine has, in a list of numbers.
pub const ALL_CORES: u16 = 0;

/// Lengths in a request, at the most.
pub const MAX_LENGTHS: usize = 8;

/// Lengths of a hold or a think, in nanoseconds.
pub type Lengths = Vec<u32, MAX_LENGTHS>;

/// The longest hold or think: a second.
pub const LONGEST_NS: u32 = 1_000_000_000;

/// A named set of cells, with times to suit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    /// Which lock, and what the strategies differ in, on one core and on all.
    Quick,
    /// Everything.
    Full,
    /// A little of everything, to see that it works: no figure of it means much.
    Smoke,
}

impl Axis for Preset {
    const WHAT: &'static str = "preset";
    const ALL: &'static [Self] = &[Self::Quick, Self::Full, Self::Smoke];

    fn known(self) -> Option<Known> {
        let (name, about) = match self {
            Self::Quick => ("quick", "which lock, and what the strategies differ in, on one core and on all: a minute"),
            Self::Full => {
                ("full", "every lock, strategy, workload and power of two of cores: minutes for each number of cores")
            }
            Self::Smoke => ("smoke", "a little of everything, to see that it works; its figures mean little"),
        };
        Some(Known { name, about, fair: false })
    }
}

/// How long a pass lasts, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    /// Before each measurement.
    pub warmup_us: u32,
    /// The measurement.
    pub measure_us: u32,
    /// The same with instruments on the lock.
    pub sample_us: u32,
}

/// A product of axes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matrix {
    /// The locks.
    pub locks: Set<Lock>,
    /// The strategies.
    pub strategies: Set<Strategy>,
    /// The workloads.
    pub workloads: Set<Workload>,
}

impl Matrix {
    fn contains(&self, cell: &Scenario) -> bool {
        self.locks.contains(cell.lock)
            && self.strategies.contains(cell.strategy)
            && self.workloads.contains(cell.workload)
    }
}

/// What somebody asks for: a preset, and what is to differ from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Where to start from.
    pub preset: Preset,
    /// These locks instead.
    pub locks: Option<Set<Lock>>,
    /// These strategies instead.
    pub strategies: Option<Set<Strategy>>,
    /// These workloads instead.
    pub workloads: Option<Set<Workload>>,
    /// These numbers of cores instead.
    pub cores: Option<CoreCounts>,
    /// These mixes of orders instead of the usual one.
    pub mixes: Option<Set<Mix>>,
    /// These holds, in nanoseconds, instead of none.
    pub hold_ns: Option<Lengths>,
    /// These thinks, in nanoseconds, instead of none.
    pub think_ns: Option<Lengths>,
    /// This long a warm-up, in microseconds, instead.
    pub warmup_us: Option<u32>,
    /// This long a measurement, in microseconds, instead.
    pub measure_us: Option<u32>,
    /// This long a measurement with instruments, in microseconds, instead.
    pub sample_us: Option<u32>,
    /// So often instead.
    pub repeats: Option<u32>,
}

/// A word of a request that cannot be understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadRequest<'a> {
    /// A name that there is not.
    Unknown(UnknownName<'a>),
    /// Not a number from 1, or too many of them.
    Number(&'a str),
    /// Not a number of nanoseconds up to [`LONGEST_NS`], or too many of them.
    Length(&'a str),
    /// Neither a preset nor `key=value` with a key that there is.
    Word(&'a str),
}

impl fmt::Display for BadRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(unknown) => unknown.fmt(f),
            Self::Number(word) => write!(f, "\"{word}\" is no number from 1, or there are too many"),
            Self::Length(word) => write!(f, "\"{word}\" is no number of ns up to {LONGEST_NS}, or there are too many"),
            Self::Word(word) => {
                let keys = "locks=… strategies=… workloads=… cores=… mixes=… hold-ns=… think-ns=… warmup-us=… measure-us=… sample-us=… repeats=…";
                write!(f, "\"{word}\" is none of: {keys}")
            }
        }
    }
}

impl<'a> From<UnknownName<'a>> for BadRequest<'a> {
    fn from(unknown: UnknownName<'a>) -> Self {
        Self::Unknown(unknown)
    }
}

fn number<T: core::str::FromStr + PartialOrd + From<u8>>(word: &str) -> Result<T, BadRequest<'_>> {
    word.parse().ok().filter(|number| *number >= T::from(1)).ok_or(BadRequest::Number(word))
}

/// Numbers of nanoseconds, with commas between them.
fn lengths(numbers: &str) -> Result<Lengths, BadRequest<'_>> {
    let mut lengths = Lengths::new();
    for word in numbers.split(',') {
        let length = word.parse().ok().filter(|length| *length <= LONGEST_NS).ok_or(BadRequest::Length(word))?;
        lengths.push(length).map_err(|_| BadRequest::Length(numbers))?;
    }
    Ok(lengths)
}

impl Request {
    /// A preset as it is.
    #[must_use]
    pub const fn new(preset: Preset) -> Self {
        Self {
            preset,
            locks: None,
            strategies: None,
            workloads: None,
            cores: None,
            mixes: None,
            hold_ns: None,
            think_ns: None,
            warmup_us: None,
            measure_us: None,
            sample_us: None,
            repeats: None,
        }
    }

    /// Understands `PRESET [KEY=VALUE]…`, as `Display` writes it.
    ///
    /// # Errors
    ///
    /// [`BadRequest`], with the first word that is wrong.
    pub fn parse(line: &str) -> Result<Self, BadRequest<'_>> {
        let mut words = line.split_ascii_whitespace();
        let mut request = Self::new(Preset::named(words.next().unwrap_or(""))?);
        for word in words {
            match word.split_once('=').ok_or(BadRequest::Word(word))? {
                ("locks", names) => request.locks = Some(Set::parse(names)?),
                ("strategies", names) => request.strategies = Some(Set::parse(names)?),
                ("workloads", names) => request.workloads = Some(Set::parse(names)?),
                ("cores", numbers) => {
                    let mut cores = CoreCounts::new();
                    for word in numbers.split(',') {
                        let number = if word == "all" { ALL_CORES } else { number(word)? };
                        cores.push(number).map_err(|_| BadRequest::Number(numbers))?;
                    }
                    request.cores = Some(cores);
                }
                ("mixes", names) => request.mixes = Some(Set::parse(names)?),
                ("hold-ns", numbers) => request.hold_ns = Some(lengths(numbers)?),
                ("think-ns", numbers) => request.think_ns = Some(lengths(numbers)?),
                ("warmup-us", word) => request.warmup_us = Some(number(word)?),
                ("sample-us", word) => request.sample_us = Some(number(word)?),
                ("measure-us", word) => request.measure_us = Some(number(word)?),
                ("repeats", word) => request.repeats = Some(number(word)?),
                _ => return Err(BadRequest::Word(word)),
            }
        }
        Ok(request)
    }

    /// The plan for a machine of `available` cores.
    #[must_use]
    pub fn plan(&self, available: usize) -> Plan {
        let (times, repeats) = match self.preset {
            Preset::Quick => (Times { warmup_us: 5_000, measure_us: 40_000, sample_us: 15_000 }, 10),
            Preset::Full => (Times { warmup_us: 10_000, measure_us: 80_000, sample_us: 30_000 }, 10),
            Preset::Smoke => (Times { warmup_us: 1_000, measure_us: 4_000, sample_us: 4_000 }, 2),
        };
        let none = || Lengths::from_array([0]);
        Plan {
            matrices: self.matrices(),
            cores: self
                .cores
                .as_ref()
                .map_or_else(|| self.core_counts(available), |cores| numbers_of(cores, available)),
            mixes: self.mixes.unwrap_or(Set::of(&[Mix::Usual])),
            hold_ns: self.hold_ns.clone().unwrap_or_else(none),
            think_ns: self.think_ns.clone().unwrap_or_else(none),
            times: Times {
                warmup_us: self.warmup_us.unwrap_or(times.warmup_us),
                measure_us: self.measure_us.unwrap_or(times.measure_us),
                sample_us: self.sample_us.unwrap_or(times.sample_us),
            },
            repeats: self.repeats.unwrap_or(repeats),
        }
    }

    /// As soon as one axis is asked for, the request is a product of axes: those not asked for are the preset's.
    fn matrices(&self) -> Vec<Matrix, 3> {
        use Lock::{Mcs, ParkingLot, Queued, SpinTicket, SpinningTop, Ticket};
        use Strategy::{Atomic, Merged, MergedRef, Split};
        use Workload::{Mixed, Pair, RefPage, Stage2Rand};

        let mut matrices = Vec::new();
        let mut add = |locks: &[Lock], strategies: &[Strategy], workloads: &[Workload]| {
            let matrix =
                Matrix { locks: Set::of(locks), strategies: Set::of(strategies), workloads: Set::of(workloads) };
            matrices.push(matrix).expect("no preset has more than three");
        };
        match self.preset {
            Preset::Quick => {
                // Which lock for the merged critical section ...
                add(&[Ticket, Mcs, Queued, SpinTicket, SpinningTop, ParkingLot], &[Merged], &[Pair, Mixed]);
                // ... and which critical section.
                add(&[Ticket], &[Split, MergedRef, Merged, Atomic], &[Pair, RefPage, Stage2Rand]);
            }
            Preset::Full => {
                let controls = [Lock::Unfair, Lock::Delayed, Lock::Broken];
                let all: Vec<Lock, 32> = Lock::all().filter(|lock| !controls.contains(lock)).collect();
                let workloads: Vec<Workload, 32> = Workload::all().collect();
                add(&all, Strategy::ALL, &workloads);
            }
            Preset::Smoke => {
                let workloads: Vec<Workload, 32> = Workload::all().collect();
                add(&[Ticket, Mcs, Queued], &[Merged], &workloads);
                add(&[Ticket], Strategy::ALL, &[Pair, RefPage, Stage2Rand]);
            }
        }
        if self.locks.is_some() || self.strategies.is_some() || self.workloads.is_some() {
            let Matrix { locks, strategies, workloads } = matrices.swap_remove(0);
            matrices.clear();
            let matrix = Matrix {
                locks: self.locks.unwrap_or(locks),
                strategies: self.strategies.unwrap_or(strategies),
                workloads: self.workloads.unwrap_or(workloads),
            };
            matrices.push(matrix).expect("it was emptied");
        }
        matrices
    }

    /// One core and all of them; for everything, the powers of two between as well.
    fn core_counts(&self, available: usize) -> CoreCounts {
        let available = u16::try_from(available).unwrap_or(u16::MAX);
        let mut counts = CoreCounts::new();
        let powers = (0..10).map(|power| 1 << power).take_while(|&cores| cores < available);
        let below: Vec<u16, MAX_CORE_COUNTS> = powers.collect();
        let below = if self.preset == Preset::Full { &below[..] } else { &below[..below.len().min(1)] };
        counts.extend(below.iter().copied());
        counts.push(available.max(1)).expect("ten and one fit");
        counts
    }
}

/// A number of cores, as it is typed.
enum Cores {
    All,
    Number(u16),
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// What was asked for, on a machine of `available` cores: each number once, the smallest first.
fn numbers_of(asked: &CoreCounts, available: usize) -> CoreCounts {
    let all = u16::try_from(available).unwrap_or(u16::MAX).max(1);
    let mut counts: CoreCounts = asked.iter().map(|&cores| if cores == ALL_CORES { all } else { cores }).collect();
    counts.sort_unstable();
    let mut once = CoreCounts::new();
    once.extend(counts.iter().enumerate().filter(|&(i, cores)| i == 0 || counts[i - 1] != *cores).map(|(_, c)| *c));
    once
}

/// ` key=1,2`, or nothing if there is no number.
fn numbers<N: fmt::Display>(f: &mut fmt::Formatter<'_>, key: &str, numbers: impl Iterator<Item = N>) -> fmt::Result {
    for (i, number) in numbers.enumerate() {
        match i {
            0 => write!(f, " {key}={number}")?,
            _ => write!(f, ",{number}")?,
        }
    }
    Ok(())
}

/// As [`Request::parse`] understands it.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.preset.name())?;
        if let Some(locks) = self.locks {
            write!(f, " locks={locks}")?;
        }
        if let Some(strategies) = self.strategies {
            write!(f, " strategies={strategies}")?;
        }
        if let Some(workloads) = self.workloads {
            write!(f, " workloads={workloads}")?;
        }
        let name = |&cores: &u16| if cores == ALL_CORES { Cores::All } else { Cores::Number(cores) };
        numbers(f, "cores", self.cores.iter().flatten().map(name))?;
        if let Some(mixes) = self.mixes {
            write!(f, " mixes={mixes}")?;
        }
        numbers(f, "hold-ns", self.hold_ns.iter().flatten())?;
        numbers(f, "think-ns", self.think_ns.iter().flatten())?;
        numbers(f, "warmup-us", self.warmup_us.iter())?;
        numbers(f, "measure-us", self.measure_us.iter())?;
        numbers(f, "sample-us", self.sample_us.iter())?;
        if let Some(repeats) = self.repeats {
            write!(f, " repeats={repeats}")?;
        }
        Ok(())
    }
}

/// Cells, times and repeats.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    matrices: Vec<Matrix, 3>,
    cores: CoreCounts,
    mixes: Set<Mix>,
    hold_ns: Lengths,
    think_ns: Lengths,
    /// How long each pass lasts.
    pub times: Times,
    /// How often each cell runs.
    pub repeats: u32,
}

impl Plan {
    /// Every cell once, in an order that puts those that will be compared next to each other: locks and strategies
    /// vary fastest.
    pub fn cells(&self) -> impl Iterator<Item = Scenario> {
        let named =
            move || Strategy::ALL.iter().flat_map(|&strategy| Lock::ALL.iter().map(move |&lock| (strategy, lock)));
        let added = move || {
            self.mixes.iter().flat_map(move |mix| {
                self.hold_ns.iter().flat_map(move |&hold| self.think_ns.iter().map(move |&think| (mix, hold, think)))
            })
        };
        self.cores
            .iter()
            .flat_map(move |&cores| Workload::ALL.iter().map(move |&workload| (cores, workload)))
            .flat_map(move |(cores, workload)| {
                added().flat_map(move |(mix, hold_ns, think_ns)| {
                    named().map(move |(strategy, lock)| Scenario {
                        mix,
                        hold_ns,
                        think_ns,
                        ..Scenario::new(lock, strategy, workload, cores)
                    })
                })
            })
            .filter(|cell| self.matrices.iter().any(|matrix| matrix.contains(cell)))
    }

    /// Every pass, the repeats outermost: what drifts, drifts for all cells alike.
    pub fn passes(&self) -> impl Iterator<Item = (u32, Scenario)> {
        (0..self.repeats).flat_map(move |repeat| self.cells().map(move |cell| (repeat, cell)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn the_default_preset_keeps_its_promise() {
        for available in [1, 2, 16] {
            let plan = Request::new(Preset::Quick).plan(available);
            let cells = plan.cells().count();
            assert!(cells <= 48, "{cells} cells");
            assert!(plan.times.measure_us * plan.repeats >= 200_000);
            let us = plan.times.measure_us + plan.times.sample_us + 2 * plan.times.warmup_us;
            assert!(cells as u32 * plan.repeats * us < 45_000_000, "no room for the rest of the minute");
        }
    }

    #[test]
    fn cells_are_the_ones_asked_for_each_once() {
        let request = Request::parse("quick locks=broken strategies=atomic,split workloads=pair cores=2,4").unwrap();
        let plan = request.plan(8);
        let cells: std::vec::Vec<_> = plan.cells().collect();
        assert_eq!(cells.len(), 4);
        assert!(cells.iter().all(|cell| cell.lock == Lock::Broken && cell.workload == Workload::Pair));
        for preset in Preset::ALL {
            let plan = Request::new(*preset).plan(4);
            let mut cells: std::vec::Vec<_> = plan.cells().collect();
            let all = cells.len();
            cells.sort();
            cells.dedup();
            assert_eq!(cells.len(), all, "{preset:?}");
            assert_eq!(plan.passes().count(), all * plan.repeats as usize);
        }
    }

    #[test]
    fn all_cores_are_those_of_the_machine_each_number_once() {
        let cores = |available| Request::parse("quick cores=all,4,1").unwrap().plan(available).cores;
        assert_eq!(cores(8), [1, 4, 8]);
        assert_eq!(cores(4), [1, 4]);
        assert_eq!(cores(2), [1, 2, 4], "what there is not will be refused");
        assert_eq!(Request::parse("quick cores=1,all").unwrap().to_string(), "quick cores=1,all");
    }

    #[test]
    fn holds_and_thinks_are_a_product() {
        let request =
            Request::parse("quick locks=mcs strategies=merged workloads=pair cores=1 hold-ns=0,5 think-ns=1,2,3");
        let plan = request.unwrap().plan(1);
        let lengths: std::vec::Vec<_> = plan.cells().map(|cell| (cell.hold_ns, cell.think_ns)).collect();
        assert_eq!(lengths, [(0, 1), (0, 2), (0, 3), (5, 1), (5, 2), (5, 3)]);
    }

    #[test]
    fn cores_of_a_machine_are_used() {
        let counts = |preset, available| Request::new(preset).plan(available).cores;
        assert_eq!(counts(Preset::Quick, 1), [1]);
        assert_eq!(counts(Preset::Quick, 16), [1, 16]);
        assert_eq!(counts(Preset::Full, 12), [1, 2, 4, 8, 12]);
        assert_eq!(counts(Preset::Full, 1024), [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]);
    }

    #[test]
    fn a_request_prints_what_it_parses() {
        for line in [
            "quick",
            "full repeats=1",
            "smoke locks=ticket,mcs strategies=split workloads=s2-rand cores=1,4 measure-us=7 repeats=3",
            "quick cores=2 mixes=pages,huge hold-ns=0,200 think-ns=1000 warmup-us=1 measure-us=2 sample-us=3",
        ] {
            assert_eq!(Request::parse(line).unwrap().to_string(), line);
        }
    }

    #[test]
    fn nonsense_is_refused_with_the_word() {
        for (line, says) in [
            ("", "there is no preset \"\""),
            ("slow", "there is no preset \"slow\""),
            ("quick locks=bolt", "there is no lock \"bolt\""),
            ("quick cores=0", "\"0\" is no number"),
            ("quick cores=1,x", "\"x\" is no number"),
            ("quick repeats=", "\"\" is no number"),
            ("quick hold-ns=-1", "\"-1\" is no number of ns"),
            ("quick think-ns=2000000000", "\"2000000000\" is no number of ns up to 1000000000"),
            ("quick mixes=odd", "there is no mix \"odd\""),
            ("quick hurry", "\"hurry\" is none of"),
            ("quick colour=red", "\"colour=red\" is none of"),
        ] {
            let error = Request::parse(line).unwrap_err().to_string();
            assert!(error.starts_with(says), "{line}: {error}");
        }
        assert!(Request::parse("quick cores=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1").is_err());
    }
}
