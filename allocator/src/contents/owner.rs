//! An owner whose blocks are cleared.

use super::{Erasing, PhysMap};
use crate::coalesce::Coalesce;
use crate::error::{AllocError, PageError};
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
        Ok(self.ready(pool, pfn, holder))
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
}
