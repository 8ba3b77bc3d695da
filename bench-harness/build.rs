//! What builds the program, and from which commit, for the records that it writes.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let of_cargo = |name: &str| env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for a build script"));
    let rustc = Command::new(of_cargo("RUSTC")).arg("--version").output().expect("cargo's rustc runs").stdout;
    let rustc = String::from_utf8(rustc).expect("rustc tells its version in UTF-8");
    println!("cargo::rustc-env=BUILT_RUSTC={}", rustc.trim());
    println!("cargo::rustc-env=BUILT_TARGET={}", of_cargo("TARGET"));
    println!("cargo::rustc-env=BUILT_PROFILE={}", of_cargo("PROFILE"));
    println!("cargo::rustc-env=BUILT_FEATURES={}", of_cargo("CARGO_CFG_TARGET_FEATURE"));
    let (id, dirty, why) = match commit() {
        Ok((id, dirty)) => (id, dirty, String::new()),
        Err(why) => (String::new(), false, why),
    };
    println!("cargo::rustc-env=BUILT_COMMIT={id}");
    println!("cargo::rustc-env=BUILT_DIRTY={dirty}");
    println!("cargo::rustc-env=BUILT_COMMIT_UNKNOWN={why}");
}

/// What the program is built from, as seen from here.
const SOURCES: [&str; 8] =
    ["src", "core", "Cargo.toml", "build.rs", "../locks", "../allocator", "../Cargo.toml", "../Cargo.lock"];

/// The commit of the source tree, and whether what the program is built from differs from it; or why it cannot be told.
fn commit() -> Result<(String, bool), String> {
    let again_if_changed = |path: &Path| {
        // What is not there would count as changed for ever.
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    };
    SOURCES.iter().for_each(|path| again_if_changed(Path::new(path)));
    // Not the index: whatever is in it differs from the commit as the files do, which are all here, and it changes each
    // time somebody looks at the tree.
    let id = git(&["rev-parse", "--verify", "HEAD"])?;
    let mut names = vec!["HEAD".to_owned(), "packed-refs".to_owned()];
    names.extend(git(&["symbolic-ref", "--quiet", "HEAD"])); // none where HEAD is a commit itself
    for name in names {
        again_if_changed(Path::new(&git(&["rev-parse", "--git-path", &name])?));
    }
    let arguments = ["--no-optional-locks", "status", "--porcelain", "--"];
    Ok((id, !git(&[&arguments[..], &SOURCES[..]].concat())?.is_empty()))
}

fn git(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").args(arguments).output().map_err(|error| format!("git does not run: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next().unwrap_or("git fails, and does not say why").into())
}
