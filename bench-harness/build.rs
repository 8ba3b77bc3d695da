//! What builds the program, for the records that it writes.

use std::env;
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
}
