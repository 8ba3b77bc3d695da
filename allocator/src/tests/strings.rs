//! Long random operation strings on pools of up to some hundred frames, against the model after every step.

use super::model::Model;
use super::subject::{By, CPUS, Erased, MOST, OWNERS, Op, Subject};
use super::{pool_over, vacant_table};
use crate::{Atomic, Coalesce, Contents, Deferred, Eager, MAX_COUNT, Merged, OldestFirst, RefcountPath};
use proptest::prelude::*;
use std::{vec, vec::Vec};

/// A call whose frame is chosen by rank among the allocated heads, or anywhere; mostly legal, sometimes not.
#[derive(Clone, Copy, Debug)]
enum Plan {
    Alloc(By, u8),
    Get(usize, u32),
    Put(usize, u32),
    Split(usize),
    Adopt(usize, usize),
    Release(usize),
    Foreign(usize, By),
    PutAnywhere(usize, By),
    GetAnywhere(usize, By),
    MagazineAlloc(u8),
    MagazinePut(usize),
    MagazinePutAnywhere(usize),
    /// With the order that it has, or with this one.
    MagazinePuts(usize, Option<u8>),
    MagazineDrain,
    AllocBulk(By, u8, usize),
    /// Chosen by rank among those that this one has, some perhaps twice; or the last of them anywhere.
    PutBulk(By, [usize; 4], usize, bool),
    SplitAnywhere(usize, By),
    NewOwner(usize),
    PerCpuAlloc(usize, u8),
    PerCpuPut(usize, usize, Option<u8>),
    PerCpuPutAnywhere(usize, usize),
    PerCpuDrain,
    /// By one of the ways to allocate.
    ErasingAlloc(Contents, Way, u8),
    /// By one of the ways to put, as many references.
    ErasingPut(Contents, Way, usize, u32),
    ErasingPutAnywhere(Contents, Way, usize),
    ErasingPutBulk(Contents, By, [usize; 4], usize, bool),
    Coalesce,
}

/// The front-ends of `Erasing`.
#[derive(Clone, Copy, Debug)]
enum Way {
    By(By),
    Many(By, usize),
    Magazine,
    PerCpu(usize),
}

impl Way {
    fn alloc(self, order: u8) -> Erased {
        match self {
            Self::By(by) => Erased::Alloc(by, order),
            Self::Many(by, n) => Erased::AllocBulk(by, order, n),
            Self::Magazine => Erased::MagazineAlloc(order),
            Self::PerCpu(cpu) => Erased::PerCpuAlloc(cpu, order),
        }
    }

    /// `n` references to a block, or one and the order it is said to have, by this way if it can be.
    fn put(self, pfn: usize, by: By, n: u32) -> Erased {
        let order = (n > 1).then_some(n as u8 % 4);
        match self {
            Self::Many(..) => Erased::PutN(by, pfn, n),
            Self::By(by) => Erased::PutN(by, pfn, n),
            Self::Magazine => Erased::MagazinePut(pfn, order),
            Self::PerCpu(cpu) => Erased::PerCpuPut(cpu, pfn, order),
        }
    }
}

fn contents() -> impl Strategy<Value = Contents> {
    prop_oneof![1 => Just(Contents::Keep), 3 => Just(Contents::ZeroOnAlloc), 3 => Just(Contents::ScrubOnPut)]
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        2 => Just(Way::By(None)),
        1 => (0..OWNERS).prop_map(|o| Way::By(Some(o))),
        1 => (by(), 0..=MOST).prop_map(|(by, n)| Way::Many(by, n)),
        2 => Just(Way::Magazine),
        2 => (0..CPUS).prop_map(Way::PerCpu),
    ]
}

fn by() -> impl Strategy<Value = By> {
    prop_oneof![3 => Just(None), 1 => (0..OWNERS).prop_map(Some)]
}

fn plan() -> impl Strategy<Value = Plan> {
    let orders = prop_oneof![4 => 0u8..4, 1 => 0u8..=12];
    let some = prop_oneof![4 => Just(1), 2 => 0u32..4, 1 => MAX_COUNT - 3..=MAX_COUNT, 1 => Just(u32::MAX)];
    let few = prop_oneof![4 => Just(1), 2 => 0u32..4, 1 => Just(MAX_COUNT)];
    let its_order = prop_oneof![4 => Just(None), 2 => (0u8..4).prop_map(Some), 1 => (0u8..=12).prop_map(Some)];
    let calls_of_others = prop_oneof![
        4 => (by(), orders.clone(), 0..=MOST).prop_map(|(by, order, n)| Plan::AllocBulk(by, order, n)),
        4 => (by(), any::<[usize; 4]>(), 0usize..=4, prop::bool::weighted(0.2))
            .prop_map(|(by, n, len, astray)| Plan::PutBulk(by, n, len, astray)),
        6 => (0..CPUS, orders.clone()).prop_map(|(cpu, order)| Plan::PerCpuAlloc(cpu, order)),
        6 => (0..CPUS, any::<usize>(), its_order).prop_map(|(cpu, n, order)| Plan::PerCpuPut(cpu, n, order)),
        1 => (0..CPUS, any::<usize>()).prop_map(|(cpu, n)| Plan::PerCpuPutAnywhere(cpu, n)),
        1 => Just(Plan::PerCpuDrain),
        6 => (contents(), way(), orders.clone()).prop_map(|(when, way, order)| Plan::ErasingAlloc(when, way, order)),
        8 => (contents(), way(), any::<usize>(), few.clone()).prop_map(|(when, way, n, few)| Plan::ErasingPut(when, way, n, few)),
        1 => (contents(), way(), any::<usize>()).prop_map(|(when, way, n)| Plan::ErasingPutAnywhere(when, way, n)),
        3 => (contents(), by(), any::<[usize; 4]>(), 0usize..=4, prop::bool::weighted(0.2))
            .prop_map(|(when, by, n, len, astray)| Plan::ErasingPutBulk(when, by, n, len, astray)),
    ];
    prop_oneof![
        30 => calls_of_others,
        6 => orders.clone().prop_map(Plan::MagazineAlloc),
        3 => any::<usize>().prop_map(Plan::MagazinePut),
        3 => any::<usize>().prop_map(|n| Plan::MagazinePuts(n, None)),
        1 => (any::<usize>(), 0u8..=12).prop_map(|(n, order)| Plan::MagazinePuts(n, Some(order))),
        1 => any::<usize>().prop_map(Plan::MagazinePutAnywhere),
        1 => Just(Plan::MagazineDrain),
        10 => (by(), orders).prop_map(|(by, order)| Plan::Alloc(by, order)),
        4 => (any::<usize>(), some).prop_map(|(n, count)| Plan::Get(n, count)),
        10 => (any::<usize>(), few).prop_map(|(n, count)| Plan::Put(n, count)),
        2 => any::<usize>().prop_map(Plan::Split),
        1 => (any::<usize>(), by()).prop_map(|(n, by)| Plan::SplitAnywhere(n, by)),
        1 => (0..OWNERS).prop_map(Plan::NewOwner),
        2 => (0..OWNERS, any::<usize>()).prop_map(|(o, n)| Plan::Adopt(o, n)),
        2 => any::<usize>().prop_map(Plan::Release),
        2 => (any::<usize>(), by()).prop_map(|(n, by)| Plan::Foreign(n, by)),
        2 => (any::<usize>(), by()).prop_map(|(n, by)| Plan::PutAnywhere(n, by)),
        2 => (any::<usize>(), by()).prop_map(|(n, by)| Plan::GetAnywhere(n, by)),
        1 => Just(Plan::Coalesce),
    ]
}

fn agrees<R: RefcountPath, C: Coalesce>(
    start: usize,
    len: usize,
    reserved: usize,
    plans: &[Plan],
) -> Result<(), TestCaseError> {
    let table = vacant_table(len);
    let pool = pool_over::<R, C>(&table, start, len, reserved).unwrap();
    let mut subject = Subject::new(&pool);
    let mut model = Model::new(start, len, reserved);
    for &plan in plans {
        let heads = model.heads();
        let pick = |n: usize| heads.get(n % heads.len().max(1)).copied().unwrap_or((start, None));
        let anywhere = |n: usize| (start + n % (len + 2)).saturating_sub(1);
        let chosen = |by: By, n: [usize; 4], len: usize, astray: bool| {
            let own: Vec<_> = heads.iter().filter(|(_, of)| *of == by).map(|&(head, _)| head).collect();
            let mut pfns = n.map(|n| own.get(n % own.len().max(1)).copied().unwrap_or(start));
            if astray {
                pfns[len.saturating_sub(1)] = anywhere(n[0]);
            }
            pfns
        };
        let op = match plan {
            Plan::Alloc(by, order) => Op::Alloc(by, order),
            Plan::Get(n, 1) => Op::Get(pick(n).1, pick(n).0),
            Plan::Get(n, count) => Op::GetN(pick(n).1, pick(n).0, count),
            Plan::Put(n, 1) => Op::Put(pick(n).1, pick(n).0),
            Plan::Put(n, count) => Op::PutN(pick(n).1, pick(n).0, count),
            Plan::Split(n) => Op::Split(pick(n).1, pick(n).0),
            Plan::SplitAnywhere(n, by) => Op::Split(by, anywhere(n)),
            Plan::NewOwner(o) => Op::NewOwner(o),
            Plan::Adopt(o, n) => Op::Adopt(o, pick(n).0),
            Plan::Release(n) => Op::Release(pick(n).1.unwrap_or(0), pick(n).0),
            Plan::Foreign(n, by) => Op::Put(by, pick(n).0),
            Plan::PutAnywhere(n, by) => Op::Put(by, anywhere(n)),
            Plan::GetAnywhere(n, by) => Op::Get(by, anywhere(n)),
            Plan::MagazineAlloc(order) => Op::MagazineAlloc(order),
            Plan::MagazinePut(n) => Op::MagazinePut(pick(n).0),
            Plan::MagazinePutAnywhere(n) => Op::MagazinePut(anywhere(n)),
            Plan::MagazinePuts(n, order) => {
                let pfn = pick(n).0;
                let its = || pool.word(crate::Pfn::new(pfn)).map_or(0, |word| word.order().get());
                Op::MagazinePuts(pfn, order.unwrap_or_else(its))
            }
            Plan::MagazineDrain => Op::MagazineDrain,
            Plan::AllocBulk(by, order, n) => Op::AllocBulk(by, order, n),
            Plan::PutBulk(by, n, len, astray) => Op::PutBulk(by, chosen(by, n, len, astray), len),
            Plan::ErasingPutBulk(when, by, n, len, astray) => {
                Op::Erasing(when, Erased::PutBulk(by, chosen(by, n, len, astray), len))
            }
            Plan::PerCpuAlloc(cpu, order) => Op::PerCpuAlloc(cpu, order),
            Plan::PerCpuPut(cpu, n, order) => Op::PerCpuPut(cpu, pick(n).0, order),
            Plan::PerCpuPutAnywhere(cpu, n) => Op::PerCpuPut(cpu, anywhere(n), None),
            Plan::PerCpuDrain => Op::PerCpuDrain,
            Plan::ErasingAlloc(when, way, order) => Op::Erasing(when, way.alloc(order)),
            Plan::ErasingPut(when, way, n, few) => Op::Erasing(when, way.put(pick(n).0, pick(n).1, few)),
            Plan::ErasingPutAnywhere(when, way, n) => Op::Erasing(when, way.put(anywhere(n), None, 1)),
            Plan::Coalesce => {
                model.coalesced(&mut subject).map_err(TestCaseError::fail)?;
                continue;
            }
        };
        model.step(&mut subject, op).map_err(TestCaseError::fail)?;
    }
    model.step(&mut subject, Op::MagazineDrain).map_err(TestCaseError::fail)?;
    model.step(&mut subject, Op::PerCpuDrain).map_err(TestCaseError::fail)?;
    // Everything given back, the pool is as it was at first, but for what owners have left behind.
    for (head, by) in model.heads() {
        let count = pool.page_count(crate::Pfn::new(head)).map_err(|e| TestCaseError::fail(std::format!("{e}")))?;
        model.step(&mut subject, Op::PutN(by, head, count)).map_err(TestCaseError::fail)?;
    }
    prop_assert_eq!(pool.free_pages(), len - model.lost());
    model.coalesced(&mut subject).map_err(TestCaseError::fail)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_pool_agrees_with_the_model(
        start in prop_oneof![0usize..40, 0x8_0000usize..0x8_0040],
        len in 1usize..96,
        reserved in 0usize..8,
        plans in prop::collection::vec(plan(), 1..160),
    ) {
        let reserved = reserved.min(len);
        agrees::<Merged, Eager>(start, len, reserved, &plans)?;
        agrees::<Atomic, Deferred<1>>(start, len, reserved, &plans)?;
        agrees::<Atomic, Deferred>(start, len, reserved, &plans)?;
        agrees::<Merged, OldestFirst<Deferred<3>>>(start, len, reserved, &plans)?;
    }
}

/// The largest orders, which short ranges do not reach.
fn every_order_comes_back<C: Coalesce>() {
    let len = 5000;
    let table = vacant_table(len);
    let pool = pool_over::<Atomic, C>(&table, 0x123, len, 1).unwrap();
    let full = pool.check().unwrap();
    let blocks: Vec<_> = (0..=10u8)
        .rev()
        .flat_map(|order| [(order, pool.alloc_pages(order)), (order, pool.alloc_pages(order))])
        .collect();
    let mut held = 0;
    for &(order, got) in &blocks {
        let Ok(pfn) = got else { continue };
        assert_eq!(pfn.get() % (1 << order), 0);
        held += 1 << order;
    }
    assert_eq!(pool.check().unwrap().free_pages, full.free_pages - held);
    blocks.iter().filter_map(|&(_, got)| got.ok()).for_each(|pfn| pool.put_page(pfn).unwrap());
    pool.coalesce();
    assert_eq!(pool.check().unwrap(), full);
}

#[test]
fn every_order_is_handed_out_aligned_and_comes_back() {
    every_order_comes_back::<Eager>();
    every_order_comes_back::<Deferred>();
}
