//! What else the passes of a scenario say: who was starved, how many waited, how long interrupts were masked, what a
//! handover is in transfers of a line, and where the time of an operation goes.
//!
//! ```text
//!  ns/op  =  critical                  +  think              +  overhead
//!            mean hold × sections/op      achieved, by one      the rest: asking for the lock, waiting, giving it back,
//!            (with instruments)           core alone            and what the workload does outside of it
//! ```
//!
//! A time between two readings of the clock has one reading in it: as much is taken off holds and waits here, where they
//! are summed. (It is not taken off percentiles, which are shown as they were read.)

use std::collections::BTreeSet;

use bench_core::record::Samples;
use bench_core::{Burnt, Clock, Lock, Pass, Transfer};

use crate::record::Header;
use crate::summary::Percentiles;

/// Below this overlap of their measured windows, cores hardly contended.
pub const TOGETHER: f64 = 0.95;

/// More figures of a scenario; `None` is what its records do not say.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Details {
    /// The longest that a core completed nothing, over all cores and repeats without instruments, in nanoseconds.
    pub gap_ns: Option<f64>,
    /// How many cores waited for the lock, on average over time: all waits by the time measured (Little's law).
    pub waiters: Option<f64>,
    /// The longest that interrupts were masked, in nanoseconds; of a lock that masks them.
    pub masked_ns: Option<f64>,
    /// The median handover by the median way of a line between the cores that took part.
    pub handover_transfers: Option<f64>,
    /// Where the time of an operation goes.
    pub parts: Option<Parts>,
    /// How much longer a section was made, in nanoseconds, as it came out.
    pub hold_ns: Option<f64>,
    /// How long a think was, in nanoseconds, as it came out.
    pub think_ns: Option<f64>,
    /// Passes without instruments whose windows overlap by less than [`TOGETHER`].
    pub apart: usize,
}

/// Nanoseconds an operation, as a core sees it; the three together are `ns_per_op`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parts {
    /// With the lock held.
    pub critical: f64,
    /// Doing something else, as asked for.
    pub think: f64,
    /// Whether the sections are shorter than a reading of the clock: then some of them may count as overhead.
    pub rough: bool,
    /// The rest. Below zero where the passes with instruments held the lock longer than those without.
    pub overhead: f64,
}

/// What is true of the whole run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'a> {
    pub(crate) header: &'a Header,
    pub(crate) clock: Option<Clock>,
    pub(crate) transfers: &'a [Transfer],
}

/// Takes the passes of a scenario one by one.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    gap_ns: f64,
    apart: usize,
    masked_ns: f64,
    hold: Vec<f64>,
    think: Vec<f64>,
    instrumented: Vec<Sums>,
}

/// Of a pass with instruments.
#[derive(Clone, Copy, Debug)]
struct Sums {
    repeat: u32,
    ops: f64,
    sections: f64,
    held_ns: f64,
    waited_ns: f64,
    /// Of all cores together.
    time_ns: f64,
}

/// `ticks` in nanoseconds.
pub(crate) fn nanoseconds(ticks: u64, hz: u64) -> f64 {
    ticks as f64 * 1e9 / hz as f64
}

/// Whether interrupts are masked from the call that acquires it to its release.
#[must_use]
pub fn masks_interrupts(lock: Lock) -> bool {
    lock == Lock::IrqTicket
}

impl Gathering {
    /// Takes a pass that is not void, of which so much was measured with all cores at work.
    pub(crate) fn add(&mut self, pass: &Pass, together: f64) {
        let achieved = |burnt: &Option<Burnt>| burnt.as_ref().map(|burnt| burnt.achieved_ns(pass.hz));
        self.hold.extend(achieved(&pass.hold));
        self.think.extend(achieved(&pass.think));
        match &pass.samples {
            None => {
                let longest = pass.cores.iter().map(|core| core.gap).max().unwrap_or(0);
                self.gap_ns = self.gap_ns.max(nanoseconds(longest, pass.hz));
                self.apart += usize::from(together < TOGETHER);
            }
            Some(samples) => {
                self.masked_ns = self.masked_ns.max(nanoseconds(samples.longest, pass.hz));
                self.instrumented.push(Sums::of(pass, samples));
            }
        }
    }

    /// What they say together, of `lock` on `cores` cores, whose operations take so long.
    pub(crate) fn finish(
        mut self,
        (lock, cores): (Lock, u16),
        ns_per_op: f64,
        handover: Option<Percentiles>,
        around: Around<'_>,
    ) -> Details {
        let read_ns = around.clock.map_or(0.0, |clock| clock.read_ns());
        let asks_to_think = !self.think.is_empty();
        let think_ns = median(&mut self.think);
        let sum = |figure: fn(&Sums) -> f64| self.instrumented.iter().map(figure).sum::<f64>();
        let (ops, sections) = (sum(|sums| sums.ops), sum(|sums| sums.sections));
        let parts = (sections > 0.0 && (think_ns.is_some() || !asks_to_think)).then(|| {
            let held = (sum(|sums| sums.held_ns) - sections * read_ns).max(0.0);
            let critical = held / ops;
            let think = think_ns.unwrap_or(0.0);
            Parts { critical, think, rough: held < sections * read_ns, overhead: ns_per_op - critical - think }
        });
        let waited = sum(|sums| sums.waited_ns);
        let waiters = (waited > 0.0)
            .then(|| (waited - sections * read_ns).max(0.0) * f64::from(cores) / sum(|sums| sums.time_ns));
        let seen = |longest: f64| (longest > 0.0).then_some(longest);
        let repeats = self.instrumented.iter().map(|sums| sums.repeat).collect();
        let transfer = way_ns(around, cores, &repeats).filter(|_| !around.header.emulated);
        Details {
            gap_ns: seen(self.gap_ns),
            waiters,
            masked_ns: seen(self.masked_ns).filter(|_| masks_interrupts(lock)),
            handover_transfers: handover.zip(transfer).map(|(handover, transfer)| handover.p50 as f64 / transfer),
            parts,
            hold_ns: median(&mut self.hold),
            think_ns,
            apart: self.apart,
        }
    }
}

impl Sums {
    fn of(pass: &Pass, samples: &Samples) -> Self {
        let ns = |ticks| nanoseconds(ticks, pass.hz);
        let held = samples.hold.iter().map(|(low, width, count)| ns(low + (width - 1) / 2) * f64::from(count));
        Self {
            repeat: pass.repeat,
            ops: pass.cores.iter().map(|core| core.ops as f64).sum(),
            sections: samples.hold.len() as f64,
            held_ns: held.sum(),
            waited_ns: ns(samples.waited),
            time_ns: pass.cores.iter().map(|core| ns(core.stop.saturating_sub(core.start))).sum(),
        }
    }
}

/// The median way of a line between two of the cores that `cores` workers were on. On a host, worker `i` of repeat `r` is
/// on core `i + r` of all, or, where somebody chose the cores, of those that are used; the ways were measured as in repeat 0.
fn way_ns(around: Around<'_>, cores: u16, repeats: &BTreeSet<u32>) -> Option<f64> {
    let all = u32::try_from(around.header.machine.cores.max(1)).ok()?;
    let chosen = around.header.placement.as_ref().is_some_and(|placed| placed.placement != "system");
    let rotates = around.header.place == "host" && !chosen;
    let of = |repeat: u32| {
        let turn = if rotates { repeat % all } else { 0 };
        (0..u32::from(cores)).map(move |worker| if rotates { (worker + turn) % all } else { worker })
    };
    let took_part = |transfer: &&Transfer| {
        let both = [transfer.a, transfer.b].map(u32::from);
        repeats.iter().any(|&repeat| both.iter().all(|core| of(repeat).any(|used| used == *core)))
    };
    let measured = around.transfers.iter().filter(|transfer| transfer.hops > 0);
    median(&mut measured.filter(took_part).map(Transfer::ns).collect::<Vec<_>>())
}

/// The one in the middle; of an even number, the mean of the two.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[values.len() / 2]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{header, histogram, pass, run, with_waits};
    use crate::record::Placed;
    use crate::summary::Collector;
    use bench_core::Strategy::Merged;

    fn near(a: Option<f64>, b: f64) -> bool {
        a.is_some_and(|a| (a - b).abs() < 1e-9 * b.abs().max(1.0))
    }

    /// Two cores, 1000 ns each, ten operations and ten sections of 50 ns each; 600 ns of waits.
    fn instrumented() -> Pass {
        let mut pass = with_waits(pass(Lock::Mcs, Merged, 0, &[10, 10]), &[30; 20]);
        let samples = pass.samples.as_mut().unwrap();
        samples.hold = histogram(&[31; 20]);
        samples.handover = histogram(&[60; 5]);
        (samples.waited, samples.longest) = (600, 77);
        pass
    }

    #[test]
    fn an_operation_is_its_section_its_think_and_the_rest() {
        let think = Burnt { requested_ns: 20, burns: 10, ticks: 250, ..Burnt::default() };
        let plain = Pass { think: Some(think), ..pass(Lock::Mcs, Merged, 0, &[10, 10]) };
        let with = Pass { think: Some(think), ..instrumented() };
        let cell = &run(&[plain, with]).cells[0];
        assert_eq!(cell.details.parts, Some(Parts { critical: 31.0, think: 25.0, rough: false, overhead: 44.0 }));
        assert_eq!((cell.details.think_ns, cell.details.hold_ns), (Some(25.0), None));
        assert!(near(cell.details.waiters, 0.6), "600 ns of waits in 1000 ns: {:?}", cell.details);
        assert_eq!(cell.details.gap_ns, Some(10.0));
        assert_eq!(cell.details.masked_ns, None, "it masks nothing");
    }

    #[test]
    fn a_reading_of_the_clock_is_taken_off() {
        let run_with = |clock| {
            let mut collector = Collector::default();
            collector.add_clock(clock);
            [pass(Lock::Mcs, Merged, 0, &[10, 10]), instrumented()].iter().for_each(|pass| collector.add(pass));
            collector.finish(header(), vec![], None).cells[0].details
        };
        let details = run_with(Clock { hz: 1_000_000_000, reads: 10, ticks: 100, step: 1 });
        assert_eq!(details.parts, Some(Parts { critical: 21.0, think: 0.0, rough: false, overhead: 79.0 }));
        assert!(near(details.waiters, 0.4), "{details:?}");
        let slow = run_with(Clock { hz: 1_000_000_000, reads: 10, ticks: 160, step: 1 });
        assert!(
            slow.parts.is_some_and(|parts| parts.rough && parts.critical == 15.0),
            "shorter than a reading: {slow:?}"
        );
    }

    #[test]
    fn a_handover_is_counted_in_ways_between_the_cores_that_took_part() {
        let way = |a, b, ticks| Transfer { a, b, hz: 1_000_000_000, hops: 10, ticks };
        let transfers = |emulated, repeat, placed: Option<&str>| {
            let mut collector = Collector::default();
            [way(0, 1, 200), way(0, 2, 9000), way(1, 2, 300)].into_iter().for_each(|way| collector.add_transfer(way));
            let passes = [pass(Lock::Mcs, Merged, repeat, &[10, 10]), Pass { repeat, ..instrumented() }];
            passes.iter().for_each(|pass| collector.add(pass));
            let mut header = Header { emulated, ..header() };
            header.machine.cores = 3;
            header.placement = placed.map(|placement| Placed { placement: placement.into(), cores: vec![0, 1, 2] });
            collector.finish(header, vec![], None).cells[0].details.handover_transfers
        };
        assert!(near(transfers(false, 0, None), 3.0), "60 ns by the 20 ns between 0 and 1");
        assert!(near(transfers(false, 1, Some("system")), 2.0), "by the 30 ns between 1 and 2: workers rotate");
        assert!(near(transfers(false, 1, Some("pack")), 3.0), "among the cores that were chosen");
        assert_eq!(transfers(true, 0, None), None, "a ratio of emulated times");
    }

    #[test]
    fn passes_apart_are_counted_and_what_is_not_there_is_not_told() {
        let mut late = pass(Lock::Mcs, Merged, 1, &[10, 10]);
        late.cores[1].start += 100;
        late.cores.iter_mut().for_each(|core| core.gap = 0);
        let mut first = late.clone();
        (first.repeat, first.cores[1].start) = (0, first.cores[0].start);
        let third = Pass { repeat: 2, ..first.clone() };
        let details = run(&[first, late, third]).cells[0].details;
        assert_eq!(details, Details { apart: 1, ..Details::default() });
    }

    #[test]
    fn only_a_lock_that_masks_has_a_longest_masked_time() {
        let mut with = instrumented();
        with.scenario.lock = Lock::IrqTicket;
        let details = run(&[pass(Lock::IrqTicket, Merged, 0, &[10, 10]), with]).cells[0].details;
        assert_eq!(details.masked_ns, Some(77.0));
    }
}
