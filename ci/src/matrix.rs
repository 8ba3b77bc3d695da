//! The matrix file, typed: what it may say, and what is refused when it is read.
//!
//! ```toml
//! [limits]                     # seconds
//! total = 3300                 # installing and all budgets together
//! install = 300
//!
//! [packages]                   # a program, or a file by its absolute path, and what brings it on Debian
//! qemu-system-aarch64 = ["qemu-system-arm"]
//!
//! [[job]]
//! name = "boot-{el}"           # one job for each value of each axis that the name mentions
//! promise = "The image boots at {el}."
//! budget = 60
//! programs = ["qemu-system-aarch64"]
//! axes.el = [{ is = "el1", machine = "virt" }, { is = "el2", machine = "virt,virtualization=on" }]
//! steps = [{ run = ["qemu-system-aarch64", "-machine", "{machine}"], says = ["*passed"] }]
//! ```
//!
//! Known to every text of a job: `{target_dir}`, where cargo builds; `{toolchain}`, the job's; and, where an axis is
//! called `cores`, `{accel}` (see [`crate::expand`]).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::expand;

/// All jobs, by name and in the order of the file, and what they stand on.
#[derive(Debug)]
pub struct Matrix {
    /// Bounds on the time of a whole run.
    pub limits: Limits,
    /// What brings a program on Debian.
    pub packages: BTreeMap<String, Vec<String>>,
    /// The jobs, every axis expanded.
    pub jobs: Vec<Job>,
}

/// Bounds on the time of a whole run.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Seconds for installing and all jobs together: no budgets may add up to more.
    pub total: u64,
    /// Seconds for installing what is missing, all jobs together.
    pub install: u64,
}

/// One promise, and the commands that show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Unique; what is typed after `cargo ci`.
    pub name: String,
    /// What is known when the job is green, in a sentence.
    pub promise: String,
    /// Time for all steps together.
    pub budget: Duration,
    /// The Rust toolchain that the steps run under, and what it must have.
    pub toolchain: Toolchain,
    /// Programs on `PATH`, or files by their absolute paths; each is in [`Matrix::packages`].
    pub programs: Vec<String>,
    /// Set for each step.
    pub env: BTreeMap<String, String>,
    /// Run in this order; the first failure ends the job.
    pub steps: Vec<Step>,
}

/// A Rust toolchain with the parts that a job needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// As `rustup` knows it.
    pub name: String,
    /// It is the one of `rust-toolchain.toml`, which cargo takes by itself in this repository.
    pub pinned: bool,
    /// Such as `miri`.
    pub components: Vec<String>,
    /// Such as `aarch64-unknown-none`.
    pub targets: Vec<String>,
}

/// One command and how it must end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The program and its arguments; no shell in between.
    pub run: Vec<String>,
    /// The status to exit with: other than 0 where a failure is what must be seen.
    #[serde(default)]
    pub exit: i32,
    /// Lines of the output, whole and each somewhere; `*` stands for anything, `?` for one character.
    #[serde(default)]
    pub says: Vec<String>,
}

/// A job as the file has it: texts with variables in them, and axes to take these from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Template {
    pub(crate) name: String,
    pub(crate) promise: String,
    pub(crate) budget: u64,
    pub(crate) toolchain: Option<String>,
    #[serde(default)]
    pub(crate) components: Vec<String>,
    #[serde(default)]
    pub(crate) targets: Vec<String>,
    #[serde(default)]
    pub(crate) programs: Vec<String>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) axes: BTreeMap<String, Vec<BTreeMap<String, String>>>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    limits: Limits,
    #[serde(default)]
    packages: BTreeMap<String, Vec<String>>,
    job: Vec<Template>,
}

/// What the matrix must be told of this machine and this repository.
#[derive(Debug, Clone)]
pub struct Here {
    /// Where cargo builds; relative to the top of the repository if it is there.
    pub target_dir: String,
    /// The channel that `rust-toolchain.toml` pins.
    pub pinned: String,
    /// How many processors this process may use.
    pub cores: usize,
}

impl Here {
    /// Finds out; `root` is the top of the repository.
    ///
    /// # Errors
    /// `rust-toolchain.toml` cannot be read or pins nothing.
    pub fn find(root: &Path) -> Result<Self> {
        let target_dir = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
        let target_dir = std::path::absolute(target_dir)?;
        // Shorter lines to read and type: steps run at the top of the repository.
        let target_dir = target_dir.strip_prefix(root).unwrap_or(&target_dir);
        let file = root.join("rust-toolchain.toml");
        let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let pinned = pinned_channel(&text).with_context(|| format!("{} pins no channel", file.display()))?;
        let cores = std::thread::available_parallelism()?.get();
        Ok(Self { target_dir: target_dir.display().to_string(), pinned, cores })
    }
}

fn pinned_channel(text: &str) -> Option<String> {
    let file: toml::Table = text.parse().ok()?;
    Some(file.get("toolchain")?.get("channel")?.as_str()?.to_owned())
}

impl Matrix {
    /// Reads the matrix file.
    ///
    /// # Errors
    /// It cannot be read, or [`Matrix::parse`] refuses it.
    pub fn load(file: &Path, here: &Here) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text, here).with_context(|| format!("{} is not a matrix", file.display()))
    }

    /// Expands every axis of the matrix in `text`.
    ///
    /// # Errors
    /// Not TOML, an unknown key, a variable without a value, two jobs of one name, a program of which no package is
    /// known, a step without a command, or budgets that together exceed the limit.
    pub fn parse(text: &str, here: &Here) -> Result<Self> {
        let File { limits, packages, job } = toml::from_str(text)?;
        let mut jobs = Vec::new();
        for template in &job {
            jobs.extend(expand::jobs(template, here).with_context(|| format!("job {:?}", template.name))?);
        }
        let matrix = Self { limits, packages, jobs };
        matrix.validate()?;
        Ok(matrix)
    }

    fn validate(&self) -> Result<()> {
        ensure!(!self.jobs.is_empty(), "no jobs");
        let mut names = BTreeSet::new();
        let mut sum = self.limits.install;
        for job in &self.jobs {
            let name = &job.name;
            ensure!(names.insert(name), "two jobs are called {name:?}");
            ensure!(!job.steps.is_empty(), "job {name:?} has no steps");
            ensure!(job.steps.iter().all(|step| !step.run.is_empty()), "job {name:?} has a step without a command");
            ensure!(!job.budget.is_zero(), "job {name:?} has no time");
            if let Some(program) = job.programs.iter().find(|program| !self.packages.contains_key(*program)) {
                bail!("job {name:?} needs {program:?}: [packages] does not say what brings it");
            }
            sum += job.budget.as_secs();
        }
        let total = self.limits.total;
        ensure!(sum <= total, "installing and all budgets together are {sum} s, over the limit of {total} s");
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn here() -> Here {
        Here { target_dir: "/t".into(), pinned: "1.95.0".into(), cores: 2 }
    }

    const LIMITS: &str = "[limits]\ntotal = 100\ninstall = 10\n";

    fn job(name: &str, budget: u64, more: &str) -> String {
        format!(
            "[[job]]\nname = {name:?}\npromise = \"\"\nbudget = {budget}\nsteps = [{{ run = [\"true\"] }}]\n{more}\n"
        )
    }

    fn refusal(text: &str) -> String {
        format!("{:#}", Matrix::parse(&format!("{LIMITS}{text}"), &here()).unwrap_err())
    }

    #[test]
    fn a_job_runs_under_the_pinned_toolchain_unless_it_names_another() {
        let text = format!("{LIMITS}{}{}", job("a", 1, ""), job("b", 1, "toolchain = \"nightly\""));
        let matrix = Matrix::parse(&text, &here()).unwrap();
        let [a, b] = [&matrix.jobs[0].toolchain, &matrix.jobs[1].toolchain];
        assert_eq!((a.name.as_str(), a.pinned), ("1.95.0", true));
        assert_eq!((b.name.as_str(), b.pinned), ("nightly", false));
    }

    #[test]
    fn budgets_that_do_not_fit_are_refused() {
        assert!(Matrix::parse(&format!("{LIMITS}{}{}", job("a", 45, ""), job("b", 45, "")), &here()).is_ok());
        let text = refusal(&format!("{}{}", job("a", 45, ""), job("b", 46, "")));
        assert!(text.contains("101 s, over the limit of 100 s"), "{text}");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (text, reason) in [
            (job("a", 1, "") + &job("a", 1, ""), "two jobs are called \"a\""),
            (job("a", 0, ""), "job \"a\" has no time"),
            (job("a", 1, "programs = [\"qemu\"]"), "job \"a\" needs \"qemu\""),
            (job("a", 1, "bugdet = 3"), "unknown field `bugdet`"),
            (job("a", 1, "").replace("\"true\"", ""), "job \"a\" has a step without a command"),
            (job("a", 1, "").replace("{ run = [\"true\"] }", ""), "job \"a\" has no steps"),
        ] {
            let said = refusal(&text);
            assert!(said.contains(reason), "{said}");
        }
    }

    #[test]
    fn the_channel_is_read_from_the_toolchain_file() {
        assert_eq!(pinned_channel("[toolchain]\nchannel = \"1.95.0\" # why\n").as_deref(), Some("1.95.0"));
        assert_eq!(pinned_channel("[toolchain]\n"), None);
    }
}
