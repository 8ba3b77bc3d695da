//! Listens to a board's console, whatever it comes through: a pipe, a serial line, a file.
//!
//! A frame that is damaged or lost is told, with the number of its line, and the run will not count as complete; the others
//! are kept.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::mpsc::Sender;

use anyhow::{Context as _, Result, ensure};

use crate::events::Event;
use crate::protocol::{Heard, Line, Lines};

/// What a board has said when it has said everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    /// That it was done.
    Done,
    /// That, and that a pass is void: then it exits with a failure.
    DoneAndVoid,
    /// Not that it was done.
    Less,
}

/// Lines of `stream`, whatever bytes are in it.
fn lines(stream: impl Read) -> impl Iterator<Item = std::io::Result<String>> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned();
    BufReader::new(stream).split(b'\n').map(move |line| line.map(text))
}

/// Tells every line of `stream` as one of a console.
pub fn pass_on(stream: impl Read, sender: &Sender<Event>) {
    for line in lines(stream).map_while(Result::ok) {
        let _ = sender.send(Event::Console(line));
    }
}

/// Tells what the board says, until it has said that it is done or the stream ends. When it is ready for a request, `ask` is
/// called; it has to be `asked` for, if that is known.
///
/// # Errors
///
/// The console cannot be read; the board speaks another version of the protocol, has started anew in the middle, or was
/// asked for something else; or `ask` fails.
pub fn listen(
    stream: impl Read,
    sender: &Sender<Event>,
    asked: Option<&str>,
    mut ask: impl FnMut() -> Result<()>,
) -> Result<Said> {
    let mut void = false;
    let mut understood = Lines::default();
    for (number, line) in (1_u64..).zip(lines(stream)) {
        let line = line.context("the board's console cannot be read")?;
        for Heard { line: what, lost } in understood.understand(&line).with_context(|| format!("line {number}"))? {
            if lost > 0 {
                let frames = if lost == 1 { "a frame was".into() } else { format!("{lost} frames were") };
                let _ = sender.send(Event::Damaged(format!("{frames} lost, or damaged, before line {number}")));
            }
            let event = match what {
                Line::Ready => {
                    ask()?;
                    continue;
                }
                Line::Planned { passes, request } => {
                    match asked {
                        Some(asked) => {
                            ensure!(request == asked, "the board was asked for \"{asked}\", and heard \"{request}\"");
                        }
                        None => _ = sender.send(Event::Note(format!("the board was asked for: {request}"))),
                    }
                    Event::Planned(passes)
                }
                Line::Clock(clock) => Event::Clock(clock),
                Line::Transfer(transfer) => Event::Transfer(transfer),
                Line::Pass(pass) => {
                    void |= pass.wrong.is_some();
                    Event::Passed(pass)
                }
                Line::Refused(refused) => Event::Refused(refused),
                Line::Done => return Ok(if void { Said::DoneAndVoid } else { Said::Done }),
                Line::Damaged => {
                    Event::Damaged(format!("line {number} was damaged on its way, and is left out: {}", start(&line)))
                }
                Line::Again => Event::Note(format!("line {number} says again what was said, and is left out")),
                Line::Console => Event::Console(line.clone()),
            };
            let _ = sender.send(event); // nobody listens any more: nobody is left to tell
        }
    }
    Ok(Said::Less)
}

fn start(line: &str) -> String {
    let start: String = line.chars().filter(|c| !c.is_control()).take(40).collect();
    if start.len() < line.len() { start + "…" } else { start }
}
