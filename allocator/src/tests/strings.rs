//! Long random operation strings on pools of up to some hundred frames, against the model after every step.

use super::model::{Model, Op};
use super::{pool_over, vacant_table};
use crate::{Atomic, Merged, RefcountPath};
use proptest::prelude::*;
use std::vec::Vec;

/// A call whose frame is chosen by rank among the allocated heads, or anywhere; mostly legal, sometimes not.
#[derive(Clone, Copy, Debug)]
enum Plan {
    Alloc(u8),
    Get(usize),
    Put(usize),
    Split(usize),
    PutAnywhere(usize),
    GetAnywhere(usize),
}

fn plan() -> impl Strategy<Value = Plan> {
    prop_oneof![
        5 => prop_oneof![4 => 0u8..4, 1 => 0u8..=12].prop_map(Plan::Alloc),
        2 => any::<usize>().prop_map(Plan::Get),
        5 => any::<usize>().prop_map(Plan::Put),
        1 => any::<usize>().prop_map(Plan::Split),
        1 => any::<usize>().prop_map(Plan::PutAnywhere),
        1 => any::<usize>().prop_map(Plan::GetAnywhere),
    ]
}

fn agrees<R: RefcountPath>(start: usize, len: usize, reserved: usize, plans: &[Plan]) -> Result<(), TestCaseError> {
    let table = vacant_table(len);
    let pool = pool_over::<R>(&table, start, len, reserved).unwrap();
    let mut model = Model::new(start, len, reserved);
    for &plan in plans {
        let heads = model.heads();
        let pick = |n: usize| heads.get(n % heads.len().max(1)).copied().unwrap_or(start);
        let anywhere = |n: usize| (start + n % (len + 2)).saturating_sub(1);
        let op = match plan {
            Plan::Alloc(order) => Op::Alloc(order),
            Plan::Get(n) => Op::Get(pick(n)),
            Plan::Put(n) => Op::Put(pick(n)),
            Plan::Split(n) => Op::Split(pick(n)),
            Plan::PutAnywhere(n) => Op::Put(anywhere(n)),
            Plan::GetAnywhere(n) => Op::Get(anywhere(n)),
        };
        model.step(&pool, op).map_err(TestCaseError::fail)?;
    }
    // Everything given back, the pool is as it was at first.
    for head in model.heads() {
        while pool.page_count(crate::Pfn::new(head)).is_ok() {
            model.step(&pool, Op::Put(head)).map_err(TestCaseError::fail)?;
        }
    }
    prop_assert_eq!(pool.free_pages(), len);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
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
        agrees::<Merged>(start, len, reserved, &plans)?;
        agrees::<Atomic>(start, len, reserved, &plans)?;
    }
}

/// The largest orders, which short ranges do not reach.
#[test]
fn every_order_is_handed_out_aligned_and_comes_back() {
    let len = 5000;
    let table = vacant_table(len);
    let pool = pool_over::<Atomic>(&table, 0x123, len, 1).unwrap();
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
    assert_eq!(pool.check().unwrap(), full);
}
