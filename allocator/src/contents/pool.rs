//! A pool whose blocks are cleared: by number, and by handle.

use super::{Erasing, PhysMap};
use crate::coalesce::Coalesce;
use crate::error::{AllocError, PageError};
use crate::handle::PageRef;
use crate::pfn::Pfn;
use crate::pool::HypPool;
use crate::refcount::RefcountPath;
use crate::word::Holder;
use core::ptr;
use lock_api::RawMutex;

/// A pool's blocks by number.
impl<'p, M: PhysMap, L: RawMutex, R: RefcountPath, C: Coalesce> Erasing<&'p HypPool<'p, L, R, C>, M> {
    /// As [`HypPool::alloc_pages`], and the block is all zero if that is the policy.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; nothing has changed.
    pub fn alloc_pages(&self, order: u8) -> Result<Pfn, AllocError> {
        let pfn = self.front.alloc_as(order, self.first(Holder::Number))?;
        Ok(self.ready(self.front, pfn, Holder::Number))
    }

    /// As [`HypPool::put_page`]; if it is the last reference and that is the policy, the block is cleared before it is
    /// free. Of several who put at the same time, the last one clears it.
    ///
    /// # Errors
    ///
    /// As `put_page`; nothing has changed.
    pub fn put_page(&self, pfn: Pfn) -> Result<(), PageError> {
        self.put_page_n(pfn, 1)
    }

    /// As [`put_page`](Self::put_page), for `n` references.
    ///
    /// # Errors
    ///
    /// As [`HypPool::put_page_n`]; nothing has changed.
    pub fn put_page_n(&self, pfn: Pfn, n: u32) -> Result<(), PageError> {
        if !self.scrubs() {
            return self.front.put_page_n(pfn, n);
        }
        if let Some(block) = self.front.scrub_as(pfn, Holder::Number, n)? {
            block.clear(&self.map).free(self.front);
        }
        Ok(())
    }
}

/// Handles to a pool's blocks.
impl<'p, M: PhysMap, L: RawMutex, R: RefcountPath, C: Coalesce> Erasing<&'p HypPool<'p, L, R, C>, M> {
    /// As [`HypPool::alloc`], and the block is all zero if that is the policy.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; nothing has changed.
    pub fn alloc(&self, order: u8) -> Result<PageRef<'p, L, R, C>, AllocError> {
        let pfn = self.front.alloc_as(order, self.first(Holder::Handle))?;
        Ok(PageRef::new(self.front, self.ready(self.front, pfn, Holder::Handle)))
    }

    /// As dropping `handle`; if it is the last one and that is the policy, the block is cleared before it is free. Of
    /// several who put their handles at the same time, the last one clears it, as with `Arc::into_inner`.
    ///
    /// A handle that is dropped clears nothing: where secrets are, each is put.
    ///
    /// # Errors
    ///
    /// The handle itself, if it is one of another pool, whose memory the map need not know.
    pub fn put(&self, handle: PageRef<'p, L, R, C>) -> Result<(), PageRef<'p, L, R, C>> {
        if !ptr::eq(handle.pool(), self.front) {
            return Err(handle);
        }
        if !self.scrubs() {
            drop(handle);
        } else if let Some(block) = handle.into_scrub() {
            block.clear(&self.map).free(self.front);
        }
        Ok(())
    }
}
