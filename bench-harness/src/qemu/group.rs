//! A child with all that it starts, in a process group of its own.
//!
//! 1. Ctrl-C in a terminal goes to the whole group in front, and does not reach this one: what becomes of the child is
//!    decided here alone, so that an interrupt is not taken for its failure.
//! 2. What ends the child ends all that it started; otherwise a compiler would go on without its cargo.
//! 3. No signal goes to a child that has been waited for: its number may be somebody else's by then.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Groups whose leader has not been waited for.
static ALIVE: Mutex<Vec<u32>> = Mutex::new(vec![]);

/// The leader of a group.
#[derive(Debug)]
pub struct Group {
    /// It, for its pipes.
    pub leader: Child,
}

impl Group {
    /// Starts `command` as the leader of a group.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut alive = alive(); // until it is in the list: nobody who ends all misses it
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let leader = command.spawn()?;
        alive.push(leader.id());
        Ok(Self { leader })
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    ///
    /// It cannot be waited for.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let mut alive = alive(); // so that nobody signals it in the middle of this
        let status = self.leader.try_wait()?;
        if status.is_some() {
            alive.retain(|&group| group != self.leader.id());
        }
        Ok(status)
    }

    /// Ends it with all that it started; nothing, if it has ended.
    pub fn kill(&mut self) {
        let alive = alive();
        if alive.contains(&self.leader.id()) {
            kill(self.leader.id());
            // Where there are no groups, it alone; where there are, it is ended already.
            let _ = self.leader.kill();
        }
    }
}

/// Ends all groups: for a program that ends at once, and waits for nobody.
pub fn kill_all() {
    alive().iter().copied().for_each(kill);
}

fn alive() -> MutexGuard<'static, Vec<u32>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn kill(group: u32) {
    use nix::sys::signal::{Signal, killpg};
    if let Ok(group) = group.try_into() {
        // It fails if nobody is left, which is what we want.
        let _ = killpg(nix::unistd::Pid::from_raw(group), Signal::SIGKILL);
    }
}

#[cfg(not(unix))]
fn kill(_: u32) {}
