//! Calls by way of `Erasing`. Owners and magazines are wrapped for one call, and go on without; another one stands in for
//! them meanwhile.

use super::Life;
use crate::memory::{Lock, Memory};
use crate::ops::Via;
use hyp_pool::{AllocError, Coalesce, Contents, Erasing, HypPool, Magazine, Owner, PageError, Pfn, RefcountPath};
use std::mem;

type OfOwner<'a, 'p, R, C> = Erasing<Owner<'p, Lock, R, C>, &'a Memory<'p, R, C>>;
type OfMagazine<'a, 'p, R, C, const N: usize> = Erasing<Magazine<'p, Lock, R, C, N>, &'a Memory<'p, R, C>>;

impl<'p, R: RefcountPath, C: Coalesce> Life<'p, R, C> {
    pub(super) fn alloc_erasing(&mut self, via: Via, when: Contents, order: u8) -> Result<Pfn, AllocError> {
        match via {
            Via::Pool | Via::Handle => Erasing::new(self.pool, &self.memory, when).alloc_pages(order),
            Via::Owner(o) => self.as_owner(o, when, |owner| owner.alloc_pages(order)),
            Via::Magazine(false) => {
                by_magazine(self.pool, &mut self.small, &self.memory, when, |magazine| magazine.alloc_pages(order))
            }
            Via::Magazine(true) => {
                by_magazine(self.pool, &mut self.large, &self.memory, when, |magazine| magazine.alloc_pages(order))
            }
            Via::PerCpu(cpu) => Erasing::new(&self.cpus, &self.memory, when).alloc_pages(usize::from(cpu % 4), order),
        }
    }

    pub(super) fn put_erasing(&mut self, via: Via, when: Contents, pfn: Pfn, n: u32) -> Result<(), PageError> {
        let pool = Erasing::new(self.pool, &self.memory, when);
        match via {
            Via::Pool | Via::Handle if n == 1 => pool.put_page(pfn),
            Via::Pool | Via::Handle => pool.put_page_n(pfn, n),
            Via::Owner(o) if n == 1 => self.as_owner(o, when, |owner| owner.put_page(pfn)),
            Via::Owner(o) => self.as_owner(o, when, |owner| owner.put_page_n(pfn, n)),
            Via::Magazine(false) => {
                by_magazine(self.pool, &mut self.small, &self.memory, when, |magazine| magazine.put_page(pfn))
            }
            Via::Magazine(true) => {
                by_magazine(self.pool, &mut self.large, &self.memory, when, |magazine| magazine.put_page(pfn))
            }
            Via::PerCpu(cpu) => Erasing::new(&self.cpus, &self.memory, when).put_page(usize::from(cpu % 4), pfn),
        }
    }

    /// Into the small magazine.
    pub(super) fn put_page_of_erasing(&mut self, when: Contents, pfn: Pfn, order: u8) -> Result<(), PageError> {
        by_magazine(self.pool, &mut self.small, &self.memory, when, |magazine| magazine.put_page_of(pfn, order))
    }

    pub(super) fn as_owner<T>(
        &mut self,
        o: bool,
        when: Contents,
        call: impl FnOnce(&mut OfOwner<'_, 'p, R, C>) -> T,
    ) -> T {
        let owner = &mut self.owners[usize::from(o)];
        let mut erasing = Erasing::new(owner.take().expect("there are two of 250"), &self.memory, when);
        let answer = call(&mut erasing);
        *owner = Some(erasing.into_inner());
        answer
    }
}

fn by_magazine<'p, R: RefcountPath, C: Coalesce, const N: usize, T>(
    pool: &'p HypPool<'p, Lock, R, C>,
    magazine: &mut Magazine<'p, Lock, R, C, N>,
    memory: &Memory<'p, R, C>,
    when: Contents,
    call: impl FnOnce(&mut OfMagazine<'_, 'p, R, C, N>) -> T,
) -> T {
    let mut erasing = Erasing::new(mem::replace(magazine, Magazine::new(pool)), memory, when);
    let answer = call(&mut erasing);
    *magazine = erasing.into_inner();
    answer
}
