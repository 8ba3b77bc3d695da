//! The pool against a model that is obviously right, on every path and under every policy: all states of tiny pools,
//! long random operation strings, every misuse by name, the worst case, and threads.

#[cfg(not(miri))] // one thread and no unsafe: nothing for miri to find, in minutes
mod bounds;
#[cfg(not(miri))]
mod bulk;
#[cfg(not(miri))]
mod contents;
#[cfg(not(miri))]
mod exhaustive;
mod handles;
#[cfg(not(miri))]
mod layout;
mod magazine_threads;
#[cfg(not(miri))]
mod magazines;
#[cfg(not(miri))]
mod misuse;
#[cfg(not(miri))]
mod model;
#[cfg(not(miri))]
mod owner_bulk;
#[cfg(not(miri))]
mod owners;
#[cfg(not(miri))]
mod per_cpu;
#[cfg(not(miri))]
mod referee;
#[cfg(not(miri))]
mod strings;
#[cfg(not(miri))]
mod subject;
mod threads;

use crate::{Coalesce, HypPool, InitError, Pfn, PfnRange, RefcountPath, TableWord, table_words};
use std::vec::Vec;

type Lock = parking_lot::RawMutex;

/// A frame table of so many words.
fn vacant_words(words: usize) -> Vec<TableWord> {
    (0..words).map(|_| TableWord::VACANT).collect()
}

/// A frame table for a pool of `len` frames, and not a word more.
fn vacant_table(len: usize) -> Vec<TableWord> {
    vacant_words(table_words(len))
}

fn pool_over<R: RefcountPath, C: Coalesce>(
    table: &[TableWord],
    start: usize,
    len: usize,
    reserved: usize,
) -> Result<HypPool<'_, Lock, R, C>, InitError> {
    HypPool::with_table(table, PfnRange::new(Pfn::new(start), len), reserved)
}
