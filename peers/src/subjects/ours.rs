//! Ours: [`HypPool`] under its locks and ways of counting.
//!
//! To add a variant: a [`Subject`] here, whose [`Local`](Subject::Local) is what a thread has (a magazine, or the
//! pool itself for an exclusive owner, with [`Subject::THREADS`] 1), and its line in [`ALL`](super::ALL).

use std::ptr;

use anyhow::{Context, Result};
use hyp_locks::Ticket;
use hyp_pool::{Atomic, Coalesce, Deferred, HypPool, Magazine, Owner, Pfn, RefcountPath};
use lock_api::RawMutex;

use crate::arena::{Arena, PAGE};
use crate::subject::{Counted, Pages, Refused, Subject, done};

/// A pool, by frame number.
#[derive(Debug)]
pub struct Pool<L: RawMutex, R: RefcountPath, C: Coalesce = Deferred>(HypPool<'static, L, R, C>);

/// What its threads have.
#[derive(Debug)]
pub struct Shared<'s, L: RawMutex, R: RefcountPath, C: Coalesce>(&'s HypPool<'static, L, R, C>);

impl<L: RawMutex + Send + Sync + 'static, R: RefcountPath, C: Coalesce> Subject for Pool<L, R, C> {
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
        address(page)
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

/// The default pool, each thread with a magazine.
#[derive(Debug)]
pub struct Magazines(Pool<Ticket, Atomic>);

impl Subject for Magazines {
    type Local<'s> = Magazine<'s, Ticket>;

    fn new(arena: &'static Arena) -> Result<Self> {
        Pool::new(arena).map(Self)
    }

    fn locals(&mut self, threads: usize) -> Vec<Magazine<'_, Ticket>> {
        (0..threads).map(|_| Magazine::new(&self.0.0)).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        self.0.free_pages()
    }
}

impl Pages for Magazine<'_, Ticket> {
    type Page = Pfn;

    #[inline]
    fn alloc(&mut self, order: u8) -> Result<Pfn, Refused> {
        self.alloc_pages(order).map_err(|_| Refused)
    }

    #[inline]
    fn free(&mut self, page: Pfn, _: u8) -> Result<(), Refused> {
        done(self.put_page(page).is_ok())
    }

    #[inline]
    fn address(&self, page: Pfn) -> *mut u8 {
        address(page)
    }
}

/// The default pool, whose blocks' references one owner counts.
#[derive(Debug)]
pub struct Owned(Pool<Ticket, Atomic>);

impl Subject for Owned {
    type Local<'s> = Owner<'s, Ticket>;

    const THREADS: usize = 1;

    fn new(arena: &'static Arena) -> Result<Self> {
        let pool = Pool::new(arena)?;
        drop(pool.0.owner().context("a new pool has no owner yet")?);
        Ok(Self(pool))
    }

    fn locals(&mut self, threads: usize) -> Vec<Owner<'_, Ticket>> {
        (0..threads).filter_map(|_| self.0.0.owner()).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        self.0.free_pages()
    }
}

impl Pages for Owner<'_, Ticket> {
    type Page = Pfn;

    #[inline]
    fn alloc(&mut self, order: u8) -> Result<Pfn, Refused> {
        self.alloc_pages(order).map_err(|_| Refused)
    }

    #[inline]
    fn free(&mut self, page: Pfn, _: u8) -> Result<(), Refused> {
        done(self.put_page(page).is_ok())
    }

    #[inline]
    fn address(&self, page: Pfn) -> *mut u8 {
        address(page)
    }
}

impl Counted for Owner<'_, Ticket> {
    #[inline]
    fn get(&mut self, page: Pfn) -> Result<(), Refused> {
        done(self.get_page(page).is_ok())
    }

    #[inline]
    fn put(&mut self, page: Pfn) -> Result<(), Refused> {
        done(self.put_page(page).is_ok())
    }

    #[inline]
    fn around(&self, address: usize) -> Pfn {
        Pfn::new(address / PAGE)
    }

    #[inline]
    fn count(&self, page: Pfn) -> Result<u32, Refused> {
        self.page_count(page).map_err(|_| Refused)
    }
}

fn address(page: Pfn) -> *mut u8 {
    ptr::with_exposed_provenance_mut(page.get() * PAGE)
}
