//! The figures as tables for a terminal.
//!
//! ```text
//!  tables ─┬─ by number of cores and task     here
//!          ├─ strategy against strategy       here
//!          ├─ where the time goes             more
//!          └─ fastest by hold and think, ways of a line      maps
//! ```

mod maps;
mod more;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bench_core::{Axis, Lock, Scenario, Strategy, Task};
use comfy_table::{CellAlignment, Table, presets};

use crate::answer::first_in_first_out;
use crate::details::TOGETHER;
use crate::method::{Calibrated, calibration};
use crate::record::Refused;
use crate::summary::{CellSummary, Percentiles, Run};

/// All tables: by number of cores and workload, and then strategy against strategy.
#[must_use]
pub fn tables(run: &Run) -> String {
    let label = if run.header.emulated { "  [EMULATED]" } else { "" };
    let mut text = String::new();
    let groups: BTreeSet<_> = run.cells.iter().map(|cell| (cell.scenario.cores, cell.scenario.task())).collect();
    for &(cores, task) in &groups {
        let cells = group(run, cores, task);
        let _ = writeln!(text, "\n{}: {}{label}", heading(cores, task), task.workload.about());
        let _ = writeln!(text, "{}", of_group(&cells, run.header.emulated).trim_fmt());
    }
    if let Some(table) = strategies(run) {
        let ratio = if run.header.emulated { "" } else { " (and by that of merged)" };
        let _ = writeln!(text, "\nStrategies, ns an operation{ratio}{label}\n{}", table.trim_fmt());
    }
    if let Some(table) = more::more(run) {
        let _ = writeln!(text, "\nWhere the time of an operation goes, and who waits{label}\n{}", table.trim_fmt());
    }
    text += &maps::best(run);
    text += &maps::ways(run);
    for Calibrated { what, requested, least, most } in calibration(run) {
        let [least, most] = [least, most].map(|ns| format!("{ns:.1}"));
        let range = if least == most { least } else { format!("{least} to {most}") };
        let _ = writeln!(text, "A {what} of {requested} ns came out as {range} ns.");
    }
    if !text.is_empty() {
        let _ = write!(text, "\n{LEGEND}");
        if run.header.emulated {
            text += "ratio and cost are left out: ratios of emulated times are none of hardware\n";
        }
    }
    text
}

const LEGEND: &str = "\
ns/op: time of a core for an operation, median (95 % interval); ratio: by that of ticket merged in the same
table; least: share of the core that did least; Jain: 1 is even; wait, hold, handover: p50/p99 in ns, with instruments;
cost: ns/op with instruments by ns/op without; * first in, first out; ! measured windows overlap by less than 95 %;
critical + think + overhead = ns/op; ~ sections are shorter than a reading of the clock: part of them is in overhead;
waiters: cores that wait, on average; transfers: handover p50 by one way of a cache line; gap: the longest without an
operation of a core; masked: the longest with interrupts masked
";

fn heading(cores: u16, task: Task) -> String {
    format!("{task}, {cores} {}", if cores == 1 { "core" } else { "cores" })
}

fn group(run: &Run, cores: u16, task: Task) -> Vec<&CellSummary> {
    let here = |cell: &&CellSummary| (cell.scenario.cores, cell.scenario.task()) == (cores, task);
    let mut cells: Vec<_> = run.cells.iter().filter(here).collect();
    cells.sort_by_key(|cell| (cell.scenario.strategy, cell.scenario.lock));
    cells
}

/// Lines without borders; the first `left` columns are of words.
pub(crate) fn table(header: &[&str], left: usize, rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().copied()).add_rows(rows);
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        column.set_cell_alignment(if i < left { CellAlignment::Left } else { CellAlignment::Right });
    }
    table
}

fn of_group(cells: &[&CellSummary], emulated: bool) -> Table {
    let is_base =
        |cell: &&&CellSummary| (cell.scenario.lock, cell.scenario.strategy) == (Lock::Ticket, Strategy::Merged);
    let base = cells.iter().find(is_base).filter(|_| !emulated).map(|cell| cell.ns_per_op.median);
    let header = ["lock", "strategy", "Mops/s", "ns/op", "ratio", "least", "Jain", "wait", "hold", "handover", "cost"];
    table(&header, 2, cells.iter().map(|cell| row(cell, base, cell.overhead.filter(|_| !emulated))))
}

fn row(cell: &CellSummary, base: Option<f64>, overhead: Option<f64>) -> Vec<String> {
    let Scenario { lock, strategy, cores, .. } = cell.scenario;
    let contended = |text: String| if cores > 1 { text } else { "-".into() };
    let fair = if first_in_first_out(lock) { "*" } else { "" };
    let apart = if cell.concurrency.median < TOGETHER { "!" } else { "" };
    let ns = cell.ns_per_op;
    vec![
        format!("{lock}{fair}{apart}"),
        strategy.to_string(),
        format!("{:.2}", cell.ops_per_s.median / 1e6),
        format!("{} ({}-{})", short(ns.median), short(ns.low), short(ns.high)),
        base.map_or("-".into(), |base| format!("{:.2}", ns.median / base)),
        contended(format!("{:.0} %", cell.share_min() * 100.0)),
        contended(format!("{:.2}", cell.jain.median)),
        times(cell.wait.as_ref()),
        times(cell.hold.as_ref()),
        times(cell.handover.as_ref()),
        overhead.map_or("-".into(), |cost| format!("{cost:.1}")),
    ]
}

/// Three digits or so.
#[must_use]
pub fn short(value: f64) -> String {
    if value < 99.95 { format!("{value:.1}") } else { format!("{value:.0}") }
}

fn times(times: Option<&Percentiles>) -> String {
    times.map_or("-".into(), |times| format!("{}/{}", short_ns(times.p50), short_ns(times.p99)))
}

/// Nanoseconds, from 100 µs on in microseconds, from 100 ms on in milliseconds: a figure of five places.
fn short_ns(value: u64) -> String {
    match value {
        0..100_000 => value.to_string(),
        100_000..100_000_000 => format!("{}us", value / 1_000),
        _ => format!("{}ms", value / 1_000_000),
    }
}

/// A row for each lock, workload and number of cores of which there are several strategies.
fn strategies(run: &Run) -> Option<Table> {
    let places: BTreeSet<_> =
        run.cells.iter().map(|CellSummary { scenario, .. }| (scenario.cores, scenario.task(), scenario.lock)).collect();
    let rows: Vec<_> = places
        .into_iter()
        .filter_map(|(cores, task, lock)| {
            let find = |&strategy: &Strategy| {
                let here = |cell: &&CellSummary| {
                    let scenario = cell.scenario;
                    (scenario.lock, scenario.strategy, scenario.cores, scenario.task()) == (lock, strategy, cores, task)
                };
                run.cells.iter().find(here).map(|cell| cell.ns_per_op.median)
            };
            let found: Vec<_> = Strategy::ALL.iter().map(find).collect();
            let base = find(&Strategy::Merged);
            let figure = |figure: Option<f64>| match (figure, base) {
                (None, _) => "-".into(),
                (Some(ns), None) => short(ns),
                (Some(ns), Some(_)) if run.header.emulated => short(ns),
                (Some(ns), Some(base)) => format!("{} ({:.2})", short(ns), ns / base),
            };
            (found.iter().flatten().count() > 1).then(|| {
                let names = [task.to_string(), cores.to_string(), lock.to_string()];
                names.into_iter().chain(found.into_iter().map(figure)).collect()
            })
        })
        .collect();
    let names = Strategy::ALL.iter().map(|strategy| strategy.name());
    let header: Vec<_> = ["task", "cores", "lock"].into_iter().chain(names).collect();
    (!rows.is_empty()).then(|| table(&header, 3, rows))
}

/// What cannot run, each reason once.
#[must_use]
pub fn refused(all: &[Refused]) -> String {
    let mut reasons: Vec<(&str, BTreeSet<String>)> = vec![];
    for refused in all {
        let Scenario { lock, cores, .. } = refused.scenario;
        let what = format!("{lock} on {cores} {}", if cores == 1 { "core" } else { "cores" });
        match reasons.iter_mut().find(|(why, _)| *why == refused.why) {
            Some((_, scenarios)) => _ = scenarios.insert(what),
            None => reasons.push((&refused.why, BTreeSet::from([what]))),
        }
    }
    let lines = reasons.into_iter().map(|(why, scenarios)| {
        format!("Left out: {}: {why}.\n", scenarios.into_iter().collect::<Vec<_>>().join(", "))
    });
    lines.collect()
}

/// Columns of running text.
const COLUMNS: usize = 110;

/// `text` with lines broken between words; what continues is indented.
#[must_use]
pub fn wrap(text: &str) -> String {
    let mut wrapped = String::new();
    for line in text.lines() {
        let mut column = 0;
        for word in line.split(' ') {
            let width = word.chars().count();
            if column > 0 && column + 1 + width > COLUMNS {
                wrapped += "\n  ";
                column = 2;
            } else if column > 0 {
                wrapped.push(' ');
                column += 1;
            }
            wrapped += word;
            column += width;
        }
        wrapped.push('\n');
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{header, histogram, pass, run, with_waits};
    use crate::summary::Collector;
    use bench_core::Lock::{IrqTicket, Mcs, ParkingLot, Ticket};
    use bench_core::Strategy::{Atomic, Merged};
    use bench_core::{Burnt, Transfer};

    fn everything() -> Run {
        let mut late = pass(Mcs, Merged, 0, &[20, 20]);
        late.cores[1].start += 500;
        run(&[
            pass(Ticket, Merged, 0, &[10, 10]),
            with_waits(pass(Ticket, Merged, 0, &[5, 5]), &[100; 100]),
            late,
            pass(ParkingLot, Merged, 0, &[30, 10]),
            pass(Ticket, Atomic, 0, &[40, 40]),
            pass(Ticket, Merged, 0, &[50]),
        ])
    }

    #[test]
    fn a_row_has_the_figures_of_its_scenario() {
        let text = tables(&everything());
        let (text, _) = text.split_once("\nWhere the time").unwrap();
        let row = |name: &str| text.lines().rfind(|line| line.starts_with(name)).unwrap().split_whitespace();
        let ticket: Vec<_> = text.lines().find(|line| line.contains("50 %")).unwrap().split_whitespace().collect();
        let figures = ["20.00", "100", "(100-100)", "1.00", "50", "%", "1.00", "100/100", "-", "-", "2.0"];
        assert_eq!(ticket, [&["ticket*", "merged"], &figures[..]].concat());
        assert!(row("mcs*!").any(|word| word == "0.38"), "75 ns an operation where ticket takes 200\n{text}");
        assert!(row("parking-lot").any(|word| word == "25"), "{text}");
        assert!(row("pair").eq(["pair", "2", "ticket", "-", "-", "100", "(1.00)", "25.0", "(0.25)", "-"]), "{text}");
    }

    #[test]
    fn tables_fit_and_an_emulated_one_says_so() {
        let emulated = Run { header: crate::record::Header { emulated: true, ..header() }, ..everything() };
        let text = tables(&emulated);
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
        assert_eq!(text.matches("[EMULATED]").count(), 4, "two groups, the strategies, and where the time goes");
        let ticket: Vec<_> = text.lines().find(|line| line.contains("50 %")).unwrap().split_whitespace().collect();
        assert_eq!([ticket[5], ticket[12]], ["-"; 2], "no ratio of emulated times: {text}");
        assert!(!text.contains("(1.00)"), "{text}");
        assert_eq!(tables(&run(&[])), "");
    }

    #[test]
    fn where_the_time_goes_has_a_row_for_each_scenario() {
        let mut with = with_waits(pass(Ticket, Merged, 0, &[5, 5]), &[100; 10]);
        let samples = with.samples.as_mut().unwrap();
        (samples.hold, samples.handover) = (histogram(&[31; 10]), histogram(&[30; 5]));
        (samples.waited, samples.longest) = (500, 99);
        let mut masking = with.clone();
        masking.scenario.lock = IrqTicket;
        let mut collector = Collector::default();
        collector.add_transfer(Transfer { a: 0, b: 1, hz: 1_000_000_000, hops: 10, ticks: 200 });
        let passes = [pass(Ticket, Merged, 0, &[10, 10]), with, pass(IrqTicket, Merged, 0, &[10, 10]), masking];
        passes.iter().for_each(|pass| collector.add(pass));
        let text = tables(&collector.finish(header(), vec![], None));
        let (_, rows) = text.split_once("\nWhere the time").unwrap();
        let row = |name: &str| rows.lines().find(|line| line.contains(name)).unwrap().split_whitespace();
        let figures = ["merged", "31.0", "0.0", "69.0", "0.50", "1.5", "10"];
        assert!(row(" ticket ").eq([&["pair", "2", "ticket"], &figures[..], &["-"]].concat()), "{text}");
        assert!(row("irq-ticket").eq([&["pair", "2", "irq-ticket"], &figures[..], &["99"]].concat()), "{text}");
        assert!(text.contains("between two cores: 20.0 ns\n"), "{text}");
    }

    #[test]
    fn holds_and_thinks_make_a_map_and_are_told_as_they_came_out() {
        let held = |lock, hold_ns, ops: &[u64]| {
            let mut pass = pass(lock, Merged, 0, ops);
            pass.scenario.hold_ns = hold_ns;
            pass.hold = (hold_ns > 0).then(|| Burnt { burns: 1, ticks: 201, ..Burnt::default() });
            pass
        };
        let passes =
            [held(Ticket, 0, &[9, 9]), held(Mcs, 0, &[18, 18]), held(Ticket, 200, &[9, 9]), held(Mcs, 200, &[9, 9])];
        let mut run = run(&passes);
        let text = tables(&run);
        assert!(text.contains("\n0    mcs 2.00 x ticket\n200  none apart\n"), "{text}");
        assert!(text.contains("\nA hold of 200 ns came out as 201.0 ns.\n"), "{text}");
        run.header.emulated = true;
        assert!(!tables(&run).contains("Fastest"), "nothing is fastest where it is emulated");
    }

    #[test]
    fn ways_are_a_matrix_while_it_fits() {
        let ways = |cores: u16| {
            let mut collector = Collector::default();
            for b in 1..cores {
                (0..b).for_each(|a| {
                    let ticks = 10 * u64::from(a + b);
                    collector.add_transfer(Transfer { a, b, hz: 1_000_000_000, hops: 10, ticks });
                });
            }
            tables(&collector.finish(header(), vec![], None))
        };
        assert!(
            ways(3).contains("between two cores: 1.0 ns to 3.0 ns\ncore    0    1    2\n0       -  1.0  2.0\n"),
            "{}",
            ways(3)
        );
        assert_eq!(ways(17).lines().filter(|line| line.starts_with("16 ")).count(), 0);
        assert!(ways(16).lines().all(|line| line.len() <= 120), "{}", ways(16));
    }

    #[test]
    fn text_is_wrapped_between_words() {
        let wrapped = wrap(&format!("{}\nend\n", "word ".repeat(40).trim()));
        assert_eq!(wrapped.lines().count(), 3);
        assert!(wrapped.lines().all(|line| line.len() <= COLUMNS) && wrapped.ends_with("\nend\n"));
    }
}
