//! The model: a map from first frame to block. Free blocks are not stored at all: all coalesced, they follow from the
//! allocated ones, as the largest aligned blocks that fit between. Which of them a policy has not merged yet is the
//! pool's secret, and the model asks for nothing that depends on it.

use super::subject::{Answer, By, CAPACITY, OWNERS, Op, Subject};
use crate::buddy::steps::MERGES;
use crate::chunk;
use crate::coalesce::{KEPT_ORDERS, sealed::Kept};
use crate::magazine;
use crate::pfn::Order;
use crate::{AllocError, Census, Coalesce, MAX_COUNT, MAX_ORDER, NR_ORDERS, PageError, Pfn, RefcountPath};
use std::collections::BTreeMap;
use std::{format, string::String, vec::Vec};

/// Whose a block is that the magazine holds: nobody's who can call.
const MAGAZINE: By = Some(OWNERS);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Block {
    order: u8,
    count: u32,
    by: By,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    start: usize,
    end: usize,
    allocated: BTreeMap<usize, Block>,
    /// Whether the pool may have blocks that it has not merged: as its own census said after the last call.
    unmerged: bool,
}

impl Model {
    pub(super) fn new(start: usize, len: usize, reserved: usize) -> Self {
        let block = Block { order: 0, count: 1, by: None };
        let allocated = (start..start + reserved).map(|pfn| (pfn, block)).collect();
        Self { start, end: start + len, allocated, unmerged: false }
    }

    /// The highest count of any block.
    pub(super) fn max_count(&self) -> u32 {
        self.allocated.values().map(|block| block.count).max().unwrap_or(0)
    }

    /// Allocated blocks that somebody can put: first frame, and who.
    pub(super) fn heads(&self) -> Vec<(usize, By)> {
        let blocks = self.allocated.iter().map(|(&head, block)| (head, block.by));
        blocks.filter(|&(_, by)| by != MAGAZINE).collect()
    }

    /// What the magazine holds.
    fn magazine(&self) -> BTreeMap<usize, u8> {
        let blocks = self.allocated.iter().filter(|(_, block)| block.by == MAGAZINE);
        blocks.map(|(&head, block)| (head, block.order)).collect()
    }

    /// How many blocks of `order` the magazine holds.
    fn in_rack(&self, order: u8) -> usize {
        self.magazine().values().filter(|&&o| o == order).count()
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

    /// What the census must be, but for the free blocks that are not merged yet.
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

    /// The block that starts at `pfn`, or what is there instead.
    fn look(&self, pfn: usize) -> Result<Block, PageError> {
        if !(self.start..self.end).contains(&pfn) {
            return Err(PageError::OutOfRange);
        }
        match self.allocated.range(..=pfn).next_back() {
            Some((&head, &block)) if head == pfn => Ok(block),
            Some((&head, block)) if pfn < head + (1 << block.order) => Err(PageError::Tail),
            _ => Err(PageError::Free),
        }
    }

    /// What anybody can see of its count: a block in a magazine has none.
    fn page_count(&self, pfn: usize) -> Result<u32, PageError> {
        self.look(pfn).and_then(|block| if block.by == MAGAZINE { Err(PageError::Held) } else { Ok(block.count) })
    }

    /// The block that starts at `pfn`, for whoever counts the references of their own blocks alone.
    fn find(&self, pfn: usize, by: By) -> Result<Block, PageError> {
        self.look(pfn).and_then(|block| if block.by == by { Ok(block) } else { Err(PageError::Held) })
    }

    /// Whether `got` is a right answer to `alloc_pages(order)`; if so, what it means. Any block that is aligned and all
    /// free will do: whether the chunk was well chosen is a matter of speed.
    fn allocate(&mut self, order: u8, by: By, got: Result<Pfn, AllocError>) -> bool {
        let free = self.free();
        let fits = free.values().any(|&o| o >= order);
        match got {
            Err(AllocError::OrderTooLarge) => order > MAX_ORDER,
            Err(AllocError::OutOfMemory) => order <= MAX_ORDER && !fits,
            Ok(pfn) => {
                let right = is_free(&free, pfn.get(), order);
                self.allocated.insert(pfn.get(), Block { order, count: 1, by });
                right
            }
        }
    }

    /// As `allocate`, by way of the magazine, which holds the blocks `held` afterwards.
    fn magazine_allocate(&mut self, order: u8, got: Result<Pfn, AllocError>, held: &BTreeMap<usize, u8>) -> bool {
        if self.in_rack(order) > 0 {
            // It has one: no other is given.
            let Ok(pfn) = got else { return false };
            let right = self.magazine().get(&pfn.get()) == Some(&order);
            self.allocated.insert(pfn.get(), Block { order, count: 1, by: None });
            return right;
        }
        if order <= MAX_ORDER && !self.free().values().any(|&o| o >= order) {
            // Emptied before it gives up.
            self.allocated.retain(|_, block| block.by != MAGAZINE);
        }
        let right = self.allocate(order, None, got);
        // What it has taken with the block that was asked for: less than half a rack of the same.
        let others: Vec<_> = held.iter().filter(|&(head, _)| !self.magazine().contains_key(head)).collect();
        let most = match Order::new(order) {
            Some(size) if usize::from(order) < magazine::ORDERS && got.is_ok() => {
                magazine::limit::<CAPACITY>(size) / 2 - 1
            }
            _ => 0,
        };
        let few = others.len() <= most;
        let all_right = others.into_iter().all(|(&head, &o)| {
            let right = o == order && is_free(&self.free(), head, o);
            self.allocated.insert(head, Block { order, count: 1, by: MAGAZINE });
            right
        });
        right && few && all_right
    }

    /// A put by way of the magazine, which holds the blocks `held` afterwards.
    fn magazine_put(&mut self, pfn: usize, held: &BTreeMap<usize, u8>) -> Result<(), PageError> {
        let block = self.find(pfn, None)?;
        let Some(order) = Order::new(block.order).filter(|_| usize::from(block.order) < magazine::ORDERS) else {
            return self.put(None, pfn, 1);
        };
        if block.count > 1 {
            return self.put(None, pfn, 1);
        }
        let limit = magazine::limit::<CAPACITY>(order);
        if self.in_rack(block.order) == limit {
            // Full: half of it is given back, of this order. Which half is not to be seen.
            let gone: Vec<_> = self.magazine().into_iter().filter(|(head, _)| !held.contains_key(head)).collect();
            assert!(gone.len() == limit.div_ceil(2) && gone.iter().all(|&(_, o)| o == block.order), "{gone:?}");
            self.allocated.retain(|head, _| gone.iter().all(|(gone, _)| gone != head));
        }
        self.allocated.insert(pfn, Block { by: MAGAZINE, ..block });
        Ok(())
    }

    fn count(&mut self, pfn: usize, by: By, change: impl Fn(u32) -> Result<u32, PageError>) -> Result<(), PageError> {
        let block = self.find(pfn, by)?;
        match change(block.count)? {
            0 => drop(self.allocated.remove(&pfn)),
            count => drop(self.allocated.insert(pfn, Block { count, ..block })),
        }
        Ok(())
    }

    fn get(&mut self, by: By, pfn: usize, n: u32) -> Result<(), PageError> {
        self.count(pfn, by, |count| count.checked_add(n).filter(|&n| n <= MAX_COUNT).ok_or(PageError::Overflow))
    }

    fn put(&mut self, by: By, pfn: usize, n: u32) -> Result<(), PageError> {
        self.count(pfn, by, |count| count.checked_sub(n).ok_or(PageError::Underflow))
    }

    /// The block, which has one reference, changes hands.
    fn rehold(&mut self, pfn: usize, from: By, to: By) -> Result<(), PageError> {
        match self.find(pfn, from)? {
            Block { count: 1, order, .. } => {
                self.allocated.insert(pfn, Block { order, count: 1, by: to });
                Ok(())
            }
            _ => Err(PageError::Shared),
        }
    }

    fn split(&mut self, pfn: usize) -> Result<(), PageError> {
        match self.find(pfn, None)? {
            Block { count: 1, order, .. } => {
                let page = Block { order: 0, count: 1, by: None };
                self.allocated.extend((pfn..pfn + (1 << order)).map(|pfn| (pfn, page)));
                Ok(())
            }
            _ => Err(PageError::Shared),
        }
    }

    /// Whether `answer` is right; if so, what it means.
    fn agrees(&mut self, op: Op, answer: Answer, held: &BTreeMap<usize, u8>) -> bool {
        let expected = match op {
            Op::Alloc(by, order) => {
                let Answer::Alloc(got) = answer else { return false };
                return self.allocate(order, by, got);
            }
            Op::Get(by, pfn) => self.get(by, pfn, 1),
            Op::Put(by, pfn) => self.put(by, pfn, 1),
            Op::GetN(by, pfn, n) => self.get(by, pfn, n),
            Op::PutN(by, pfn, n) => self.put(by, pfn, n),
            Op::Split(pfn) => self.split(pfn),
            Op::Adopt(o, pfn) => self.rehold(pfn, None, Some(o)),
            Op::Release(o, pfn) => self.rehold(pfn, Some(o), None),
            Op::MagazineAlloc(order) => {
                let Answer::Alloc(got) = answer else { return false };
                return self.magazine_allocate(order, got, held);
            }
            Op::MagazinePut(pfn) => self.magazine_put(pfn, held),
            Op::MagazinePuts(pfn, order) => self.find(pfn, None).and_then(|block| {
                if block.order == order { self.magazine_put(pfn, held) } else { Err(PageError::WrongOrder) }
            }),
            Op::MagazineDrain => {
                self.allocated.retain(|_, block| block.by != MAGAZINE);
                Ok(())
            }
            Op::Coalesce => Ok(()),
        };
        answer == Answer::Page(expected)
    }

    /// Makes one call of the pool and of the model, and compares everything that can be seen afterwards. Whether the
    /// call was granted.
    pub(super) fn step<R: RefcountPath, C: Coalesce>(
        &mut self,
        subject: &mut Subject<'_, R, C>,
        op: Op,
    ) -> Result<bool, String> {
        let before = self.clone();
        let complain = |what: &str| Err(format!("{what} after {op:?} on {before:?}"));
        let merges = MERGES.get();
        let answer = subject.call(op);
        if MERGES.get() - merges > most_merges::<C>(op) {
            return complain("too many merges");
        }
        let held = subject.in_magazine();
        if !self.agrees(op, answer, &held) {
            return complain(&format!("wrong answer {answer:?}"));
        }
        let pages: usize = held.values().map(|&order| 1 << order).sum();
        if held != self.magazine() || pages != subject.magazine.pages() {
            return complain("other blocks in the magazine");
        }
        let free = self.free();
        let census = match subject.pool.check() {
            Ok(census) => census,
            Err(error) => return complain(&format!("{error}")),
        };
        self.unmerged = census.unmerged_blocks > 0;
        if census.unmerged_blocks > KEPT_ORDERS * C::Kept::CAPACITY || self.unmerged && op == Op::Coalesce {
            return complain("too much is kept");
        }
        let expected = self.census(&free);
        // With nothing kept, the free blocks are the model's; with something, they are as many frames.
        let blocks = if self.unmerged { census.free_blocks } else { expected.free_blocks };
        if census != (Census { free_blocks: blocks, unmerged_blocks: census.unmerged_blocks, ..expected }) {
            return complain(&format!("{census:?}"));
        }
        let frames: usize = (0..NR_ORDERS).map(|order| census.free_blocks[order] << order).sum();
        if frames != expected.free_pages || subject.pool.free_pages() != expected.free_pages {
            return complain("other counters");
        }
        for pfn in self.start.saturating_sub(1)..=self.end {
            if subject.pool.page_count(Pfn::new(pfn)) != self.page_count(pfn) {
                return complain("another count");
            }
            for (o, owner) in subject.owners.iter().enumerate() {
                if owner.page_count(Pfn::new(pfn)) != self.find(pfn, Some(o)).map(|block| block.count) {
                    return complain("another count of an owner");
                }
            }
        }
        Ok(answer.is_ok())
    }

    /// All that is kept merged, the free blocks are the model's.
    pub(super) fn coalesced<R: RefcountPath, C: Coalesce>(
        &mut self,
        subject: &mut Subject<'_, R, C>,
    ) -> Result<(), String> {
        self.step(subject, Op::Coalesce)?;
        if subject.pool.free_blocks() == self.census(&self.free()).free_blocks {
            Ok(())
        } else {
            Err(format!("other free blocks on {self:?}"))
        }
    }
}

/// Whether the block at `pfn` is aligned, and lies in one of these.
fn is_free(free: &BTreeMap<usize, u8>, pfn: usize, order: u8) -> bool {
    let around = free.range(..=pfn).next_back();
    pfn.is_multiple_of(1 << order) && around.is_some_and(|(&at, &o)| pfn + (1 << order) <= at + (1 << o))
}

/// The most merges that `op` may make: what [`coalesce`](crate::Coalesce) states.
fn most_merges<C: Coalesce>(op: Op) -> usize {
    let one = usize::from(MAX_ORDER - chunk::ORDER.get());
    // Full racks: all of order 0, half as many of order 1, and so on.
    let racks = 2 * CAPACITY;
    match op {
        Op::Put(..) | Op::PutN(..) => one,
        Op::Alloc(..) | Op::Coalesce => KEPT_ORDERS * C::Kept::CAPACITY * one,
        Op::MagazineAlloc(_) => (KEPT_ORDERS * C::Kept::CAPACITY + racks) * one,
        Op::MagazinePut(_) | Op::MagazinePuts(..) | Op::MagazineDrain => racks * one,
        Op::Get(..) | Op::GetN(..) | Op::Split(_) | Op::Adopt(..) | Op::Release(..) => 0,
    }
}
