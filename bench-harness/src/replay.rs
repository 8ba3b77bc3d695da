//! The command that makes a record again: from what was asked for, not from what was typed, so that it holds when
//! defaults have changed or a scenario's file has.

use std::path::Path;

use anyhow::Result;
use bench_core::plan::ALL_CORES;
use bench_core::{Axis, Request};

use crate::read;
use crate::record::{Header, Source};
use crate::session::Impossible;

/// The command for the run of `path`, with what it takes beside it as comments.
///
/// # Errors
///
/// The file is of no run, or its request is none of this version.
pub fn replay(path: &Path) -> Result<String> {
    let header = read::read(path)?.run.header;
    let request = Request::parse(&header.request)
        .map_err(|error| Impossible(format!("{}: its request cannot be understood: {error}", path.display())))?;
    let mut text = String::new();
    if let Some(named) = &header.scenario {
        text += &format!("# the scenario {}: {}\n", named.name, named.why);
    }
    text += &match &header.source {
        Source::Commit { id, dirty: false } => format!("git checkout {id}\n"),
        Source::Commit { id, dirty: true } => format!("git checkout {id} # and what was not committed\n"),
        Source::Unknown { why } => format!("# from which source is not known: {why}\n"),
    };
    text += &format!("# on {}, with {}\n", header.machine.cpu.as_deref().unwrap_or("a machine"), header.build.rustc);
    text += &format!("# typed: {}\n", header.command.join(" "));
    Ok(text + &command(&header, &request) + "\n")
}

fn command(header: &Header, request: &Request) -> String {
    let mut words = vec!["cargo run --release -p bench-harness -- run".to_owned()];
    words.extend(options(request));
    if let Some(placed) = header.placement.as_ref().filter(|placed| placed.placement != "system") {
        words.extend(["--place".into(), placed.placement.clone()]);
    }
    if header.place != "host" {
        words.extend(["--on".into(), header.place.clone()]);
    }
    words.join(" ")
}

/// The options of a run that ask for `request`.
#[must_use]
pub fn options(request: &Request) -> Vec<String> {
    let mut words = vec![];
    let mut add = |option: &str, value: Option<String>| {
        words.extend(value.into_iter().flat_map(|value| [format!("--{option}"), value]));
    };
    let us = |us: Option<u32>| us.map(|us| format!("{us}us"));
    let numbers = |numbers: &[u32]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    add("preset", Some(request.preset.name().into()));
    add("lock", request.locks.map(|set| set.to_string()));
    add("strategy", request.strategies.map(|set| set.to_string()));
    add("workload", request.workloads.map(|set| set.to_string()));
    add("mix", request.mixes.map(|set| set.to_string()));
    let cores = |cores: &u16| if *cores == ALL_CORES { "all".into() } else { cores.to_string() };
    add("cores", request.cores.as_ref().map(|list| list.iter().map(cores).collect::<Vec<_>>().join(",")));
    add("hold", request.hold_ns.as_ref().map(|list| numbers(list)));
    add("think", request.think_ns.as_ref().map(|list| numbers(list)));
    add("warmup", us(request.warmup_us));
    add("time", us(request.measure_us));
    add("sample-time", us(request.sample_us));
    add("repeats", request.repeats.map(|repeats| repeats.to_string()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use crate::made_up::header;
    use clap::Parser as _;

    #[test]
    fn the_command_asks_for_what_was_asked_for() {
        for line in [
            "quick",
            "smoke locks=mcs,ticket strategies=split workloads=mixed cores=2,all mixes=pages,huge hold-ns=0,5 \
             think-ns=7 warmup-us=100 measure-us=200 sample-us=300 repeats=4",
        ] {
            let request = Request::parse(line).unwrap();
            let command = command(&header(), &request);
            let words = command.strip_prefix("cargo run --release -p bench-harness -- run").unwrap();
            let arguments = Arguments::try_parse_from(std::iter::once("b").chain(words.split_whitespace())).unwrap();
            let [(None, again)] = &arguments.run.requests().unwrap()[..] else { panic!("{command}") };
            assert_eq!(again, &request, "{command}");
        }
    }
}
