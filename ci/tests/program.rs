//! The program as it is typed, on matrices made for the purpose.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

const MATRIX: &str = r#"
[limits]
total = 1000
install = 10

[packages]
no-such-program = ["no-such-package"]

[[job]]
name = "good"
promise = "All is well."
budget = 60
steps = [{ run = ["sh", "-c", "echo the suite: 3 passed; exit 7"], exit = 7, says = ["the suite: ? passed"] }]

[[job]]
name = "bad"
promise = "The second step fails."
budget = 60
env = { COLOUR = "dark red" }
steps = [{ run = ["true"] }, { run = ["sh", "-c", "echo $COLOUR; exit 3"] }, { run = ["touch", "{target_dir}/third"] }]

[[job]]
name = "mute"
promise = "Ends well, but does not say so."
budget = 60
steps = [{ run = ["echo", "2 passed, 1 failed"], says = ["2 passed*", "*, 0 failed"] }]

[[job]]
name = "soft"
promise = "Should fail, and does not."
budget = 60
steps = [{ run = ["true"], exit = 1 }]

[[job]]
name = "slow"
promise = "Sleeps past its budget."
budget = 1
steps = [{ run = ["sh", "-c", "echo $$; sleep 300"] }]

[[job]]
name = "long"
promise = "Sleeps within its budget."
budget = 400
steps = [{ run = ["sh", "-c", "echo $$; sleep 300"] }]

[[job]]
name = "poor"
promise = "Needs what is not here."
budget = 60
programs = ["no-such-program"]
steps = [{ run = ["no-such-program"] }]

[[job]]
name = "lost"
promise = "Forgot to say what it needs."
budget = 60
steps = [{ run = ["no-such-program"] }]
"#;

fn program(directory: &Path, arguments: &[&str]) -> Command {
    fs::write(directory.join("matrix.toml"), MATRIX).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ci"));
    command.arg("--matrix").arg(directory.join("matrix.toml")).args(arguments);
    command.env("CARGO_TARGET_DIR", directory).stdin(Stdio::null());
    command
}

struct Run {
    directory: TempDir,
    status: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    fn of(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let Output { status, stdout, stderr } = program(directory.path(), arguments).output().unwrap();
        let [out, err] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        Self { directory, status: status.code(), out, err }
    }

    /// The first failed, and for this reason; the closing line says so.
    #[track_caller]
    fn failed_because(&self, why: &str) {
        let Self { status, out, err, .. } = self;
        assert_eq!(*status, Some(1), "{out}{err}");
        assert!(out.contains(&format!("    why      {why}\n")), "{out}{err}");
        assert_eq!(out.lines().last(), Some("0 passed, 1 failed"), "{out}{err}");
    }
}

#[test]
fn a_run_whose_every_job_passed_ends_with_0() {
    let run = Run::of(&["good"]);
    assert_eq!(run.status, Some(0), "{}{}", run.out, run.err);
    assert_eq!(run.out.lines().last(), Some("1 passed, 0 failed"));
    let log = fs::read_to_string(run.directory.path().join("ci/good.log")).unwrap();
    assert!(log.ends_with("\nthe suite: 3 passed\n"), "{log}");
}

#[test]
fn a_failed_step_ends_the_job_with_its_output_and_the_line_to_repeat_it() {
    let run = Run::of(&["bad"]);
    run.failed_because("step 2 of 3: exit status: 3");
    assert!(run.out.contains("    | dark red\n"), "{}", run.out);
    assert!(run.out.contains("    by hand  COLOUR='dark red' sh -c 'echo $COLOUR; exit 3'\n"), "{}", run.out);
    assert!(run.out.contains("    again    cargo ci bad\n"), "{}", run.out);
    assert!(!run.directory.path().join("third").exists(), "the third step has run");
}

#[test]
fn a_step_must_end_and_speak_as_it_should() {
    Run::of(&["mute"]).failed_because("step 1 of 1: no line of the output is \"*, 0 failed\"");
    Run::of(&["soft"]).failed_because("step 1 of 1: exit status: 0, where 1 is the status to see");
}

#[test]
fn a_job_past_its_budget_is_killed_and_has_failed() {
    let start = Instant::now();
    let run = Run::of(&["slow"]);
    assert!(start.elapsed() < Duration::from_secs(60));
    run.failed_because("step 1 of 1: over its budget of 1 s, and killed");
    assert!(ends(&sleeper(run.directory.path(), "slow")));
}

#[test]
fn what_is_missing_fails_the_job_and_is_named() {
    let run = Run::of(&["--no-install", "poor"]);
    run.failed_because("missing: no-such-program");
    assert!(run.out.contains("    type     "), "{}", run.out);
    assert!(run.out.contains("no-such-pa"), "{}", run.out);
    let run = Run::of(&["lost"]);
    run.failed_because("step 1 of 1: cannot run no-such-program: No such file or directory (os error 2)");
}

#[test]
fn other_jobs_run_on_unless_told_to_end() {
    let run = Run::of(&["bad", "mute"]);
    assert_eq!(run.out.lines().last(), Some("0 passed, 2 failed"), "{}", run.out);
    let run = Run::of(&["--fail-fast", "bad", "mute"]);
    assert_eq!(run.status, Some(1));
    assert!(run.out.ends_with("1 not run\n0 passed, 1 failed\n"), "{}", run.out);
}

#[test]
fn a_wrong_command_line_or_matrix_ends_with_2() {
    let run = Run::of(&["goood"]);
    assert_eq!(run.status, Some(2));
    assert!(run.err.starts_with("error: no job fits \"goood\"; did you mean good?\n"), "{}", run.err);
    assert_eq!(Run::of(&["--no-such-option"]).status, Some(2));
    let output = Command::new(env!("CARGO_BIN_EXE_ci")).args(["--matrix", "/nowhere"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.starts_with("error: cannot read /nowhere: "), "{err}");
}

#[test]
fn listing_and_planning_run_nothing() {
    let run = Run::of(&["--list", "*o*d", "poor"]);
    assert_eq!(run.status, Some(0));
    assert_eq!(
        run.out,
        "job   budget  promise\n\
         good    60 s  All is well.\n\
         poor    60 s  Needs what is not here.\n"
    );
    let run = Run::of(&["--plan", "bad"]);
    assert!(run.out.contains("  $ COLOUR='dark red' sh -c 'echo $COLOUR; exit 3'\n"), "{}", run.out);
    assert!(!run.directory.path().join("ci").exists());
}

#[test]
fn ctrl_c_ends_the_child_too_and_tells_what_was_not_run() {
    let directory = tempfile::tempdir().unwrap();
    let child = program(directory.path(), &["long", "good", "lost"]).stdout(Stdio::piped()).spawn().unwrap();
    let id = Pid::from_raw(child.id().try_into().unwrap());
    let sleeper = sleeper(directory.path(), "long");
    assert!(is_alive(&sleeper));
    kill(id, Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{out}");
    assert!(out.ends_with("1 not run\n1 passed, 1 failed\n"), "{out}");
    assert!(ends(&sleeper));
}

/// The process that a job which sleeps has told in its log.
fn sleeper(directory: &Path, job: &str) -> String {
    let log = directory.join(format!("ci/{job}.log"));
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        let text = fs::read_to_string(&log).unwrap_or_default();
        if let [_, id] = text.lines().collect::<Vec<_>>()[..] {
            return id.to_owned();
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the job {job:?} has not begun");
}

/// A kill is not done when the call returns.
fn ends(process: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(30);
    while is_alive(process) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    !is_alive(process)
}

fn is_alive(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}
