//! The model: a map from first frame to block, for the blocks that the string's author has. What a magazine has the
//! pool is asked for, frame by frame.
//!
//! ```text
//!   frame   in a block of the map          first: its count        inside: Tail
//!           else, in a magazine's block    first: Held             inside: Tail      (they add up to Magazine::pages)
//!           else                           Free
//! ```

use crate::memory::Lock;
use crate::ops::{Range, Target};
use hyp_pool::{Coalesce, HypPool, MAX_COUNT, MAX_ORDER, NR_ORDERS, PageError, Pfn, RefcountPath};
use std::collections::BTreeMap;

/// Who counts the references of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// Anybody, by number.
    Number,
    /// Handles.
    Handle,
    /// One of two owners.
    Owner(bool),
    /// Nobody, for good: an owner that has gone.
    Left,
}

/// A block.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Its size.
    pub order: u8,
    /// References.
    pub count: u32,
    /// Whose.
    pub by: By,
    /// What its frames contain.
    pub stamp: u8,
}

/// The blocks.
#[derive(Debug)]
pub struct Model {
    /// The pool's range.
    pub range: Range,
    /// By first frame.
    pub blocks: BTreeMap<usize, Block>,
    last: usize,
    stamp: u8,
}

impl Model {
    /// That of a new pool.
    #[must_use]
    pub fn new(range: Range) -> Self {
        let reserved = Block { order: 0, count: 1, by: By::Number, stamp: 1 };
        let blocks = (range.start..range.start + range.reserved).map(|pfn| (pfn, reserved)).collect();
        Self { range, blocks, last: range.start, stamp: 1 }
    }

    /// The frame that `target` means.
    #[must_use]
    pub fn frame(&self, target: Target) -> usize {
        match target {
            Target::Block(nth) => self.nth(usize::from(nth)),
            Target::Last => self.last,
            Target::Any(n) => self.range.start.wrapping_sub(1).wrapping_add(usize::from(n) % (self.range.len + 2)),
        }
    }

    /// The first frame of the block of this rank.
    #[must_use]
    pub fn nth(&self, nth: usize) -> usize {
        let nth = nth % self.blocks.len().max(1);
        self.blocks.keys().nth(nth).copied().unwrap_or(self.range.start)
    }

    /// The block that `pfn` is in.
    #[must_use]
    pub fn around(&self, pfn: usize) -> Option<(usize, Block)> {
        let (&head, &block) = self.blocks.range(..=pfn).next_back()?;
        (pfn - head < 1 << block.order).then_some((head, block))
    }

    /// Frames in all blocks.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.blocks.values().map(|block| 1 << block.order).sum()
    }

    /// A block that the pool has handed out; its stamp.
    ///
    /// # Panics
    ///
    /// If it cannot be one.
    pub fn allocated(&mut self, pfn: usize, order: u8, by: By) -> u8 {
        let pages = 1_usize << order;
        assert!(pfn.is_multiple_of(pages), "{pfn:#x} is not aligned for order {order}");
        assert!(pfn >= self.range.start && pfn - self.range.start + pages <= self.range.len, "{pfn:#x} is foreign");
        let before = self.blocks.range(..pfn + pages).next_back();
        assert!(before.is_none_or(|(&head, block)| head + (1 << block.order) <= pfn), "{pfn:#x} is given to two");
        self.stamp = self.stamp % 250 + 1;
        self.blocks.insert(pfn, Block { order, count: 1, by, stamp: self.stamp });
        self.last = pfn;
        self.stamp
    }

    /// The block at `pfn` for whoever counts `by`, or why not; of what is not the model's the pool is asked.
    ///
    /// # Errors
    ///
    /// What the pool should say.
    pub fn find<R: RefcountPath, C: Coalesce>(
        &self,
        pool: &HypPool<'_, Lock, R, C>,
        pfn: usize,
        by: By,
    ) -> Result<Block, PageError> {
        if pfn.wrapping_sub(self.range.start) >= self.range.len {
            return Err(PageError::OutOfRange);
        }
        match self.around(pfn) {
            Some((head, block)) if head == pfn && block.by == by => Ok(block),
            Some((head, _)) if head == pfn => Err(PageError::Held),
            Some(_) => Err(PageError::Tail),
            // A magazine's, or nobody's; `life` adds them up.
            None => Err(pool.page_count(Pfn::new(pfn)).expect_err("nobody counts what is not the model's")),
        }
    }

    /// The only reference to the block at `pfn`.
    ///
    /// # Errors
    ///
    /// What the pool should say.
    pub fn sole<R: RefcountPath, C: Coalesce>(
        &self,
        pool: &HypPool<'_, Lock, R, C>,
        pfn: usize,
        by: By,
    ) -> Result<Block, PageError> {
        self.find(pool, pfn, by).and_then(|block| if block.count == 1 { Ok(block) } else { Err(PageError::Shared) })
    }

    /// What a get should say; if it is granted, it has happened.
    ///
    /// # Errors
    ///
    /// What the pool should say.
    pub fn get(&mut self, found: Result<Block, PageError>, pfn: usize, n: u32) -> Result<(), PageError> {
        let block = found?;
        let count = block.count.checked_add(n).filter(|&n| n <= MAX_COUNT).ok_or(PageError::Overflow)?;
        self.blocks.insert(pfn, Block { count, ..block });
        Ok(())
    }

    /// What a put should say; if it is granted, it has happened. The block, if it is free now.
    ///
    /// # Errors
    ///
    /// What the pool should say.
    pub fn put(&mut self, found: Result<Block, PageError>, pfn: usize, n: u32) -> Result<Option<Block>, PageError> {
        let block = found?;
        match block.count.checked_sub(n).ok_or(PageError::Underflow)? {
            0 => Ok(self.blocks.remove(&pfn)),
            count => {
                self.blocks.insert(pfn, Block { count, ..block });
                Ok(None)
            }
        }
    }

    /// How many blocks somebody has.
    #[must_use]
    pub fn blocks_of(&self, by: By) -> usize {
        self.blocks.values().filter(|block| block.by == by).count()
    }

    /// An owner goes, and leaves what it has. Whether it had anything.
    pub fn leave(&mut self, o: bool) -> bool {
        let mut left = false;
        for block in self.blocks.values_mut().filter(|block| block.by == By::Owner(o)) {
            block.by = By::Left;
            left = true;
        }
        left
    }

    /// The block changes hands.
    pub fn rehold(&mut self, pfn: usize, by: By) {
        if let Some(block) = self.blocks.get_mut(&pfn) {
            block.by = by;
        }
    }

    /// The block becomes pages.
    pub fn split(&mut self, pfn: usize) {
        if let Some(&block) = self.blocks.get(&pfn) {
            self.blocks.extend((pfn..pfn + (1 << block.order)).map(|pfn| (pfn, Block { order: 0, ..block })));
        }
    }
}

/// The free blocks of each order, all coalesced, where `free[i]` says whether frame `start + i` is.
#[must_use]
pub fn coalesced(start: usize, free: &[bool]) -> [usize; NR_ORDERS] {
    let mut blocks = [0; NR_ORDERS];
    let mut at = 0;
    while at < free.len() {
        if !free[at] {
            at += 1;
            continue;
        }
        let fits = |&order: &u8| {
            let pages = 1_usize << order;
            (start + at).is_multiple_of(pages) && free.get(at..at + pages).is_some_and(|free| free.iter().all(|&f| f))
        };
        let order = (0..=MAX_ORDER).rev().find(fits).unwrap_or(0);
        blocks[usize::from(order)] += 1;
        at += 1 << order;
    }
    blocks
}
