//! The program as it is typed: what it exits with, says, and leaves. No figure is looked at.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use bench_core::{Scenario, Strategy, Workload};
use bench_harness::read::{Reading, read};
use bench_harness::summary::CellSummary;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_bench-harness");

fn program(directory: &Path, line: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(line.split_whitespace()).current_dir(directory).stdin(Stdio::null());
    command
}

struct Ran {
    status: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(Output { status, stdout, stderr }: Output) -> Self {
        let [out, err] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        Self { status: status.code(), out, err }
    }
}

fn run(directory: &Path, line: &str) -> Ran {
    program(directory, line).output().unwrap().into()
}

/// The one file of records in the place where they go if nobody says otherwise.
fn records(directory: &Path) -> PathBuf {
    let files = fs::read_dir(directory.join("bench-results")).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let file = files.next().unwrap();
    assert_eq!(files.next(), None);
    file
}

fn here() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Short enough for a test, long enough for an operation.
const TINY: &str = "--preset smoke --time 1ms --repeats 1 --cores 1";

#[test]
fn a_run_leaves_records_tables_and_a_page_and_a_report_shows_them_again() {
    let directory = here();
    let ran = run(directory.path(), TINY);
    assert_eq!(ran.status, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("\npair, 1 core: ") && ran.out.contains("\nStrategies, "), "{}", ran.out);
    let file = records(directory.path());
    assert!(file.with_extension("html").is_file());
    let Reading { run: summary, warnings } = read(&file).unwrap();
    assert!(warnings.is_empty() && summary.complete() && summary.void.is_empty(), "{warnings:?}");
    assert_eq!(summary.header.request, "smoke cores=1 measure-us=1000 repeats=1");
    assert_eq!(summary.header.passes, Some(2 * summary.cells.len() as u64));
    // Where counts need no lock, a moment may pass without one; and nothing needs none.
    let seldom = |scenario: Scenario| {
        matches!(scenario.strategy, Strategy::Atomic | Strategy::Magazine) || scenario.workload == Workload::Empty
    };
    let waits = |cell: &CellSummary| cell.wait.is_some() || seldom(cell.scenario);
    assert!(summary.cells.iter().all(|cell| waits(cell) && cell.repeats == 1));

    fs::remove_file(file.with_extension("html")).unwrap();
    let again = run(directory.path(), &format!("report {}", file.display()));
    assert_eq!(again.status, Some(0), "{}", again.err);
    let tables = |out: &str| out[out.find("\npair, 1 core: ").unwrap()..out.find("cost: ").unwrap()].to_owned();
    assert_eq!(tables(&again.out), tables(&ran.out));
    assert!(file.with_extension("html").is_file());

    let exported = run(directory.path(), &format!("report --no-html --csv all.csv --json all.json {}", file.display()));
    assert_eq!(exported.status, Some(0), "{}", exported.err);
    assert!(exported.out.ends_with("CSV:     all.csv\nJSON:    all.json\n"), "{}", exported.out);
    let csv = fs::read_to_string(directory.path().join("all.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + summary.cells.len());
    assert!(fs::read_to_string(directory.path().join("all.json")).unwrap().contains("\"ns_per_op_median\": "));
    let nowhere = run(directory.path(), &format!("report --no-html --csv no/where.csv {}", file.display()));
    assert_eq!(nowhere.status, Some(1));
    assert!(nowhere.err.contains("cannot write no/where.csv"), "{}", nowhere.err);
}

#[test]
fn what_there_is_not_is_refused_before_anything_is_written() {
    let directory = here();
    for (line, says) in [
        ("--lock bolt", "invalid value 'bolt'"),
        ("--time 5", "a unit is missing"),
        ("--preset quick list", "cannot be used with"),
        ("run --smp 4", "--smp is for an emulated board"),
        ("--lock broken --cores 1", "one core alone needs no lock"),
        ("--lock irq-ticket", "it is for bare metal"),
        ("--cores 60000", "there are not so many cores here, but "),
        ("--place 0-4711", "there is no core 4711 here"),
    ] {
        let ran = run(directory.path(), line);
        assert_eq!(ran.status, Some(2), "{line}: {}", ran.err);
        assert!(ran.err.contains(says), "{line}: {}", ran.err);
    }
    assert!(!directory.path().join("bench-results").exists());
}

#[test]
fn a_lock_that_does_not_exclude_is_caught() {
    let directory = here();
    let ran = run(directory.path(), "--lock broken --preset smoke --time 50ms --repeats 5 --no-html");
    if thread::available_parallelism().unwrap().get() == 1 {
        assert_eq!(ran.status, Some(2), "there is nobody to exclude: {}", ran.err);
        return;
    }
    assert_eq!(ran.status, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("VOID: broken merged pair"), "{}", ran.out);
    assert!(ran.out.contains("this is the control"), "{}", ran.out);
    assert!(!ran.err.contains("panicked at"), "workers are quiet: {}", ran.err);
    let file = records(directory.path());
    assert!(read(&file).unwrap().run.complete());
    let report = run(directory.path(), &format!("report --no-html {}", file.display()));
    assert_eq!(report.status, Some(1));
}

#[test]
fn a_place_that_takes_no_records_is_told_before_anything_is_measured() {
    let directory = here();
    let ran = run(directory.path(), &format!("{TINY} --output /dev/null/results"));
    assert_eq!(ran.status, Some(1));
    assert!(ran.err.starts_with("error: cannot make the directory /dev/null/results: "), "{}", ran.err);
    assert_eq!(ran.out, "");
    let ran = run(directory.path(), &format!("{TINY} --output /dev/null"));
    assert_eq!((ran.status, &*ran.err), (Some(1), "error: /dev/null is not a directory\n"));
}

#[test]
fn when_nothing_more_can_be_written_whole_lines_are_left() {
    let directory = here();
    // A limit for the size of files is a disk that is full, as far as a program can tell.
    let script = format!("trap '' XFSZ; ulimit -f 8; exec {PROGRAM} {TINY}");
    let output = Command::new("sh").args(["-c", &script]).current_dir(directory.path()).output().unwrap();
    let ran = Ran::from(output);
    assert_eq!(ran.status, Some(1), "{}", ran.err);
    assert!(ran.err.contains("error: cannot write to ") && ran.err.contains("last whole line"), "{}", ran.err);
    assert!(ran.out.contains("INCOMPLETE: cannot write"), "{}", ran.out);
    let Reading { run: summary, warnings } = read(&records(directory.path())).unwrap();
    assert!(!summary.complete() && !summary.cells.is_empty());
    assert!(matches!(&warnings[..], [one] if one.contains("did not end")), "{warnings:?}");
}

#[test]
fn a_report_of_what_is_cut_off_warns_and_of_what_is_wrong_names_the_line() {
    let directory = here();
    assert_eq!(run(directory.path(), &format!("{TINY} --no-html")).status, Some(0));
    let file = records(directory.path());
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, &text[..text.len() * 2 / 3]).unwrap();
    let ran = run(directory.path(), &format!("report {}", file.display()));
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    assert!(ran.err.contains("the line is cut off") && ran.err.contains("did not end"), "{}", ran.err);
    assert!(ran.out.contains("INCOMPLETE: "), "{}", ran.out);

    fs::write(&file, text.replacen("\"v\":1,\"kind\":\"pass\"", "\"v\":9,\"kind\":\"pass\"", 1)).unwrap();
    let ran = run(directory.path(), &format!("report {}", file.display()));
    assert_eq!(ran.status, Some(1));
    let line = text.lines().position(|line| line.contains("\"kind\":\"pass\"")).unwrap() + 1;
    assert!(ran.err.contains(&format!("{}:{line}: a record of version 9", file.display())), "{}", ran.err);
    fs::write(&file, &text).unwrap();
    let ran = run(directory.path(), &format!("report no-such-file {}", file.display()));
    assert_eq!((ran.status, ran.err.contains("error: cannot open no-such-file")), (Some(1), true));
    assert!(ran.out.contains("\npair, 1 core: "), "the next file is shown nevertheless: {}", ran.out);
}

#[test]
fn an_interrupted_run_keeps_what_it_has() {
    let directory = here();
    let line = "--preset smoke --lock ticket --cores 1 --time 1ms --repeats 1000000 --no-html";
    let child = program(directory.path(), line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let has_passes = || {
        let directory = directory.path().join("bench-results");
        let file = fs::read_dir(directory).ok().and_then(|mut files| files.next());
        file.is_some_and(|file| fs::read_to_string(file.unwrap().path()).unwrap().contains("\"kind\":\"pass\""))
    };
    while !has_passes() {
        thread::sleep(Duration::from_millis(10));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.status, Some(130), "{}", ran.err);
    assert!(ran.out.contains("INCOMPLETE: interrupted") && ran.out.contains("\nRecords: "), "{}", ran.out);
    let Reading { run: summary, warnings } = read(&records(directory.path())).unwrap();
    assert!(warnings.is_empty() && !summary.complete() && !summary.cells.is_empty());
    assert_eq!(summary.end.unwrap().why.as_deref(), Some("interrupted"));
}

#[test]
fn without_an_emulator_it_says_what_to_type() {
    let directory = here();
    let output = program(directory.path(), "--on qemu-virt-el2").env("PATH", "/nowhere").output().unwrap();
    let ran = Ran::from(output);
    assert_eq!(ran.status, Some(2), "{}", ran.err);
    assert!(ran.err.contains("apt-get install qemu-system-arm"), "{}", ran.err);
}

#[test]
fn help_and_list_teach() {
    let directory = here();
    let help = run(directory.path(), "--help").out;
    for word in [
        "Examples",
        "Exit status",
        "ticket-relax:",
        "merged-ref:",
        "s2-sparse:",
        "qemu-virt-el2",
        "serial:/dev/ttyUSB0",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
    let list = run(directory.path(), "list").out;
    assert!(list.contains("\n  kvm-ish") && list.contains("\n  qemu-virt-el2"), "{list}");
    assert!(list.contains("\n  irq-ticket") && list.contains("not on this host"), "{list}");
}

#[test]
fn a_plan_says_what_a_run_would_do_and_measures_nothing() {
    let directory = here();
    let ran = run(directory.path(), "plan --scenario topup,controls --lock ticket,irq-ticket --cores 1");
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    for says in [
        "vCPUs fill up",
        "topup, think 2000 ns on one core: ticket under merged, atomic, magazine",
        "3 scenarios, each 10 times without instruments and with: 60 passes, about ",
        "Left out: irq-ticket on 1 core: a host's threads take no interrupts",
        "All of them: about ",
    ] {
        assert!(ran.out.contains(says), "{says}: {}", ran.out);
    }
    assert!(!directory.path().join("bench-results").exists());
}

#[test]
fn scenarios_of_a_list_have_a_file_each_which_says_its_name() {
    let directory = here();
    let own = directory.path().join("own.toml");
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/light.toml")).unwrap();
    fs::write(&own, text.replace("\"light\"", "\"mine\"")).unwrap();
    let ran = run(
        directory.path(),
        "--scenario light,own.toml --lock mcs --workload section --cores 1 --time 1ms --sample-time 1ms --repeats 1 --quiet --no-html",
    );
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    assert_eq!(ran.out.lines().filter(|line| !line.is_empty()).count(), 2, "where the records are: {}", ran.out);
    let files = fs::read_dir(directory.path().join("bench-results")).unwrap();
    let mut names: Vec<_> = files
        .map(|entry| {
            let path = entry.unwrap().path();
            let run = read(&path).unwrap().run;
            let [cell] = &run.cells[..] else { panic!("{:?}", run.cells) };
            assert_eq!((cell.scenario.hold_ns, cell.scenario.think_ns), (1000, 5000));
            let name = run.header.scenario.unwrap().name;
            assert!(path.to_str().unwrap().contains(&format!("-host-{name}")));
            name
        })
        .collect();
    names.sort();
    assert_eq!(names, ["light", "mine"]);
    let ran = run(directory.path(), "--scenario dark");
    assert!(ran.status == Some(2) && ran.err.contains("there is no scenario \"dark\", nor such a file"), "{}", ran.err);
}

#[test]
fn a_run_that_was_stopped_goes_on_and_is_complete() {
    let directory = here();
    let line = "--preset smoke --lock mcs --workload pair --time 1ms --repeats 3 --cores 1 --no-html";
    assert_eq!(run(directory.path(), line).status, Some(0));
    let file = records(directory.path());
    let whole = fs::read_to_string(&file).unwrap();
    let passes = |text: &str| text.matches("\"kind\":\"pass\"").count();
    // Cut off in the middle of the third pass.
    let third = whole.match_indices("\"kind\":\"pass\"").nth(2).unwrap().0;
    fs::write(&file, &whole[..third + 40]).unwrap();
    let resumed = run(directory.path(), &format!("resume {} --no-html", file.display()));
    assert_eq!(resumed.status, Some(0), "{}", resumed.err);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!((passes(&whole), passes(&text)), (6, 6));
    let Reading { run: summary, warnings } = read(&file).unwrap();
    assert!(warnings.is_empty() && summary.complete() && summary.cells[0].repeats == 3, "{warnings:?}");
    assert!(summary.header.notes.iter().any(|note| note.contains("with 4 of 6 passes to measure")));

    let again = run(directory.path(), &format!("resume {} --no-html", file.display()));
    assert!(again.status == Some(0) && again.err.contains("there is nothing to measure"), "{}", again.err);
    fs::write(&file, whole[..third - 10].replace("\"rustc\":\"", "\"rustc\":\"x").replace("\"cores\":", "\"cores\":9"))
        .unwrap();
    let elsewhere = run(directory.path(), &format!("resume {}", file.display()));
    assert!(elsewhere.status != Some(0), "{}", elsewhere.out);
}

#[test]
fn a_replay_is_a_command_and_so_are_completions_and_the_manual() {
    let directory = here();
    assert_eq!(run(directory.path(), TINY).status, Some(0));
    let placed = run(directory.path(), &format!("{TINY} --place 0 --output placed"));
    assert_eq!(placed.status, Some(0), "{}", placed.err);
    let file = fs::read_dir(directory.path().join("placed")).unwrap().next().unwrap().unwrap().path();
    let of_placed = run(directory.path(), &format!("replay {}", file.with_extension("jsonl").display()));
    assert!(of_placed.out.contains(" --place 0\n"), "{}", of_placed.out);
    let replay = run(directory.path(), &format!("replay {}", records(directory.path()).display()));
    assert!(replay.out.contains("run --preset smoke --cores 1 --time 1000us --repeats 1\n"), "{}", replay.out);
    let completions = run(directory.path(), "completions bash");
    assert!(completions.status == Some(0) && completions.out.contains("--scenario"), "{}", completions.err);
    let man = run(directory.path(), "man");
    assert!(man.status == Some(0) && man.out.contains(".TH bench-harness"), "{}", man.err);
}

#[test]
fn a_comparison_is_a_table_and_an_exit_status() {
    let directory = here();
    let line = "--lock ticket,delayed --strategy merged --workload section --cores 1 --time 2ms --sample-time 1ms --repeats 10 --no-html";
    assert_eq!(run(directory.path(), line).status, Some(0));
    let file = records(directory.path());
    let same = run(directory.path(), &format!("compare {0} {0}", file.display()));
    assert!(same.status == Some(0) && same.out.contains("2 scenarios: 0 slower, 0 faster"), "{}{}", same.out, same.err);
    // The delayed lock's figures under the name of the other one.
    let text = fs::read_to_string(&file).unwrap();
    let slow: String = text
        .lines()
        .filter(|line| !line.contains("\"lock\":\"ticket\""))
        .map(|line| line.replace("\"lock\":\"delayed\"", "\"lock\":\"ticket\"") + "\n")
        .collect();
    let other = directory.path().join("slow.jsonl");
    fs::write(&other, slow).unwrap();
    let slower = run(directory.path(), &format!("compare {} slow.jsonl", file.display()));
    assert!(slower.status == Some(3) && slower.out.contains("SLOWER"), "{}{}", slower.out, slower.err);
    assert!(slower.out.contains("Only A has delayed"), "{}", slower.out);
    let json = run(directory.path(), &format!("compare {} slow.jsonl --json", file.display()));
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["v"], &json["rows"][0]["verdict"]), (&1.into(), &"slower".into()));
    let none = run(directory.path(), &format!("compare {} no.jsonl", file.display()));
    assert!(none.status == Some(1) && none.err.contains("no.jsonl"), "{}", none.err);
    let nonsense = run(directory.path(), "compare a b --min-effect lots");
    assert!(nonsense.status == Some(2) && nonsense.err.contains("\"lots\" is no number"), "{}", nonsense.err);
}

#[test]
fn two_programs_are_measured_interleaved() {
    let directory = here();
    let program = env!("CARGO_BIN_EXE_bench-harness");
    let options = "--lock ticket,mcs --strategy merged --workload section --cores 1 --time 1ms --sample-time 1ms";
    let ran = run(directory.path(), &format!("ab {program} {program} --rounds 3 --min-effect 100 -- {options}"));
    assert_eq!(ran.status, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("2 scenarios: 0 slower"), "{}", ran.out);
    let files = fs::read_dir(directory.path().join("bench-results")).unwrap().map(|entry| entry.unwrap().path());
    let mut repeats = vec![];
    for file in files {
        let Reading { run, warnings } = read(&file).unwrap();
        assert!(warnings.is_empty() && run.complete(), "{warnings:?}");
        repeats.extend(run.cells.iter().map(|cell| cell.repeats));
    }
    assert_eq!(repeats, [3; 4]);
    let ran = run(directory.path(), &format!("ab {program} no-such-program -- {options}"));
    assert!(ran.status == Some(1) && ran.err.contains("cannot run no-such-program"), "{}", ran.err);
    let ran = run(directory.path(), &format!("ab {program} {program} -- --lock bolt"));
    assert!(ran.status == Some(1) && ran.err.contains("see what it says above"), "{}", ran.err);
}

#[test]
fn json_is_all_that_is_on_the_standard_output() {
    let directory = here();
    let ran = run(directory.path(), &format!("{TINY} --lock mcs --workload section --json"));
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    let figures: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(figures["runs"][0]["scenarios"][0]["lock"], "mcs");
    assert!(ran.err.contains("Records: "), "{}", ran.err);
}
