//! How the figures of a run came about, and what makes them doubtful, in sentences for the foot of a report.

use std::collections::BTreeMap;

use crate::details::TOGETHER;
use crate::summary::Run;

/// A length of time that was asked for, and what came of it in the scenarios that have it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Calibrated {
    /// `hold` or `think`.
    pub what: &'static str,
    /// In nanoseconds.
    pub requested: u32,
    /// In nanoseconds: the least, ...
    pub least: f64,
    /// ... and the most that a scenario has.
    pub most: f64,
}

/// All lengths that were asked for, and what came of each.
#[must_use]
pub fn calibration(run: &Run) -> Vec<Calibrated> {
    let mut lengths: BTreeMap<(&'static str, u32), (f64, f64)> = BTreeMap::new();
    for cell in &run.cells {
        let (scenario, details) = (cell.scenario, cell.details);
        let both = [("hold", scenario.hold_ns, details.hold_ns), ("think", scenario.think_ns, details.think_ns)];
        for (what, requested, achieved) in both {
            if let Some(ns) = achieved.filter(|_| requested > 0) {
                let (least, most) = lengths.entry((what, requested)).or_insert((ns, ns));
                (*least, *most) = (least.min(ns), most.max(ns));
            }
        }
    }
    let lengths = lengths.into_iter();
    lengths.map(|((what, requested), (least, most))| Calibrated { what, requested, least, most }).collect()
}

/// How it was measured: a heading and a sentence each.
#[must_use]
pub fn method(run: &Run) -> Vec<(&'static str, String)> {
    let mut method = vec![];
    method.push(("Clock", match &run.clock {
        None => "not measured in this run".into(),
        Some(clock) => format!(
            "one reading takes {:.1} ns, and the smallest step it was seen to make is {:.1} ns; a time between two readings has one reading in it",
            clock.read_ns(),
            clock.resolution_ns()
        ),
    }));
    for Calibrated { what, requested, least, most } in calibration(run) {
        let name = if what == "hold" { "Hold" } else { "Think" };
        method.push((name, format!(
            "{requested} ns asked for, {least:.1} to {most:.1} ns achieved: a counted loop, timed by one core alone before each pass"
        )));
    }
    let repeats = run.cells.iter().map(|cell| cell.repeats);
    if let (Some(fewest), Some(most)) = (repeats.clone().min(), repeats.max()) {
        let number = if fewest == most { fewest.to_string() } else { format!("{fewest} to {most}") };
        let turned =
            if run.header.place == "host" { ", and from repeat to repeat a worker moves to the next core" } else { "" };
        method.push(("Repeats", format!(
            "{number} of each scenario, for a fixed time each; scenarios take turns, so that drift meets all alike{turned}"
        )));
    }
    let costs = run.cells.iter().filter_map(|cell| cell.overhead).filter(|_| !run.header.emulated);
    if let (Some(least), Some(most)) = (costs.clone().min_by(f64::total_cmp), costs.max_by(f64::total_cmp)) {
        method.push((
            "Instruments",
            format!(
                "speeds and shares are of passes without; waits, holds and handovers of passes with them, in which an \
             operation takes {least:.2} to {most:.2} times as long"
            ),
        ));
    }
    method.push((
        "Checked",
        "after every pass the pool has to be whole and free, and the counter has to have come as far as was counted"
            .into(),
    ));
    method
}

/// What spoils the figures, as far as it was looked at.
#[must_use]
pub fn spoils(run: &Run) -> Vec<String> {
    let header = &run.header;
    let mut spoils = header.notes.clone();
    if !header.pinned && !header.emulated && !spoils.iter().any(|note| note.contains("pinned")) {
        spoils.push("workers were not kept on cores of their own".into());
    }
    let passes: usize = run.cells.iter().map(|cell| cell.repeats).sum();
    let apart: usize = run.cells.iter().map(|cell| cell.details.apart).sum();
    if apart > 0 {
        spoils.push(format!(
            "in {apart} of {passes} passes the cores were at work together for less than {:.0} % of the time",
            TOGETHER * 100.0
        ));
    }
    spoils
}

/// What could not be looked at.
#[must_use]
pub fn unseen(run: &Run) -> Vec<&'static str> {
    let machine = &run.header.machine;
    let mut unseen = vec![];
    if machine.governor.is_none() {
        unseen.push("the frequency governor");
    }
    if machine.virtualised.is_none() {
        unseen.push("whether it is a virtual machine");
    }
    if machine.smt.is_none() {
        unseen.push("whether threads share cores");
    }
    unseen.push("boost");
    unseen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{header, pass, run};
    use crate::summary::Collector;
    use bench_core::Strategy::Merged;
    use bench_core::{Burnt, Clock, Lock, Pass};

    fn held(repeat: u32, ticks: u64) -> Pass {
        let mut pass = pass(Lock::Mcs, Merged, repeat, &[10, 10]);
        pass.scenario.hold_ns = 200;
        pass.hold = Some(Burnt { requested_ns: 200, burns: 10, ticks, ..Burnt::default() });
        pass
    }

    #[test]
    fn lengths_are_told_as_asked_for_and_as_they_came_out() {
        let mut other = held(0, 2300);
        other.scenario.lock = Lock::Ticket;
        let run = run(&[held(0, 2000), held(1, 2200), other]);
        let expected = Calibrated { what: "hold", requested: 200, least: 210.0, most: 230.0 };
        assert_eq!(calibration(&run), [expected], "medians of the repeats of each scenario");
        assert!(method(&run).iter().any(|(name, text)| *name == "Hold" && text.contains("210.0 to 230.0 ns achieved")));
    }

    #[test]
    fn clock_and_repeats_are_told() {
        let mut collector = Collector::default();
        collector.add_clock(Clock { hz: 1_000_000_000, reads: 10, ticks: 95, step: 2 });
        collector.add(&held(0, 2000));
        let method = method(&collector.finish(header(), vec![], None));
        assert!(
            method[0].1.starts_with("one reading takes 9.5 ns, and the smallest step it was seen to make is 2.0 ns"),
            "{method:?}"
        );
        assert!(method.iter().any(|(name, text)| *name == "Repeats" && text.starts_with("1 of each")), "{method:?}");
    }

    #[test]
    fn doubts_are_notes_and_passes_apart_and_what_was_not_seen() {
        let mut late = held(0, 2000);
        late.cores[1].start += 100;
        let mut run = run(&[late, held(1, 2000)]);
        run.header.notes.push("it rained".into());
        let spoils = spoils(&run);
        assert_eq!(spoils[0], "it rained");
        assert!(spoils[1].starts_with("in 1 of 2 passes"), "{spoils:?}");
        assert_eq!(unseen(&run).len(), 4);
        run.header.machine.smt = Some(true);
        assert_eq!(unseen(&run).len(), 3);
    }
}
