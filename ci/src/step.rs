//! One command: started, watched, and ended with all that it started.
//!
//! A child leads a process group of its own. Over its time, or when somebody asks this program to end, the whole group
//! gets SIGTERM, two seconds to tidy up, and then SIGKILL; so neither an emulator that hangs nor what a test left behind
//! outlives its job.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::command::Invocation;
use crate::interrupt;
use crate::log::Log;

/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// Between two looks at a child.
const GLANCE: Duration = Duration::from_millis(20);

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Exited(ExitStatus),
    /// By us: its time was over.
    OverTime,
    /// By us: somebody asked this program to end.
    Interrupted,
}

/// Runs `invocation` until `deadline` at the latest, its output going to `log`, and calls `watch` every now and then.
///
/// # Errors
/// It cannot be started: there is no such program, or no room for another process.
pub fn run(
    invocation: &Invocation,
    log: &mut Log,
    deadline: Instant,
    watch: &mut dyn FnMut(&mut Log),
) -> io::Result<End> {
    log.line(&format!("$ {}", invocation.line()))?;
    let mut command = invocation.command();
    let mut child = command.process_group(0).stdout(log.stdio()?).stderr(log.stdio()?).spawn()?;
    loop {
        if let Some(status) = child.try_wait()? {
            watch(log);
            return Ok(End::Exited(status));
        }
        watch(log);
        let end = if interrupt::asked() {
            End::Interrupted
        } else if Instant::now() >= deadline {
            End::OverTime
        } else {
            thread::sleep(GLANCE);
            continue;
        };
        kill_group(&mut child)?;
        watch(log);
        return Ok(end);
    }
}

fn kill_group(child: &mut Child) -> io::Result<()> {
    let group = Pid::from_raw(child.id().try_into().expect("a process id is a pid_t"));
    let send = |signal| match killpg(group, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()), // nobody is left: what we wanted
        Err(error) => Err(io::Error::from(error)),
    };
    send(Signal::SIGTERM)?;
    let deadline = Instant::now() + GRACE;
    // The group is the thing to wait for, but only its leader can be waited for; a member that is still tidying up
    // when its leader has gone is not given more time.
    while child.try_wait()?.is_none() && Instant::now() < deadline {
        thread::sleep(GLANCE);
    }
    send(Signal::SIGKILL)?;
    child.wait()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, time: Duration) -> (End, String, Duration) {
        let directory = tempfile::tempdir().unwrap();
        let mut log = Log::create(&directory.path().join("log")).unwrap();
        let argv = ["sh", "-c", script].map(String::from).to_vec();
        let invocation = Invocation { argv, env: [].into(), dir: "/".into() };
        let start = Instant::now();
        let end = run(&invocation, &mut log, start + time, &mut |_| ()).unwrap();
        let log = log.since(0).unwrap();
        (end, log.split_once('\n').unwrap().1.to_owned(), start.elapsed())
    }

    /// Time for a shell to start on a busy machine, and to tell its process.
    const BUSY: Duration = Duration::from_secs(2);

    /// Whether the process that `log` tells ends; a kill is not done when the call returns.
    fn ends(log: &str) -> bool {
        let process: u32 = log.trim().parse().expect("the script has told its process");
        let deadline = Instant::now() + Duration::from_secs(30);
        let is_alive = || {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            // A zombie, whose parent has not looked yet, runs no more.
            stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
        };
        while is_alive() && Instant::now() < deadline {
            thread::sleep(GLANCE);
        }
        !is_alive()
    }

    #[test]
    fn a_command_that_ends_in_time_tells_its_status() {
        let (end, log, _) = sh("echo out; echo err >&2; exit 3", Duration::from_secs(60));
        let End::Exited(status) = end else { panic!("{end:?}") };
        assert_eq!(status.code(), Some(3));
        assert_eq!(log, "out\nerr\n");
    }

    #[test]
    fn a_command_past_its_time_is_killed_with_what_it_started() {
        // A child that the shell does not wait for, and the shell itself.
        let (end, log, took) = sh("sleep 300 & echo $!; sleep 300", BUSY);
        assert_eq!(end, End::OverTime);
        assert!(took < Duration::from_secs(60), "{took:?}");
        assert!(ends(&log), "process {log} lives on");
    }

    #[test]
    fn a_command_deaf_to_sigterm_is_killed_all_the_same() {
        let (end, log, took) = sh("trap '' TERM; echo $$; while :; do sleep 1; done", BUSY);
        assert_eq!(end, End::OverTime);
        assert!(took >= BUSY + GRACE && took < Duration::from_secs(60), "{took:?}");
        assert!(ends(&log), "process {log} lives on");
    }

    #[test]
    fn there_is_no_input() {
        let (end, log, _) = sh("read line || echo end of file", Duration::from_secs(60));
        assert!(matches!(end, End::Exited(status) if status.success()));
        assert_eq!(log, "end of file\n");
    }

    #[test]
    fn a_program_that_does_not_exist_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = Log::create(&directory.path().join("log")).unwrap();
        let invocation = Invocation { argv: vec!["no-such-program".into()], env: [].into(), dir: "/".into() };
        let error = run(&invocation, &mut log, Instant::now(), &mut |_| ()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
