//! One request on many places at once.
//!
//! ```text
//!  fleet.toml ──► ssh:…     bench-harness run --on ssh:…     ──► OUTPUT/pi4.jsonl     ┐
//!                 serial:…  bench-harness run --on serial:…  ──► OUTPUT/board.jsonl   │
//!                 ─ when all of those have ended ─                                    ├──► side by side
//!                 host      bench-harness run --on host      ──► OUTPUT/host.jsonl    │
//!                 qemu-…    bench-harness run --on qemu-…    ──► …                    ┘
//! ```
//!
//! 1. **A place is a program of its own**, this one: what goes wrong with it goes wrong with no other.
//! 2. **Places elsewhere run at once; then those on this machine, one after the other**: they would measure each other, and
//!    the compiler that builds for a board; and a serial line that nobody reads in time loses bytes.
//! 3. **A place that fails is named, and what it had measured is in the overview**, marked.

pub mod file;
pub mod overview;

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::arguments::FleetArguments;
use crate::interrupt;
use crate::progress::{complain, say};
use crate::read::{Reading, read};
use crate::record::End;
use crate::session::Impossible;
use crate::write::atomically;
use file::Member;
use overview::Place;

/// Between two looks at a place.
const GLANCE: Duration = Duration::from_millis(50);

/// Runs all, and shows them side by side.
///
/// # Errors
///
/// The file makes no sense, or the overview cannot be written. What goes wrong at a place is told, and in the status.
pub fn fleet(arguments: &FleetArguments) -> Result<ExitCode> {
    interrupt::listen().context("cannot listen for Ctrl-C")?;
    let fleet = file::read(&arguments.file).map_err(|error| Impossible(format!("{error:#}")))?;
    let when = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let output = arguments.output.join(format!("{when}-fleet"));
    fs::create_dir_all(&output).with_context(|| format!("cannot make the directory {}", output.display()))?;
    let (here, elsewhere): (Vec<&Member>, Vec<_>) = fleet.members.iter().partition(|member| member.here);
    complain(&format!(
        "{} places; {} of them on this machine, one after the other, last",
        fleet.members.len(),
        here.len()
    ));
    let ran = Mutex::new(vec![]);
    let run = |member: &Member| {
        let place = one(member, &output);
        ran.lock().expect("nobody panics with it").push((member.name.clone(), place));
    };
    let run = &run;
    thread::scope(|scope| {
        for member in elsewhere {
            scope.spawn(move || run(member));
        }
    });
    here.into_iter().for_each(run);
    let mut ran = ran.into_inner().context("a place's thread panicked")?;
    // As the file has them.
    ran.sort_by_key(|(name, _)| fleet.members.iter().position(|member| member.name == *name));
    let failed: Vec<_> =
        ran.iter().filter(|(_, place)| place.failed.is_some()).map(|(name, _)| name.as_str()).collect();
    let text = overview::overview(&ran);
    say(&text);
    let path = output.join("overview.txt");
    atomically(&path, &text)?;
    say(&format!("\nRecords: {}\nOverview: {}\n", output.display(), path.display()));
    if interrupt::asked() {
        return Ok(ExitCode::from(interrupt::STATUS));
    }
    if !failed.is_empty() {
        bail!("{} of {} places failed: {}", failed.len(), fleet.members.len(), failed.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows runs that something else has started side by side: a laboratory's engine, or somebody by hand.
///
/// A file that cannot be read is told, and in the status; the others are shown nevertheless.
#[must_use]
pub fn files(files: &[PathBuf]) -> ExitCode {
    let mut places: Vec<(String, Place)> = vec![];
    let mut status = ExitCode::SUCCESS;
    for file in files {
        match read(file) {
            Ok(Reading { run, warnings }) => {
                let why = |end: &End| end.why.clone().unwrap_or_else(|| "it ended early".into());
                let failed = match &run.end {
                    Some(end) => (!end.complete).then(|| why(end)),
                    None => Some("it did not end".into()),
                };
                // By its place, as long as that tells them apart.
                let place = run.header.place.clone();
                let taken = places.iter().any(|(name, _)| *name == place);
                let stem = || file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
                let name = if taken { stem() } else { place };
                places.push((name, Place { failed, said: warnings, run: Some(run) }));
            }
            Err(error) => {
                complain(&format!("error: {error:#}"));
                status = ExitCode::FAILURE;
            }
        }
    }
    say(&overview::overview(&places));
    status
}

/// Runs one place to its end; its records are in `output`, under its name.
fn one(member: &Member, output: &Path) -> Place {
    if interrupt::asked() {
        return Place { failed: Some("interrupted before it began".into()), said: vec![], run: None };
    }
    let directory = output.join(format!(".{}", member.name));
    let (failed, said) = match run(member, &directory) {
        Ok((0, said)) => (None, said),
        Ok((status, said)) => (Some(told(status).to_owned()), said),
        Err(error) => (Some(format!("{error:#}")), vec![]),
    };
    let run = adopt(&directory, &output.join(format!("{}.jsonl", member.name)));
    let _ = fs::remove_dir_all(&directory); // nothing is left in it
    let warnings = said.into_iter().filter(|line| line.starts_with("error: ") || line.starts_with("warning: "));
    match run {
        Ok(Reading { run, warnings: odd }) => {
            Place { failed, said: odd.into_iter().chain(warnings).collect(), run: Some(run) }
        }
        Err(error) => {
            Place { failed: Some(failed.unwrap_or_else(|| format!("{error:#}"))), said: warnings.collect(), run: None }
        }
    }
}

/// A status, in words.
fn told(status: i32) -> &'static str {
    match status {
        1 => "a pass was void, or something went wrong",
        2 => "it cannot run there",
        130 => "interrupted",
        _ => "the program ended unexpectedly",
    }
}

/// This program, for one place: its status, and what it said on its standard error stream.
fn run(member: &Member, directory: &Path) -> Result<(i32, Vec<String>)> {
    let program = std::env::current_exe().context("this program does not find itself")?;
    let mut command = Command::new(program);
    command.args(["run", "--on", &member.on]).args(&member.options);
    command.args(["--quiet", "--no-html", "--output"]).arg(directory);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // A group of its own: it is told of an interrupt here, and once.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().context("this program cannot be started again")?;
    let complaints = child.stderr.take().context("it was piped")?;
    let name = member.name.clone();
    let complaints = thread::spawn(move || relay(&name, complaints));
    let status = wait(&mut child)?;
    Ok((status, complaints.join().unwrap_or_default()))
}

/// Shows what a place says, with its name in front.
fn relay(name: &str, complaints: impl Read) -> Vec<String> {
    let mut said = vec![];
    for line in BufReader::new(complaints).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        complain(&format!("{name}: {line}"));
        said.push(line);
    }
    said
}

fn wait(child: &mut Child) -> Result<i32> {
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait().context("a place cannot be waited for")? {
            return Ok(status.code().unwrap_or(-1));
        }
        if interrupt::asked() && !told {
            told = true;
            ask_to_end(child);
        }
        thread::sleep(GLANCE);
    }
}

#[cfg(unix)]
fn ask_to_end(child: &mut Child) {
    use nix::sys::signal::{Signal, kill};
    if let Ok(id) = child.id().try_into() {
        // It has not been waited for, so it is the one that is meant.
        let _ = kill(nix::unistd::Pid::from_raw(id), Signal::SIGINT);
    }
}

#[cfg(not(unix))]
fn ask_to_end(child: &mut Child) {
    let _ = child.kill();
}

/// Moves the one file of records in `directory` to `target`, and reads it.
fn adopt(directory: &Path, target: &PathBuf) -> Result<Reading> {
    let files = fs::read_dir(directory).ok().into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files = files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let file = files.next().context("it left no records")?;
    fs::rename(&file, target).with_context(|| format!("cannot move {}", file.display()))?;
    read(target)
}
