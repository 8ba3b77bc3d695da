//! Many places side by side: a row for each scenario, a column for each place.
//!
//! ```text
//!  pair, 4 cores                pi4             host            qemu-virt-el2
//!  ticket merged                312 (301-330)   *188 (180-201)  1204 (1100-1310)
//!  mcs    merged                *250 (244-261)  *190 (183-199)  -
//! ```
//!
//! Figures of a column can be compared; of a row, only with what the machines are in mind: so the fastest of a column is
//! marked, and none of a row. Times of an emulated place are no times of hardware, and nothing in its column is marked.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bench_core::{Lock, Scenario, Strategy, Task};

use crate::record::MachineInfo;
use crate::summary::{CellSummary, Run};
use crate::table::{short, table};

/// How a run at a place ended.
#[derive(Debug)]
pub struct Place {
    /// Why it did not end well.
    pub failed: Option<String>,
    /// What it had to say.
    pub said: Vec<String>,
    /// What it measured.
    pub run: Option<Run>,
}

/// All of it, with their names.
#[must_use]
pub fn overview(places: &[(String, Place)]) -> String {
    let mut text = String::from("\n");
    for (name, place) in places {
        text += &of_place(name, place);
    }
    let cells: Vec<&CellSummary> = runs(places).flat_map(|(_, run)| &run.cells).collect();
    let groups: BTreeSet<(u16, Task)> = cells.iter().map(|cell| (cell.scenario.cores, cell.scenario.task())).collect();
    let names: Vec<&str> = runs(places).map(|(name, _)| name).collect();
    for (cores, task) in groups {
        let here = |scenario: &Scenario| (scenario.cores, scenario.task()) == (cores, task);
        let rows: BTreeSet<(Strategy, Lock)> = cells
            .iter()
            .filter(|cell| here(&cell.scenario))
            .map(|cell| (cell.scenario.strategy, cell.scenario.lock))
            .collect();
        let rows = rows.into_iter().map(|(strategy, lock)| {
            let figures = runs(places).map(|(_, run)| {
                let group: Vec<_> = run.cells.iter().filter(|cell| here(&cell.scenario)).collect();
                figure(&group, strategy, lock, run.header.emulated)
            });
            [lock.to_string(), strategy.to_string()].into_iter().chain(figures).collect()
        });
        let header: Vec<&str> = ["lock", "strategy"].into_iter().chain(names.iter().copied()).collect();
        let plural = if cores == 1 { "core" } else { "cores" };
        let table = table(&header, 2, rows);
        let _ = writeln!(text, "\n{task}, {cores} {plural}: ns an operation\n{}", table.trim_fmt());
    }
    if !cells.is_empty() {
        text += LEGEND;
    }
    text
}

const LEGEND: &str = "
median (95 % interval); * fastest of its column, or not told apart from it (the intervals overlap); - not measured there;
an emulated place shows that it works, not how fast: nothing is marked there
";

/// Those that have figures.
fn runs(places: &[(String, Place)]) -> impl Iterator<Item = (&str, &Run)> {
    let all = places.iter().filter_map(|(name, place)| Some((name.as_str(), place.run.as_ref()?)));
    all.filter(|(_, run)| !run.cells.is_empty())
}

/// A line, and more if something is wrong.
fn of_place(name: &str, Place { failed, said, run }: &Place) -> String {
    let mut text = match failed {
        Some(why) => format!("{name}: FAILED: {why}\n"),
        None => format!("{name}: measured\n"),
    };
    if let Some(run) = run {
        let MachineInfo { cpu, cores, arch, .. } = &run.header.machine;
        let emulated = if run.header.emulated { ", EMULATED" } else { "" };
        let cpu = cpu.as_deref().unwrap_or("a processor without a name");
        let _ = writeln!(text, "  {} scenarios on {}{emulated}", run.cells.len(), run.header.place);
        let _ = writeln!(text, "  the program ran on {cpu} ({arch}, {cores} cores)");
        for void in &run.void {
            let _ = writeln!(text, "  VOID: {}: {}", crate::local::name(void.scenario), void.about());
        }
    }
    for line in said {
        let _ = writeln!(text, "  {line}");
    }
    text
}

fn figure(group: &[&CellSummary], strategy: Strategy, lock: Lock, emulated: bool) -> String {
    let Some(cell) = group.iter().find(|cell| (cell.scenario.strategy, cell.scenario.lock) == (strategy, lock)) else {
        return "-".into();
    };
    let best = group.iter().min_by(|a, b| a.ns_per_op.median.total_cmp(&b.ns_per_op.median));
    let is_best = !emulated && group.len() > 1 && best.is_some_and(|best| best.ns_per_op.overlaps(&cell.ns_per_op));
    let ns = cell.ns_per_op;
    format!("{}{} ({}-{})", if is_best { "*" } else { "" }, short(ns.median), short(ns.low), short(ns.high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{pass, run};
    use bench_core::Lock::{Mcs, Ticket};
    use bench_core::Strategy::Merged;

    fn place(run: Option<Run>, failed: Option<&str>) -> Place {
        Place { failed: failed.map(Into::into), said: failed.map(|_| "error: ouch".into()).into_iter().collect(), run }
    }

    #[test]
    fn places_are_columns_and_the_fastest_of_each_is_marked() {
        let fast = run(&[pass(Ticket, Merged, 0, &[10, 10]), pass(Mcs, Merged, 0, &[40, 40])]);
        let mut emulated = run(&[pass(Mcs, Merged, 0, &[20, 20])]);
        emulated.header.emulated = true;
        let text = overview(&[
            ("one".into(), place(Some(fast), None)),
            ("two".into(), place(Some(emulated), Some("interrupted"))),
            ("three".into(), place(None, Some("it cannot run there"))),
        ]);
        let row = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{text}"));
        let words = |start: &str| row(start).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words("lock"), "lock strategy one two");
        assert_eq!(words("ticket"), "ticket merged 100 (100-100) -");
        assert_eq!(words("mcs"), "mcs merged *25.0 (25.0-25.0) 50.0 (50.0-50.0)");
        assert!(text.contains("\none: measured\n") && text.contains("two: FAILED: interrupted\n"), "{text}");
        assert!(text.contains("three: FAILED: it cannot run there\n  error: ouch\n"), "{text}");
    }

    #[test]
    fn without_a_figure_there_is_no_table() {
        let text = overview(&[("one".into(), place(None, Some("no")))]);
        assert_eq!(text, "\none: FAILED: no\n  error: ouch\n");
    }
}
