//! Ours: [`HypPool`] under its locks, ways of counting and of coalescing, and what it can be used through: exclusive
//! [`Owner`]s, [`Magazine`]s, those of CPUs, calls for many.
//!
//! To add a variant: a [`Subject`] here, whose [`Local`](Subject::Local) is what a thread has, and its line in
//! [`ALL`](super::ALL).

use std::ptr;

use anyhow::Result;
use hyp_pool::{AllocError, BULK, BulkError, Coalesce, HypPool, Magazine, Owner, PerCpu, Pfn, RefcountPath};
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

/// A pool of which each thread has something of its own: `$local`, made of `$pool`.
macro_rules! on_a_pool {
    ($(#[$about:meta])* $subject:ident, $local:ident $([$size:ident])?, $orders:expr, |$pool:ident| $make:expr) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct $subject<L: RawMutex, R: RefcountPath, C: Coalesce $(, const $size: usize)?>(Pool<L, R, C>);

        impl<L, R, C $(, const $size: usize)?> Subject for $subject<L, R, C $(, $size)?>
        where
            L: RawMutex + Send + Sync + 'static,
            R: RefcountPath + 'static,
            C: Coalesce + Send + 'static,
        {
            type Local<'s> = $local<'s, L, R, C $(, $size)?>;
            const ORDERS: bool = $orders;

            fn new(arena: &'static Arena) -> Result<Self> {
                Pool::new(arena).map(Self)
            }

            fn locals(&mut self, threads: usize) -> Vec<Self::Local<'_>> {
                let $pool = &self.0.0;
                (0..threads).filter_map(|_| $make).collect()
            }

            fn free_pages(&mut self) -> Option<usize> {
                self.0.free_pages()
            }
        }
    };
}

on_a_pool!(
    /// The pool, each thread with a [`Magazine`] of its own.
    Magazines, Loaded[N], true, |pool| Some(Loaded(Magazine::new(pool), pool))
);

on_a_pool!(
    /// The pool, each thread with a CPU's magazine of its own.
    Cpus, OnCpu, true, |pool| Some(OnCpu(PerCpu::new(pool)))
);

on_a_pool!(
    /// The pool, each thread with an [`Owner`] of its own: it allocates from all of it, and its pages are its alone.
    Owners, Owned, true, |pool| pool.owner().map(Owned)
);

on_a_pool!(
    /// The pool, single pages allocated and put [`BULK`] at a time.
    Bulk, Batched, false, |pool| Some(Batched { pool, next: Vec::with_capacity(BULK), put: Vec::with_capacity(BULK) })
);

/// A magazine, and the pool, which counts.
#[derive(Debug)]
pub struct Loaded<'s, L: RawMutex, R: RefcountPath, C: Coalesce, const N: usize>(
    Magazine<'s, L, R, C, N>,
    &'s HypPool<'static, L, R, C>,
);

/// The magazine of a CPU, behind a lock that nobody else takes.
#[derive(Debug)]
pub struct OnCpu<'s, L: RawMutex, R: RefcountPath, C: Coalesce>(PerCpu<'s, L, 1, L, R, C>);

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

/// The calls of what a thread has. `$free` is given it, the page and its order.
macro_rules! pages {
    ($local:ident $([$size:ident])?, $alloc:expr, $free:expr) => {
        impl<L: RawMutex, R: RefcountPath, C: Coalesce $(, const $size: usize)?> Pages for $local<'_, L, R, C $(, $size)?> {
            type Page = Pfn;

            #[inline]
            fn alloc(&mut self, order: u8) -> Result<Pfn, Refused> {
                $alloc(self, order).map_err(|_| Refused)
            }

            #[inline]
            fn free(&mut self, page: Pfn, order: u8) -> Result<(), Refused> {
                done($free(self, page, order).is_ok())
            }

            #[inline]
            fn address(&self, page: Pfn) -> *mut u8 {
                ptr::with_exposed_provenance_mut(page.get() * PAGE)
            }
        }
    };
}

pages!(Shared, |my: &Self, order| my.0.alloc_pages(order), |my: &Self, page, _| my.0.put_page(page));
pages!(Owned, |my: &mut Self, order| my.0.alloc_pages(order), |my: &mut Self, page, _| my.0.put_page(page));
pages!(OnCpu, |my: &Self, order| my.0.alloc_pages(0, order), |my: &Self, page, of| my.0.put_page_of(0, page, of));
pages!(Loaded[N], |my: &mut Self, order| my.0.alloc_pages(order), |my: &mut Self, page, of| my.0.put_page_of(page, of));
pages!(Batched, |my: &mut Self, _| my.alloc(), |my: &mut Self, page, _| my.put(page));

/// What counts references counts them in the same way: `$counts` gets them and tells how many there are.
macro_rules! counts {
    ($local:ident $([$size:ident])?, $counts:tt) => {
        impl<L: RawMutex, R: RefcountPath, C: Coalesce $(, const $size: usize)?> Counted
            for $local<'_, L, R, C $(, $size)?>
        {
            #[inline]
            fn get(&mut self, page: Pfn) -> Result<(), Refused> {
                done(self.$counts.get_page(page).is_ok())
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
                self.$counts.page_count(page).map_err(|_| Refused)
            }
        }
    };
}

counts!(Shared, 0);
counts!(Owned, 0);
counts!(Loaded[N], 1);

/// A batch on its way in and one on its way out.
#[derive(Debug)]
pub struct Batched<'s, L: RawMutex, R: RefcountPath, C: Coalesce> {
    pool: &'s HypPool<'static, L, R, C>,
    next: Vec<Pfn>,
    put: Vec<Pfn>,
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Batched<'_, L, R, C> {
    fn alloc(&mut self) -> Result<Pfn, AllocError> {
        if self.next.is_empty() {
            self.next.resize(BULK, Pfn::new(0));
            let got = self.pool.alloc_bulk(0, &mut self.next);
            self.next.truncate(*got.as_ref().unwrap_or(&0));
            got?;
        }
        self.next.pop().ok_or(AllocError::OutOfMemory)
    }

    fn put(&mut self, page: Pfn) -> Result<(), BulkError> {
        self.put.push(page);
        if self.put.len() < BULK { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), BulkError> {
        let result = self.pool.put_bulk(&self.put);
        self.put.clear();
        result
    }
}

impl<L: RawMutex, R: RefcountPath, C: Coalesce> Drop for Batched<'_, L, R, C> {
    fn drop(&mut self) {
        self.put.append(&mut self.next);
        // What is refused here is missing from the count at the end.
        let _ = self.flush();
    }
}
