//! Plot: how much more is done in all on several cores than on one, against the ideal, which is as many times as much.

use bench_core::Task;
use plotters::style::Color as _;

use super::bars::{self, Bar, Row, Scale};
use super::canvas::INK;
use super::curves::{self, Curves, Point};
use super::data::data;
use super::select::{Cells, by_task, core_counts};
use super::speed::{by_lock, shade};
use super::text::{cores, digits, labelled, trimmed};
use crate::statistics::ratio;
use crate::summary::{CellSummary, Run, Spread};

/// One plot for each task that ran on one core and on several; none of emulated cores, whose ratios are none of hardware.
pub(super) fn plots(run: &Run) -> Vec<String> {
    by_task(run).filter(|_| !run.header.emulated).filter_map(|(task, cells)| plot(run, task, &cells)).collect()
}

fn plot(run: &Run, task: Task, cells: &Cells<'_>) -> Option<String> {
    let more: Cells<'_> = cells.iter().copied().filter(|cell| cell.scenario.cores > 1).collect();
    let points = by_lock(&more, |cell| speedup(cell, cells));
    if points.is_empty() {
        return None;
    }
    let counts = core_counts(cells);
    let title = labelled(run, &format!("{task}: speed-up over one core"));
    let below = table(&title, &points);
    if counts.len() > 2 {
        let points = points.into_iter().map(|(lock, mut points)| {
            points.insert(0, Point { cores: 1, middle: 1.0, low: 1.0, high: 1.0 });
            (lock, points)
        });
        let curves = Curves { title: &title, points: points.collect(), ideal: Some(f64::from), format: trimmed, below };
        return Some(curves::plot(&curves, &counts));
    }
    let most = counts.last().copied()?;
    let ideal = Bar { parts: vec![(0.0, f64::from(most), INK.mix(0.25))], whisker: None, note: format!("{most}") };
    let mut rows = vec![Row { label: "ideal".into(), bars: vec![ideal] }];
    for (lock, points) in &points {
        let bars = points.iter().filter_map(|point| {
            let cell = more.iter().find(|cell| (cell.scenario.lock, cell.scenario.cores) == (*lock, point.cores))?;
            Some(Bar {
                parts: vec![(0.0, point.middle, shade(cell, &counts))],
                whisker: Some((point.low, point.high)),
                note: format!("{} · {}", digits(point.middle), cores(point.cores)),
            })
        });
        rows.push(Row { label: lock.to_string(), bars: bars.collect() });
    }
    Some(bars::plot(&title, &rows, &Scale::Linear, trimmed, &below))
}

/// Of `cell`, by the one of the same lock on one core, with the interval of the ratio.
fn speedup(cell: &CellSummary, cells: &Cells<'_>) -> Option<Point> {
    let alone = cells.iter().find(|one| one.scenario.lock == cell.scenario.lock && one.scenario.cores == 1)?;
    let cores = f64::from(cell.scenario.cores);
    // So many cores do so many times as much in the time of an operation.
    let Spread { median, low, high } = ratio(&cell.each, &alone.each)?;
    Some(Point { cores: cell.scenario.cores, middle: median * cores, low: low * cores, high: high * cores })
}

fn table(title: &str, points: &[(bench_core::Lock, Vec<Point>)]) -> String {
    let rows = points.iter().flat_map(|(lock, points)| {
        points.iter().map(move |point| {
            let figures = [point.middle, point.low, point.high].map(digits);
            let names = [lock.to_string(), point.cores.to_string()];
            names.into_iter().chain(figures).chain([point.cores.to_string()]).collect()
        })
    });
    data(title, &["lock", "cores", "speed-up", "from", "to", "ideal"], 1, rows)
}
