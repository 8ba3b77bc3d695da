//! Whose each frame is: a word a frame, beside the pool.
//!
//! ```text
//!   alloc ──► 0 → me ──► … ──► me → 0 ──► put            each by an exchange: what was there before is looked at
//! ```
//!
//! # Memory ordering
//!
//! Relaxed: an exchange sees the last number written to its word, whatever the order of other words; the pool's lock
//! orders the last owner's before the next one's, and were it to fail to, that is a fault and should be seen as one.

use hyp_pool::Pfn;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// What stands for a block that several threads may have.
pub const SHARED: u32 = u32::MAX;

/// The numbers.
#[derive(Debug)]
pub struct Ledger {
    start: usize,
    frames: Vec<AtomicU32>,
}

impl Ledger {
    /// For `len` frames from `start` on, nobody's.
    #[must_use]
    pub fn new(start: usize, len: usize) -> Self {
        Self { start, frames: (0..len).map(|_| AtomicU32::new(0)).collect() }
    }

    /// The block is `who`'s, and was nobody's.
    ///
    /// # Panics
    ///
    /// If it was somebody's.
    pub fn enter(&self, pfn: Pfn, order: u8, who: u32) {
        self.change(pfn, order, 0, who);
    }

    /// The block was `who`'s, and is nobody's.
    ///
    /// # Panics
    ///
    /// If it was not.
    pub fn leave(&self, pfn: Pfn, order: u8, who: u32) {
        self.change(pfn, order, who, 0);
    }

    /// How many frames are somebody's: by number, the shared ones last.
    #[must_use]
    pub fn sums(&self, threads: usize) -> Vec<usize> {
        let mut sums = vec![0; threads + 1];
        for frame in &self.frames {
            match frame.load(Relaxed) {
                0 => {}
                SHARED => sums[threads] += 1,
                who => sums[who as usize - 1] += 1,
            }
        }
        sums
    }

    fn change(&self, pfn: Pfn, order: u8, from: u32, to: u32) {
        let first = pfn.get().wrapping_sub(self.start);
        let block = self.frames.get(first..).and_then(|frames| frames.get(..1 << order));
        let block = block.unwrap_or_else(|| panic!("frame {:#x}, order {order}: not of this pool", pfn.get()));
        for (n, frame) in block.iter().enumerate() {
            let was = frame.swap(to, Relaxed);
            assert!(
                was == from,
                "two owners of frame {:#x}: {was} had it where {from} should, now {to}",
                pfn.get() + n
            );
        }
    }
}
