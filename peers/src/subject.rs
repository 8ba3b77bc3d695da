//! What is measured: something that hands out pages, as one thread sees it.
//!
//! A [`Subject`] is shared; each thread works on a [`Local`](Subject::Local) made from it, by `&mut`. For most that is
//! a shared reference; for a magazine it is what the thread has of its own, for an exclusive owner it is the pool.

use hyp_pool::Pfn;

use crate::arena::{Arena, PAGE};

/// What a call says that could not be served. No workload asks for what cannot be had: it ends the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// Refused, unless it was done.
#[inline]
pub fn done(it: bool) -> Result<(), Refused> {
    if it { Ok(()) } else { Err(Refused) }
}

/// How a subject names a page: whatever it takes without a conversion.
pub trait Name: Copy + Send + 'static {
    /// As a number that fits a page-table entry or a ring.
    fn number(self) -> usize;
    /// Back from the number.
    fn of(number: usize) -> Self;
}

impl Name for usize {
    #[inline]
    fn number(self) -> usize {
        self
    }

    #[inline]
    fn of(number: usize) -> Self {
        number
    }
}

impl Name for Pfn {
    #[inline]
    fn number(self) -> usize {
        self.get()
    }

    #[inline]
    fn of(number: usize) -> Self {
        Self::new(number)
    }
}

/// Pages, as one thread gets them.
pub trait Pages {
    /// How a page is named.
    type Page: Name;

    /// A block of `1 << order` pages.
    fn alloc(&mut self, order: u8) -> Result<Self::Page, Refused>;

    /// Gives a block back, to which nobody else refers.
    fn free(&mut self, page: Self::Page, order: u8) -> Result<(), Refused>;

    /// Where the block is.
    fn address(&self, page: Self::Page) -> *mut u8;

    /// Gives a block back, all zero for the next owner: by default cleared before the call, outside any lock.
    #[inline]
    fn retire(&mut self, page: Self::Page, order: u8) -> Result<(), Refused> {
        // SAFETY: the block is the caller's, who gives it back, so that nobody else looks at it.
        unsafe { self.address(page).write_bytes(0, PAGE << order) };
        self.free(page, order)
    }
}

/// Pages with a reference count; `free` is a put of the last one.
pub trait Counted: Pages {
    /// One reference more.
    fn get(&mut self, page: Self::Page) -> Result<(), Refused>;
    /// One reference less; the last one frees.
    fn put(&mut self, page: Self::Page) -> Result<(), Refused>;
    /// The page around an address, as a page-table walk has it: that of an entry in the page.
    fn around(&self, address: usize) -> Self::Page;
    /// References.
    fn count(&self, page: Self::Page) -> Result<u32, Refused>;
}

/// What the threads share.
pub trait Subject: Sized + 'static {
    /// What a thread has.
    type Local<'s>: Pages + Send
    where
        Self: 's;

    /// How many threads can use it at once.
    const THREADS: usize = usize::MAX;
    /// Has blocks of more than one page.
    const ORDERS: bool = true;
    /// Searches lists as long as the number of free blocks: gets fewer of them where they are freed in random order.
    const LINEAR: bool = false;

    /// A new one, all of it free, on an arena that nobody else uses.
    fn new(arena: &'static Arena) -> anyhow::Result<Self>;

    /// One for each of `threads`. What they keep is back when they are dropped.
    fn locals(&mut self, threads: usize) -> Vec<Self::Local<'_>>;

    /// Free pages, of those who can tell.
    fn free_pages(&mut self) -> Option<usize>;
}
