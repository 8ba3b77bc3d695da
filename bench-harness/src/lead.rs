//! Which of several locks is ahead, and by how much, where all did the same on as many cores; and that over every hold and
//! think of a run.
//!
//! Who is not told apart from the fastest shares its place: a lead is one over the first that is told apart.

use std::collections::BTreeMap;

use bench_core::{Mix, Strategy, Workload};

use crate::statistics::ratio;
use crate::summary::{CellSummary, Run, Spread};

/// Who is ahead.
#[derive(Clone, Debug)]
pub struct Lead<'r> {
    /// The one of the smallest median.
    pub best: &'r CellSummary,
    /// Those that are not told apart from it.
    pub near: Vec<&'r CellSummary>,
    /// Those that are, the fastest first.
    pub behind: Vec<&'r CellSummary>,
}

impl<'r> Lead<'r> {
    /// Among `cells`; `None` if there is none.
    #[must_use]
    pub fn of(cells: &[&'r CellSummary]) -> Option<Self> {
        let mut cells = cells.to_vec();
        cells.sort_by(|a, b| a.ns_per_op.median.total_cmp(&b.ns_per_op.median));
        let (&best, rest) = cells.split_first()?;
        let (near, behind) = rest.iter().partition(|cell| cell.ns_per_op.overlaps(&best.ns_per_op));
        Some(Self { best, near, behind })
    }

    /// How many times as fast as the first behind it.
    #[must_use]
    pub fn ratio(&self) -> Option<Spread> {
        ratio(&self.best.each, &self.behind.first()?.each)
    }
}

/// Locks over holds and thinks, all else the same.
#[derive(Clone, Debug)]
pub struct Sweep<'r> {
    /// What every core did.
    pub workload: Workload,
    /// Which orders were allocated.
    pub mix: Mix,
    /// Where counts and lists were changed.
    pub strategy: Strategy,
    /// On how many cores: the most that it was measured on.
    pub cores: u16,
    /// In nanoseconds, the shortest first.
    pub holds: Vec<u32>,
    /// In nanoseconds, the shortest first.
    pub thinks: Vec<u32>,
    /// By hold and think.
    pub leads: BTreeMap<(u32, u32), Lead<'r>>,
}

/// Every sweep of `run` with several locks, and several holds or thinks.
#[must_use]
pub fn sweeps(run: &Run) -> Vec<Sweep<'_>> {
    let mut groups: BTreeMap<(Workload, Mix, Strategy), Vec<&CellSummary>> = BTreeMap::new();
    for cell in &run.cells {
        let scenario = cell.scenario;
        groups.entry((scenario.workload, scenario.mix, scenario.strategy)).or_default().push(cell);
    }
    groups.into_iter().filter_map(|(what, cells)| sweep(what, &cells)).collect()
}

fn sweep<'r>((workload, mix, strategy): (Workload, Mix, Strategy), cells: &[&'r CellSummary]) -> Option<Sweep<'r>> {
    let cores = cells.iter().map(|cell| cell.scenario.cores).max()?;
    let mut places: BTreeMap<(u32, u32), Vec<&CellSummary>> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| cell.scenario.cores == cores) {
        places.entry((cell.scenario.hold_ns, cell.scenario.think_ns)).or_default().push(cell);
    }
    if places.len() < 2 || places.values().all(|cells| cells.len() < 2) {
        return None;
    }
    let lengths = |which: fn(&(u32, u32)) -> u32| {
        let mut lengths: Vec<u32> = places.keys().map(which).collect();
        lengths.sort_unstable();
        lengths.dedup();
        lengths
    };
    let (holds, thinks) = (lengths(|place| place.0), lengths(|place| place.1));
    let leads = places.iter().filter_map(|(&place, cells)| Some((place, Lead::of(cells)?))).collect();
    Some(Sweep { workload, mix, strategy, cores, holds, thinks, leads })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{pass, run};
    use bench_core::Lock::{Mcs, Queued, Ticket};
    use bench_core::Pass;
    use bench_core::Strategy::Merged;

    #[test]
    fn a_lead_is_over_the_first_that_is_told_apart() {
        let run = run(&[
            pass(Ticket, Merged, 0, &[10, 10]),
            pass(Mcs, Merged, 0, &[40, 40]),
            pass(Queued, Merged, 0, &[39, 39]),
            pass(Queued, Merged, 1, &[41, 41]),
        ]);
        let lead = Lead::of(&run.cells.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!((lead.best.scenario.lock, lead.near[0].scenario.lock), (Mcs, Queued));
        assert_eq!((lead.behind.len(), lead.ratio().map(|ratio| ratio.median)), (1, Some(4.0)));
        assert!(Lead::of(&[]).is_none());
    }

    #[test]
    fn a_sweep_has_a_lead_for_each_hold_and_think_on_the_most_cores() {
        let at = |lock, hold_ns, think_ns, ops: &[u64]| {
            let mut pass: Pass = pass(lock, Merged, 0, ops);
            (pass.scenario.hold_ns, pass.scenario.think_ns) = (hold_ns, think_ns);
            pass
        };
        let run = run(&[
            at(Ticket, 0, 1000, &[10, 10]),
            at(Mcs, 0, 1000, &[20, 20]),
            at(Ticket, 200, 0, &[10, 10]),
            at(Mcs, 200, 0, &[5, 5]),
            at(Mcs, 0, 1000, &[99]),
        ]);
        let [sweep] = &sweeps(&run)[..] else { panic!("{:?}", sweeps(&run)) };
        assert_eq!((&sweep.holds[..], &sweep.thinks[..], sweep.cores), (&[0, 200][..], &[0, 1000][..], 2));
        let best = |place| sweep.leads.get(&place).map(|lead| lead.best.scenario.lock);
        assert_eq!([best((0, 1000)), best((200, 0)), best((0, 0))], [Some(Mcs), Some(Ticket), None]);
    }

    #[test]
    fn one_lock_or_one_place_is_no_sweep() {
        let one = pass(Ticket, Merged, 0, &[10, 10]);
        let mut other = one.clone();
        other.scenario.hold_ns = 5;
        assert!(sweeps(&run(&[one.clone(), other])).is_empty());
        assert!(sweeps(&run(&[one, pass(Mcs, Merged, 0, &[10, 10])])).is_empty());
    }
}
