//! The calls of front-ends whose blocks are cleared.

use super::{Answer, By, MOST, NOBODY, Op, Recorder, Subject};
use crate::magazine::Magazine;
use crate::tests::Lock;
use crate::{Coalesce, Contents, Erasing, Owner, Pfn, RefcountPath};
use core::mem;

/// A call of [`Erasing`]; as in [`Op`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::tests) enum Erased {
    Alloc(By, u8),
    PutN(By, usize, u32),
    AllocBulk(By, u8, usize),
    PutBulk(By, [usize; 4], usize),
    MagazineAlloc(u8),
    MagazinePut(usize, Option<u8>),
    PerCpuAlloc(usize, u8),
    PerCpuPut(usize, usize, Option<u8>),
}

impl Op {
    /// The same call where nothing is cleared.
    pub(in crate::tests) const fn plain(self) -> Self {
        let Self::Erasing(_, call) = self else { return self };
        match call {
            Erased::Alloc(by, order) => Self::Alloc(by, order),
            Erased::PutN(by, pfn, n) => Self::PutN(by, pfn, n),
            Erased::AllocBulk(by, order, n) => Self::AllocBulk(by, order, n),
            Erased::PutBulk(by, pfns, n) => Self::PutBulk(by, pfns, n),
            Erased::MagazineAlloc(order) => Self::MagazineAlloc(order),
            Erased::MagazinePut(pfn, None) => Self::MagazinePut(pfn),
            Erased::MagazinePut(pfn, Some(order)) => Self::MagazinePuts(pfn, order),
            Erased::PerCpuAlloc(cpu, order) => Self::PerCpuAlloc(cpu, order),
            Erased::PerCpuPut(cpu, pfn, order) => Self::PerCpuPut(cpu, pfn, order),
        }
    }
}

type OfOwner<'p, 'a, R, C> = Erasing<Owner<'p, Lock, R, C>, Recorder<'a>>;
type OfMagazine<'p, 'a, R, C> = Erasing<Magazine<'p, Lock, R, C, { super::CAPACITY }>, Recorder<'a>>;

impl<'p, R: RefcountPath, C: Coalesce> Subject<'p, R, C> {
    pub(super) fn erasing(&mut self, when: Contents, call: Erased) -> Answer {
        let pool = Erasing::new(self.pool, Recorder(&self.cleared), when);
        let cpus = Erasing::new(&self.cpus, Recorder(&self.cleared), when);
        match call {
            Erased::Alloc(None, order) => Answer::Alloc(pool.alloc_pages(order)),
            Erased::Alloc(Some(o), order) => Answer::Alloc(self.as_owner(when, o, |owner| owner.alloc_pages(order))),
            Erased::PutN(None, pfn, 1) => Answer::Page(pool.put_page(Pfn::new(pfn))),
            Erased::PutN(None, pfn, n) => Answer::Page(pool.put_page_n(Pfn::new(pfn), n)),
            Erased::PutN(Some(o), pfn, n) => {
                Answer::Page(self.as_owner(when, o, |owner| owner.put_page_n(Pfn::new(pfn), n)))
            }
            Erased::AllocBulk(by, order, n) => {
                let mut out = [NOBODY; MOST];
                let got = match by {
                    None => pool.alloc_bulk(order, &mut out[..n]),
                    Some(o) => self.as_owner(when, o, |owner| owner.alloc_bulk(order, &mut out[..n])),
                };
                Answer::AllocBulk(got, out)
            }
            Erased::PutBulk(None, pfns, n) => Answer::PutBulk(pool.put_bulk(&pfns.map(Pfn::new)[..n])),
            Erased::PutBulk(Some(o), pfns, n) => {
                Answer::PutBulk(self.as_owner(when, o, |owner| owner.put_bulk(&pfns.map(Pfn::new)[..n])))
            }
            Erased::MagazineAlloc(order) => {
                Answer::Alloc(self.as_magazine(when, |magazine| magazine.alloc_pages(order)))
            }
            Erased::MagazinePut(pfn, order) => Answer::Page(self.as_magazine(when, |magazine| match order {
                None => magazine.put_page(Pfn::new(pfn)),
                Some(order) => magazine.put_page_of(Pfn::new(pfn), order),
            })),
            Erased::PerCpuAlloc(cpu, order) => Answer::Alloc(cpus.alloc_pages(cpu, order)),
            Erased::PerCpuPut(cpu, pfn, None) => Answer::Page(cpus.put_page(cpu, Pfn::new(pfn))),
            Erased::PerCpuPut(cpu, pfn, Some(order)) => Answer::Page(cpus.put_page_of(cpu, Pfn::new(pfn), order)),
        }
    }

    /// An owner clears in one call, and goes on without.
    fn as_owner<T>(&mut self, when: Contents, o: usize, call: impl FnOnce(&mut OfOwner<'p, '_, R, C>) -> T) -> T {
        let owner = self.owners[o].take().unwrap();
        let mut erasing = Erasing::new(owner, Recorder(&self.cleared), when);
        let answer = call(&mut erasing);
        self.owners[o] = Some(erasing.into_inner());
        answer
    }

    /// The same for the magazine.
    fn as_magazine<T>(&mut self, when: Contents, call: impl FnOnce(&mut OfMagazine<'p, '_, R, C>) -> T) -> T {
        let magazine = mem::replace(&mut self.magazine, Magazine::new(self.pool));
        let mut erasing = Erasing::new(magazine, Recorder(&self.cleared), when);
        let answer = call(&mut erasing);
        self.magazine = erasing.into_inner();
        answer
    }
}
