//! A pool from its making to its end: each call is made of the pool and of the model, and the answers are compared.
//!
//! ```text
//!   make ──► op ──► op ──► … ──► everything put back ──► whole: one list of free blocks fits the range
//!             └─ every few: check(), and every frame accounted for (settle)
//! ```

use crate::memory::{Lock, Memory};
use crate::model::{Block, By, Model, coalesced};
use crate::ops::{Op, Range, Via, When};
use hyp_pool::{
    Coalesce, HypPool, InitError, MAX_POOL_OWNERS, Magazine, Owner, PageError, PageRef, PerCpu, Pfn, PfnRange,
    RefcountPath, TableWord,
};
use std::collections::BTreeMap;

mod calls;
mod erasing;
mod many;

/// One pool over `table`.
///
/// # Panics
///
/// If the pool and the model disagree.
pub fn live<R: RefcountPath, C: Coalesce>(table: &[TableWord], range: Range, ops: &[Op]) {
    let pfns = PfnRange::new(Pfn::new(range.start), range.len);
    let pool = HypPool::<Lock, R, C>::with_table(table, pfns, range.reserved).expect("the last life left the table");
    let mut life = Life::new(table, &pool, range);
    life.settle();
    let every = match range.len {
        0..=100 => 4,
        101..=300 => 16,
        _ => 64,
    };
    for (nth, &op) in ops.iter().enumerate() {
        life.step(op);
        if nth % every == 0 {
            life.settle();
        }
    }
    life.settle();
    if range.tidy {
        life.tidy();
    }
}

struct Life<'p, R: RefcountPath, C: Coalesce> {
    table: &'p [TableWord],
    pool: &'p HypPool<'p, Lock, R, C>,
    model: Model,
    memory: Memory<'p, R, C>,
    handles: BTreeMap<usize, Vec<PageRef<'p, Lock, R, C>>>,
    owners: [Option<Owner<'p, Lock, R, C>>; 2],
    /// Ids that owners took with them.
    retired: usize,
    small: Magazine<'p, Lock, R, C, 8>,
    large: Magazine<'p, Lock, R, C>,
    cpus: PerCpu<'p, Lock, 2, Lock, R, C, 8>,
}

impl<'p, R: RefcountPath, C: Coalesce> Life<'p, R, C> {
    fn new(table: &'p [TableWord], pool: &'p HypPool<'p, Lock, R, C>, range: Range) -> Self {
        let memory = Memory::new(pool, range.start, range.len);
        memory.stamp(range.start, range.reserved, 1); // as the model says
        Self {
            table,
            pool,
            model: Model::new(range),
            memory,
            handles: BTreeMap::new(),
            owners: [pool.owner(), pool.owner()],
            retired: 0,
            small: Magazine::new(pool),
            large: Magazine::new(pool),
            cpus: PerCpu::new(pool),
        }
    }

    fn owner(&mut self, o: bool) -> &mut Owner<'p, Lock, R, C> {
        self.owners[usize::from(o)].as_mut().expect("there are always two")
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Alloc(via, when, order) => self.alloc(via, when, order % 13),
            Op::Get(via, target, n) => self.get(via, self.model.frame(target), n.number()),
            Op::Put(via, when, target, n) => self.put(via, when, self.model.frame(target), n.number()),
            Op::Free(target) => self.free(self.model.frame(target)),
            Op::PutPageOf(when, target, order) => self.put_page_of(when, self.model.frame(target), order),
            Op::Split(target) => self.split(self.model.frame(target)),
            Op::OwnerSplit(o, target) => self.split_own(o, self.model.frame(target)),
            Op::Adopt(target) => self.adopt(self.model.frame(target)),
            Op::IntoRaw(target) => self.count_by_number(self.model.frame(target)),
            Op::OwnerAdopt(o, target) => {
                let pfn = self.model.frame(target);
                let expected = self.model.sole(self.pool, pfn, By::Number).map(drop);
                assert_eq!(self.owner(o).adopt(Pfn::new(pfn)), expected);
                if expected.is_ok() {
                    self.model.rehold(pfn, By::Owner(o));
                }
            }
            Op::Release(o, target) => {
                let pfn = self.model.frame(target);
                let expected = self.model.sole(self.pool, pfn, By::Owner(o)).map(drop);
                assert_eq!(self.owner(o).release(Pfn::new(pfn)), expected);
                if expected.is_ok() {
                    self.model.rehold(pfn, By::Number);
                }
            }
            Op::AllocMany(via, when, order, n) => (0..n % 64).for_each(|_| self.alloc(via, when, order % 13)),
            Op::PutMany(via, when, from, n) => {
                let blocks = self.model.blocks.keys().copied().skip(usize::from(from));
                let blocks: Vec<usize> = blocks.take(usize::from(n % 64)).collect();
                blocks.into_iter().for_each(|pfn| self.put(via, when, pfn, 1));
            }
            Op::AllocBulk(owner, when, order, n) => self.alloc_bulk(owner, when, order % 13, usize::from(n)),
            Op::PutBulk(owner, when, from, n, odd) => {
                self.put_bulk(owner, when, usize::from(from), usize::from(n), odd);
            }
            Op::Coalesce => {
                self.pool.coalesce();
                assert_eq!(self.pool.check().map(|census| census.unmerged_blocks), Ok(0));
            }
            Op::FreeBlocks => {
                let blocks = self.pool.free_blocks();
                assert_eq!(blocks, coalesced(self.model.range.start, &self.settle()));
            }
            Op::Drain(false) => self.small.drain(),
            Op::Drain(true) => self.large.drain(),
            Op::DrainCpu(cpu) if cpu % 4 == 3 => self.cpus.drain_all(),
            Op::DrainCpu(cpu) => self.cpus.drain(usize::from(cpu % 4)),
            Op::NewMagazine(false) => self.small = Magazine::new(self.pool),
            Op::NewMagazine(true) => self.large = Magazine::new(self.pool),
            Op::NewOwner(o) => self.new_owner(o),
            Op::MakeAgain => self.make_again(),
        }
    }

    /// An owner goes. What it has is lost, and its id with it; if it has nothing, another may have the id.
    fn new_owner(&mut self, o: bool) {
        // Two ids are kept, so that there always are two owners.
        if self.retired + 2 == MAX_POOL_OWNERS && self.model.blocks_of(By::Owner(o)) > 0 {
            assert!(self.pool.owner().is_none(), "more owners than ids");
            return;
        }
        drop(self.owners[usize::from(o)].take());
        self.retired += usize::from(self.model.leave(o));
        self.owners[usize::from(o)] = self.pool.owner();
    }

    fn make_again(&self) {
        let range = PfnRange::new(Pfn::new(self.model.range.start), self.model.range.len);
        assert_eq!(self.pool.init(range, 0), Err(InitError::AlreadyInitialised));
        let another = HypPool::<Lock, R, C>::with_table(self.table, range, 0);
        assert_eq!(another.map(drop), Err(InitError::TableInUse { index: 0 }));
    }

    /// Every frame accounted for; which are free.
    fn settle(&self) -> Vec<bool> {
        let census = self.pool.check().expect("the invariants hold");
        let Range { start, len, .. } = self.model.range;
        let mut free = vec![false; len];
        let mut held_back = 0;
        let mut pfn = start;
        while pfn - start < len {
            let count = self.pool.page_count(Pfn::new(pfn));
            match self.model.around(pfn) {
                Some((head, block)) if head == pfn => assert_eq!(count, Ok(block.count), "{pfn:#x}"),
                Some(_) => assert_eq!(count, Err(PageError::Tail), "{pfn:#x}"),
                None => match count {
                    Err(PageError::Free) => free[pfn - start] = true,
                    // A magazine's: its head, and what is behind it.
                    Err(PageError::Held | PageError::Tail) => held_back += 1,
                    other => panic!("{other:?} of a frame that nobody has, {pfn:#x}"),
                },
            }
            pfn += 1;
        }
        for (owner, o) in self.owners.iter().flatten().zip([false, true]) {
            assert_eq!(owner.blocks(), self.model.blocks_of(By::Owner(o)));
        }
        assert_eq!(held_back, self.small.pages() + self.large.pages() + self.cpus.pages());
        assert_eq!(census.allocated_pages, self.model.pages() + held_back);
        assert_eq!(census.free_pages + census.allocated_pages, len);
        assert_eq!(self.pool.free_pages(), census.free_pages);
        assert_eq!(self.pool.pinned_blocks(), 0);
        free
    }

    /// Everything put back, the pool is whole, but for what owners have left behind.
    fn tidy(mut self) {
        const WAYS: [(Via, When); 7] = [
            (Via::Magazine(false), When::Plain),
            (Via::Magazine(true), When::Scrubbing),
            (Via::PerCpu(0), When::Scrubbing),
            (Via::PerCpu(1), When::Plain),
            (Via::Magazine(false), When::Scrubbing),
            (Via::Pool, When::Scrubbing),
            (Via::Pool, When::Plain),
        ];
        for (way, when) in WAYS.into_iter().cycle() {
            let mut blocks = self.model.blocks.iter().rev();
            let Some((&pfn, &block)) = blocks.find(|(_, block)| block.by != By::Left) else { break };
            match block {
                Block { by: By::Number, count: 1, .. } => self.put(way, when, pfn, 1),
                _ => self.free(pfn),
            }
        }
        self.small.drain();
        self.large.drain();
        self.cpus.drain_all();
        let free = self.settle();
        assert_eq!(free.iter().filter(|&&free| !free).count(), self.model.pages(), "a frame is lost");
        assert_eq!(self.pool.free_blocks(), coalesced(self.model.range.start, &free));
    }
}
