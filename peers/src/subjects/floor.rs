//! `floor`: a list of single pages, last in, first out, its links in the pages, under a spin lock. No buddies, no
//! counts, no checks: what a lock and a list cost.

use std::ptr;

use anyhow::Result;
use spin::mutex::SpinMutex;

use crate::arena::{Arena, PAGE, PAGES};
use crate::subject::{Pages, Refused, Subject, done};

/// The list.
#[derive(Debug)]
pub struct Floor(SpinMutex<List>);

/// Address of the first free page; 0: none. In each, the address of the next.
#[derive(Debug)]
struct List(usize);

impl List {
    fn push(&mut self, page: usize) {
        // SAFETY: the page is free, whole and aligned: given back by its owner, or from the arena at the beginning.
        unsafe { ptr::with_exposed_provenance_mut::<usize>(page).write(self.0) };
        self.0 = page;
    }

    fn pop(&mut self) -> Option<usize> {
        let page = self.0;
        if page == 0 {
            return None;
        }
        // SAFETY: a page on the list is free and has its link, which `push` wrote.
        self.0 = unsafe { ptr::with_exposed_provenance::<usize>(page).read() };
        Some(page)
    }
}

impl Subject for Floor {
    type Local<'s> = &'s Self;
    const ORDERS: bool = false;

    fn new(arena: &'static Arena) -> Result<Self> {
        let mut list = List(0);
        (0..PAGES).rev().for_each(|i| list.push(arena.base() + i * PAGE));
        Ok(Self(SpinMutex::new(list)))
    }

    fn locals(&mut self, threads: usize) -> Vec<&Self> {
        (0..threads).map(|_| &*self).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        let mut all = Vec::new();
        let list = self.0.get_mut();
        while let Some(page) = list.pop() {
            all.push(page);
        }
        all.iter().rev().for_each(|&page| list.push(page));
        Some(all.len())
    }
}

impl Pages for &Floor {
    type Page = usize;

    #[inline]
    fn alloc(&mut self, _: u8) -> Result<usize, Refused> {
        self.0.lock().pop().ok_or(Refused)
    }

    #[inline]
    fn free(&mut self, page: usize, _: u8) -> Result<(), Refused> {
        self.0.lock().push(page);
        done(true)
    }

    #[inline]
    fn address(&self, page: usize) -> *mut u8 {
        ptr::with_exposed_provenance_mut(page)
    }
}
