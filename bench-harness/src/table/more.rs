//! For a terminal: where the time of an operation goes, who waits, who is starved; one row a scenario.

use comfy_table::Table;

use super::{short, short_ns, table};
use crate::summary::{CellSummary, Run};

/// The table; `None` if nothing of it is known.
pub(super) fn more(run: &Run) -> Option<Table> {
    let known = |cell: &&CellSummary| {
        let details = &cell.details;
        details.parts.is_some() || details.waiters.is_some() || details.gap_ns.is_some()
    };
    let mut cells: Vec<_> = run.cells.iter().filter(known).collect();
    cells.sort_by_key(|cell| {
        let scenario = cell.scenario;
        (scenario.cores, scenario.task(), scenario.strategy, scenario.lock)
    });
    // Few locks mask interrupts: the column is there if one of those was measured.
    let masked = cells.iter().any(|cell| cell.details.masked_ns.is_some());
    let head = ["task", "cores", "lock", "strategy", "critical", "think", "overhead", "waiters", "transfers", "gap"];
    let head: Vec<_> = head.into_iter().chain(masked.then_some("masked")).collect();
    let rows = cells.iter().map(|cell| row(cell, masked));
    (!cells.is_empty()).then(|| table(&head, 4, rows))
}

fn row(cell: &CellSummary, masked: bool) -> Vec<String> {
    let (scenario, details) = (cell.scenario, &cell.details);
    let optional = |figure: Option<f64>, format: fn(f64) -> String| figure.map_or("-".into(), format);
    let ns = |ns: f64| short_ns(ns.round() as u64);
    let parts = details.parts;
    let mut row = vec![
        scenario.task().to_string(),
        scenario.cores.to_string(),
        scenario.lock.to_string(),
        scenario.strategy.to_string(),
        parts.map_or("-".into(), |parts| {
            let rough = if parts.rough { "~" } else { "" };
            format!("{rough}{}", short(parts.critical))
        }),
        optional(parts.map(|parts| parts.think), short),
        optional(parts.map(|parts| parts.overhead), short),
        optional(details.waiters.filter(|_| scenario.cores > 1), |waiters| format!("{waiters:.2}")),
        optional(details.handover_transfers, |ways| format!("{ways:.1}")),
        optional(details.gap_ns, ns),
    ];
    row.extend(masked.then(|| optional(details.masked_ns, ns)));
    row
}
