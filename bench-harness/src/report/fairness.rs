//! Plot: which part of the operations each core did.

use bench_core::Task;
use plotters::style::Color as _;

use super::bars::{self, Bar, Row, Scale};
use super::data::data;
use super::palette::look;
use super::select::{Cells, on_most_cores};
use super::text::{cores, labelled, percent, thousandths};
use crate::summary::{CellSummary, Run};

/// One plot for each task that ran on more than one core.
pub(super) fn plots(run: &Run) -> Vec<String> {
    let contended = on_most_cores(run).filter(|&(_, most, _)| most > 1);
    contended.map(|(task, most, cells)| plot(run, task, most, &cells)).collect()
}

fn plot(run: &Run, task: Task, most: u16, cells: &Cells<'_>) -> String {
    let rows: Vec<Row> =
        cells.iter().map(|cell| Row { label: cell.scenario.lock.to_string(), bars: vec![bar(cell)] }).collect();
    let title = labelled(run, &format!("{task}: share of each core, {}", cores(most)));
    bars::plot(&title, &rows, &Scale::Linear, |share| format!("{:.0} %", share * 100.0), &table(&title, cells))
}

fn table(title: &str, cells: &Cells<'_>) -> String {
    let rows = cells.iter().map(|cell| {
        let shares: Vec<_> = cell.shares.iter().map(|&share| percent(share)).collect();
        vec![cell.scenario.lock.to_string(), shares.join(" "), thousandths(cell.jain.median)]
    });
    data(title, &["lock", "share of each core, the largest first", "Jain"], 2, rows)
}

/// The shares next to each other, the largest first, every other one paler.
fn bar(cell: &CellSummary) -> Bar {
    let colour = look(cell.scenario.lock).colour;
    let mut from = 0.0;
    let parts = cell.shares.iter().zip([0.9, 0.5].into_iter().cycle()).map(|(share, strength)| {
        let part = (from, from + share, colour.mix(strength));
        from += share;
        part
    });
    Bar {
        parts: parts.collect(),
        whisker: None,
        note: format!("Jain {:.3} · {:.1}–{}", cell.jain.median, cell.share_min() * 100.0, percent(cell.share_max())),
    }
}
