//! Why a lock is faster than another: what of its figures differs, in a clause for the answer.
//!
//! Nothing is guessed: a reason is two figures that were measured, of the two locks, far enough apart to matter.

use std::fmt::Write as _;

use crate::lead::{Sweep, sweeps};
use crate::summary::{CellSummary, Run};
use crate::table::short;

/// From this ratio on, two figures differ.
const MATTERS: f64 = 1.2;

/// Where all this was measured: `sentence`, which begins with "With", on this machine.
#[must_use]
pub fn here(run: &Run, sentence: &str) -> String {
    let machine = &run.header.machine;
    let cpu = machine.cpu.as_deref().unwrap_or(&machine.arch);
    let one = if machine.cores == 1 { "core" } else { "cores" };
    let virtualised = if machine.virtualised == Some(true) { ", virtual" } else { "" };
    let rest = sentence.strip_prefix("With").map_or_else(|| format!(", {sentence}"), |rest| format!(", with{rest}"));
    format!("On this machine ({cpu}, {} {one}{virtualised}){rest}", machine.cores)
}

/// The interval of the repeats, as it stands behind a median.
#[must_use]
pub fn range(cell: &CellSummary) -> String {
    let ns = &cell.ns_per_op;
    format!("{}–{} in {} repeats", short(ns.low), short(ns.high), cell.repeats)
}

/// `a` is faster than `b`, because ...; `None` if no figure tells.
#[must_use]
pub fn because(a: &CellSummary, b: &CellSummary) -> Option<String> {
    let other = b.scenario.lock;
    let mut reasons: Vec<String> = vec![];
    if let (Some(ours), Some(theirs)) = (handed_over(a), handed_over(b))
        && theirs > MATTERS * ours
    {
        reasons.push(format!(
            "it goes from core to core in {} of its acquisitions ({other}: {})",
            percent(ours),
            percent(theirs)
        ));
    }
    if let (Some(ours), Some(theirs)) = (a.handover.as_ref(), b.handover.as_ref())
        && theirs.p50 as f64 > MATTERS * ours.p50 as f64
    {
        let transfers = a.details.handover_transfers.map(|ways| format!(", {ways:.1} transfers of a line"));
        reasons.push(format!(
            "a handover takes {} ns{} ({other}: {} ns)",
            ours.p50,
            transfers.unwrap_or_default(),
            theirs.p50
        ));
    }
    if let (Some(ours), Some(theirs)) = (a.details.parts, b.details.parts)
        && !(ours.rough || theirs.rough)
        && ours.overhead >= 0.0
        && theirs.overhead > MATTERS * ours.overhead
    {
        reasons.push(format!(
            "the lock and the waiting for it take {} ns of an operation ({other}: {} ns)",
            short(ours.overhead),
            short(theirs.overhead)
        ));
    }
    (!reasons.is_empty()).then(|| reasons.join(", and "))
}

/// Which part of the acquisitions came from a core that released it while this one waited.
fn handed_over(cell: &CellSummary) -> Option<f64> {
    let (wait, handover) = (cell.wait?, cell.handover?);
    Some(handover.count as f64 / wait.count as f64)
}

/// With as many digits as tell something.
fn percent(part: f64) -> String {
    let percent = part * 100.0;
    if percent < 9.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// What each sweep over hold and think says, in a sentence.
#[must_use]
pub fn over_sweeps(run: &Run) -> Vec<String> {
    sweeps(run).iter().map(over_sweep).collect()
}

fn over_sweep(sweep: &Sweep<'_>) -> String {
    let mut alone: Vec<(String, usize)> = vec![];
    let mut several = 0;
    for lead in sweep.leads.values() {
        let name = lead.best.scenario.lock.to_string();
        match alone.iter_mut().find(|(known, _)| *known == name) {
            _ if !lead.near.is_empty() => several += 1,
            Some((_, count)) => *count += 1,
            None => alone.push((name, 1)),
        }
    }
    alone.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut text = format!(
        "Of {} combinations of hold and think ({}, {}, {} cores), ",
        sweep.leads.len(),
        sweep.workload,
        sweep.strategy,
        sweep.cores
    );
    let alone: Vec<_> = alone.into_iter().map(|(lock, count)| format!("{lock} alone is fastest in {count}")).collect();
    text += &alone.join(", ");
    if several > 0 {
        let joint = if alone.is_empty() { "" } else { "; " };
        let _ = write!(text, "{joint}in {several} the fastest is not told apart from others");
    }
    text + "."
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{histogram, pass, run, with_waits};
    use bench_core::Lock::{Mcs, Tas, Ticket};
    use bench_core::Strategy::Merged;
    use bench_core::{Lock, Pass};

    fn instrumented(lock: Lock, ops: &[u64], handovers: &[u64]) -> Pass {
        let mut pass = with_waits(pass(lock, Merged, 0, ops), &[30; 100]);
        let samples = pass.samples.as_mut().unwrap();
        samples.hold = histogram(&[1; 20]);
        samples.handover = histogram(handovers);
        pass
    }

    #[test]
    fn reasons_are_figures_that_differ() {
        let run = run(&[
            pass(Tas, Merged, 0, &[50, 50]),
            instrumented(Tas, &[50, 50], &[31; 3]),
            pass(Ticket, Merged, 0, &[10, 10]),
            instrumented(Ticket, &[10, 10], &[60; 90]),
        ]);
        let [tas, ticket] = &run.cells[..] else { panic!("{run:?}") };
        assert_eq!(
            because(tas, ticket).unwrap(),
            "it goes from core to core in 3.0 % of its acquisitions (ticket: 90 %), and a handover takes 31 ns \
             (ticket: 60 ns), and the lock and the waiting for it take 19.8 ns of an operation (ticket: 99.0 ns)"
        );
        assert_eq!(because(tas, tas), None, "no figure differs");
    }

    #[test]
    fn the_machine_is_named() {
        let mut run = run(&[]);
        run.header.machine.cpu = Some("Some CPU".into());
        run.header.machine.virtualised = Some(true);
        assert_eq!(here(&run, "With 2 cores ..."), "On this machine (Some CPU, 2 cores, virtual), with 2 cores ...");
    }

    #[test]
    fn a_sweep_is_a_sentence() {
        let at = |lock, hold_ns, ops: &[u64]| {
            let mut pass = pass(lock, Merged, 0, ops);
            pass.scenario.hold_ns = hold_ns;
            pass
        };
        let swept = [(0, 20), (100, 30), (200, 10)]
            .into_iter()
            .flat_map(|(hold, ops)| [at(Mcs, hold, &[ops, ops]), at(Ticket, hold, &[10, 10])]);
        assert_eq!(
            over_sweeps(&run(&swept.collect::<Vec<_>>())),
            [
                "Of 3 combinations of hold and think (pair, merged, 2 cores), mcs alone is fastest in 2; in 1 the fastest \
              is not told apart from others."
            ]
        );
    }
}
