//! Ours: [`HypPool`] under its locks, ways of counting and of coalescing, its exclusive [`Owner`]s and [`Magazine`]s.
//!
//! To add a variant: a [`Subject`] here, whose [`Local`](Subject::Local) is what a thread has, and its line in
//! [`ALL`](super::ALL).

use std::ptr;

use anyhow::Result;
use hyp_pool::{Coalesce, HypPool, Magazine, Owner, Pfn, RefcountPath};
use lock_api::RawMutex;

use crate::arena::{Arena, PAGE};
use crate::measure::{Cell, Measured, counted};
use crate::subject::{Counted, Pages, Refused, Subject, done};
use crate::workloads::Workload;

/// The pool.
#[derive(Debug)]
pub struct Pool<L: RawMutex, R: RefcountPath, C: Coalesce>(HypPool<'static, L, R, C>);

/// The pool, as a thread sees it.
#[derive(Debug)]
pub struct Shared<'s, L: RawMutex, R: RefcountPath, C: Coalesce>(&'s HypPool<'static, L, R, C>);

impl<L, R, C> Subject for Pool<L, R, C>
where
    L: RawMutex + Send + Sync + 'static,
    R: RefcountPath + 'static,
    C: Coalesce + Send + 'static,
{
    type Local<'s> = Shared<'s, L, R, C>;

    fn new(arena: &'static Arena) -> Result<Self> {
        let (frames, range) = arena.frames();
        Ok(Self(HypPool::with_table(frames, range, 0)?))
    }

    fn locals(&mut self, threads: usize) -> Vec<Shared<'_, L, R, C>> {
        (0..threads).map(|_| Shared(&self.0)).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        // With its invariants: a pool that has lost a page has a number to tell, too.
        self.0.check().ok().map(|_| self.0.free_pages())
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Pages for Shared<'_, L, R, C> {
    type Page = Pfn;

    #[inline]
    fn alloc(&mut self, order: u8) -> Result<Pfn, Refused> {
        self.0.alloc_pages(order).map_err(|_| Refused)
    }

    #[inline]
    fn free(&mut self, page: Pfn, _: u8) -> Result<(), Refused> {
        done(self.0.put_page(page).is_ok())
    }

    #[inline]
    fn address(&self, page: Pfn) -> *mut u8 {
        ptr::with_exposed_provenance_mut(page.get() * PAGE)
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Counted for Shared<'_, L, R, C> {
    #[inline]
    fn get(&mut self, page: Pfn) -> Result<(), Refused> {
        done(self.0.get_page(page).is_ok())
    }

    #[inline]
    fn put(&mut self, page: Pfn) -> Result<(), Refused> {
        done(self.0.put_page(page).is_ok())
    }

    #[inline]
    fn around(&self, address: usize) -> Pfn {
        Pfn::new(address / PAGE)
    }

    #[inline]
    fn count(&self, page: Pfn) -> Result<u32, Refused> {
        self.0.page_count(page).map_err(|_| Refused)
    }
}

/// The pool, each thread with a [`Magazine`] of its own.
#[derive(Debug)]
pub struct Magazines<L: RawMutex, R: RefcountPath, C: Coalesce, const N: usize = 32>(Pool<L, R, C>);

/// A magazine.
#[derive(Debug)]
pub struct Loaded<'s, L: RawMutex, R: RefcountPath, C: Coalesce, const N: usize>(Magazine<'s, L, R, C, N>);

impl<L, R, C, const N: usize> Subject for Magazines<L, R, C, N>
where
    L: RawMutex + Send + Sync + 'static,
    R: RefcountPath + 'static,
    C: Coalesce + Send + 'static,
{
    type Local<'s> = Loaded<'s, L, R, C, N>;

    fn new(arena: &'static Arena) -> Result<Self> {
        Pool::new(arena).map(Self)
    }

    fn locals(&mut self, threads: usize) -> Vec<Loaded<'_, L, R, C, N>> {
        (0..threads).map(|_| Loaded(Magazine::new(&self.0.0))).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        self.0.free_pages()
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce, const N: usize> Pages for Loaded<'_, L, R, C, N> {
    type Page = Pfn;

    #[inline]
    fn alloc(&mut self, order: u8) -> Result<Pfn, Refused> {
        self.0.alloc_pages(order).map_err(|_| Refused)
    }

    #[inline]
    fn free(&mut self, page: Pfn, order: u8) -> Result<(), Refused> {
        done(self.0.put_page_of(page, order).is_ok())
    }

    #[inline]
    fn address(&self, page: Pfn) -> *mut u8 {
        ptr::with_exposed_provenance_mut(page.get() * PAGE)
    }
}

/// The pool, each thread with an [`Owner`] of its own: it allocates from all of it, and its pages are its alone.
#[derive(Debug)]
pub struct Owners<L: RawMutex, R: RefcountPath, C: Coalesce>(Pool<L, R, C>);

/// An owner.
#[derive(Debug)]
pub struct Owned<'s, L: RawMutex, R: RefcountPath, C: Coalesce>(Owner<'s, L, R, C>);

/// As [`counted`], but for workloads in which two threads have references to one page, or one frees what the other has
/// allocated: an owner's pages are its alone.
///
/// # Errors
///
/// As `counted`.
pub fn owners<L, R, C>(cell: &Cell<'_>) -> Result<Option<Measured>>
where
    L: RawMutex + Send + Sync + 'static,
    R: RefcountPath + 'static,
    C: Coalesce + Send + 'static,
{
    match cell.workload {
        Workload::W7 | Workload::W7b | Workload::W8 | Workload::W9 => Ok(None),
        _ => counted::<Owners<L, R, C>>(cell),
    }
}

impl<L, R, C> Subject for Owners<L, R, C>
where
    L: RawMutex + Send + Sync + 'static,
    R: RefcountPath + 'static,
    C: Coalesce + Send + 'static,
{
    type Local<'s> = Owned<'s, L, R, C>;

    fn new(arena: &'static Arena) -> Result<Self> {
        Pool::new(arena).map(Self)
    }

    fn locals(&mut self, threads: usize) -> Vec<Owned<'_, L, R, C>> {
        (0..threads).filter_map(|_| self.0.0.owner().map(Owned)).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        self.0.free_pages()
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Pages for Owned<'_, L, R, C> {
    type Page = Pfn;

    #[inline]
    fn alloc(&mut self, order: u8) -> Result<Pfn, Refused> {
        self.0.alloc_pages(order).map_err(|_| Refused)
    }

    #[inline]
    fn free(&mut self, page: Pfn, _: u8) -> Result<(), Refused> {
        done(self.0.put_page(page).is_ok())
    }

    #[inline]
    fn address(&self, page: Pfn) -> *mut u8 {
        ptr::with_exposed_provenance_mut(page.get() * PAGE)
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Counted for Owned<'_, L, R, C> {
    #[inline]
    fn get(&mut self, page: Pfn) -> Result<(), Refused> {
        done(self.0.get_page(page).is_ok())
    }

    #[inline]
    fn put(&mut self, page: Pfn) -> Result<(), Refused> {
        done(self.0.put_page(page).is_ok())
    }

    #[inline]
    fn around(&self, address: usize) -> Pfn {
        Pfn::new(address / PAGE)
    }

    #[inline]
    fn count(&self, page: Pfn) -> Result<u32, Refused> {
        self.0.page_count(page).map_err(|_| Refused)
    }
}
