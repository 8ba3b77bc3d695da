//! A case: a name, a function, and what can come of it.

use crate::board::{Board, NotApplicable};
use core::fmt::{self, Debug, Write};
use core::panic::Location;

/// One thing that must hold.
pub struct Case<B> {
    /// `subject.law`, unique.
    pub name: &'static str,
    /// Holds it?
    pub run: fn(&B) -> Outcome,
}

/// It held, or why not.
pub type Outcome = Result<(), Stop>;

/// Why a case ended before its end.
#[derive(Debug)]
pub enum Stop {
    /// Something does not hold.
    Failed(Failure),
    /// This machine cannot tell.
    NotApplicable(&'static str),
}

/// What does not hold, and where the suite says so.
#[derive(Debug)]
pub struct Failure {
    what: &'static str,
    /// What was found; cut off where it does not fit, for there is no heap.
    found: heapless::String<80>,
    at: &'static Location<'static>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}{}", self.at.file(), self.at.line(), self.what, self.found)
    }
}

impl From<NotApplicable> for Stop {
    fn from(NotApplicable(why): NotApplicable) -> Self {
        Self::NotApplicable(why)
    }
}

/// Fails unless `holds`.
#[track_caller]
pub(crate) fn ensure(holds: bool, what: &'static str) -> Outcome {
    if holds { Ok(()) } else { Err(failed(what, format_args!(""), Location::caller())) }
}

/// Fails unless `found` is `expected`.
#[track_caller]
pub(crate) fn ensure_eq<T: PartialEq<U> + Debug, U: Debug>(found: T, expected: U, what: &'static str) -> Outcome {
    if found == expected {
        Ok(())
    } else {
        Err(failed(what, format_args!(": {found:?}, expected {expected:?}"), Location::caller()))
    }
}

/// Fails if `result` is an error.
#[track_caller]
pub(crate) fn ensure_ok<T, E: Debug>(result: Result<T, E>, what: &'static str) -> Result<T, Stop> {
    let at = Location::caller();
    result.map_err(|error| failed(what, format_args!(": {error:?}"), at))
}

/// Not applicable unless there are so many cores.
pub(crate) fn needs_cores<B: Board>(board: &B, at_least: usize, why: &'static str) -> Outcome {
    if board.cores() >= at_least { Ok(()) } else { Err(Stop::NotApplicable(why)) }
}

#[cold]
fn failed(what: &'static str, text: fmt::Arguments<'_>, at: &'static Location<'static>) -> Stop {
    let mut found = heapless::String::new();
    // An error is that it was cut off.
    let _ = found.write_fmt(text);
    Stop::Failed(Failure { what, found, at })
}
