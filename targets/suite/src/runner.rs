//! The runner: runs cases one after the other, and prints a line for each.
//!
//! ```text
//! case ticket.mutual_exclusion ... ok (12 ms)
//! case irq.section_is_masked ... n/a (0 ms): a host thread takes no interrupts
//! case pool.atomic.storm ... FAILED (31 ms): targets/suite/src/pool/storm.rs:61: …
//! 41 passed, 1 failed, 3 not applicable
//! ```
//!
//! The name is printed before the case runs: if one hangs, the last line says which. A sweep says between the dots and `ok`
//! how many places it has been to.

use crate::board::Board;
use crate::case::{Case, Stop};

/// How many cases ended how.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Held.
    pub passed: usize,
    /// Did not.
    pub failed: usize,
    /// Could not tell.
    pub not_applicable: usize,
}

impl Summary {
    /// None failed, and at least one passed: to run nothing is no success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failed == 0 && self.passed != 0
    }
}

/// Runs the cases that have `filter` in their names.
pub(crate) fn run<B: Board>(board: &B, cases: impl Iterator<Item = Case<B>>, filter: &str) -> Summary {
    let mut summary = Summary::default();
    for case in cases.filter(|case| case.name.contains(filter)) {
        board.print(format_args!("case {} ... ", case.name));
        let start = board.now();
        let outcome = (case.run)(board);
        let ms = board.now().wrapping_sub(start) * 1000 / board.hz();
        match outcome {
            Ok(()) => {
                summary.passed += 1;
                board.print(format_args!("ok ({ms} ms)\n"));
            }
            Err(Stop::NotApplicable(why)) => {
                summary.not_applicable += 1;
                board.print(format_args!("n/a ({ms} ms): {why}\n"));
            }
            Err(Stop::Failed(what)) => {
                summary.failed += 1;
                board.print(format_args!("FAILED ({ms} ms): {what}\n"));
            }
        }
    }
    let Summary { passed, failed, not_applicable } = summary;
    board.print(format_args!("{passed} passed, {failed} failed, {not_applicable} not applicable\n"));
    summary
}
