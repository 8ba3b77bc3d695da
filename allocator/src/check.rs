//! The referee: verifies invariants I1 to I7 of the [`buddy`](crate::buddy) module, word by word.
//!
//! Every property test, model and bare-metal self-test calls it after every step that it can afford to.

use crate::coalesce::Coalesce;
use crate::error::CheckError;
use crate::frame::{Index, State};
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
    /// Free blocks of each order, those that are kept unmerged included.
    pub free_blocks: [usize; NR_ORDERS],
    /// Of them, the blocks that are kept unmerged.
    pub unmerged_blocks: usize,
    /// Allocated blocks of each order.
    pub allocated_blocks: [usize; NR_ORDERS],
}

/// Verifies all invariants; the lock that guards `areas` is held, or nobody else is there.
pub(crate) fn check<C: Coalesce>(table: Table<'_>, areas: &FreeAreas<C>) -> Result<Census, CheckError> {
    let census = check_blocks(table, areas)?;
    for order in Order::all() {
        check_order(table, areas, order, census.free_blocks[usize::from(order.get())])?;
    }
    Ok(census)
}

/// Where a free block is found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Tree,
    Ring,
}

/// I1, I2, I3 and I6, by a walk from block to block.
fn check_blocks<C: Coalesce>(table: Table<'_>, areas: &FreeAreas<C>) -> Result<Census, CheckError> {
    let mut census = Census::default();
    let mut at = 0;
    while at < table.len() {
        let index = Index::new(at);
        let err = |invariant, found| Err(CheckError { invariant, pfn: table.pfn(index), found });
        let mut places = free_places(table, areas, index);
        let free = places.next();
        let order = match (table.frame(index).state(), free) {
            (State::Silent, Some((order, place))) => {
                census.free_pages += order.pages();
                census.free_blocks[usize::from(order.get())] += 1;
                census.unmerged_blocks += usize::from(place == Place::Ring);
                order
            }
            (State::Allocated(word), None) => {
                if word.count() == 0 {
                    return err(3, "allocated, with a count of 0");
                }
                census.allocated_pages += word.order().pages();
                census.allocated_blocks[usize::from(word.order().get())] += 1;
                word.order()
            }
            (State::Allocated(_), Some(_)) => return err(4, "allocated, and in a free area"),
            (State::Silent, None) => return err(3, "in no block: neither allocated nor in a free area"),
            (State::Vacant, _) => return err(3, "claimed by no pool"),
        };
        if places.next().is_some() {
            return err(4, "in the free areas twice");
        }
        if !table.pfn(index).is_aligned(order) {
            return err(1, "the block is not aligned to its size");
        }
        if order.pages() > table.len() - at {
            return err(1, "the block runs past the end of the range");
        }
        if matches!(free, Some((_, Place::Tree))) && order < Order::MAX {
            let buddy = table.pfn(index).buddy(order);
            if let Ok((buddy, _)) = table.find(buddy)
                && areas.contains(table, buddy, order)
            {
                return err(6, "it and its buddy are both in the tree");
            }
        }
        for tail in at + 1..at + order.pages() {
            let tail = Index::new(tail);
            // If it is in a free area, there will be one block too many there.
            if table.frame(tail).state() != State::Silent {
                let pfn = table.pfn(tail);
                return Err(CheckError { invariant: 2, pfn, found: "inside a block, and says something" });
            }
        }
        at += order.pages();
    }
    Ok(census)
}

/// Where in the free areas a block that starts at `index` is: of which order, and in what.
fn free_places<'a, C: Coalesce>(
    table: Table<'a>,
    areas: &'a FreeAreas<C>,
    index: Index,
) -> impl Iterator<Item = (Order, Place)> {
    let aligned = move |order: &Order| table.pfn(index).is_aligned(*order);
    let trees = Order::all().filter(aligned).filter(move |&order| areas.contains(table, index, order));
    // Not only where it is aligned: a ring may say anything.
    let kept = Order::all().flat_map(move |order| {
        let blocks = (0..areas.kept(order)).filter(move |&nth| areas.kept_block(order, nth) == Some(index));
        blocks.map(move |_| (order, Place::Ring))
    });
    trees.map(|order| (order, Place::Tree)).chain(kept)
}

/// I5 and I7 for one order: its tree is one, and has as many blocks as there are and as the counter says.
fn check_order<C: Coalesce>(
    table: Table<'_>,
    areas: &FreeAreas<C>,
    order: Order,
    free: usize,
) -> Result<(), CheckError> {
    let err = |invariant, found| Err(CheckError { invariant, pfn: table.base(), found });
    let blocks = if table.len() == 0 { Some(0) } else { areas.census(table, order) };
    let Some(blocks) = blocks else {
        return err(5, "a bit of a tree disagrees with the word below it");
    };
    // Every block of the walk is in a place of its own: as many places, and each is a block of the walk.
    if blocks + areas.kept(order) != free {
        return err(4, "in a free area, and no free block");
    }
    if areas.blocks(order) != blocks {
        return err(7, "the count of free blocks is off");
    }
    if areas.says_nonempty(order) != (blocks > 0) {
        return err(5, "the mask of non-empty trees is wrong");
    }
    Ok(())
}
