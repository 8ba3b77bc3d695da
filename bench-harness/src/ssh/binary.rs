//! A program for another machine: linked statically against musl, by the compiler's own linker, so that neither a cross
//! toolchain is needed here nor a libc there.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::qemu::group::Group;
use crate::qemu::image;
use crate::session::Impossible;

/// What to build for a machine which says this at `uname -sm`.
fn target(machine: &str) -> Option<&'static str> {
    match machine {
        "Linux aarch64" | "Linux arm64" => Some("aarch64-unknown-linux-musl"),
        "Linux x86_64" => Some("x86_64-unknown-linux-musl"),
        _ => None,
    }
}

/// Builds the program in the source tree at `root`.
///
/// # Errors
///
/// [`Impossible`] if there is no such target, or it is not installed; or it does not build, and cargo has said why.
pub(super) fn build(machine: &str, root: &Path) -> Result<PathBuf> {
    let Some(target) = target(machine) else {
        return Err(Impossible(format!(
            "\"{machine}\" is neither Linux aarch64 nor Linux x86_64, which a program can be built for here; --binary \
             FILE takes one that is there"
        ))
        .into());
    };
    image::check_target(root, target)?;
    let base = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |set| root.join(set));
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--package", "bench-harness", "--bin", "bench-harness", "--target", target]);
    command.arg("--target-dir").arg(&base).current_dir(root).stdin(Stdio::null());
    let variable = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"));
    command.env(variable, "rust-lld").env("CARGO_PROFILE_RELEASE_STRIP", "symbols"); // it goes over a network
    command.env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("RUSTFLAGS");
    let mut cargo = Group::start(&mut command).context("cannot start cargo")?;
    if !image::succeeds(&mut cargo, "the program")? {
        bail!("the program does not build for {target}");
    }
    Ok(base.join(target).join("release").join("bench-harness"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_a_target_or_the_refusal_says_what_to_do() {
        assert_eq!(target("Linux aarch64"), Some("aarch64-unknown-linux-musl"));
        assert_eq!(target("Linux x86_64"), Some("x86_64-unknown-linux-musl"));
        for machine in ["Linux riscv64", "Darwin arm64", "Linux armv7l", ""] {
            let error = build(machine, Path::new("/")).unwrap_err();
            assert!(error.is::<Impossible>() && error.to_string().contains("--binary FILE"), "{error}");
        }
    }
}
