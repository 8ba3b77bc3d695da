//! Which cells a plot shows, of those that there are.

use bench_core::{Axis, Lock, Strategy, Workload};

use crate::summary::{CellSummary, Run};

/// Cells in the order of their locks.
pub(super) type Cells<'r> = Vec<&'r CellSummary>;

/// The strategy that locks are compared under: the merged critical section, or the one with the most cells if that
/// was not measured.
pub(super) fn strategy(run: &Run) -> Strategy {
    let count = |strategy: Strategy| run.cells.iter().filter(|cell| cell.scenario.strategy == strategy).count();
    if count(Strategy::Merged) > 0 {
        return Strategy::Merged;
    }
    Strategy::ALL.iter().copied().max_by_key(|&strategy| count(strategy)).unwrap_or(Strategy::Merged)
}

/// For each workload, its cells under [`strategy`]. Where some have several locks to compare, those of one lock are
/// left to the table: [`of_one_lock`].
pub(super) fn by_workload(run: &Run) -> impl Iterator<Item = (Workload, Cells<'_>)> {
    let alone = of_one_lock(run);
    under_one_strategy(run).filter(move |(workload, _)| !alone.contains(workload))
}

/// The workloads that [`by_workload`] leaves out.
pub(super) fn of_one_lock(run: &Run) -> Vec<Workload> {
    let alone = |(workload, cells): (Workload, Cells<'_>)| (locks(&cells).len() == 1).then_some(workload);
    let alone: Vec<_> = under_one_strategy(run).filter_map(alone).collect();
    if alone.len() == under_one_strategy(run).count() { vec![] } else { alone }
}

fn under_one_strategy(run: &Run) -> impl Iterator<Item = (Workload, Cells<'_>)> {
    let strategy = strategy(run);
    cells_by_workload(run, move |cell| cell.scenario.strategy == strategy)
}

/// The same of the largest number of cores each was measured on, which is told.
pub(super) fn on_most_cores(run: &Run) -> impl Iterator<Item = (Workload, u16, Cells<'_>)> {
    by_workload(run).map(|(workload, mut cells)| {
        let most = core_counts(&cells).last().copied().unwrap_or(1);
        cells.retain(|cell| cell.scenario.cores == most);
        (workload, most, cells)
    })
}

/// For each workload that was measured under more than one strategy: the lock that was under the most, and its cells.
pub(super) fn under_strategies(run: &Run) -> impl Iterator<Item = (Workload, Lock, Cells<'_>)> {
    cells_by_workload(run, |_| true).filter_map(|(workload, mut cells)| {
        let strategies = |lock: Lock| {
            let of_lock =
                |strategy| cells.iter().any(|cell| cell.scenario.lock == lock && cell.scenario.strategy == strategy);
            Strategy::ALL.iter().filter(|&&strategy| of_lock(strategy)).count()
        };
        // Of those with equally many, the first.
        let lock = Lock::ALL.iter().rev().copied().max_by_key(|&lock| strategies(lock))?;
        if strategies(lock) < 2 {
            return None;
        }
        cells.retain(|cell| cell.scenario.lock == lock);
        Some((workload, lock, cells))
    })
}

fn cells_by_workload<'r>(
    run: &'r Run,
    wanted: impl Fn(&CellSummary) -> bool,
) -> impl Iterator<Item = (Workload, Cells<'r>)> {
    Workload::ALL.iter().filter_map(move |&workload| {
        let mut cells: Cells<'_> =
            run.cells.iter().filter(|cell| cell.scenario.workload == workload && wanted(cell)).collect();
        cells.sort_by_key(|cell| cell.scenario);
        (!cells.is_empty()).then_some((workload, cells))
    })
}

/// The numbers of cores of `cells`, each once, the smallest first.
pub(super) fn core_counts(cells: &[&CellSummary]) -> Vec<u16> {
    let mut counts: Vec<u16> = cells.iter().map(|cell| cell.scenario.cores).collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// The locks of `cells`, each once, in the order of the axis.
pub(super) fn locks(cells: &[&CellSummary]) -> Vec<Lock> {
    Lock::ALL.iter().copied().filter(|&lock| cells.iter().any(|cell| cell.scenario.lock == lock)).collect()
}
