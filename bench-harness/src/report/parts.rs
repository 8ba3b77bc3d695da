//! Plot: where the time of an operation goes: the critical section, the think, and the rest, which is the lock's.

use bench_core::Task;
use plotters::style::{Color as _, RGBColor};

use super::bars::{self, Bar, Row, Scale};
use super::data::data;
use super::select::{Cells, by_task, locks};
use super::text::{cores, digits, labelled, trimmed, trimmed_time};
use crate::summary::{CellSummary, Run};

/// Of the critical section, the think, the overhead: told apart by lightness too.
const COLOURS: [(&str, RGBColor); 3] = [
    ("critical section", RGBColor(0x00, 0x72, 0xb2)),
    ("think", RGBColor(0xb0, 0xb0, 0xb0)),
    ("overhead", RGBColor(0xe6, 0x9f, 0x00)),
];

/// One plot for each task of which the parts are known.
pub(super) fn plots(run: &Run) -> Vec<String> {
    by_task(run)
        .filter_map(|(task, mut cells)| {
            cells.retain(|cell| cell.details.parts.is_some());
            (!cells.is_empty()).then(|| plot(run, task, &cells))
        })
        .collect()
}

fn plot(run: &Run, task: Task, cells: &Cells<'_>) -> String {
    let rows = locks(cells).into_iter().map(|lock| {
        let of_lock = cells.iter().filter(|cell| cell.scenario.lock == lock);
        Row { label: lock.to_string(), bars: of_lock.filter_map(|cell| bar(cell)).collect() }
    });
    let title = labelled(run, &format!("{task}: critical + think + overhead, ns/op"));
    let below = key() + &table(&title, cells);
    bars::plot(&title, &rows.collect::<Vec<_>>(), &Scale::Linear, trimmed_time, &below)
}

fn bar(cell: &CellSummary) -> Option<Bar> {
    let parts = cell.details.parts?;
    let lengths = [parts.critical, parts.think, parts.overhead];
    let mut from = 0.0;
    let drawn = lengths.iter().zip(COLOURS).filter(|(length, _)| **length > 0.0).map(|(length, (_, colour))| {
        let part = (from, from + length, colour.mix(0.9));
        from += length;
        part
    });
    Some(Bar {
        parts: drawn.collect(),
        whisker: None,
        note: format!(
            "{}{} · {}",
            if parts.rough { "≈ " } else { "" },
            lengths.map(short).join(" + "),
            cores(cell.scenario.cores)
        ),
    })
}

/// In nanoseconds, or with a unit where that is shorter.
fn short(ns: f64) -> String {
    if ns.abs() < 99_999.5 { trimmed(ns) } else { trimmed_time(ns) }
}

fn key() -> String {
    let entries = COLOURS.map(|(name, RGBColor(r, g, b))| {
        format!(
            "<li><svg class=\"key\" aria-hidden=\"true\" viewBox=\"0 0 30 12\"><rect x=\"3\" y=\"1\" width=\"24\" \
             height=\"10\" fill=\"#{r:02x}{g:02x}{b:02x}\"/></svg>{name}</li>"
        )
    });
    format!("<ul class=\"key\">{}</ul>\n", entries.concat())
}

fn table(title: &str, cells: &Cells<'_>) -> String {
    let head = ["lock", "cores", "critical section, ns", "think, ns", "overhead, ns", "ns/op"];
    data(
        title,
        &head,
        1,
        cells.iter().filter_map(|cell| {
            let parts = cell.details.parts?;
            let names = [cell.scenario.lock.to_string(), cell.scenario.cores.to_string()];
            let figures = [parts.critical, parts.think, parts.overhead, cell.ns_per_op.median].map(digits);
            Some(names.into_iter().chain(figures).collect())
        }),
    )
}
