//! The referee: verifies invariants I1 to I7 of the [`buddy`](crate::buddy) module, word by word.
//!
//! Every property test, model and bare-metal self-test calls it after every step that it can afford to.

use crate::error::CheckError;
use crate::frame::{Frame, Index, Link, State};
use crate::free_area::FreeAreas;
use crate::pfn::{NR_ORDERS, Order};
use crate::table::Table;

/// What a pool consists of, counted from its words and not from its counters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Census {
    /// Frames in free blocks.
    pub free_pages: usize,
    /// Frames in allocated blocks; the reserved ones too.
    pub allocated_pages: usize,
    /// Free blocks of each order.
    pub free_blocks: [usize; NR_ORDERS],
    /// Allocated blocks of each order.
    pub allocated_blocks: [usize; NR_ORDERS],
}

/// Verifies all invariants; the lock that guards `areas` is held, or nobody else is there.
pub(crate) fn check(table: Table<'_>, areas: &FreeAreas) -> Result<Census, CheckError> {
    let census = check_blocks(table)?;
    for order in Order::all() {
        check_list(table, areas, order, census.free_blocks[order.get() as usize])?;
    }
    if areas.free_pages() != census.free_pages {
        return Err(CheckError { invariant: 7, pfn: table.range().start(), found: "the count of free pages is off" });
    }
    Ok(census)
}

/// I1, I2, I3 and I6, by a walk from block to block.
fn check_blocks(table: Table<'_>) -> Result<Census, CheckError> {
    let mut census = Census::default();
    let mut at = 0;
    while at < table.len() {
        let index = Index::new(at);
        let err = |invariant, found| Err(CheckError { invariant, pfn: table.pfn(index), found });
        let order = match table.frame(index).state() {
            State::Free { order, .. } => {
                if order < Order::MAX
                    && table.buddy(index, order).is_some_and(|buddy| table.frame(buddy).is_free(order))
                {
                    return err(6, "it and its buddy are both free");
                }
                census.free_pages += order.pages();
                census.free_blocks[order.get() as usize] += 1;
                order
            }
            State::Allocated(word) => {
                if word.count() == 0 {
                    return err(3, "allocated, with a count of 0");
                }
                census.allocated_pages += word.order().pages();
                census.allocated_blocks[word.order().get() as usize] += 1;
                word.order()
            }
            State::Tail => return err(3, "a tail in no block"),
            State::Vacant => return err(3, "claimed by no pool"),
        };
        if !table.pfn(index).is_aligned(order) {
            return err(1, "the block is not aligned to its size");
        }
        if order.pages() > table.len() - at {
            return err(1, "the block runs past the end of the range");
        }
        for tail in at + 1..at + order.pages() {
            if table.frame(Index::new(tail)).state() != State::Tail {
                let pfn = table.pfn(Index::new(tail));
                return Err(CheckError { invariant: 2, pfn, found: "inside a block, and says something" });
            }
        }
        at += order.pages();
    }
    Ok(census)
}

/// I4 and I5 for one order: a list of distinct free heads of that order, as long as there are such heads, has
/// them all.
fn check_list(table: Table<'_>, areas: &FreeAreas, order: Order, expected: usize) -> Result<(), CheckError> {
    let start = table.range().start();
    if areas.blocks(order) != expected {
        return Err(CheckError { invariant: 7, pfn: start, found: "the count of free blocks is off" });
    }
    let mut prev = Link::END;
    let mut link = areas.head(order);
    let mut length = 0;
    while let Some(index) = link.index() {
        if index.get() >= table.len() {
            return Err(CheckError { invariant: 5, pfn: start, found: "a link leads out of the table" });
        }
        let frame: &Frame = table.frame(index);
        let err = |invariant, found| Err(CheckError { invariant, pfn: table.pfn(index), found });
        if !frame.is_free(order) {
            return err(4, "on the free list of an order that it is not");
        }
        // `prev` tells list members apart: a member reached twice would need two of them. So the list has no
        // cycle, and its members are distinct.
        if frame.prev() != prev {
            return err(5, "its link back is wrong");
        }
        length += 1;
        prev = link;
        link = frame.next();
    }
    if length != expected {
        return Err(CheckError { invariant: 4, pfn: start, found: "a free block is on no list" });
    }
    // The mask and the heads agree: the search starts from the mask.
    if areas.says_nonempty(order) != (expected > 0) {
        return Err(CheckError { invariant: 5, pfn: start, found: "the mask of non-empty lists is wrong" });
    }
    Ok(())
}
