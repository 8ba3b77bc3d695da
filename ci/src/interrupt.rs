//! Ctrl-C, noted: whoever waits for a child looks here, and ends it.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C (and SIGTERM, and SIGHUP) is noted instead of ending the program at once.
///
/// # Errors
/// The handler cannot be set, or is set already.
pub fn listen() -> Result<(), ctrlc::Error> {
    // Relaxed: the flag says all there is to say, nothing else is published by it.
    ctrlc::set_handler(|| ASKED.store(true, Ordering::Relaxed))
}

/// Whether somebody asked this program to end.
#[must_use]
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
