//! A console that somebody has captured becomes a run: from a board that this machine cannot reach, or a lab that hands out
//! logs.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};

use crate::arguments::IngestArguments;
use crate::console::{Said, listen};
use crate::events::{Event, Source};
use crate::interrupt;
use crate::record::{self, Build, Header, MachineInfo};
use crate::session::{Showing, record};

/// Reads a console's log, and shows what is in it.
///
/// # Errors
///
/// It cannot be read, or no pass is in it.
pub fn ingest(arguments: &IngestArguments) -> Result<ExitCode> {
    interrupt::listen().context("cannot listen for Ctrl-C")?;
    let stdin = arguments.file == Path::new("-");
    let name = if stdin { "the standard input".into() } else { arguments.file.display().to_string() };
    let log: Box<dyn Read + Send> = if stdin {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(&arguments.file).with_context(|| format!("cannot open {name}"))?)
    };
    let showing =
        Showing { output: &arguments.output, no_html: arguments.no_html, quiet: false, json: false, stream: false };
    let started = jiff::Timestamp::now();
    let header = header(&arguments.board, arguments.emulated, &name, started);
    let what = format!("{name}: the console of {}", arguments.board);
    let status = record(&showing, header, vec![], started, &what, move || read(log, name))?;
    Ok(status.into())
}

fn read(log: Box<dyn Read + Send>, name: String) -> Result<Source> {
    let (sender, events) = mpsc::channel();
    let reading = move || {
        // In a log, somebody has answered the board that asked.
        let last = match listen(log, &sender, None, || Ok(())) {
            Ok(Said::Done | Said::DoneAndVoid) => Event::Finished,
            Ok(Said::Less) => Event::Failed(anyhow!("{name} ends before the board was done")),
            Err(error) => Event::Failed(error.context(name)),
        };
        let _ = sender.send(last);
    };
    thread::Builder::new().name("reading".into()).spawn(reading).context("cannot start a thread")?;
    // A log may be a pipe that somebody still writes to.
    Ok(Source { events, patience: Duration::from_secs(24 * 3600), stop: Box::new(|| ()) })
}

/// Of a board of which a log does not tell more than its figures.
fn header(board: &str, emulated: bool, log: &str, started: jiff::Timestamp) -> Header {
    let unknown = || "not in the log".to_owned();
    Header {
        program: env!("CARGO_PKG_VERSION").into(),
        source: record::Source::Unknown { why: "a console's log does not say".into() },
        build: Build { rustc: unknown(), target: unknown(), features: unknown(), profile: unknown() },
        command: std::env::args().collect(),
        scenario: None,
        own: vec![],
        placement: None,
        request: String::new(),
        started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        place: board.into(),
        emulated,
        pinned: true,
        hz: None,
        passes: None,
        machine: MachineInfo {
            cpu: None,
            arch: unknown(),
            cores: 0,
            os: unknown(),
            virtualised: None,
            governor: None,
            smt: None,
        },
        notes: vec![format!("read from {log}: what ran it, and when, is not in there")],
    }
}
