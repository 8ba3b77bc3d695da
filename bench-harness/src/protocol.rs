//! What a board's console says, line by line, in frames ([`bench_core::frame`]: `@TAG JSON ~NUMBER:CHECK`).
//!
//! | tag | JSON | |
//! |---|---|---|
//! | `ready` | `{"protocol":1}` | it waits for a line `bench REQUEST` |
//! | `plan` | `{"passes":N,"protocol":1,"request":"REQUEST"}` | so many passes will run, if that was what it was asked for |
//! | `refused` | `{"scenario":{…},"why":"…"}` | a scenario that cannot run there |
//! | `clock` | [`Clock`] | what a reading of the clock takes |
//! | `transfer` | [`Transfer`] | what a line takes from core to core |
//! | `pass` | [`Pass`] | |
//! | `done` | `{}` | that was all |
//!
//! 1. A board of one's own needs to print these frames, and nothing else: whatever it measures with. A board that waits says
//!    `ready`, and says it again from time to time, for whoever begins to listen late; another begins with what it refuses
//!    and its `plan`. `done` is the last one.
//! 2. The request in the `plan` is what the board has heard: a request may be damaged on its way there, too.
//! 3. A frame that is damaged or lost is named and left out; the others are good. One that comes twice counts once.
//! 4. A board that counts anew, after it has begun, has been reset: what it says then belongs to another run.
//! 5. Other text, between frames or around them in a line, is for whoever looks into what went wrong.

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
    Planned {
        /// So many.
        passes: u64,
        /// What was asked for, as the board has heard it.
        request: String,
    },
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
    /// The checks of the frames so far, by number; `None`: it did not come.
    checks: Vec<Option<u32>>,
    begun: bool,
}

/// A line, and how many frames were lost before it.
#[derive(Debug)]
pub struct Heard {
    /// The line.
    pub line: Line,
    /// Frames that never came, or came damaged.
    pub lost: usize,
}

/// Frames in a run of a board, at most: a number beyond is none that a board would send.
const MOST: u32 = 10_000_000;

impl Lines {
    /// Understands a line without its end. There is more than one thing in it if an end was lost.
    ///
    /// # Errors
    ///
    /// It is whole, and says what nobody understands: the board speaks another version; or it has started anew.
    pub fn understand(&mut self, text: &str) -> Result<Vec<Heard>> {
        let mut heard = vec![];
        for frame in frame::frames(text) {
            heard.push(match frame {
                Err(Damaged) => Heard { line: Line::Damaged, lost: 0 },
                Ok(frame) => self.take(frame).with_context(|| {
                    let start: String = format!("@{} {}", frame.tag, frame.json).chars().take(60).collect();
                    format!("the board says what cannot be understood: {start}")
                })?,
            });
        }
        if heard.is_empty() {
            heard.push(Heard { line: Line::Console, lost: 0 });
        }
        Ok(heard)
    }

    fn take(&mut self, frame: Frame<'_>) -> Result<Heard> {
        let check = Some(frame::check(frame.tag, frame.json, frame.number));
        let at = frame.number as usize;
        ensure!(frame.number < MOST, "there is no frame {at}");
        if frame.tag == "ready" {
            ensure!(!self.begun, "it has started anew: it is ready for a request, and had begun with one");
            // A board may have waited, and counted, before anybody listened; or have been reset while it waited.
            self.checks = vec![None; at];
        }
        match self.checks.get(at) {
            Some(&before) if before == check => return Ok(Heard { line: Line::Again, lost: 0 }),
            Some(_) => bail!("it has started anew: this is its frame {at}, of which there was another one"),
            None => {}
        }
        let lost = at - self.checks.len();
        self.checks.resize(at, None);
        self.checks.push(check);
        self.begun |= frame.tag != "ready";
        Ok(Heard { line: said(frame)?, lost })
    }
}

fn said(Frame { tag, json, .. }: Frame<'_>) -> Result<Line> {
    #[derive(Deserialize)]
    struct Version {
        protocol: u32,
    }
    #[derive(Deserialize)]
    struct Plan {
        passes: u64,
        request: String,
    }
    let same = |protocol: u32| {
        ensure!(protocol == PROTOCOL, "it speaks version {protocol} of the protocol, this program version {PROTOCOL}");
        Ok(())
    };
    Ok(match tag {
        "ready" => {
            same(serde_json::from_str::<Version>(json)?.protocol)?;
            Line::Ready
        }
        "plan" => {
            // Before the rest, which another version may not have.
            same(serde_json::from_str::<Version>(json)?.protocol)?;
            let Plan { passes, request } = serde_json::from_str(json)?;
            Line::Planned { passes, request }
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

    fn heard(lines: &[String]) -> Vec<(Line, usize)> {
        let mut understood = Lines::default();
        lines
            .iter()
            .flat_map(|line| understood.understand(line).unwrap())
            .map(|Heard { line, lost }| (line, lost))
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
            framed("plan", "{\"passes\":460,\"protocol\":1,\"request\":\"quick\"}", 1),
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
            Line::Planned { passes: 460, request },
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
        assert!((r, c, t, &**p) == (&refused, &clock, &transfer, &pass) && request == "quick");
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
    fn a_line_whose_end_was_lost_is_two() {
        let [one, two] = [0, 1].map(|number| framed("done", "{}", number));
        let heard = heard(&[one + &two]);
        assert!(matches!(heard[..], [(Line::Done, 0), (Line::Done, 0)]), "{heard:?}");
    }

    #[test]
    fn a_board_may_be_reset_before_it_begins_and_not_afterwards() {
        let ready = |number| framed("ready", "{\"protocol\":1}", number);
        let done = |text, number| framed("done", format!("{{{text}}}"), number);
        let whole = heard(&[ready(7), ready(0), ready(1), done("", 2)]);
        assert!(whole.iter().all(|(_, lost)| *lost == 0), "{whole:?}");
        for lines in [
            vec![ready(0), done("", 1), ready(1)],
            vec![done("", 0), done("", 1), done(" ", 1)],
            vec![done("", 1), done("", 0)],
        ] {
            let (last, before) = lines.split_last().unwrap();
            let mut understood = Lines::default();
            before.iter().for_each(|line| _ = understood.understand(line).unwrap());
            let error = format!("{:#}", understood.understand(last).unwrap_err());
            assert!(error.contains("it has started anew"), "{error}");
        }
    }

    #[test]
    fn another_version_is_an_error() {
        for (tag, json, says) in [
            ("plan", "{\"passes\":1,\"protocol\":2}", "it speaks version 2 of the protocol"),
            ("plan", "{}", "missing field `protocol`"),
            ("plan", "{\"protocol\":1,\"passes\":1}", "missing field `request`"),
            ("hello", "{}", "there is no line \"hello\""),
            ("pass", "{\"scenario\":1}", "cannot be understood: @pass"),
        ] {
            let error = Lines::default().understand(&framed(tag, json, 0)).unwrap_err();
            assert!(format!("{error:#}").contains(says), "{tag}: {error:#}");
        }
    }
}
