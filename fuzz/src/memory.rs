//! What the frames contain: a byte a frame.
//!
//! ```text
//!   alloc ──► (all zero, if it was to be cleared) ──► stamped ──► the stamp is still there ──► put
//!                                                                                               └─► zero, if scrubbed
//! ```
//!
//! Whoever allocates a block stamps its frames, and finds the stamp when it puts the block: nobody else's block was
//! cleared, and no frame given to two.

use hyp_pool::{Coalesce, Erasable, HypPool, PageError, Pfn, PhysMap, RefcountPath};
use std::cell::{Cell, RefCell};

/// The lock of a fuzzed pool.
pub type Lock = hyp_locks::NoLock;

/// The contents of a pool's frames.
pub struct Memory<'p, R: RefcountPath, C: Coalesce> {
    pool: &'p HypPool<'p, Lock, R, C>,
    start: usize,
    bytes: RefCell<Vec<u8>>,
    cleared: Cell<usize>,
}

impl<'p, R: RefcountPath, C: Coalesce> Memory<'p, R, C> {
    /// Frames from `start` on, as they are when nobody has cleared them.
    #[must_use]
    pub fn new(pool: &'p HypPool<'p, Lock, R, C>, start: usize, len: usize) -> Self {
        Self { pool, start, bytes: RefCell::new(vec![0xdb; len]), cleared: Cell::new(0) }
    }

    /// Writes `stamp` to the frames of a block.
    pub fn stamp(&self, pfn: usize, pages: usize, stamp: u8) {
        self.bytes.borrow_mut()[pfn - self.start..][..pages].fill(stamp);
    }

    /// Whether all frames of a block contain `stamp`.
    pub fn is(&self, pfn: usize, pages: usize, stamp: u8) -> bool {
        self.bytes.borrow()[pfn - self.start..][..pages].iter().all(|&byte| byte == stamp)
    }

    /// Frames cleared since the last time that somebody asked.
    pub fn take_cleared(&self) -> usize {
        self.cleared.take()
    }
}

impl<R: RefcountPath, C: Coalesce> PhysMap for Memory<'_, R, C> {
    fn zero(&self, block: Erasable<'_>) {
        let pfn = block.pfn();
        // It is somebody's, nobody gets a reference, and the lock is free.
        assert_eq!(self.pool.page_count(pfn), Ok(1));
        assert_eq!(self.pool.get_page(pfn), Err(PageError::Held));
        assert_eq!(self.pool.put_page(pfn), Err(PageError::Held));
        assert!(self.pool.free_pages() + block.nr_pages() <= self.pool.range().len());
        if self.pool.range().len() <= 100 {
            self.pool.check().expect("the invariants hold while a block is cleared");
        }
        if block.nr_pages() > 1 {
            assert_eq!(self.pool.page_count(Pfn::new(pfn.get() + 1)), Err(PageError::Tail));
        }
        self.stamp(pfn.get(), block.nr_pages(), 0);
        self.cleared.set(self.cleared.get() + block.nr_pages());
    }
}
