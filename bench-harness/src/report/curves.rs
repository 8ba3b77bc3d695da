//! Curves over numbers of cores, one for each lock, with its interval at each point; and an ideal, if there is
//! one.

use bench_core::Lock;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, Dash, Drawn, INK, axis, figure, grid, label};
use super::lines::draw_line;
use super::palette::{key, look};
use super::text::cores;

/// What is drawn.
pub(super) struct Curves<'a> {
    /// Above it.
    pub(super) title: &'a str,
    /// By lock.
    pub(super) points: Vec<(Lock, Vec<Point>)>,
    /// Of what would be ideal on so many cores.
    pub(super) ideal: Option<fn(u16) -> f64>,
    /// Writes the numbers at the axis.
    pub(super) format: fn(f64) -> String,
    /// HTML beneath it.
    pub(super) below: String,
}

/// A figure on so many cores.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) cores: u16,
    pub(super) middle: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// From this ratio of the largest to the smallest on, the axis is logarithmic.
const WIDE: f64 = 25.0;
const HEIGHT: u32 = 320;

/// The plot, over these `counts` of cores.
pub(super) fn plot(curves: &Curves<'_>, counts: &[u16]) -> String {
    let points = || curves.points.iter().flat_map(|(_, points)| points);
    let ideals = || counts.iter().filter_map(|&cores| Some(curves.ideal?(cores)));
    let lowest = points().map(|point| point.low).chain(ideals()).fold(f64::INFINITY, f64::min);
    let highest = points().map(|point| point.high).chain(ideals()).fold(0.0, f64::max) * 1.03;
    let mut below = key(curves.points.iter().map(|&(lock, _)| lock));
    if curves.ideal.is_some() {
        below = below.replace("</ul>", IDEAL);
    }
    below += &curves.below;
    if highest > WIDE * lowest && lowest > 0.0 {
        let title = format!("{}; logarithmic", curves.title);
        return figure(&title, HEIGHT, &below, |area| draw(area, curves, counts, (lowest * 0.9..highest).log_scale()));
    }
    figure(curves.title, HEIGHT, &below, |area| draw(area, curves, counts, 0.0..highest))
}

/// In the key, the last one.
const IDEAL: &str = "<li><svg class=\"key\" aria-hidden=\"true\" viewBox=\"0 0 30 12\"><line x1=\"0\" x2=\"30\" y1=\"6\" \
                     y2=\"6\" stroke=\"currentColor\" stroke-width=\"1\" stroke-dasharray=\"2 4\"/></svg>ideal</li></ul>";

fn draw<Y>(area: &Area<'_>, curves: &Curves<'_>, counts: &[u16], y: Y) -> Drawn
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let last = counts.len() as f64 - 1.0;
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(28)
        .y_label_area_size(58)
        // Numbers of cores at equal distances.
        .build_cartesian_2d(-0.25..last + 0.25, y)?;
    let place = |cores: u16| counts.iter().position(|&count| count == cores).unwrap_or(0) as f64;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .y_labels(6)
        .max_light_lines(0)
        .y_label_formatter(&|value| (curves.format)(*value))
        .light_line_style(TRANSPARENT)
        .bold_line_style(grid())
        .axis_style(axis())
        .label_style(label(HPos::Right, VPos::Center))
        .draw()?;
    let area = chart.plotting_area();
    let bottom = chart.y_range().start;
    // Of many numbers, not all have room.
    for &count in counts.iter().step_by(counts.len().div_ceil(6)) {
        let name = Text::new(cores(count), (0, 8), label(HPos::Center, VPos::Top));
        area.draw(&(EmptyElement::at((place(count), bottom)) + name))?;
    }
    if let Some(ideal) = curves.ideal {
        let points = counts.iter().map(|&count| (place(count), ideal(count)));
        area.draw(&PathElement::new(points.collect::<Vec<_>>(), Dash::Dotted.of(INK, 1)))?;
    }
    for (index, (lock, points)) in curves.points.iter().enumerate() {
        // A little beside each other, so that whiskers do not hide whiskers.
        let aside = (index as f64 - (curves.points.len() as f64 - 1.0) / 2.0) * 0.02;
        let x = |point: &Point| place(point.cores) + aside;
        for point in points {
            let whisker = [(x(point), point.low), (x(point), point.high)];
            area.draw(&PathElement::new(whisker, look(*lock).colour.stroke_width(1)))?;
        }
        draw_line(area, points.iter().map(|point| (x(point), point.middle)).collect(), look(*lock), true)?;
    }
    Ok(())
}
