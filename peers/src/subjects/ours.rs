//! Ours: [`HypPool`] under its locks and ways of counting.
//!
//! To add a variant: a [`Subject`] here, whose [`Local`](Subject::Local) is what a thread has (a magazine, or the
//! pool itself for an exclusive owner, with [`Subject::THREADS`] 1), and its line in [`ALL`](super::ALL).

use std::ptr;

use anyhow::Result;
use hyp_pool::{HypPool, Pfn, RefcountPath};
use lock_api::RawMutex;

use crate::arena::{Arena, PAGE};
use crate::subject::{Counted, Pages, Refused, Subject, done};

/// The pool.
#[derive(Debug)]
pub struct Pool<L: RawMutex, R: RefcountPath>(HypPool<'static, L, R>);

/// The pool, as a thread sees it.
#[derive(Debug)]
pub struct Shared<'s, L: RawMutex, R: RefcountPath>(&'s HypPool<'static, L, R>);

impl<L: RawMutex + Send + Sync + 'static, R: RefcountPath + 'static> Subject for Pool<L, R> {
    type Local<'s> = Shared<'s, L, R>;

    fn new(arena: &'static Arena) -> Result<Self> {
        let (frames, range) = arena.frames();
        Ok(Self(HypPool::with_table(frames, range, 0)?))
    }

    fn locals(&mut self, threads: usize) -> Vec<Shared<'_, L, R>> {
        (0..threads).map(|_| Shared(&self.0)).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        // With its invariants: a pool that has lost a page has a number to tell, too.
        self.0.check().ok().map(|_| self.0.free_pages())
    }
}

impl<L: RawMutex, R: RefcountPath> Pages for Shared<'_, L, R> {
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

impl<L: RawMutex, R: RefcountPath> Counted for Shared<'_, L, R> {
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
