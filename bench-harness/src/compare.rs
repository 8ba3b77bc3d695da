//! Two runs against each other: what has become slower, as a table and an exit status.
//!
//! ```text
//!  slower    all three: the intervals do not overlap, the rank test is significant (corrected for the number of
//!            scenarios), and the median has changed by the minimum effect or more
//!  faster    the same, the other way
//!  same      the interval of the ratio lies within the minimum effect
//!  unclear   anything else: too few repeats, too much noise, or a small difference that is sure
//! ```
//!
//! 1. Each condition alone raises false alarms on a machine that others use; together, measured: docs/results/compare.md.
//! 2. Scenarios are matched by all that they are. Those of one run only are named, and decide nothing.
//! 3. What is not the same machine, build or source is said first: the ratio is then one of machines.
//! 4. Void scenarios have no figures; if one is void in B and was not in A, that is worse than slow.

use std::fmt::Write as _;

use anyhow::Result;
use bench_core::Scenario;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::session::Impossible;
use crate::statistics::{ENOUGH, Spread, holm, rank_test, ratio};
use crate::summary::{CellSummary, Run};
use crate::table::short;
use crate::{busy, local};

/// The version of what `--json` prints.
const VERSION: u32 = 1;

/// What counts as a difference.
#[derive(Clone, Copy, Debug)]
pub struct Criteria {
    /// How likely any false alarm may be.
    pub alpha: f64,
    /// The least change that matters: 0.05 is 5 %.
    pub least: f64,
}

/// What became of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// B takes longer.
    Slower,
    /// B takes less long.
    Faster,
    /// It cannot be told.
    Unclear,
    /// No difference that matters.
    Same,
}

/// A scenario that both runs have.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// It.
    pub scenario: Scenario,
    /// ns an operation of A: median, and interval.
    #[serde(serialize_with = "figures")]
    pub a_ns: Spread,
    /// Of B.
    #[serde(serialize_with = "figures")]
    pub b_ns: Spread,
    /// B by A.
    #[serde(serialize_with = "figures")]
    pub ratio: Spread,
    /// Of the rank test, corrected for the number of scenarios.
    pub p: f64,
    /// What became of it.
    pub verdict: Verdict,
}

/// Two runs, compared.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The version of this.
    pub v: u32,
    /// What differs beside the figures.
    pub differs: Vec<String>,
    /// What both have, the slowest first.
    pub rows: Vec<Row>,
    /// What A alone has figures of.
    pub only_a: Vec<Scenario>,
    /// What B alone has figures of.
    pub only_b: Vec<Scenario>,
    /// What is void in B, and was not in A.
    pub void_b: Vec<Scenario>,
}

fn figures<S: serde::Serializer>(spread: &Spread, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Figures {
        median: f64,
        low: f64,
        high: f64,
    }
    let Spread { median, low, high } = *spread;
    Figures { median, low, high }.serialize(serializer)
}

/// Compares `b` with `a`, the baseline.
///
/// # Errors
///
/// One of them is emulated, or they have no scenario in common.
pub fn compare(a: &Run, b: &Run, criteria: Criteria) -> Result<Comparison> {
    if a.header.emulated || b.header.emulated {
        let why = "a run on an emulated machine has no times to compare: what it shows is that the code works";
        return Err(Impossible(why.into()).into());
    }
    let of = |run: &'_ Run, scenario| run.cells.iter().position(|cell| cell.scenario == scenario);
    let pairs: Vec<(&CellSummary, &CellSummary)> =
        a.cells.iter().filter_map(|cell| Some((cell, &b.cells[of(b, cell.scenario)?]))).collect();
    if pairs.is_empty() {
        return Err(Impossible("the two runs have no scenario in common".into()).into());
    }
    let p = holm(&pairs.iter().map(|(a, b)| rank_test(&a.each, &b.each)).collect::<Vec<_>>());
    let mut rows: Vec<Row> = pairs.iter().zip(p).filter_map(|((a, b), p)| row(a, b, p, criteria)).collect();
    rows.sort_by(|one, other| other.ratio.median.total_cmp(&one.ratio.median));
    let only = |one: &Run, other: &Run| {
        let here = one.cells.iter().map(|cell| cell.scenario);
        here.filter(|&scenario| of(other, scenario).is_none()).collect()
    };
    let void = |run: &Run, scenario| run.void.iter().any(|void| void.scenario == scenario);
    let void_b = b.void.iter().map(|void| void.scenario).filter(|&scenario| !void(a, scenario)).collect();
    Ok(Comparison { v: VERSION, differs: differs(a, b), rows, only_a: only(a, b), only_b: only(b, a), void_b })
}

fn row(a: &CellSummary, b: &CellSummary, p: f64, Criteria { alpha, least }: Criteria) -> Option<Row> {
    let (a_ns, b_ns) = (a.ns_per_op, b.ns_per_op);
    let ratio = ratio(&a.each, &b.each)?;
    let sure = p < alpha && !a_ns.overlaps(&b_ns) && a.repeats.min(b.repeats) >= ENOUGH;
    let verdict = if sure && ratio.median >= 1.0 + least {
        Verdict::Slower
    } else if sure && ratio.median <= 1.0 / (1.0 + least) {
        Verdict::Faster
    } else if ratio.low > 1.0 / (1.0 + least) && ratio.high < 1.0 + least {
        Verdict::Same
    } else {
        Verdict::Unclear
    };
    Some(Row { scenario: a.scenario, a_ns, b_ns, ratio, p, verdict })
}

/// What a ratio would be of beside the source.
fn differs(a: &Run, b: &Run) -> Vec<String> {
    let (a, b) = (&a.header, &b.header);
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".into());
    let pairs = [
        ("processor", text(&a.machine.cpu), text(&b.machine.cpu)),
        ("cores", a.machine.cores.to_string(), b.machine.cores.to_string()),
        ("kernel", a.machine.os.clone(), b.machine.os.clone()),
        ("governor", text(&a.machine.governor), text(&b.machine.governor)),
        ("compiler", a.build.rustc.clone(), b.build.rustc.clone()),
        ("profile", a.build.profile.clone(), b.build.profile.clone()),
        ("where", a.place.clone(), b.place.clone()),
        ("source", a.source.to_string(), b.source.to_string()),
    ];
    let named = pairs.into_iter().filter(|(_, a, b)| a != b).map(|(what, a, b)| format!("{what}: {a}, then {b}"));
    let disturbed = [("A", a), ("B", b)].into_iter().flat_map(|(name, header)| {
        let loud = header.notes.iter().filter(|note| busy::is_told_by(note)).max(); // of many rounds, one
        loud.map(|note| format!("in {name}, {note}"))
    });
    named.chain(disturbed).collect()
}

impl Comparison {
    /// Whether something is slower, or void that was not.
    #[must_use]
    pub fn alarms(&self) -> bool {
        !self.void_b.is_empty() || self.rows.iter().any(|row| row.verdict == Verdict::Slower)
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict == verdict).count()
    }

    /// For a terminal.
    #[must_use]
    pub fn text(&self, criteria: Criteria) -> String {
        let mut text = String::new();
        for differs in &self.differs {
            let _ = writeln!(text, "Differs: {differs}.");
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["scenario", "A ns/op", "B ns/op", "B / A", "interval", "p", ""]);
        for row in &self.rows {
            let figure =
                |spread: &Spread| format!("{} ({}-{})", short(spread.median), short(spread.low), short(spread.high));
            let verdict = match row.verdict {
                Verdict::Slower => "SLOWER",
                Verdict::Faster => "faster",
                Verdict::Unclear => "unclear",
                Verdict::Same => "same",
            };
            table.add_row([
                local::name(row.scenario),
                figure(&row.a_ns),
                figure(&row.b_ns),
                format!("{:.3}", row.ratio.median),
                format!("{:.3}-{:.3}", row.ratio.low, row.ratio.high),
                format!("{:.3}", row.p),
                verdict.into(),
            ]);
        }
        for (i, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            column.set_cell_alignment(if i == 0 || i == 6 { CellAlignment::Left } else { CellAlignment::Right });
        }
        let _ = writeln!(text, "{}", table.trim_fmt());
        for (what, all) in [("A", &self.only_a), ("B", &self.only_b)] {
            for &scenario in all {
                let _ = writeln!(text, "Only {what} has {}.", local::name(scenario));
            }
        }
        for &scenario in &self.void_b {
            let _ = writeln!(text, "VOID in B, and not in A: {}.", local::name(scenario));
        }
        let _ = writeln!(
            text,
            "\n{} scenarios: {} slower, {} faster, {} the same within {:.0} %, {} unclear.",
            self.rows.len(),
            self.count(Verdict::Slower),
            self.count(Verdict::Faster),
            self.count(Verdict::Same),
            criteria.least * 100.0,
            self.count(Verdict::Unclear)
        );
        text + "A is the baseline. Intervals: 95 %, bootstrap; p: Mann-Whitney, two-sided, corrected (Holm).\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{pass, run};
    use bench_core::Lock::{Mcs, Queued, Ticket};
    use bench_core::Strategy::Merged;
    use bench_core::{Lock, Pass, Wrong};

    const CRITERIA: Criteria = Criteria { alpha: 0.05, least: 0.05 };

    /// Ten repeats about so many operations.
    fn repeats(lock: Lock, ops: u64, noise: impl Fn(u32) -> u64) -> Vec<Pass> {
        (0..10).map(|repeat| pass(lock, Merged, repeat, &[ops + noise(repeat)])).collect()
    }

    fn some(repeat: u32) -> u64 {
        u64::from(repeat) * 7 % 10
    }

    fn verdicts(a: &[Pass], b: &[Pass]) -> Vec<(Lock, Verdict)> {
        let comparison = compare(&run(a), &run(b), CRITERIA).unwrap();
        comparison.rows.iter().map(|row| (row.scenario.lock, row.verdict)).collect()
    }

    #[test]
    fn what_differs_is_told_and_what_does_not_is_not() {
        let a = [repeats(Ticket, 1000, some), repeats(Mcs, 1000, some), repeats(Queued, 1000, some)].concat();
        let b = [repeats(Ticket, 880, some), repeats(Mcs, 1130, some), repeats(Queued, 1001, some)].concat();
        assert_eq!(
            verdicts(&a, &b),
            [(Ticket, Verdict::Slower), (Queued, Verdict::Same), (Mcs, Verdict::Faster)],
            "the slowest first"
        );
        let sure_but_small = repeats(Ticket, 970, some);
        assert_eq!(verdicts(&a[..10], &sure_but_small), [(Ticket, Verdict::Same)]);
        let wild = repeats(Ticket, 600, |repeat| u64::from(repeat) * 80);
        assert_eq!(verdicts(&a[..10], &wild), [(Ticket, Verdict::Unclear)]);
        assert_eq!(verdicts(&a[..3], &b[..3]), [(Ticket, Verdict::Unclear)], "three repeats are too few");
    }

    #[test]
    fn what_one_run_alone_has_is_named_and_what_has_become_void_is_an_alarm() {
        let a = run(&[repeats(Ticket, 1000, some), repeats(Mcs, 1000, some)].concat());
        let mut void = repeats(Mcs, 1000, some);
        void[3].wrong = Some(Wrong::Leaked);
        let b = run(&[repeats(Ticket, 1000, some), void, repeats(Queued, 1000, some)].concat());
        let comparison = compare(&a, &b, CRITERIA).unwrap();
        assert!(comparison.alarms());
        let text = comparison.text(CRITERIA);
        for says in ["Only A has mcs", "Only B has queued", "VOID in B, and not in A: mcs", "1 scenarios: 0 slower"] {
            assert!(text.contains(says), "{says}: {text}");
        }
        assert!(!compare(&a, &a, CRITERIA).unwrap().alarms());
        let apart = compare(&a, &run(&repeats(Queued, 1, some)), CRITERIA);
        assert!(apart.unwrap_err().is::<Impossible>());
        let mut emulated = a.clone();
        emulated.header.emulated = true;
        assert!(compare(&a, &emulated, CRITERIA).unwrap_err().to_string().contains("no times to compare"));
    }

    #[test]
    fn another_machine_is_said_first() {
        let a = run(&repeats(Ticket, 1000, some));
        let mut b = a.clone();
        b.header.machine.cores = 64;
        let text = compare(&a, &b, CRITERIA).unwrap().text(CRITERIA);
        assert!(text.starts_with("Differs: cores: 2, then 64."), "{text}");
        b.header.notes.push("other programs used 9 % of this machine meanwhile".into());
        let text = compare(&a, &b, CRITERIA).unwrap().text(CRITERIA);
        assert!(text.contains("Differs: in B, other programs used 9 %"), "{text}");
    }

    /// Runs of 40 scenarios whose noise has a heavy tail and drifts from scenario to scenario, as on a machine that others
    /// use: the same against the same, and against one that is a tenth slower.
    #[test]
    fn noise_alone_raises_no_alarm_and_a_tenth_is_found() {
        let mut state = 1_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let (mut alarms, mut found) = (0, 0);
        const ALL: usize = 160;
        for _ in 0..ALL {
            let mut sample = |slow: f64| -> Vec<f64> {
                let drift = 1.0 + 0.01 * random();
                (0..10).map(|_| 100.0 * slow * drift * (1.0 + 0.004 / (random() + 0.02))).collect()
            };
            let (a, same, slow) = (sample(1.0), sample(1.0), sample(1.1));
            let verdict = |b: &[f64]| {
                let cell = |each: &[f64]| {
                    let run = run(&repeats(Ticket, 1, |_| 1));
                    CellSummary {
                        each: each.to_vec(),
                        ns_per_op: Spread::of(each.iter().copied()).unwrap(),
                        ..run.cells[0].clone()
                    }
                };
                // Corrected as one of 40 is.
                row(&cell(&a), &cell(b), (rank_test(&a, b) * 40.0).min(1.0), CRITERIA).unwrap().verdict
            };
            alarms += usize::from(verdict(&same) == Verdict::Slower);
            found += usize::from(verdict(&slow) == Verdict::Slower);
        }
        assert!(alarms * 100 <= ALL, "{alarms} false alarms of {ALL}");
        assert!(found * 4 >= ALL * 3, "a tenth was found {found} times of {ALL}");
    }
}
