//! Plot: what an operation costs, by lock and number of cores.
//!
//! With up to two numbers of cores these are bars; from three on, lines over the cores.

use bench_core::Task;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::bars::{self, Bar, Row, Scale};
use super::canvas::{Area, Drawn, axis, figure, grid, label};
use super::lines::draw_line;
use super::palette::{key, look, strength};
use super::select::{Cells, by_task, core_counts, locks};
use super::text::{cores, labelled, time, trimmed, trimmed_time};
use crate::summary::{CellSummary, Run};

/// One plot for each task.
pub(super) fn plots(run: &Run) -> Vec<String> {
    by_task(run).map(|(task, cells)| plot(run, task, &cells)).collect()
}

fn plot(run: &Run, task: Task, cells: &Cells<'_>) -> String {
    let counts = core_counts(cells);
    let title = labelled(run, &format!("{task}: ns/op, median with smallest and largest"));
    if counts.len() > 2 {
        return over_cores(&title, cells, &counts);
    }
    let rows: Vec<Row> = locks(cells)
        .into_iter()
        .map(|lock| {
            let of_lock = cells.iter().filter(|cell| cell.scenario.lock == lock);
            Row { label: lock.to_string(), bars: of_lock.map(|cell| bar(cell, &counts)).collect() }
        })
        .collect();
    bars::plot(&title, &rows, &Scale::Linear, trimmed)
}

/// The bar of `cell`, stronger for more of the `counts` of cores.
pub(super) fn bar(cell: &CellSummary, counts: &[u16]) -> Bar {
    let ns = &cell.ns_per_op;
    let index = counts.iter().position(|&cores| cores == cell.scenario.cores).unwrap_or(0);
    let colour = look(cell.scenario.lock).colour.mix(strength(index, counts.len()));
    Bar {
        parts: vec![(0.0, ns.median, colour)],
        whisker: Some((ns.low, ns.high)),
        note: format!("{} · {}", time(ns.median), cores(cell.scenario.cores)),
    }
}

/// From this ratio of the largest to the smallest on, the axis is logarithmic.
const WIDE: f64 = 25.0;

fn over_cores(title: &str, cells: &Cells<'_>, counts: &[u16]) -> String {
    let lowest = cells.iter().map(|cell| cell.ns_per_op.low).fold(f64::INFINITY, f64::min);
    let highest = cells.iter().map(|cell| cell.ns_per_op.high).fold(0.0, f64::max) * 1.03;
    let key = key(locks(cells));
    if highest > WIDE * lowest && lowest > 0.0 {
        let title = format!("{title}; logarithmic");
        return figure(&title, HEIGHT, &key, |area| draw(area, cells, counts, (lowest * 0.9..highest).log_scale()));
    }
    figure(title, HEIGHT, &key, |area| draw(area, cells, counts, 0.0..highest))
}

const HEIGHT: u32 = 320;

fn draw<Y>(area: &Area<'_>, cells: &Cells<'_>, counts: &[u16], y: Y) -> Drawn
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let last = counts.len() as f64 - 1.0;
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(28)
        .y_label_area_size(68)
        // Numbers of cores at equal distances.
        .build_cartesian_2d(-0.25..last + 0.25, y)?;
    let place = |cores: u16| counts.iter().position(|&count| count == cores).unwrap_or(0) as f64;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .y_labels(6)
        .max_light_lines(0)
        .y_label_formatter(&|ns| trimmed_time(*ns))
        .bold_line_style(grid())
        .axis_style(axis())
        .label_style(label(HPos::Right, VPos::Center))
        .draw()?;
    let bottom = chart.y_range().start;
    for &count in counts {
        let name = Text::new(cores(count), (0, 8), label(HPos::Center, VPos::Top));
        chart.plotting_area().draw(&(EmptyElement::at((place(count), bottom)) + name))?;
    }
    let locks = locks(cells);
    for (index, &lock) in locks.iter().enumerate() {
        let of_lock: Vec<_> = cells.iter().filter(|cell| cell.scenario.lock == lock).collect();
        // A little beside each other, so that whiskers do not hide whiskers.
        let aside = (index as f64 - (locks.len() as f64 - 1.0) / 2.0) * 0.02;
        let points = of_lock.iter().map(|cell| (place(cell.scenario.cores) + aside, cell.ns_per_op.median)).collect();
        for cell in &of_lock {
            let x = place(cell.scenario.cores) + aside;
            let whisker = [(x, cell.ns_per_op.low), (x, cell.ns_per_op.high)];
            chart.plotting_area().draw(&PathElement::new(whisker, look(lock).colour.stroke_width(1)))?;
        }
        draw_line(chart.plotting_area(), points, look(lock), true)?;
    }
    Ok(())
}
