//! Makes the summary of a run out of its passes.
//!
//! ```text
//!  Pass, Pass, …  ──add──►  Collector  ──finish──►  Run ──► answer, table, report
//!   ticks, counts            by scenario             ns, operations a second, shares, percentiles
//! ```
//!
//! A pass is dropped once it has been added: what is kept of a scenario are a few figures for each repeat, and three
//! merged histograms.

use bench_core::record::CoreCount;
use bench_core::{Clock, Pass, Scenario, Transfer};
use hdrhistogram::Histogram;

use crate::details::{Around, Gathering, nanoseconds};
use crate::record::{End, Header, Refused};
use crate::summary::{CellSummary, Percentiles, Run, Spread, VoidCell};

/// Decimal digits that the merged histograms keep; the raw ones know a value to 1/32 of itself.
const DIGITS: u8 = 2;

/// Takes passes one by one; keeps of each what the summary needs.
#[derive(Debug, Default)]
pub struct Collector {
    cells: Vec<Cell>,
    clock: Option<Clock>,
    transfers: Vec<Transfer>,
}

#[derive(Debug)]
struct Cell {
    scenario: Scenario,
    plain: Vec<Speed>,
    instrumented: Vec<f64>,
    times: [Times; 3],
    details: Gathering,
    void: Option<VoidCell>,
}

/// Of one pass.
#[derive(Debug)]
struct Speed {
    ops_per_s: f64,
    ns_per_op: f64,
    shares: Vec<f64>,
    jain: f64,
    concurrency: f64,
}

/// Waiting, holding or handing over: merged.
#[derive(Debug)]
struct Times {
    merged: Histogram<u64>,
    max: u64,
}

impl Default for Times {
    fn default() -> Self {
        Self { merged: Histogram::new(DIGITS).expect("it may have up to five digits"), max: 0 }
    }
}

impl Times {
    fn add(&mut self, raw: &bench_core::histogram::Histogram, hz: u64) {
        for (low, width, count) in raw.iter() {
            let middle = nanoseconds(low + (width - 1) / 2, hz).round();
            self.merged.record_n(middle as u64, count.into()).expect("it grows with its values");
        }
        self.max = self.max.max(nanoseconds(raw.max(), hz).round() as u64);
    }

    fn percentiles(&self) -> Option<Percentiles> {
        let at = |quantile| self.merged.value_at_quantile(quantile).min(self.max);
        (!self.merged.is_empty()).then(|| Percentiles {
            count: self.merged.len(),
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            max: self.max,
        })
    }
}

impl Speed {
    /// `None` if nobody completed anything, or no time passed.
    fn of(pass: &Pass) -> Option<Self> {
        let seconds = |core: &CoreCount| nanoseconds(core.stop.saturating_sub(core.start), pass.hz) / 1e9;
        let ops: f64 = pass.cores.iter().map(|core| core.ops as f64).sum();
        let time: f64 = pass.cores.iter().map(seconds).sum();
        if ops == 0.0 || pass.cores.iter().any(|core| core.stop <= core.start) {
            return None;
        }
        let mut shares: Vec<f64> = pass.cores.iter().map(|core| core.ops as f64 / ops).collect();
        shares.sort_by(|a, b| b.total_cmp(a));
        let squares: f64 = shares.iter().map(|share| share * share).sum();
        let (earliest, latest) =
            (|times: &[u64]| times.iter().min().copied(), |times: &[u64]| times.iter().max().copied());
        let [starts, stops] = [|core: &CoreCount| core.start, |core: &CoreCount| core.stop]
            .map(|time| pass.cores.iter().map(time).collect::<Vec<_>>());
        let together = earliest(&stops)?.saturating_sub(latest(&starts)?);
        let any = latest(&stops)? - earliest(&starts)?;
        Some(Self {
            ops_per_s: pass.cores.iter().map(|core| core.ops as f64 / seconds(core)).sum(),
            ns_per_op: time * 1e9 / ops,
            jain: 1.0 / (shares.len() as f64 * squares),
            shares,
            concurrency: together as f64 / any as f64,
        })
    }
}

impl Collector {
    /// Takes `pass` into account.
    pub fn add(&mut self, pass: &Pass) {
        let index = self.cells.iter().position(|cell| cell.scenario == pass.scenario).unwrap_or_else(|| {
            let scenario = pass.scenario;
            self.cells.push(Cell {
                scenario,
                plain: vec![],
                instrumented: vec![],
                times: Default::default(),
                details: Gathering::default(),
                void: None,
            });
            self.cells.len() - 1
        });
        let cell = &mut self.cells[index];
        let speed = if pass.wrong.is_none() { Speed::of(pass) } else { None };
        if let Some(speed) = &speed {
            cell.details.add(pass, speed.concurrency);
        }
        match (speed, &pass.samples) {
            (None, _) => {
                let Pass { scenario, repeat, wrong, .. } = *pass;
                cell.void.get_or_insert(VoidCell { scenario, repeat, wrong });
            }
            (Some(speed), None) => cell.plain.push(speed),
            (Some(speed), Some(samples)) => {
                cell.instrumented.push(speed.ns_per_op);
                for (times, raw) in cell.times.iter_mut().zip([&samples.wait, &samples.hold, &samples.handover]) {
                    times.add(raw, pass.hz);
                }
            }
        }
    }

    /// The clock was measured.
    pub fn add_clock(&mut self, clock: Clock) {
        self.clock = Some(clock);
    }

    /// A way of a line was measured.
    pub fn add_transfer(&mut self, transfer: Transfer) {
        self.transfers.push(transfer);
    }

    /// The void passes so far.
    pub fn void(&self) -> impl Iterator<Item = &VoidCell> {
        self.cells.iter().filter_map(|cell| cell.void.as_ref())
    }

    /// What they say together. A scenario of which there is no pass without instruments yet is left out.
    #[must_use]
    pub fn finish(self, header: Header, refused: Vec<Refused>, end: Option<End>) -> Run {
        let void = self.void().cloned().collect();
        let around = Around { header: &header, clock: self.clock, transfers: &self.transfers };
        let good = self.cells.into_iter().filter(|cell| cell.void.is_none());
        let cells = good.filter_map(|cell| cell.summary(around)).collect();
        Run { header, clock: self.clock, transfers: self.transfers, cells, void, refused, end }
    }
}

impl Cell {
    fn summary(mut self, around: Around<'_>) -> Option<CellSummary> {
        let spread = |figure: fn(&Speed) -> f64| Spread::of(self.plain.iter().map(figure));
        let ns_per_op = spread(|speed| speed.ns_per_op)?;
        let (ops_per_s, jain) = (spread(|speed| speed.ops_per_s)?, spread(|speed| speed.jain)?);
        let concurrency = spread(|speed| speed.concurrency)?;
        let repeats = self.plain.len();
        let each = self.plain.iter().map(|speed| speed.ns_per_op).collect();
        self.plain.sort_by(|a, b| a.jain.total_cmp(&b.jain));
        let shares = self.plain.swap_remove((repeats - 1) / 2).shares;
        let [wait, hold, handover] = self.times.each_ref().map(Times::percentiles);
        let [waits, ..] = self.times;
        let what = (self.scenario.lock, self.scenario.cores);
        let details = self.details.finish(what, ns_per_op.median, handover, around);
        Some(CellSummary {
            scenario: self.scenario,
            repeats,
            each,
            ops_per_s,
            ns_per_op,
            shares,
            jain,
            concurrency,
            wait,
            hold,
            handover,
            waits: wait.map(|_| waits.merged),
            overhead: Spread::of(self.instrumented).map(|with| with.median / ns_per_op.median),
            details,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{pass, run, with_waits};
    use bench_core::Lock::{Mcs, Ticket};
    use bench_core::Strategy::Merged;
    use bench_core::Wrong;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9 * b.abs().max(1.0)
    }

    #[test]
    fn speed_shares_and_fairness_of_two_cores() {
        // 30 and 10 operations in 1000 ns: 40 in 2000 ns of cores.
        let run = run(&[pass(Ticket, Merged, 0, &[10, 30])]);
        let [cell] = &run.cells[..] else { panic!("{:?}", run.cells) };
        assert!(near(cell.ops_per_s.median, 4e7) && near(cell.ns_per_op.median, 50.0));
        assert_eq!(cell.shares, [0.75, 0.25]);
        assert!(near(cell.jain.median, 1600.0 / (2.0 * 1000.0)));
        assert!(near(cell.concurrency.median, 1.0));
        assert_eq!((cell.repeats, cell.wait, cell.overhead), (1, None, None));
    }

    #[test]
    fn repeats_make_ranges_and_a_core_that_is_late_shows() {
        let mut late = pass(Ticket, Merged, 1, &[20, 10]);
        late.cores[1].start += 500;
        let run = run(&[pass(Ticket, Merged, 0, &[20, 20]), late, pass(Ticket, Merged, 2, &[10, 10])]);
        let cell = &run.cells[0];
        assert_eq!((cell.ns_per_op.median, cell.ns_per_op.low, cell.ns_per_op.high), (50.0, 50.0, 100.0));
        assert_eq!((cell.concurrency.low, cell.concurrency.high), (0.5, 1.0));
        assert_eq!(cell.each, [50.0, 50.0, 100.0]);
        assert!(near(cell.ops_per_s.median, 4e7), "the late one's are counted in its own time");
    }

    #[test]
    fn waits_are_merged_over_repeats_and_the_instruments_cost_is_known() {
        let [plain, slow] = [&[100, 100], &[50, 50]].map(|ops| pass(Mcs, Merged, 0, ops));
        let passes =
            [plain, with_waits(slow.clone(), &[10; 98]), with_waits(Pass { repeat: 1, ..slow }, &[1000, 123_456_789])];
        let cell = &run(&passes).cells[0];
        assert_eq!(cell.repeats, 1);
        assert!(near(cell.overhead.unwrap(), 2.0));
        let wait = cell.wait.unwrap();
        assert_eq!((wait.count, wait.p50, wait.max), (100, 10, 123_456_789));
        assert!((990..1040).contains(&wait.p99) && wait.p999 > 119_000_000, "{wait:?}");
        assert_eq!(cell.waits.as_ref().unwrap().len(), 100);
        assert_eq!((cell.hold, cell.handover), (None, None));
    }

    #[test]
    fn ticks_become_nanoseconds() {
        let slow_clock = Pass { hz: 62_500_000, ..with_waits(pass(Mcs, Merged, 0, &[1]), &[10]) };
        let cell = &run(&[Pass { samples: None, ..slow_clock.clone() }, slow_clock]).cells[0];
        assert_eq!((cell.wait.unwrap().p50, cell.ns_per_op.median), (160, 16_000.0));
    }

    #[test]
    fn a_scenario_with_one_wrong_pass_has_no_figures() {
        let mut wrong = pass(Mcs, Merged, 1, &[10, 10]);
        wrong.wrong = Some(Wrong::Leaked);
        let run = run(&[pass(Mcs, Merged, 0, &[10, 10]), wrong.clone(), pass(Ticket, Merged, 0, &[10, 10])]);
        assert_eq!(run.cells.len(), 1);
        assert_eq!(run.void, [VoidCell { scenario: wrong.scenario, repeat: 1, wrong: wrong.wrong }]);
    }

    #[test]
    fn nothing_done_and_no_time_are_no_figures_either() {
        let mut instant = pass(Mcs, Merged, 0, &[10, 10]);
        instant.cores[0].stop = instant.cores[0].start;
        let run = run(&[pass(Ticket, Merged, 0, &[0, 0]), instant]);
        assert!(run.cells.is_empty() && run.void.iter().all(|cell| cell.wrong.is_none()));
        assert_eq!(run.void.len(), 2);
    }
}
