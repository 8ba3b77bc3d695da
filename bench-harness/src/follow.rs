//! Follows a run: takes what happens, writes the records, and notices when nothing happens any more.

use std::collections::VecDeque;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};

use crate::collect::Collector;
use crate::events::{Event, Source};
use crate::interrupt;
use crate::local::{self, vanished};
use crate::progress::Progress;
use crate::record::{End, Header, Note, Refused};
use crate::summary::Run;
use crate::write::Records;

/// Between two looks at whether somebody asked the program to end.
const GLANCE: Duration = Duration::from_millis(50);
/// Lines of a console that are shown if something went wrong.
const TAIL: usize = 20;

/// How a run ended.
#[derive(Debug)]
pub enum Ending {
    /// Everything was measured.
    Complete,
    /// Somebody asked for an end.
    Interrupted,
    /// Something went wrong.
    Failed(Error),
}

struct Follower<'a> {
    records: &'a mut Records,
    progress: &'a Progress,
    collector: Collector,
    refused: Vec<Refused>,
    notes: Vec<String>,
    running: String,
    console: VecDeque<String>,
    damaged: u32,
}

/// Follows `source` to its end, or to ours. The header has been written; the end will be.
pub fn follow(mut source: Source, records: &mut Records, progress: &Progress, mut header: Header) -> (Run, Ending) {
    let mut follower = Follower {
        records,
        progress,
        collector: Collector::default(),
        refused: vec![],
        notes: vec![],
        running: "the first pass".into(),
        console: VecDeque::new(),
        damaged: 0,
    };
    let mut ending = match follower.until_the_end(&mut source) {
        Ok(()) if interrupt::asked() => Ending::Interrupted,
        Ok(()) if follower.damaged > 0 => Ending::Failed(anyhow!(
            "what the board said did not all arrive: {} times something was damaged or lost, as told above",
            follower.damaged
        )),
        Ok(()) => Ending::Complete,
        Err(error) => Ending::Failed(follower.with_console(error)),
    };
    let Follower { records, collector, refused, mut notes, .. } = follower;
    let end = match &ending {
        Ending::Complete => End::COMPLETE,
        Ending::Interrupted => End::early("interrupted"),
        Ending::Failed(error) => End::early(error.to_string()),
    };
    if !records.failed()
        && let Err(error) = records.write(&end)
    {
        ending = Ending::Failed(error);
    }
    header.notes.append(&mut notes);
    progress.clear();
    (collector.finish(header, refused, Some(end)), ending)
}

impl Follower<'_> {
    fn until_the_end(&mut self, source: &mut Source) -> Result<()> {
        let mut last = Instant::now();
        let mut stopping = false;
        loop {
            if interrupt::asked() && !stopping {
                stopping = true;
                self.progress.warn("interrupted: ends after this pass; once more ends at once");
                (source.stop)();
            }
            match source.events.recv_timeout(GLANCE) {
                Ok(Event::Finished) => return Ok(()),
                // Whoever asked for an end may have asked the source too: how it ended says nothing.
                Ok(Event::Failed(_)) if interrupt::asked() => return Ok(()),
                Ok(event) => {
                    last = Instant::now();
                    if let Err(error) = self.take(event) {
                        (source.stop)();
                        return Err(error);
                    }
                }
                Err(RecvTimeoutError::Timeout) if last.elapsed() > source.patience => {
                    (source.stop)();
                    let seconds = source.patience.as_secs();
                    return Err(anyhow!("nothing has happened for {seconds} s: {} hangs", self.running));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(vanished()),
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Planned(passes) => self.progress.planned(passes),
            Event::Begins(name) => {
                self.running.clone_from(&name);
                self.progress.begins(name);
            }
            Event::Passed(pass) => {
                self.records.write(&*pass)?;
                let name = local::name(pass.scenario);
                // A board does not say what comes next.
                self.running = format!("what came after {name}");
                self.progress.passed(name);
                self.collector.add(&pass);
            }
            Event::Clock(clock) => {
                self.records.write(&clock)?;
                self.collector.add_clock(clock);
            }
            Event::Transfer(transfer) => {
                self.records.write(&transfer)?;
                self.collector.add_transfer(transfer);
            }
            Event::Refused(refused) => {
                self.records.write(&refused)?;
                self.refused.push(refused);
            }
            Event::Note(text) => {
                self.records.write(&Note { text: text.clone() })?;
                self.notes.push(text);
            }
            Event::Damaged(what) => {
                self.progress.warn(&format!("warning: {what}"));
                self.damaged += 1;
                self.records.write(&Note { text: what.clone() })?;
                self.notes.push(what);
            }
            Event::Console(line) => {
                self.console.truncate(TAIL - 1);
                self.console.push_front(line);
            }
            Event::Finished => {}
            Event::Failed(error) => return Err(error),
        }
        Ok(())
    }

    fn with_console(&self, error: Error) -> Error {
        if self.console.is_empty() {
            return error;
        }
        let lines: String = self.console.iter().rev().map(|line| format!("\n  | {line}")).collect();
        anyhow!("{error:#}; the last lines of its console:{lines}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{header, pass};
    use crate::read::read;
    use bench_core::{Lock, Strategy};
    use std::sync::mpsc::{Sender, channel};

    fn followed(patience: Duration, tell: impl FnOnce(&Sender<Event>)) -> (Run, Ending, Run) {
        let directory = tempfile::tempdir().unwrap();
        let mut records = Records::create(directory.path(), jiff::Timestamp::UNIX_EPOCH, "host").unwrap();
        records.write(&header()).unwrap();
        let (sender, events) = channel();
        tell(&sender);
        drop(sender);
        let source = Source { events, patience, stop: Box::new(|| ()) };
        let (run, ending) = follow(source, &mut records, &Progress::new("a test"), header());
        let read = read(records.path()).unwrap().run;
        (run, ending, read)
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn what_happens_is_in_the_records() {
        let (run, ending, read) = followed(LONG, |sender| {
            sender.send(Event::Begins("it".into())).unwrap();
            sender.send(Event::Passed(Box::new(pass(Lock::Mcs, Strategy::Merged, 0, &[1])))).unwrap();
            sender.send(Event::Note("odd".into())).unwrap();
            sender.send(Event::Finished).unwrap();
        });
        assert!(matches!(ending, Ending::Complete), "{ending:?}");
        for run in [run, read] {
            assert_eq!((run.cells.len(), run.complete(), &*run.header.notes), (1, true, &["odd".to_owned()][..]));
        }
    }

    #[test]
    fn what_hangs_is_named_and_the_records_end_with_it() {
        let (_, ending, read) = followed(Duration::ZERO, |sender| {
            sender.send(Event::Begins("ticket merged pair".into())).unwrap();
            sender.send(Event::Console("hello".into())).unwrap();
            // Still there, and silent, until the test ends.
            std::mem::forget(sender.clone());
        });
        let Ending::Failed(error) = ending else { panic!("{ending:?}") };
        assert!(error.to_string().contains("ticket merged pair hangs"), "{error}");
        assert!(error.to_string().ends_with("\n  | hello"), "{error}");
        assert!(!read.complete() && read.end.unwrap().why.unwrap().contains("hangs"));
    }

    #[test]
    fn who_is_gone_without_a_word_has_failed() {
        let (_, ending, read) = followed(LONG, |_| ());
        assert!(matches!(ending, Ending::Failed(_)) && !read.complete());
    }
}
