//! A plot as SVG inside a page: no reference to anything outside, and ink that follows the page from light to dark.
//!
//! plotters writes colours as numbers. Whatever is drawn in [`INK`] becomes `currentColor`; all else stays as it is.

use std::error::Error;
use std::fmt::Write as _;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::text::escape;

/// The page's text colour. No other colour of a plot has these numbers.
pub(super) const INK: RGBColor = RGBColor(1, 2, 3);

/// What a plot is drawn on.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Whether it was.
pub(super) type Drawn = Result<(), Box<dyn Error>>;

/// Width of every plot, in the units of its text; a page may show it smaller or larger.
pub(super) const WIDTH: u32 = 620;

/// Size of text; plotters divides by 1.24.
const TEXT: f64 = 15.5;

/// Text in ink, with the point that it is placed by.
pub(super) fn label(h: HPos, v: VPos) -> TextStyle<'static> {
    ("sans-serif", TEXT).into_font().color(&INK).pos(Pos::new(h, v))
}

/// Lines of a grid: hardly there.
pub(super) fn grid() -> ShapeStyle {
    INK.mix(0.14).stroke_width(1)
}

/// Axes.
pub(super) fn axis() -> ShapeStyle {
    INK.mix(0.6).stroke_width(1)
}

/// The plot that `draw` makes, `height` high, as a figure: `title` above it, `below` (HTML) underneath.
pub(super) fn figure(title: &str, height: u32, below: &str, draw: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut svg = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        draw(&area).and_then(|()| Ok(area.present()?))
    };
    let title = escape(title);
    let mut html = format!("<figure>\n<figcaption>{title}</figcaption>\n");
    match (drawn, svg.split_once('>')) {
        // In a page, an SVG needs neither the size nor the name space that the first tag has.
        (Ok(()), Some((_, body))) => {
            let body = body.replace("\"#010203\"", "\"currentColor\"");
            let _ = write!(
                html,
                "<svg role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {WIDTH} {height}\"><title>{title}</title>{body}"
            );
        }
        (Err(why), _) => {
            let _ = write!(html, "<p class=\"missing\">No plot: {}.</p>", escape(&why.to_string()));
        }
        (Ok(()), None) => html.push_str("<p class=\"missing\">No plot: nothing was drawn.</p>"),
    }
    html + below + "</figure>\n"
}
