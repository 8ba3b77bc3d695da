//! Plot: what an operation costs, by lock and number of cores.
//!
//! With up to two numbers of cores these are bars; from three on, lines over the cores.

use bench_core::Task;

use super::bars::{self, Bar, Row, Scale};
use super::curves::{self, Curves, Point};
use super::data::data;
use super::palette::{look, strength};
use super::select::{Cells, by_task, core_counts, locks};
use super::text::{cores, digits, labelled, time, trimmed_time};
use crate::summary::{CellSummary, Run};

/// One plot for each task.
pub(super) fn plots(run: &Run) -> Vec<String> {
    by_task(run).map(|(task, cells)| plot(run, task, &cells)).collect()
}

fn plot(run: &Run, task: Task, cells: &Cells<'_>) -> String {
    let counts = core_counts(cells);
    let title = labelled(run, &format!("{task}: ns/op, median and interval"));
    let below = table(&title, cells);
    if counts.len() > 2 {
        let points = by_lock(cells, |cell| {
            let ns = cell.ns_per_op;
            Some(Point { cores: cell.scenario.cores, middle: ns.median, low: ns.low, high: ns.high })
        });
        let curves = Curves { title: &title, points, ideal: None, format: trimmed_time, below };
        return curves::plot(&curves, &counts);
    }
    let rows: Vec<Row> = locks(cells)
        .into_iter()
        .map(|lock| {
            let of_lock = cells.iter().filter(|cell| cell.scenario.lock == lock);
            Row { label: lock.to_string(), bars: of_lock.map(|cell| bar(cell, &counts)).collect() }
        })
        .collect();
    bars::plot(&title, &rows, &Scale::Linear, trimmed_time, &below)
}

/// A point of each cell, by lock; locks without one are left out.
pub(super) fn by_lock(
    cells: &Cells<'_>,
    point: impl Fn(&CellSummary) -> Option<Point>,
) -> Vec<(bench_core::Lock, Vec<Point>)> {
    let of_lock = |lock| cells.iter().filter(move |cell| cell.scenario.lock == lock);
    let points = locks(cells).into_iter().map(|lock| (lock, of_lock(lock).filter_map(|cell| point(cell)).collect()));
    points.filter(|(_, points): &(_, Vec<Point>)| !points.is_empty()).collect()
}

/// The bar of `cell`, stronger for more of the `counts` of cores.
pub(super) fn bar(cell: &CellSummary, counts: &[u16]) -> Bar {
    let ns = &cell.ns_per_op;
    Bar {
        parts: vec![(0.0, ns.median, shade(cell, counts))],
        whisker: Some((ns.low, ns.high)),
        note: format!("{} · {}", time(ns.median), cores(cell.scenario.cores)),
    }
}

/// The colour of its lock, stronger for more of the `counts` of cores.
pub(super) fn shade(cell: &CellSummary, counts: &[u16]) -> plotters::style::RGBAColor {
    use plotters::style::Color as _;
    let index = counts.iter().position(|&cores| cores == cell.scenario.cores).unwrap_or(0);
    look(cell.scenario.lock).colour.mix(strength(index, counts.len()))
}

/// ns/op of `cells` in numbers.
pub(super) fn table(title: &str, cells: &Cells<'_>) -> String {
    let head = ["lock", "strategy", "cores", "ns/op", "from", "to", "repeats"];
    data(
        title,
        &head,
        2,
        cells.iter().map(|cell| {
            let (scenario, ns) = (cell.scenario, cell.ns_per_op);
            let names = [scenario.lock.to_string(), scenario.strategy.to_string(), scenario.cores.to_string()];
            let figures = [ns.median, ns.low, ns.high].map(digits);
            names.into_iter().chain(figures).chain([cell.repeats.to_string()]).collect()
        }),
    )
}
