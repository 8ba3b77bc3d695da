//! The rule of dependency, and the Rust that we promise.
//!
//! Whoever embeds the pool takes over what it stands on; a dependency that slips in is theirs to audit. Hence the
//! exact lists, for a host and for bare metal. Development and loom dependencies are not among them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The packages that a build of `package` for `target` contains, itself included.
fn packages_in(package: &str, target: &str) -> BTreeSet<String> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["tree", "--package", package, "--edges", "normal,build", "--target", target]);
    command.args(["--prefix", "none", "--format", "{p}"]).current_dir(ROOT);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).map(String::from).collect()
}

#[track_caller]
fn stands_on(package: &str, allowed: &[&str]) {
    for target in ["x86_64-unknown-linux-gnu", "aarch64-unknown-none", "thumbv7m-none-eabi"] {
        let packages: Vec<_> = packages_in(package, target).into_iter().collect();
        assert_eq!(packages, allowed, "for {target}");
    }
}

#[test]
fn hyp_pool_stands_on_lock_api_alone() {
    stands_on("hyp-pool", &["hyp-pool", "lock_api", "scopeguard"]); // scopeguard is lock_api's
}

#[test]
fn hyp_locks_stands_on_lock_api_and_scopeguard_unless_a_feature_asks_for_more() {
    stands_on("hyp-locks", &["hyp-locks", "lock_api", "scopeguard"]);
}

#[test]
fn the_rust_that_we_promise_is_the_one_that_we_test() {
    let read =
        |file: &str| -> toml::Table { std::fs::read_to_string(Path::new(ROOT).join(file)).unwrap().parse().unwrap() };
    let (workspace, toolchain) = (read("Cargo.toml"), read("rust-toolchain.toml"));
    let promised = workspace["workspace"]["package"]["rust-version"].as_str().unwrap();
    let tested = toolchain["toolchain"]["channel"].as_str().unwrap();
    assert_eq!(tested, format!("{promised}.0"));
}
