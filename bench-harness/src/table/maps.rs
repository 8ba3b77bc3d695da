//! For a terminal: the fastest lock by hold and think, and the ways of a line between the cores.

use std::fmt::Write as _;

use super::{short, table};
use crate::lead::{Lead, Sweep, sweeps};
use crate::summary::Run;

/// A table for each sweep, with a heading; nothing of an emulated run, in which nothing is fastest.
pub(super) fn best(run: &Run) -> String {
    let mut text = String::new();
    for sweep in sweeps(run).iter().filter(|_| !run.header.emulated) {
        let Sweep { workload, strategy, cores, .. } = sweep;
        let _ =
            writeln!(text, "\nFastest by hold (down) and think (across), ns: {workload}, {strategy}, {cores} cores");
        let head: Vec<String> = sweep.thinks.iter().map(ToString::to_string).collect();
        let head: Vec<&str> = [""].into_iter().chain(head.iter().map(String::as_str)).collect();
        let rows = sweep.holds.iter().map(|&hold| {
            let cells = sweep.thinks.iter().map(|&think| sweep.leads.get(&(hold, think)).map_or("-".into(), lead));
            [hold.to_string()].into_iter().chain(cells).collect()
        });
        let _ = writeln!(text, "{}", table(&head, head.len(), rows).trim_fmt());
    }
    text
}

fn lead(lead: &Lead<'_>) -> String {
    let names = 1 + lead.near.len();
    match (lead.behind.first().zip(lead.ratio()), names) {
        (None, _) => "none apart".into(),
        (Some((next, ratio)), 1) => format!("{} {:.2} x {}", lead.best.scenario.lock, ratio.median, next.scenario.lock),
        (Some((next, ratio)), names) => {
            format!("{} and {} more, {:.2} x {}", lead.best.scenario.lock, names - 1, ratio.median, next.scenario.lock)
        }
    }
}

/// More cores than this do not fit.
const MOST: u16 = 16;

/// One way of a line, in nanoseconds; of more cores than fit, the shortest and the longest.
pub(super) fn ways(run: &Run) -> String {
    let known = || run.transfers.iter().filter(|transfer| transfer.hops > 0);
    let Some(last) = known().map(|transfer| transfer.a.max(transfer.b)).max() else { return String::new() };
    let label = if run.header.emulated { "  [EMULATED]" } else { "" };
    let shortest = known().map(bench_core::Transfer::ns).fold(f64::INFINITY, f64::min);
    let longest = known().map(bench_core::Transfer::ns).fold(0.0, f64::max);
    let mut text = format!("\nOne way of a cache line between two cores: {} ns", short(shortest));
    if short(shortest) != short(longest) {
        let _ = write!(text, " to {} ns", short(longest));
    }
    let _ = writeln!(text, "{label}");
    if (2..MOST).contains(&last) {
        let placed = run.header.placement.as_ref().map_or(&[][..], |placed| &placed.cores);
        let name = |core: u16| placed.get(usize::from(core)).map_or_else(|| core.to_string(), ToString::to_string);
        let names: Vec<String> = (0..=last).map(name).collect();
        let head: Vec<&str> = ["core"].into_iter().chain(names.iter().map(String::as_str)).collect();
        let way = |a: u16, b: u16| {
            let found = known().find(|way| (way.a.min(way.b), way.a.max(way.b)) == (a.min(b), a.max(b)));
            found.map_or("-".into(), |way| short(way.ns()))
        };
        let rows = (0..=last).map(|a| [name(a)].into_iter().chain((0..=last).map(|b| way(a, b))).collect());
        let _ = writeln!(text, "{}", table(&head, 1, rows).trim_fmt());
    }
    text
}
