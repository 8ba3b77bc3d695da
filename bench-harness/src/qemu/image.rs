//! The board's image, built for the purpose, and the command that boots it.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};

use super::group::Group;
use crate::interrupt;
use crate::session::Impossible;

const EMULATOR: &str = "qemu-system-aarch64";
/// What the image is built for.
pub const TARGET: &str = "aarch64-unknown-none-softfloat";

/// Which board.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Board {
    /// Exception level: 1 or 2.
    pub level: u8,
    /// Cores.
    pub cores: u16,
    /// Whether it has, and the image uses, atomic instructions.
    pub lse: bool,
}

impl Board {
    /// What the emulator calls its processor.
    #[must_use]
    pub fn cpu(self) -> &'static str {
        if self.lse { "max" } else { "cortex-a57" }
    }

    /// With what the image is built, beyond its target.
    #[must_use]
    pub fn rustflags(self) -> &'static str {
        if self.lse { "-C target-feature=+lse" } else { "" }
    }

    fn package(self) -> String {
        format!("qemu-virt-el{}", self.level)
    }

    /// Whether the emulator and the compiler's target are there; returns what the emulator calls itself.
    ///
    /// # Errors
    ///
    /// [`Impossible`], with what to type.
    pub fn check(self, root: &Path) -> Result<String> {
        if !is_on_path(EMULATOR, &env::var_os("PATH").unwrap_or_default()) {
            return Err(Impossible(format!(
                "{EMULATOR} is not on the PATH; on Debian and Ubuntu:\n  apt-get install qemu-system-arm"
            ))
            .into());
        }
        check_target(root, TARGET)?;
        let version = Command::new(EMULATOR).arg("--version").stdin(Stdio::null()).output();
        let version = version.with_context(|| format!("cannot start {EMULATOR}"))?.stdout;
        Ok(String::from_utf8_lossy(&version).lines().next().unwrap_or(EMULATOR).into())
    }

    /// Builds the image in the source tree at `root`; the two sets of instructions have a directory each.
    ///
    /// # Errors
    ///
    /// It does not build, or somebody interrupts; cargo has said why.
    pub fn build(self, root: &Path) -> Result<PathBuf> {
        let base = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |set| root.join(set));
        let directory = base.join(if self.lse { "lse" } else { "llsc" });
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["build", "--release", "--package", &self.package(), "--target", TARGET, "--target-dir"]);
        command.arg(&directory).current_dir(root).stdin(Stdio::null()).env_remove("CARGO_ENCODED_RUSTFLAGS");
        command.env("RUSTFLAGS", self.rustflags());
        let mut cargo = Group::start(&mut command).context("cannot start cargo")?;
        if !succeeds(&mut cargo, "the image")? {
            bail!("the image {} does not build", self.package());
        }
        Ok(directory.join(TARGET).join("release").join(self.package()))
    }

    /// The command that boots `image`, and has it run `request`.
    pub fn emulator(self, host_cores: usize, image: &Path, request: &str) -> Command {
        let mut command = Command::new(EMULATOR);
        let machine = if self.level == 2 { "virt,gic-version=3,virtualization=on" } else { "virt,gic-version=3" };
        command.args(["-machine", machine, "-cpu", self.cpu()]);
        // No network card: its boot ROM comes in a package of its own, which nothing here needs.
        command.args(["-smp", &self.cores.to_string(), "-m", "1G", "-nic", "none", "-nographic"]);
        // More virtual cores than real ones spin in each other's time slices; one thread takes turns at every spin.
        let threads = if usize::from(self.cores) > host_cores { "tcg,thread=single" } else { "tcg,thread=multi" };
        command.args(["-accel", threads]);
        command.args(["-semihosting-config", "enable=on,target=native", "-kernel"]).arg(image);
        command.args(["-append", &format!("bench {request}")]);
        command
    }
}

/// Whether the source tree at `root` is here, and the compiler can build it for `target`.
///
/// # Errors
///
/// [`Impossible`], with what to type.
pub fn check_target(root: &Path, target: &str) -> Result<()> {
    if !root.is_dir() {
        let root = root.display();
        return Err(Impossible(format!("it is built from {root}, which is not on this machine")).into());
    }
    let mut rustup = Command::new("rustup");
    // There, because the toolchain that is asked is the one that the source tree names.
    rustup.args(["target", "list", "--installed"]).current_dir(root).stdin(Stdio::null());
    let targets = match rustup.output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => bail!("rustup target list: {}", String::from_utf8_lossy(&output.stderr).trim()),
        Err(error) => {
            return Err(Impossible(format!(
                "rustup, which knows whether the target {target} is installed, does not run: {error}"
            ))
            .into());
        }
    };
    if !targets.lines().any(|line| line == target) {
        return Err(Impossible(format!("the compiler's target is missing:\n  rustup target add {target}")).into());
    }
    Ok(())
}

/// Waits for `cargo`, which builds `what`: whether it does.
///
/// # Errors
///
/// Somebody interrupts; or it cannot be waited for.
pub fn succeeds(cargo: &mut Group, what: &str) -> Result<bool> {
    loop {
        match cargo.ended().context("cargo cannot be waited for")? {
            Some(_) if interrupt::asked() => return Err(anyhow!("interrupted while {what} was being built")),
            Some(status) => return Ok(status.success()),
            None if interrupt::asked() => cargo.kill(),
            None => {}
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_on_path(program: &str, path: &OsStr) -> bool {
    env::split_paths(path).any(|directory| is_program(&directory.join(program)))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_says_which_board_and_what_to_do() {
        let words = |board: Board| {
            let command = board.emulator(2, Path::new("image"), "quick cores=1,4");
            command.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        let el2 = words(Board { level: 2, cores: 8, lse: true });
        assert!(
            el2.contains("virtualization=on -cpu max -smp 8 -m 1G -nic none -nographic -accel tcg,thread=single"),
            "{el2}"
        );
        assert!(el2.ends_with("-kernel image -append bench quick cores=1,4"), "{el2}");
        let el1 = words(Board { level: 1, cores: 1, lse: false });
        assert!(
            el1.contains(
                "virt,gic-version=3 -cpu cortex-a57 -smp 1 -m 1G -nic none -nographic -accel tcg,thread=multi"
            ),
            "{el1}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_program_is_a_file_on_the_path_that_can_be_executed() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        assert!(!is_on_path("tool", directory.path().as_os_str()));
        let tool = directory.path().join("tool");
        std::fs::write(&tool, "").unwrap();
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(!is_on_path("tool", directory.path().as_os_str()));
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(is_on_path("tool", directory.path().as_os_str()));
        assert!(!is_on_path("tool", OsStr::new("")));
    }
}
