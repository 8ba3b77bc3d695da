//! The kernel command line: what the image is to do.
//!
//! | `-append` | does |
//! |---|---|
//! | nothing, `suite` | every case of the suite |
//! | `suite TEXT` | the cases with `TEXT` in their names |
//! | `bench REQUEST` | measures what a line such as `quick locks=ticket,mcs cores=1,4` asks for, and prints the records |
//! | `listen` | waits at the console for a line `bench REQUEST`, and does that: for boards whose command line nobody sets |
//! | `provoke panic` | panics, on the last core: must end with status 101 |
//! | `provoke exception` | reads where nothing is mapped, on the last core: must end with status 102 |
//! | `provoke deadlock` | an interrupt handler waits for the lock that it interrupted, on the last core: a time limit must end it |

use core::fmt;

/// A command line, understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command<'a> {
    /// Run the cases that have this in their names.
    Suite(&'a str),
    /// Measure what this line asks for, as `bench_core::Request` understands it.
    Bench(&'a str),
    /// Wait for a command at the console.
    Listen,
    /// Do what must not be done, to see that it is noticed.
    Provoke(Mishap),
}

/// What to provoke.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mishap {
    /// A panic on the last core.
    Panic,
    /// A data abort on the last core.
    Exception,
    /// A handler that waits for the lock it interrupted, on the last core.
    Deadlock,
}

/// A command line that is none, and the word that is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadBootargs<'a>(&'a str);

impl fmt::Display for BadBootargs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "kernel command line: \"{}\" is none of: suite [TEXT], bench REQUEST, listen, provoke panic|exception|deadlock",
            self.0
        )
    }
}

impl<'a> Command<'a> {
    /// Understands `bootargs`.
    ///
    /// # Errors
    ///
    /// [`BadBootargs`], with the whole of it.
    pub fn parse(bootargs: &'a str) -> Result<Self, BadBootargs<'a>> {
        if let Some(request) = bootargs.trim_start().strip_prefix("bench ") {
            return Ok(Self::Bench(request.trim()));
        }
        let mut words = bootargs.split_ascii_whitespace();
        let command = match (words.next(), words.next()) {
            (None, _) => Self::Suite(""),
            (Some("suite"), filter) => Self::Suite(filter.unwrap_or("")),
            (Some("listen"), None) => Self::Listen,
            (Some("provoke"), Some("panic")) => Self::Provoke(Mishap::Panic),
            (Some("provoke"), Some("exception")) => Self::Provoke(Mishap::Exception),
            (Some("provoke"), Some("deadlock")) => Self::Provoke(Mishap::Deadlock),
            _ => return Err(BadBootargs(bootargs)),
        };
        if words.next().is_some() { Err(BadBootargs(bootargs)) } else { Ok(command) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understands_what_it_says_it_does() {
        for (bootargs, command) in [
            ("", Command::Suite("")),
            ("suite", Command::Suite("")),
            ("  suite   pool ", Command::Suite("pool")),
            ("listen", Command::Listen),
            ("bench quick", Command::Bench("quick")),
            (" bench  full cores=4 repeats=1 ", Command::Bench("full cores=4 repeats=1")),
            ("provoke panic", Command::Provoke(Mishap::Panic)),
            ("provoke exception", Command::Provoke(Mishap::Exception)),
            ("provoke deadlock", Command::Provoke(Mishap::Deadlock)),
        ] {
            assert_eq!(Command::parse(bootargs), Ok(command), "{bootargs:?}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for bootargs in
            ["suit", "bench", "benchmark", "suite a b", "provoke", "provoke joy", "listen now", "root=/dev/vda"]
        {
            assert_eq!(Command::parse(bootargs), Err(BadBootargs(bootargs)));
        }
    }
}
