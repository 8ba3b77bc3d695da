//! A board at the other end of a serial line, and a captured console: a pseudo-terminal plays what an image has said
//! (`console.log`: EL2, two emulated cores), whole, damaged, cut off; or says nothing.

#![cfg(unix)]

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use bench_harness::protocol::framed;
use bench_harness::read::{Reading, read};
use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

const LOG: &str = include_str!("console.log");
/// What was asked for, as options and as a request.
const OPTIONS: &str = "--preset smoke --lock mcs --strategy merged --workload section,pair --cores 1,2 --repeats 2";
const REQUEST: &str = "smoke locks=mcs strategies=merged workloads=section,pair cores=1,2 repeats=2";
/// Passes in it: mcs under two workloads, on one core and on two, twice, without instruments and with.
const PASSES: usize = 16;

struct Ran {
    status: Option<i32>,
    out: String,
    err: String,
}

fn run(directory: &Path, line: &str, input: Option<&str>) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench-harness"));
    command.args(line.split(' ')).current_dir(directory).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.unwrap_or_default().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    Ran { status: output.status.code(), out, err }
}

fn records(directory: &Path) -> Reading {
    let mut files = fs::read_dir(directory.join("bench-results")).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|extension| extension == "jsonl")).unwrap();
    read(&file).unwrap()
}

/// A run on a board that does what `board` does at its end of the line.
fn on_serial(options: &str, board: impl FnOnce(File) + Send) -> (Ran, Option<Reading>) {
    let directory = tempfile::tempdir().unwrap();
    // Not inherited by the programs that tests start meanwhile: the line would stay up.
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let device = ptsname_r(&master).unwrap();
    let slave = OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(&device).unwrap();
    let mut settings = tcgetattr(&slave).unwrap();
    cfmakeraw(&mut settings); // no echo before the program has set up its end
    tcsetattr(&slave, SetArg::TCSANOW, &settings).unwrap();
    let master = File::from(OwnedFd::from(master));
    let ran = thread::scope(|scope| {
        scope.spawn(move || board(master));
        let line = format!("--on serial:{device} {OPTIONS} --no-html {options}");
        let ran = run(directory.path(), line.trim_end(), None);
        drop(slave);
        ran
    });
    let any = directory.path().join("bench-results").exists();
    (ran, any.then(|| records(directory.path())))
}

/// What the other end of the line is called whose end this is.
fn other_end(master: &File) -> String {
    let about = fs::read_to_string(format!("/proc/self/fdinfo/{}", master.as_raw_fd())).unwrap();
    let number = about.lines().find_map(|line| line.strip_prefix("tty-index:")).unwrap();
    format!("serial:/dev/pts/{}\0", number.trim())
}

/// Waits for the request, as an image that listens does, then says `text`.
fn answer(mut line: File, text: &str) {
    let mut reader = BufReader::new(line.try_clone().unwrap());
    writeln!(line, "boot\r\n{}\r", framed("ready", "{\"protocol\":1}", 0)).unwrap();
    let mut request = String::new();
    reader.read_line(&mut request).unwrap();
    assert_eq!(request, format!("bench {REQUEST}\n"));
    // A line takes no more than fits.
    text.as_bytes().chunks(512).for_each(|bytes| line.write_all(bytes).unwrap());
    let _ = reader.read_line(&mut request); // until the program is gone
}

/// The log, after `ready`: its numbers are one more.
fn renumbered() -> String {
    let lines = LOG.lines().map(|line| match bench_core::frame::frames(line).next() {
        Some(Ok(frame)) => framed(frame.tag, frame.json, frame.number + 1),
        Some(Err(damaged)) => panic!("{damaged:?}"),
        None => line.to_owned(),
    });
    lines.map(|line| line + "\r\n").collect()
}

#[test]
fn a_board_that_listens_is_asked_and_what_it_says_is_a_run() {
    let (ran, reading) = on_serial("", |line| answer(line, &renumbered()));
    assert_eq!(ran.status, Some(0), "{}{}", ran.out, ran.err);
    let Reading { run, warnings } = reading.unwrap();
    assert!(warnings.is_empty() && run.complete() && run.void.is_empty(), "{warnings:?}");
    assert_eq!((run.cells.len(), run.cells[0].repeats, run.transfers.len()), (4, 2, 1));
    assert!(run.header.place.starts_with("serial-") && !run.header.emulated);
}

#[test]
fn lost_and_corrupted_bytes_cost_their_lines_and_are_named() {
    let whole = renumbered();
    let passes: Vec<usize> = whole.match_indices("@pass").map(|(at, _)| at).collect();
    let mut bytes = whole.clone().into_bytes();
    bytes[passes[2] + 60] ^= 0x08; // one is corrupted
    bytes.drain(passes[5] + 30..passes[5] + 33); // one has lost three bytes,
    let text = String::from_utf8(bytes).unwrap();
    let ninth = text.match_indices("@pass").nth(9).unwrap().0;
    let tenth = text.match_indices("@pass").nth(10).unwrap().0;
    let text = [&text[..ninth], &text[tenth..]].concat(); // and one is missing
    let (ran, reading) = on_serial("", move |line| answer(line, &text));
    assert_eq!(ran.status, Some(1), "{}", ran.err);
    assert_eq!(ran.err.matches("was damaged on its way").count(), 2, "{}", ran.err);
    assert_eq!(ran.err.matches("a frame was lost, or damaged, before line").count(), 3, "{}", ran.err);
    let Reading { run, .. } = reading.unwrap();
    assert!(!run.complete() && run.end.unwrap().why.unwrap().contains("did not all arrive"));
    assert!(run.header.notes.iter().any(|note| note.contains("damaged on its way")));
    let kept: usize = run.cells.iter().map(|cell| cell.repeats).sum();
    assert!((PASSES / 2 - 3..PASSES / 2).contains(&kept), "{kept} passes without instruments of {}", PASSES / 2);
}

#[test]
fn what_others_say_on_the_console_costs_only_what_it_is_in_the_middle_of() {
    let whole = renumbered();
    let passes: Vec<usize> = whole.match_indices("@pass").map(|(at, _)| at).collect();
    let (first, second) = (passes[3], passes[4]);
    let mut text = whole.clone();
    text.insert_str(second + 50, "[    1.5] eth0: link is up\r\n"); // in the middle: it is lost,
    text.insert_str(first, "[    1.2] usb 1-1: ");
    text = text.replacen("\r\n@transfer", "@transfer", 1); // in front, and the end of a line is lost: they are not,
    let done = text.find("@done").unwrap();
    text.insert_str(done, &format!("{}\r\n", &whole[passes[0]..passes[1]].trim_end())); // and one comes twice
    let (ran, reading) = on_serial("", move |line| answer(line, &text));
    assert_eq!(ran.status, Some(1), "{}", ran.err);
    assert_eq!(ran.err.matches("was damaged on its way").count(), 1, "{}", ran.err);
    assert_eq!(ran.err.matches("a frame was lost, or damaged, before line").count(), 1, "{}", ran.err);
    let Reading { run, .. } = reading.unwrap();
    assert_eq!(run.header.notes.iter().filter(|note| note.contains("says again")).count(), 1, "{:?}", run.header.notes);
    let kept: usize = run.cells.iter().map(|cell| cell.repeats).sum();
    assert_eq!((kept, run.transfers.len()), (PASSES / 2 - 1, 1));
}

#[test]
fn a_board_that_is_reset_or_misheard_the_request_is_told() {
    let whole = renumbered();
    let half = whole.match_indices("@pass").nth(7).unwrap().0;
    let reset = [&whole[..half], "boot\r\n", &framed("ready", "{\"protocol\":1}", 0), "\r\n", &whole].concat();
    let (ran, reading) = on_serial("", move |line| answer(line, &reset));
    assert!(ran.status == Some(1) && ran.err.contains("it has started anew"), "{}", ran.err);
    let Reading { run, .. } = reading.unwrap();
    assert!(!run.complete() && run.cells.iter().all(|cell| cell.repeats == 1), "nothing of the second time");

    let heard = framed("plan", "{\"passes\":2,\"protocol\":1,\"request\":\"smoke locks=clh\"}", 1) + "\r\n";
    let (ran, _) = on_serial("", move |line| answer(line, &heard));
    assert!(ran.status == Some(1) && ran.err.contains("and heard \"smoke locks=clh\""), "{}", ran.err);
}

#[test]
fn ctrl_c_ends_the_wait_for_a_board_at_once() {
    let (ran, reading) = on_serial("", |mut line| {
        let text = renumbered();
        // What came before `plan`, and four passes.
        let some = text.match_indices("@pass").nth(4).unwrap().0;
        let text = [&framed("ready", "{\"protocol\":1}", 0), "\r\n", &text[..some]].concat();
        line.write_all(text.as_bytes()).unwrap();
        thread::sleep(Duration::from_secs(1)); // until that has been read
        let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
        let children: String = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok()).collect();
        let device = other_end(&line);
        let has_it =
            |id: &&str| fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|words| words.contains(&device));
        let program = children.split_whitespace().find(has_it).unwrap();
        assert!(Command::new("kill").args(["-INT", program]).status().unwrap().success());
        let mut reader = BufReader::new(line);
        while reader.read_line(&mut String::new()).is_ok_and(|bytes| bytes > 0) {}
    });
    assert_eq!(ran.status, Some(130), "{}", ran.err);
    let Reading { run, .. } = reading.unwrap();
    assert_eq!((run.cells.len(), run.end.unwrap().why.as_deref()), (2, Some("interrupted")));
}

#[test]
fn a_cable_that_is_cut_leaves_what_came_through_it() {
    let text = renumbered();
    let cut = text.match_indices("@pass").nth(7).unwrap().0 + 100;
    let (ran, reading) = on_serial("--patience 20s", move |mut line| {
        line.write_all(&text.as_bytes()[..cut]).unwrap();
        thread::sleep(Duration::from_secs(1)); // it has been read
    });
    assert_eq!(ran.status, Some(1), "{}", ran.out);
    assert!(ran.err.contains("nobody is at the other end") || ran.err.contains("cannot be read"), "{}", ran.err);
    let Reading { run, .. } = reading.unwrap();
    assert!(!run.complete() && !run.cells.is_empty());
}

#[test]
fn a_board_that_says_nothing_is_not_waited_for_for_ever() {
    let (ran, _) = on_serial("--patience 300ms", |line| {
        thread::sleep(Duration::from_secs(2));
        drop(line);
    });
    assert_eq!(ran.status, Some(1), "{}", ran.out);
    assert!(ran.err.contains("nothing has happened for"), "{}", ran.err);
}

#[test]
fn a_captured_console_is_a_run() {
    for from_stdin in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("console.log"), LOG).unwrap();
        let file = if from_stdin { "-" } else { "console.log" };
        let line = format!("ingest {file} --board rpi4 --emulated --no-html");
        let ran = run(directory.path(), &line, from_stdin.then_some(LOG));
        assert_eq!(ran.status, Some(0), "{}", ran.err);
        let Reading { run, warnings } = records(directory.path());
        assert!(warnings.is_empty() && run.complete(), "{warnings:?}");
        assert_eq!((run.cells.len(), &*run.header.place, run.header.emulated), (4, "rpi4", true));
    }
}

#[test]
fn a_log_that_is_cut_off_or_foreign_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let cut = &LOG[..LOG.match_indices("@pass").nth(5).unwrap().0];
    fs::write(path.join("cut.log"), cut).unwrap();
    let ran = run(path, "ingest cut.log --board b --no-html", None);
    assert!(ran.status == Some(1) && ran.err.contains("ends before the board was done"), "{}", ran.err);
    assert_eq!(records(path).run.cells.len(), 3);

    fs::write(path.join("foreign.log"), "Linux version 6.1\nlogin:\n").unwrap();
    let ran = run(path, "ingest foreign.log --board b --no-html", None);
    assert!(ran.status == Some(1) && ran.err.contains("ends before the board was done"), "{}", ran.err);
    fs::write(path.join("newer.log"), framed("plan", "{\"protocol\":9}", 0) + "\n").unwrap();
    let ran = run(path, "ingest newer.log --board b --no-html", None);
    assert!(ran.status == Some(1) && ran.err.contains("version 9 of the protocol"), "{}", ran.err);
    let ran = run(path, "ingest no.log --board b", None);
    assert!(ran.status == Some(1) && ran.err.contains("cannot open no.log"), "{}", ran.err);
}
