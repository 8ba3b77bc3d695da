//! What somebody sees who waits: a bar on a terminal, otherwise a line at the start.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Writes `text` for the reader of the results, who may be gone (`bench-harness | head`): the records, and the exit
/// status, tell the same.
pub fn say(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes a line for whoever waits, who may be gone too: then the run ends in order nevertheless.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// How far a run is, on the standard error stream.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    draws: bool,
}

impl Progress {
    /// Of nothing yet; `what` will be measured.
    #[must_use]
    pub fn new(what: &str) -> Self {
        let draws = std::io::stderr().is_terminal();
        complain(what);
        let bar = ProgressBar::with_draw_target(
            Some(0),
            if draws { ProgressDrawTarget::stderr_with_hz(4) } else { ProgressDrawTarget::hidden() },
        );
        let style = "{bar:30} pass {pos} of {len}, {eta} left: {wide_msg}";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is one"));
        Self { bar, draws }
    }

    /// For nobody.
    #[must_use]
    pub fn none() -> Self {
        Self { bar: ProgressBar::hidden(), draws: false }
    }

    /// There are so many passes.
    pub fn planned(&self, passes: u64) {
        self.bar.set_length(passes);
        if self.draws {
            self.bar.enable_steady_tick(Duration::from_secs(1));
        }
    }

    /// This one runs.
    pub fn begins(&self, name: String) {
        self.bar.set_message(name);
    }

    /// It has ended.
    pub fn passed(&self, name: String) {
        self.bar.set_message(name);
        self.bar.inc(1);
    }

    /// Says something above the bar, or where it would be.
    pub fn warn(&self, text: &str) {
        self.bar.suspend(|| complain(text));
    }

    /// The bar is gone.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
