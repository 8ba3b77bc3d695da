//! The figures of runs for other programs: a row, or an object, for each scenario, with names that stay and have their
//! units.
//!
//! ```text
//!  Run, Run, …  ──►  Figures ──┬─ JSON: {"v":1, "runs": [{…, "scenarios": [Row, …]}]}      schema/figures-v1.json
//!                              └─ CSV: the rows of all runs, a header once
//! ```
//!
//! What is not known is `null`, or empty. A figure that is added gets a new name; none changes its meaning.

use anyhow::{Context as _, Result};
use bench_core::{Lock, Mix, Scenario, Strategy, Workload};
use schemars::JsonSchema;
use serde::Serialize;

use crate::record::{Header, Refused};
use crate::summary::{CellSummary, Percentiles, Run};

/// The version of the format. A field that is added does not change it; one that changes its meaning does.
pub const VERSION: u32 = 1;

/// All of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Figures {
    /// The version of the format.
    pub v: u32,
    /// In the order of the files.
    pub runs: Vec<Measured>,
}

/// A run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Measured {
    /// What ran where, from which source.
    pub run: Header,
    /// Whether everything that was planned was measured.
    pub complete: bool,
    /// What a reading of the clock takes.
    pub clock_read_ns: Option<f64>,
    /// The smallest time that the clock can tell.
    pub clock_resolution_ns: Option<f64>,
    /// What a cache line takes from one core to another.
    pub transfers: Vec<Way>,
    /// What has figures.
    pub scenarios: Vec<Row>,
    /// What was measured, and means nothing.
    pub void: Vec<Void>,
    /// What was asked for, and cannot run there.
    pub refused: Vec<Refused>,
}

/// A way of a cache line.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Way {
    /// One core: that of this worker in the first repeat.
    pub a: u16,
    /// The other one, likewise.
    pub b: u16,
    /// One way.
    pub one_way_ns: f64,
}

/// A scenario without figures.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Void {
    /// What ran.
    pub scenario: Scenario,
    /// In which repeat it went wrong first.
    pub repeat: u32,
    /// What was wrong.
    pub why: String,
}

/// The figures of a scenario. `low` and `high` are the ends of the interval around a median: where
/// it would be in 95 of 100 such runs; of few repeats, the smallest and the largest.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Row {
    /// When the run began, in UTC.
    pub started: String,
    /// Where it ran.
    #[serde(rename = "where")]
    pub place: String,
    /// Whether the machine was imitated by a program: then no time says anything of hardware.
    pub emulated: bool,
    /// The lock of the pool.
    pub lock: Lock,
    /// Where counts and lists are changed.
    pub strategy: Strategy,
    /// What every core does.
    pub workload: Workload,
    /// Which orders are allocated.
    pub mix: Mix,
    /// How many cores do it at once.
    pub cores: u16,
    /// How much longer every section holds the lock, as asked for.
    pub hold_requested_ns: u32,
    /// The same as it came out.
    pub hold_achieved_ns: Option<f64>,
    /// How long a core does something else after each operation, as asked for.
    pub think_requested_ns: u32,
    /// The same as it came out.
    pub think_achieved_ns: Option<f64>,
    /// Passes without instruments.
    pub repeats: usize,
    /// Of them, those in which the cores were at work together for less than 95 % of the time.
    pub repeats_apart: usize,
    /// Overlap of the measured windows of the cores, a part of one.
    pub together: f64,
    /// Nanoseconds an operation, as one core sees it.
    pub ns_per_op_median: f64,
    /// The lower end of its interval.
    pub ns_per_op_low: f64,
    /// The upper end.
    pub ns_per_op_high: f64,
    /// Operations a second, of all cores together.
    pub ops_per_s_median: f64,
    /// The lower end of its interval.
    pub ops_per_s_low: f64,
    /// The upper end.
    pub ops_per_s_high: f64,
    /// Which part of the operations the core did that did least.
    pub share_least: f64,
    /// And the one that did most.
    pub share_largest: f64,
    /// Jain's index of the operations of the cores.
    pub jain: f64,
    /// The longest that a core completed nothing.
    pub longest_gap_ns: Option<f64>,
    /// ns/op with instruments by ns/op without.
    pub probe_overhead: Option<f64>,
    /// Of an operation: with the lock held.
    pub critical_ns_per_op: Option<f64>,
    /// Whether sections are shorter than a reading of the clock, so that part of them counts as overhead.
    pub critical_is_rough: Option<bool>,
    /// Of an operation: the think.
    pub think_ns_per_op: Option<f64>,
    /// Of an operation: the rest.
    pub overhead_ns_per_op: Option<f64>,
    /// How many cores waited on average.
    pub waiters: Option<f64>,
    /// The median handover by the median one-way transfer of a cache line between the cores that took part.
    pub handover_transfers: Option<f64>,
    /// The longest that interrupts were masked, under a lock that masks them.
    pub longest_masked_ns: Option<f64>,
    /// How many waits were timed.
    pub wait_count: Option<u64>,
    /// From the call to the acquisition.
    pub wait_p50_ns: Option<u64>,
    /// The same.
    pub wait_p99_ns: Option<u64>,
    /// The same.
    pub wait_p999_ns: Option<u64>,
    /// The same.
    pub wait_max_ns: Option<u64>,
    /// How many holds were timed.
    pub hold_count: Option<u64>,
    /// From the acquisition to the release.
    pub hold_p50_ns: Option<u64>,
    /// The same.
    pub hold_p99_ns: Option<u64>,
    /// The same.
    pub hold_p999_ns: Option<u64>,
    /// The same.
    pub hold_max_ns: Option<u64>,
    /// How many handovers were timed.
    pub handover_count: Option<u64>,
    /// From a release to the acquisition by one who waited for it.
    pub handover_p50_ns: Option<u64>,
    /// The same.
    pub handover_p99_ns: Option<u64>,
    /// The same.
    pub handover_p999_ns: Option<u64>,
    /// The same.
    pub handover_max_ns: Option<u64>,
}

impl Figures {
    /// Of `runs`.
    #[must_use]
    pub fn of<'r>(runs: impl IntoIterator<Item = &'r Run>) -> Self {
        Self { v: VERSION, runs: runs.into_iter().map(Measured::of).collect() }
    }

    /// As JSON, to be read by people too.
    ///
    /// # Errors
    ///
    /// It cannot be written, of which no case is known.
    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self).context("the figures cannot be written as JSON")? + "\n")
    }

    /// The rows, under a header.
    ///
    /// # Errors
    ///
    /// It cannot be written, of which no case is known.
    pub fn csv(&self) -> Result<String> {
        let mut writer = csv::Writer::from_writer(vec![]);
        for row in self.runs.iter().flat_map(|run| &run.scenarios) {
            writer.serialize(row).context("the figures cannot be written as CSV")?;
        }
        Ok(String::from_utf8(writer.into_inner().context("the figures cannot be written as CSV")?)?)
    }
}

impl Measured {
    fn of(run: &Run) -> Self {
        let known = run.transfers.iter().filter(|transfer| transfer.hops > 0);
        let void = |void: &crate::summary::VoidCell| Void {
            scenario: void.scenario,
            repeat: void.repeat,
            why: void.about().into(),
        };
        Self {
            run: run.header.clone(),
            complete: run.complete(),
            clock_read_ns: run.clock.map(|clock| clock.read_ns()),
            clock_resolution_ns: run.clock.map(|clock| clock.resolution_ns()),
            transfers: known.map(|way| Way { a: way.a, b: way.b, one_way_ns: way.ns() }).collect(),
            scenarios: run.cells.iter().map(|cell| Row::of(&run.header, cell)).collect(),
            void: run.void.iter().map(void).collect(),
            refused: run.refused.clone(),
        }
    }
}

impl Row {
    fn of(header: &Header, cell: &CellSummary) -> Self {
        let Scenario { lock, strategy, workload, mix, cores, hold_ns, think_ns } = cell.scenario;
        let (details, parts) = (&cell.details, cell.details.parts);
        let all = |times: Option<Percentiles>, figure: fn(Percentiles) -> u64| times.map(figure);
        let (wait, hold, handover) = (cell.wait, cell.hold, cell.handover);
        Self {
            started: header.started.clone(),
            place: header.place.clone(),
            emulated: header.emulated,
            lock,
            strategy,
            workload,
            mix,
            cores,
            hold_requested_ns: hold_ns,
            hold_achieved_ns: details.hold_ns,
            think_requested_ns: think_ns,
            think_achieved_ns: details.think_ns,
            repeats: cell.repeats,
            repeats_apart: details.apart,
            together: cell.concurrency.median,
            ns_per_op_median: cell.ns_per_op.median,
            ns_per_op_low: cell.ns_per_op.low,
            ns_per_op_high: cell.ns_per_op.high,
            ops_per_s_median: cell.ops_per_s.median,
            ops_per_s_low: cell.ops_per_s.low,
            ops_per_s_high: cell.ops_per_s.high,
            share_least: cell.share_min(),
            share_largest: cell.share_max(),
            jain: cell.jain.median,
            longest_gap_ns: details.gap_ns,
            probe_overhead: cell.overhead,
            critical_ns_per_op: parts.map(|parts| parts.critical),
            critical_is_rough: parts.map(|parts| parts.rough),
            think_ns_per_op: parts.map(|parts| parts.think),
            overhead_ns_per_op: parts.map(|parts| parts.overhead),
            waiters: details.waiters,
            handover_transfers: details.handover_transfers,
            longest_masked_ns: details.masked_ns,
            wait_count: all(wait, |times| times.count),
            wait_p50_ns: all(wait, |times| times.p50),
            wait_p99_ns: all(wait, |times| times.p99),
            wait_p999_ns: all(wait, |times| times.p999),
            wait_max_ns: all(wait, |times| times.max),
            hold_count: all(hold, |times| times.count),
            hold_p50_ns: all(hold, |times| times.p50),
            hold_p99_ns: all(hold, |times| times.p99),
            hold_p999_ns: all(hold, |times| times.p999),
            hold_max_ns: all(hold, |times| times.max),
            handover_count: all(handover, |times| times.count),
            handover_p50_ns: all(handover, |times| times.p50),
            handover_p99_ns: all(handover, |times| times.p99),
            handover_p999_ns: all(handover, |times| times.p999),
            handover_max_ns: all(handover, |times| times.max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{pass, run, with_waits};
    use bench_core::Strategy::Merged;

    fn figures() -> Figures {
        let plain = pass(Lock::Mcs, Merged, 0, &[10, 30]);
        let with = with_waits(plain.clone(), &[7; 9]);
        Figures::of([&run(&[plain, with]), &run(&[pass(Lock::Ticket, Merged, 0, &[10])])])
    }

    #[test]
    fn csv_has_a_header_once_and_a_row_for_each_scenario() {
        let csv = figures().csv().unwrap();
        let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
        let [head, mcs, ticket] = &lines[..] else { panic!("{csv}") };
        let at = |row: &Vec<&str>, name: &str| {
            let index = head.iter().position(|have| *have == name).unwrap_or_else(|| panic!("{name}: {csv}"));
            row[index].to_owned()
        };
        assert_eq!([at(mcs, "lock"), at(mcs, "cores"), at(mcs, "ns_per_op_median")], ["mcs", "2", "50.0"]);
        assert_eq!([at(mcs, "wait_p50_ns"), at(mcs, "wait_count"), at(mcs, "hold_p50_ns")], ["7", "9", ""]);
        assert_eq!([at(ticket, "where"), at(ticket, "wait_p50_ns"), at(ticket, "emulated")], ["host", "", "false"]);
    }

    #[test]
    fn json_has_an_object_for_each_scenario_under_its_run() {
        let json: serde_json::Value = serde_json::from_str(&figures().json().unwrap()).unwrap();
        assert_eq!((&json["v"], json["runs"].as_array().unwrap().len()), (&1.into(), 2));
        let row = &json["runs"][0]["scenarios"][0];
        assert_eq!((&row["share_largest"], &row["handover_p99_ns"]), (&0.75.into(), &serde_json::Value::Null));
        assert_eq!(json["runs"][0]["run"]["where"], "host");
    }
}
