//! Ctrl-C: the first one ends the measurement after the cell that it is at, the second one the program.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result};

/// Somebody pressed it. The flag says all there is to say, hence Relaxed.
static STOP: AtomicBool = AtomicBool::new(false);

/// Listens from now on.
///
/// # Errors
///
/// The system does not let us.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Relaxed) {
            std::process::exit(130);
        }
    })
    .context("no handler for Ctrl-C")
}

/// Whether somebody pressed it.
#[must_use]
pub fn pressed() -> bool {
    STOP.load(Relaxed)
}
