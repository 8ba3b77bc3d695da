//! What was measured, as JSON Lines: the machine, then a line a cell as soon as it is measured. Names stay what they are.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::SystemTime;

use anyhow::{Context, Result};
use bench_harness::provenance;
use bench_harness::record::{Build, MachineInfo, Source};
use serde::Serialize;

use crate::measure::Measured;
use crate::workloads::Workload;

#[derive(Serialize)]
#[serde(tag = "line", rename_all = "lowercase")]
enum Line<'l> {
    Machine(Box<Machine>),
    Cell(Cell<'l>),
    Transfer(Transfer),
    Lock(Lock<'l>),
}

#[derive(Serialize)]
struct Machine {
    version: &'static str,
    /// Seconds since 1970.
    started: Option<u64>,
    source: Source,
    build: Build,
    machine: MachineInfo,
    load: Option<String>,
    debug_assertions: bool,
    repetitions: usize,
    slice_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_verified: Option<bool>,
}

#[derive(Serialize)]
struct Cell<'l> {
    repetition: usize,
    workload: &'l str,
    subject: &'l str,
    ns: Option<f64>,
    operations: u64,
    clean: u32,
    preempted: u32,
    apart: u32,
    fewer_pages: Option<usize>,
    conserved: Option<bool>,
}

#[derive(Serialize)]
struct Transfer {
    repetition: usize,
    ns: f64,
    section_work_ns: f64,
}

#[derive(Serialize)]
struct Lock<'l> {
    repetition: usize,
    lock: &'l str,
    alone_ns: Option<f64>,
    section_ns: Option<f64>,
    least_share: Option<f64>,
    empty_section_ns: Option<f64>,
}

/// Where the lines go; nowhere, if nobody asked.
#[derive(Debug, Default)]
pub struct Lines(Option<File>);

impl Lines {
    /// A new file, with the line about the machine.
    ///
    /// # Errors
    ///
    /// It cannot be made, or written to.
    pub fn create(path: Option<&Path>, (repetitions, slice_ms): (usize, u64), verified: Option<bool>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let file = File::create(path).with_context(|| format!("{} cannot be made", path.display()))?;
        let mut lines = Self(Some(file));
        lines.write(&Line::Machine(Box::new(Machine {
            version: env!("CARGO_PKG_VERSION"),
            started: SystemTime::UNIX_EPOCH.elapsed().ok().map(|since| since.as_secs()),
            // As the tree is now: `cargo run` has just built this from it.
            source: provenance::source_now(Path::new(env!("CARGO_MANIFEST_DIR"))),
            build: provenance::build(),
            machine: provenance::machine(thread::available_parallelism().map_or(1, usize::from)),
            load: fs::read_to_string("/proc/loadavg").ok().map(|text| text.trim().to_owned()),
            debug_assertions: cfg!(debug_assertions),
            repetitions,
            slice_ms,
            original_verified: verified,
        })))?;
        Ok(lines)
    }

    /// A line about a cell.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn cell(&mut self, workload: Workload, subject: &str, repetition: usize, measured: &Measured) -> Result<()> {
        self.write(&Line::Cell(Cell {
            repetition,
            workload: workload.name(),
            subject,
            ns: measured.ns,
            operations: measured.operations,
            clean: measured.clean,
            preempted: measured.preempted,
            apart: measured.apart,
            fewer_pages: measured.fewer,
            conserved: measured.conserved,
        }))
    }

    /// A line about the time that a cache line takes from core to core, and the work of a section.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn transfer(&mut self, repetition: usize, ns: f64, section_work_ns: f64) -> Result<()> {
        self.write(&Line::Transfer(Transfer { repetition, ns, section_work_ns }))
    }

    /// A line about a lock: alone, and what two cores got with it (ns a section, the share of who got less;
    /// ns a section that does nothing).
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn lock(
        &mut self,
        repetition: usize,
        lock: &str,
        alone_ns: Option<f64>,
        together: Option<(f64, f64)>,
        empty_section_ns: Option<f64>,
    ) -> Result<()> {
        let (section_ns, least_share) = together.unzip();
        self.write(&Line::Lock(Lock { repetition, lock, alone_ns, section_ns, least_share, empty_section_ns }))
    }

    fn write(&mut self, line: &Line<'_>) -> Result<()> {
        let Some(file) = &mut self.0 else { return Ok(()) };
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        file.write_all(text.as_bytes()).context("the JSON file cannot be written")
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::measure::Measured;
    use crate::workloads::Workload;

    #[test]
    fn a_line_a_cell_after_the_machine_s() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut lines = Lines::create(Some(file.path()), (9, 70), Some(true)).unwrap();
        let measured = Measured { ns: Some(1.5), conserved: Some(true), ..Measured::default() };
        lines.cell(Workload::S2Seq, "pool", 3, &measured).unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        let (source, rustc) = (&lines[0]["source"], &lines[0]["build"]["rustc"]);
        assert!(source.get("commit").or(source.get("unknown")).is_some(), "{source}");
        assert!(rustc.as_str().is_some_and(|rustc| rustc.starts_with("rustc ")), "{rustc}");
        assert_eq!((&lines[0]["line"], &lines[0]["repetitions"]), (&"machine".into(), &9.into()));
        assert_eq!((&lines[1]["workload"], &lines[1]["ns"]), (&"s2_seq".into(), &1.5.into()));
    }
}
