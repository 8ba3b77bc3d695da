//! A run from the command line to the page: prepares a place, follows what happens there, tells what it means.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bench_core::{Lock, Machine as _, Plan, Request, Scenario, refusal};

use crate::arguments::{CompareArguments, On, Place, ReportArguments, RunArguments};
use crate::compare::Criteria;
use crate::events::Source;
use crate::export::Figures;
use crate::follow::{Ending, follow};
use crate::host::{Host, quiet_workers};
use crate::local::Todo;
use crate::progress::{Progress, complain, say};
use crate::qemu::image::Board;
use crate::read::Reading;
use crate::record::{End, Header, Placed, Refused};
use crate::scenario::Named;
use crate::serial::Serial;
use crate::ssh::{Begun, Remote};
use crate::summary::Run;
use crate::write::{Records, atomically};
use crate::{answer, compare, interrupt, local, own, provenance, qemu, read, report, stream, table};

/// Cores of the emulated board, if nobody says otherwise.
const SMP: u16 = 4;

/// Something that can be asked for, and not be done here.
#[derive(Debug)]
pub struct Impossible(pub String);

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Impossible {}

/// What a place needs, found before anything is measured.
struct Prepared {
    header: Header,
    refused: Vec<Refused>,
    what: String,
    begin: Box<dyn FnOnce() -> Result<Source>>,
}

fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Measures.
///
/// # Errors
///
/// It cannot begin, or what was measured cannot be shown. What goes wrong in between is told, and in the status.
pub fn run(arguments: &RunArguments) -> Result<ExitCode> {
    interrupt::listen().context("cannot listen for Ctrl-C")?;
    quiet_workers();
    if arguments.stream {
        stream::watch()?;
    }
    let (host, remote) = match &arguments.on {
        // Its cores are others.
        On::Ssh(destination) => {
            (Host::new()?, Some(Remote::prepare(destination, arguments.binary.as_deref(), root())?))
        }
        _ => (Host::placed(&arguments.place)?, None),
    };
    let host = Arc::new(host);
    let mut worst = Status::Good;
    for (named, request) in arguments.requests()? {
        if let Some(Named { name, why }) =
            named.as_ref().filter(|_| !arguments.quiet && !arguments.json && !arguments.stream)
        {
            say(&table::wrap(&format!("\nScenario {name}: {why}\n")));
        }
        worst = worst.max(one(arguments, named, &request, &host, remote.as_ref())?);
        if interrupt::asked() {
            break;
        }
    }
    Ok(worst.into())
}

/// How a run ended, from good to worse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Status {
    /// Everything that was asked for, and nothing void.
    Good,
    /// Something went wrong.
    Bad,
    /// Somebody asked for an end.
    Interrupted,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        match status {
            Status::Good => Self::SUCCESS,
            Status::Bad => Self::FAILURE,
            Status::Interrupted => Self::from(interrupt::STATUS),
        }
    }
}

/// The status of a run that did not end with everything.
#[must_use]
pub fn status(ending: &Ending) -> Option<ExitCode> {
    match ending {
        Ending::Failed(error) => {
            complain(&format!("error: {error:#}"));
            Some(Status::Bad.into())
        }
        Ending::Interrupted => Some(Status::Interrupted.into()),
        Ending::Complete => None,
    }
}

/// One request: a file of records, and a page.
fn one(
    arguments: &RunArguments,
    named: Option<Named>,
    request: &Request,
    host: &Arc<Host>,
    remote: Option<&Remote>,
) -> Result<Status> {
    let started = jiff::Timestamp::now();
    let header = header(arguments, named, request, host, started);
    let Prepared { header, refused, what, begin } = match &arguments.on {
        On::Ssh(_) => on_ssh(arguments, remote.context("it was prepared for ssh")?, request, header)?,
        On::Named(Place::Host) => on_host(arguments, header, request, Arc::clone(host))?,
        On::Named(Place::QemuEl1) => on_emulator(arguments, 1, header, host)?,
        On::Named(Place::QemuEl2) => on_emulator(arguments, 2, header, host)?,
        On::Serial(line) => on_serial(arguments, line, header),
    };
    let RunArguments { output, no_html, quiet, json, stream, .. } = arguments;
    let showing = Showing { output, no_html: *no_html, quiet: *quiet, json: *json, stream: *stream };
    record(&showing, header, refused, started, &what, begin)
}

/// Where records go, and what is shown of them.
#[derive(Clone, Copy, Debug)]
pub struct Showing<'a> {
    /// The directory.
    pub output: &'a Path,
    /// No page.
    pub no_html: bool,
    /// Nothing but where they are.
    pub quiet: bool,
    /// The figures as JSON, and nothing else, on the standard output.
    pub json: bool,
    /// To the standard output, and nothing but them.
    pub stream: bool,
}

/// Begins, records what happens, and shows it.
///
/// # Errors
///
/// It cannot begin; nothing of it can run; or the records, or the page, cannot be written.
pub fn record(
    showing: &Showing<'_>,
    header: Header,
    refused: Vec<Refused>,
    started: jiff::Timestamp,
    what: &str,
    begin: impl FnOnce() -> Result<Source>,
) -> Result<Status> {
    let of_scenario = header.scenario.as_ref().map_or(String::new(), |named| format!("-{}", named.name));
    let place: String =
        header.place.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let mut records = if showing.stream {
        Records::to_stdout()?
    } else {
        Records::create(showing.output, started, &(place + &of_scenario))?
    };
    records.write(&header)?;
    for refused in &refused {
        records.write(refused)?;
    }
    let progress = if showing.quiet || showing.stream { Progress::none() } else { Progress::new(what) };
    if let Some(passes) = header.passes {
        progress.planned(passes);
    }
    let source = match begin() {
        Ok(source) => source,
        Err(error) => {
            records.write(&End::early(format!("{error:#}")))?;
            return Err(error);
        }
    };
    let (mut run, ending) = follow(source, &mut records, &progress, header);
    run.refused.splice(..0, refused);

    if showing.json {
        say(&Figures::of([&run]).json()?);
    } else if !showing.quiet && !showing.stream {
        show(&run);
    }
    // Beside JSON, on the standard output, there is nothing else.
    let tell = |text: &str| if showing.json { eprint!("{text}") } else { say(text) };
    if !showing.stream {
        tell(&format!("\nRecords: {}\n", records.path().display()));
    }
    let no_page = showing.no_html || showing.stream || run.cells.is_empty();
    let page = if no_page { Ok(()) } else { write_page(records.path(), &run, tell) };
    if let Ending::Failed(error) = &ending {
        complain(&format!("error: {error:#}"));
    }
    page?;
    Ok(match ending {
        // Whoever reads is gone, and has not asked for an end only because it could not.
        Ending::Failed(_) if showing.stream && (interrupt::asked() || records.failed()) => Status::Interrupted,
        Ending::Failed(_) => Status::Bad,
        _ if !run.void.is_empty() => Status::Bad,
        Ending::Complete if run.cells.is_empty() => {
            return Err(Impossible("nothing of that can run there".into()).into());
        }
        Ending::Interrupted => Status::Interrupted,
        Ending::Complete => Status::Good,
    })
}

/// Shows the run of a file of records, and writes its page.
///
/// # Errors
///
/// It cannot be read, or the page cannot be written.
pub fn show_file(path: &Path, no_html: bool) -> Result<ExitCode> {
    Ok(if report_one(path, no_html)?.void.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn header(
    arguments: &RunArguments,
    scenario: Option<Named>,
    request: &Request,
    host: &Host,
    started: jiff::Timestamp,
) -> Header {
    let machine = provenance::machine(host.cores());
    Header {
        program: env!("CARGO_PKG_VERSION").into(),
        source: provenance::source(),
        build: provenance::build(),
        command: std::env::args().collect(),
        scenario,
        placement: None,
        own: own::brought(),
        request: request.to_string(),
        started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        place: arguments.on.to_string(),
        emulated: matches!(arguments.on, On::Named(Place::QemuEl1 | Place::QemuEl2)),
        pinned: false,
        hz: None,
        passes: None,
        notes: machine.caveats(),
        machine,
    }
}

/// What of `plan` can run on this host, and what cannot, with the reason.
#[must_use]
pub fn sorted(plan: &Plan, host: &Host) -> (Vec<Scenario>, Vec<Refused>) {
    let (mut cells, mut refused) = (vec![], vec![]);
    for scenario in plan.cells() {
        match refusal(host, &scenario) {
            None => cells.push(scenario),
            Some(why) if usize::from(scenario.cores) > host.cores() => {
                refused.push(Refused { scenario, why: format!("{why}, but {}", host.cores()) });
            }
            Some(why) => refused.push(Refused { scenario, why: why.into() }),
        }
    }
    (cells, refused)
}

fn on_host(arguments: &RunArguments, mut header: Header, request: &Request, host: Arc<Host>) -> Result<Prepared> {
    let plan = request.plan(host.cores());
    let (cells, refused) = sorted(&plan, &host);
    header.pinned = host.pins();
    header.placement = Some(Placed { placement: arguments.place.to_string(), cores: host.order() });
    header.hz = Some(host.hz());
    let passes = 2 * u64::from(plan.repeats) * cells.len() as u64;
    header.passes = Some(passes);
    if cfg!(debug_assertions) {
        header.notes.push("built without optimisation: add --release".into());
    }
    if !host.reads_a_counter() {
        header.notes.push("no counter can be read here: each reading of the clock is a system call".into());
    }
    if !host.pins() {
        header.notes.push(local::NOT_PINNED.into());
        complain(&format!("warning: {}", local::NOT_PINNED));
    }
    if cells.is_empty() {
        return Err(Impossible(format!("nothing of that can run here\n{}", table::refused(&refused))).into());
    }
    let seconds = local::duration(&plan, cells.len()).as_secs_f64();
    let what = format!("{} scenarios, {passes} passes, about {}", cells.len(), told(seconds));
    let todo = Todo { plan, cells, first: arguments.first_repeat, done: BTreeSet::new() };
    Ok(Prepared { header, refused, what, begin: Box::new(move || local::start(host, todo)) })
}

/// A length of time, in words.
#[must_use]
pub fn told(seconds: f64) -> String {
    if seconds < 120.0 { format!("{:.0} s", seconds.ceil()) } else { format!("{:.0} min", seconds / 60.0) }
}

fn on_emulator(arguments: &RunArguments, level: u8, mut header: Header, host: &Host) -> Result<Prepared> {
    let board = Board { level, cores: arguments.smp.unwrap_or(SMP), lse: arguments.lse };
    let emulator = board.check(root())?;
    let cpu = format!("{}, {}", board.cpu(), if board.lse { "LSE" } else { "LL/SC" });
    header.notes.push(format!("emulated by {emulator}: {} cores, {cpu} (-cpu {})", board.cores, board.cpu()));
    header.notes.push(format!(
        "the image is built from {}, for {}, release, RUSTFLAGS=\"{}\"",
        provenance::source_now(root()),
        qemu::image::TARGET,
        board.rustflags()
    ));
    if usize::from(board.cores) > host.cores() {
        header.notes.push(format!(
            "the board's {} cores share {} of this host: a core that holds the lock may not be running",
            board.cores,
            host.cores()
        ));
    }
    let host_cores = host.cores();
    let image = board.build(root())?;
    let request = header.request.clone();
    let what = format!("{} on {} emulated cores: {request}", header.place, board.cores);
    let begin = move || qemu::start(board, host_cores, &image, &request);
    Ok(Prepared { header, refused: vec![], what, begin: Box::new(begin) })
}

/// How long a board may be silent, unless somebody says so.
const PATIENCE: Duration = Duration::from_secs(120);

/// A board that this machine only listens to: what it is, its console says.
fn on_serial(arguments: &RunArguments, line: &Serial, mut header: Header) -> Prepared {
    header.pinned = true; // a core is a core
    header.notes = vec!["the machine described here is the one at the other end of the board's console".into()];
    let what = format!("{line}: waiting for a board; {}", header.request);
    let (line, request) = (line.clone(), header.request.clone());
    let patience = arguments.patience.unwrap_or(PATIENCE);
    Prepared { header, refused: vec![], what, begin: Box::new(move || line.start(&request, patience)) }
}

/// A machine that runs this program too: it describes itself.
fn on_ssh(arguments: &RunArguments, remote: &Remote, request: &Request, header: Header) -> Result<Prepared> {
    let Begun { header: theirs, source } = remote.start(request, &arguments.place)?;
    let what = format!("{}: {} passes; {}", header.place, theirs.passes.unwrap_or_default(), header.request);
    // What was asked for, and when, is known here: boards often have no calendar.
    let Header { command, scenario, request, started, place, .. } = header;
    let header = Header { command, scenario, request, started, place, ..theirs };
    Ok(Prepared { header, refused: vec![], what, begin: Box::new(move || Ok(source)) })
}

/// Tells what there is, and what is wrong with it.
fn show(run: &Run) {
    let mut text = String::from("\n");
    match &run.end {
        Some(end) if end.complete => {}
        Some(end) => text += &format!("INCOMPLETE: {}.\n", end.why.as_deref().unwrap_or("nobody says why")),
        None => text += "INCOMPLETE: the records do not say how it ended.\n",
    }
    text += &void(run);
    text += &answer::answer(run);
    text += &table::refused(&run.refused);
    say(&table::wrap(&text));
    say(&table::tables(run));
}

fn void(run: &Run) -> String {
    let mut text = String::new();
    let (mut control, mut wrong, mut idle) = (false, false, false);
    for cell in &run.void {
        text += &format!("VOID: {}, repeat {}: {}.\n", local::name(cell.scenario), cell.repeat, cell.about());
        match (cell.scenario.lock, cell.wrong) {
            (Lock::Broken, Some(_)) => control = true,
            (_, Some(_)) => wrong = true,
            (_, None) => idle = true,
        }
    }
    if control {
        text += "There is no lock in \"broken\": this is the control, and the check has caught it.\n";
    }
    if wrong {
        text += "Either a lock above does not exclude, or the pool is wrong: no figure of these scenarios means anything.\n";
    }
    if idle {
        text += "Where nothing was completed, give it more --time.\n";
    }
    text
}

fn write_page(records: &Path, run: &Run, tell: impl Fn(&str)) -> Result<()> {
    let page = records.with_extension("html");
    atomically(&page, &report::html(run))?;
    tell(&format!("Page:    {}\n", page.display()));
    Ok(())
}

/// Shows records again. A file that cannot be read or is of no run, and a page that cannot be written, are told and in
/// the status; the files after it are shown nevertheless.
#[must_use]
pub fn report(arguments: &ReportArguments) -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    let mut runs = vec![];
    for path in &arguments.files {
        match report_one(path, arguments.no_html) {
            Ok(run) => {
                if !run.void.is_empty() {
                    status = ExitCode::FAILURE;
                }
                runs.push(run);
            }
            Err(error) => {
                complain(&format!("error: {error:#}"));
                status = ExitCode::FAILURE;
            }
        }
    }
    if let Err(error) = export(arguments, &runs) {
        complain(&format!("error: {error:#}"));
        status = ExitCode::FAILURE;
    }
    status
}

/// Writes the figures of `runs` for other programs, where that is asked for.
fn export(arguments: &ReportArguments, runs: &[Run]) -> Result<()> {
    let figures = Figures::of(runs);
    if let Some(path) = &arguments.csv {
        atomically(path, &figures.csv()?)?;
        say(&format!("CSV:     {}\n", path.display()));
    }
    if let Some(path) = &arguments.json {
        atomically(path, &figures.json()?)?;
        say(&format!("JSON:    {}\n", path.display()));
    }
    Ok(())
}

/// What is in it.
fn report_one(path: &Path, no_html: bool) -> Result<Run> {
    let Reading { run, warnings } = read::read(path)?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    say(&format!("{}: {} of {}\n", path.display(), run.header.place, run.header.started));
    show(&run);
    if !no_html {
        write_page(path, &run, say)?;
    }
    Ok(run)
}

/// What a shell is told when something is slower.
const SLOWER: u8 = 3;

/// Compares two runs.
///
/// # Errors
///
/// One cannot be read, or they cannot be compared.
pub fn compare(arguments: &CompareArguments) -> Result<ExitCode> {
    compare_files(&arguments.a, &arguments.b, arguments.criteria(), arguments.json)
}

/// Compares the runs of two files.
///
/// # Errors
///
/// As [`compare()`].
pub fn compare_files(a: &Path, b: &Path, criteria: Criteria, json: bool) -> Result<ExitCode> {
    let [a, b] = [a, b].map(|path| {
        let Reading { run, warnings } = read::read(path)?;
        warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        anyhow::Ok(run)
    });
    let comparison = compare::compare(&a?, &b?, criteria)?;
    if json {
        say(&(serde_json::to_string(&comparison)? + "\n"));
    } else {
        say(&comparison.text(criteria));
    }
    Ok(if comparison.alarms() { ExitCode::from(SLOWER) } else { ExitCode::SUCCESS })
}
