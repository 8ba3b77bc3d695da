//! `W6`, `W7`, `W7b`, `W8`: a reference got and put, of a page that stays allocated: as the original's `getput`, by the
//! address of one 8-byte entry of the page after the other.

use std::hint;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::{Place, Work};
use crate::subject::{Counted, Name, Refused};

/// How far apart the pages of two threads are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// Not at all: the same page.
    Same = 0,
    /// Neighbours: words of a table of words share a cache line.
    Neighbours = 1,
    /// Far: 71 pages, so that not even entries of 64 bytes, or their hash, are near.
    Far = 71,
}

/// How many pages the first thread holds, so that some are [`Apart::Far`].
const HELD: usize = 128;

/// The work. The first thread holds 128 pages in a row, of which each thread has one.
#[derive(Debug)]
pub struct GetPut<N, const APART: usize> {
    page: N,
    held: Vec<N>,
}

impl<'p, P: Counted, const APART: usize> Work<'p, P> for GetPut<P::Page, APART> {
    fn begin(pages: &mut P, place: Place<'p>) -> Result<Self, Refused> {
        let mut held = Vec::new();
        if place.thread == 0 {
            for _ in 0..HELD {
                held.push(pages.alloc(0)?);
            }
            held.sort_unstable_by_key(|&page| pages.address(page).addr());
            for (thread, page) in place.shared.pages.iter().enumerate() {
                page.store(held[thread * APART].number(), Release);
            }
        }
        let mine = loop {
            match place.shared.pages[place.thread].load(Acquire) {
                0 if place.shared.failed.load(Relaxed) => return Err(Refused),
                0 => hint::spin_loop(),
                number => break P::Page::of(number),
            }
        };
        Ok(Self { page: mine, held })
    }

    fn chunk(&mut self, pages: &mut P, ops: usize) -> Result<(), Refused> {
        let table = pages.address(self.page).addr();
        for i in 0..ops {
            // As a walk of page tables has it: by the address of the entry that it changes.
            let page = pages.around(table + (i % 512) * 8);
            pages.get(page)?;
            pages.put(page)?;
        }
        Ok(())
    }

    fn end(self, pages: &mut P) -> Result<(), Refused> {
        self.held.into_iter().try_for_each(|page| pages.put(page))
    }
}
