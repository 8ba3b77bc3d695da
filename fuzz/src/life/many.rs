//! Many blocks in one call.

use super::Life;
use crate::model::By;
use crate::ops::{Target, Via, When};
use hyp_pool::{AllocError, BulkError, Coalesce, Erasing, PageError, Pfn, RefcountPath};

impl<R: RefcountPath, C: Coalesce> Life<'_, R, C> {
    pub(super) fn alloc_bulk(&mut self, owner: Option<bool>, when: When, order: u8, n: usize) {
        let mut out = vec![Pfn::new(usize::MAX); n];
        let result = match (owner, when.contents()) {
            (None, None) => self.pool.alloc_bulk(order, &mut out),
            (None, Some(contents)) => Erasing::new(self.pool, &self.memory, contents).alloc_bulk(order, &mut out),
            (Some(o), None) => self.owner(o).alloc_bulk(order, &mut out),
            (Some(o), Some(contents)) => self.as_owner(o, contents, |owner| owner.alloc_bulk(order, &mut out)),
        };
        let cleared = self.memory.take_cleared();
        match result {
            Ok(got) => {
                let zeroing = when == When::Zeroing;
                assert_eq!(cleared, if zeroing { got << order } else { 0 });
                for pfn in &out[..got] {
                    assert!(!zeroing || self.memory.is(pfn.get(), 1 << order, 0), "not zero");
                    let stamp = self.model.allocated(pfn.get(), order, owner.map_or(By::Number, By::Owner));
                    self.memory.stamp(pfn.get(), 1 << order, stamp);
                }
                assert!(out[got..].iter().all(|pfn| pfn.get() == usize::MAX), "the rest is as it was");
                if got < n {
                    self.refused(Via::Pool, order, AllocError::OutOfMemory);
                }
            }
            Err(error) => self.refused(Via::Pool, order, error),
        }
    }

    pub(super) fn put_bulk(&mut self, owner: Option<bool>, when: When, from: usize, n: usize, odd: Option<(u8, u16)>) {
        let by = owner.map_or(By::Number, By::Owner);
        // By number from among all blocks; by an owner from among its own, which are few.
        let from = if owner.is_some() { from % 8 } else { from };
        let named = self.model.blocks.iter().filter(|(_, block)| owner.is_none() || block.by == by);
        let mut pfns: Vec<usize> = named.map(|(&pfn, _)| pfn).skip(from).take(n).collect();
        if let Some((at, any)) = odd {
            pfns.insert(usize::from(at) % (pfns.len() + 1), self.model.frame(Target::Any(any)));
        }
        let ours: Vec<bool> = pfns.iter().map(|&pfn| self.model.around(pfn).is_some()).collect();
        let mut expected = Ok(());
        let mut freed = Vec::new();
        for (index, &pfn) in pfns.iter().enumerate() {
            let found = if ours[index] && self.model.around(pfn).is_none() {
                Err(PageError::Free) // by one of those before it
            } else {
                self.model.find(self.pool, pfn, by)
            };
            match self.model.put(found, pfn, 1) {
                Ok(block) => freed.extend(block.map(|block| (pfn, 1_usize << block.order))),
                Err(error) => {
                    expected = Err(BulkError { index, error });
                    break;
                }
            }
        }
        let pfns: Vec<Pfn> = pfns.into_iter().map(Pfn::new).collect();
        let result = match (owner, when.contents()) {
            (None, None) => self.pool.put_bulk(&pfns),
            (None, Some(contents)) => Erasing::new(self.pool, &self.memory, contents).put_bulk(&pfns),
            (Some(o), None) => self.owner(o).put_bulk(&pfns),
            (Some(o), Some(contents)) => self.as_owner(o, contents, |owner| owner.put_bulk(&pfns)),
        };
        assert_eq!(result, expected);
        freed.retain(|_| when == When::Scrubbing);
        assert_eq!(self.memory.take_cleared(), freed.iter().map(|&(_, pages)| pages).sum::<usize>());
        assert!(freed.iter().all(|&(pfn, pages)| self.memory.is(pfn, pages, 0)), "not scrubbed");
    }
}
