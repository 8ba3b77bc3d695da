//! The passes of a request on the emulated board: builds the image, boots it, reads its console.
//!
//! ```text
//!  request ──► cargo build ──► qemu-system-aarch64 -append "bench REQUEST"
//!                                   │ console, line by line
//!                                   ▼
//!                               protocol ──► Event, Event, …
//! ```

pub mod group;
pub mod image;

use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};

use crate::console::{self, Said};
use crate::events::{Event, Source};
use group::Group;
use image::Board;

/// So long without a line, and the board hangs.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between its last line and its exit.
const GLANCE: Duration = Duration::from_millis(10);

/// Boots `image` on `board`, emulated by `host_cores` cores, and has it run `request`.
///
/// # Errors
///
/// The emulator cannot be started.
pub fn start(board: Board, host_cores: usize, image: &Path, request: &str) -> Result<Source> {
    let mut command = board.emulator(host_cores, image, request);
    watch(&mut command, request)
}

/// Runs `command` as an emulator of a board that is asked for `request`: its standard output is a board's console.
fn watch(command: &mut Command, request: &str) -> Result<Source> {
    let program = command.get_program().to_string_lossy().into_owned();
    let started = Group::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut child = started.with_context(|| format!("cannot start {program}"))?;
    let mut output = child.leader.stdout.take().context("it was piped")?;
    let complaints = child.leader.stderr.take().context("it was piped")?;
    let child = Arc::new(Mutex::new(child));
    let stopped = Arc::new(AtomicBool::new(false)); // Relaxed: it says all there is to say
    let (sender, events) = mpsc::channel();

    let request = request.to_owned();
    let complain = sender.clone();
    let complaints = thread::spawn(move || console::pass_on(complaints, &complain));
    let (theirs, was_stopped) = (Arc::clone(&child), Arc::clone(&stopped));
    thread::spawn(move || {
        let done = console::listen(&mut output, &sender, Some(&request), || {
            bail!("it was told on its command line what to do, and asks")
        });
        let _ = io::copy(&mut output, &mut io::sink()); // what it still prints until it exits
        let _ = complaints.join();
        let status = wait(&theirs);
        let last = match (done, status) {
            _ if was_stopped.load(Relaxed) => Event::Finished,
            (Err(error), _) => Event::Failed(error),
            (Ok(Said::Done), Ok(status)) if status.success() => Event::Finished,
            (Ok(Said::DoneAndVoid), Ok(status)) if !status.success() => Event::Finished,
            (Ok(Said::Done | Said::DoneAndVoid), Ok(status)) => {
                Event::Failed(anyhow!("{program} ended with {status} after its last pass"))
            }
            (Ok(Said::Less), Ok(status)) => Event::Failed(anyhow!("{program} ended early, with {status}")),
            (Ok(_), Err(error)) => Event::Failed(error),
        };
        let _ = sender.send(last); // nobody listens any more: nobody is left to tell
    });
    let stop = move || {
        stopped.store(true, Relaxed);
        child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    };
    Ok(Source { events, patience: PATIENCE, stop: Box::new(stop) })
}

fn wait(child: &Mutex<Group>) -> Result<ExitStatus> {
    loop {
        let ended = child.lock().unwrap_or_else(PoisonError::into_inner).ended();
        if let Some(status) = ended.context("the emulator cannot be waited for")? {
            return Ok(status);
        }
        thread::sleep(GLANCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::framed;

    fn follow(script: &str) -> Vec<Event> {
        let source = watch(Command::new("sh").args(["-c", script]), "quick").unwrap();
        source.events.iter().collect()
    }

    #[test]
    fn a_board_that_is_done_and_exits_well_has_finished() {
        let [plan, done] =
            [framed("plan", "{\"passes\":3,\"protocol\":1,\"request\":\"quick\"}", 0), framed("done", "{}", 1)]
                .map(|line| format!("echo '{line}'"));
        let events = follow(&format!("echo '# hello'; {plan}; {done}"));
        assert!(
            matches!(&events[..], [Event::Console(hello), Event::Planned(3), Event::Finished] if hello == "# hello")
        );
    }

    #[test]
    fn a_board_that_fails_says_how() {
        let done = format!("echo '{}'; exit 3", framed("done", "{}", 0));
        let other = format!("echo '{}'", framed("plan", "{}", 0));
        for (script, says) in [
            (&*done, "ended with exit status: 3 after"),
            ("echo hello >&2; exit 101", "ended early, with exit status: 101"),
            ("exit 0", "ended early, with exit status: 0"),
            (&*other, "@plan {}"),
        ] {
            let events = follow(script);
            let Some(Event::Failed(error)) = events.last() else { panic!("{script}: {events:?}") };
            assert!(format!("{error:#}").contains(says), "{script}: {error:#}");
        }
    }

    #[test]
    fn a_board_that_is_stopped_has_finished() {
        let mut source = watch(Command::new("sh").args(["-c", "echo up; exec sleep 600"]), "quick").unwrap();
        assert!(matches!(source.events.recv(), Ok(Event::Console(_))));
        (source.stop)();
        assert!(matches!(source.events.recv(), Ok(Event::Finished)));
    }

    #[test]
    fn an_emulator_that_is_not_there_is_an_error_with_its_name() {
        let error = watch(&mut Command::new("no-such-emulator"), "quick").err().unwrap();
        assert!(error.to_string().contains("cannot start no-such-emulator"));
    }
}
