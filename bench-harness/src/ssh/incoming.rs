//! What comes back from a run on another machine: its records ([`record`](crate::record)) as events.
//!
//! ```text
//!  run                      ──► the header: what the machine is
//!  pass, clock, note, …     ──► events
//!  end                      ──► the last event; without it, the connection or the program is gone
//! ```

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};

use super::Destination;
use super::link::OF_SSH;
use crate::console;
use crate::events::Event;
use crate::interrupt;
use crate::qemu::group::Group;
use crate::read::{Record, record};
use crate::record::Header;
use crate::session::Impossible;

/// Between two looks at whether somebody interrupts.
const GLANCE: Duration = Duration::from_millis(50);

/// A run, of which the header has come.
pub(super) struct Incoming {
    pub(super) header: Header,
    pub(super) events: Receiver<Event>,
    pub(super) process: Process,
}

/// The `ssh` whose other end measures. It is killed when this is dropped, which it does not take if it has ended.
pub(super) struct Process {
    ssh: Arc<Mutex<Group>>,
    stdin: Option<ChildStdin>,
}

impl Process {
    /// Has the other end end soon.
    pub(super) fn close(&mut self) {
        self.stdin = None;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.close();
        self.ssh.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }
}

/// Starts `command`, and waits until it has told what it measures on.
pub(super) fn start(mut command: Command, destination: &Destination) -> Result<Incoming> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut ssh = Group::start(&mut command).context("cannot start ssh")?;
    let stdin = ssh.leader.stdin.take();
    let output = ssh.leader.stdout.take().context("it was piped")?;
    let complaints = ssh.leader.stderr.take().context("it was piped")?;
    let ssh = Arc::new(Mutex::new(ssh));
    let mut process = Process { ssh: Arc::clone(&ssh), stdin };
    let (sender, events) = mpsc::channel();
    let (first, header) = mpsc::channel();
    let complain = sender.clone();
    let complaints = thread::spawn(move || console::pass_on(complaints, &complain));
    let name = destination.to_string();
    let reading = move || {
        let mut first = Some(first);
        let last = match read(output, &mut first, &sender) {
            Ok(Some(last)) => last,
            Err(error) => Event::Failed(error.context(name)),
            Ok(None) => {
                let _ = complaints.join();
                match wait(&ssh) {
                    Ok(Some(OF_SSH)) => Event::Failed(anyhow!("{name}: the connection is lost")),
                    Ok(Some(2)) if first.is_some() => Event::Failed(Impossible(name).into()),
                    Ok(Some(status)) => Event::Failed(anyhow!("{name}: the program ended early, with status {status}")),
                    Ok(None) => Event::Failed(anyhow!("{name}: ssh was killed")),
                    Err(error) => Event::Failed(error),
                }
            }
        };
        let _ = sender.send(last); // nobody listens any more: nobody is left to tell
        let _ = wait(&ssh);
    };
    thread::Builder::new().name("ssh".into()).spawn(reading).context("cannot start a thread")?;
    loop {
        match header.recv_timeout(GLANCE) {
            Ok(header) => return Ok(Incoming { header, events, process }),
            Err(RecvTimeoutError::Timeout) if interrupt::asked() => process.close(),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(why(&events)),
        }
    }
}

/// Why there is no header.
fn why(events: &Receiver<Event>) -> anyhow::Error {
    let mut said = VecDeque::new();
    loop {
        match events.recv() {
            Ok(Event::Console(line)) => {
                said.truncate(19);
                said.push_front(line);
            }
            Ok(Event::Failed(error)) => {
                let said: String = said.iter().rev().map(|line| format!("\n  | {line}")).collect();
                return match error.downcast::<Impossible>() {
                    Ok(Impossible(name)) => Impossible(format!("{name} refuses:{said}")).into(),
                    Err(error) => anyhow!("{error:#}; it says:{said}"),
                };
            }
            Ok(_) => {}
            Err(_) => return crate::local::vanished(),
        }
    }
}

/// Reads until the record of the end, and returns what it means; `None`: there was none.
fn read(output: impl Read, first: &mut Option<Sender<Header>>, sender: &Sender<Event>) -> Result<Option<Event>> {
    for line in BufReader::new(output).lines() {
        let line = line.context("its records cannot be read")?;
        let event = match record(&line)? {
            Record::Header(header) => {
                let Some(first) = first.take() else { bail!("a second record of a run") };
                let _ = first.send(*header);
                continue;
            }
            _ if first.is_some() => bail!("a record before that of the run"),
            Record::Refused(refused) => Event::Refused(refused),
            Record::Note(note) => Event::Note(note.text),
            Record::Clock(clock) => Event::Clock(clock),
            Record::Transfer(transfer) => Event::Transfer(transfer),
            Record::Pass(pass) => Event::Passed(pass),
            Record::End(end) if end.complete => return Ok(Some(Event::Finished)),
            Record::End(end) => {
                let why = end.why.unwrap_or_else(|| "it ended early, and does not say why".into());
                return Ok(Some(Event::Failed(anyhow!("there: {why}"))));
            }
        };
        let _ = sender.send(event);
    }
    Ok(None)
}

/// Waits for `ssh`; `None`: a signal ended it.
fn wait(ssh: &Mutex<Group>) -> Result<Option<i32>> {
    loop {
        let ended = ssh.lock().unwrap_or_else(PoisonError::into_inner).ended();
        if let Some(status) = ended.context("ssh cannot be waited for")? {
            return Ok(status.code());
        }
        thread::sleep(GLANCE);
    }
}
