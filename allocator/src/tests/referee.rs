//! The referee is what the other tests rest on: each violation, made by hand, is found, by its number and its frame.

use super::vacant_table;
use crate::check::check;
use crate::chunk::{Chunk, Link};
use crate::free_area::FreeAreas;
use crate::pfn::Order;
use crate::table::Table;
use crate::word::{Allocated, Holder, Index, TableWord};
use crate::{CheckError, Coalesce, Deferred, Eager, Pfn, PfnRange};

/// The range cuts off 8 frames of the first chunk, and 4 of the last.
const BASE: usize = 72;
const LEN: usize = 180;

fn order(n: u8) -> Order {
    Order::new(n).unwrap()
}

fn at(index: usize) -> Index {
    Index::new(index)
}

fn allocate(table: Table<'_>, index: usize, n: u8) {
    table.frames().frame(at(index)).set_allocated(Allocated::new(order(n), Holder::Number));
}

fn silence(table: Table<'_>, index: usize) {
    table.frames().frame(at(index)).set_silent();
}

/// Says that these frames of a chunk, or these not, are free, as if they were so by rights.
fn set_free<C: Coalesce>(table: Table<'_>, areas: &mut FreeAreas<C>, chunk: usize, free: u32) {
    let was = table.chunks().at(chunk);
    areas.count(free.count_ones() as isize - was.free().count_ones() as isize);
    areas.set_free(table.chunks(), chunk, was.class(), free);
}

/// The pool that is violated: free blocks of orders 5 and more are on lists, the others in the bits of their chunks.
///
/// ```text
///   chunk    0                         1     2         4     5
///   frame   72  73  74  76   80        96   128       192   224  240  248
///           A0  A0  F1  F2   F4        F5   F6        F5    F4   F3   F2
/// ```
#[track_caller]
fn found_under<C: Coalesce>(violate: impl FnOnce(Table<'_>, &mut FreeAreas<C>, &[TableWord])) -> (u8, usize) {
    let frames = vacant_table(LEN);
    let table = Table::claim(&frames, PfnRange::new(Pfn::new(BASE), LEN), 0).unwrap();
    let mut areas = FreeAreas::<C>::fill(table, 0);
    for page in 0..2 {
        assert_eq!(areas.extract(|| table, Order::ZERO).unwrap(), at(page));
        allocate(table, page, 0);
    }
    areas.coalesce(table);
    let census = check(table, &areas).unwrap();
    assert_eq!((census.free_pages, census.unmerged_blocks), (LEN - 2, 0));
    assert_eq!(census.free_blocks[..8], [0, 1, 2, 1, 2, 2, 1, 0]);
    violate(table, &mut areas, &frames);
    let CheckError { invariant, pfn, .. } = check(table, &areas).unwrap_err();
    (invariant, pfn.get())
}

#[track_caller]
fn found(violate: impl Fn(Table<'_>, &mut FreeAreas<Deferred<2>>)) -> (u8, usize) {
    found_under(|table, areas, _| violate(table, areas))
}

/// The same violation under eager coalescing too, which has no rings.
macro_rules! found_by_both {
    (|$table:pat_param, $areas:pat_param| $violate:expr) => {
        found_by_both!(|$table, $areas, _| $violate)
    };
    (|$table:pat_param, $areas:pat_param, $words:pat_param| $violate:expr) => {{
        let found = found_under::<Deferred>(|$table, $areas, $words| $violate);
        assert_eq!(found_under::<Eager>(|$table, $areas, $words| $violate), found);
        found
    }};
}

#[test]
fn a_head_that_is_not_aligned() {
    assert_eq!(found_by_both!(|table, _| allocate(table, 1, 1)), (1, 73));
    // In a ring of an order to which it is not aligned.
    let in_ring = found(|table, areas| {
        silence(table, 1);
        areas.keep(at(1), order(1));
    });
    assert_eq!(in_ring, (1, 73));
    // On a list of an order to which it is not aligned.
    let listed = found_by_both!(|table, areas| {
        areas.unlist(table.chunks(), 1, order(5));
        areas.list(table.chunks(), 1, order(6));
    });
    assert_eq!(listed, (1, 96));
}

#[test]
fn a_block_past_the_end() {
    assert_eq!(found_by_both!(|table, _| allocate(table, 0, 3)), (2, 73));
    // Nothing inside it says anything, and the range ends before it does.
    let end = found_by_both!(|table, areas| {
        set_free(table, areas, 5, 0x00ff_ffff);
        allocate(table, 176, 3);
    });
    assert_eq!(end, (1, 248));
    // In a ring; and one that is outside altogether.
    let runs_out = found(|table, areas| {
        set_free(table, areas, 5, 0x00ff_ffff);
        areas.keep(at(176), order(3));
    });
    assert_eq!(runs_out, (1, 248));
    assert_eq!(found(|_, areas| areas.keep_unchecked(LEN, order(0))), (4, BASE));
    assert_eq!(found(|_, areas| areas.keep_unchecked(usize::MAX >> 40, order(3))), (4, BASE));
    // Frames of a chunk that are outside the range: before its start, and behind its end.
    assert_eq!(found_by_both!(|table, areas| set_free(table, areas, 0, 0xffff_fc80)), (4, BASE));
    assert_eq!(found_by_both!(|table, areas| set_free(table, areas, 5, 0x8fff_ffff)), (4, BASE));
    // The free block that the last chunk would be.
    let listed = found_by_both!(|table, areas| {
        set_free(table, areas, 5, 0);
        areas.count(32);
        areas.list(table.chunks(), 5, order(5));
    });
    assert_eq!(listed, (6, 192), "first of all, its buddy");
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
        set_free(table, &mut areas, 0, 0x0f00);
        violate(table, &mut areas);
        let CheckError { invariant, pfn, .. } = check(table, &areas).unwrap_err();
        assert_eq!((invariant, pfn.get() - BASE), (1, 4));
    }
}

#[test]
fn a_tail_that_speaks() {
    assert_eq!(found_by_both!(|table, _| allocate(table, 3, 0)), (2, 75));
    assert_eq!(found_by_both!(|table, _| table.frames().frame(at(6)).vacate()), (2, 78));
    assert_eq!(found_by_both!(|table, _| allocate(table, 100, 0)), (2, 172));
}

#[test]
fn a_frame_of_no_block() {
    assert_eq!(found_by_both!(|table, _| silence(table, 1)), (3, 73));
    assert_eq!(found_by_both!(|table, _| table.frames().frame(at(1)).vacate()), (3, 73));
    // A free block that is in no chunk and on no list any more.
    assert_eq!(found_by_both!(|table, areas| set_free(table, areas, 0, 0xffff_0c00)), (3, 76));
    assert_eq!(found_by_both!(|table, areas| areas.unlist(table.chunks(), 2, order(6))), (3, 128));
    // A kept block that somebody has taken out of its ring, and forgotten.
    let forgotten = found(|table, areas| {
        set_free(table, areas, 0, 0xffff_f000);
        areas.keep(at(2), order(1));
        check(table, areas).unwrap();
        areas.reuse(order(1)).unwrap();
    });
    assert_eq!(forgotten, (3, 74));
}

#[test]
fn a_block_that_is_free_and_allocated() {
    // In a chunk, on a list, in a ring.
    assert_eq!(found_by_both!(|table, areas| set_free(table, areas, 0, 0xffff_fe00)), (4, 73));
    assert_eq!(found_by_both!(|table, _| allocate(table, 4, 2)), (4, 76));
    assert_eq!(found_by_both!(|table, _| allocate(table, 56, 6)), (4, 128));
    assert_eq!(found(|_, areas| areas.keep(at(1), order(0))), (4, 73));
}

#[test]
fn a_block_that_is_free_twice() {
    // In a ring twice; in a ring and a chunk, of the same order and of another; in a ring and on a list.
    let twice = found(|table, areas| {
        silence(table, 1);
        areas.keep(at(1), order(0));
        areas.keep(at(1), order(0));
    });
    assert_eq!(twice, (4, 73));
    assert_eq!(found(|_, areas| areas.keep(at(2), order(1))), (4, 74));
    assert_eq!(found(|_, areas| areas.keep(at(4), order(3))), (4, 76));
    assert_eq!(found(|_, areas| areas.keep(at(24), order(0))), (4, 96));
    // On a list, and in the bits of its chunk.
    assert_eq!(found_by_both!(|table, _| table.chunks().at(1).set_free(1)), (4, 96));
    assert_eq!(found_by_both!(|table, _| table.chunks().at(1).set_free(2)), (4, 96));
}

#[test]
fn a_block_inside_another_one() {
    // Inside a free one: in a ring, in a chunk, on a list.
    assert_eq!(found(|_, areas| areas.keep(at(5), order(0))), (4, BASE));
    assert_eq!(found_by_both!(|table, areas| set_free(table, areas, 3, 0xf0)), (4, BASE));
    let listed = found_by_both!(|table, areas| {
        areas.list(table.chunks(), 3, order(5));
        areas.count(32);
    });
    assert_eq!(listed, (4, BASE));
    // Inside an allocated one.
    let allocated = found_by_both!(|table, areas| {
        set_free(table, areas, 0, 0xffff_0c00);
        allocate(table, 4, 2);
        check(table, areas).unwrap();
        set_free(table, areas, 0, 0xffff_2c00);
    });
    assert_eq!(allocated, (4, BASE));
}

#[test]
fn two_buddies_that_are_not_merged() {
    let listed = found_by_both!(|table, areas| {
        areas.unlist(table.chunks(), 2, order(6));
        areas.list(table.chunks(), 2, order(5));
        areas.list(table.chunks(), 3, order(5));
    });
    assert_eq!(listed, (6, 128));
    // All of a chunk free, and not on the list of its order. Nothing but a stray store can say so.
    let whole = found_by_both!(|table, areas, words| {
        areas.unlist(table.chunks(), 1, order(5));
        areas.list(table.chunks(), 1, order(4));
        words[LEN + 4].vacate();
    });
    assert_eq!(whole, (6, 96));
    // But one of two, or both, in a ring: that is what a ring is for.
    let unlike = found(|table, areas| {
        silence(table, 0);
        silence(table, 1);
        set_free(table, areas, 0, 0xffff_fd00);
        areas.keep(at(1), Order::ZERO);
        check(table, areas).unwrap();
        set_free(table, areas, 0, 0xffff_fc00);
        areas.keep(at(0), Order::ZERO);
        check(table, areas).unwrap();
        areas.miscount(1, 0);
    });
    assert_eq!(unlike, (5, BASE));
}

#[test]
fn a_chunk_that_is_not_of_its_class() {
    // On the list of a smaller class, of a larger one, or of one though nothing is free; and on none.
    for class in [3, 0] {
        let wrong = found_by_both!(|table, areas| {
            areas.unlist(table.chunks(), 0, order(4));
            areas.list(table.chunks(), 0, order(class));
        });
        assert_eq!(wrong, (5, 64));
    }
    assert_eq!(found_by_both!(|table, areas| areas.list(table.chunks(), 3, order(0))), (5, 160));
    assert_eq!(found_by_both!(|table, areas| areas.unlist(table.chunks(), 5, order(4))), (5, 224));
    // Its class is right, and the list is another one's.
    let stray = found_by_both!(|table, areas| {
        areas.unlist(table.chunks(), 5, order(4));
        areas.list(table.chunks(), 5, order(2));
        table.chunks().at(5).set_class(Some(order(4)));
    });
    assert_eq!(stray, (5, 224));
}

#[test]
fn a_list_that_is_not_well_formed() {
    // Chunks 1 and 4 are those of class 5, 1 the first.
    fn first(table: Table<'_>) -> Chunk<'_> {
        table.chunks().at(1)
    }
    fn last(table: Table<'_>) -> Chunk<'_> {
        table.chunks().at(4)
    }
    assert_eq!(found_by_both!(|table, _| last(table).set_prev(Link::END)), (5, 192));
    assert_eq!(found_by_both!(|table, _| last(table).set_prev(Link::to(4))), (5, 192));
    assert_eq!(found_by_both!(|table, _| first(table).set_prev(Link::to(4))), (5, 96));
    // Out of the table, a cycle, a list cut short, a detour through another class.
    assert_eq!(found_by_both!(|table, _| last(table).set_next(Link::to(table.nr_chunks()))), (5, BASE));
    assert_eq!(found_by_both!(|table, _| last(table).set_next(Link::to(1))), (5, 96));
    assert_eq!(found_by_both!(|table, _| last(table).set_next(Link::to(4))), (5, 192));
    assert_eq!(found_by_both!(|table, _| first(table).set_next(Link::END)), (5, BASE));
    assert_eq!(found_by_both!(|table, _| first(table).set_next(Link::to(2))), (5, 128));
    // The end is where it is not: at the first, at nothing, at another class; and of an empty list.
    for (class, tail) in [(5, Link::to(1)), (5, Link::END), (5, Link::to(2)), (7, Link::to(2))] {
        assert_eq!(found_by_both!(|_, areas| areas.set_tail_unchecked(order(class), tail)), (5, BASE));
    }
}

#[test]
fn counters_and_masks_that_are_off() {
    assert_eq!(found_by_both!(|_, areas| areas.miscount(0, 1)), (7, BASE));
    assert_eq!(found_by_both!(|_, areas| areas.miscount(0, u32::MAX >> 1)), (7, BASE));
    for class in 0..=10 {
        assert_eq!(found_by_both!(|_, areas| areas.miscount(1 << class, 0)), (5, BASE), "class {class}");
    }
}

/// Every bit of every word of the chunks, flipped alone, is found, if the word then says something else: many words say
/// "of no class", and the links of a chunk that is on no list say nothing.
#[test]
fn a_bit_of_a_chunk_that_is_wrong() {
    let len = 600;
    let frames = vacant_table(len);
    let table = Table::claim(&frames, PfnRange::new(Pfn::new(0x305), len), 0).unwrap();
    let mut areas = FreeAreas::<Deferred>::fill(table, 0);
    for n in 0..120 {
        let order = order(n % 3);
        let index = areas.extract(|| table, order).unwrap();
        table.frames().frame(index).set_allocated(Allocated::new(order, Holder::Number));
    }
    let census = check(table, &areas).unwrap();
    assert!(census.free_pages > 0 && census.unmerged_blocks > 0, "{census:?}");
    let mut found = [0; 8];
    let mut mute = [0; 4];
    for (nth, word) in frames[len..].iter().enumerate() {
        let chunk = table.chunks().at(nth / 4);
        let listed = chunk.class().is_some();
        let before = word.raw();
        for bit in 0..32 {
            let class = chunk.class();
            let flipped = before ^ 1 << bit;
            // Zero, too, which no chunk's word is.
            if flipped == 0 {
                word.vacate();
            } else {
                word.set_bits(flipped);
            };
            let says_nothing = if nth % 4 == 1 { class == chunk.class() } else { nth % 4 >= 2 && !listed };
            match check(table, &areas) {
                Err(CheckError { invariant, .. }) => found[usize::from(invariant)] += 1,
                Ok(_) => {
                    assert!(says_nothing, "bit {bit} of word {} of chunk {}", nth % 4, nth / 4);
                    mute[nth % 4] += 1;
                }
            }
            word.set_bits(before);
        }
    }
    assert_eq!(check(table, &areas), Ok(census));
    assert!(found[3] > 0 && found[4] > 0 && found[5] > 0, "{found:?}");
    assert_eq!(mute[0], 0, "every bit of what is free counts");
    assert_eq!(found.iter().sum::<usize>() + mute.iter().sum::<usize>(), frames[len..].len() * 32);
}
