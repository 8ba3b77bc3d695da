//! The referee is what the other tests rest on: each violation, made by hand, is found, by its number and its frame.

use super::vacant_table;
use crate::check::check;
use crate::frame::{Allocated, Holder, Index, Link};
use crate::free_area::FreeAreas;
use crate::pfn::Order;
use crate::table::Table;
use crate::{CheckError, Pfn, PfnRange};

const BASE: usize = 8;

fn order(n: u8) -> Order {
    Order::new(n).unwrap()
}

fn at(index: usize) -> Index {
    Index::new(index)
}

/// Frames 8 to 15 with two blocks of order 0 allocated, `A0 A0 F1 . F2 . . .`, then `violate`; what the referee finds.
#[track_caller]
fn found(violate: impl FnOnce(Table<'_>, &mut FreeAreas)) -> (u8, usize) {
    let frames = vacant_table(8);
    let table = Table::claim(&frames, PfnRange::new(Pfn::new(BASE), 8), 0).unwrap();
    let mut areas = FreeAreas::fill(table, 0);
    for _ in 0..2 {
        areas.extract(table, Order::ZERO, Holder::Number).unwrap();
    }
    let census = check(table, &areas).unwrap();
    assert_eq!((census.free_pages, census.free_blocks[1], census.free_blocks[2]), (6, 1, 1));
    violate(table, &mut areas);
    let CheckError { invariant, pfn, .. } = check(table, &areas).unwrap_err();
    (invariant, pfn.get() - BASE)
}

#[test]
fn a_head_that_is_not_aligned() {
    assert_eq!(found(|table, _| table.frame(at(1)).set_allocated(Allocated::new(order(1), Holder::Number))), (1, 1));
}

#[test]
fn a_block_past_the_end() {
    assert_eq!(found(|table, _| table.frame(at(0)).set_allocated(Allocated::new(order(3), Holder::Number))), (2, 1));
    // Nothing inside it says anything, and the range ends before it does.
    let end = found(|table, areas| {
        areas.unlink(table, at(4), order(2));
        table.frame(at(4)).set_allocated(Allocated::new(Order::MAX, Holder::Number));
    });
    assert_eq!(end, (1, 4));
}

#[test]
fn a_tail_that_speaks() {
    assert_eq!(found(|table, _| table.frame(at(3)).set_allocated(Allocated::new(Order::ZERO, Holder::Number))), (2, 3));
}

#[test]
fn a_frame_of_no_block() {
    assert_eq!(found(|table, _| table.frame(at(1)).set_tail()), (3, 1));
    assert_eq!(found(|table, _| table.frame(at(1)).vacate()), (3, 1));
}

#[test]
fn a_free_block_on_no_list_and_a_block_on_a_wrong_one() {
    // Free by its word, alone.
    assert_eq!(found(|table, _| table.frame(at(1)).set_free(Order::ZERO, Link::END)), (7, 0));
    // On a list, and allocated.
    let allocated = found(|table, _| table.frame(at(4)).set_allocated(Allocated::new(order(2), Holder::Number)));
    assert_eq!(allocated, (7, 0));
    // As many free heads as the list is long, and one of them not on it.
    let not_on_it = found(|table, areas| {
        areas.push(table, at(0), Order::ZERO);
        table.frame(at(0)).set_allocated(Allocated::new(Order::ZERO, Holder::Number));
        table.frame(at(1)).set_free(Order::ZERO, Link::END);
    });
    assert_eq!(not_on_it, (4, 0));
}

#[test]
fn a_link_back_that_is_wrong_and_one_that_leads_away() {
    assert_eq!(found(|table, _| table.frame(at(4)).set_free(order(2), Link::to(at(2)))), (5, 4));
    assert_eq!(found(|table, _| table.frame(at(4)).set_next(Link::to(at(100)))), (5, 0));
    // A list that runs in a circle.
    assert_eq!(found(|table, _| table.frame(at(4)).set_next(Link::to(at(4)))), (5, 4));
}

#[test]
fn two_free_buddies() {
    let buddies = found(|table, areas| {
        areas.push(table, at(0), Order::ZERO);
        areas.push(table, at(1), Order::ZERO);
    });
    assert_eq!(buddies, (6, 0));
}

#[test]
fn counters_and_masks_that_are_off() {
    assert_eq!(found(|_, areas| areas.miscount(0, 1, 0)), (7, 0));
    assert_eq!(found(|_, areas| areas.miscount(0, 0, 1)), (7, 0));
    assert_eq!(found(|_, areas| areas.miscount(1 << 5, 0, 0)), (5, 0));
    assert_eq!(found(|_, areas| areas.miscount(1 << 2, 0, 0)), (5, 0));
}
