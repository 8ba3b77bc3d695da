//! A lock looks the same in all plots: one colour, one dash, one marker.
//!
//! The colours of the common locks are those of M. Okabe and K. Ito, "Color Universal Design" (2008), which people
//! with any of the usual kinds of colour blindness can tell apart; no figure relies on colour alone.

use bench_core::{Axis as _, Lock};
use plotters::style::RGBColor;

use super::canvas::Dash;
use super::text::escape;

/// How a lock is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Of its lines and bars.
    pub(super) colour: RGBColor,
    /// `None`: the line is solid. Locks of this project are solid.
    pub(super) dash: Option<Dash>,
    /// At each point of its lines.
    pub(super) marker: Marker,
}

/// The shape of a point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Marker {
    Circle,
    Square,
    Triangle,
    Cross,
}

/// The look of `lock`.
pub(super) fn look(lock: Lock) -> Look {
    use Marker::{Circle, Cross, Square, Triangle};
    const SHORT: Option<Dash> = Some(Dash::Short);
    const LONG: Option<Dash> = Some(Dash::Long);
    let (r, g, b, dash, marker) = match lock {
        Lock::Ticket => (0x00, 0x72, 0xb2, None, Circle),
        Lock::Mcs => (0xe6, 0x9f, 0x00, None, Square),
        Lock::Queued => (0x00, 0x9e, 0x73, None, Triangle),
        Lock::QSpin => (0x4b, 0x7f, 0x1f, LONG, Circle),
        Lock::Tas => (0x8b, 0x45, 0x13, SHORT, Triangle),
        Lock::Ttas => (0x00, 0x8b, 0x8b, SHORT, Square),
        Lock::IrqTicket => (0x7b, 0x6c, 0xc9, None, Cross),
        Lock::TicketRelax => (0x9c, 0x75, 0x5f, LONG, Circle),
        Lock::SpinTicket => (0x56, 0xb4, 0xe9, LONG, Square),
        Lock::SpinMutex => (0xd5, 0x5e, 0x00, LONG, Triangle),
        Lock::SpinningTop => (0xcc, 0x79, 0xa7, SHORT, Circle),
        Lock::ParkingLot => (0x8c, 0x8c, 0x8c, SHORT, Square),
        Lock::Unfair => (0xa0, 0x52, 0x2d, SHORT, Triangle),
        Lock::Delayed => (0x55, 0x55, 0x55, LONG, Triangle),
        Lock::Broken => (0xe3, 0x1a, 0x1c, SHORT, Cross),
        Lock::Own0 => (0x1b, 0x9e, 0x77, None, Cross),
        Lock::Own1 => (0xd9, 0x5f, 0x02, None, Cross),
        Lock::Own2 => (0x75, 0x70, 0xb3, LONG, Cross),
        Lock::Own3 => (0xe7, 0x29, 0x8a, LONG, Cross),
        Lock::Own4 => (0x66, 0xa6, 0x1e, SHORT, Cross),
        Lock::Own5 => (0xe6, 0xab, 0x02, SHORT, Cross),
        Lock::Own6 => (0xa6, 0x76, 0x1d, None, Square),
        Lock::Own7 => (0x66, 0x66, 0x66, None, Square),
    };
    Look { colour: RGBColor(r, g, b), dash, marker }
}

/// How strong the colour of the `index`th of `count` bars is that share it.
pub(super) fn strength(index: usize, count: usize) -> f64 {
    if count < 2 { 1.0 } else { 0.4 + 0.6 * index as f64 / (count - 1) as f64 }
}

/// Lines and names of `locks`, as HTML.
pub(super) fn key(locks: impl IntoIterator<Item = Lock>) -> String {
    let entries = locks.into_iter().map(|lock| {
        let Look { colour: RGBColor(r, g, b), dash, marker } = look(lock);
        let colour = format!("#{r:02x}{g:02x}{b:02x}");
        let dash = dash.map_or_else(String::new, |dash| format!(" stroke-dasharray=\"{}\"", dash.array()));
        let marker = match marker {
            Marker::Circle => format!("<circle cx=\"15\" cy=\"6\" r=\"4\" fill=\"{colour}\"/>"),
            Marker::Square => format!("<rect x=\"11\" y=\"2\" width=\"8\" height=\"8\" fill=\"{colour}\"/>"),
            Marker::Triangle => format!("<polygon points=\"15,1 20,10 10,10\" fill=\"{colour}\"/>"),
            Marker::Cross => format!("<path d=\"M11 2l8 8m0-8l-8 8\" stroke=\"{colour}\" stroke-width=\"2\"/>"),
        };
        format!(
            "<li><svg class=\"key\" aria-hidden=\"true\" viewBox=\"0 0 30 12\">\
             <line x1=\"0\" x2=\"30\" y1=\"6\" y2=\"6\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>{marker}</svg>\
             {}</li>",
            escape(lock.name())
        )
    });
    format!("<ul class=\"key\">{}</ul>\n", entries.collect::<String>())
}
