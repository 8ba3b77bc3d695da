//! What was measured: for each workload and subject a figure a repetition.

use std::collections::BTreeMap;

use crate::measure::Measured;
use crate::statistics::Estimate;
use crate::workloads::Workload;

/// All cells.
#[derive(Debug, Default)]
pub struct Results {
    cells: BTreeMap<(Workload, &'static str), BTreeMap<usize, Measured>>,
    /// Repetitions that were begun.
    repetitions: usize,
}

impl Results {
    /// What a cell said in a repetition.
    pub fn add(&mut self, workload: Workload, subject: &'static str, repetition: usize, measured: Measured) {
        self.repetitions = self.repetitions.max(repetition + 1);
        self.cells.entry((workload, subject)).or_default().insert(repetition, measured);
    }

    /// Repetitions that were begun.
    #[must_use]
    pub fn repetitions(&self) -> usize {
        self.repetitions
    }

    /// Whether there is anything about a cell.
    #[must_use]
    pub fn has(&self, workload: Workload, subject: &str) -> bool {
        self.all(workload, subject).any(|measured| measured.ns.is_some())
    }

    fn all(&self, workload: Workload, subject: &str) -> impl Iterator<Item = &Measured> {
        let of = self.cells.iter().filter(move |((w, s), _)| *w == workload && *s == subject);
        of.flat_map(|(_, repetitions)| repetitions.values())
    }

    fn figures(&self, workload: Workload, subject: &str) -> Vec<Option<f64>> {
        let of = self.cells.iter().find(|((w, s), _)| *w == workload && *s == subject);
        let figure = |repetition| of.and_then(|(_, all)| all.get(&repetition)).and_then(|measured| measured.ns);
        (0..self.repetitions).map(figure).collect()
    }

    /// Nanoseconds an operation.
    #[must_use]
    pub fn ns(&self, workload: Workload, subject: &str) -> Option<Estimate> {
        let figures: Vec<f64> = self.figures(workload, subject).into_iter().flatten().collect();
        Estimate::of(&figures)
    }

    /// How many times as long one takes as the other, from pairs of the same repetition.
    #[must_use]
    pub fn ratio(&self, of: (Workload, &str), by: (Workload, &str)) -> Option<Estimate> {
        Estimate::of_ratios(&self.figures(of.0, of.1), &self.figures(by.0, by.1))
    }

    /// Clean chunks; left out since a thread was preempted; since the starts were apart.
    #[must_use]
    pub fn chunks(&self, workload: Workload) -> (u64, u64, u64) {
        let of = self.cells.iter().filter(|((w, _), _)| *w == workload).flat_map(|(_, all)| all.values());
        of.fold((0, 0, 0), |(clean, preempted, apart), m| {
            (clean + u64::from(m.clean), preempted + u64::from(m.preempted), apart + u64::from(m.apart))
        })
    }

    /// Cells whose subject had fewer pages to give back than there are.
    #[must_use]
    pub fn fewer(&self) -> Vec<(Workload, &'static str, usize)> {
        let few = |(&(w, s), all): (&(Workload, &'static str), &BTreeMap<usize, Measured>)| {
            all.values().find_map(|measured| measured.fewer).map(|pages| (w, s, pages))
        };
        self.cells.iter().filter_map(few).collect()
    }

    /// Cells after which pages were missing, or too many.
    #[must_use]
    pub fn lost(&self) -> Vec<(Workload, &'static str)> {
        let lost = |all: &BTreeMap<usize, Measured>| all.values().any(|measured| measured.conserved == Some(false));
        self.cells.iter().filter(|(_, all)| lost(all)).map(|(&cell, _)| cell).collect()
    }
}
