//! Passes that nobody measured.

use bench_core::histogram::{Counting, Histogram as Raw};
use bench_core::record::{CoreCount, Samples};
use bench_core::{Lock, Pass, Scenario, Strategy, Workload};

use crate::collect::Collector;
use crate::record::{Build, End, Header, MachineInfo, Source};
use crate::summary::Run;

/// A clock of 1 GHz: a tick is a nanosecond.
pub(crate) const HZ: u64 = 1_000_000_000;

pub(crate) fn header() -> Header {
    Header {
        program: "0.0.0".into(),
        source: Source::Unknown { why: "made up".into() },
        build: Build { rustc: "rustc".into(), target: "t".into(), features: "f".into(), profile: "test".into() },
        command: vec!["bench-harness".into(), "a b".into()],
        scenario: None,
        own: vec![],
        placement: None,
        request: "quick".into(),
        started: "2026-01-01T00:00:00Z".into(),
        place: "host".into(),
        emulated: false,
        pinned: true,
        hz: Some(HZ),
        passes: Some(2),
        machine: MachineInfo {
            cpu: None,
            arch: "a".into(),
            cores: 2,
            os: "o".into(),
            virtualised: None,
            governor: None,
            smt: None,
        },
        notes: vec![],
    }
}

/// All cores from 0 to 1000 ns, with so many operations each.
pub(crate) fn pass(lock: Lock, strategy: Strategy, repeat: u32, ops: &[u64]) -> Pass {
    let scenario = Scenario::new(lock, strategy, Workload::Pair, ops.len() as u16);
    let cores = ops.iter().map(|&ops| CoreCount { ops, start: 5000, stop: 6000, gap: 10 }).collect();
    Pass { hz: HZ, cores, ..Pass::of(scenario, repeat) }
}

/// A histogram of `times`.
pub(crate) fn histogram(times: &[u64]) -> Raw {
    let counting = Counting::new();
    times.iter().for_each(|&time| counting.record(time));
    let mut histogram = Raw::default();
    histogram.add(&counting);
    histogram
}

/// The same with instruments: these waits.
pub(crate) fn with_waits(mut pass: Pass, waits: &[u64]) -> Pass {
    pass.samples = Some(Samples { wait: histogram(waits), ..Samples::default() });
    pass
}

pub(crate) fn run(passes: &[Pass]) -> Run {
    let mut collector = Collector::default();
    passes.iter().for_each(|pass| collector.add(pass));
    collector.finish(header(), vec![], Some(End::COMPLETE))
}
