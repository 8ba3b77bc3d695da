//! `null`: no allocator at all. It hands out the same page for ever: what is left is the loop, and the call. To be taken
//! off, where loops of others are compared with ours.

use std::hint::black_box;
use std::ptr;

use anyhow::Result;

use crate::arena::Arena;
use crate::measure::{Cell, Measured, counted};
use crate::subject::{Counted, Pages, Refused, Subject, done};
use crate::workloads::Workload;

/// The address of the page.
#[derive(Debug)]
pub struct Null(usize);

#[inline(never)]
fn alloc(null: &Null, order: u8) -> usize {
    black_box(order);
    null.0
}

#[inline(never)]
fn put(page: usize) {
    black_box(page);
}

/// As [`counted`]. A page that is all tables at once would be none, and one that two cores clear at once would cost what
/// no subject pays.
///
/// # Errors
///
/// As `counted`.
pub fn measure(cell: &Cell<'_>) -> Result<Option<Measured>> {
    let none = cell.workload.tables() || cell.workload == Workload::W5z;
    if none { Ok(None) } else { counted::<Null>(cell) }
}

impl Subject for Null {
    type Local<'s> = &'s Self;

    fn new(arena: &'static Arena) -> Result<Self> {
        Ok(Self(arena.base()))
    }

    fn locals(&mut self, threads: usize) -> Vec<&Self> {
        (0..threads).map(|_| &*self).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        None
    }
}

impl Pages for &Null {
    type Page = usize;

    #[inline]
    fn alloc(&mut self, order: u8) -> Result<usize, Refused> {
        Ok(alloc(self, order))
    }

    #[inline]
    fn free(&mut self, page: usize, _: u8) -> Result<(), Refused> {
        self.put(page)
    }

    #[inline]
    fn address(&self, page: usize) -> *mut u8 {
        ptr::with_exposed_provenance_mut(page)
    }
}

impl Counted for &Null {
    #[inline]
    fn get(&mut self, page: usize) -> Result<(), Refused> {
        self.put(page)
    }

    #[inline]
    fn put(&mut self, page: usize) -> Result<(), Refused> {
        put(page);
        done(true)
    }

    #[inline]
    fn around(&self, address: usize) -> usize {
        address
    }

    #[inline]
    fn count(&self, _: usize) -> Result<u32, Refused> {
        Ok(1)
    }
}
