//! The referee: verifies invariants I1 to I7 of the [`algorithm`](crate::algorithm) module, word by word.
//!
//! Every property test, model and bare-metal self-test calls it after every step that it can afford to.

use crate::chunk::{self, Link};
use crate::coalesce::Coalesce;
use crate::error::CheckError;
use crate::free_area::FreeAreas;
use crate::pfn::{NR_ORDERS, Order};
use crate::table::Table;
use crate::word::{Index, State};

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
    let kept: usize = Order::all().map(|order| areas.kept(order) << order.get()).sum();
    let err = |invariant, found| Err(CheckError { invariant, pfn: table.frames().base(), found });
    // Every free block of the walk has a place of its own, and there are no more places than that.
    let listed = check_lists(table, areas)?;
    if listed + kept != census.free_pages {
        return err(4, "a frame in a free area is in no free block");
    }
    if areas.counted_pages() != listed {
        return err(7, "the count of free pages is off");
    }
    Ok(census)
}

/// Where a free block is found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Chunk,
    List,
    Ring,
}

/// I1, I2, I3 and I6, by a walk from block to block.
fn check_blocks<C: Coalesce>(table: Table<'_>, areas: &FreeAreas<C>) -> Result<Census, CheckError> {
    let frames = table.frames();
    let mut census = Census::default();
    let mut at = 0;
    while at < frames.len() {
        let index = Index::new(at);
        let err = |invariant, found| Err(CheckError { invariant, pfn: table.frames().pfn(index), found });
        let mut places = free_places(table, areas, index);
        let order = match (frames.frame(index).state(), places.next()) {
            (State::Silent, Some((order, place))) => {
                census.free_pages += order.pages();
                census.free_blocks[usize::from(order.get())] += 1;
                census.unmerged_blocks += usize::from(place == Place::Ring);
                let buddy = table.buddy(table.chunk_of(index).0, order);
                if place == Place::List && order < Order::MAX && table.chunks().is_of(buddy, order) {
                    return err(6, "it and its buddy are both on a list");
                }
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
        if !table.frames().pfn(index).is_aligned(order) {
            return err(1, "the block is not aligned to its size");
        }
        if order.pages() > frames.len() - at {
            return err(1, "the block runs past the end of the range");
        }
        for tail in at + 1..at + order.pages() {
            let tail = Index::new(tail);
            // If it is in a free area, there will be too much in these.
            if frames.frame(tail).state() != State::Silent {
                let pfn = table.frames().pfn(tail);
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
    let (at, bit) = table.chunk_of(index);
    let chunk = table.chunks().at(at);
    let listed = chunk.class().filter(|&class| class >= chunk::ORDER && bit == 0).map(|class| (class, Place::List));
    let in_chunk = (chunk.free() >> bit & 1 == 1).then(|| (chunk::order_at(chunk.free(), bit), Place::Chunk));
    let kept = Order::all().flat_map(move |order| {
        let blocks = (0..areas.kept(order)).filter(move |&nth| areas.kept_block(order, nth) == Some(index));
        blocks.map(move |_| (order, Place::Ring))
    });
    listed.into_iter().chain(in_chunk).chain(kept)
}

/// I5 and I6: each chunk is on the list of its class, and on no other. How many frames are free in them all.
fn check_lists<C: Coalesce>(table: Table<'_>, areas: &FreeAreas<C>) -> Result<usize, CheckError> {
    let mut pages = 0;
    let mut of_class = [0; NR_ORDERS];
    for at in 0..table.nr_chunks() {
        let chunk = table.chunks().at(at);
        let pfn = table.chunk_start(at);
        let err = |invariant, found| Err(CheckError { invariant, pfn, found });
        let free = chunk.free();
        match chunk.class() {
            Some(class) if class >= chunk::ORDER => {
                if free != 0 {
                    return err(4, "a free block, and parts of it are free besides");
                }
                pages += class.pages();
            }
            class => {
                if free == chunk::ALL {
                    return err(6, "all of a chunk is free, and not one block");
                }
                if class != chunk::class(free) {
                    return err(5, "a chunk is not of the class that its free frames make it");
                }
                pages += free.count_ones() as usize;
            }
        }
        if let Some(class) = chunk.class() {
            of_class[usize::from(class.get())] += 1;
        }
    }
    for class in Order::all() {
        check_list(table, areas, class, of_class[usize::from(class.get())])?;
    }
    Ok(pages)
}

/// I5 for one class: a list of distinct chunks of that class, as long as there are such, has them all.
fn check_list<C: Coalesce>(
    table: Table<'_>,
    areas: &FreeAreas<C>,
    class: Order,
    expected: usize,
) -> Result<(), CheckError> {
    let start = table.frames().base();
    let mut prev = Link::END;
    let mut link = areas.head(class);
    let mut length = 0;
    while let Some(at) = link.chunk() {
        if at >= table.nr_chunks() {
            return Err(CheckError { invariant: 5, pfn: start, found: "a link leads out of the table" });
        }
        let chunk = table.chunks().at(at);
        let err = |found| Err(CheckError { invariant: 5, pfn: table.chunk_start(at), found });
        if chunk.class() != Some(class) {
            return err("a chunk is on the list of another class");
        }
        // `prev` tells list members apart: a member reached twice would need two of them. So the list has no
        // cycle, and its members are distinct.
        if chunk.prev() != prev {
            return err("its link back is wrong");
        }
        length += 1;
        prev = link;
        link = chunk.next();
    }
    if length != expected {
        return Err(CheckError { invariant: 5, pfn: start, found: "a chunk is on no list" });
    }
    if areas.tail(class) != prev {
        return Err(CheckError { invariant: 5, pfn: start, found: "the last chunk of a list is not its tail" });
    }
    // The mask and the heads agree: the search starts from the mask.
    if areas.says_nonempty(class) != (expected > 0) {
        return Err(CheckError { invariant: 5, pfn: start, found: "the mask of non-empty lists is wrong" });
    }
    Ok(())
}
