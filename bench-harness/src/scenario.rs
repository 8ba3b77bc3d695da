//! Named scenarios: files that somebody has reviewed (`scenarios/*.toml`), and those of users.
//!
//! ```toml
//! name = "kvm-ish"
//! why = "a sentence: whom this stands for"
//! locks = ["ticket", "mcs"]            # names as `list` has them
//! strategies = ["merged"]
//! workloads = ["section", "pair"]
//! mixes = ["usual"]                    # may be left out
//! cores = [1, "all"]
//! hold-ns = [200]                      # has to be said, also where it is 0: nothing is saturated by accident
//! think-ns = [1000]
//! warmup-ms = 5
//! measure-ms = 40
//! sample-ms = 15                       # with instruments
//! repeats = 10
//! ```
//!
//! A scenario is a [`Request`] with a name, and a reason. What the program brings along is compiled in, so that its
//! figures are those of the program's version.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use bench_core::plan::{ALL_CORES, CoreCounts, LONGEST_NS, Lengths, MAX_LENGTHS};
use bench_core::{Axis, Lock, Mix, Preset, Request, Set, Strategy, Workload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a scenario is called, and whom it stands for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// A sentence.
    pub why: String,
}

macro_rules! brought_along {
    ($($name:literal)*) => {
        /// The files that the program brings along, by name.
        const BROUGHT_ALONG: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../scenarios/", $name, ".toml")))),*];
    };
}

brought_along! {
    "saturated" "kvm-ish" "light" "trap-storm" "topup" "remote-free" "zeroing" "orders" "sweep" "controls"
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    name: String,
    why: String,
    locks: Vec<Lock>,
    strategies: Vec<Strategy>,
    workloads: Vec<Workload>,
    #[serde(default)]
    mixes: Vec<Mix>,
    cores: Vec<Cores>,
    hold_ns: Vec<u32>,
    think_ns: Vec<u32>,
    warmup_ms: u32,
    measure_ms: u32,
    sample_ms: u32,
    repeats: u32,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Cores {
    Number(u16),
    Word(String),
}

/// The names of those that the program brings along, and whom they stand for.
pub fn brought_along() -> impl Iterator<Item = Named> {
    BROUGHT_ALONG.iter().map(|(name, text)| understand(text).unwrap_or_else(|why| panic!("{name}: {why:#}")).0)
}

/// The scenario `name`: one that the program brings along, or a file's.
///
/// # Errors
///
/// There is neither, or what is in it cannot be understood.
pub fn find(name: &str) -> Result<(Named, Request)> {
    if let Some((_, text)) = BROUGHT_ALONG.iter().find(|(known, _)| *known == name) {
        return understand(text);
    }
    if !Path::new(name).exists() {
        let known: Vec<_> = BROUGHT_ALONG.iter().map(|(name, _)| *name).collect();
        bail!("there is no scenario \"{name}\", nor such a file; there are {}", known.join(", "));
    }
    let text = fs::read_to_string(name).with_context(|| format!("cannot read {name}"))?;
    understand(&text).with_context(|| format!("{name} is no scenario"))
}

fn understand(text: &str) -> Result<(Named, Request)> {
    let file: File = toml::from_str(text)?;
    let mut cores = CoreCounts::new();
    for number in &file.cores {
        let number = match number {
            Cores::Number(number) if *number > 0 => *number,
            Cores::Word(word) if word == "all" => ALL_CORES,
            Cores::Number(_) | Cores::Word(_) => bail!("cores: numbers from 1, or \"all\""),
        };
        ensure!(cores.push(number).is_ok(), "cores: more than {}", cores.capacity());
    }
    let us = |name: &str, ms: u32| {
        ensure!((1..=600_000).contains(&ms), "{name}: from 1 to 600000");
        Ok(ms * 1000)
    };
    ensure!(!cores.is_empty(), "cores: none");
    ensure!(file.repeats > 0, "repeats: from 1");
    ensure!(!file.why.trim().is_empty(), "why: a sentence, for whoever reads the figures");
    let request = Request {
        preset: Preset::Quick,
        locks: Some(set(&file.locks)?),
        strategies: Some(set(&file.strategies)?),
        workloads: Some(set(&file.workloads)?),
        cores: Some(cores),
        mixes: (!file.mixes.is_empty()).then(|| Set::of(&file.mixes)),
        hold_ns: Some(lengths("hold-ns", &file.hold_ns)?),
        think_ns: Some(lengths("think-ns", &file.think_ns)?),
        warmup_us: Some(us("warmup-ms", file.warmup_ms)?),
        measure_us: Some(us("measure-ms", file.measure_ms)?),
        sample_us: Some(us("sample-ms", file.sample_ms)?),
        repeats: Some(file.repeats),
    };
    Ok((Named { name: file.name, why: file.why }, request))
}

fn set<A: Axis>(values: &[A]) -> Result<Set<A>> {
    ensure!(!values.is_empty(), "no {}", A::WHAT);
    Ok(Set::of(values))
}

fn lengths(name: &str, values: &[u32]) -> Result<Lengths> {
    ensure!((1..=MAX_LENGTHS).contains(&values.len()), "{name}: from 1 to {MAX_LENGTHS} of them");
    ensure!(values.iter().all(|&ns| ns <= LONGEST_NS), "{name}: up to {LONGEST_NS}");
    Ok(values.iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_brought_along_is_what_it_is_called() {
        for (name, _) in BROUGHT_ALONG {
            let (named, request) = find(name).unwrap();
            assert_eq!(named.name, *name);
            assert!(named.why.ends_with('.'), "{name}: a sentence");
            assert!(request.repeats >= Some(10), "{name}: an interval wants repeats");
            let plan = request.plan(2);
            let all = plan.times.warmup_us * 2 + plan.times.measure_us + plan.times.sample_us;
            let minutes = f64::from(all) * plan.cells().count() as f64 * f64::from(plan.repeats) / 60e6;
            assert!(minutes < 5.0, "{name}: {minutes} minutes on two cores");
        }
    }

    #[test]
    fn a_scenario_is_a_request_that_a_board_understands() {
        let (_, request) = find("kvm-ish").unwrap();
        let line = request.to_string();
        assert!(line.contains(" cores=1,all ") && line.contains(" hold-ns=200 think-ns=1000 "), "{line}");
        assert_eq!(Request::parse(&line).unwrap(), request);
    }

    #[test]
    fn nonsense_is_refused_with_the_reason() {
        let good = BROUGHT_ALONG[0].1;
        for (from, to, says) in [
            ("\"ticket\"", "\"tickt\"", "there is no lock \"tickt\""),
            ("hold-ns = [0]", "", "missing field `hold-ns`"),
            ("hold-ns = [0]", "hold-ns = []", "hold-ns: from 1 to 8"),
            ("think-ns = [0]", "think-ns = [2000000000]", "think-ns: up to 1000000000"),
            ("[1, \"all\"]", "[0]", "cores: numbers from 1"),
            ("[1, \"all\"]", "[\"some\"]", "cores: numbers from 1"),
            ("[1, \"all\"]", "[]", "cores: none"),
            ("[\"merged\"]", "[]", "no strategy"),
            ("repeats = 10", "repeats = 0", "repeats: from 1"),
            ("repeats = 10", "repeats = 10\nhurry = true", "unknown field `hurry`"),
            ("measure-ms = 40", "measure-ms = 0", "measure-ms: from 1"),
        ] {
            assert!(good.contains(from), "{from}");
            let error = format!("{:#}", understand(&good.replacen(from, to, 1)).unwrap_err());
            assert!(error.contains(says), "{to}: {error}");
        }
        let error = find("no-such").unwrap_err().to_string();
        assert!(error.contains("there is no scenario \"no-such\"") && error.contains("kvm-ish"), "{error}");
    }
}
