//! Another machine with Linux, through `ssh`: `--on ssh:user@board`, `--on ssh:user@board:2222`.
//!
//! ```text
//!  here                                          there
//!  uname -sm ──────────────────────────────────► Linux aarch64
//!  a program for it, linked statically ────────► /tmp/bench-harness.XXXX/bench-harness
//!  bench-harness run --stream OPTIONS ─────────► measures
//!      records, each when it is there  ◄──────── standard output
//!      what it says besides            ◄──────── standard error
//!      as long as it is open           ────────► standard input
//!  rm -r ──────────────────────────────────────►
//! ```
//!
//! 1. **It is the system's `ssh`**, so that its configuration, agents, keys and jump hosts hold; one connection for all of
//!    it, so that somebody who types a password types it once.
//! 2. **No record waits for the end**: each comes over when its pass has ended. A board that dies in the middle of a run
//!    has lost a pass.
//! 3. **The other end ends with this one.** When its standard input closes (Ctrl-C here, a connection that breaks) the
//!    program there ends after its pass, as at a Ctrl-C of its own, and removes itself.
//! 4. **Only a shell is needed there**: no Rust, no libc, not even `scp`, which small systems often lack.

mod binary;
mod incoming;
mod link;

use std::fmt;
use std::io::IsTerminal as _;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use bench_core::Request;

use crate::events::Source;
use crate::placement::Placement;
use crate::progress::complain;
use crate::record::Header;
use crate::session::Impossible;
use crate::{local, own, replay};
use incoming::Incoming;
use link::Link;

/// Who is meant, and at which port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    /// As `ssh` takes it: `user@host`, `host`, or a name of its configuration.
    host: String,
    port: Option<u16>,
}

impl FromStr for Destination {
    type Err = String;

    /// `board`, `user@board`, `user@board:2222`, `user@[fe80::1]:2222`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (host, port) = match text.rsplit_once(':') {
            // An address of many colons has brackets around it, if a port follows.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                let port = port.parse().ok().filter(|&port| port != 0);
                (host, Some(port.ok_or_else(|| format!("{text}: what follows the colon is no port"))?))
            }
            _ => (text, None),
        };
        let host = host.replace(['[', ']'], "");
        if host.is_empty() || host.starts_with('-') || host.ends_with('@') || host.contains(char::is_whitespace) {
            return Err("which machine? ssh:user@board".into());
        }
        Ok(Self { host, port })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.port, self.host.contains(':')) {
            (None, _) => write!(f, "ssh:{}", self.host),
            (Some(port), false) => write!(f, "ssh:{}:{port}", self.host),
            (Some(port), true) => match self.host.split_once('@') {
                Some((user, host)) => write!(f, "ssh:{user}@[{host}]:{port}"),
                None => write!(f, "ssh:[{}]:{port}", self.host),
            },
        }
    }
}

/// A machine that the program has been copied to; what was copied goes when this does.
#[derive(Debug)]
pub struct Remote {
    link: Link,
    directory: String,
    destination: Destination,
}

/// A run that has begun there.
pub struct Begun {
    /// What is said there of the run.
    pub header: Header,
    /// What happens.
    pub source: Source,
}

impl Remote {
    /// Connects, and copies the program: `binary`, or one that is built from the source tree at `root`.
    ///
    /// # Errors
    ///
    /// There is no `ssh`; nobody answers, or lets nobody in; the machine is one that no program can be built for; or it has
    /// no room for it.
    pub fn prepare(destination: &Destination, binary: Option<&Path>, root: &Path) -> Result<Self> {
        if binary.is_none() && !own::brought().is_empty() {
            let why = "this program has locks or workloads of its own, and only bench-harness can be built for another \
                       machine: --binary FILE takes a program that was built for it";
            return Err(Impossible(why.into()).into());
        }
        let asks = std::io::stdin().is_terminal();
        let link = Link::open(destination.host.clone(), destination.port, asks)?;
        let machine = link.ask("uname -sm")?;
        let binary = match binary {
            Some(file) => file.to_owned(),
            None => binary::build(&machine, root)?,
        };
        complain(&format!("{destination}: {machine}; copying {}", binary.display()));
        let directory = link.upload(&binary)?;
        Ok(Self { link, directory, destination: destination.clone() })
    }

    /// Begins to measure what `request` asks for, with workers placed so.
    ///
    /// # Errors
    ///
    /// The program does not run there, or refuses; the error has what it says.
    pub fn start(&self, request: &Request, placement: &Placement) -> Result<Begun> {
        let program = format!("{}/bench-harness", self.directory);
        let mut words = vec![program, "run".into()];
        words.extend(replay::options(request));
        words.extend(["--place".into(), placement.to_string(), "--stream".into()]);
        let Ok(command) = shlex::try_join(words.iter().map(String::as_str)) else {
            bail!("a command for another machine cannot have a zero byte in it");
        };
        // It removes itself only where nobody is left to do it.
        let away = format!("{command}; status=$?; [ $status -ne {STATUS} ] || {}; exit $status", self.removal());
        let Incoming { header, events, process } = incoming::start(self.link.command(&away), &self.destination)?;
        let times = request.plan(1).times;
        let process = Arc::new(Mutex::new(process));
        let stop = move || process.lock().unwrap_or_else(PoisonError::into_inner).close();
        // The program there has a patience of its own, and says what hangs.
        Ok(Begun {
            header,
            source: Source { events, patience: GRACE + 2 * local::patience(times), stop: Box::new(stop) },
        })
    }

    fn removal(&self) -> String {
        let directory = shlex::try_quote(&self.directory).unwrap_or_default();
        format!("rm -rf -- {directory}")
    }
}

/// The status of a program there that was interrupted.
const STATUS: u8 = crate::interrupt::STATUS;
/// For what the network adds.
const GRACE: Duration = Duration::from_secs(60);

impl Drop for Remote {
    fn drop(&mut self) {
        if self.link.ask(&self.removal()).is_err() {
            complain(&format!("warning: {}: {} may still be there", self.destination, self.directory));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_what_ssh_takes_and_a_port() {
        let parts = |text: &str| text.parse::<Destination>().map(|d| (d.host.clone(), d.port, d.to_string()));
        for (text, host, port) in [
            ("board", "board", None),
            ("root@board", "root@board", None),
            ("root@10.0.0.1:2222", "root@10.0.0.1", Some(2222)),
            ("root@fe80::1", "root@fe80::1", None),
            ("root@[fe80::1]:22", "root@fe80::1", Some(22)),
            ("[::1]:22", "::1", Some(22)),
        ] {
            assert_eq!(parts(text), Ok((host.into(), port, format!("ssh:{text}"))));
        }
        for (text, says) in [
            ("", "which machine?"),
            ("root@", "which machine?"),
            ("-oProxyCommand=joy", "which machine?"),
            ("a b", "which machine?"),
            ("board:joy", "no port"),
            ("board:0", "no port"),
            ("board:70000", "no port"),
        ] {
            assert!(parts(text).unwrap_err().contains(says), "{text}");
        }
    }
}
