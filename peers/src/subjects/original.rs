//! `original`: the shape of Linux' nVHE `hyp_pool`, written from a description of what it does.
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

use std::hint;
use std::ptr::{self, addr_of_mut};
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use anyhow::{Result, ensure};

use crate::arena::{Arena, PAGE, PAGES};
use crate::rng::SEED;
use crate::subject::{Counted, Pages, Refused, Subject, done};
use crate::workloads::{Mixed, Place, Shared, Work};

const NO_ORDER: u8 = 0xff;
const MAX_ORDER: u8 = 10;

#[repr(C)]
struct Node {
    next: *mut Node,
    prev: *mut Node,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Entry {
    count: u16,
    order: u8,
    _state: u8,
    _shares: u32,
}

const _: () = assert!(size_of::<Entry>() == 8);

#[repr(C)]
struct Lock {
    owner: AtomicU16,
    next: AtomicU16,
}

impl Lock {
    #[inline]
    fn lock(&self) {
        let ticket = self.next.fetch_add(1, Relaxed);
        while self.owner.load(Acquire) != ticket {
            hint::spin_loop();
        }
    }

    /// By the holder, who alone writes `owner`.
    #[inline]
    fn unlock(&self) {
        self.owner.store(self.owner.load(Relaxed).wrapping_add(1), Release);
    }
}

#[repr(C, align(128))] // nothing of anybody else's on its cache lines
struct Pool {
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

    /// Where the buddy of a block of `order` begins, if that is in the range.
    #[inline]
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
    #[inline(never)] // it has two callers in C, boot and put, and is a call there
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
    unsafe fn alloc_pages(this: *mut Self, order: u8) -> *mut u8 {
        // SAFETY: as in `attach`; `area` and what is on the rings is only used with the lock held.
        unsafe {
            (*this).lock.lock();
            let mut i = order;
            while i <= (*this).max_order {
                let head = addr_of_mut!((*this).area[usize::from(i)]);
                if (*head).next != head {
                    break;
                }
                i += 1;
            }
            if i > (*this).max_order {
                (*this).lock.unlock();
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
            (*this).lock.unlock();
            (*this).node(entry).cast()
        }
    }

    /// # Safety
    ///
    /// As `alloc_pages`, and the caller has a reference to the block around `address`.
    #[inline(never)]
    unsafe fn get_page(this: *mut Self, address: usize) {
        // SAFETY: a page of the pool has an entry (O1), changed with the lock held.
        unsafe {
            let entry = (*this).at_virtual(address);
            (*this).lock.lock();
            bug_on((*entry).count == u16::MAX);
            (*entry).count += 1;
            (*this).lock.unlock();
        }
    }

    /// # Safety
    ///
    /// As `get_page`; the reference goes.
    #[inline(never)]
    unsafe fn put_page<const MEMSET: bool>(this: *mut Self, address: usize) {
        // SAFETY: as in `get_page`; a block whose count has come to 0 is nobody's and on no ring.
        unsafe {
            let entry = (*this).at_virtual(address);
            (*this).lock.lock();
            bug_on((*entry).count == 0);
            (*entry).count -= 1;
            if (*entry).count == 0 {
                Self::attach::<MEMSET>(this, entry);
            }
            (*this).lock.unlock();
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

/// The pool with its entries; `MEMSET`: blocks are cleared when they are freed.
pub struct Original<const MEMSET: bool> {
    pool: *mut Pool,
    _entries: Vec<Entry>,
}

impl<const MEMSET: bool> Drop for Original<MEMSET> {
    fn drop(&mut self) {
        // SAFETY: from `Box::into_raw`, and no local is left: each borrows from this.
        drop(unsafe { Box::from_raw(self.pool) });
    }
}

/// The pool, as a thread sees it.
#[derive(Clone, Copy)]
pub struct Handle<'s, const MEMSET: bool>(&'s Original<MEMSET>);

// SAFETY: whatever a `Handle` does to the pool, it does with the pool's lock held, but for reading a count.
unsafe impl<const MEMSET: bool> Send for Handle<'_, MEMSET> {}

impl<const MEMSET: bool> Subject for Original<MEMSET> {
    type Local<'s> = Handle<'s, MEMSET>;

    fn new(arena: &'static Arena) -> Result<Self> {
        let start = arena.base();
        let mut entries = vec![Entry { count: 1, order: 0, _state: 0, _shares: 0 }; PAGES];
        let pool = Box::into_raw(Box::new(Pool {
            lock: Lock { owner: AtomicU16::new(0), next: AtomicU16::new(0) },
            area: [const { Node { next: ptr::null_mut(), prev: ptr::null_mut() } }; MAX_ORDER as usize + 1],
            start,
            end: start + PAGES * PAGE,
            max_order: MAX_ORDER,
            entries: entries.as_mut_ptr().wrapping_sub(start / PAGE),
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
            unsafe { Pool::put_page::<MEMSET>(pool, start + page * PAGE) };
        }
        Ok(Self { pool, _entries: entries })
    }

    fn locals(&mut self, threads: usize) -> Vec<Handle<'_, MEMSET>> {
        vec![Handle(self); threads]
    }

    fn free_pages(&mut self) -> Option<usize> {
        let mut pages = 0;
        for order in 0..=usize::from(MAX_ORDER) {
            // SAFETY: nobody else uses the pool (`&mut`); O3.
            unsafe {
                let head = addr_of_mut!((*self.pool).area[order]);
                let mut at = (*head).next;
                while at != head {
                    pages += 1 << order;
                    at = (*at).next;
                }
            }
        }
        Some(pages)
    }
}

impl<const MEMSET: bool> Pages for Handle<'_, MEMSET> {
    type Page = usize;

    #[inline]
    fn alloc(&mut self, order: u8) -> Result<usize, Refused> {
        // SAFETY: O1 to O3 are true of a pool made by `new`.
        let page = unsafe { Pool::alloc_pages(self.0.pool, order) };
        if page.is_null() { Err(Refused) } else { Ok(page.addr()) }
    }

    #[inline]
    fn free(&mut self, page: usize, _: u8) -> Result<(), Refused> {
        self.put(page)
    }

    #[inline]
    fn address(&self, page: usize) -> *mut u8 {
        ptr::with_exposed_provenance_mut(page)
    }

    #[inline]
    fn retire(&mut self, page: usize, order: u8) -> Result<(), Refused> {
        if !MEMSET {
            // SAFETY: the block is the caller's, who gives it back.
            unsafe { self.address(page).write_bytes(0, PAGE << order) };
        }
        self.put(page)
    }
}

impl<const MEMSET: bool> Counted for Handle<'_, MEMSET> {
    #[inline]
    fn get(&mut self, page: usize) -> Result<(), Refused> {
        // SAFETY: as in `alloc`; workloads get what they have.
        unsafe { Pool::get_page(self.0.pool, page) };
        done(true)
    }

    #[inline]
    fn put(&mut self, page: usize) -> Result<(), Refused> {
        // SAFETY: as in `alloc`; workloads put what they have.
        unsafe { Pool::put_page::<MEMSET>(self.0.pool, page) };
        done(true)
    }

    /// Takes any address in a page, as the original does.
    #[inline]
    fn around(&self, address: usize) -> usize {
        address
    }

    #[inline]
    fn count(&self, page: usize) -> Result<u32, Refused> {
        // SAFETY: the entry of a page of the pool (O1). Those who share a page do not ask for its count.
        Ok(unsafe { (*(*self.0.pool).at_virtual(page)).count.into() })
    }
}

/// Does this policy what the original does? Where its blocks are after the original's own workload says so.
///
/// # Errors
///
/// It does not: then it is no denominator.
pub fn verify(arena: &'static Arena) -> Result<()> {
    debug_assert_eq!(SEED, 0x9e37_79b9_7f4a_7c15);
    let mut subject = Original::<false>::new(arena)?;
    let mut local = Handle(&subject);
    let shared = Shared::default();
    let place = Place { thread: 0, threads: 1, capacity: PAGES, shared: &shared };
    let refused = |_: Refused| anyhow::anyhow!("the original's shape ran out of pages");
    let mut mixed = Mixed::begin(&mut local, place).map_err(refused)?;
    mixed.chunk(&mut local, 200_000).map_err(refused)?;
    let hash = mixed.hash(&local, arena.base());
    mixed.end(&mut local).map_err(refused)?;
    ensure!(
        hash == Mixed::<usize>::HASH,
        "original's blocks are not where Linux' hyp_pool has them: {hash:#x}, not {:#x}",
        Mixed::<usize>::HASH
    );
    ensure!(subject.free_pages() == Some(PAGES), "original has lost pages");
    Ok(())
}
