//! Two programs against each other on one machine, interleaved: what disturbs the one disturbs the other.
//!
//! ```text
//!  round 0   A  B      each a run of its own with one repeat,
//!  round 1   B  A      whose number is that of the round: so the cores rotate
//!  round 2   A  B
//!  …                                        ──► …-a.jsonl, …-b.jsonl ──► compare
//! ```
//!
//! Two runs one after the other are compared with what has changed between them: on a machine that others use, that is
//! seldom the program alone (docs/results/compare.md has both ways measured).

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use bench_core::Pass;
use serde::Deserialize;

use crate::arguments::AbArguments;
use crate::progress::{Progress, say};
use crate::record::{End, Header, Kind as _, Note};
use crate::session::compare_files;
use crate::write::Records;
use crate::{interrupt, read};

/// One of the two.
struct Side<'a> {
    program: &'a Path,
    name: &'static str,
    records: Option<Records>,
}

/// Measures both, and compares.
///
/// # Errors
///
/// One of them cannot be run, or fails; or as of a comparison.
pub fn ab(arguments: &AbArguments) -> Result<ExitCode> {
    interrupt::listen().context("cannot listen for Ctrl-C")?;
    let started = jiff::Timestamp::now();
    let mut sides =
        [(&arguments.a, "a"), (&arguments.b, "b")].map(|(program, name)| Side { program, name, records: None });
    let progress = Progress::new(&format!("{} rounds of two runs", arguments.rounds));
    progress.planned(2 * u64::from(arguments.rounds));
    let mut rounds = 0;
    'all: for round in 0..arguments.rounds {
        let first = round as usize % 2;
        for which in [first, 1 - first] {
            let side = &mut sides[which];
            progress.begins(format!("round {round}: {}", side.program.display()));
            if !side.run(arguments, round, started)? {
                break 'all;
            }
            progress.passed(format!("round {round}: {}", side.program.display()));
        }
        rounds = round + 1;
    }
    progress.clear();
    let end = if rounds == arguments.rounds { End::COMPLETE } else { End::early("interrupted") };
    let [a, b] = sides.map(|side| {
        let mut records = side.records.with_context(|| format!("nothing was measured of {}", side.name))?;
        records.write(&end)?;
        say(&format!("Records: {}\n", records.path().display()));
        anyhow::Ok(records.path().to_owned())
    });
    let compared = compare_files(&a?, &b?, arguments.criteria(), false)?;
    Ok(if interrupt::asked() { ExitCode::from(interrupt::STATUS) } else { compared })
}

impl Side<'_> {
    /// One round of this side; `false`: it was interrupted.
    fn run(&mut self, arguments: &AbArguments, round: u32, started: jiff::Timestamp) -> Result<bool> {
        let directory = tempfile::tempdir().context("no place for the records of a round")?;
        let program = self.program.display();
        let mut command = Command::new(self.program);
        command.arg("run").args(&arguments.options);
        command.args(["--repeats", "1", "--quiet", "--no-html", "--first-repeat", &round.to_string(), "--output"]);
        command.arg(directory.path()).stdin(Stdio::null()).stdout(Stdio::null());
        let status = command.status().with_context(|| format!("cannot run {program}"))?;
        if interrupt::asked() {
            return Ok(false);
        }
        // 1: a pass was void, which the comparison will say.
        ensure!(matches!(status.code(), Some(0 | 1)), "{program} ended with {status}; see what it says above");
        let mut files: Vec<_> =
            fs::read_dir(directory.path())?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        let (Some(file), None) = (files.pop(), files.pop()) else {
            bail!("{program} left no records, or more than one file: compare one scenario at a time");
        };
        self.take(&file, arguments, started)?;
        Ok(true)
    }

    /// Adds the records of a round to those of the side.
    fn take(&mut self, file: &Path, arguments: &AbArguments, started: jiff::Timestamp) -> Result<()> {
        #[derive(Deserialize)]
        struct Head {
            kind: String,
        }
        let header: Header = read::read(file)?.run.header;
        let records = match &mut self.records {
            Some(records) => records,
            none => {
                let mut records = Records::create(&arguments.output, started, self.name)?;
                records.write(&Header { notes: vec![], ..header })?;
                none.insert(records)
            }
        };
        for line in fs::read_to_string(file)?.lines() {
            let Head { kind } = serde_json::from_str(line)?;
            match &*kind {
                Pass::KIND => records.write(&serde_json::from_str::<Pass>(line)?)?,
                Note::KIND => records.write(&serde_json::from_str::<Note>(line)?)?,
                _ => {}
            }
        }
        Ok(())
    }
}
