//! The model: a map from first frame to block. Free blocks are not stored at all: with eager coalescing they
//! follow from the allocated ones, as the largest aligned blocks that fit between.

use crate::{AllocError, Census, HypPool, MAX_ORDER, NR_ORDERS, PageError, Pfn, RefcountPath};
use lock_api::RawMutex;
use std::collections::BTreeMap;
use std::{format, vec::Vec};

/// One call, with its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Alloc(u8),
    Get(usize),
    Put(usize),
    Split(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Block {
    order: u8,
    count: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    start: usize,
    end: usize,
    allocated: BTreeMap<usize, Block>,
}

impl Model {
    pub(super) fn new(start: usize, len: usize, reserved: usize) -> Self {
        let block = Block { order: 0, count: 1 };
        Self { start, end: start + len, allocated: (start..start + reserved).map(|pfn| (pfn, block)).collect() }
    }

    /// The highest count of any block.
    pub(super) fn max_count(&self) -> u32 {
        self.allocated.values().map(|block| block.count).max().unwrap_or(0)
    }

    /// First frames of the allocated blocks.
    pub(super) fn heads(&self) -> Vec<usize> {
        self.allocated.keys().copied().collect()
    }

    /// Free blocks, first frame and order, by their definition: aligned, all free, and in no larger one.
    fn free(&self) -> BTreeMap<usize, u8> {
        let mut open: Vec<bool> = (self.start..self.end).map(|_| true).collect();
        for (&head, block) in &self.allocated {
            open[head - self.start..][..1 << block.order].fill(false);
        }
        let mut blocks = BTreeMap::new();
        for order in (0..=MAX_ORDER).rev() {
            let size = 1usize << order;
            for at in (self.start.next_multiple_of(size)..).step_by(size).take_while(|at| at + size <= self.end) {
                let frames = &mut open[at - self.start..][..size];
                if frames.iter().all(|&free| free) {
                    frames.fill(false);
                    blocks.insert(at, order);
                }
            }
        }
        blocks
    }

    fn census(&self, free: &BTreeMap<usize, u8>) -> Census {
        let mut census = Census::default();
        for &order in free.values() {
            census.free_pages += 1 << order;
            census.free_blocks[usize::from(order)] += 1;
        }
        for block in self.allocated.values() {
            census.allocated_pages += 1 << block.order;
            census.allocated_blocks[usize::from(block.order)] += 1;
        }
        census
    }

    /// What a call that names `pfn` finds there.
    fn find(&self, pfn: usize, free: &BTreeMap<usize, u8>) -> Result<Block, PageError> {
        if !(self.start..self.end).contains(&pfn) {
            Err(PageError::OutOfRange)
        } else if let Some(&block) = self.allocated.get(&pfn) {
            Ok(block)
        } else if free.contains_key(&pfn) {
            Err(PageError::Free)
        } else {
            Err(PageError::Tail)
        }
    }

    /// Whether `got` is a right answer to `alloc_pages(order)`; if so, what it means.
    fn allocate(&mut self, order: u8, free: &BTreeMap<usize, u8>, got: Result<Pfn, AllocError>) -> bool {
        let fits = free.values().copied().filter(|&o| o >= order).min();
        match (got, fits) {
            (Err(AllocError::OrderTooLarge), _) => order > MAX_ORDER,
            (Err(AllocError::OutOfMemory), fits) => order <= MAX_ORDER && fits.is_none(),
            (Ok(_), None) => false,
            (Ok(pfn), Some(best)) => {
                // The lower end of a smallest block that fits.
                let right = free.get(&pfn.get()) == Some(&best);
                self.allocated.insert(pfn.get(), Block { order, count: 1 });
                right
            }
        }
    }

    /// Makes one call of the pool and of the model, and compares everything that can be seen afterwards.
    pub(super) fn step<L: RawMutex, R: RefcountPath>(
        &mut self,
        pool: &HypPool<'_, L, R>,
        op: Op,
    ) -> Result<bool, std::string::String> {
        let before = self.clone();
        let free = self.free();
        let (right, changed) = match op {
            Op::Alloc(order) => {
                let got = pool.alloc_pages(order);
                (self.allocate(order, &free, got), got.is_ok())
            }
            Op::Get(pfn) => {
                let expected = self.find(pfn, &free).map(|b| {
                    self.allocated.insert(pfn, Block { count: b.count + 1, ..b });
                });
                (pool.get_page(Pfn::new(pfn)) == expected, expected.is_ok())
            }
            Op::Put(pfn) => {
                let expected = self.find(pfn, &free).map(|b| match b.count {
                    1 => drop(self.allocated.remove(&pfn)),
                    n => drop(self.allocated.insert(pfn, Block { count: n - 1, ..b })),
                });
                (pool.put_page(Pfn::new(pfn)) == expected, expected.is_ok())
            }
            Op::Split(pfn) => {
                let expected = match self.find(pfn, &free) {
                    Ok(Block { count: 1, order }) => {
                        let page = Block { order: 0, count: 1 };
                        self.allocated.extend((pfn..pfn + (1 << order)).map(|pfn| (pfn, page)));
                        Ok(())
                    }
                    Ok(_) => Err(PageError::Shared),
                    Err(e) => Err(e),
                };
                (pool.split_page(Pfn::new(pfn)) == expected, expected.is_ok())
            }
        };
        let complain = |what: &str| Err(format!("{what} after {op:?} on {before:?}"));
        if !right {
            return complain("wrong answer");
        }
        let free = self.free();
        let census = match pool.check() {
            Ok(census) => census,
            Err(error) => return complain(&format!("{error}")),
        };
        if census != self.census(&free) {
            return complain("another census");
        }
        let mut blocks = [0; NR_ORDERS];
        free.values().for_each(|&order| blocks[usize::from(order)] += 1);
        if pool.free_blocks() != blocks || pool.free_pages() != census.free_pages {
            return complain("other counters");
        }
        for pfn in self.start.saturating_sub(1)..=self.end {
            if pool.page_count(Pfn::new(pfn)) != self.find(pfn, &free).map(|b| b.count) {
                return complain("another count");
            }
        }
        Ok(changed)
    }
}
