//! The model: a map from first frame to block. Free blocks are not stored at all: all coalesced, they follow from the
//! allocated ones, as the largest aligned blocks that fit between. Which of them a policy has not merged yet is the
//! pool's secret, and the model asks for nothing that depends on it.

mod contents;
mod magazines;

use super::subject::{Answer, By, CAPACITY, CPUS, InMagazines, LEFT, MAGAZINE, NOBODY, OWNERS, Op, Subject, at};
use crate::algorithm::steps::MERGES;
use crate::chunk;
use crate::coalesce::{KEPT_ORDERS, sealed::Kept};
use crate::{AllocError, BulkError, Census, Coalesce, MAX_COUNT, MAX_ORDER, NR_ORDERS, PageError, Pfn, RefcountPath};
use magazines::{ALL_CPUS, is_magazine};
use std::collections::BTreeMap;
use std::{format, string::String, vec::Vec};

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
        blocks.filter(|&(_, by)| !is_magazine(by) && by != LEFT).collect()
    }

    /// How many frames are lost, since their owner has gone.
    pub(super) fn lost(&self) -> usize {
        self.allocated.values().filter(|block| block.by == LEFT).map(|block| 1 << block.order).sum()
    }

    /// How many blocks `by` has.
    fn blocks_of(&self, by: By) -> usize {
        self.allocated.values().filter(|block| block.by == by).count()
    }

    /// Whether a block of `order` could be had.
    fn fits(&self, order: u8) -> bool {
        self.free().values().any(|&o| o >= order)
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
        self.look(pfn).and_then(|block| if is_magazine(block.by) { Err(PageError::Held) } else { Ok(block.count) })
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

    /// Whether `got` is a right answer to a call for `n` blocks: fewer if there are no more, and the rest of what was
    /// passed is as it was.
    fn allocate_bulk(&mut self, order: u8, by: By, n: usize, got: Result<usize, AllocError>, out: &[Pfn]) -> bool {
        let (Ok(len) | Err((len, _))) = got.map_err(|error| (0, error));
        let (blocks, rest) = out.split_at(len);
        let right = blocks.iter().all(|&pfn| self.allocate(order, by, Ok(pfn)));
        let more = order <= MAX_ORDER && self.fits(order);
        let expected = match got {
            Err(AllocError::OrderTooLarge) => order > MAX_ORDER,
            Err(AllocError::OutOfMemory) => order <= MAX_ORDER && n > 0 && !more,
            Ok(len) => len == n || 0 < len && len < n && !more,
        };
        right && expected && rest.iter().all(|&pfn| pfn == NOBODY)
    }

    /// One after the other, up to the first that is refused.
    fn put_bulk(&mut self, by: By, pfns: &[usize]) -> Result<(), BulkError> {
        let mut puts = pfns.iter().enumerate();
        puts.try_for_each(|(index, &pfn)| self.put(by, pfn, 1).map_err(|error| BulkError { index, error }))
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

    fn split(&mut self, pfn: usize, by: By) -> Result<(), PageError> {
        match self.find(pfn, by)? {
            Block { count: 1, order, .. } => {
                let page = Block { order: 0, count: 1, by };
                self.allocated.extend((pfn..pfn + (1 << order)).map(|pfn| (pfn, page)));
                Ok(())
            }
            _ => Err(PageError::Shared),
        }
    }

    /// Whether `answer` is right; if so, what it means.
    fn agrees(&mut self, op: Op, answer: Answer, held: &InMagazines) -> bool {
        let expected = match op.plain() {
            Op::Alloc(..) | Op::MagazineAlloc(_) | Op::PerCpuAlloc(..) => {
                let Answer::Alloc(got) = answer else { return false };
                return match op.plain() {
                    Op::Alloc(by, order) => self.allocate(order, by, got),
                    Op::MagazineAlloc(order) => self.magazine_allocate(order, MAGAZINE, got, held),
                    Op::PerCpuAlloc(cpu, order) => self.magazine_allocate(order, at(cpu), got, held),
                    _ => false,
                };
            }
            Op::AllocBulk(by, order, n) => {
                let Answer::AllocBulk(got, out) = answer else { return false };
                return self.allocate_bulk(order, by, n, got, &out);
            }
            Op::PutBulk(by, pfns, n) => return answer == Answer::PutBulk(self.put_bulk(by, &pfns[..n])),
            Op::NewOwner(o) => {
                self.allocated.values_mut().filter(|block| block.by == Some(o)).for_each(|block| block.by = LEFT);
                Ok(())
            }
            Op::Get(by, pfn) => self.get(by, pfn, 1),
            Op::Put(by, pfn) => self.put(by, pfn, 1),
            Op::GetN(by, pfn, n) => self.get(by, pfn, n),
            Op::PutN(by, pfn, n) => self.put(by, pfn, n),
            Op::Split(by, pfn) => self.split(pfn, by),
            Op::Adopt(o, pfn) => self.rehold(pfn, None, Some(o)),
            Op::Release(o, pfn) => self.rehold(pfn, Some(o), None),
            Op::MagazinePut(pfn) => self.magazine_put(pfn, MAGAZINE, held),
            Op::MagazinePuts(pfn, order) => self.magazine_put_of(pfn, order, MAGAZINE, held),
            Op::PerCpuPut(cpu, pfn, None) => self.magazine_put(pfn, at(cpu), held),
            Op::PerCpuPut(cpu, pfn, Some(order)) => self.magazine_put_of(pfn, order, at(cpu), held),
            Op::MagazineDrain => {
                self.drain(&[MAGAZINE]);
                Ok(())
            }
            Op::PerCpuDrain => {
                self.drain(&ALL_CPUS);
                Ok(())
            }
            Op::Coalesce => Ok(()),
            Op::Erasing(..) => return false, // it is not plain
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
        let held = subject.in_magazines();
        if !self.agrees(op, answer, &held) {
            return complain(&format!("wrong answer {answer:?}"));
        }
        let pages = |of: &[By]| -> usize {
            held.values().filter(|(_, by)| of.contains(by)).map(|&(order, _)| 1 << order).sum()
        };
        if held != self.magazines()
            || pages(&[MAGAZINE]) != subject.magazine.pages()
            || pages(&ALL_CPUS) != subject.cpus.pages()
        {
            return complain("other blocks in the magazines");
        }
        if subject.cleared.take() != before.cleared(op, answer) {
            return complain("something else was cleared");
        }
        let blocks = subject.owners().map(crate::Owner::blocks);
        if !blocks.eq((0..OWNERS).map(|o| self.blocks_of(Some(o)))) {
            return complain("owners count other blocks");
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
            for (o, owner) in subject.owners().enumerate() {
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
    match op.plain() {
        Op::Put(..) | Op::PutN(..) => one,
        Op::PutBulk(_, _, n) => n * one,
        Op::Alloc(..) | Op::AllocBulk(..) | Op::Coalesce => KEPT_ORDERS * C::Kept::CAPACITY * one,
        Op::MagazineAlloc(_) => (KEPT_ORDERS * C::Kept::CAPACITY + racks) * one,
        Op::PerCpuAlloc(..) => (2 * KEPT_ORDERS * C::Kept::CAPACITY + CPUS * racks) * one,
        Op::PerCpuDrain => CPUS * racks * one,
        Op::PerCpuPut(..) | Op::MagazinePut(_) | Op::MagazinePuts(..) | Op::MagazineDrain => racks * one,
        Op::Get(..) | Op::GetN(..) | Op::Split(..) | Op::Adopt(..) | Op::Release(..) | Op::NewOwner(_) => 0,
        Op::Erasing(..) => 0,
    }
}
