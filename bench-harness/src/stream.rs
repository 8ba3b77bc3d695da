//! A run for another program: its records go to the standard output, each when its pass has ended, and nothing else does.
//!
//! Whoever started it keeps the standard input open. When that closes, on purpose or because a connection has broken, it is
//! an interrupt: nobody reads what would be measured from then on.

use std::io::{self, Read as _};
use std::thread;

use anyhow::{Context as _, Result};

use crate::interrupt;

/// From now on the end of the standard input is an interrupt.
///
/// # Errors
///
/// The thread cannot be started.
pub fn watch() -> Result<()> {
    let watching = || {
        let mut some = [0; 64];
        while io::stdin().read(&mut some).is_ok_and(|bytes| bytes > 0) {}
        interrupt::ask();
    };
    thread::Builder::new().name("watching".into()).spawn(watching).context("cannot start a thread")?;
    Ok(())
}
