//! Whose each frame is: a word a frame, beside the pool. And a word of the frame's memory.
//!
//! ```text
//!   alloc ──► 0 → me, write ──► … ──► me → 0, read ──► put      each → by an exchange: what was there before is looked at
//! ```
//!
//! # Memory ordering
//!
//! Relaxed: an exchange sees the last number written to its word, whatever the order of other words; the pool's lock
//! orders the last owner's before the next one's, and were it to fail to, that is a fault and should be seen as one.
//!
//! The memory is plain, as a page is. Nothing here orders the reads of those who share a block before the write of who
//! gets it next: a put, the last put and the lock must. Where they do not, ThreadSanitizer sees a data race.

use hyp_pool::Pfn;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// What stands for a block that several threads may have.
pub const SHARED: u32 = u32::MAX;

/// The numbers, and the memory.
#[derive(Debug)]
pub struct Ledger {
    start: usize,
    frames: Vec<Frame>,
}

#[derive(Debug, Default)]
struct Frame {
    who: AtomicU32,
    memory: UnsafeCell<u32>,
}

// SAFETY: the memory is written by who alone has the frame, and read by those who share it: so the pool promises, whom
// this program tests. Where it breaks that promise to two who have a frame, an exchange of `who` ends the thread before
// it writes.
unsafe impl Sync for Frame {}

impl Ledger {
    /// For `len` frames from `start` on, nobody's.
    #[must_use]
    pub fn new(start: usize, len: usize) -> Self {
        Self { start, frames: (0..len).map(|_| Frame::default()).collect() }
    }

    /// The block is `who`'s, and was nobody's; `who` stands in its memory.
    ///
    /// # Panics
    ///
    /// If it was somebody's.
    pub fn enter(&self, pfn: Pfn, order: u8, who: u32) {
        self.change(pfn, order, 0, who);
        for frame in self.block(pfn, order) {
            // SAFETY: nobody else's, as the exchange has just said; the pool orders all accesses before after it was given out.
            unsafe { *frame.memory.get() = who };
        }
    }

    /// The block was `who`'s, as its memory says too, and is nobody's.
    ///
    /// # Panics
    ///
    /// If it was not.
    pub fn leave(&self, pfn: Pfn, order: u8, who: u32) {
        self.change(pfn, order, who, 0);
        self.read(pfn, order, who);
    }

    /// Reads the block's memory, which the caller has a reference to: it says `who`.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn read(&self, pfn: Pfn, order: u8, who: u32) {
        for (n, frame) in self.block(pfn, order).iter().enumerate() {
            // SAFETY: the caller has a reference, so nobody has been given it since it was written.
            let is = unsafe { *frame.memory.get() };
            assert!(is == who, "frame {:#x}: {is} is in its memory where {who} was written", pfn.get() + n);
        }
    }

    /// How many frames are somebody's: by number, the shared ones last.
    #[must_use]
    pub fn sums(&self, threads: usize) -> Vec<usize> {
        let mut sums = vec![0; threads + 1];
        for frame in &self.frames {
            match frame.who.load(Relaxed) {
                0 => {}
                SHARED => sums[threads] += 1,
                who => sums[who as usize - 1] += 1,
            }
        }
        sums
    }

    fn block(&self, pfn: Pfn, order: u8) -> &[Frame] {
        let first = pfn.get().wrapping_sub(self.start);
        let block = self.frames.get(first..).and_then(|frames| frames.get(..1 << order));
        block.unwrap_or_else(|| panic!("frame {:#x}, order {order}: not of this pool", pfn.get()))
    }

    fn change(&self, pfn: Pfn, order: u8, from: u32, to: u32) {
        for (n, frame) in self.block(pfn, order).iter().enumerate() {
            let was = frame.who.swap(to, Relaxed);
            assert!(
                was == from,
                "two owners of frame {:#x}: {was} had it where {from} should, now {to}",
                pfn.get() + n
            );
        }
    }
}
