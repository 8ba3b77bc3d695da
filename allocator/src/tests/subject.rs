//! What the tests make calls of: a pool, two owners and a magazine; each call as a value, so that strings of them can be
//! made.

use super::Lock;
use crate::frame::{Index, State};
use crate::magazine::Magazine;
use crate::{AllocError, Coalesce, HypPool, Owner, PageError, Pfn, RefcountPath};
use std::collections::BTreeMap;

/// Who makes a call: somebody by number, or one of the owners.
pub(super) type By = Option<usize>;

/// How many owners a [`Subject`] has.
pub(super) const OWNERS: usize = 2;

/// Pages that the magazine of a [`Subject`] holds at most.
pub(super) const CAPACITY: usize = 8;

/// One call, with its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Alloc(By, u8),
    Get(By, usize),
    Put(By, usize),
    GetN(By, usize, u32),
    PutN(By, usize, u32),
    Split(usize),
    Adopt(usize, usize),
    Release(usize, usize),
    MagazineAlloc(u8),
    MagazinePut(usize),
    MagazinePuts(usize, u8),
    MagazineDrain,
    Coalesce,
}

/// What a call said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Alloc(Result<Pfn, AllocError>),
    Page(Result<(), PageError>),
}

impl Answer {
    pub(super) const fn is_ok(self) -> bool {
        matches!(self, Self::Alloc(Ok(_)) | Self::Page(Ok(())))
    }
}

/// A pool, its owners and a magazine.
pub(super) struct Subject<'p, R: RefcountPath, C: Coalesce> {
    pub(super) pool: &'p HypPool<'p, Lock, R, C>,
    pub(super) owners: [Owner<'p, Lock, R, C>; OWNERS],
    pub(super) magazine: Magazine<'p, Lock, R, C, CAPACITY>,
}

impl<'p, R: RefcountPath, C: Coalesce> Subject<'p, R, C> {
    pub(super) fn new(pool: &'p HypPool<'p, Lock, R, C>) -> Self {
        Self { pool, owners: core::array::from_fn(|_| pool.owner().unwrap()), magazine: Magazine::new(pool) }
    }

    /// Makes one call.
    pub(super) fn call(&mut self, op: Op) -> Answer {
        let pool = self.pool;
        match op {
            Op::Alloc(None, order) => Answer::Alloc(pool.alloc_pages(order)),
            Op::Alloc(Some(o), order) => Answer::Alloc(self.owners[o].alloc_pages(order)),
            Op::Get(None, pfn) => Answer::Page(pool.get_page(Pfn::new(pfn))),
            Op::Get(Some(o), pfn) => Answer::Page(self.owners[o].get_page(Pfn::new(pfn))),
            Op::Put(None, pfn) => Answer::Page(pool.put_page(Pfn::new(pfn))),
            Op::Put(Some(o), pfn) => Answer::Page(self.owners[o].put_page(Pfn::new(pfn))),
            Op::GetN(None, pfn, n) => Answer::Page(pool.get_page_n(Pfn::new(pfn), n)),
            Op::GetN(Some(o), pfn, n) => Answer::Page(self.owners[o].get_page_n(Pfn::new(pfn), n)),
            Op::PutN(None, pfn, n) => Answer::Page(pool.put_page_n(Pfn::new(pfn), n)),
            Op::PutN(Some(o), pfn, n) => Answer::Page(self.owners[o].put_page_n(Pfn::new(pfn), n)),
            Op::Split(pfn) => Answer::Page(pool.split_page(Pfn::new(pfn))),
            Op::Adopt(o, pfn) => Answer::Page(self.owners[o].adopt(Pfn::new(pfn))),
            Op::Release(o, pfn) => Answer::Page(self.owners[o].release(Pfn::new(pfn))),
            Op::MagazineAlloc(order) => Answer::Alloc(self.magazine.alloc_pages(order)),
            Op::MagazinePut(pfn) => Answer::Page(self.magazine.put_page(Pfn::new(pfn))),
            Op::MagazinePuts(pfn, order) => Answer::Page(self.magazine.put_page_of(Pfn::new(pfn), order)),
            Op::MagazineDrain => {
                self.magazine.drain();
                Answer::Page(Ok(()))
            }
            Op::Coalesce => {
                pool.coalesce();
                Answer::Page(Ok(()))
            }
        }
    }

    /// The blocks whose words say that they are in a magazine: first frame and order.
    pub(super) fn in_magazine(&self) -> BTreeMap<usize, u8> {
        let range = self.pool.range();
        let frames = self.pool.frames();
        let word_of = |nth| match frames.frame(Index::new(nth)).state() {
            State::Allocated(word) if word.is_in_magazine() => Some(word.order().get()),
            _ => None,
        };
        (0..range.len()).filter_map(|nth| Some((range.start().get() + nth, word_of(nth)?))).collect()
    }
}
