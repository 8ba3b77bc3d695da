//! The shape of Linux' nVHE `hyp_pool`, written from a description of what it does.
//!
//! ```text
//!  Pool ─┬─ lock         two halves, next and owner: `lock xadd`, and a plain store
//!        ├─ area[0..=10] rings ──► │next│prev│…  in the first 16 bytes of each free block
//!        ├─ start, end
//!        └─ entries      8 bytes a page: count (16 bits), order (8 bits), what is not the allocator's (40 bits)
//! ```
//!
//! A free block goes to the end of its ring and the first one is taken: oldest first. It is merged at once. Everything
//! but the reading of a count is under the lock, the memset of the block (`MEMSET`) included. A call is a call, as
//! between two files of C.
//!
//! # Invariants
//!
//! They hold whenever the lock is free.
//!
//! * O1 `entries[i]` describes page `i` of `start..end`; a block's first page has its order, the others `NO_ORDER`.
//! * O2 A block with count 0 is on the ring of its order, once; its first 16 bytes are its node.
//! * O3 Rings are well-formed: `next` and `prev` are inverse, and lead to nodes of O2 and the head in `area`. The
//!   `Pool` does not move.

#![expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "as in C, each step is one, for the same reason: the lock is held"
)]

use std::hint;
use std::ptr::{self, addr_of_mut};
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::arena::{PAGE, PAGES};

const NO_ORDER: u8 = 0xff;
const MAX_ORDER: u8 = 10;

#[repr(C)]
struct Node {
    next: *mut Node,
    prev: *mut Node,
}

#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Entry {
    count: u16,
    order: u8,
    _state: u8,
    _shares: u32,
}

impl Entry {
    /// A page by itself, with one reference.
    pub(super) const ALLOCATED: Self = Self { count: 1, order: 0, _state: 0, _shares: 0 };
}

const _: () = assert!(size_of::<Entry>() == 8);

#[repr(C)]
struct Lock {
    owner: AtomicU16,
    next: AtomicU16,
}

impl Lock {
    #[inline]
    fn lock(&self) -> u16 {
        let ticket = self.next.fetch_add(1, Relaxed);
        while self.owner.load(Acquire) != ticket {
            hint::spin_loop();
        }
        ticket
    }

    /// By the holder of that number, who alone writes `owner`.
    #[inline]
    fn unlock(&self, ticket: u16) {
        self.owner.store(ticket.wrapping_add(1), Release);
    }
}

#[repr(C, align(128))] // nothing of anybody else's on its cache lines
pub(super) struct Pool {
    lock: Lock,
    area: [Node; MAX_ORDER as usize + 1],
    start: usize,
    end: usize,
    max_order: u8,
    /// Biased, so that it is indexed by frame number, as the kernel's is.
    entries: *mut Entry,
    /// Physical minus virtual addresses: 0 here, but no compiler knows.
    offset: usize,
}

/// # Safety
///
/// `head` and its ring as O3 says, `this` the first bytes of a free block that is on no ring, the lock held.
#[inline]
unsafe fn add_last(this: *mut Node, head: *mut Node) {
    // SAFETY: by O3 and the caller's promise all three are nodes that the holder of the lock may change.
    unsafe {
        this.write(Node { next: this, prev: this });
        let last = (*head).prev;
        (*head).prev = this;
        (*this).next = head;
        (*this).prev = last;
        (*last).next = this;
    }
}

/// Takes it off, and leaves zeroes.
///
/// # Safety
///
/// `this` is on a ring (O2, O3), the lock held.
#[inline]
unsafe fn remove(this: *mut Node) {
    // SAFETY: by O3 all three are nodes that the holder of the lock may change.
    unsafe {
        let Node { next, prev } = this.read();
        (*next).prev = prev;
        (*prev).next = next;
        this.write_bytes(0, 1);
    }
}

impl Pool {
    /// A pool of the arena from `start` on, whose entries are these: [`PAGES`], each of an allocated page. All are put.
    /// It goes when it is dropped as a box.
    pub(super) fn new<const MEMSET: bool>(start: usize, entries: *mut Entry) -> *mut Self {
        let pool = Box::into_raw(Box::new(Self {
            lock: Lock { owner: AtomicU16::new(0), next: AtomicU16::new(0) },
            area: [const { Node { next: ptr::null_mut(), prev: ptr::null_mut() } }; MAX_ORDER as usize + 1],
            start,
            end: start + PAGES * PAGE,
            max_order: MAX_ORDER,
            entries: entries.wrapping_sub(start / PAGE),
            offset: hint::black_box(0),
        }));
        for order in 0..=usize::from(MAX_ORDER) {
            // SAFETY: the pool is ours alone; O3 of an empty ring.
            unsafe {
                let head = addr_of_mut!((*pool).area[order]);
                head.write(Node { next: head, prev: head });
            }
        }
        for page in 0..PAGES {
            // SAFETY: O1 to O3 of pages with one reference, which goes now.
            unsafe { Self::put_page::<MEMSET>(pool, start + page * PAGE) };
        }
        pool
    }

    /// Pages on the rings.
    ///
    /// # Safety
    ///
    /// `this` is a pool, which nobody else uses meanwhile.
    pub(super) unsafe fn free_pages(this: *mut Self) -> usize {
        let mut pages = 0;
        for order in 0..=usize::from(MAX_ORDER) {
            // SAFETY: O3, and the caller's promise.
            unsafe {
                let head = addr_of_mut!((*this).area[order]);
                let mut at = (*head).next;
                while at != head {
                    pages += 1 << order;
                    at = (*at).next;
                }
            }
        }
        pages
    }

    /// References, read without the lock.
    ///
    /// # Safety
    ///
    /// `this` is a pool; nobody changes the count of the page at `address` meanwhile.
    #[inline]
    pub(super) unsafe fn count(this: *mut Self, address: usize) -> u16 {
        // SAFETY: a page of the pool has an entry (O1).
        unsafe { (*(*this).at_virtual(address)).count }
    }
}

/// A block goes by the entry of its first page; its addresses are worked out whenever they are needed, as in C.
impl Pool {
    #[inline]
    fn physical(&self, entry: *mut Entry) -> usize {
        entry.addr().wrapping_sub(self.entries.addr()) / size_of::<Entry>() * PAGE
    }

    #[inline]
    fn node(&self, entry: *mut Entry) -> *mut Node {
        ptr::with_exposed_provenance_mut(self.physical(entry).wrapping_sub(self.offset))
    }

    #[inline]
    fn at_physical(&self, address: usize) -> *mut Entry {
        self.entries.wrapping_add(address / PAGE)
    }

    #[inline]
    fn at_virtual(&self, address: usize) -> *mut Entry {
        self.at_physical(address.wrapping_add(self.offset))
    }

    /// Where the buddy of a block of `order` begins, if that is in the range. A call, as gcc makes of what has two
    /// callers and is not short.
    #[inline(never)]
    fn buddy(&self, entry: *mut Entry, order: u8) -> Option<*mut Entry> {
        let address = self.physical(entry) ^ PAGE << order;
        (address >= self.start && address < self.end).then(|| self.at_physical(address))
    }

    /// The buddy, if it is a free block of the same order.
    ///
    /// # Safety
    ///
    /// O1 to O3, the lock held.
    #[inline]
    unsafe fn free_buddy(&self, entry: *mut Entry, order: u8) -> Option<*mut Entry> {
        let buddy = self.buddy(entry, order)?;
        // SAFETY: within the range, hence of O1.
        let other = unsafe { *buddy };
        (other.order == order && other.count == 0).then_some(buddy)
    }

    /// # Safety
    ///
    /// The block of `entry` has count 0 and is on no ring; O1 to O3 otherwise; the lock held.
    #[inline(never)] // as `buddy`: called by boot and by put
    unsafe fn attach<const MEMSET: bool>(this: *mut Self, mut entry: *mut Entry) {
        // SAFETY: `this` is the pool (the caller's promise); by O1 its entries are those of pages in its range, which
        // `entry` is and `free_buddy` gives; what is on no ring and has no owner is ours to write.
        unsafe {
            let mut order = (*entry).order;
            if MEMSET {
                (*this).node(entry).cast::<u8>().write_bytes(0, PAGE << order);
            }
            let address = (*this).physical(entry);
            if address >= (*this).start && address < (*this).end {
                (*entry).order = NO_ORDER;
                while order < (*this).max_order {
                    let Some(buddy) = (*this).free_buddy(entry, order) else { break };
                    remove((*this).node(buddy));
                    (*buddy).order = NO_ORDER;
                    entry = entry.min(buddy);
                    order += 1;
                }
            }
            (*entry).order = order;
            add_last((*this).node(entry), addr_of_mut!((*this).area[usize::from(order)]));
        }
    }

    /// # Safety
    ///
    /// `this` is a pool of which O1 to O3 are true.
    #[inline(never)]
    pub(super) unsafe fn alloc_pages(this: *mut Self, order: u8) -> *mut u8 {
        // SAFETY: as in `attach`; `area` and what is on the rings is only used with the lock held.
        unsafe {
            let ticket = (*this).lock.lock();
            let mut i = order;
            while i <= (*this).max_order {
                let head = addr_of_mut!((*this).area[usize::from(i)]);
                if (*head).next != head {
                    break;
                }
                i += 1;
            }
            if i > (*this).max_order {
                (*this).lock.unlock(ticket);
                return ptr::null_mut();
            }
            let entry = (*this).at_virtual((*this).area[usize::from(i)].next.addr());
            remove((*this).node(entry));
            while (*entry).order > order {
                (*entry).order -= 1;
                let Some(buddy) = (*this).buddy(entry, (*entry).order) else { bug() };
                (*buddy).order = (*entry).order;
                add_last((*this).node(buddy), addr_of_mut!((*this).area[usize::from((*buddy).order)]));
            }
            bug_on((*entry).count != 0);
            (*entry).count = 1;
            (*this).lock.unlock(ticket);
            (*this).node(entry).cast()
        }
    }

    /// # Safety
    ///
    /// As `alloc_pages`, and the caller has a reference to the block around `address`.
    #[inline(never)]
    pub(super) unsafe fn get_page(this: *mut Self, address: usize) {
        // SAFETY: a page of the pool has an entry (O1), changed with the lock held.
        unsafe {
            let entry = (*this).at_virtual(address);
            let ticket = (*this).lock.lock();
            bug_on((*entry).count == u16::MAX);
            (*entry).count += 1;
            (*this).lock.unlock(ticket);
        }
    }

    /// # Safety
    ///
    /// As `get_page`; the reference goes.
    #[inline(never)]
    pub(super) unsafe fn put_page<const MEMSET: bool>(this: *mut Self, address: usize) {
        // SAFETY: as in `get_page`; a block whose count has come to 0 is nobody's and on no ring.
        unsafe {
            let entry = (*this).at_virtual(address);
            let ticket = (*this).lock.lock();
            bug_on((*entry).count == 0);
            (*entry).count -= 1;
            if (*entry).count == 0 {
                Self::attach::<MEMSET>(this, entry);
            }
            (*this).lock.unlock(ticket);
        }
    }
}

#[cold]
fn bug() -> ! {
    std::process::abort()
}

/// What the original does about misuse: it stops the machine.
#[inline]
fn bug_on(it: bool) {
    if it {
        bug();
    }
}
