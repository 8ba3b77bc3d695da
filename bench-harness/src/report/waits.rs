//! Plot: how many of the waits are longer than a time, both logarithmic: the tail is what a latency budget sees.

use bench_core::Task;
use hdrhistogram::Histogram;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, Drawn, axis, figure, grid, label};
use super::data::data;
use super::lines::draw_line;
use super::palette::{key, look};
use super::select::{Cells, locks, on_most_cores};
use super::text::{cores, labelled, trimmed_time};
use crate::summary::Run;

const HEIGHT: u32 = 340;

/// One plot for each task of which there are waits.
pub(super) fn plots(run: &Run) -> Vec<String> {
    on_most_cores(run)
        .filter_map(|(task, most, mut cells)| {
            cells.retain(|cell| cell.waits.as_ref().is_some_and(|waits| !waits.is_empty()));
            (!cells.is_empty()).then(|| plot(run, task, most, &cells))
        })
        .collect()
}

fn plot(run: &Run, task: Task, most: u16, cells: &Cells<'_>) -> String {
    let title = format!("{task}: part of the waits at least so long, {}", cores(most));
    let title = labelled(run, &title);
    figure(&title, HEIGHT, &(key(locks(cells)) + &table(&title, cells)), |area| draw(area, cells))
}

/// Parts of a hundred waits that are no longer than what the table says.
const QUANTILES: [(&str, f64); 6] =
    [("50 %", 0.5), ("90 %", 0.9), ("99 %", 0.99), ("99.9 %", 0.999), ("99.99 %", 0.9999), ("99.999 %", 0.99999)];

/// The curves where they cross the powers of ten, in nanoseconds.
fn table(title: &str, cells: &Cells<'_>) -> String {
    let rows = cells.iter().filter_map(|cell| {
        let (waits, longest) = (cell.waits.as_ref()?, cell.wait?.max);
        let at = QUANTILES.map(|(_, part)| waits.value_at_quantile(part).min(longest).to_string());
        let names = [cell.scenario.lock.to_string(), waits.len().to_string()];
        Some(names.into_iter().chain(at).chain([longest.to_string()]).collect())
    });
    let names = QUANTILES.map(|(name, _)| name);
    let head: Vec<_> = ["lock", "waits"].into_iter().chain(names).chain(["longest, ns"]).collect();
    data(title, &head, 1, rows)
}

fn draw(area: &Area<'_>, cells: &Cells<'_>) -> Drawn {
    let curves: Vec<_> =
        cells.iter().filter_map(|cell| Some((cell.scenario.lock, at_least(cell.waits.as_ref()?)))).collect();
    let points = || curves.iter().flat_map(|(_, points)| points);
    let decade = |value: f64, round: fn(f64) -> f64| 10_f64.powf(round(value.log10()));
    let shortest = decade(points().map(|&(x, _)| x).fold(f64::INFINITY, f64::min), f64::floor);
    let longest = decade(points().map(|&(x, _)| x).fold(1.0, f64::max) * 1.01, f64::ceil);
    let rarest = decade(points().map(|&(_, y)| y).fold(0.1, f64::min), f64::floor);

    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(28)
        .x_label_area_size(30)
        .y_label_area_size(66)
        .build_cartesian_2d((shortest..longest).log_scale(), (rarest..1.0).log_scale())?;
    chart
        .configure_mesh()
        .max_light_lines(0)
        .x_labels(9)
        .y_labels(8)
        .x_label_formatter(&|ns| trimmed_time(*ns))
        .y_label_formatter(&|part| power_in_percent(*part))
        .light_line_style(TRANSPARENT)
        .bold_line_style(grid())
        .axis_style(axis())
        .x_label_style(label(HPos::Center, VPos::Top))
        .y_label_style(label(HPos::Right, VPos::Center))
        .draw()?;
    for (lock, points) in curves {
        draw_line(chart.plotting_area(), steps(&points), look(lock), false)?;
    }
    Ok(())
}

/// The curve through `points`: no wait lies between two of them, so that it falls at the first and is level to the next.
fn steps(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let falls = points.windows(2).flat_map(|pair| [(pair[0].0, pair[1].1), pair[1]]);
    points.first().copied().into_iter().chain(falls).collect()
}

/// A power of ten in percent, with as many decimals as it takes.
fn power_in_percent(part: f64) -> String {
    let decimals = (-part.log10() - 2.0).round().max(0.0) as usize;
    format!("{:.decimals$} %", part * 100.0)
}

/// For each wait, which part of all waits is at least as long; only points that can be told apart in a plot.
fn at_least(waits: &Histogram<u64>) -> Vec<(f64, f64)> {
    let all = waits.len() as f64;
    let mut shorter = 0;
    let mut points: Vec<(f64, f64)> = vec![];
    let mut skipped = None;
    for bucket in waits.iter_recorded() {
        let point = (bucket.value_iterated_to().max(1) as f64, (all - shorter as f64) / all);
        shorter += bucket.count_since_last_iteration();
        let apart = points.last().is_none_or(|last| point.0 > last.0 * 1.03 || point.1 < last.1 * 0.96);
        if apart {
            points.push(point);
        }
        skipped = (!apart).then_some(point);
    }
    points.extend(skipped);
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_falls_from_all_to_the_longest() {
        let mut waits = Histogram::<u64>::new(2).unwrap();
        for (value, count) in [(0, 1), (10, 50), (1000, 48), (100_000, 1)] {
            waits.record_n(value, count).unwrap();
        }
        let points = at_least(&waits);
        assert_eq!(points[0], (1.0, 1.0));
        assert_eq!(points[1], (10.0, 0.99));
        assert!((points[3].1 - 0.01).abs() < 1e-9);
        assert!(points.is_sorted_by(|a, b| a.0 <= b.0 && a.1 >= b.1));
    }

    #[test]
    fn a_power_of_ten_has_its_decimals() {
        assert_eq!(power_in_percent(1.0), "100 %");
        assert_eq!(power_in_percent(0.01), "1 %");
        assert_eq!(power_in_percent(1e-5), "0.001 %");
    }
}
