//! A run on a board, with an emulator, a compiler and a `rustup` made for the purpose: what the program makes of what
//! they do.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use bench_core::record::CoreCount;
use bench_core::{Lock, Pass, Scenario, Strategy, Workload, Wrong};
use bench_harness::protocol::framed;
use bench_harness::read::read;
use bench_harness::summary::Run;
use tempfile::TempDir;

/// A line of the board's, printed by a shell.
fn say(tag: &str, json: &str, number: u32) -> String {
    format!("echo '{}'\n", framed(tag, json, number))
}

fn pass(wrong: Option<Wrong>, number: u32) -> String {
    let scenario = Scenario::new(Lock::IrqTicket, Strategy::Merged, Workload::Pair, 2);
    let cores = [CoreCount { ops: 5, start: 100, stop: 200, gap: 3 }; 2].into_iter().collect();
    let pass = Pass { hz: 62_500_000, cores, wrong, ..Pass::of(scenario, 0) };
    say("pass", &serde_json::to_string(&pass).unwrap(), number)
}

fn tool(directory: &Path, name: &str, script: &str) {
    let path = directory.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The program in front of an emulator that does what `script` says.
fn program(directory: &Path, script: &str) -> Command {
    let tools = directory.join("tools");
    fs::create_dir_all(&tools).unwrap();
    let version = "[ \"$1\" = --version ] && { echo 'made-up emulator 1.0'; exit; }\n";
    tool(&tools, "qemu-system-aarch64", &format!("{version}echo \"# $*\"\n{script}"));
    tool(&tools, "rustup", "echo aarch64-unknown-none-softfloat");
    tool(&tools, "cargo", "echo \"cargo $* RUSTFLAGS=$RUSTFLAGS\" >&2; export PARENT=$PPID; eval \"$CARGO_DOES\"");
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([tools.clone()].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench-harness"));
    command.args(["--on", "qemu-virt-el2", "--preset", "smoke", "--no-html", "--output"]).arg(directory.join("out"));
    command.env("PATH", path).env("CARGO", tools.join("cargo")).stdin(Stdio::null());
    command
}

fn text(output: &Output) -> (Option<i32>, String, String) {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    (output.status.code(), out, err)
}

fn file(directory: &Path) -> Option<PathBuf> {
    Some(fs::read_dir(directory.join("out")).ok()?.next()?.unwrap().path())
}

fn records(directory: &TempDir) -> Run {
    read(&file(directory.path()).unwrap()).unwrap().run
}

#[test]
fn a_board_that_does_what_it_should_is_a_run_like_any_other_and_says_that_it_is_emulated() {
    let directory = tempfile::tempdir().unwrap();
    let scenario = Scenario::new(Lock::Mcs, Strategy::Split, Workload::Pair, 9);
    let scenario = serde_json::to_string(&scenario).unwrap();
    let refused = format!(r#"{{"scenario":{scenario},"why":"there are not so many cores here"}}"#);
    let plan = say("plan", "{\"passes\":1,\"protocol\":1,\"request\":\"smoke\"}", 0);
    let script = format!("{plan}{}{}{}", say("refused", &refused, 1), pass(None, 2), say("done", "{}", 3));
    let (status, out, err) = text(&program(directory.path(), &script).arg("--lse").output().unwrap());
    assert_eq!(status, Some(0), "{out}{err}");
    assert!(out.starts_with("\nEMULATED: 1 scenarios ran") && out.contains("[EMULATED]"), "{out}");
    assert!(out.contains("Left out: mcs on 9 cores: there are not so many cores here."), "{out}");
    assert!(err.contains("cargo build --release --package qemu-virt-el2") && err.contains("+lse"), "{err}");
    let run = records(&directory);
    assert!(run.complete() && run.header.emulated && run.header.place == "qemu-virt-el2");
    assert!(run.header.notes.iter().any(|note| note.contains("made-up emulator 1.0: 4 cores, max, LSE")));
    let built = "for aarch64-unknown-none-softfloat, release, RUSTFLAGS=\"-C target-feature=+lse\"";
    assert!(run.header.notes.iter().any(|note| note.contains(built)), "{:?}", run.header.notes);
    assert_eq!((run.cells.len(), run.refused.len()), (1, 1));
}

#[test]
fn a_void_pass_on_a_board_is_a_failure_and_the_run_is_complete_nevertheless() {
    let directory = tempfile::tempdir().unwrap();
    let script = format!("{}{}exit 1", pass(Some(Wrong::Leaked), 0), say("done", "{}", 1));
    let (status, out, err) = text(&program(directory.path(), &script).output().unwrap());
    assert_eq!(status, Some(1), "{out}{err}");
    assert!(out.contains("VOID: irq-ticket merged pair, 2 cores, repeat 0: pages were put back"), "{out}");
    assert!(!err.contains("error: "), "{err}");
    assert!(records(&directory).complete());
}

#[test]
fn a_board_that_fails_shows_its_console_and_what_it_measured_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let script = format!("{}echo 'panic on core 1: ouch'; exit 101", pass(None, 0));
    let (status, out, err) = text(&program(directory.path(), &script).output().unwrap());
    assert_eq!(status, Some(1), "{out}{err}");
    assert!(err.contains("ended early, with exit status: 101") && err.contains("\n  | panic on core 1: ouch"), "{err}");
    assert!(err.contains("-append bench smoke"), "how it was started is on the console: {err}");
    let run = records(&directory);
    assert!(!run.complete() && run.cells.len() == 1);
}

#[test]
fn an_image_that_does_not_build_is_no_run() {
    let directory = tempfile::tempdir().unwrap();
    let (status, _, err) = text(&program(directory.path(), "").env("CARGO_DOES", "exit 101").output().unwrap());
    assert_eq!(status, Some(1));
    assert!(err.contains("error: the image qemu-virt-el2 does not build"), "{err}");
    assert_eq!(file(directory.path()), None);
}

/// What a terminal does at Ctrl-C: SIGINT to the whole group of `child`, which is its own.
fn ctrl_c(child: &Child) {
    let group = format!("-{}", child.id());
    assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
}

/// `command` as a terminal starts it, with its output kept.
fn in_front(command: &mut Command) -> Child {
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until a script has written its process to `pid`.
fn told(pid: &Path) -> String {
    loop {
        match fs::read_to_string(pid) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn is_alive(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // A zombie, whose parent has not looked yet, runs no more.
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// Whether `process` ends; a kill is not done when the call returns.
fn ends(process: &str) -> bool {
    (0..3000).any(|_| {
        thread::sleep(Duration::from_millis(10));
        !is_alive(process)
    })
}

#[test]
fn ctrl_c_while_the_image_is_built_ends_cargo_and_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let does = format!("sleep 60 & echo $! > '{}'; wait", pid.display());
    let child = in_front(program(directory.path(), "").env("CARGO_DOES", does));
    let compiler = told(&pid);
    ctrl_c(&child);
    let (status, _, err) = text(&child.wait_with_output().unwrap());
    assert_eq!(status, Some(130), "{err}");
    assert!(err.contains("interrupted while the image was being built"), "{err}");
    assert_eq!(file(directory.path()), None);
    assert!(ends(&compiler));
}

#[test]
fn ctrl_c_ends_the_emulator_with_all_that_it_started_and_keeps_what_there_is() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    // Started as a child, so that it takes more than the emulator's end to end it.
    let script = format!("{}sleep 60 & echo $! > '{}'; wait", pass(None, 0), pid.display());
    let child = in_front(&mut program(directory.path(), &script));
    let emulated = told(&pid);
    let has_pass = || file(directory.path()).is_some_and(|file| fs::read_to_string(file).unwrap().contains("\"pass\""));
    while !has_pass() {
        thread::sleep(Duration::from_millis(10));
    }
    ctrl_c(&child);
    let (status, out, err) = text(&child.wait_with_output().unwrap());
    assert_eq!(status, Some(130), "{out}{err}");
    assert!(!err.contains("error: "), "{err}");
    let run = records(&directory);
    assert_eq!((run.cells.len(), run.end.unwrap().why.as_deref()), (1, Some("interrupted")));
    assert!(ends(&emulated));
}

#[test]
fn what_a_board_needs_and_is_not_there_is_one_exit_status() {
    let directory = tempfile::tempdir().unwrap();
    let tools = directory.path().join("tools");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_str().unwrap();
    for (rustup, expected, says) in [
        ("echo x86_64-unknown-linux-gnu", 2, "rustup target add aarch64"),
        // Where it is asked, as its complaint tells.
        ("pwd >&2; exit 3", 1, root),
    ] {
        let mut command = program(directory.path(), "");
        tool(&tools, "rustup", rustup);
        let (status, _, err) = text(&command.output().unwrap());
        assert_eq!(status, Some(expected), "{err}");
        assert!(err.contains(says), "{err}");
    }
    let mut command = program(directory.path(), "");
    fs::remove_file(tools.join("rustup")).unwrap();
    let (status, _, err) = text(&command.env("PATH", &tools).output().unwrap());
    assert_eq!(status, Some(2), "{err}");
    assert!(err.contains("rustup, which knows whether"), "{err}");
}

#[test]
fn an_interrupt_while_the_image_is_built_is_one_too() {
    let directory = tempfile::tempdir().unwrap();
    let output = program(directory.path(), "").env("CARGO_DOES", "kill -INT $PARENT; exec sleep 600").output();
    let (status, _, err) = text(&output.unwrap());
    assert_eq!(status, Some(130), "{err}");
    assert!(err.contains("interrupted while the image was being built"), "{err}");
    assert_eq!(file(directory.path()), None);
}

#[test]
fn an_interrupt_ends_the_emulator_and_keeps_what_there_is() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let script = format!("{}echo $$ > '{}'; exec sleep 600", pass(None, 0), pid.display());
    let mut command = program(directory.path(), &script);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let has_pass = || file(directory.path()).is_some_and(|file| fs::read_to_string(file).unwrap().contains("\"pass\""));
    while !(has_pass() && fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n'))) {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let (status, out, err) = text(&child.wait_with_output().unwrap());
    assert_eq!(status, Some(130), "{out}{err}");
    let run = records(&directory);
    assert_eq!((run.cells.len(), run.end.unwrap().why.as_deref()), (1, Some("interrupted")));
    let emulator = fs::read_to_string(&pid).unwrap();
    // The program waits for it before it ends, so that it is gone by now.
    let alive = Command::new("kill").args(["-0", emulator.trim()]).stderr(Stdio::null()).status().unwrap();
    assert!(!alive.success());
}
