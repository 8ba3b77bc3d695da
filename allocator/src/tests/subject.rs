//! What the tests make calls of: a pool, two owners, a magazine and those of two CPUs, and all of these with their blocks
//! cleared; each call as a value, so that strings of them can be made.

mod erasing;

pub(super) use erasing::Erased;

use super::Lock;
use crate::magazine::Magazine;
use crate::word::{Allocated, Index, MagazineId, State};
use crate::{
    AllocError, BulkError, Coalesce, Contents, Erasable, HypPool, Owner, PageError, PerCpu, Pfn, PhysMap, RefcountPath,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::vec::Vec;

/// Who makes a call: somebody by number, or one of the owners.
pub(super) type By = Option<usize>;

/// How many owners a [`Subject`] has.
pub(super) const OWNERS: usize = 2;

/// How many CPUs it has.
pub(super) const CPUS: usize = 2;

/// Pages that each magazine of a [`Subject`] holds at most.
pub(super) const CAPACITY: usize = 8;

/// Whose a block is that the magazine holds: nobody's who can call.
pub(super) const MAGAZINE: By = Some(OWNERS);

/// Whose a block is that the magazine of `cpu` holds.
pub(super) const fn at(cpu: usize) -> By {
    Some(OWNERS + 1 + cpu)
}

/// Whose a block is whose owner has gone: nobody's, for good.
pub(super) const LEFT: By = Some(OWNERS + 1 + CPUS);

/// The most blocks that one call names, or asks for.
pub(super) const MOST: usize = 5;

/// Blocks in magazines: the order of each, and whose it is.
pub(super) type InMagazines = BTreeMap<usize, (u8, By)>;

/// One call, with its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Alloc(By, u8),
    Get(By, usize),
    Put(By, usize),
    GetN(By, usize, u32),
    PutN(By, usize, u32),
    Split(By, usize),
    Adopt(usize, usize),
    Release(usize, usize),
    MagazineAlloc(u8),
    MagazinePut(usize),
    MagazinePuts(usize, u8),
    MagazineDrain,
    /// So many blocks of an order, up to [`MOST`].
    AllocBulk(By, u8, usize),
    /// The blocks at the first so many of these.
    PutBulk(By, [usize; 4], usize),
    /// An owner goes, with whatever it has, and another one comes.
    NewOwner(usize),
    PerCpuAlloc(usize, u8),
    /// Of the order that it has, or of this one.
    PerCpuPut(usize, usize, Option<u8>),
    PerCpuDrain,
    /// By way of a front-end whose blocks are cleared at that time.
    Erasing(Contents, Erased),
    Coalesce,
}

impl Op {
    /// The magazine that the call is made of.
    const fn magazine(self) -> By {
        match self.plain() {
            Self::PerCpuAlloc(cpu, _) | Self::PerCpuPut(cpu, ..) => at(cpu),
            _ => MAGAZINE,
        }
    }
}

/// What a call said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Alloc(Result<Pfn, AllocError>),
    Page(Result<(), PageError>),
    /// How many blocks there were, and all that was written.
    AllocBulk(Result<usize, AllocError>, [Pfn; MOST]),
    PutBulk(Result<(), BulkError>),
}

impl Answer {
    /// Whether the call was granted, in part at least.
    pub(super) const fn is_ok(self) -> bool {
        match self {
            Self::Alloc(got) => got.is_ok(),
            Self::Page(got) => got.is_ok(),
            Self::AllocBulk(got, _) => got.is_ok(),
            Self::PutBulk(got) => matches!(got, Ok(()) | Err(BulkError { index: 1.., .. })),
        }
    }
}

/// What no block is at.
pub(super) const NOBODY: Pfn = Pfn::new(usize::MAX);

/// What was cleared: first frame, and how many.
pub(super) type Cleared = Vec<(usize, usize)>;

struct Recorder<'a>(&'a RefCell<Cleared>);

impl PhysMap for Recorder<'_> {
    fn zero(&self, block: Erasable<'_>) {
        self.0.borrow_mut().push((block.pfn().get(), block.nr_pages()));
    }
}

/// A pool, its owners, a magazine, those of the CPUs, and what was cleared.
pub(super) struct Subject<'p, R: RefcountPath, C: Coalesce> {
    pub(super) pool: &'p HypPool<'p, Lock, R, C>,
    /// There is one in each, but for the moment in which it is replaced.
    owners: [Option<Owner<'p, Lock, R, C>>; OWNERS],
    pub(super) magazine: Magazine<'p, Lock, R, C, CAPACITY>,
    pub(super) cpus: PerCpu<'p, Lock, CPUS, Lock, R, C, CAPACITY>,
    pub(super) cleared: RefCell<Cleared>,
    /// The magazines whose numbers have been seen, and what is in them: a block that comes later is behind. A number that
    /// is new in a word is that of the magazine that was called.
    numbers: Vec<(MagazineId, By)>,
    pub(super) arrived: Vec<(usize, (u8, By))>,
}

impl<'p, R: RefcountPath, C: Coalesce> Subject<'p, R, C> {
    pub(super) fn new(pool: &'p HypPool<'p, Lock, R, C>) -> Self {
        Self {
            pool,
            owners: core::array::from_fn(|_| pool.owner()),
            magazine: Magazine::new(pool),
            cpus: PerCpu::new(pool),
            cleared: RefCell::default(),
            numbers: Vec::new(),
            arrived: Vec::new(),
        }
    }

    /// The owners, in their order.
    pub(super) fn owners(&self) -> impl Iterator<Item = &Owner<'p, Lock, R, C>> {
        self.owners.iter().flatten()
    }

    fn owner(&mut self, o: usize) -> &mut Owner<'p, Lock, R, C> {
        self.owners[o].as_mut().unwrap()
    }

    /// Makes one call.
    pub(super) fn call(&mut self, op: Op) -> Answer {
        let answer = self.make(op);
        let held = self.look(op.magazine());
        self.arrived.retain(|(head, block)| held.get(head) == Some(block));
        // The lowest of those that came together is the first to go.
        let new: Vec<_> = held.into_iter().rev().filter(|block| !self.arrived.contains(block)).collect();
        self.arrived.extend(new);
        answer
    }

    fn make(&mut self, op: Op) -> Answer {
        let pool = self.pool;
        match op {
            Op::Alloc(None, order) => Answer::Alloc(pool.alloc_pages(order)),
            Op::Alloc(Some(o), order) => Answer::Alloc(self.owner(o).alloc_pages(order)),
            Op::Get(None, pfn) => Answer::Page(pool.get_page(Pfn::new(pfn))),
            Op::Get(Some(o), pfn) => Answer::Page(self.owner(o).get_page(Pfn::new(pfn))),
            Op::Put(None, pfn) => Answer::Page(pool.put_page(Pfn::new(pfn))),
            Op::Put(Some(o), pfn) => Answer::Page(self.owner(o).put_page(Pfn::new(pfn))),
            Op::GetN(None, pfn, n) => Answer::Page(pool.get_page_n(Pfn::new(pfn), n)),
            Op::GetN(Some(o), pfn, n) => Answer::Page(self.owner(o).get_page_n(Pfn::new(pfn), n)),
            Op::PutN(None, pfn, n) => Answer::Page(pool.put_page_n(Pfn::new(pfn), n)),
            Op::PutN(Some(o), pfn, n) => Answer::Page(self.owner(o).put_page_n(Pfn::new(pfn), n)),
            Op::Split(None, pfn) => Answer::Page(pool.split_page(Pfn::new(pfn))),
            Op::Split(Some(o), pfn) => Answer::Page(self.owner(o).split_page(Pfn::new(pfn))),
            Op::Adopt(o, pfn) => Answer::Page(self.owner(o).adopt(Pfn::new(pfn))),
            Op::Release(o, pfn) => Answer::Page(self.owner(o).release(Pfn::new(pfn))),
            Op::MagazineAlloc(order) => Answer::Alloc(self.magazine.alloc_pages(order)),
            Op::MagazinePut(pfn) => Answer::Page(self.magazine.put_page(Pfn::new(pfn))),
            Op::MagazinePuts(pfn, order) => Answer::Page(self.magazine.put_page_of(Pfn::new(pfn), order)),
            Op::MagazineDrain => {
                self.magazine.drain();
                Answer::Page(Ok(()))
            }
            Op::AllocBulk(by, order, n) => {
                let mut out = [NOBODY; MOST];
                let got = match by {
                    None => pool.alloc_bulk(order, &mut out[..n]),
                    Some(o) => self.owner(o).alloc_bulk(order, &mut out[..n]),
                };
                Answer::AllocBulk(got, out)
            }
            Op::PutBulk(None, pfns, n) => Answer::PutBulk(pool.put_bulk(&pfns.map(Pfn::new)[..n])),
            Op::PutBulk(Some(o), pfns, n) => Answer::PutBulk(self.owner(o).put_bulk(&pfns.map(Pfn::new)[..n])),
            Op::NewOwner(o) => {
                // First the old one: an id that it gives back is the new one's.
                self.owners[o] = None;
                self.owners[o] = pool.owner();
                Answer::Page(Ok(()))
            }
            Op::PerCpuAlloc(cpu, order) => Answer::Alloc(self.cpus.alloc_pages(cpu, order)),
            Op::PerCpuPut(cpu, pfn, None) => Answer::Page(self.cpus.put_page(cpu, Pfn::new(pfn))),
            Op::PerCpuPut(cpu, pfn, Some(order)) => Answer::Page(self.cpus.put_page_of(cpu, Pfn::new(pfn), order)),
            Op::PerCpuDrain => {
                self.cpus.drain_all();
                Answer::Page(Ok(()))
            }
            Op::Erasing(when, call) => self.erasing(when, call),
            Op::Coalesce => {
                pool.coalesce();
                Answer::Page(Ok(()))
            }
        }
    }

    /// The blocks whose words say that they are in a magazine, as of the last call.
    pub(super) fn in_magazines(&self) -> InMagazines {
        self.arrived.iter().copied().collect()
    }

    /// The same, now, after a call of the magazine `called`.
    fn look(&mut self, called: By) -> InMagazines {
        let range = self.pool.range();
        let frames = self.pool.frames();
        let mut held = InMagazines::new();
        for nth in 0..range.len() {
            let State::Allocated(word) = frames.frame(Index::new(nth)).state() else { continue };
            if !word.is_in_magazine() {
                continue;
            }
            let known = self.numbers.iter().find(|&&(id, _)| word == Allocated::in_magazine(word.order(), id));
            let by = known.map_or(called, |&(_, by)| by);
            if known.is_none() {
                assert!(self.numbers.iter().all(|&(_, by)| by != called), "two numbers of {called:?}");
                let mut ids = (0..=CPUS).map(MagazineId::nth);
                let id = ids.find(|&id| word == Allocated::in_magazine(word.order(), id)).unwrap();
                self.numbers.push((id, called));
            }
            held.insert(range.start().get() + nth, (word.order().get(), by));
        }
        held
    }
}
