//! Plot: the strategies against each other, under the lock that was measured under most of them.

use bench_core::{Lock, Strategy, Task};

use super::bars::{self, Row, Scale};
use super::select::{Cells, core_counts, under_strategies};
use super::speed::{bar, table};
use super::text::{labelled, trimmed_time};
use crate::summary::{CellSummary, Run};

/// One plot for each task.
pub(super) fn plots(run: &Run) -> Vec<String> {
    under_strategies(run).map(|(task, lock, cells)| plot(run, task, lock, &cells)).collect()
}

fn plot(run: &Run, task: Task, lock: Lock, cells: &Cells<'_>) -> String {
    let counts = core_counts(cells);
    let mut rows: Vec<Row> = vec![];
    for cell in cells {
        let mut bar = bar(cell, &counts);
        if let Some(ratio) = against_merged(cell, cells).filter(|_| !run.header.emulated) {
            bar.note = format!("{} · {ratio}", bar.note);
        }
        let label = cell.scenario.strategy.to_string();
        match rows.last_mut() {
            Some(row) if row.label == label => row.bars.push(bar),
            _ => rows.push(Row { label, bars: vec![bar] }),
        }
    }
    let title = labelled(run, &format!("{task}: ns/op by strategy, {lock}"));
    bars::plot(&title, &rows, &Scale::Linear, trimmed_time, &table(&title, cells))
}

/// `cell` by the merged one of as many cores, in words; a ratio that the repeats do not bear out is called that.
fn against_merged(cell: &CellSummary, cells: &Cells<'_>) -> Option<String> {
    let base = cells
        .iter()
        .find(|base| base.scenario.strategy == Strategy::Merged && base.scenario.cores == cell.scenario.cores)?;
    if cell.scenario == base.scenario {
        return None;
    }
    let ratio = cell.ns_per_op.median / base.ns_per_op.median;
    Some(if cell.ns_per_op.overlaps(&base.ns_per_op) {
        format!("{ratio:.2} ×, overlaps")
    } else {
        format!("{ratio:.2} ×")
    })
}
