//! What somebody who watches sees: results on the standard output and, on a terminal, one line that moves.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Between two movements of the line.
const REFRESH: Duration = Duration::from_millis(250);

/// The moving line stays within the narrowest usual terminal: a wrapped one could not be taken back.
const COLUMNS: usize = 79;

/// Writes `text` for the reader of the results, who may be gone (`cargo ci | head`): the jobs go on, and their logs
/// and the exit status tell the same.
pub fn say(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The moving line, on the standard error stream.
#[derive(Debug)]
pub struct Progress {
    moves: bool,
    drawn: Option<Instant>,
}

impl Progress {
    /// Nothing moves without a terminal, or where the steps' own output is shown.
    #[must_use]
    pub fn new(verbose: bool) -> Self {
        Self { moves: std::io::stderr().is_terminal() && !verbose, drawn: None }
    }

    /// `name` has been at work for `used`, and is on `what`.
    pub fn show(&mut self, name: &str, what: &str, used: Duration, budget: Duration) {
        if !self.moves || self.drawn.is_some_and(|at| at.elapsed() < REFRESH) {
            return;
        }
        self.drawn = Some(Instant::now());
        let text = line(name, what, used, budget);
        let _ = write!(std::io::stderr(), "\r\x1b[2K{text}"); // as above: nobody may be looking any more
    }

    /// The moving line is gone.
    pub fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}

fn line(name: &str, what: &str, used: Duration, budget: Duration) -> String {
    let text = format!("  ...   {name}  {} s of {} s  {what}", used.as_secs(), budget.as_secs());
    text.chars().take(COLUMNS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_the_job_and_its_time_and_never_wraps() {
        let [used, budget] = [7, 60].map(Duration::from_secs);
        assert_eq!(line("lint", "step 1 of 2", used, budget), "  ...   lint  7 s of 60 s  step 1 of 2");
        assert_eq!(line("lint", &"x".repeat(200), used, budget).len(), COLUMNS);
    }
}
