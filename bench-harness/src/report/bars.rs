//! Horizontal bars, each with its figure in words beside it.
//!
//! ```text
//!  ticket   ████████████├─┤ 57.3 ns · 1 core        Row: a label and its bars
//!           ██████████████████├┤ 81.0 ns · 2 cores   Bar: parts next to each other, a whisker, a note
//!  mcs      …
//!           0      20      40      60      80
//! ```

use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, Drawn, INK, axis, figure, grid, label};

/// Bars that belong together.
pub(super) struct Row {
    /// What they are of.
    pub(super) label: String,
    /// From the top.
    pub(super) bars: Vec<Bar>,
}

/// A bar.
pub(super) struct Bar {
    /// What it consists of: from, to and colour of each part.
    pub(super) parts: Vec<(f64, f64, RGBAColor)>,
    /// The ends of its interval.
    pub(super) whisker: Option<(f64, f64)>,
    /// Its figure in words, to the right of it.
    pub(super) note: String,
}

impl Bar {
    fn end(&self) -> f64 {
        let parts = self.parts.iter().map(|&(_, to, _)| to);
        parts.chain(self.whisker.map(|(_, max)| max)).fold(0.0, f64::max)
    }

    /// The smallest value that is shown.
    fn start(&self) -> f64 {
        self.parts.iter().map(|&(from, ..)| from).fold(f64::INFINITY, f64::min)
    }
}

/// What the bars are measured by.
pub(super) enum Scale {
    /// From zero.
    Linear,
    /// Logarithmic: bars have a start of their own.
    Log,
}

const BAR: u32 = 17;
const GAP: u32 = 9;
const LABELS: u32 = 26;
/// Room for the names on the left.
const NAMES: u32 = 92;
/// Room for a letter of a note.
const LETTER: u32 = 7;

/// A plot of `rows`; `format` writes the numbers at the axis, and `below` it is more HTML.
pub(super) fn plot(title: &str, rows: &[Row], scale: &Scale, format: impl Fn(f64) -> String, below: &str) -> String {
    let bars = || rows.iter().flat_map(|row| &row.bars);
    let heights = rows.iter().map(|row| row.bars.len() as u32 * BAR + GAP).sum::<u32>();
    let end = bars().map(Bar::end).fold(0.0, f64::max);
    figure(title, heights + LABELS + GAP, below, |area| match scale {
        Scale::Linear => draw(area, rows, heights, 0.0..end, &format),
        Scale::Log => {
            let start = bars().map(Bar::start).fold(end, f64::min).max(1.0);
            // Whole powers of ten, so that there are ticks.
            let low = 10_f64.powf(start.log10().floor());
            let high = 10_f64.powf(end.max(low * 10.0).log10().ceil());
            draw(area, rows, heights, (low..high).log_scale(), &format)
        }
    })
}

fn draw<X>(area: &Area<'_>, rows: &[Row], heights: u32, x: X, format: &dyn Fn(f64) -> String) -> Drawn
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let notes = rows.iter().flat_map(|row| &row.bars).map(|bar| bar.note.chars().count()).max().unwrap_or(0);
    let mut chart = ChartBuilder::on(area)
        .margin_top(GAP)
        .margin_right(12 + LETTER * notes as u32)
        .x_label_area_size(LABELS)
        .y_label_area_size(NAMES)
        .build_cartesian_2d(x, f64::from(heights)..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .max_light_lines(0)
        .x_labels(3)
        .x_label_formatter(&|value| format(*value))
        .light_line_style(TRANSPARENT)
        .bold_line_style(grid())
        .axis_style(axis())
        .label_style(label(HPos::Center, VPos::Top))
        .draw()?;

    let left = chart.x_range().start;
    let mut top = f64::from(GAP) / 2.0;
    for row in rows {
        let middle = top + f64::from(row.bars.len() as u32 * BAR) / 2.0;
        let name = Text::new(row.label.clone(), (-8, 0), label(HPos::Right, VPos::Center));
        chart.plotting_area().draw(&(EmptyElement::at((left, middle)) + name))?;
        for bar in &row.bars {
            let (upper, lower) = (top + 1.0, top + f64::from(BAR) - 1.0);
            let middle = f64::midpoint(upper, lower);
            for &(from, to, colour) in &bar.parts {
                let corners = [(from.max(left), upper), (to.max(left), lower)];
                chart.plotting_area().draw(&Rectangle::new(corners, colour.filled()))?;
            }
            if let Some((min, max)) = bar.whisker {
                chart.plotting_area().draw(&PathElement::new([(min, middle), (max, middle)], INK.stroke_width(1)))?;
                for end in [min, max] {
                    let cap = PathElement::new([(0, -4), (0, 4)], INK.stroke_width(1));
                    chart.plotting_area().draw(&(EmptyElement::at((end, middle)) + cap))?;
                }
            }
            let note = Text::new(bar.note.clone(), (7, 0), label(HPos::Left, VPos::Center));
            chart.plotting_area().draw(&(EmptyElement::at((bar.end().max(left), middle)) + note))?;
            top += f64::from(BAR);
        }
        top += f64::from(GAP);
    }
    Ok(())
}
