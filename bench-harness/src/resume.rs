//! Goes on with a run that was stopped: measures the passes that its file has not, and adds them there.
//!
//! ```text
//!  {"kind":"run", …}         stays: what was asked for, by whom, on what
//!  {"kind":"pass", …} …      stay
//!  {"kind":"end", …}         goes, and so does a line that was cut off
//!  {"kind":"note", …}        when it was resumed
//!  {"kind":"pass", …} …      those that were missing, in the order of the plan
//!  {"kind":"end", …}
//! ```
//!
//! Passes of one file are compared with each other, so they have to come from one program on one machine: if that has
//! changed, it is refused, unless somebody insists; then a note says so.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bench_core::{Machine as _, Pass, Request, Scenario, refusal};
use serde::Deserialize;

use crate::arguments::ResumeArguments;
use crate::follow::follow;
use crate::host::{Host, quiet_workers};
use crate::local::Todo;
use crate::placement::Placement;
use crate::progress::Progress;
use crate::record::{End, Header, Kind as _, Note};
use crate::session::{self, Impossible};
use crate::write::Records;
use crate::{interrupt, local, provenance, read};

/// A pass, among those of its run: what ran, the how-manieth time, and whether with instruments.
pub type Key = (Scenario, u32, bool);

/// What a file of records has.
struct Begun {
    header: Header,
    done: BTreeSet<Key>,
    complete: bool,
    /// Bytes up to the end of the last line that stays.
    whole: u64,
}

/// Goes on.
///
/// # Errors
///
/// The file is of no run of this host, or of another program or machine; or as of a run.
pub fn resume(arguments: &ResumeArguments) -> Result<ExitCode> {
    interrupt::listen().context("cannot listen for Ctrl-C")?;
    quiet_workers();
    let name = arguments.file.display();
    let begun = begun(&arguments.file)?;
    if begun.complete {
        eprintln!("{name} is complete: there is nothing to measure");
        return session::show_file(&arguments.file, arguments.no_html);
    }
    let placement = begun.header.placement.as_ref().map_or(Ok(Placement::System), |placed| placed.placement.parse());
    let host = Arc::new(Host::placed(&placement.map_err(Impossible)?)?);
    let differs = differs(&begun.header, host.cores());
    if let Some(what) = differs.as_ref().filter(|_| !arguments.anyway) {
        return Err(Impossible(format!("{name}: {what}; --anyway goes on nevertheless, and notes it")).into());
    }
    let request = Request::parse(&begun.header.request)
        .map_err(|error| Impossible(format!("{name}: its request cannot be understood: {error}")))?;
    let plan = request.plan(host.cores());
    let cells: Vec<_> = plan.cells().filter(|cell| refusal(&*host, cell).is_none()).collect();
    let all = 2 * u64::from(plan.repeats) * cells.len() as u64;
    let left = all.saturating_sub(begun.done.len() as u64);

    let mut records = Records::reopen(&arguments.file, begun.whole)?;
    let when = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    let text = format!("resumed at {when}, with {left} of {all} passes to measure");
    records.write(&Note { text: differs.map_or(text.clone(), |what| format!("{text}, although {what}")) })?;
    let progress = Progress::new(&format!("{left} of {all} passes are left"));
    progress.planned(left);
    let source = local::start(host, Todo { plan, cells, first: 0, done: begun.done })?;
    let (_, ending) = follow(source, &mut records, &progress, begun.header);
    let shown = session::show_file(&arguments.file, arguments.no_html)?;
    Ok(session::status(&ending).unwrap_or(shown))
}

/// What is not as it was when the run began.
fn differs(header: &Header, cores: usize) -> Option<String> {
    let machine = provenance::machine(cores);
    let source = provenance::source();
    if (&header.machine.cpu, header.machine.cores) != (&machine.cpu, machine.cores) {
        return Some("the machine is another one".into());
    }
    (header.source != source).then(|| format!("the program was built from {source}, then from {}", header.source))
}

fn begun(path: &Path) -> Result<Begun> {
    #[derive(Deserialize)]
    struct Head {
        kind: String,
    }
    read::read(path)?; // whatever is wrong with it is told as a report would
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let (mut header, mut done, mut complete, mut whole) = (None, BTreeSet::new(), false, 0);
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let Head { kind } = serde_json::from_str(line)?;
        match &*kind {
            Header::KIND => header = Some(serde_json::from_str::<Header>(line)?),
            Pass::KIND => {
                let pass: Pass = serde_json::from_str(line)?;
                done.insert((pass.scenario, pass.repeat, pass.samples.is_some()));
            }
            End::KIND => {
                complete = serde_json::from_str::<End>(line)?.complete;
                break;
            }
            _ => {}
        }
        whole += line.len() as u64;
    }
    let Some(header) = header else { bail!("{name}: no record of a run is in it") };
    if header.place != "host" {
        let why = format!("{name} is of {}: a board runs all it is asked for; start it again", header.place);
        return Err(Impossible(why).into());
    }
    Ok(Begun { header, done, complete, whole })
}
