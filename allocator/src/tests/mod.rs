//! The pool against a model that is obviously right, on every path: all states of tiny pools, long random
//! operation strings, every misuse by name, and threads.

#[cfg(not(miri))] // one thread and no unsafe: nothing for miri to find, in minutes
mod exhaustive;
mod handles;
#[cfg(not(miri))]
mod misuse;
#[cfg(not(miri))]
mod model;
#[cfg(not(miri))]
mod referee;
#[cfg(not(miri))]
mod strings;
mod threads;

use crate::{Frame, HypPool, InitError, Pfn, PfnRange, RefcountPath};
use std::vec::Vec;

type Lock = parking_lot::RawMutex;

fn vacant_table(len: usize) -> Vec<Frame> {
    (0..len).map(|_| Frame::VACANT).collect()
}

fn pool_over<R: RefcountPath>(
    table: &[Frame],
    start: usize,
    len: usize,
    reserved: usize,
) -> Result<HypPool<'_, Lock, R>, InitError> {
    HypPool::with_table(table, PfnRange::new(Pfn::new(start), len), reserved)
}
