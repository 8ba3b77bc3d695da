//! Brings what is missing, or says exactly what to type.

use std::process::{Command, Stdio};

use crate::needs::{self, Missing};

/// Packages ask their questions of somebody who is there.
const QUIET: &str = "DEBIAN_FRONTEND=noninteractive";

/// How this machine lets us install Debian packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apt {
    /// We are root.
    Root,
    /// `sudo` asks for no password.
    Sudo,
    /// `apt-get` is here, but it is not for us to run.
    Forbidden,
    /// This is no Debian.
    Absent,
}

impl Apt {
    /// Finds out.
    #[must_use]
    pub fn find() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let sudo = || {
            let mut command = Command::new("sudo");
            command.args(["-n", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        if !needs::is_here("apt-get", &path) {
            Self::Absent
        } else if nix::unistd::geteuid().is_root() {
            Self::Root
        } else if sudo() {
            Self::Sudo
        } else {
            Self::Forbidden
        }
    }
}

/// What is to be done about what is missing.
#[derive(Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Commands that we may run, in this order.
    Run(Vec<Vec<String>>),
    /// Lines for somebody to read and type.
    Say(Vec<String>),
}

/// What is to be done about `missing`; `refreshed` tells whether this run has updated apt's package lists already.
#[must_use]
pub fn remedy(missing: &[Missing], apt: Apt, refreshed: bool) -> Remedy {
    let mut commands = Vec::new();
    let mut packages = Vec::new();
    let mut say = Vec::new();
    for one in missing {
        match one {
            Missing::Rustup => say.push("install rustup: https://rustup.rs".to_owned()),
            Missing::Toolchain(toolchain) => {
                let mut command = words(&["rustup", "toolchain", "install", &toolchain.name, "--profile", "minimal"]);
                for (flag, names) in [("--component", &toolchain.components), ("--target", &toolchain.targets)] {
                    command.extend(names.iter().flat_map(|name| words(&[flag, name])));
                }
                commands.push(command);
            }
            Missing::Components { toolchain, names } => {
                commands
                    .push([words(&["rustup", "component", "add", "--toolchain", toolchain]), names.clone()].concat());
            }
            Missing::Targets { toolchain, names } => {
                commands.push([words(&["rustup", "target", "add", "--toolchain", toolchain]), names.clone()].concat());
            }
            Missing::Program { name, packages: names } if apt == Apt::Absent => {
                say.push(format!("install {name} (on Debian: {})", names.join(" ")));
            }
            Missing::Program { packages: names, .. } => packages.extend(names.iter().cloned()),
        }
    }
    if !packages.is_empty() {
        packages.sort();
        packages.dedup();
        let get = match apt {
            Apt::Root => words(&["env", QUIET, "apt-get"]),
            Apt::Sudo => words(&["sudo", "-n", "env", QUIET, "apt-get"]),
            Apt::Forbidden | Apt::Absent => words(&["sudo", "apt-get"]),
        };
        if !refreshed {
            commands.push([get.clone(), words(&["update"])].concat());
        }
        commands.push([get, words(&["install", "--yes", "--no-install-recommends"]), packages].concat());
        if apt == Apt::Forbidden {
            say.extend(commands.drain(..).map(|command| command.join(" ")));
        }
    }
    if say.is_empty() {
        return Remedy::Run(commands);
    }
    Remedy::Say(commands.iter().map(|command| command.join(" ")).chain(say).collect())
}

fn words(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Toolchain;

    fn qemu() -> Missing {
        Missing::Program { name: "qemu-system-aarch64".into(), packages: words(&["qemu-system-arm"]) }
    }

    fn target() -> Missing {
        Missing::Targets { toolchain: "1.95.0".into(), names: words(&["aarch64-unknown-none"]) }
    }

    fn lines(remedy: Remedy) -> (bool, Vec<String>) {
        match remedy {
            Remedy::Run(commands) => (true, commands.iter().map(|command| command.join(" ")).collect()),
            Remedy::Say(lines) => (false, lines),
        }
    }

    const ADD: &str = "rustup target add --toolchain 1.95.0 aarch64-unknown-none";

    #[test]
    fn with_the_right_to_install_everything_is_installed() {
        let (run, typed) = lines(remedy(&[target(), qemu(), qemu()], Apt::Root, false));
        assert!(run);
        assert_eq!(
            typed,
            [
                ADD,
                "env DEBIAN_FRONTEND=noninteractive apt-get update",
                "env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends qemu-system-arm",
            ]
        );
        let (run, typed) = lines(remedy(&[qemu()], Apt::Sudo, true));
        assert!(run);
        assert_eq!(
            typed,
            ["sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install --yes \
             --no-install-recommends qemu-system-arm"]
        );
    }

    #[test]
    fn without_it_the_lines_to_type_are_said() {
        let (run, typed) = lines(remedy(&[target(), qemu()], Apt::Forbidden, false));
        assert!(!run);
        assert_eq!(
            typed,
            [ADD, "sudo apt-get update", "sudo apt-get install --yes --no-install-recommends qemu-system-arm"]
        );
        let (run, typed) = lines(remedy(&[target(), qemu()], Apt::Absent, false));
        assert!(!run);
        assert_eq!(typed, [ADD, "install qemu-system-aarch64 (on Debian: qemu-system-arm)"]);
        assert!(!lines(remedy(&[Missing::Rustup], Apt::Root, false)).0);
    }

    #[test]
    fn what_rustup_brings_needs_no_right() {
        assert_eq!(lines(remedy(&[target()], Apt::Forbidden, false)), (true, words(&[ADD])));
        let toolchain = Toolchain {
            name: "nightly".into(),
            pinned: false,
            components: words(&["miri", "rust-src"]),
            targets: vec![],
        };
        let install = "rustup toolchain install nightly --profile minimal --component miri --component rust-src";
        assert_eq!(lines(remedy(&[Missing::Toolchain(toolchain)], Apt::Absent, false)), (true, words(&[install])));
    }
}
