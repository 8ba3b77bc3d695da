//! A request on several places: this host, more than once, and one that is not there. (Behind ssh: tests/ssh.rs.)

#![cfg(unix)]

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bench_harness::read::read;

fn fleet(directory: &Path, file: &str) -> Command {
    fs::write(directory.join("fleet.toml"), file).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench-harness"));
    command.args(["fleet", "fleet.toml", "--output", "out"]).current_dir(directory).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(output: &Output) -> (Option<i32>, String, String) {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    (output.status.code(), out, err)
}

/// The directory of the one fleet that has run.
fn results(directory: &Path) -> PathBuf {
    let mut all = fs::read_dir(directory.join("out")).unwrap().map(|entry| entry.unwrap().path());
    let one = all.next().unwrap();
    assert_eq!(all.next(), None);
    one
}

fn names(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const TINY: &str = "options = ['--preset', 'smoke', '--time', '1ms', '--repeats', '1', '--lock', 'ticket']\n";

#[test]
fn places_are_shown_side_by_side_and_one_that_fails_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = format!(
        "{TINY}[[place]]\nname = 'one'\non = 'host'\noptions = ['--cores', '1']\n\
         [[place]]\nname = 'gone'\non = 'serial:/no/such/tty'\n\
         [[place]]\nname = 'two'\non = 'host'\noptions = ['--cores', '1', '--workload', 'pair']\n"
    );
    let (status, out, err) = text(&fleet(directory.path(), &file).output().unwrap());
    assert_eq!(status, Some(1), "{out}{err}");
    assert!(err.contains("gone: error: cannot open /no/such/tty"), "with whose it is: {err}");
    assert!(err.ends_with("error: 1 of 3 places failed: gone\n"), "{err}");
    assert!(
        out.contains("one: measured\n") && out.contains("two: measured\n") && out.contains("gone: FAILED: "),
        "{out}"
    );
    // As in the file, whoever ended first; and what only one has measured is in its column alone.
    let mut rows = out.lines().skip_while(|line| !line.starts_with("pair, 1 core: ns an operation"));
    let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
    assert_eq!(words(rows.nth(1).unwrap())[..4], ["lock", "strategy", "one", "two"]);
    assert!(words(rows.next().unwrap()).len() == 6, "{out}");
    let directory = results(directory.path());
    // A place that could not begin has records that say so.
    let there = names(&directory);
    assert!(
        ["one.jsonl", "overview.txt", "two.jsonl"].iter().all(|name| there.contains(&(*name).to_owned())),
        "{there:?}"
    );
    assert!(there.iter().all(|name| !name.starts_with('.')), "{there:?}");
    let why = read(&directory.join("gone.jsonl")).unwrap().run.end.unwrap().why.unwrap();
    assert!(why.contains("/no/such/tty"), "{why}");
    assert!(read(&directory.join("two.jsonl")).unwrap().run.complete());
    assert!(out.contains(&fs::read_to_string(directory.join("overview.txt")).unwrap()));
}

#[test]
fn runs_that_something_else_has_started_are_shown_side_by_side_too() {
    let directory = tempfile::tempdir().unwrap();
    let program = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench-harness"));
        text(&command.args(line.split(' ')).current_dir(directory.path()).output().unwrap())
    };
    for output in ["a", "b"] {
        let run = format!("--preset smoke --time 1ms --repeats 1 --lock ticket --cores 1 --no-html --output {output}");
        assert_eq!(program(&run).0, Some(0));
    }
    let [a, b] = ["a", "b"].map(|output| format!("{output}/{}", names(&directory.path().join(output))[0]));
    // Cut off in the middle of its last line.
    let whole = fs::read_to_string(directory.path().join(&b)).unwrap();
    fs::write(directory.path().join(&b), &whole[..whole.len() - 10]).unwrap();
    let (status, out, err) = program(&format!("overview {a} no.jsonl {b}"));
    assert!(status == Some(1) && err.contains("error: cannot open no.jsonl"), "{status:?} {err}");
    let stem = Path::new(&b).file_stem().unwrap().to_str().unwrap();
    let header = out.lines().find(|line| line.starts_with("lock")).unwrap();
    assert_eq!(header.split_whitespace().collect::<Vec<_>>(), ["lock", "strategy", "host", stem], "{out}");
    assert!(out.contains("host: measured\n") && out.contains(&format!("{stem}: FAILED: it did not end\n")), "{out}");
    assert_eq!(program(&format!("overview {a}")).0, Some(0));
}

#[test]
fn a_fleet_that_is_well_ends_well_and_one_that_makes_no_sense_does_not_begin() {
    let directory = tempfile::tempdir().unwrap();
    let file = format!("{TINY}[[place]]\non = 'host'\noptions = ['--cores', '1']\n");
    let (status, out, err) = text(&fleet(directory.path(), &file).output().unwrap());
    assert_eq!(status, Some(0), "{out}{err}");

    let directory = tempfile::tempdir().unwrap();
    let (status, _, err) = text(&fleet(directory.path(), "[[place]]\non = 'moon'\n").output().unwrap());
    assert!(status == Some(2) && err.contains("error: fleet.toml: moon: "), "{status:?} {err}");
    assert!(!directory.path().join("out").exists());
}

#[test]
fn ctrl_c_ends_the_place_that_runs_and_begins_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let long = "options = ['--lock', 'ticket', '--strategy', 'merged', '--workload', 'pair', '--cores', '1', '--time', \
                '300ms', '--repeats', '200']\n[[place]]\nname = 'one'\non = 'host'\n[[place]]\nname = 'two'\non = 'host'\n";
    let child = fleet(directory.path(), long).process_group(0).spawn().unwrap();
    let late = Instant::now() + Duration::from_secs(60);
    let has_pass = || {
        let files = fs::read_dir(directory.path().join("out")).ok()?;
        let files = files.filter_map(|fleet| fs::read_dir(fleet.ok()?.path().join(".one")).ok()).flatten();
        let mut texts = files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok());
        texts.any(|text| text.contains("\"pass\"")).then_some(())
    };
    while has_pass().is_none() {
        assert!(Instant::now() < late);
        thread::sleep(Duration::from_millis(20));
    }
    // As a terminal does it: the whole group.
    let group = format!("-{}", child.id());
    assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
    let (status, out, err) = text(&child.wait_with_output().unwrap());
    assert_eq!(status, Some(130), "{out}{err}");
    assert!(out.contains("one: FAILED: interrupted\n") && out.contains("two: FAILED: interrupted before"), "{out}");
    let run = read(&results(directory.path()).join("one.jsonl")).unwrap().run;
    assert_eq!((run.cells.len(), run.end.unwrap().why.as_deref()), (1, Some("interrupted")));
}
