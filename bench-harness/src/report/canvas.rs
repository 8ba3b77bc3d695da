//! A plot as SVG inside a page: no reference to anything outside, and ink that follows the page from light to dark.
//!
//! plotters writes colours as numbers, and has no dashes but as many short lines. Whatever is drawn in [`INK`] becomes
//! `currentColor`; what has the opacity of a [`Dash`] becomes dashed; all else stays as it is, and what goes without
//! saying is left out.

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

/// Width of every plot, in the units of its text; a page may show it larger, and a phone shows it a little smaller.
pub(super) const WIDTH: u32 = 470;

/// Size of text; plotters divides by 1.24.
const TEXT: f64 = 15.5;

/// A pattern of a line: lengths of its dashes and gaps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dash {
    /// Of dots.
    Dotted,
    /// Short ones.
    Short,
    /// Long ones.
    Long,
}

impl Dash {
    const ALL: [Self; 3] = [Self::Dotted, Self::Short, Self::Long];

    /// As SVG says it.
    pub(super) const fn array(self) -> &'static str {
        match self {
            Self::Dotted => "2 4",
            Self::Short => "3 3",
            Self::Long => "8 4",
        }
    }

    /// What stands for it until the SVG is written. Nothing else is as opaque.
    const fn opacity(self) -> f64 {
        match self {
            Self::Dotted => 0.997,
            Self::Short => 0.998,
            Self::Long => 0.999,
        }
    }

    /// A line of `colour` with this pattern.
    pub(super) fn of(self, colour: RGBColor, width: u32) -> ShapeStyle {
        colour.mix(self.opacity()).stroke_width(width)
    }
}

/// What plotters wrote, as a page wants it.
fn translated(body: &str) -> String {
    let mut body = body.replace("\"#010203\"", "\"currentColor\"");
    for dash in Dash::ALL {
        body = body
            .replace(&format!(" opacity=\"{}\"", dash.opacity()), &format!(" stroke-dasharray=\"{}\"", dash.array()));
    }
    // All text is alike, and said once, of the whole plot.
    body = body.replace(" font-family=\"sans-serif\" font-size=\"12.5\" opacity=\"1\" fill=\"currentColor\"", "");
    body.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "")
}

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
            let body = translated(body);
            let _ = write!(
                html,
                "<svg role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {WIDTH} {height}\" \
                 font-family=\"sans-serif\" font-size=\"12.5\" fill=\"currentColor\"><title>{title}</title>{body}"
            );
        }
        (Err(why), _) => {
            let _ = write!(html, "<p class=\"missing\">No plot: {}.</p>", escape(&why.to_string()));
        }
        (Ok(()), None) => html.push_str("<p class=\"missing\">No plot: nothing was drawn.</p>"),
    }
    html + "\n" + below + "</figure>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_dashes_and_text_are_translated() {
        let html = figure("a plot", 50, "", |area| {
            area.draw(&PathElement::new([(1, 1), (9, 9)], Dash::Long.of(INK, 2)))?;
            area.draw(&PathElement::new([(1, 9), (9, 1)], INK.stroke_width(2)))?;
            area.draw(&Text::new("words", (5, 5), label(HPos::Left, VPos::Top)))?;
            Ok(())
        });
        assert!(html.contains("stroke-dasharray=\"8 4\" stroke=\"currentColor\" stroke-width=\"2\""), "{html}");
        assert_eq!(html.matches("font-size").count(), 1, "{html}");
        assert!(!html.contains("opacity") && html.contains("words"), "{html}");
    }
}
