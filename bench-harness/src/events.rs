//! What a place where passes run tells of them: the same from this host and from a board.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use bench_core::{Clock, Pass, Transfer};

use crate::record::Refused;

/// Something happened.
#[derive(Debug)]
pub enum Event {
    /// So many passes will run.
    Planned(u64),
    /// What a reading of the clock takes there.
    Clock(Clock),
    /// What a line takes there from core to core.
    Transfer(Transfer),
    /// A pass begins, of what is named here.
    Begins(String),
    /// A pass has ended.
    Passed(Box<Pass>),
    /// A scenario that was asked for cannot run there.
    Refused(Refused),
    /// Something that a reader of the figures should know.
    Note(String),
    /// Something that the place said did not arrive as it was said: that is left out.
    Damaged(String),
    /// A line that is of no concern as long as all goes well.
    Console(String),
    /// All passes have ended, or those that had begun when [`Source::stop`] was called.
    Finished,
    /// Nothing more will come.
    Failed(anyhow::Error),
}

/// Where passes run.
pub struct Source {
    /// What happens there.
    pub events: Receiver<Event>,
    /// How long nothing may happen.
    pub patience: Duration,
    /// Asks it to end soon.
    pub stop: Box<dyn FnMut()>,
}
