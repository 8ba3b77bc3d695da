//! Operation strings over the whole interface of `hyp-pool`, found by coverage, against a map.
//!
//! ```text
//!   bytes ──arbitrary──► Input: lives ──► run: for each life          one frame table for all of them
//!                                           │
//!             ┌─────────────────────────────┴─────────────────┐
//!             ▼                                               ▼
//!       HypPool<NoLock, R, C>, owners,      the same call   Model: first frame ─► order, count, who counts
//!       magazines, PerCpu, Erasing,        ◄─────────────►  Memory: a byte a frame, stamped by whoever has it
//!       handles                             same answer
//! ```
//!
//! | module | |
//! |---|---|
//! | [`ops`] | what a string may say |
//! | [`model`] | the map, and what it expects of each call |
//! | [`memory`] | what the frames contain, and the pool's way to clear them |
//! | [`life`] | one pool from its making to its end: each call made of both, and compared |
//!
//! The pool's secrets are asked of it, not modelled: where a block comes from, and which blocks a magazine has. What is
//! asked must add up: a frame is the model's, or a magazine's, or free, and the numbers of each agree.
//!
//! A pool has a [`NoLock`](hyp_locks::NoLock): a call that took the lock twice, or called out with it held, panics.

pub mod life;
pub mod memory;
pub mod model;
pub mod ops;

use hyp_pool::{Atomic, Deferred, Eager, Merged, OldestFirst, TableWord, table_words};
pub use ops::Input;
use ops::{MOST_FRAMES, Policy, Setup};

/// Runs a string.
///
/// # Panics
///
/// If the pool and the model disagree.
pub fn run(input: &Input) {
    // One table for all lives: what a pool does not give back, the next one does not get.
    let table: Vec<TableWord> = (0..table_words(MOST_FRAMES)).map(|_| TableWord::VACANT).collect();
    for (setup, ops) in &input.lives {
        let life = match (setup.atomic, setup.policy) {
            (false, Policy::Eager) => life::live::<Merged, Eager>,
            (false, Policy::Deferred1) => life::live::<Merged, Deferred<1>>,
            (false, Policy::Deferred) => life::live::<Merged, Deferred>,
            (false, Policy::OldestFirst) => life::live::<Merged, OldestFirst>,
            (true, Policy::Eager) => life::live::<Atomic, Eager>,
            (true, Policy::Deferred1) => life::live::<Atomic, Deferred<1>>,
            (true, Policy::Deferred) => life::live::<Atomic, Deferred>,
            (true, Policy::OldestFirst) => life::live::<Atomic, OldestFirst>,
        };
        life(&table, Setup::range(setup), ops);
    }
}
