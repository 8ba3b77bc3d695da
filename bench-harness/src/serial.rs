//! A board at the other end of a serial line: `--on serial:/dev/ttyUSB0,115200`.
//!
//! ```text
//!  board    @ready {…}            every two seconds, until it is asked; or nothing, if its command line says what to do
//!  host     bench REQUEST\n
//!  board    @plan {…}  @pass {…} …  @done {}          frames, among other text: see protocol
//! ```
//!
//! The line is set to eight bits, no parity, one stop bit, no flow control, raw. What it loses is noticed by the frames.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::termios::{self, BaudRate, ControlFlags, SetArg};

use crate::console::{Said, listen};
use crate::events::{Event, Source};

/// Where a serial line is, and how fast.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Serial {
    path: PathBuf,
    baud: u32,
}

/// What boards come with.
const USUAL: u32 = 115_200;

impl FromStr for Serial {
    type Err = String;

    /// `/dev/ttyUSB0`, `/dev/ttyUSB0,1500000`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (path, baud) = match text.rsplit_once(',') {
            Some((path, baud)) => {
                (path, baud.parse().map_err(|_| format!("\"{baud}\" is no number of bits a second"))?)
            }
            None => (text, USUAL),
        };
        if path.is_empty() {
            return Err("which device? serial:/dev/ttyUSB0".into());
        }
        rate(baud).ok_or_else(|| format!("a serial line has no {baud} bits a second"))?;
        Ok(Self { path: path.into(), baud })
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "serial:{},{}", self.path.display(), self.baud)
    }
}

fn rate(baud: u32) -> Option<BaudRate> {
    Some(match baud {
        9600 => BaudRate::B9600,
        19200 => BaudRate::B19200,
        38400 => BaudRate::B38400,
        57600 => BaudRate::B57600,
        115_200 => BaudRate::B115200,
        230_400 => BaudRate::B230400,
        460_800 => BaudRate::B460800,
        921_600 => BaudRate::B921600,
        1_000_000 => BaudRate::B1000000,
        1_500_000 => BaudRate::B1500000,
        2_000_000 => BaudRate::B2000000,
        3_000_000 => BaudRate::B3000000,
        4_000_000 => BaudRate::B4000000,
        _ => return None,
    })
}

impl Serial {
    /// Its name, in that of a file.
    #[must_use]
    pub fn stem(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        format!("serial-{}", name.to_string_lossy())
    }

    /// Listens to the board, and asks it for `request` when it is ready. It may be silent for `patience`.
    ///
    /// # Errors
    ///
    /// There is no such device, or it is no serial line.
    pub fn start(&self, request: &str, patience: Duration) -> Result<Source> {
        let line = open(&self.path, rate(self.baud).context("it was looked up before")?)?;
        let mut asking = line.try_clone().context("the serial line cannot be shared")?;
        let name = self.path.display().to_string();
        let asked = request.to_owned();
        let request = format!("bench {request}\n");
        let (sender, events) = mpsc::channel();
        let stopped = Arc::new(AtomicBool::new(false)); // Relaxed: it says all there is to say
        let (was_stopped, stopper) = (Arc::clone(&stopped), sender.clone());
        let ask = move || asking.write_all(request.as_bytes()).context("the board cannot be asked");
        thread::Builder::new()
            .name("serial".into())
            .spawn(move || {
                let last = match listen(line, &sender, Some(&asked), ask) {
                    _ if was_stopped.load(Relaxed) => return,
                    Ok(Said::Done | Said::DoneAndVoid) => Event::Finished,
                    Ok(Said::Less) => Event::Failed(anyhow!("{name}: nobody is at the other end any more")),
                    Err(error) => Event::Failed(error.context(name)),
                };
                let _ = sender.send(last);
            })
            .context("cannot start a thread")?;
        // The thread waits for a byte that may never come: it ends with the program. The board goes on, unheard.
        let stop = move || {
            stopped.store(true, Relaxed);
            let _ = stopper.send(Event::Finished);
        };
        Ok(Source { events, patience, stop: Box::new(stop) })
    }
}

/// Opens and sets up a serial line.
fn open(path: &Path, rate: BaudRate) -> Result<File> {
    let name = path.display();
    // Not to wait for a carrier, which a cable of three wires never shows.
    let flags = OFlag::O_NOCTTY | OFlag::O_NONBLOCK;
    let opened = OpenOptions::new().read(true).write(true).custom_flags(flags.bits()).open(path);
    let line = opened.with_context(|| format!("cannot open {name}; may you? (group dialout)"))?;
    let Ok(mut settings) = termios::tcgetattr(&line) else { bail!("{name} is no serial line") };
    termios::cfmakeraw(&mut settings);
    settings.control_flags |= ControlFlags::CLOCAL | ControlFlags::CREAD;
    settings.control_flags &= !(ControlFlags::CSTOPB | ControlFlags::CRTSCTS);
    let mut set_up = || -> nix::Result<()> {
        termios::cfsetspeed(&mut settings, rate)?;
        termios::tcsetattr(&line, SetArg::TCSANOW, &settings)?;
        fcntl(&line, FcntlArg::F_SETFL(OFlag::empty()))?; // from here on a read waits
        Ok(())
    };
    set_up().with_context(|| format!("cannot set up {name}"))?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_device_and_a_speed() {
        let serial = |text: &str| text.parse::<Serial>().map(|serial| serial.to_string());
        assert_eq!(serial("/dev/ttyUSB0"), Ok("serial:/dev/ttyUSB0,115200".into()));
        assert_eq!(serial("/dev/ttyS1,1500000").unwrap(), "serial:/dev/ttyS1,1500000");
        assert!(serial("/dev/ttyS1,17").unwrap_err().contains("no 17 bits a second"));
        assert!(serial("/dev/ttyS1,fast").unwrap_err().contains("\"fast\" is no number"));
        assert!(serial("").unwrap_err().contains("which device?"));
        assert_eq!("/dev/ttyS1".parse::<Serial>().unwrap().stem(), "serial-ttyS1");
    }

    #[test]
    fn what_is_no_serial_line_is_refused() {
        let start = |path: &str| {
            let error = path.parse::<Serial>().unwrap().start("quick", Duration::ZERO).err().unwrap();
            format!("{error:#}")
        };
        assert!(start("/no/such/tty").contains("cannot open /no/such/tty"));
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(start(file.path().to_str().unwrap()).contains("is no serial line"));
    }
}
