//! The calls, one by one: what the model expects, what the pool says.
//!
//! ```text
//!   Via       alloc                       put, if it is the last
//!   Pool      pool                        pool
//!   Owner     pool, the owner's           the owner's alone
//!   Handle    pool, one handle            when the last handle goes
//!   Magazine  magazine, or pool           magazine (orders 0 to 3), or pool
//!   PerCpu    that CPU's magazine         that CPU's magazine
//!
//!   When      contents
//!   Zeroing   zero when allocated
//!   Scrubbing zero before it is free, or in a magazine
//!   others    stay
//! ```

use super::Life;
use crate::memory::Lock;
use crate::model::{Block, By, coalesced};
use crate::ops::{Via, When};
use hyp_pool::{AllocError, Coalesce, Erasing, MAX_ORDER, PageError, PageRef, Pfn, RefcountPath};

impl<'p, R: RefcountPath, C: Coalesce> Life<'p, R, C> {
    /// A block; its contents are the policy's, then stamped.
    pub(super) fn alloc(&mut self, via: Via, when: When, order: u8) {
        let pool = self.pool;
        let by = match via {
            Via::Owner(o) => By::Owner(o),
            Via::Handle => By::Handle,
            _ => By::Number,
        };
        let result = match (via, when.contents()) {
            (Via::Handle, contents) => {
                let handle = match contents {
                    None => pool.alloc(order),
                    Some(contents) => Erasing::new(pool, &self.memory, contents).alloc(order),
                };
                handle.map(|handle| {
                    let pfn = handle.pfn();
                    assert_eq!((handle.order(), handle.count()), (order, 1));
                    self.handles.insert(pfn.get(), vec![handle]);
                    pfn
                })
            }
            (via, Some(contents)) => self.alloc_erasing(via, contents, order),
            (Via::Pool, None) => pool.alloc_pages(order),
            (Via::Owner(o), None) => self.owner(o).alloc_pages(order),
            (Via::Magazine(false), None) => self.small.alloc_pages(order),
            (Via::Magazine(true), None) => self.large.alloc_pages(order),
            (Via::PerCpu(cpu), None) => self.cpus.alloc_pages(usize::from(cpu % 4), order),
        };
        let cleared = self.memory.take_cleared();
        match result {
            Ok(pfn) => {
                let (pfn, pages) = (pfn.get(), 1 << order);
                let stamp = self.model.allocated(pfn, order, by);
                let zeroing = when == When::Zeroing;
                assert_eq!(cleared, if zeroing { pages } else { 0 });
                assert!(!zeroing || self.memory.is(pfn, pages, 0), "not zero");
                self.memory.stamp(pfn, pages, stamp);
                assert_eq!(pool.page_count(Pfn::new(pfn)), Ok(1));
            }
            Err(error) => self.refused(via, order, error),
        }
    }

    /// Whether `error` is the right answer to an allocation.
    pub(super) fn refused(&mut self, via: Via, order: u8, error: AllocError) {
        assert_eq!(error, if order > MAX_ORDER { AllocError::OrderTooLarge } else { AllocError::OutOfMemory });
        if order > MAX_ORDER {
            return;
        }
        let free = coalesced(self.model.range.start, &self.settle());
        assert!(free[usize::from(order)..].iter().all(|&n| n == 0), "there was a block of order {order}: {free:?}");
        // Nothing was held back, either.
        match via {
            Via::Magazine(false) => assert_eq!(self.small.pages(), 0),
            Via::Magazine(true) => assert_eq!(self.large.pages(), 0),
            Via::PerCpu(_) => assert_eq!(self.cpus.pages(), 0),
            _ => {}
        }
    }

    pub(super) fn get(&mut self, via: Via, pfn: usize, n: u32) {
        let (pool, at) = (self.pool, Pfn::new(pfn));
        match via {
            Via::Handle => {
                let Some(handles) = self.handles.get_mut(&pfn) else { return };
                let handle = if n == 1 { handles[0].clone() } else { handles[0].try_clone().expect("a few handles") };
                handles.push(handle);
                let found = self.model.find(pool, pfn, By::Handle);
                assert_eq!(self.model.get(found, pfn, 1), Ok(()));
            }
            Via::Owner(o) => {
                let found = self.model.find(pool, pfn, By::Owner(o));
                let expected = self.model.get(found, pfn, n);
                let owner = self.owner(o);
                assert_eq!(if n == 1 { owner.get_page(at) } else { owner.get_page_n(at, n) }, expected);
            }
            _ => {
                let found = self.model.find(pool, pfn, By::Number);
                let expected = self.model.get(found, pfn, n);
                assert_eq!(if n == 1 { pool.get_page(at) } else { pool.get_page_n(at, n) }, expected);
            }
        }
    }

    pub(super) fn put(&mut self, via: Via, when: When, pfn: usize, n: u32) {
        let (pool, at) = (self.pool, Pfn::new(pfn));
        let (by, n) = match via {
            Via::Pool => (By::Number, n),
            Via::Owner(o) => (By::Owner(o), n),
            Via::Handle => {
                if let Some(handle) = self.handles.get_mut(&pfn).and_then(Vec::pop) {
                    self.put_handle(when, handle);
                }
                return;
            }
            _ => (By::Number, 1),
        };
        let found = self.model.find(pool, pfn, by);
        if let Ok(block) = found {
            assert!(self.memory.is(pfn, 1 << block.order, block.stamp), "somebody wrote to a block of ours");
        }
        let expected = self.model.put(found, pfn, n);
        let result = match (via, when.contents()) {
            (via, Some(contents)) => self.put_erasing(via, contents, at, n),
            (Via::Pool, None) if n == 1 => pool.put_page(at),
            (Via::Owner(o), None) if n == 1 => self.owner(o).put_page(at),
            (Via::Owner(o), None) => self.owner(o).put_page_n(at, n),
            (Via::Magazine(false), None) => self.small.put_page(at),
            (Via::Magazine(true), None) => self.large.put_page(at),
            (Via::PerCpu(cpu), None) => self.cpus.put_page(usize::from(cpu % 4), at),
            (Via::Pool | Via::Handle, None) => pool.put_page_n(at, n),
        };
        assert_eq!(result, expected.map(drop));
        self.scrubbed(when, pfn, expected.ok().flatten());
    }

    /// What has been cleared is `freed`, if that is when; and nothing else.
    pub(super) fn scrubbed(&mut self, when: When, pfn: usize, freed: Option<Block>) {
        let pages = freed.filter(|_| when == When::Scrubbing).map_or(0, |block| 1 << block.order);
        assert_eq!(self.memory.take_cleared(), pages);
        assert!(pages == 0 || self.memory.is(pfn, pages, 0), "not scrubbed");
    }

    pub(super) fn put_page_of(&mut self, when: When, pfn: usize, order: u8) {
        let right = |block: Block| if block.order == order { Ok(block) } else { Err(PageError::WrongOrder) };
        let found = self.model.find(self.pool, pfn, By::Number).and_then(right);
        let expected = self.model.put(found, pfn, 1);
        let result = match when.contents() {
            None => self.small.put_page_of(Pfn::new(pfn), order),
            Some(contents) => self.put_page_of_erasing(contents, Pfn::new(pfn), order),
        };
        assert_eq!(result, expected.map(drop));
        self.scrubbed(when, pfn, expected.ok().flatten());
    }

    pub(super) fn put_handle(&mut self, when: When, handle: PageRef<'p, Lock, R, C>) {
        let pfn = handle.pfn().get();
        let found = self.model.find(self.pool, pfn, By::Handle);
        assert_eq!(found.map(|block| (block.order, block.count)), Ok((handle.order(), handle.count())));
        let freed = self.model.put(found, pfn, 1).expect("a handle's block is there");
        match when.contents() {
            None => drop(handle),
            Some(contents) => {
                Erasing::new(self.pool, &self.memory, contents).put(handle).expect("a handle of this pool");
            }
        }
        self.scrubbed(when, pfn, freed);
        if self.handles.get(&pfn).is_some_and(Vec::is_empty) {
            self.handles.remove(&pfn);
        }
    }

    /// All references, in the way that is right.
    pub(super) fn free(&mut self, pfn: usize) {
        let Some(&block) = self.model.blocks.get(&pfn) else { return };
        match block.by {
            By::Number => self.put(Via::Pool, When::Plain, pfn, block.count),
            By::Owner(o) => self.put(Via::Owner(o), When::Plain, pfn, block.count),
            By::Handle => (0..block.count).for_each(|_| self.put(Via::Handle, When::Plain, pfn, 1)),
            By::Left => {
                let refused = Err(PageError::Held);
                let at = Pfn::new(pfn);
                assert_eq!(
                    [self.pool.put_page(at), self.owner(false).put_page(at), self.owner(true).put_page(at)],
                    [refused; 3]
                );
            }
        }
    }

    pub(super) fn split(&mut self, pfn: usize) {
        if let Some(mut handles) = self.handles.remove(&pfn) {
            let handle = handles.pop().expect("no list is empty");
            let sole = handles.is_empty();
            match handle.split() {
                Ok(pages) => {
                    assert!(sole);
                    self.model.split(pfn);
                    self.handles.extend(pages.map(|page| (page.pfn().get(), vec![page])));
                }
                Err(handle) => {
                    assert!(!sole);
                    handles.push(handle);
                    self.handles.insert(pfn, handles);
                }
            }
            return;
        }
        let expected = self.model.sole(self.pool, pfn, By::Number).map(drop);
        assert_eq!(self.pool.split_page(Pfn::new(pfn)), expected);
        if expected.is_ok() {
            self.model.split(pfn);
        }
    }

    pub(super) fn split_own(&mut self, o: bool, pfn: usize) {
        let expected = self.model.sole(self.pool, pfn, By::Owner(o)).map(drop);
        assert_eq!(self.owner(o).split_page(Pfn::new(pfn)), expected);
        if expected.is_ok() {
            self.model.split(pfn);
        }
    }

    pub(super) fn adopt(&mut self, pfn: usize) {
        let expected = self.model.sole(self.pool, pfn, By::Number).map(drop);
        let result = self.pool.adopt(Pfn::new(pfn));
        assert_eq!(result.as_ref().map(drop).map_err(|&error| error), expected);
        if let Ok(handle) = result {
            self.model.rehold(pfn, By::Handle);
            self.handles.insert(pfn, vec![handle]);
        }
    }

    pub(super) fn count_by_number(&mut self, pfn: usize) {
        let Some(mut handles) = self.handles.remove(&pfn) else { return };
        let handle = handles.pop().expect("no list is empty");
        match handle.into_raw() {
            Ok(raw) => {
                assert!(handles.is_empty() && raw.get() == pfn);
                self.model.rehold(pfn, By::Number);
            }
            Err(handle) => {
                assert!(!handles.is_empty());
                handles.push(handle);
                self.handles.insert(pfn, handles);
            }
        }
    }
}
