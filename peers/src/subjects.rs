//! Who is measured.
//!
//! *Ours* first, then what we measure it against in this crate, then what crates.io has. A crate without a lock is
//! behind [`spin::mutex::SpinMutex`]; one that brings a lock keeps it. Each is compiled as it is for its users, who build it
//! with their own code. Only the calls of `original` and `null` are told not to be inlined: the real one's are calls of
//! another object file's functions.
//!
//! Not here, and why: LLFree is not on the registry; NBBS, Hafnium's `mpool` and Linux' `hyp_pool` are C (the last one
//! is here in shape: [`original`]); the frame allocators of k23, Redox, Asterinas and Theseus need their kernels.

pub mod floor;
pub mod heaps;
pub mod null;
pub mod original;
pub mod ours;
pub mod peers;
pub mod split;

use hyp_locks::Ticket;
use hyp_pool::{Atomic, Deferred, Eager, Merged};

use crate::measure::{Cell, Measured, counted, plain};

/// What a subject is to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ours.
    Ours,
    /// To compare with, made here.
    Baseline,
    /// Somebody else's.
    Peer,
}

/// One column of the table.
#[derive(Clone, Copy, Debug)]
pub struct Contestant {
    /// As on the command line.
    pub name: &'static str,
    /// Whose it is.
    pub kind: Kind,
    /// A line about it.
    pub about: &'static str,
    /// Measures it; `None` if it has not got what the workload needs.
    pub measure: fn(&Cell<'_>) -> anyhow::Result<Option<Measured>>,
}

/// The denominator of the table.
pub const ORIGINAL: &str = "original";

/// What is to be taken off where loops are compared.
pub const NULL: &str = "null";

/// Everybody.
pub const ALL: &[Contestant] = &[
    Contestant {
        name: "pool",
        kind: Kind::Ours,
        about: "HypPool<Ticket>, as it comes: path Atomic, coalescing deferred",
        measure: counted::<ours::Pool<Ticket, Atomic, Deferred>>,
    },
    Contestant {
        name: "pool-merged",
        kind: Kind::Ours,
        about: "HypPool<Ticket, Merged>: counts under the lock",
        measure: counted::<ours::Pool<Ticket, Merged, Deferred>>,
    },
    Contestant {
        name: "pool-eager",
        kind: Kind::Ours,
        about: "HypPool<Ticket, Atomic, Eager>: coalesced at once, as the original",
        measure: counted::<ours::Pool<Ticket, Atomic, Eager>>,
    },
    Contestant {
        name: "magazine",
        kind: Kind::Ours,
        about: "the pool, each thread with a Magazine of its own",
        measure: counted::<ours::Magazines<Ticket, Atomic, Deferred, 64>>,
    },
    Contestant {
        name: "magazine-32",
        kind: Kind::Ours,
        about: "the same, with magazines of half the size",
        measure: counted::<ours::Magazines<Ticket, Atomic, Deferred, 32>>,
    },
    Contestant {
        name: "per-cpu",
        kind: Kind::Ours,
        about: "the pool, each thread with a CPU's magazine of its own: a lock that nobody else takes, besides",
        measure: plain::<ours::Cpus<Ticket, Atomic, Deferred>>,
    },
    Contestant {
        name: "bulk",
        kind: Kind::Ours,
        about: "the pool, single pages allocated and put 32 at a time",
        measure: plain::<ours::Bulk<Ticket, Atomic, Deferred>>,
    },
    Contestant {
        name: "owner",
        kind: Kind::Ours,
        about: "pool, each thread with an exclusive owner: counts without a read-modify-write",
        measure: ours::owners::<Ticket, Atomic, Deferred>,
    },
    Contestant {
        name: NULL,
        kind: Kind::Baseline,
        about: "no allocator: what the loop and the call cost",
        measure: null::measure,
    },
    Contestant {
        name: "floor",
        kind: Kind::Baseline,
        about: "a last-in, first-out list of single pages under a spin lock: what a lock and a list cost",
        measure: plain::<floor::Floor>,
    },
    Contestant {
        name: ORIGINAL,
        kind: Kind::Baseline,
        about: "the shape of Linux' hyp_pool: ticket lock, links in the pages, oldest first, merged at once; no memset",
        measure: counted::<original::Original<false>>,
    },
    Contestant {
        name: "original+memset",
        kind: Kind::Baseline,
        about: "the same with its memset, inside the lock",
        measure: counted::<original::Original<true>>,
    },
    Contestant {
        name: "split",
        kind: Kind::Baseline,
        about: "our buddy, counts beside it, count and list changed in two critical sections",
        measure: counted::<split::Split>,
    },
    Contestant {
        name: "bsa-frame",
        kind: Kind::Peer,
        about: "buddy_system_allocator 0.13, LockedFrameAllocator<11>",
        measure: plain::<peers::BsaFrame>,
    },
    Contestant {
        name: "bsa-heap",
        kind: Kind::Peer,
        about: "buddy_system_allocator 0.13, LockedHeap<32>",
        measure: plain::<peers::BsaHeap>,
    },
    Contestant {
        name: "buddy-slab",
        kind: Kind::Peer,
        about: "buddy-slab-allocator 0.6.1, BuddyAllocator",
        measure: plain::<heaps::Behind<peers::BuddySlab>>,
    },
    Contestant {
        name: "bitmap",
        kind: Kind::Peer,
        about: "bitmap-allocator 0.4, BitAlloc64K",
        measure: plain::<peers::Bitmap>,
    },
    Contestant {
        name: "free-list",
        kind: Kind::Peer,
        about: "free-list 0.3, FreeList<16>",
        measure: plain::<heaps::Behind<peers::Ranges>>,
    },
    Contestant {
        name: "talc",
        kind: Kind::Peer,
        about: "talc 5, blocks aligned to a page; 192 MiB",
        measure: plain::<heaps::Behind<heaps::Talc>>,
    },
    Contestant {
        name: "rlsf",
        kind: Kind::Peer,
        about: "rlsf 0.2, Tlsf<u32, u32, 24, 8>, blocks aligned to a page; 192 MiB",
        measure: plain::<heaps::Behind<heaps::Rlsf>>,
    },
    Contestant {
        name: "linked-list",
        kind: Kind::Peer,
        about: "linked_list_allocator 0.10, blocks aligned to a page",
        measure: plain::<heaps::Behind<heaps::LinkedList>>,
    },
    Contestant {
        name: "buddy-alloc",
        kind: Kind::Peer,
        about: "buddy-alloc 0.6, BuddyAlloc with leaves of a page",
        measure: plain::<heaps::Behind<heaps::BuddyAlloc>>,
    },
    Contestant {
        name: "buddyalloc",
        kind: Kind::Peer,
        about: "buddyalloc 0.1, Heap<15>",
        measure: plain::<heaps::Behind<heaps::Buddyalloc>>,
    },
];

/// The one of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Contestant> {
    ALL.iter().find(|contestant| contestant.name == name)
}
