//! Reads the records of a run back.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use bench_core::{Clock, Pass, Transfer};
use serde::Deserialize;
use serde_json::from_str;

use crate::collect::Collector;
use crate::own;
use crate::record::{End, Header, Kind, Note, Refused, VERSION};
use crate::summary::Run;

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

/// A line of a file of records, understood.
#[derive(Debug)]
pub enum Record {
    /// What ran where.
    Header(Box<Header>),
    /// A scenario cannot run.
    Refused(Refused),
    /// Something turned out.
    Note(Note),
    /// The clock was measured.
    Clock(Clock),
    /// A way of a line was measured.
    Transfer(Transfer),
    /// A pass has ended.
    Pass(Box<Pass>),
    /// So has the run.
    End(End),
}

/// Understands a line without its end. Names that only the program which wrote it had are known from then on.
///
/// # Errors
///
/// It is no record, or one of another version.
pub fn record(line: &str) -> Result<Record> {
    #[derive(Deserialize)]
    struct Head {
        v: u32,
        kind: String,
    }
    let Head { v, kind } = from_str(line).context("no record")?;
    ensure!(v == VERSION, "a record of version {v}; this program reads version {VERSION}");
    let what = || format!("no record \"{kind}\"");
    Ok(match &*kind {
        Header::KIND => {
            let header: Box<Header> = from_str(line).with_context(what)?;
            own::adopt(&header.own)?;
            Record::Header(header)
        }
        Refused::KIND => Record::Refused(from_str(line).with_context(what)?),
        Note::KIND => Record::Note(from_str(line).with_context(what)?),
        Clock::KIND => Record::Clock(from_str(line).with_context(what)?),
        Transfer::KIND => Record::Transfer(from_str(line).with_context(what)?),
        Pass::KIND => {
            let pass: Box<Pass> = from_str(line).with_context(what)?;
            ensure!(pass.hz > 0, "a pass whose clock stands still");
            Record::Pass(pass)
        }
        End::KIND => Record::End(from_str(line).with_context(what)?),
        _ => bail!("there is no kind of record \"{kind}\""),
    })
}

impl Reader {
    fn take(&mut self, line: &str) -> Result<()> {
        let record = record(line)?;
        ensure!(self.end.is_none(), "a record after the one that ends the run");
        let first = self.header.is_none();
        ensure!(
            first == matches!(record, Record::Header(_)),
            "the record \"run\" has to be the first one, and only that"
        );
        match record {
            Record::Header(header) => self.header = Some(*header),
            Record::Refused(refused) => self.refused.push(refused),
            Record::Note(Note { text }) => self.notes.push(text),
            Record::Clock(clock) => self.collector.add_clock(clock),
            Record::Transfer(transfer) => self.collector.add_transfer(transfer),
            Record::Pass(pass) => self.collector.add(&pass),
            Record::End(end) => self.end = Some(end),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{header, pass, with_waits};
    use crate::record::line;
    use bench_core::{Lock, Strategy};

    fn records() -> Vec<String> {
        let pass = pass(Lock::Mcs, Strategy::Merged, 0, &[10, 30]);
        let refused = Refused { scenario: pass.scenario, why: "for once".into() };
        let with = with_waits(pass.clone(), &[1, 2, 3]);
        let note = Note { text: "a note".into() };
        vec![line(&header()), line(&refused), line(&pass), line(&with), line(&note), line(&End::COMPLETE)]
    }

    fn read_text(text: &str) -> Result<Reading> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(file.path())
    }

    fn error(lines: &[String]) -> String {
        format!("{:#}", read_text(&lines.concat()).unwrap_err())
    }

    #[test]
    fn what_was_written_is_read() {
        let Reading { run, warnings } = read_text(&records().concat()).unwrap();
        assert_eq!(warnings, [""; 0]);
        assert_eq!(run.header, Header { notes: vec!["a note".into()], ..header() });
        assert_eq!((run.cells.len(), run.refused.len(), run.complete()), (1, 1, true));
        assert_eq!(run.cells[0].wait.unwrap().count, 3);
    }

    #[test]
    fn a_file_that_ends_early_is_read_with_a_warning() {
        let text = records().concat();
        let cut = &text[..text.find("\"kind\":\"note\"").unwrap()];
        let Reading { run, warnings } = read_text(cut).unwrap();
        assert_eq!((run.cells.len(), run.complete(), warnings.len()), (1, false, 2));
        assert!(warnings[0].ends_with(":5: the line is cut off, and left out"), "{warnings:?}");
        assert!(warnings[1].contains("did not end"), "{warnings:?}");
    }

    #[test]
    fn what_is_no_record_is_an_error_with_its_line() {
        let good = records();
        let with = |at: usize, text: &str| {
            let mut lines = good.clone();
            lines[at] = format!("{text}\n");
            error(&lines)
        };
        assert!(with(2, "{").contains(":3: no record"));
        assert!(with(2, "").contains(":3: no record"));
        assert!(
            with(2, r#"{"v":2,"kind":"pass"}"#).contains(":3: a record of version 2; this program reads version 1")
        );
        assert!(with(2, r#"{"v":1,"kind":"joy"}"#).contains(":3: there is no kind of record \"joy\""));
        assert!(with(2, r#"{"v":1,"kind":"pass"}"#).contains(":3: no record \"pass\": missing field"));
        assert!(with(2, good[0].trim()).contains(":3: the record \"run\" has to be the first one"));
        assert!(with(0, good[2].trim()).contains(":1: the record \"run\" has to be the first one"));
        assert!(with(3, good[5].trim()).contains(":5: a record after the one that ends the run"));
        assert!(error(&[]).contains("no record of a run is in it"));
        assert!(format!("{:#}", read(Path::new("/no/such/file")).unwrap_err()).contains("cannot open /no/such/file"));
    }
}
