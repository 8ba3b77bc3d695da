//! A line of a lock: its colour, dash and markers, over any axes.

use plotters::coord::CoordTranslate;
use plotters::prelude::*;

use super::canvas::Drawn;
use super::palette::{Look, Marker};

/// Draws `points`, each with a marker if `marked`.
pub(super) fn draw_line<C>(
    area: &DrawingArea<SVGBackend<'_>, C>,
    points: Vec<(f64, f64)>,
    look: Look,
    marked: bool,
) -> Drawn
where
    C: CoordTranslate<From = (f64, f64)>,
{
    let style = look.colour.stroke_width(2);
    if marked {
        for &point in &points {
            let filled = look.colour.filled();
            match look.marker {
                Marker::Circle => area.draw(&Circle::new(point, 4, filled))?,
                Marker::Square => area.draw(&(EmptyElement::at(point) + Rectangle::new([(-4, -4), (4, 4)], filled)))?,
                Marker::Triangle => area.draw(&TriangleMarker::new(point, 5, filled))?,
                Marker::Cross => area.draw(&Cross::new(point, 4, style))?,
            }
        }
    }
    let style = look.dash.map_or(style, |dash| dash.of(look.colour, 2));
    Ok(area.draw(&PathElement::new(points, style))?)
}
