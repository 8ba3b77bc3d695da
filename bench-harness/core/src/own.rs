//! Locks and workloads that somebody brings along: names beside those of the axes, and what is measured under them.
//!
//! ```text
//!  locks::<MyLock, M>() ──► Own { fn(&Run<M>) -> Pass }      compiled where the lock is, for the machine M
//!  name_lock("mine", …) ──► Lock::Own0                       a value of the axis like any other: sets, records, tables
//!       Machine::own(Lock::Own0) ──► Own                     the machine has the functions, since they depend on it
//! ```
//!
//! Whoever reads records of such a lock has the name from them, and needs no more.

use core::fmt;

use hyp_locks::Ticket;
use lock_api::{Mutex, RawMutex};

use crate::axes::{Lock, Workload};
use crate::load::Load;
use crate::machine::Machine;
use crate::measure::Run;
use crate::pages::Pages;
use crate::record::Pass;
use crate::subject::{Loaded, Subject};

/// How many of each a program can bring along.
pub const OWN: usize = 8;

/// What is known of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    /// What a user types and a record says.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Of a lock: whether who asks first gets it first.
    pub fair: bool,
}

/// There are eight already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is room for {OWN} of one's own")
    }
}

impl core::error::Error for Full {}

/// The names of an axis that were brought along.
pub(crate) struct Names(Mutex<Ticket, [Option<Known>; OWN]>);

pub(crate) static LOCKS: Names = Names(Mutex::new([None; OWN]));
pub(crate) static WORKLOADS: Names = Names(Mutex::new([None; OWN]));

impl Names {
    pub(crate) fn get(&self, index: usize) -> Option<Known> {
        self.0.lock()[index]
    }

    /// The place of `known`, which it has already or gets now.
    fn place(&self, known: Known) -> Result<usize, Full> {
        let mut names = self.0.lock();
        let same = |slot: &Option<Known>| slot.is_none_or(|have| have.name == known.name);
        let index = names.iter().position(same).ok_or(Full)?;
        names[index].get_or_insert(known);
        Ok(index)
    }
}

/// The lock of that name, from now on one of the axis. If there is one of that name, that.
///
/// # Errors
///
/// [`Full`].
pub fn name_lock(known: Known) -> Result<Lock, Full> {
    LOCKS.place(known).map(|index| Lock::OWN[index])
}

/// The workload of that name, from now on one of the axis. If there is one of that name, that.
///
/// # Errors
///
/// [`Full`].
pub fn name_workload(known: Known) -> Result<Workload, Full> {
    WORKLOADS.place(known).map(|index| Workload::OWN[index])
}

/// How a lock of one's own is measured on machine `M`.
pub struct OwnLock<M>(pub(crate) fn(&Run<'_, M>) -> Pass);

impl<M> Clone for OwnLock<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for OwnLock<M> {}

impl<M> fmt::Debug for OwnLock<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnLock")
    }
}

/// `L`, to be measured under every strategy, with instruments and without.
#[must_use]
pub fn lock<M: Machine, L: RawMutex + Send + Sync>() -> OwnLock<M> {
    OwnLock(|run| run.with::<L>())
}

/// What is done with a load once it stands on a pool.
type Then<'t> = &'t mut dyn FnMut(&dyn Subject);

/// How a workload of one's own is measured.
#[derive(Clone, Copy)]
pub struct OwnLoad(fn(&dyn Pages, Then<'_>));

impl fmt::Debug for OwnLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnLoad")
    }
}

impl OwnLoad {
    pub(crate) fn on(self, pages: &dyn Pages, then: Then<'_>) {
        (self.0)(pages, then);
    }
}

/// `W`, to be measured under every lock and strategy.
#[must_use]
pub fn workload<W: Load + 'static>() -> OwnLoad {
    OwnLoad(|pages, then| then(&Loaded::<W>::new(pages)))
}
