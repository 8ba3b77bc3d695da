//! A page of records that a stranger sent: whatever is in them is text. (A process of its own: names that are read stay.)

use std::fs;

use bench_core::record::CoreCount;
use bench_core::{Lock, Pass, Scenario, Strategy, Workload};
use bench_harness::own::Brought;
use bench_harness::record::{Build, End, Header, MachineInfo, Source, line};
use bench_harness::{read, report};

const BAD: &str = "<img src=x>";

fn header() -> Header {
    let brought = |lock| Brought { lock, name: BAD.into(), about: BAD.into(), fair: false };
    Header {
        program: BAD.into(),
        source: Source::Unknown { why: BAD.into() },
        build: Build { rustc: BAD.into(), target: BAD.into(), features: BAD.into(), profile: BAD.into() },
        command: vec![BAD.into()],
        scenario: None,
        own: vec![brought(true), brought(false)],
        placement: None,
        request: BAD.into(),
        started: BAD.into(),
        place: BAD.into(),
        emulated: false,
        pinned: true,
        hz: None,
        passes: None,
        machine: MachineInfo {
            cpu: Some(BAD.into()),
            arch: BAD.into(),
            cores: 2,
            os: BAD.into(),
            virtualised: None,
            governor: Some(BAD.into()),
            smt: None,
        },
        notes: vec![BAD.into()],
    }
}

/// On two cores, so many operations each.
fn pass(lock: Lock, cores: u16, hold_ns: u32, ops: u64) -> Pass {
    let scenario = Scenario { hold_ns, ..Scenario::new(lock, Strategy::Merged, Workload::Pair, cores) };
    let count = CoreCount { ops, start: 0, stop: 1000, gap: 10 };
    Pass { hz: 1_000_000_000, cores: (0..cores).map(|_| count).collect(), ..Pass::of(scenario, 0) }
}

#[test]
fn what_a_stranger_calls_his_lock_is_text() {
    let mut text = line(&header());
    for (hold, cores) in [(0, 1), (0, 2), (0, 3), (200, 1), (200, 2), (200, 3)] {
        for (lock, ops) in [(Lock::Mcs, 900), (Lock::Ticket, 9)] {
            let pass = line(&pass(lock, cores, hold, ops));
            // As the header names them.
            text += &pass.replace("\"mcs\"", &format!("\"{BAD}\"")).replace("\"pair\"", &format!("\"{BAD}\""));
        }
    }
    text += &line(&End::COMPLETE);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("strange.jsonl");
    fs::write(&file, text).unwrap();
    let page = report::html(&read::read(&file).unwrap().run);
    assert!(page.matches("&lt;img src=x&gt;").count() > 40, "it is shown: {page}");
    let around = page.find("<img").map(|at| &page[at.saturating_sub(200)..at + 20]);
    assert_eq!(around, None);
}
