//! What was brought along is measured like what was there, and its records can be read by who has not brought it.

use std::process::Command;

use bench_harness::read::{Reading, read};

fn run(directory: &std::path::Path, line: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bring-your-lock"));
    let output = command.args(line.split(' ')).current_dir(directory).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn locks_and_a_workload_of_ones_own_are_measured() {
    let directory = tempfile::tempdir().unwrap();
    let (status, list) = run(directory.path(), "list");
    assert_eq!(status, Some(0), "{list}");
    assert!(["  my-tas ", "  c-ticket ", "  my-churn "].iter().all(|name| list.contains(name)), "{list}");

    let line = "--lock my-tas,c-ticket,ticket --workload section,my-churn --strategy merged --time 2ms --sample-time 2ms --repeats 2";
    let (status, text) = run(directory.path(), line);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("c-ticket*") && text.contains("my-churn, "), "{text}");
    let files = std::fs::read_dir(directory.path().join("bench-results")).unwrap();
    let file = files.map(|entry| entry.unwrap().path()).find(|path| path.extension().unwrap() == "jsonl").unwrap();
    // This test has not brought them.
    let Reading { run: found, warnings } = read(&file).unwrap();
    assert!(warnings.is_empty() && found.void.is_empty(), "{warnings:?}");
    let mut names: Vec<_> = found.cells.iter().map(|cell| cell.scenario.lock.to_string()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names, ["c-ticket", "my-tas", "ticket"]);

    let (status, text) = run(directory.path(), "--lock our-lock");
    assert!(status == Some(2) && text.contains("my-tas"), "it tells what there is: {text}");
}
