//! `split`: the world before the patch, on our data structure: our buddy allocator and counts beside it, the count and
//! the list changed in two critical sections. What `original` is to C, this is to us: all that differs from our pool is
//! where a page can be neither owned nor free.

use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use anyhow::Result;
use hyp_locks::Ticket;
use hyp_pool::{Buddy, Pfn};
use lock_api::Mutex;

use crate::arena::{Arena, PAGE, PAGES};
use crate::subject::{Counted, Pages, Refused, Subject, done};

/// The pool. Counts are changed with the lock held, hence Relaxed.
#[derive(Debug)]
pub struct Split {
    buddy: Mutex<Ticket, Buddy<'static>>,
    counts: Vec<AtomicU32>,
    first: usize,
}

impl Split {
    #[inline]
    fn counter(&self, page: Pfn) -> Result<&AtomicU32, Refused> {
        self.counts.get(page.get().wrapping_sub(self.first)).ok_or(Refused)
    }
}

impl Subject for Split {
    type Local<'s> = &'s Self;

    fn new(arena: &'static Arena) -> Result<Self> {
        let (frames, range) = arena.frames();
        let buddy = Mutex::new(Buddy::with_table(frames, range, 0)?);
        Ok(Self { buddy, counts: (0..PAGES).map(|_| AtomicU32::new(0)).collect(), first: range.start().get() })
    }

    fn locals(&mut self, threads: usize) -> Vec<&Self> {
        (0..threads).map(|_| &*self).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        let buddy = self.buddy.get_mut();
        buddy.check().ok().map(|_| buddy.free_pages())
    }
}

impl Pages for &Split {
    type Page = Pfn;

    #[inline]
    fn alloc(&mut self, order: u8) -> Result<Pfn, Refused> {
        let page = self.buddy.lock().alloc(order).map_err(|_| Refused)?;
        // Here the page is neither owned nor free.
        let _buddy = self.buddy.lock();
        self.counter(page)?.store(1, Relaxed);
        Ok(page)
    }

    #[inline]
    fn free(&mut self, page: Pfn, _: u8) -> Result<(), Refused> {
        self.put(page)
    }

    #[inline]
    fn address(&self, page: Pfn) -> *mut u8 {
        ptr::with_exposed_provenance_mut(page.get() * PAGE)
    }
}

impl Counted for &Split {
    #[inline]
    fn get(&mut self, page: Pfn) -> Result<(), Refused> {
        let count = self.counter(page)?;
        let _buddy = self.buddy.lock();
        let more = count.load(Relaxed).checked_add(1).ok_or(Refused)?;
        count.store(more, Relaxed);
        done(more > 1)
    }

    #[inline]
    fn put(&mut self, page: Pfn) -> Result<(), Refused> {
        let count = self.counter(page)?;
        let buddy = self.buddy.lock();
        let less = count.load(Relaxed).checked_sub(1).ok_or(Refused)?;
        count.store(less, Relaxed);
        drop(buddy);
        if less != 0 {
            return Ok(());
        }
        // Here, too.
        done(self.buddy.lock().free(page).is_ok())
    }

    #[inline]
    fn around(&self, address: usize) -> Pfn {
        Pfn::new(address / PAGE)
    }

    #[inline]
    fn count(&self, page: Pfn) -> Result<u32, Refused> {
        Ok(self.counter(page)?.load(Relaxed))
    }
}
