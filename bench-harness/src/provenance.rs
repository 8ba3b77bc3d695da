//! Where the figures come from: the source, the compiler, the machine.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::record::{Build, MachineInfo, Source};

/// What the program was built with.
#[must_use]
pub fn build() -> Build {
    Build {
        rustc: env!("BUILT_RUSTC").into(),
        target: env!("BUILT_TARGET").into(),
        features: env!("BUILT_FEATURES").into(),
        profile: env!("BUILT_PROFILE").into(),
    }
}

/// What the program was built from, as git told it then: the tree may have changed since, or be on another machine.
#[must_use]
pub fn source() -> Source {
    match env!("BUILT_COMMIT") {
        "" => Source::Unknown { why: env!("BUILT_COMMIT_UNKNOWN").into() },
        id => Source::Commit { id: id.into(), dirty: env!("BUILT_DIRTY") == "true" },
    }
}

/// The commit of the source tree at `root`, as git tells it now: that of an image which is built now.
#[must_use]
pub fn source_now(root: &Path) -> Source {
    let git = |arguments: &[&str]| -> Result<String, String> {
        let output = Command::new("git").arg("-C").arg(root).args(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("git does not run: {error}"))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().into())
        } else {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(said.lines().next().unwrap_or("git fails, and does not say why").into())
        }
    };
    let commit = || Ok((git(&["rev-parse", "HEAD"])?, git(&["status", "--porcelain"])?));
    match commit() {
        Ok((id, changes)) => Source::Commit { id, dirty: !changes.is_empty() },
        Err(why) => Source::Unknown { why },
    }
}

/// This machine, of which this process may use `cores` cores.
#[must_use]
pub fn machine(cores: usize) -> MachineInfo {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").ok();
    let read = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    MachineInfo {
        cpu: cpuinfo.as_deref().and_then(cpu),
        arch: std::env::consts::ARCH.into(),
        cores,
        os: match (read("/proc/sys/kernel/ostype"), read("/proc/sys/kernel/osrelease")) {
            (Some(system), Some(release)) => format!("{system} {release}"),
            _ => std::env::consts::OS.into(),
        },
        virtualised: cpuinfo.as_deref().and_then(virtualised),
        governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        smt: read("/sys/devices/system/cpu/smt/active").map(|active| active == "1"),
    }
}

fn field<'a>(cpuinfo: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// x86 has names; Arm has numbers, which are names for whoever looks them up.
fn cpu(cpuinfo: &str) -> Option<String> {
    if let Some(name) = field(cpuinfo, "model name") {
        return Some(name.into());
    }
    let [implementer, part] = ["CPU implementer", "CPU part"].map(|name| field(cpuinfo, name));
    Some(format!("implementer {} part {}", implementer?, part?))
}

/// Only x86 tells, by a flag.
fn virtualised(cpuinfo: &str) -> Option<bool> {
    field(cpuinfo, "flags").map(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"))
}

impl MachineInfo {
    /// What of the machine makes figures uncertain.
    #[must_use]
    pub fn caveats(&self) -> Vec<String> {
        let mut caveats = vec![];
        if self.virtualised == Some(true) {
            caveats.push(
                "a virtual machine: its cores may be taken away for a while, which looks like a long wait".to_owned(),
            );
        }
        if self.smt == Some(true) {
            caveats.push("cores are threads, two of which may share a core".into());
        }
        if let Some(governor) = self.governor.as_deref().filter(|&governor| governor != "performance") {
            caveats.push(format!("the frequency governor is \"{governor}\", not \"performance\""));
        }
        caveats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpuinfo_of_x86_and_of_arm() {
        let x86 = "processor\t: 0\nmodel name\t: Xeon\nflags\t\t: fpu hypervisor sse\n";
        assert_eq!((cpu(x86), virtualised(x86)), (Some("Xeon".into()), Some(true)));
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n";
        assert_eq!((cpu(arm), virtualised(arm)), (Some("implementer 0x41 part 0xd0c".into()), None));
        assert_eq!(cpu(""), None);
    }

    #[test]
    fn what_the_program_was_built_from_is_a_commit_or_a_reason() {
        match source() {
            Source::Commit { id, .. } => assert!(id.len() >= 40 && id.bytes().all(|digit| digit.is_ascii_hexdigit())),
            Source::Unknown { why } => assert_ne!(why, ""),
        }
    }

    #[test]
    fn where_git_knows_nothing_it_says_why() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(source_now(&directory.path().join("nothing")), Source::Unknown { why } if !why.is_empty()));
    }
}
