//! The page allocator that hypervisors and RTOSes embed: a buddy allocator with a reference count on every
//! block, the lock a type parameter.
//!
//! After `hyp_pool` of Linux KVM/arm64, and after the change that gave it its shape: a reference count and
//! the free-list change that it implies belong in *one* critical section, so that nobody can see a page that
//! is neither owned nor free. Here that state cannot even be written down ([`TableWord`]).
//!
//! ```
//! use hyp_pool::{HypPool, PageSize, TableWord, table_words};
//!
//! let range = PageSize::SIZE_4K.range(0x8000_0000, 0x8400_0000); // 64 MiB
//! // In a hypervisor: a static, or a slice carved out at boot.
//! let table: Vec<TableWord> = (0..table_words(range.len())).map(|_| TableWord::VACANT).collect();
//! let pool = HypPool::<parking_lot::RawMutex>::with_table(&table, range, 0)?;
//!
//! let block = pool.alloc(9)?;     // 2 MiB, aligned
//! let shared = block.clone();     // get_page
//! drop(block);                    // put_page
//! assert_eq!(shared.count(), 1);
//! drop(shared);                   // the last one: free, coalesced
//! assert_eq!(pool.free_pages(), 16384);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Principles
//!
//! 1. **The pool never touches the memory it hands out.** It may be unmapped, a guest's, secret, a device's;
//!    a use after free cannot corrupt the allocator; zeroing goes through the caller's [`PhysMap`], outside the lock
//!    ([`Erasing`]).
//! 2. **No unsafe code, no heap, no OS**, no dependency but `lock_api`. The caller supplies the frame table:
//!    4½ bytes a page, [`table_words`] words.
//! 3. **Misuse is a typed error that changes nothing**, in release builds too, as far as one word can tell:
//!    a double put, a put or get of a free, tail or foreign page, an overflow, a bad order, range or table.
//! 4. **One critical section an operation**, as short as it can be: a bounded number of words
//!    ([`algorithm`], "Cost").
//! 5. **The lock is yours**: any `lock_api` 0.5 `RawMutex`. Interrupt handlers allocate if it saves the
//!    interrupt state.
//!
//! # What to take
//!
//! | | for | costs |
//! |---|---|---|
//! | [`HypPool`] by frame number | code that counts its references itself, as C does | a lock to allocate and to free, a compare-exchange to count |
//! | [`PageRef`] | `Clone` gets, `Drop` puts | the same |
//! | [`Owner`] | one guest's page tables: whoever alone counts | a load and a store to count |
//! | [`Magazine`], [`PerCpu`] | a CPU that allocates and frees all the time | a store to allocate, a compare-exchange to free; no lock |
//! | [`HypPool::alloc_bulk`], [`put_bulk`](HypPool::put_bulk) | caches of pages, teardown | a lock for each [`BULK`] |
//! | [`Erasing`] | memory that must be zero, or must be forgotten, by any of the ways above: a guest's pages, scrubbed in bulk when it is gone | the clearing, outside the lock |
//! | [`Buddy`] | those who bring their own lock and counts | |
//!
//! The pool as it comes is `HypPool<L>`, that is `HypPool<L, Atomic, Deferred>`.
//!
//! # Layers
//!
//! ```text
//! Erasing<F, M>   around a pool or any of these   contents
//!    │
//! PageRef  Owner  Magazine  PerCpu            handle, owner, magazine, per_cpu
//!    │
//! HypPool<L, R, C>   one lock                 pool, calls, counting, bulk, refcount
//!    │
//! Buddy              pure, by &mut            buddy, algorithm, run, check
//!    │
//! Free areas         rings, lists of chunks   free_area, coalesce, chunk
//!    │
//! Table              the words                word, table
//!    │
//! Pfn, Order         arithmetic               pfn; page_size turns addresses into frame numbers
//! ```

#![no_std]
// The models implement `RawMutex`, an unsafe trait, and have a cell that loom watches.
#![cfg_attr(not(loom), forbid(unsafe_code))]

#[cfg(any(test, loom))]
extern crate std;

pub mod algorithm;
mod buddy;
mod bulk;
mod calls;
mod check;
mod chunk;
mod coalesce;
mod contents;
mod counting;
mod error;
mod free_area;
mod handle;
mod line;
mod magazine;
#[cfg(loom)]
mod models;
mod owner;
mod page_size;
mod per_cpu;
mod pfn;
mod pool;
mod racks;
pub mod refcount;
mod run;
mod sync;
mod table;
#[cfg(all(test, not(loom)))]
mod tests;
mod word;

pub use buddy::Buddy;
pub use bulk::BULK;
pub use check::Census;
pub use coalesce::{Coalesce, Deferred, Eager, OldestFirst};
pub use contents::{Contents, Erasable, Erasing, PhysMap};
pub use error::{AllocError, BulkError, CheckError, InitError, PageError};
pub use handle::{PageRef, SplitPages};
pub use magazine::Magazine;
pub use owner::{MAX_POOL_OWNERS, Owner};
pub use page_size::PageSize;
pub use per_cpu::PerCpu;
pub use pfn::{MAX_ORDER, NR_ORDERS, Order, Pfn, PfnRange};
pub use pool::HypPool;
pub use refcount::{Atomic, Merged, RefcountPath};
pub use table::table_words;
pub use word::{MAX_COUNT, TableWord};
