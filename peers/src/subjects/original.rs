//! `original`: the shape of Linux' nVHE `hyp_pool`, with its memset and without, and what makes it a
//! denominator: its blocks are where the real one has them ([`verify`]), and it takes about as many instructions
//! ([`instructions`](crate::instructions)).

mod shape;

use std::ptr;

use anyhow::{Result, ensure};

use crate::arena::{Arena, PAGE, PAGES};
use crate::subject::{Counted, Pages, Refused, Subject, done};
use crate::workloads::{Mixed, Place, Shared, Work};
use shape::{Entry, Pool};

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
        let mut entries = vec![Entry::ALLOCATED; PAGES];
        let pool = Pool::new::<MEMSET>(arena.base(), entries.as_mut_ptr());
        Ok(Self { pool, _entries: entries })
    }

    fn locals(&mut self, threads: usize) -> Vec<Handle<'_, MEMSET>> {
        vec![Handle(self); threads]
    }

    fn free_pages(&mut self) -> Option<usize> {
        // SAFETY: nobody else uses it (`&mut`).
        Some(unsafe { Pool::free_pages(self.pool) })
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
        // SAFETY: `pool` is one; those who share a page do not ask for its count.
        Ok(unsafe { Pool::count(self.0.pool, page) }.into())
    }
}

/// Does this policy what the original does? Where its blocks are after the original's own workload says so.
///
/// # Errors
///
/// It does not: then it is no denominator.
pub fn verify(arena: &'static Arena) -> Result<()> {
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
