//! Plot: how long the lock is held, and how long it takes from a release to the next waiter: p50 to p99.

use plotters::style::Color as _;

use super::bars::{self, Bar, Row, Scale};
use super::data::data;
use super::palette::look;
use super::select::on_most_cores;
use super::text::{cores, labelled, trimmed_time};
use crate::summary::{CellSummary, Percentiles, Run};

/// For each task one plot of each, if there are such times.
pub(super) fn plots(run: &Run) -> Vec<String> {
    let holds: fn(&CellSummary) -> Option<Percentiles> = |cell| cell.hold;
    let handovers: fn(&CellSummary) -> Option<Percentiles> = |cell| cell.handover;
    let mut plots = vec![];
    for (task, most, cells) in on_most_cores(run) {
        for (what, times) in [("hold", holds), ("handover", handovers)] {
            let rows: Vec<Row> = cells.iter().filter_map(|cell| row(cell, times(cell)?)).collect();
            if !rows.is_empty() {
                let title = format!("{task}: {what}, p50 to p99, {}; logarithmic", cores(most));
                let title = labelled(run, &title);
                let below = percentiles(&title, cells.iter().filter_map(|cell| Some((*cell, times(cell)?))));
                plots.push(bars::plot(&title, &rows, &Scale::Log, trimmed_time, &below));
            }
        }
    }
    plots
}

/// In nanoseconds.
fn percentiles<'r>(title: &str, times: impl Iterator<Item = (&'r CellSummary, Percentiles)>) -> String {
    let rows = times.map(|(cell, times)| {
        let Percentiles { count, p50, p99, p999, max } = times;
        let figures = [p50, p99, p999, max, count].map(|figure| figure.to_string());
        [cell.scenario.lock.to_string()].into_iter().chain(figures).collect()
    });
    data(title, &["lock", "p50, ns", "p99, ns", "p99.9, ns", "max, ns", "times"], 1, rows)
}

fn row(cell: &CellSummary, times: Percentiles) -> Option<Row> {
    if times.count == 0 {
        return None;
    }
    // A bucket is known to 1/32: a bar is at least so wide.
    let (p50, p99) = (times.p50.max(1) as f64, times.p99.max(1) as f64);
    let colour = look(cell.scenario.lock).colour.mix(0.9);
    let note = format!("{} – {}", trimmed_time(times.p50 as f64), trimmed_time(times.p99 as f64));
    let bar = Bar { parts: vec![(p50, p99.max(p50 * 1.03), colour)], whisker: None, note };
    Some(Row { label: cell.scenario.lock.to_string(), bars: vec![bar] })
}
