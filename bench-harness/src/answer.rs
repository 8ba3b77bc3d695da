//! The answer in a few sentences, from the figures alone.
//!
//! 1. It speaks of the largest number of cores that was measured, and of one core where that is another.
//! 2. Who is fastest is not told apart from whose interval overlaps: they are named together.
//! 3. That others used the machine comes before everything: it is in every figure.
//! 4. A lock that is fast because it is unfair is called that, and the fastest fair one is named.

use std::fmt::Write as _;

use bench_core::{Axis as _, Lock, Strategy, Task, Workload};

use crate::because::{self, because};
use crate::busy;
use crate::details::TOGETHER;
use crate::statistics::ENOUGH;
use crate::summary::{CellSummary, Run};
use crate::table::short;

/// Whether who asks first gets it first.
#[must_use]
pub fn first_in_first_out(lock: Lock) -> bool {
    match lock {
        Lock::Ticket | Lock::Mcs | Lock::Queued | Lock::QSpin => true,
        Lock::IrqTicket | Lock::TicketRelax | Lock::SpinTicket | Lock::Delayed => true,
        Lock::Tas | Lock::Ttas | Lock::SpinMutex | Lock::SpinningTop | Lock::ParkingLot => false,
        Lock::Unfair | Lock::Broken => false,
        own => own.known().is_some_and(|known| known.fair),
    }
}

/// What the run says, and what makes it uncertain.
#[must_use]
pub fn answer(run: &Run) -> String {
    let mut sentences = vec![];
    match run.cells.iter().map(|cell| cell.scenario.cores).max() {
        None => sentences.push("Nothing was measured to the end.".into()),
        Some(_) if run.header.emulated => sentences.push(format!(
            "EMULATED: {} scenarios ran, and every pool was whole afterwards. No time or ratio here is one of hardware, \
             so none is compared.",
            run.cells.len()
        )),
        Some(most) => {
            sentences.extend(locks(&run.cells, most).map(|sentence| because::here(run, &sentence)));
            sentences.extend(because::over_sweeps(run));
            if most > 1 {
                sentences.extend(locks(&run.cells, 1));
            }
            sentences.extend(merging(&run.cells, most));
            sentences.extend(counting(&run.cells, most));
            sentences.extend(few(&run.cells));
            sentences.extend(apart(&run.cells));
        }
    }
    let (loud, notes): (Vec<&String>, Vec<_>) = run.header.notes.iter().partition(|note| busy::is_told_by(note));
    let mut text = loud.iter().map(|note| format!("Note: {note}.\n")).collect::<String>();
    text += &sentences.join("\n");
    text.push('\n');
    for note in notes {
        let _ = writeln!(text, "Note: {note}.");
    }
    text
}

fn cores(number: u16) -> String {
    if number == 1 { "one core".into() } else { format!("{number} cores") }
}

fn ns(cell: &CellSummary) -> String {
    format!("{} ns", short(cell.ns_per_op.median))
}

/// What was done: first what a pool is used for most, then the others.
fn tasks(cells: &[CellSummary]) -> Vec<Task> {
    let mut tasks: Vec<Task> = cells.iter().map(|cell| cell.scenario.task()).collect();
    let rank = |task: &Task| match task.workload {
        Workload::Pair => 0,
        Workload::Mixed => 1,
        Workload::Stage2Rand => 2,
        Workload::Empty => 4,
        _ => 3,
    };
    tasks.sort_by_key(|task| (rank(task), *task));
    tasks.dedup();
    tasks
}

/// `a`'s advantage, in words.
fn times_as_fast(a: &CellSummary, b: &CellSummary) -> String {
    if a.ns_per_op.overlaps(&b.ns_per_op) {
        return "not told apart from".into();
    }
    format!("{:.2} times as fast as", b.ns_per_op.median / a.ns_per_op.median)
}

/// The locks against each other, in the first task and strategy in which there are several.
fn locks(cells: &[CellSummary], number: u16) -> Option<String> {
    let tasks = tasks(cells);
    let strategies = [Strategy::Merged, Strategy::Atomic, Strategy::MergedRef, Strategy::Split];
    let places = tasks.iter().flat_map(|&task| strategies.map(|strategy| (task, strategy)));
    let mut groups = places.map(|(task, strategy)| {
        let here = |cell: &&CellSummary| {
            (cell.scenario.cores, cell.scenario.task(), cell.scenario.strategy) == (number, task, strategy)
        };
        let mut group: Vec<_> = cells.iter().filter(here).collect();
        group.sort_by(|a, b| a.ns_per_op.median.total_cmp(&b.ns_per_op.median));
        group
    });
    let group = groups.find(|group| group.len() > 1)?;
    let (best, rest) = group.split_first()?;
    let scenario = best.scenario;
    let mut text = format!(
        "With {} at it, {} ({}) is fastest with {}: {} an operation, as a core sees it ({})",
        cores(number),
        scenario.task(),
        scenario.strategy,
        scenario.lock,
        ns(best),
        because::range(best)
    );
    let (near, far): (Vec<&CellSummary>, Vec<&CellSummary>) =
        rest.iter().partition(|cell| cell.ns_per_op.overlaps(&best.ns_per_op));
    if let Some(ticket) = far.iter().find(|cell| cell.scenario.lock == Lock::Ticket) {
        let _ = write!(text, ", {} ticket", times_as_fast(best, ticket));
    }
    let slower = far.iter().find(|cell| cell.scenario.lock == Lock::Ticket).or_else(|| far.first());
    if let Some(why) = slower.and_then(|slower| because(best, slower)) {
        let _ = write!(text, ", because {why}");
    }
    text.push('.');
    if !near.is_empty() {
        let names: Vec<_> = near.iter().map(|cell| cell.scenario.lock.to_string()).collect();
        let _ = write!(text, " Not told apart from it (the intervals overlap): {}.", names.join(", "));
    }
    if number > 1 && !first_in_first_out(scenario.lock) {
        let (least, even) = (best.share_min() * 100.0, 100.0 / f64::from(number));
        let _ = write!(text, " It is unfair: a core did {least:.0} % of the operations where {even:.0} % is even.");
        let fair: Vec<_> = rest.iter().filter(|cell| first_in_first_out(cell.scenario.lock)).collect();
        if let Some((first, rest)) = fair.split_first() {
            let _ =
                write!(text, " First in, first out, and fastest of those, is {}: {}", first.scenario.lock, ns(first));
            let near = rest.iter().filter(|cell| cell.ns_per_op.overlaps(&first.ns_per_op));
            let names: Vec<_> = near.map(|cell| cell.scenario.lock.to_string()).collect();
            if !names.is_empty() {
                let _ = write!(text, "; not told apart from it: {}", names.join(", "));
            }
            text.push('.');
        }
    }
    Some(text)
}

/// `a` against `b`, of the same lock, in the first of `tasks` where there are both.
fn pair<'a>(
    cells: &'a [CellSummary],
    number: u16,
    [a, b]: [Strategy; 2],
    tasks: &[Task],
) -> Option<[&'a CellSummary; 2]> {
    let here = |strategy, task| {
        cells.iter().filter(move |cell| {
            (cell.scenario.cores, cell.scenario.strategy, cell.scenario.task()) == (number, strategy, task)
        })
    };
    tasks.iter().find_map(|&task| {
        here(a, task).find_map(|first| {
            let second = here(b, task).find(|second| second.scenario.lock == first.scenario.lock)?;
            Some([first, second])
        })
    })
}

/// One critical section instead of two.
fn merging(cells: &[CellSummary], number: u16) -> Option<String> {
    let [one, two] = pair(cells, number, [Strategy::MergedRef, Strategy::Split], &tasks(cells))?;
    Some(format!(
        "One critical section instead of two (merged-ref against split; {}, {}, {}) is {} two: {} against {}.",
        one.scenario.lock,
        one.scenario.task(),
        cores(number),
        times_as_fast(one, two),
        ns(one),
        ns(two)
    ))
}

/// Counts without the lock.
fn counting(cells: &[CellSummary], number: u16) -> Option<String> {
    let mut tasks = tasks(cells);
    tasks.sort_by_key(|task| task.workload != Workload::RefPage); // where the count is all there is
    let [without, with] = pair(cells, number, [Strategy::Atomic, Strategy::Merged], &tasks)?;
    Some(format!(
        "Counting without the lock (atomic against merged; {}, {}, {}) is {} counting under it: {} against {}.",
        without.scenario.lock,
        without.scenario.task(),
        cores(number),
        times_as_fast(without, with),
        ns(without),
        ns(with)
    ))
}

/// Where an interval is hardly one.
fn few(cells: &[CellSummary]) -> Option<String> {
    let fewest = cells.iter().map(|cell| cell.repeats).min().filter(|&repeats| repeats < ENOUGH)?;
    Some(format!(
        "Of {fewest} repeats an interval says little, and so does who is told apart: take {ENOUGH} or more (--repeats)."
    ))
}

/// Where the cores were not at work together.
fn apart(cells: &[CellSummary]) -> Option<String> {
    let apart = cells.iter().filter(|cell| cell.concurrency.median < TOGETHER).count();
    (apart > 0).then(|| {
        format!(
            "In {apart} of {} scenarios (marked !) the measured windows of the cores overlap by less than {:.0} %: they \
             say less about contention than they seem to.",
            cells.len(),
            TOGETHER * 100.0
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{pass, run};
    use bench_core::Lock::{Mcs, ParkingLot, Queued, Ticket};
    use bench_core::Strategy::{Atomic, Merged, MergedRef, Split};

    #[test]
    fn the_fastest_lock_is_named_and_who_is_not_told_apart() {
        let text = answer(&run(&[
            pass(Ticket, Merged, 0, &[10, 10]),
            pass(Mcs, Merged, 0, &[38, 38]),
            pass(Queued, Merged, 0, &[40, 40]),
            pass(Mcs, Merged, 1, &[42, 42]),
        ]));
        assert!(
            text.starts_with("On this machine (a, 2 cores), with 2 cores at it, pair (merged) is fastest"),
            "{text}"
        );
        assert!(
            text.contains(" with queued: 25.0 ns an operation, as a core sees it (25.0–25.0 in 1 repeats), "),
            "{text}"
        );
        assert!(
            text.contains("4.00 times as fast as ticket. Not told apart from it (the intervals overlap): mcs.\n"),
            "{text}"
        );
        assert!(!text.contains("unfair"), "{text}");
        assert!(text.contains("Of 1 repeats an interval says little"), "{text}");
    }

    #[test]
    fn a_lock_that_is_fast_by_being_unfair_is_called_that() {
        let text = answer(&run(&[
            pass(Ticket, Merged, 0, &[10, 10]),
            pass(Queued, Merged, 0, &[10, 10]),
            pass(Mcs, Merged, 0, &[5, 5]),
            pass(ParkingLot, Merged, 0, &[90, 10]),
        ]));
        assert!(text.contains("a core did 10 % of the operations where 50 % is even"), "{text}");
        assert!(text.contains("fastest of those, is ticket: 100 ns; not told apart from it: queued."), "{text}");
    }

    #[test]
    fn strategies_are_compared_where_both_are_there() {
        let text = answer(&run(&[
            pass(Ticket, Split, 0, &[10]),
            pass(Ticket, MergedRef, 0, &[20]),
            pass(Ticket, Merged, 0, &[25]),
            pass(Ticket, Atomic, 0, &[25]),
        ]));
        assert!(text.contains("is 2.00 times as fast as two: 50.0 ns against 100 ns."), "{text}");
        assert!(text.contains("is not told apart from counting under it: 40.0 ns against 40.0 ns."), "{text}");
        assert!(!text.contains("at it"), "one lock is no choice: {text}");
    }

    #[test]
    fn doubts_are_told() {
        let mut late = pass(Ticket, Merged, 0, &[10, 10]);
        late.cores[0].start += 100;
        let mut run = run(&[late]);
        run.header.notes.push("it rained".into());
        let text = answer(&run);
        assert!(text.contains("In 1 of 1 scenarios (marked !)") && text.ends_with("Note: it rained.\n"), "{text}");
        run.header.notes.push("other programs used 9 % of this machine meanwhile".into());
        assert!(answer(&run).starts_with("Note: other programs used 9 %"), "it is in every figure");
        run.header.notes.clear();
        run.header.emulated = true;
        assert!(answer(&run).starts_with("EMULATED: 1 scenarios ran"));
        assert!(answer(&crate::made_up::run(&[])).starts_with("Nothing was measured"));
    }
}
