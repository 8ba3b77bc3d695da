//! The referee is what the other tests rest on: each violation, made by hand, is found, by its number and its frame.

use super::vacant_table;
use crate::check::check;
use crate::frame::{Allocated, Frame, Holder, Index};
use crate::free_area::FreeAreas;
use crate::pfn::Order;
use crate::table::Table;
use crate::{CheckError, Coalesce, Deferred, Eager, Pfn, PfnRange};

const BASE: usize = 8;

fn order(n: u8) -> Order {
    Order::new(n).unwrap()
}

fn at(index: usize) -> Index {
    Index::new(index)
}

fn allocate(table: Table<'_>, index: usize, n: u8) {
    table.frame(at(index)).set_allocated(Allocated::new(order(n), Holder::Number));
}

/// Frames 8 to 15 with two blocks of order 0 allocated, `A0 A0 F1 . F2 . . .`, then `violate`; what the referee finds.
/// The free blocks are in their trees.
#[track_caller]
fn found_under<C: Coalesce>(violate: impl FnOnce(Table<'_>, &mut FreeAreas<C>)) -> (u8, usize) {
    let frames = vacant_table(8);
    let table = Table::claim(&frames, PfnRange::new(Pfn::new(BASE), 8), 0).unwrap();
    let mut areas = FreeAreas::<C>::fill(table, 0);
    for _ in 0..2 {
        areas.extract(table, Order::ZERO, Holder::Number).unwrap();
    }
    areas.coalesce(table);
    let census = check(table, &areas).unwrap();
    assert_eq!((census.free_pages, census.free_blocks[1], census.free_blocks[2]), (6, 1, 1));
    assert_eq!((census.unmerged_blocks, areas.contains(table, at(4), order(2))), (0, true));
    violate(table, &mut areas);
    let CheckError { invariant, pfn, .. } = check(table, &areas).unwrap_err();
    (invariant, pfn.get() - BASE)
}

#[track_caller]
fn found(violate: impl Fn(Table<'_>, &mut FreeAreas<Deferred<2>>)) -> (u8, usize) {
    found_under(violate)
}

/// The same violation under eager coalescing too, which has no rings.
macro_rules! found_by_both {
    ($violate:expr) => {{
        let found = found_under::<Deferred>($violate);
        assert_eq!(found_under::<Eager>($violate), found);
        found
    }};
}

#[test]
fn a_head_that_is_not_aligned() {
    assert_eq!(found_by_both!(|table, _| allocate(table, 1, 1)), (1, 1));
    // In a ring of an order to which it is not aligned.
    let in_ring = found(|table, areas| {
        table.frame(at(1)).set_silent();
        areas.keep(at(1), order(1));
    });
    assert_eq!(in_ring, (1, 1));
}

#[test]
fn a_block_past_the_end() {
    assert_eq!(found_by_both!(|table, _| allocate(table, 0, 3)), (2, 1));
    // Nothing inside it says anything, and the range ends before it does.
    let end = found_by_both!(|table, areas| {
        areas.remove(table, at(4), order(2));
        table.frame(at(4)).set_allocated(Allocated::new(Order::MAX, Holder::Number));
    });
    assert_eq!(end, (1, 4));
    // In a ring: a block that starts inside and ends outside, and one that is outside altogether.
    let runs_out = found(|table, areas| {
        areas.remove(table, at(4), order(2));
        (4..7).for_each(|index| allocate(table, index, 0));
        areas.keep(at(7), order(3));
    });
    assert_eq!(runs_out, (1, 7));
    assert_eq!(found(|_, areas| areas.keep_unchecked(8, order(0))), (4, 0));
    assert_eq!(found(|_, areas| areas.keep_unchecked(usize::MAX >> 40, order(3))), (4, 0));
}

/// The same, aligned to its size, so that nothing but the end of the range speaks against it.
#[test]
fn an_aligned_block_past_the_end() {
    let violations: [fn(Table<'_>, &mut FreeAreas<Deferred<2>>); 2] =
        [|table, _| allocate(table, 4, 2), |_, areas| areas.keep(at(4), order(2))];
    for violate in violations {
        let frames = vacant_table(6);
        let table = Table::claim(&frames, PfnRange::new(Pfn::new(BASE), 6), 0).unwrap();
        let mut areas = FreeAreas::fill(table, 0);
        areas.remove(table, at(4), order(1));
        violate(table, &mut areas);
        let CheckError { invariant, pfn, .. } = check(table, &areas).unwrap_err();
        assert_eq!((invariant, pfn.get() - BASE), (1, 4));
    }
}

#[test]
fn a_tail_that_speaks() {
    assert_eq!(found_by_both!(|table, _| allocate(table, 3, 0)), (2, 3));
    assert_eq!(found_by_both!(|table, _| table.frame(at(6)).vacate()), (2, 6));
}

#[test]
fn a_frame_of_no_block() {
    assert_eq!(found_by_both!(|table, _| table.frame(at(1)).set_silent()), (3, 1));
    assert_eq!(found_by_both!(|table, _| table.frame(at(1)).vacate()), (3, 1));
    // A free block that is in no tree any more: its first frame, since the others would be its.
    assert_eq!(found_by_both!(|table, areas| areas.remove(table, at(4), order(2))), (3, 4));
    // A kept block that somebody has taken out of its ring, and forgotten.
    let forgotten = found(|table, areas| {
        areas.remove(table, at(2), order(1));
        areas.keep(at(2), order(1));
        check(table, areas).unwrap();
        areas.reuse(order(1)).unwrap();
    });
    assert_eq!(forgotten, (3, 2));
}

#[test]
fn a_block_that_is_free_and_allocated() {
    assert_eq!(found_by_both!(|table, areas| areas.insert(table, at(1), order(0))), (4, 1));
    assert_eq!(found_by_both!(|table, _| allocate(table, 4, 2)), (4, 4));
    assert_eq!(found(|_, areas| areas.keep(at(1), order(0))), (4, 1));
}

#[test]
fn a_block_that_is_free_twice() {
    // In a ring twice; in a ring and a tree, of the same order and of another; in two trees.
    let twice = found(|table, areas| {
        table.frame(at(1)).set_silent();
        areas.keep(at(1), order(0));
        areas.keep(at(1), order(0));
    });
    assert_eq!(twice, (4, 1));
    assert_eq!(found(|_, areas| areas.keep(at(2), order(1))), (4, 2));
    assert_eq!(found(|_, areas| areas.keep(at(4), order(3))), (4, 4));
    assert_eq!(found_by_both!(|table, areas| areas.insert(table, at(4), order(0))), (4, 4));
}

#[test]
fn a_block_inside_another_one() {
    // Inside a free one, and inside an allocated one: in a tree, in a ring.
    assert_eq!(found_by_both!(|table, areas| areas.insert(table, at(6), order(1))), (4, 0));
    assert_eq!(found(|_, areas| areas.keep(at(5), order(0))), (4, 0));
    let allocated = found_by_both!(|table, areas| {
        areas.remove(table, at(4), order(2));
        allocate(table, 4, 2);
        check(table, areas).unwrap();
        areas.insert(table, at(5), order(0));
    });
    assert_eq!(allocated, (4, 0));
}

#[test]
fn two_buddies_in_a_tree() {
    let buddies = found_by_both!(|table, areas| {
        for page in [0, 1] {
            table.frame(at(page)).set_silent();
            areas.insert(table, at(page), Order::ZERO);
        }
    });
    assert_eq!(buddies, (6, 0));
    // But one of them, or both, in a ring: that is what a ring is for.
    let unlike = found(|table, areas| {
        table.frame(at(0)).set_silent();
        table.frame(at(1)).set_silent();
        areas.insert(table, at(0), Order::ZERO);
        areas.keep(at(1), Order::ZERO);
        check(table, areas).unwrap();
        areas.remove(table, at(0), Order::ZERO);
        areas.keep(at(0), Order::ZERO);
        check(table, areas).unwrap();
        areas.miscount(1, 0);
    });
    assert_eq!(unlike, (5, 0));
}

#[test]
fn counters_and_masks_that_are_off() {
    assert_eq!(found_by_both!(|_, areas| areas.miscount(0, 1)), (7, 0));
    assert_eq!(found_by_both!(|_, areas| areas.miscount(1, 1)), (7, 0));
    assert_eq!(found_by_both!(|_, areas| areas.miscount(1 << 5, 0)), (5, 0));
    assert_eq!(found_by_both!(|_, areas| areas.miscount(1 << 2, 0)), (5, 0));
}

/// Every bit of every word of the trees of a pool whose trees have several levels, flipped alone, is found.
#[test]
fn a_bit_of_a_tree_that_is_wrong() {
    let len = 600;
    let frames = vacant_table(len);
    let table = Table::claim(&frames, PfnRange::new(Pfn::new(0x305), len), 0).unwrap();
    let mut areas = FreeAreas::<Deferred>::fill(table, 0);
    for n in 0..200 {
        areas.extract(table, order(n % 3), Holder::Number).unwrap();
    }
    let census = check(table, &areas).unwrap();
    assert!(census.free_pages > 0 && census.unmerged_blocks > 0, "{census:?}");
    let mut found = [0; 8];
    for word in table.trees(0) {
        let before = word.bits();
        for bit in 0..16 {
            word.set_bits(before ^ 1 << bit);
            let CheckError { invariant, .. } = check(table, &areas).expect_err("a flipped bit");
            found[usize::from(invariant)] += 1;
        }
        word.set_bits(before);
    }
    assert_eq!(check(table, &areas), Ok(census));
    // A bit too many is a block that is not, or a level that lies; one too few is a block that is gone.
    assert!(found[3] > 0 && found[4] > 0 && found[5] > 0, "{found:?}");
    assert_eq!(found.iter().sum::<usize>(), table.trees(0).len() * 16);
    assert!(table.trees(0).iter().map(Frame::bits).any(|bits| bits != 0));
}
