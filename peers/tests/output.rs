//! The program, and an output that takes nothing.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_said() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_peers")).arg("--list").stdout(full).stderr(Stdio::piped()).output();
    let output = run.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot be written to the standard output"), "{said}");
}

/// One repetition, briefly: everybody takes part, and every bar says that this is too little to judge by.
#[test]
fn locks_are_measured_and_few_repetitions_judge_nobody() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut peers = Command::new(env!("CARGO_BIN_EXE_peers"));
    let output = peers.args(["locks", "--repeats", "1", "--slice", "1", "--json"]).arg(file.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, bars) = text.split_once("\nBars;").expect("bars");
    assert!(bars.contains("ticket alone") && bars.contains("too few"), "{text}");
    assert!(!bars.lines().skip(2).any(|line| line.ends_with(" met") || line.contains("MISSED")), "{text}");
    let lines = std::fs::read_to_string(file.path()).unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let locks: Vec<&str> = lines.iter().filter_map(|line| line["lock"].as_str()).collect();
    assert_eq!(lines[0]["line"], "machine");
    assert!(["tas", "ticket", "qspin", "spin-ticket", "clhlock"].iter().all(|name| locks.contains(name)), "{locks:?}");
    assert!(lines.iter().filter(|line| line["line"] == "lock").all(|line| line["alone_ns"].as_f64() > Some(0.0)));
}
