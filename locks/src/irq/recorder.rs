//! A host double of an interrupt control: each thread is a CPU, and what happens to its mask is recorded.

use core::cell::{Cell, RefCell};
use std::thread_local;
use std::vec::Vec;

use super::InterruptControl;

/// What happened, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// `save_and_mask`: the mask as it was.
    Mask {
        /// Whether interrupts were masked already.
        was: bool,
    },
    /// `restore`: the mask as it is from now on.
    Restore {
        /// Whether interrupts stay masked.
        to: bool,
    },
    /// What the test or a lock under test had to say.
    Note(&'static str),
}

/// Records what is done to the interrupt mask of this thread. Masks nothing.
///
/// ```
/// use hyp_locks::{Event, IrqSave, Recorder, Ticket};
///
/// let mutex = lock_api::Mutex::<IrqSave<Ticket, Recorder>, ()>::new(());
/// let events = Recorder::record(|| {
///     let _guard = mutex.lock();
///     assert!(Recorder::masked());
/// });
/// assert_eq!(events, [Event::Mask { was: false }, Event::Restore { to: false }]);
/// ```
#[derive(Debug)]
pub struct Recorder;

thread_local! {
    static MASKED: Cell<bool> = const { Cell::new(false) };
    static EVENTS: RefCell<Option<Vec<Event>>> = const { RefCell::new(None) };
}

impl Recorder {
    /// Whether this thread's interrupts are masked.
    #[must_use]
    pub fn masked() -> bool {
        MASKED.get()
    }

    /// What `run` did to this thread's mask, in order. Without this nothing is kept.
    ///
    /// # Panics
    ///
    /// If called within itself, and as `run` does.
    #[must_use]
    pub fn record(run: impl FnOnce()) -> Vec<Event> {
        let before = EVENTS.replace(Some(Vec::new()));
        assert!(before.is_none(), "Recorder::record within itself");
        let taken = scopeguard::guard((), |()| drop(EVENTS.take())); // also if `run` unwinds
        run();
        let events = EVENTS.take().unwrap_or_default();
        drop(taken);
        events
    }

    /// Adds a note to the record.
    pub fn note(note: &'static str) {
        Self::push(Event::Note(note));
    }

    fn push(event: Event) {
        EVENTS.with_borrow_mut(|events| {
            if let Some(events) = events {
                events.push(event);
            }
        });
    }
}

/// The mask as it was.
#[derive(Clone, Copy, Debug)]
pub struct Was(bool);

// SAFETY: 1. a thread of a host program is not interrupted by handlers that take its locks. (A signal handler that
// did would not be masked: this is a double.) 2. Hence nothing to keep inside. 3. `push` does not unwind: the record
// is not borrowed while anything else runs.
unsafe impl InterruptControl for Recorder {
    type State = Was;

    fn save_and_mask() -> Was {
        let was = MASKED.replace(true);
        Self::push(Event::Mask { was });
        Was(was)
    }

    unsafe fn restore(Was(to): Was) {
        MASKED.set(to);
        Self::push(Event::Restore { to });
    }
}
