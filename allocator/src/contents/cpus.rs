//! Magazines whose blocks are cleared. The clearing is done with no lock at all: that of a CPU's magazine, and what it masks,
//! is taken afterwards, to put the block into the rack.

use super::{Erasing, PhysMap};
use crate::coalesce::Coalesce;
use crate::error::{AllocError, PageError};
use crate::magazine::Magazine;
use crate::per_cpu::PerCpu;
use crate::pfn::Pfn;
use crate::refcount::RefcountPath;
use crate::word::Holder;
use lock_api::RawMutex;

/// A magazine's blocks.
impl<M: PhysMap, L: RawMutex, R: RefcountPath, C: Coalesce, const N: usize> Erasing<Magazine<'_, L, R, C, N>, M> {
    /// As [`Magazine::alloc_pages`], and the block is all zero if that is the policy.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; the caller has nothing.
    pub fn alloc_pages(&mut self, order: u8) -> Result<Pfn, AllocError> {
        let first = self.first(Holder::Number);
        let pfn = self.front.alloc_as(order, first)?;
        Ok(self.ready(self.front.pool(), pfn, Holder::Number))
    }

    /// As [`Magazine::put_page`]; if it is the last reference and that is the policy, the block is cleared before it is in
    /// the magazine.
    ///
    /// # Errors
    ///
    /// [`PageError`]; nothing has changed.
    pub fn put_page(&mut self, pfn: Pfn) -> Result<(), PageError> {
        if !self.scrubs() {
            return self.front.put_page(pfn);
        }
        if let Some(block) = self.front.pool().scrub_as(pfn, Holder::Number, 1)? {
            self.front.take_back(block.clear(&self.map));
        }
        Ok(())
    }

    /// As [`put_page`](Self::put_page), for a caller who knows the order of the block.
    ///
    /// # Errors
    ///
    /// As [`Magazine::put_page_of`]; nothing has changed.
    pub fn put_page_of(&mut self, pfn: Pfn, order: u8) -> Result<(), PageError> {
        if !self.scrubs() {
            return self.front.put_page_of(pfn, order);
        }
        self.front.pool().word_of(pfn, order)?;
        self.put_page(pfn)
    }
}

/// The blocks of magazines of CPUs.
impl<M, L, const CPUS: usize, K, R, C, const N: usize> Erasing<&PerCpu<'_, L, CPUS, K, R, C, N>, M>
where
    M: PhysMap,
    L: RawMutex,
    K: RawMutex,
    R: RefcountPath,
    C: Coalesce,
{
    /// As [`PerCpu::alloc_pages`], and the block is all zero if that is the policy.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; nobody has lost anything.
    pub fn alloc_pages(&self, cpu: usize, order: u8) -> Result<Pfn, AllocError> {
        let pfn = self.front.alloc_as(cpu, order, self.first(Holder::Number))?;
        Ok(self.ready(self.front.pool(), pfn, Holder::Number))
    }

    /// As [`PerCpu::put_page`]; if it is the last reference and that is the policy, the block is cleared before it is in a
    /// magazine, or free.
    ///
    /// # Errors
    ///
    /// [`PageError`]; nothing has changed.
    pub fn put_page(&self, cpu: usize, pfn: Pfn) -> Result<(), PageError> {
        if !self.scrubs() {
            return self.front.put_page(cpu, pfn);
        }
        if let Some(block) = self.front.pool().scrub_as(pfn, Holder::Number, 1)? {
            self.front.take_back(cpu, block.clear(&self.map));
        }
        Ok(())
    }

    /// As [`put_page`](Self::put_page), for a caller who knows the order of the block.
    ///
    /// # Errors
    ///
    /// As [`Magazine::put_page_of`](Magazine::put_page_of); nothing has changed.
    pub fn put_page_of(&self, cpu: usize, pfn: Pfn, order: u8) -> Result<(), PageError> {
        if !self.scrubs() {
            return self.front.put_page_of(cpu, pfn, order);
        }
        self.front.pool().word_of(pfn, order)?;
        self.put_page(cpu, pfn)
    }
}
