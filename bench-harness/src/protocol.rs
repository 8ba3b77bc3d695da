//! What a board's console says, line by line, in frames ([`bench_core::frame`]: `@TAG JSON ~NUMBER:CHECK`).
//!
//! | tag | JSON | |
//! |---|---|---|
//! | `ready` | `{"protocol":1}` | it waits for a line `bench REQUEST` |
//! | `plan` | `{"passes":N,"protocol":1}` | so many passes will run |
//! | `refused` | `{"scenario":{…},"why":"…"}` | a scenario that cannot run there |
//! | `clock` | [`Clock`] | what a reading of the clock takes |
//! | `transfer` | [`Transfer`] | what a line takes from core to core |
//! | `pass` | [`Pass`] | |
//! | `done` | `{}` | that was all |
//!
//! Other lines are for whoever looks into what went wrong. A board of one's own needs to print these lines, `plan` first and
//! `done` last, and nothing else: whatever it measures them with.

use std::fmt;

use anyhow::{Context as _, Result, bail, ensure};
use bench_core::frame::{self, Damaged, Frame, PROTOCOL};
use bench_core::{Clock, Pass, Transfer};
use serde::Deserialize;

use crate::record::Refused;

/// A line, understood.
#[derive(Debug)]
pub enum Line {
    /// It waits for a request.
    Ready,
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
    /// A frame that was damaged on the way: refused.
    Damaged,
    /// A frame that has come before: left out.
    Again,
}

/// Understands the lines of one board, in their order.
#[derive(Debug, Default)]
pub struct Lines {
    next: u32,
}

/// A line, and how many frames were lost before it.
#[derive(Debug)]
pub struct Heard {
    /// The line.
    pub line: Line,
    /// Frames that never came, or came damaged.
    pub lost: u32,
}

impl Lines {
    /// Understands a line without its end.
    ///
    /// # Errors
    ///
    /// It is whole, and says what nobody understands: the board speaks another version.
    pub fn understand(&mut self, text: &str) -> Result<Heard> {
        let frame = match frame::find(text) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(Heard { line: Line::Console, lost: 0 }),
            Err(Damaged) => return Ok(Heard { line: Line::Damaged, lost: 0 }),
        };
        if frame.tag == "ready" {
            // A board that has started anew counts anew.
            self.next = frame.number;
        }
        if frame.number < self.next {
            return Ok(Heard { line: Line::Again, lost: 0 });
        }
        let lost = frame.number - self.next;
        self.next = frame.number + 1;
        let line = said(frame).with_context(|| {
            let start: String = text.chars().take(60).collect();
            format!("the board says what cannot be understood: {start}")
        })?;
        Ok(Heard { line, lost })
    }
}

fn said(Frame { tag, json, .. }: Frame<'_>) -> Result<Line> {
    #[derive(Deserialize)]
    struct Ready {
        protocol: u32,
    }
    #[derive(Deserialize)]
    struct Plan {
        passes: u64,
        protocol: u32,
    }
    let same = |protocol: u32| {
        ensure!(protocol == PROTOCOL, "it speaks version {protocol} of the protocol, this program version {PROTOCOL}");
        Ok(())
    };
    Ok(match tag {
        "ready" => {
            same(serde_json::from_str::<Ready>(json)?.protocol)?;
            Line::Ready
        }
        "plan" => {
            let Plan { passes, protocol } = serde_json::from_str(json)?;
            same(protocol)?;
            Line::Planned(passes)
        }
        "refused" => Line::Refused(serde_json::from_str(json)?),
        "clock" => Line::Clock(serde_json::from_str(json)?),
        "transfer" => Line::Transfer(serde_json::from_str(json)?),
        "pass" => {
            let pass: Box<Pass> = serde_json::from_str(json)?;
            ensure!(pass.hz > 0, "a pass whose clock stands still");
            Line::Pass(pass)
        }
        "done" => Line::Done,
        _ => bail!("there is no line \"{tag}\""),
    })
}

/// A line as a board prints it; for boards that are programs, and for tests.
#[must_use]
pub fn framed(tag: &str, json: impl fmt::Display, number: u32) -> String {
    let json = json.to_string();
    format!("@{tag} {json} ~{number}:{:08x}", frame::check(tag, &json, number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_core::{Lock, Scenario, Strategy, Workload};

    fn heard(lines: &[String]) -> Vec<(Line, u32)> {
        let mut understood = Lines::default();
        lines
            .iter()
            .map(|line| {
                let Heard { line, lost } = understood.understand(line).unwrap();
                (line, lost)
            })
            .collect()
    }

    fn json(value: &impl serde::Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn every_line_of_the_protocol_is_understood() {
        let scenario = Scenario::new(Lock::Mcs, Strategy::Merged, Workload::Pair, 4);
        let pass = Pass { hz: 62_500_000, ..Pass::of(scenario, 1) };
        let refused = Refused { scenario, why: "no".into() };
        let clock = Clock { hz: 1, reads: 2, ticks: 3, step: 4 };
        let transfer = Transfer { a: 0, b: 1, hz: 2, hops: 3, ticks: 4 };
        let lines = [
            framed("ready", "{\"protocol\":1}", 0),
            framed("plan", "{\"passes\":460,\"protocol\":1}", 1),
            framed("refused", json(&refused), 2),
            "# hyp-pool on qemu-virt: el=2".into(),
            framed("clock", json(&clock), 3),
            framed("transfer", json(&transfer), 4),
            framed("pass", json(&pass), 5),
            framed("done", "{}", 6),
        ];
        let heard = heard(&lines);
        assert!(heard.iter().all(|(_, lost)| *lost == 0));
        let lines: Vec<Line> = heard.into_iter().map(|(line, _)| line).collect();
        let [
            Line::Ready,
            Line::Planned(460),
            Line::Refused(r),
            Line::Console,
            Line::Clock(c),
            Line::Transfer(t),
            Line::Pass(p),
            Line::Done,
        ] = &lines[..]
        else {
            panic!("{lines:?}")
        };
        assert!((r, c, t, &**p) == (&refused, &clock, &transfer, &pass));
    }

    #[test]
    fn what_is_lost_damaged_or_repeated_is_noticed() {
        let clock = |number| framed("clock", json(&Clock { hz: 1, reads: 2, ticks: 3, step: 4 }), number);
        let damaged = clock(1).replace("\"ticks\":3", "\"ticks\":8");
        let heard = heard(&[clock(0), damaged, clock(2), clock(2), clock(5)]);
        let Line::Damaged = heard[1].0 else { panic!("{heard:?}") };
        let Line::Again = heard[3].0 else { panic!("{heard:?}") };
        assert_eq!(heard.iter().map(|(_, lost)| *lost).collect::<Vec<_>>(), [0, 0, 1, 0, 2]);
    }

    #[test]
    fn another_version_is_an_error() {
        for (tag, json, says) in [
            ("plan", "{\"passes\":1,\"protocol\":2}", "it speaks version 2 of the protocol"),
            ("plan", "{}", "missing field"),
            ("hello", "{}", "there is no line \"hello\""),
            ("pass", "{\"scenario\":1}", "cannot be understood: @pass"),
        ] {
            let error = Lines::default().understand(&framed(tag, json, 0)).unwrap_err();
            assert!(format!("{error:#}").contains(says), "{tag}: {error:#}");
        }
    }
}
