//! Reads the records of a run back.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use bench_core::Pass;
use serde::Deserialize;
use serde_json::from_str;

use crate::record::{End, Header, Kind, Note, Refused, VERSION};
use crate::summary::{Collector, Run};

/// What is in a file.
#[derive(Debug)]
pub struct Reading {
    /// The run.
    pub run: Run,
    /// What is odd about the file, though it can be read.
    pub warnings: Vec<String>,
}

#[derive(Default)]
struct Reader {
    header: Option<Header>,
    collector: Collector,
    refused: Vec<Refused>,
    notes: Vec<String>,
    end: Option<End>,
}

/// Reads `path`.
///
/// A last line without an end is one that somebody was still writing: it is left out, with a warning.
///
/// # Errors
///
/// The file cannot be read, is of another version, or no such file; the error names the line.
pub fn read(path: &Path) -> Result<Reading> {
    let name = path.display();
    let mut file = BufReader::new(File::open(path).with_context(|| format!("cannot open {name}"))?);
    let mut reader = Reader::default();
    let mut warnings = vec![];
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        if file.read_line(&mut line).with_context(|| format!("{name}:{number}: cannot be read"))? == 0 {
            break;
        }
        match line.strip_suffix('\n') {
            Some(line) => reader.take(line).with_context(|| format!("{name}:{number}"))?,
            None => warnings.push(format!("{name}:{number}: the line is cut off, and left out")),
        }
    }
    let Some(mut header) = reader.header else { bail!("{name}: no record of a run is in it") };
    if reader.end.is_none() {
        warnings.push(format!("{name}: the run did not end: it was killed, or goes on"));
    }
    header.notes.append(&mut reader.notes);
    Ok(Reading { run: reader.collector.finish(header, reader.refused, reader.end), warnings })
}

impl Reader {
    fn take(&mut self, line: &str) -> Result<()> {
        #[derive(Deserialize)]
        struct Head {
            v: u32,
            kind: String,
        }
        let Head { v, kind } = from_str(line).context("no record")?;
        ensure!(v == VERSION, "a record of version {v}; this program reads version {VERSION}");
        ensure!(self.end.is_none(), "a record after the one that ends the run");
        let first = self.header.is_none();
        ensure!(first == (kind == Header::KIND), "the record \"run\" has to be the first one, and only that");
        let what = || format!("no record \"{kind}\"");
        match &*kind {
            Header::KIND => self.header = Some(from_str(line).with_context(what)?),
            Refused::KIND => self.refused.push(from_str(line).with_context(what)?),
            Note::KIND => self.notes.push(from_str::<Note>(line).with_context(what)?.text),
            Pass::KIND => {
                let pass: Pass = from_str(line).with_context(what)?;
                ensure!(pass.hz > 0, "a pass whose clock stands still");
                self.collector.add(&pass);
            }
            End::KIND => self.end = Some(from_str(line).with_context(what)?),
            _ => bail!("there is no kind of record \"{kind}\""),
        }
        Ok(())
    }
}
