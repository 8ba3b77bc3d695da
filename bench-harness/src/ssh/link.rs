//! One connection to another machine, which several commands share.
//!
//! ```text
//!  open      ssh  ControlMaster, uname    may ask for a password; stays behind when its command has ended
//!  ask       ssh ──┐
//!  upload    ssh ──┼─► its socket         ask for nothing
//!  command   ssh ──┘
//!  drop      ssh -O exit
//! ```
//!
//! The first `ssh` runs in the foreground, as it may ask; later ones need not be, so that Ctrl-C does not reach them: what
//! becomes of a run there is decided here.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};
use tempfile::TempDir;

use crate::interrupt;
use crate::session::Impossible;

/// What `ssh` exits with if it was not the command that failed.
pub(super) const OF_SSH: i32 = 255;

/// An open connection.
#[derive(Debug)]
pub(super) struct Link {
    host: String,
    port: Option<u16>,
    /// Whether somebody is there to be asked for a password.
    asks: bool,
    /// With the socket in it, which only we may use.
    directory: TempDir,
}

/// A directory where programs can be run: the first one that there is. Prints it.
const DIRECTORY: &str = r#"
for base in "${TMPDIR:-/tmp}" "$HOME"; do
    new=$(mktemp -d "$base/bench-harness.XXXXXX") || continue
    : >"$new/bench-harness" && chmod 700 "$new/bench-harness" && [ -x "$new/bench-harness" ] && echo "$new" && exit
    rm -rf -- "$new"
done
echo "neither ${TMPDIR:-/tmp} nor $HOME can have a program in it" >&2
exit 1"#;

impl Link {
    /// Connects.
    ///
    /// # Errors
    ///
    /// There is no `ssh`, or it does not get in; it has said why.
    pub(super) fn open(host: String, port: Option<u16>, asks: bool) -> Result<Self> {
        // In /tmp, not in TMPDIR: the name of a socket has to be short.
        let mut builder = tempfile::Builder::new();
        let directory = builder.prefix("ssh-").tempdir_in("/tmp").context("no place for ssh's socket")?;
        let link = Self { host, port, asks, directory };
        // Should this program be killed, the connection ends a minute after its last use.
        let mut master = link.ssh(&["-o", "ControlMaster=yes", "-o", "ControlPersist=60"], "true");
        let status = master.stdin(Stdio::null()).stdout(Stdio::null()).status();
        match status {
            Ok(status) if status.success() => Ok(link),
            Ok(_) if interrupt::asked() => bail!("interrupted while ssh connected"),
            Ok(status) => bail!("ssh does not get into {}: {status}; see what it says above", link.host),
            Err(error) => Err(Impossible(format!(
                "ssh does not run: {error}; on Debian and Ubuntu:\n  apt-get install openssh-client"
            ))
            .into()),
        }
    }

    /// `ssh`, with a script for a shell there.
    fn ssh(&self, options: &[&str], script: &str) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-S").arg(self.directory.path().join("socket")).args(["-x", "-T", "-o", "ClearAllForwardings=yes"]);
        // A board that is gone is noticed within a minute.
        command.args(["-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4", "-o", "ConnectTimeout=30"]);
        if !self.asks {
            command.args(["-o", "BatchMode=yes"]);
        }
        if let Some(port) = self.port {
            command.args(["-p", &port.to_string()]);
        }
        // Whatever the user's shell there is.
        let script = shlex::try_quote(script).unwrap_or_default();
        command.args(options).arg("--").arg(&self.host).arg(format!("sh -c {script}"));
        command
    }

    /// A command that runs `script` there, over this connection.
    pub(super) fn command(&self, script: &str) -> Command {
        self.ssh(&["-o", "ControlMaster=no"], script)
    }

    /// What `script` prints there.
    ///
    /// # Errors
    ///
    /// It fails, or the connection does.
    pub(super) fn ask(&self, script: &str) -> Result<String> {
        self.feed(script, Stdio::null())
    }

    fn feed(&self, script: &str, stdin: Stdio) -> Result<String> {
        let output = self.command(script).stdin(stdin).output().context("ssh does not run")?;
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => Ok(String::from_utf8_lossy(&output.stdout).trim().into()),
            _ if interrupt::asked() => Err(anyhow!("interrupted while {} was made ready", self.host)),
            Some(OF_SSH) => Err(anyhow!("the connection to {} is lost: {}", self.host, said.trim())),
            _ => Err(anyhow!("{}: {}", self.host, said.trim())),
        }
    }

    /// Copies a program there; returns the directory that it is in now, as `bench-harness`.
    ///
    /// # Errors
    ///
    /// It cannot be read here, or not be written there.
    pub(super) fn upload(&self, program: &Path) -> Result<String> {
        let name = program.display();
        let file = File::open(program).with_context(|| format!("cannot open {name}"))?;
        let directory = self.ask(DIRECTORY).with_context(|| format!("no place for {name}"))?;
        let target = format!("{directory}/bench-harness");
        let script = format!("cat >{}", shlex::try_quote(&target)?);
        self.feed(&script, file.into()).with_context(|| format!("cannot copy {name}"))?;
        Ok(directory)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let mut exit = self.ssh(&["-O", "exit"], "");
        let _ = exit.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}
