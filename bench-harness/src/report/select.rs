//! Which cells a plot shows, of those that there are.

use std::collections::BTreeSet;

use bench_core::{Axis, Lock, Strategy, Task};

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

/// For each task, its cells under [`strategy`]. Where some have several locks to compare, those of one lock are
/// left to the table: [`of_one_lock`].
pub(super) fn by_task(run: &Run) -> impl Iterator<Item = (Task, Cells<'_>)> {
    let alone = of_one_lock(run);
    under_one_strategy(run).filter(move |(task, _)| !alone.contains(task))
}

/// The tasks that [`by_task`] leaves out.
pub(super) fn of_one_lock(run: &Run) -> Vec<Task> {
    let alone = |(task, cells): (Task, Cells<'_>)| (locks(&cells).len() == 1).then_some(task);
    let alone: Vec<_> = under_one_strategy(run).filter_map(alone).collect();
    if alone.len() == under_one_strategy(run).count() { vec![] } else { alone }
}

fn under_one_strategy(run: &Run) -> impl Iterator<Item = (Task, Cells<'_>)> {
    let strategy = strategy(run);
    cells_by_task(run, move |cell| cell.scenario.strategy == strategy)
}

/// The same of the largest number of cores each was measured on, which is told.
pub(super) fn on_most_cores(run: &Run) -> impl Iterator<Item = (Task, u16, Cells<'_>)> {
    by_task(run).map(|(task, mut cells)| {
        let most = core_counts(&cells).last().copied().unwrap_or(1);
        cells.retain(|cell| cell.scenario.cores == most);
        (task, most, cells)
    })
}

/// For each task that was measured under more than one strategy: the lock that was under the most, and its cells.
pub(super) fn under_strategies(run: &Run) -> impl Iterator<Item = (Task, Lock, Cells<'_>)> {
    cells_by_task(run, |_| true).filter_map(|(task, mut cells)| {
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
        Some((task, lock, cells))
    })
}

fn cells_by_task<'r>(run: &'r Run, wanted: impl Fn(&CellSummary) -> bool) -> impl Iterator<Item = (Task, Cells<'r>)> {
    let tasks: BTreeSet<Task> = run.cells.iter().map(|cell| cell.scenario.task()).collect();
    tasks.into_iter().filter_map(move |task| {
        let mut cells: Cells<'_> =
            run.cells.iter().filter(|cell| cell.scenario.task() == task && wanted(cell)).collect();
        cells.sort_by_key(|cell| cell.scenario);
        (!cells.is_empty()).then_some((task, cells))
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
