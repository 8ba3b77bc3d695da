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

use crate::axes::{Axis, Lock, Set, Strategy, UnknownName, Workload};
use crate::record::Scenario;

/// Core counts in a request, at the most.
pub const MAX_CORE_COUNTS: usize = 16;

/// Numbers of cores.
pub type CoreCounts = Vec<u16, MAX_CORE_COUNTS>;

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

    fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Full => "full",
            Self::Smoke => "smoke",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Quick => "which lock, and what the strategies differ in, on one core and on all: a minute",
            Self::Full => "every lock, strategy, workload and power of two of cores: minutes for each number of cores",
            Self::Smoke => "a little of everything, to see that it works; its figures mean little",
        }
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
    /// This long a measurement, in microseconds, instead.
    pub measure_us: Option<u32>,
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
    /// Neither a preset nor `key=value` with a key that there is.
    Word(&'a str),
}

impl fmt::Display for BadRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(unknown) => unknown.fmt(f),
            Self::Number(word) => write!(f, "\"{word}\" is no number from 1, or there are too many"),
            Self::Word(word) => {
                write!(f, "\"{word}\" is none of: locks=… strategies=… workloads=… cores=… measure-us=… repeats=…")
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

impl Request {
    /// A preset as it is.
    #[must_use]
    pub const fn new(preset: Preset) -> Self {
        Self { preset, locks: None, strategies: None, workloads: None, cores: None, measure_us: None, repeats: None }
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
                        cores.push(number(word)?).map_err(|_| BadRequest::Number(numbers))?;
                    }
                    request.cores = Some(cores);
                }
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
            Preset::Quick => (Times { warmup_us: 10_000, measure_us: 80_000, sample_us: 30_000 }, 5),
            Preset::Full => (Times { warmup_us: 10_000, measure_us: 80_000, sample_us: 30_000 }, 5),
            Preset::Smoke => (Times { warmup_us: 1_000, measure_us: 4_000, sample_us: 4_000 }, 2),
        };
        let measure_us = self.measure_us.unwrap_or(times.measure_us);
        Plan {
            matrices: self.matrices(),
            cores: self.cores.clone().unwrap_or_else(|| self.core_counts(available)),
            times: Times { measure_us, ..times },
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
                let (broken, locks) = Lock::ALL.split_last().expect("there are locks");
                debug_assert_eq!(*broken, Lock::Broken);
                add(locks, Strategy::ALL, Workload::ALL);
            }
            Preset::Smoke => {
                add(&[Ticket, Mcs, Queued], &[Merged], Workload::ALL);
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
        for (i, cores) in self.cores.iter().flatten().enumerate() {
            write!(f, "{}{cores}", if i == 0 { " cores=" } else { "," })?;
        }
        if let Some(measure) = self.measure_us {
            write!(f, " measure-us={measure}")?;
        }
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
    /// How long each pass lasts.
    pub times: Times,
    /// How often each cell runs.
    pub repeats: u32,
}

impl Plan {
    /// Every cell once, in an order that puts those that will be compared next to each other: locks and strategies
    /// vary fastest.
    pub fn cells(&self) -> impl Iterator<Item = Scenario> {
        self.cores
            .iter()
            .flat_map(move |&cores| {
                Workload::ALL.iter().flat_map(move |&workload| {
                    Strategy::ALL.iter().flat_map(move |&strategy| {
                        Lock::ALL.iter().map(move |&lock| Scenario { lock, strategy, workload, cores })
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
            ("quick hurry", "\"hurry\" is none of"),
            ("quick colour=red", "\"colour=red\" is none of"),
        ] {
            let error = Request::parse(line).unwrap_err().to_string();
            assert!(error.starts_with(says), "{line}: {error}");
        }
        assert!(Request::parse("quick cores=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1").is_err());
    }
}
