//! Ctrl-C: the first one asks the run to end after its pass, the second one ends the program.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::qemu::group;

/// What a shell calls a program that ended by Ctrl-C.
pub const STATUS: u8 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Held while a record is written, so that even the second Ctrl-C leaves whole lines.
static WRITING: Mutex<()> = Mutex::new(());

/// From now on Ctrl-C (and SIGTERM, and SIGHUP) is noted; the second one ends the program at once.
///
/// # Errors
///
/// The handler cannot be set, or is set already.
pub fn listen() -> Result<(), ctrlc::Error> {
    // Relaxed: the flag says all there is to say, nothing else is published by it.
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Relaxed) {
            let _whole = whole();
            group::kill_all();
            process::exit(STATUS.into());
        }
    })
}

/// Asks this program to end, as the first Ctrl-C does.
pub fn ask() {
    ASKED.store(true, Relaxed);
}

/// Whether somebody asked this program to end.
#[must_use]
pub fn asked() -> bool {
    ASKED.load(Relaxed)
}

/// While this is kept, the program does not end.
#[must_use = "as soon as it is dropped, the program may end"]
pub fn whole() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}
