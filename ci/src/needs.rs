//! What a job stands on, and what of that is not here.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::matrix::{Job, Toolchain};

/// Something that a job needs and that is not here, with what brings it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// `rustup`, without which nothing can be found out about toolchains.
    Rustup,
    /// A whole toolchain, with the parts that the job needs.
    Toolchain(Toolchain),
    /// Components of a toolchain that is here.
    Components {
        /// The toolchain.
        toolchain: String,
        /// What it lacks.
        names: Vec<String>,
    },
    /// Targets of a toolchain that is here.
    Targets {
        /// The toolchain.
        toolchain: String,
        /// What it lacks.
        names: Vec<String>,
    },
    /// A program or a file.
    Program {
        /// On `PATH`, or an absolute path.
        name: String,
        /// The Debian packages that bring it.
        packages: Vec<String>,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rustup => write!(f, "rustup"),
            Self::Toolchain(toolchain) => write!(f, "toolchain {}", toolchain.name),
            Self::Components { toolchain, names } => write!(f, "{} of toolchain {toolchain}", names.join(", ")),
            Self::Targets { toolchain, names } => write!(f, "target {} of toolchain {toolchain}", names.join(", ")),
            Self::Program { name, .. } => write!(f, "{name}"),
        }
    }
}

/// What a toolchain has; `None` where there is no such toolchain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// With the host's triple behind most names: `clippy-x86_64-unknown-linux-gnu`, `rust-src`.
    pub components: BTreeSet<String>,
    /// As triples.
    pub targets: BTreeSet<String>,
}

/// What `job` needs and this machine lacks.
#[must_use]
pub fn missing(job: &Job, packages: &BTreeMap<String, Vec<String>>) -> Vec<Missing> {
    let mut missing = match rustup(&["--version"]) {
        None => vec![Missing::Rustup],
        Some(_) => missing_of_toolchain(&job.toolchain, installed(&job.toolchain.name).as_ref()),
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    for name in job.programs.iter().filter(|name| !is_here(name, &path)) {
        missing.push(Missing::Program { name: name.clone(), packages: packages[name].clone() });
    }
    missing
}

/// What of `wanted` a toolchain lacks that has `installed`.
#[must_use]
pub fn missing_of_toolchain(wanted: &Toolchain, installed: Option<&Installed>) -> Vec<Missing> {
    let Some(installed) = installed else { return vec![Missing::Toolchain(wanted.clone())] };
    let has_component = |name: &String| {
        let with_host = format!("{name}-");
        installed.components.iter().any(|there| there == name || there.starts_with(&with_host))
    };
    let toolchain = &wanted.name;
    let mut missing = Vec::new();
    let names: Vec<_> = wanted.components.iter().filter(|name| !has_component(name)).cloned().collect();
    if !names.is_empty() {
        missing.push(Missing::Components { toolchain: toolchain.clone(), names });
    }
    let names: Vec<_> = wanted.targets.iter().filter(|name| !installed.targets.contains(*name)).cloned().collect();
    if !names.is_empty() {
        missing.push(Missing::Targets { toolchain: toolchain.clone(), names });
    }
    missing
}

/// Asks rustup, which installs nothing on being asked.
fn installed(toolchain: &str) -> Option<Installed> {
    let list = |what| rustup(&[what, "list", "--installed", "--toolchain", toolchain]);
    Some(Installed { components: list("component")?, targets: list("target")? })
}

/// The lines that rustup prints, or nothing if it fails.
fn rustup(arguments: &[&str]) -> Option<BTreeSet<String>> {
    let output = Command::new("rustup").args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let lines = String::from_utf8_lossy(&output.stdout).lines().map(String::from).collect();
    output.status.success().then_some(lines)
}

/// Whether `name`, an absolute path, exists, or is a program in one of the directories of `path`.
#[must_use]
pub fn is_here(name: &str, path: &OsStr) -> bool {
    if Path::new(name).is_absolute() {
        return Path::new(name).exists();
    }
    let is_program = |file: &Path| file.metadata().is_ok_and(|of| of.is_file() && of.permissions().mode() & 0o111 != 0);
    std::env::split_paths(path).any(|directory| is_program(&directory.join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Toolchain {
        Toolchain {
            name: "nightly".into(),
            pinned: false,
            components: vec!["miri".into(), "rust-src".into()],
            targets: vec!["thumbv7m-none-eabi".into()],
        }
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.into()).collect()
    }

    #[test]
    fn a_toolchain_that_has_everything_lacks_nothing() {
        let components = set(&["miri-x86_64-unknown-linux-gnu", "rust-src"]);
        let installed = Installed { components, targets: set(&["thumbv7m-none-eabi"]) };
        assert_eq!(missing_of_toolchain(&wanted(), Some(&installed)), []);
    }

    #[test]
    fn what_a_toolchain_lacks_is_named_once_for_each_kind() {
        let installed = Installed { components: set(&["rust-src"]), targets: set(&["thumbv7em-none-eabi"]) };
        let toolchain = || "nightly".to_owned();
        assert_eq!(
            missing_of_toolchain(&wanted(), Some(&installed)),
            [
                Missing::Components { toolchain: toolchain(), names: vec!["miri".into()] },
                Missing::Targets { toolchain: toolchain(), names: vec!["thumbv7m-none-eabi".into()] },
            ]
        );
        assert_eq!(missing_of_toolchain(&wanted(), None), [Missing::Toolchain(wanted())]);
    }

    #[test]
    fn a_program_is_an_executable_file_on_the_path() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("tool"), "").unwrap();
        assert!(!is_here("tool", directory.path().as_os_str()), "not executable");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(directory.path().join("tool"), mode).unwrap();
        assert!(is_here("tool", directory.path().as_os_str()));
        assert!(!is_here("tool", OsStr::new("/nowhere:")));
        assert!(is_here("/", OsStr::new("")));
        assert!(!is_here("/nowhere/at/all", OsStr::new("/")));
    }

    #[test]
    fn rustup_knows_the_toolchain_that_builds_this() {
        let here = crate::matrix::Here::find(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))).unwrap();
        let installed = installed(&here.pinned).expect("rustup runs this test under it");
        let toolchain = |targets: &[&str], components: &[&str]| Toolchain {
            name: here.pinned.clone(),
            pinned: true,
            components: components.iter().map(|&name| name.into()).collect(),
            targets: targets.iter().map(|&name| name.into()).collect(),
        };
        assert_eq!(missing_of_toolchain(&toolchain(&[], &["cargo"]), Some(&installed)), []);
        assert_eq!(missing_of_toolchain(&toolchain(&["pdp11-none-v7"], &["adventure"]), Some(&installed)).len(), 2);
        assert_eq!(super::installed("no-such-toolchain"), None);
    }
}
