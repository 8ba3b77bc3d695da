//! The records of a run: JSON Lines, one record a line, each with the version of the format and its kind.
//!
//! ```text
//!  {"v":1,"kind":"run", …}       once, first: what ran where, from which source     Header
//!  {"v":1,"kind":"refused", …}   a scenario that cannot run there, and why          Refused
//!  {"v":1,"kind":"note", …}      what turned out on the way                         Note
//!  {"v":1,"kind":"clock", …}     what a reading of the clock takes                  bench_core::Clock
//!  {"v":1,"kind":"transfer", …}  what a line takes from one core to another         bench_core::Transfer
//!  {"v":1,"kind":"pass", …}      one measurement: ticks and counts                  bench_core::Pass
//!  {"v":1,"kind":"end", …}       once, last: whether that was everything            End
//! ```
//!
//! A file whose last line is not `end` is of a run that was killed; what it has is good nevertheless, since a line is
//! written whole or not at all ([`write`](crate::write)). A reader refuses another version.

use std::fmt;

use bench_core::{Clock, Pass, Scenario, Transfer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::own::Brought;
use crate::scenario::Named;

/// The version of the format. A field that is added does not change it; one that changes its meaning does.
pub const VERSION: u32 = 1;

/// What ran where, from which source.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// Version of the program.
    pub program: String,
    /// What it was built from, found out when it was.
    pub source: Source,
    /// With what it was built.
    pub build: Build,
    /// The command as it was typed.
    pub command: Vec<String>,
    /// Its name and its reason, if it is a named scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<Named>,
    /// Locks and workloads that the program had beside those of `bench-harness`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<Brought>,
    /// What was asked for, as [`bench_core::Request`] prints and parses it.
    pub request: String,
    /// When, in UTC, as RFC 3339 writes it.
    pub started: String,
    /// What it ran on: `host`, `qemu-virt-el1`, …
    #[serde(rename = "where")]
    pub place: String,
    /// Whether the machine is imitated by a program: then times say nothing of any hardware.
    pub emulated: bool,
    /// Whether every worker was kept on a core of its own.
    pub pinned: bool,
    /// On which cores, where that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placed>,
    /// Ticks in a second, where they are known beforehand; every pass has its own.
    pub hz: Option<u64>,
    /// How many passes were planned, where that is known beforehand.
    pub passes: Option<u64>,
    /// The machine under it all.
    pub machine: MachineInfo,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
}

/// On which cores workers were.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Placed {
    /// How they were chosen, as `--place` has it.
    pub placement: String,
    /// The cores, by the system's numbers, in the order in which workers get them.
    pub cores: Vec<usize>,
}

/// Where the program comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A commit.
    Commit {
        /// Its name.
        id: String,
        /// Whether files differed from it.
        dirty: bool,
    },
    /// It cannot be told.
    Unknown {
        /// Why.
        why: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit { id, dirty: false } => f.write_str(id),
            Self::Commit { id, dirty: true } => write!(f, "{id}, with changes that are not committed"),
            Self::Unknown { why } => write!(f, "unknown: {why}"),
        }
    }
}

/// What built the program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Build {
    /// The compiler, as it tells its version.
    pub rustc: String,
    /// What it was built for.
    pub target: String,
    /// Instruction sets and the like beyond those of every such machine.
    pub features: String,
    /// `release`, `debug`, …
    pub profile: String,
}

/// The machine that the program runs on, which runs the emulator too. What cannot be read is `None`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MachineInfo {
    /// Its processor, by name.
    pub cpu: Option<String>,
    /// Architecture.
    pub arch: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Operating system and kernel.
    pub os: String,
    /// Whether it is a virtual machine, so that cores may be taken away.
    pub virtualised: Option<bool>,
    /// What decides the frequency.
    pub governor: Option<String>,
    /// Whether cores are threads that share a core.
    pub smt: Option<bool>,
}

/// What was asked for and cannot run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// It.
    pub scenario: Scenario,
    /// Why not.
    pub why: String,
}

/// What a reader of the figures should know, and turned out on the way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// It.
    pub text: String,
}

/// How the run ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// Whether everything that was planned was measured.
    pub complete: bool,
    /// Why not.
    pub why: Option<String>,
}

impl End {
    /// All was measured.
    pub const COMPLETE: Self = Self { complete: true, why: None };

    /// Some was not.
    #[must_use]
    pub fn early(why: impl Into<String>) -> Self {
        Self { complete: false, why: Some(why.into()) }
    }
}

/// What can be in a line.
pub trait Kind: Serialize {
    /// What the line calls it.
    const KIND: &'static str;
}

impl Kind for Header {
    const KIND: &'static str = "run";
}

impl Kind for Refused {
    const KIND: &'static str = "refused";
}

impl Kind for Note {
    const KIND: &'static str = "note";
}

impl Kind for Clock {
    const KIND: &'static str = "clock";
}

impl Kind for Transfer {
    const KIND: &'static str = "transfer";
}

impl Kind for Pass {
    const KIND: &'static str = "pass";
}

impl Kind for End {
    const KIND: &'static str = "end";
}

/// `record` as a line, with its end.
#[must_use]
pub fn line<R: Kind>(record: &R) -> String {
    #[derive(Serialize)]
    struct Line<'a, R> {
        v: u32,
        kind: &'static str,
        #[serde(flatten)]
        record: &'a R,
    }
    let line = Line { v: VERSION, kind: R::KIND, record };
    serde_json::to_string(&line).expect("a record is a map with strings for keys") + "\n"
}
