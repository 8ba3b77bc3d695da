//! Every state that a tiny pool can reach, and every call in every one of them.
//!
//! A state is all words of the table, those of the chunks too, the ends of the lists, all rings, and what magazines
//! hold, in their order; counts up to 2. Two operation strings that end in the same state go on alike, so that this is
//! every operation string of any length, or of up to as many calls as a test says.

use super::model::Model;
use super::subject::{By, CPUS, Erased, MAGAZINE, OWNERS, Op, Subject};
use super::{pool_over, vacant_table};
use crate::Contents::{ScrubOnPut, ZeroOnAlloc};
use crate::pfn::Order;
use crate::{Atomic, Coalesce, Deferred, Eager, MAX_COUNT, Merged, OldestFirst, RefcountPath, TableWord};
use std::collections::{HashSet, VecDeque};
use std::{vec, vec::Vec};

/// All that decides what a pool will do: every word, of frames and of chunks; lists, counter and rings; racks.
fn state<R: RefcountPath, C: Coalesce>(words: &[TableWord], subject: &Subject<'_, R, C>) -> Vec<u32> {
    let areas = subject.pool.areas.0.lock();
    let mut all: Vec<u32> = words.iter().map(TableWord::raw).collect();
    all.push(areas.counted_pages() as u32);
    for order in Order::all() {
        let ends = [areas.head(order), areas.tail(order)].map(|link| link.chunk().map_or(u32::MAX, |at| at as u32));
        all.extend(ends);
        all.extend([u32::from(areas.says_nonempty(order)), areas.kept(order) as u32]);
        all.extend((0..areas.kept(order)).map(|nth| areas.kept_block(order, nth).unwrap().get() as u32));
    }
    // Those that are taken and not theirs, a word says each: by W1.
    all.extend(subject.owners().map(|owner| u32::from(owner.id().get())));
    for rack in subject.magazine.racks() {
        all.push(rack.len() as u32);
        all.extend(rack);
    }
    // Those of the CPUs are not to be looked into: what is in them, in the order in which it came.
    for &(head, (_, by)) in &subject.arrived {
        if by > MAGAZINE {
            all.extend([head, by.unwrap_or(0)].map(|n| n as u32));
        }
    }
    all
}

/// A range: its start, its length, and how many frames of it are reserved.
type Range = (usize, usize, usize);

/// Walks all states of a pool that `calls` reach, at most `depth` of them one after the other, and returns how many
/// states there are.
fn all_states<R: RefcountPath, C: Coalesce>((start, len, reserved): Range, calls: &[Op], depth: usize) -> usize {
    let mut seen = HashSet::new();
    let mut open: VecDeque<(Vec<Op>, Model, Option<Vec<u32>>)> =
        VecDeque::from([(vec![], Model::new(start, len, reserved), None)]);
    while let Some((path, reached, known)) = open.pop_front() {
        for &call in calls {
            let table = vacant_table(len);
            let pool = pool_over::<R, C>(&table, start, len, reserved).unwrap();
            let mut subject = Subject::new(&pool);
            // Each call of the path was compared with the model when it was the last one.
            for &op in &path {
                subject.call(op);
            }
            subject.cleared.take();
            let before = known.clone().unwrap_or_else(|| state(&table, &subject));
            let mut model = reached.clone();
            let granted = model.step(&mut subject, call).unwrap_or_else(|e| panic!("{e}, by way of {path:?}"));
            let after = state(&table, &subject);
            // A refused allocation may have merged what was kept, and emptied the magazine, to no avail: nothing that can be seen.
            let may_merge =
                matches!(call.plain(), Op::Alloc(..) | Op::AllocBulk(..) | Op::MagazineAlloc(_) | Op::PerCpuAlloc(..));
            assert!(granted || may_merge || before == after, "{call:?} was refused, with a change, after {path:?}");
            if model.max_count() <= 2 && path.len() < depth && seen.insert(after.clone()) {
                let mut path = path.clone();
                path.push(call);
                open.push_back((path, model, Some(after)));
            }
        }
    }
    seen.len()
}

/// Every call by number on `range` that is not too far from it.
fn by_number((start, len, _): Range) -> Vec<Op> {
    let mut calls: Vec<_> = [0, 1, 2, 3, 11].map(|order| Op::Alloc(None, order)).into();
    calls.push(Op::Coalesce);
    for pfn in start.saturating_sub(1)..=start + len {
        calls.extend([Op::Get(None, pfn), Op::Put(None, pfn), Op::Split(None, pfn)]);
        calls.extend([0, MAX_COUNT].map(|n| Op::GetN(None, pfn, n)));
        calls.extend([0, 2, u32::MAX].map(|n| Op::PutN(None, pfn, n)));
    }
    calls
}

/// Every call of owners, and those by number that can meet them.
fn by_owners((start, len, _): Range) -> Vec<Op> {
    let everybody: [By; 1 + OWNERS] = [None, Some(0), Some(1)];
    let mut calls = vec![Op::Coalesce];
    calls.extend(everybody.iter().flat_map(|&by| [0, 1].map(|order| Op::Alloc(by, order))));
    for pfn in start.saturating_sub(1)..=start + len {
        calls.extend(everybody.map(|by| Op::Split(by, pfn)));
        calls.extend((0..OWNERS).flat_map(|o| [Op::Adopt(o, pfn), Op::Release(o, pfn)]));
        calls.extend(everybody.iter().flat_map(|&by| [Op::Get(by, pfn), Op::Put(by, pfn), Op::PutN(by, pfn, 2)]));
        calls.extend([Op::GetN(Some(0), pfn, 0), Op::GetN(Some(0), pfn, MAX_COUNT)]);
        calls.extend([0, 1, 2].map(|n| Op::Erasing(ScrubOnPut, Erased::PutN(Some(0), pfn, n))));
    }
    calls.extend([0, 1, 11].map(|order| Op::Erasing(ZeroOnAlloc, Erased::Alloc(Some(1), order))));
    calls
}

/// Ranges, and with each how many states there are: fewer would mean that the walk does not get everywhere.
fn every_state<R: RefcountPath, C: Coalesce, const N: usize>(calls: fn(Range) -> Vec<Op>, ranges: [(Range, usize); N]) {
    let found = ranges.map(|(range, _)| (range, all_states::<R, C>(range, &calls(range), usize::MAX)));
    assert_eq!(found, ranges);
}

// Unaligned, odd, reserved in part: whatever can differ in a range is in one of these.

#[test]
fn every_state_of_tiny_pools_merged_eager() {
    let ranges =
        [((0, 4, 0), 123), ((3, 5, 0), 369), ((1, 4, 1), 99), ((0x8_0002, 4, 0), 121), ((7, 1, 0), 3), ((2, 3, 3), 33)];
    every_state::<Merged, Eager, _>(by_number, ranges);
}

#[test]
fn every_state_of_tiny_pools_atomic_deferred() {
    let ranges = [
        ((0, 4, 0), 290),
        ((3, 5, 0), 1016),
        ((1, 4, 1), 234),
        ((0x8_0002, 4, 0), 287),
        ((7, 1, 0), 4),
        ((2, 3, 3), 66),
    ];
    every_state::<Atomic, Deferred<1>, _>(by_number, ranges);
}

#[test]
fn every_state_of_tiny_pools_with_rings_of_two() {
    every_state::<Atomic, Deferred<2>, _>(by_number, [((0, 4, 0), 412), ((2, 3, 3), 84)]);
    every_state::<Atomic, Eager, _>(by_number, [((1, 4, 1), 99)]);
}

#[test]
fn every_state_of_tiny_pools_oldest_first() {
    every_state::<Merged, OldestFirst<Deferred<2>>, _>(by_number, [((1, 4, 1), 348), ((2, 3, 3), 84)]);
}

/// Two owners and somebody by number.
#[test]
fn every_state_of_tiny_pools_with_owners() {
    every_state::<Atomic, Deferred<1>, _>(by_owners, [((2, 2, 0), 70), ((5, 3, 1), 546)]);
    every_state::<Merged, Eager, _>(by_owners, [((2, 2, 0), 55), ((5, 3, 1), 385)]);
}

/// Every call of owners for many, and owners that go.
fn by_owners_that_go((start, len, _): Range) -> Vec<Op> {
    let mut calls = vec![Op::Coalesce, Op::Alloc(None, 0), Op::Alloc(Some(0), 1)];
    for o in 0..OWNERS {
        calls.push(Op::NewOwner(o));
        calls.extend([(0, 0), (0, 1), (0, 2), (1, 1), (11, 1)].map(|(order, n)| Op::AllocBulk(Some(o), order, n)));
        for pfn in start.saturating_sub(1)..=start + len {
            calls.extend([Op::Split(Some(o), pfn), Op::Get(Some(o), pfn), Op::Put(None, pfn), Op::Adopt(o, pfn)]);
            calls.extend([Op::PutBulk(Some(o), [pfn; 4], 1), Op::PutBulk(Some(o), [start, pfn, start + 1, start], 4)]);
        }
    }
    calls
}

#[test]
fn every_state_of_tiny_pools_with_owners_that_go() {
    every_state::<Atomic, Deferred<1>, _>(by_owners_that_go, [((2, 2, 0), 152), ((5, 3, 1), 2348)]);
    every_state::<Merged, Eager, _>(by_owners_that_go, [((2, 2, 0), 132), ((7, 1, 0), 10)]);
}

/// Every call of one magazine, and those by number that can meet them.
fn with_a_magazine((start, len, _): Range) -> Vec<Op> {
    let mut calls = vec![Op::Coalesce, Op::MagazineDrain];
    calls.extend([0, 1, 2, 4].map(Op::MagazineAlloc));
    calls.extend([0, 1, 4].map(|order| Op::Erasing(ZeroOnAlloc, Erased::MagazineAlloc(order))));
    calls.extend([0, 1].map(|order| Op::Alloc(None, order)));
    for pfn in start.saturating_sub(1)..=start + len {
        calls.extend([
            Op::MagazinePut(pfn),
            Op::Get(None, pfn),
            Op::Put(None, pfn),
            Op::Split(None, pfn),
            Op::Adopt(0, pfn),
        ]);
        calls.extend([0, 1, 2].map(|order| Op::MagazinePuts(pfn, order)));
        calls.extend([None, Some(0), Some(1)].map(|order| Op::Erasing(ScrubOnPut, Erased::MagazinePut(pfn, order))));
        calls.push(Op::Put(Some(0), pfn));
    }
    calls
}

#[test]
fn every_state_of_tiny_pools_with_a_magazine() {
    every_state::<Atomic, Eager, _>(with_a_magazine, [((0, 2, 0), 30), ((5, 3, 1), 162)]);
    every_state::<Merged, Deferred<1>, _>(with_a_magazine, [((0, 2, 0), 41), ((3, 2, 0), 36)]);
}

/// Every call for many and of a pool that clears, and those by number that can meet them.
fn many_and_cleared((start, len, _): Range) -> Vec<Op> {
    let mut calls = vec![Op::Coalesce];
    for (order, n) in [(0, 0), (0, 2), (0, 5), (1, 1), (1, 2), (4, 1), (11, 1)] {
        calls.extend([Op::AllocBulk(None, order, n), Op::Erasing(ZeroOnAlloc, Erased::AllocBulk(None, order, n))]);
    }
    calls.extend([0, 1, 11].map(|order| Op::Erasing(ZeroOnAlloc, Erased::Alloc(None, order))));
    let near = start.saturating_sub(1)..=start + len;
    let both = |pfns, n| [Op::PutBulk(None, pfns, n), Op::Erasing(ScrubOnPut, Erased::PutBulk(None, pfns, n))];
    calls.extend((start..start + len).flat_map(|pfn| both([start, pfn, start + 1, start + len - 1], 4)));
    calls.extend(both([start; 4], 0));
    for pfn in near.clone() {
        calls.extend([Op::Get(None, pfn), Op::Split(None, pfn), Op::Adopt(0, pfn), Op::Release(0, pfn)]);
        calls.extend([0, 1, 2, u32::MAX].map(|n| Op::Erasing(ScrubOnPut, Erased::PutN(None, pfn, n))));
        calls.extend(near.clone().map(|other| Op::PutBulk(None, [pfn, other, 0, 0], 2)));
        calls.extend([pfn, start].map(|other| Op::Erasing(ScrubOnPut, Erased::PutBulk(None, [pfn, other, 0, 0], 2))));
    }
    calls
}

#[test]
fn every_state_of_tiny_pools_with_calls_for_many_and_clearing() {
    every_state::<Atomic, Deferred<1>, _>(many_and_cleared, [((0, 2, 0), 28), ((5, 3, 1), 132)]);
    every_state::<Merged, Eager, _>(many_and_cleared, [((0, 2, 0), 19), ((3, 4, 0), 304)]);
}

/// Every call of the magazines of two CPUs, and those by number that can meet them.
fn with_cpus((start, len, _): Range) -> Vec<Op> {
    let mut calls = vec![Op::Coalesce, Op::PerCpuDrain];
    calls.extend((0..CPUS).flat_map(|cpu| [0, 1, 4].map(|order| Op::PerCpuAlloc(cpu, order))));
    calls.extend([0, 1, 4].map(|order| Op::Erasing(ZeroOnAlloc, Erased::PerCpuAlloc(0, order))));
    calls.extend([0, 1].map(|order| Op::Alloc(None, order)));
    for pfn in start.saturating_sub(1)..=start + len {
        calls.extend([Op::Get(None, pfn), Op::Put(None, pfn), Op::Split(None, pfn)]);
        calls.push(Op::Erasing(ScrubOnPut, Erased::PutN(None, pfn, 1)));
        for cpu in 0..CPUS {
            calls.extend([None, Some(0), Some(1)].map(|order| Op::PerCpuPut(cpu, pfn, order)));
            calls.extend([None, Some(1)].map(|order| Op::Erasing(ScrubOnPut, Erased::PerCpuPut(cpu, pfn, order))));
        }
    }
    calls
}

#[test]
fn every_state_of_tiny_pools_with_magazines_of_cpus() {
    every_state::<Atomic, Eager, _>(with_cpus, [((0, 2, 0), 53), ((5, 3, 1), 417)]);
    every_state::<Merged, Deferred<1>, _>(with_cpus, [((0, 2, 0), 68), ((3, 2, 0), 63)]);
}

/// Every string of up to `depth` allocations, puts and splits on sixteen frames, which have blocks of all the orders
/// that are kept and of one that is not.
fn every_string<C: Coalesce>(depth: usize) -> usize {
    let mut calls: Vec<_> = [0, 1, 2, 3, 4].map(|order| Op::Alloc(None, order)).into();
    calls.push(Op::Coalesce);
    calls.extend((0..16).flat_map(|pfn| [Op::Put(None, pfn), Op::Split(None, pfn)]));
    all_states::<Atomic, C>((0, 16, 0), &calls, depth)
}

#[test]
fn every_string_on_sixteen_frames() {
    assert_eq!([every_string::<Deferred<7>>(3), every_string::<Eager>(4)], [181, 550]);
    assert_eq!(every_string::<OldestFirst<Deferred<3>>>(3), 172);
}
