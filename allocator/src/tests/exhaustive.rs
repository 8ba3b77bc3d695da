//! Every state that a tiny pool can reach, and every call in every one of them.
//!
//! A state is all words of the table and all free lists, in their order; counts up to 2. Two operation
//! strings that end in the same state go on alike, so that this is every operation string of any length.

use super::model::{Model, Op};
use super::{Lock, pool_over, vacant_table};
use crate::frame::{Index, State};
use crate::free_area::FreeAreas;
use crate::{Atomic, HypPool, Merged, RefcountPath};
use std::collections::{HashSet, VecDeque};
use std::{format, string::String, vec, vec::Vec};

/// All that decides what a pool will do.
fn state<R: RefcountPath>(pool: &HypPool<'_, Lock, R>) -> String {
    let table = pool.table();
    let words: Vec<_> = (0..table.len())
        .map(|i| {
            let frame = table.frame(Index::new(i));
            match frame.state() {
                free @ State::Free { .. } => (free, Some(frame.next())),
                other => (other, None),
            }
        })
        .collect();
    let areas: FreeAreas = pool.areas.lock().clone();
    format!("{words:?} {areas:?}")
}

/// Walks all states of a pool and returns how many there are.
fn all_states<R: RefcountPath>(start: usize, len: usize, reserved: usize) -> usize {
    let mut calls = vec![Op::Alloc(0), Op::Alloc(1), Op::Alloc(2), Op::Alloc(3), Op::Alloc(11)];
    for pfn in start.saturating_sub(1)..=start + len {
        calls.extend([Op::Get(pfn), Op::Put(pfn), Op::Split(pfn)]);
    }
    let mut seen = HashSet::new();
    let mut open: VecDeque<Vec<Op>> = VecDeque::from([vec![]]);
    while let Some(path) = open.pop_front() {
        for &call in &calls {
            let table = vacant_table(len);
            let pool = pool_over::<R>(&table, start, len, reserved).unwrap();
            let mut model = Model::new(start, len, reserved);
            for &op in &path {
                model.step(&pool, op).unwrap();
            }
            let before = state(&pool);
            let changed = model.step(&pool, call).unwrap_or_else(|e| panic!("{e}, by way of {path:?}"));
            let after = state(&pool);
            assert!(changed || before == after, "{call:?} was refused and changed the pool, after {path:?}");
            if model.max_count() <= 2 && seen.insert(after) {
                let mut path = path.clone();
                path.push(call);
                open.push_back(path);
            }
        }
    }
    seen.len()
}

/// Unaligned, odd, reserved in part: whatever can differ in a range is in one of these. With each, how many states there
/// are: fewer would mean that the walk does not get everywhere.
const RANGES: [(usize, usize, usize, usize); 6] =
    [(0, 4, 0, 139), (3, 5, 0, 537), (1, 4, 1, 142), (0x8_0002, 4, 0, 138), (7, 1, 0, 3), (2, 3, 3, 37)];

#[test]
fn every_state_of_tiny_pools_merged() {
    for (start, len, reserved, states) in RANGES {
        assert_eq!(all_states::<Merged>(start, len, reserved), states, "{len} frames from {start}");
    }
}

#[test]
fn every_state_of_tiny_pools_atomic() {
    for (start, len, reserved, states) in RANGES {
        assert_eq!(all_states::<Atomic>(start, len, reserved), states, "{len} frames from {start}");
    }
}
