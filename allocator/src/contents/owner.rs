//! An owner whose blocks are cleared.

use super::bulk::{alloc_cleared, put_cleared};
use super::{Erasing, PhysMap};
use crate::coalesce::Coalesce;
use crate::error::{AllocError, BulkError, PageError};
use crate::owner::Owner;
use crate::pfn::Pfn;
use crate::refcount::RefcountPath;
use lock_api::RawMutex;

/// An owner's blocks.
impl<M: PhysMap, L: RawMutex, R: RefcountPath, C: Coalesce> Erasing<Owner<'_, L, R, C>, M> {
    /// As [`Owner::alloc_pages`], and the block is all zero if that is the policy: what a page table must be before it is
    /// linked to.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; nothing has changed.
    pub fn alloc_pages(&mut self, order: u8) -> Result<Pfn, AllocError> {
        let (pool, holder) = (self.front.pool(), self.front.holder());
        let pfn = pool.alloc_as(order, self.first(holder))?;
        let pfn = self.ready(pool, pfn, holder);
        self.front.gained(1);
        Ok(pfn)
    }

    /// As [`Owner::put_page`]; if it is the last reference and that is the policy, the block is cleared before it is free.
    ///
    /// # Errors
    ///
    /// As `put_page`; nothing has changed.
    pub fn put_page(&mut self, pfn: Pfn) -> Result<(), PageError> {
        self.put_page_n(pfn, 1)
    }

    /// As [`put_page`](Self::put_page), for `n` references.
    ///
    /// # Errors
    ///
    /// As [`Owner::put_page_n`]; nothing has changed.
    pub fn put_page_n(&mut self, pfn: Pfn, n: u32) -> Result<(), PageError> {
        if !self.scrubs() {
            return self.front.put_page_n(pfn, n);
        }
        if let Some(block) = self.front.scrub_n(pfn, n)? {
            block.clear(&self.map).free(self.front.pool());
        }
        Ok(())
    }

    /// As [`Owner::alloc_bulk`], and the blocks are all zero if that is the policy. If the map panics: as for a pool.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there was none at all; nothing has changed.
    pub fn alloc_bulk(&mut self, order: u8, out: &mut [Pfn]) -> Result<usize, AllocError> {
        let (pool, holder) = (self.front.pool(), self.front.holder());
        if self.first(holder) == holder {
            return self.front.alloc_bulk(order, out);
        }
        // Each as it is handed out, in case the map panics at the next.
        alloc_cleared(pool, &self.map, holder, order, out, || self.front.gained(1))
    }

    /// As [`Owner::put_bulk`]; if that is the policy, those whose last reference it is are cleared before they are free.
    /// If the map panics: as for a pool.
    ///
    /// Takes the lock once for each [`BULK`](crate::BULK) that are cleared.
    ///
    /// # Errors
    ///
    /// [`BulkError`] at the first one that is refused: those before it have been put, it and those behind it have not.
    pub fn put_bulk(&mut self, pfns: &[Pfn]) -> Result<(), BulkError> {
        if !self.scrubs() {
            return self.front.put_bulk(pfns);
        }
        put_cleared(self.front.pool(), &self.map, pfns, |pfn| self.front.scrub_n(pfn, 1))
    }
}
