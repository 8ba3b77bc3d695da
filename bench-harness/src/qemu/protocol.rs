//! What a board's console says, line by line.
//!
//! | line | |
//! |---|---|
//! | `@plan {"passes":N}` | so many passes will run |
//! | `@refused {"scenario":{…},"why":"…"}` | a scenario that cannot run there |
//! | `@clock {…}` | what a reading of the clock takes: a [`Clock`] |
//! | `@transfer {…}` | what a line takes from core to core: a [`Transfer`] |
//! | `@pass {…}` | a [`Pass`] |
//! | `@done` | that was all; the board exits |
//! | any other | for whoever looks into what went wrong |

use anyhow::{Context as _, Result, bail, ensure};
use bench_core::{Clock, Pass, Transfer};
use serde::Deserialize;

use crate::record::Refused;

/// A line, understood.
#[derive(Debug)]
pub enum Line {
    /// So many passes will run.
    Planned(u64),
    /// A scenario cannot run.
    Refused(Refused),
    /// The clock has been measured.
    Clock(Clock),
    /// A way of a line has been measured.
    Transfer(Transfer),
    /// A pass has ended.
    Pass(Box<Pass>),
    /// All have.
    Done,
    /// Anything else.
    Console,
}

/// Understands a line without its end.
///
/// # Errors
///
/// It begins like one of the protocol, and is none.
pub fn understand(line: &str) -> Result<Line> {
    #[derive(Deserialize)]
    struct Plan {
        passes: u64,
    }
    let Some(word) = line.strip_prefix('@') else { return Ok(Line::Console) };
    let (word, json) = word.split_once(' ').unwrap_or((word, ""));
    let what = || {
        let start: String = line.chars().take(60).collect();
        format!("the board says what cannot be understood: {start}")
    };
    Ok(match word {
        "plan" => Line::Planned(serde_json::from_str::<Plan>(json).with_context(what)?.passes),
        "pass" => {
            let pass: Box<Pass> = serde_json::from_str(json).with_context(what)?;
            ensure!(pass.hz > 0, "a pass whose clock stands still: {}", what());
            Line::Pass(pass)
        }
        "clock" => Line::Clock(serde_json::from_str(json).with_context(what)?),
        "transfer" => Line::Transfer(serde_json::from_str(json).with_context(what)?),
        "refused" => Line::Refused(serde_json::from_str(json).with_context(what)?),
        "done" if json.is_empty() => Line::Done,
        _ => bail!(what()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_core::{Lock, Scenario, Strategy, Workload};

    #[test]
    fn every_line_of_the_protocol_is_understood() {
        let scenario = Scenario::new(Lock::Mcs, Strategy::Merged, Workload::Pair, 4);
        let pass = Pass { hz: 62_500_000, ..Pass::of(scenario, 1) };
        let line = format!("@pass {}", serde_json::to_string(&pass).unwrap());
        assert!(matches!(understand(&line), Ok(Line::Pass(read)) if *read == pass));
        assert!(matches!(understand("@plan {\"passes\":460}"), Ok(Line::Planned(460))));
        let refused = Refused { scenario, why: "no".into() };
        let line = format!("@refused {}", serde_json::to_string(&refused).unwrap());
        assert!(matches!(understand(&line), Ok(Line::Refused(read)) if read == refused));
        let clock = Clock { hz: 1, reads: 2, ticks: 3, step: 4 };
        let line = format!("@clock {}", serde_json::to_string(&clock).unwrap());
        assert!(matches!(understand(&line), Ok(Line::Clock(read)) if read == clock));
        let transfer = Transfer { a: 0, b: 1, hz: 2, hops: 3, ticks: 4 };
        let line = format!("@transfer {}", serde_json::to_string(&transfer).unwrap());
        assert!(matches!(understand(&line), Ok(Line::Transfer(read)) if read == transfer));
        assert!(matches!(understand("@done"), Ok(Line::Done)));
        for line in ["", "# hyp-pool on qemu-virt: el=2", "panic on core 3: @done"] {
            assert!(matches!(understand(line), Ok(Line::Console)), "{line}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_an_error() {
        for line in ["@", "@plan", "@plan {}", "@pass {\"scenario\":", "@done now", "@hello", "@pass"] {
            let error = understand(line).unwrap_err();
            assert!(error.to_string().contains(line), "{line}: {error}");
        }
    }
}
