//! The sums, with the world stopped.
//!
//! ```text
//!   HypPool::check          frames allocated  =  in the ledger          what threads have said is theirs, and the shared
//!                                              + in magazines           of threads, and of CPUs
//!                                              + by stray handles       of blocks that are in no slot any more
//!   frames free + allocated                   =  the range
//!   each thread's blocks                      =  the ledger's frames with its number
//!   a shared page's references                =  1 + those that threads say they have
//! ```

use crate::commons::Commons;
use crate::worker::Holdings;
use hyp_pool::RefcountPath;
use lock_api::RawMutex;
use std::collections::BTreeMap;

/// Compares; frames in use.
///
/// # Panics
///
/// If something does not agree.
pub fn all<L: RawMutex, R: RefcountPath>(commons: &Commons<'_, L, R>, holdings: &[Holdings]) -> usize {
    let census = commons.pool.check().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(census.free_pages + census.allocated_pages, commons.len(), "frames are lost");
    assert_eq!(commons.pool.free_pages(), census.free_pages, "the counter of free pages is off");

    let sums = commons.ledger.sums(holdings.len());
    for (thread, (one, &sum)) in holdings.iter().zip(&sums).enumerate() {
        assert_eq!(one.pages, sum, "thread {thread} has other frames than the ledger says");
    }
    // A block that was in a slot: whoever still has a handle, it is one block.
    let in_slots: Vec<_> = commons.slots.iter().filter_map(|slot| slot.lock().as_ref().map(|h| h.pfn())).collect();
    let mut handles = BTreeMap::new();
    for &(pfn, order) in holdings.iter().flat_map(|one| &one.handles) {
        handles.entry(pfn).or_insert((order, 0)).1 += 1;
    }
    let mut stray = 0;
    for (&pfn, &(order, count)) in &handles {
        let in_slot = in_slots.contains(&pfn);
        assert_eq!(commons.pool.page_count(pfn), Ok(count + u32::from(in_slot)), "handles of block {pfn}");
        if !in_slot {
            stray += 1 << order;
        }
    }
    let magazines = holdings.iter().map(|one| one.magazine).sum::<usize>() + commons.cpus.pages();
    let accounted = sums.iter().sum::<usize>() + stray + magazines;
    assert_eq!(census.allocated_pages, accounted, "allocated frames that nobody has, or the other way round");

    for (nth, &page) in commons.pages.iter().enumerate() {
        let references: u32 = holdings.iter().map(|one| one.references[nth]).sum();
        assert_eq!(commons.pool.page_count(page), Ok(1 + references), "references of shared page {page}");
    }
    census.allocated_pages
}
