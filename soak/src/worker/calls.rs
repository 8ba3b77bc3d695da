//! The calls.
//!
//! | of 64 | |
//! |---|---|
//! | 18 | an allocation: pool, owner, handle, magazine, CPU's magazine; some of them zeroing |
//! | 18 | a block freed: the same ways; some of them scrubbing |
//! | 6 | references to a block of one's own |
//! | 10 | references to a page that all share |
//! | 3 | a block changes hands: number, owner, handle |
//! | 4 | a slot: a clone of its handle, or another block in its place |
//! | 1 each | a split, many at once, a call that must be refused, a handle dropped |
//! | 1 | draining, coalescing, looking at it all: seldom |

use super::{
    AllocError, BULK, Block, Contents, Erasing, MOST, PageError, PageRef, Pfn, RawMutex, RefcountPath, SHARED, Worker,
};

/// To a call on a block of one's own that must be granted.
const OURS: &str = "a block of this thread's";

impl<'p, L: RawMutex, R: RefcountPath> Worker<'_, 'p, L, R> {
    pub(super) fn alloc(&mut self) {
        if self.blocks.len() >= MOST {
            return self.free_one();
        }
        let order = self.order();
        let (pool, cpu) = (self.commons.pool, self.cpu());
        let got = match self.random(8) {
            0 | 1 => pool.alloc_pages(order),
            2 | 3 => self.magazine.alloc_pages(order),
            4 => self.commons.cpus.alloc_pages(cpu, order),
            5 => match self.random(3) {
                0 => self.clearing.alloc_pages(order),
                1 => Erasing::new(&self.commons.cpus, self.commons, Contents::ZeroOnAlloc).alloc_pages(cpu, order),
                _ => Erasing::new(pool, self.commons, Contents::ZeroOnAlloc).alloc_pages(order),
            },
            6 => {
                return match self.owner.alloc_pages(order) {
                    Ok(pfn) => self.enter(Block::Owned { pfn, order, count: 1 }),
                    Err(error) => assert_eq!(error, AllocError::OutOfMemory),
                };
            }
            _ => {
                return match pool.alloc(order) {
                    Ok(handle) => self.enter(Block::Handle(handle)),
                    Err(error) => assert_eq!(error, AllocError::OutOfMemory),
                };
            }
        };
        match got {
            Ok(pfn) => self.enter(Block::Number { pfn, order, count: 1 }),
            Err(error) => assert_eq!(error, AllocError::OutOfMemory),
        }
    }

    pub(super) fn free_one(&mut self) {
        if let Some(at) = self.any() {
            self.free(at);
        }
    }

    pub(super) fn free(&mut self, at: usize) {
        let (pool, cpu) = (self.commons.pool, self.cpu());
        match self.leave(at) {
            Block::Handle(handle) => {
                assert_eq!(handle.count(), 1);
                self.put_handle(handle);
            }
            Block::Owned { pfn, count, .. } => self.owner.put_page_n(pfn, count).expect(OURS),
            Block::Number { pfn, count, .. } => {
                if count > 1 {
                    return pool.put_page_n(pfn, count).expect(OURS);
                }
                match self.random(6) {
                    0 | 1 => pool.put_page(pfn),
                    2 | 3 => self.magazine.put_page(pfn),
                    4 => self.commons.cpus.put_page(cpu, pfn),
                    _ => match self.random(3) {
                        0 => self.clearing.put_page(pfn),
                        1 => Erasing::new(&self.commons.cpus, self.commons, Contents::ScrubOnPut).put_page(cpu, pfn),
                        _ => Erasing::new(pool, self.commons, Contents::ScrubOnPut).put_page(pfn),
                    },
                }
                .expect(OURS);
            }
        }
    }

    pub(super) fn count_own(&mut self) {
        let more = 1 + self.random(3) as u32;
        let Some(at) = self.any() else { return };
        match &mut self.blocks[at] {
            Block::Number { pfn, count, .. } => {
                if *count > more {
                    self.commons.pool.put_page_n(*pfn, more).expect(OURS);
                    *count -= more;
                } else {
                    self.commons.pool.get_page_n(*pfn, more).expect(OURS);
                    *count += more;
                }
                assert_eq!(self.commons.pool.page_count(*pfn), Ok(*count));
            }
            Block::Owned { pfn, count, .. } => {
                if *count > more {
                    self.owner.put_page_n(*pfn, more).expect(OURS);
                    *count -= more;
                } else {
                    self.owner.get_page_n(*pfn, more).expect(OURS);
                    *count += more;
                }
                assert_eq!(self.owner.page_count(*pfn), Ok(*count));
            }
            Block::Handle(handle) => {
                let another = handle.clone();
                assert_eq!(another.count(), 2);
            }
        }
    }

    pub(super) fn count_shared(&mut self) {
        let nth = self.random(self.references.len() as u64) as usize;
        let (pool, page) = (self.commons.pool, self.commons.pages[nth]);
        let count = &mut self.references[nth];
        let (result, now) = match *count {
            0 => (pool.get_page(page), 1),
            1 => (pool.get_page(page), 2),
            2 => (pool.get_page_n(page, 3), 5),
            5 => (pool.put_page_n(page, 4), 1),
            n => (pool.put_page(page), n - 1),
        };
        *count = now;
        result.expect("nobody frees it");
        if self.rng & 3 == 0 {
            while self.references[nth] > 0 {
                pool.put_page(page).expect("nobody frees it");
                self.references[nth] -= 1;
            }
        }
    }

    pub(super) fn change_hands(&mut self) {
        let Some(at) = self.any() else { return };
        let (pool, order) = (self.commons.pool, self.blocks[at].order());
        let to_handle = self.rng & 1 == 0;
        let block = self.blocks.swap_remove(at);
        let block = match block {
            Block::Number { pfn, count: 1, .. } if to_handle => Block::Handle(pool.adopt(pfn).expect(OURS)),
            Block::Number { pfn, count: 1, .. } => {
                self.owner.adopt(pfn).expect(OURS);
                Block::Owned { pfn, order, count: 1 }
            }
            Block::Owned { pfn, count: 1, .. } => {
                self.owner.release(pfn).expect(OURS);
                Block::Number { pfn, order, count: 1 }
            }
            Block::Handle(handle) => Block::Number { pfn: handle.into_raw().expect(OURS), order, count: 1 },
            Block::Number { pfn, .. } => {
                assert_eq!(pool.adopt(pfn).map(drop), Err(PageError::Shared));
                block
            }
            Block::Owned { pfn, .. } => {
                assert_eq!(self.owner.release(pfn), Err(PageError::Shared));
                block
            }
        };
        self.blocks.push(block);
    }

    /// A clone of what is in a slot; or another block in its place.
    pub(super) fn slot(&mut self) {
        let commons = self.commons;
        let slot = &commons.slots[self.random(commons.slots.len() as u64) as usize];
        if self.handles.len() >= 32 || self.random(4) == 0 {
            self.drop_handle();
        }
        if self.random(4) > 0 {
            let handle = slot.lock().as_ref().map(PageRef::clone);
            self.handles.extend(handle);
            return;
        }
        let order = self.order();
        let Ok(new) = commons.pool.alloc(order) else { return };
        commons.ledger.enter(new.pfn(), order, SHARED);
        let old = slot.lock().replace(new);
        if let Some(old) = old {
            // Others may have it still; the last one to drop it frees it.
            commons.ledger.leave(old.pfn(), old.order(), SHARED);
        }
    }

    pub(super) fn drop_handle(&mut self) {
        let len = self.handles.len();
        if len > 0 {
            let at = self.random(len as u64) as usize;
            let handle = self.handles.swap_remove(at);
            // Right before the put: who is given the block next must come after this read.
            self.commons.ledger.read(handle.pfn(), handle.order(), SHARED);
            self.put_handle(handle);
        }
    }

    /// Drops it, or has its block cleared if it is the last one.
    fn put_handle(&mut self, handle: PageRef<'p, L, R>) {
        if self.random(2) == 0 {
            return drop(handle);
        }
        let put = Erasing::new(self.commons.pool, self.commons, Contents::ScrubOnPut).put(handle);
        put.expect("a handle of this pool");
    }

    pub(super) fn split(&mut self) {
        let Some(at) = self.any() else { return };
        let order = self.blocks[at].order();
        if order == 0 || order > 4 {
            return;
        }
        match self.blocks.swap_remove(at) {
            Block::Handle(handle) => self.blocks.extend(handle.split().expect(OURS).map(Block::Handle)),
            Block::Number { pfn, count: 1, .. } => {
                self.commons.pool.split_page(pfn).expect(OURS);
                let pages = pfn.get()..pfn.get() + (1 << order);
                self.blocks.extend(pages.map(|n| Block::Number { pfn: Pfn::new(n), order: 0, count: 1 }));
            }
            Block::Owned { pfn, count: 1, .. } => {
                self.owner.split_page(pfn).expect(OURS);
                let pages = pfn.get()..pfn.get() + (1 << order);
                self.blocks.extend(pages.map(|n| Block::Owned { pfn: Pfn::new(n), order: 0, count: 1 }));
            }
            block => {
                let refused = match block {
                    Block::Owned { pfn, .. } => self.owner.split_page(pfn),
                    _ => self.commons.pool.split_page(block.pfn()),
                };
                assert_eq!(refused, Err(PageError::Shared));
                self.blocks.push(block);
            }
        }
    }

    pub(super) fn bulk(&mut self) {
        let pool = self.commons.pool;
        let (order, n) = (self.order(), 1 + self.random(BULK as u64 + 8) as usize);
        if order < 3 && self.blocks.len() + n <= MOST {
            let mut pfns = [Pfn::new(0); BULK + 8];
            let got = match self.random(2) {
                0 => pool.alloc_bulk(order, &mut pfns[..n]),
                _ => Erasing::new(pool, self.commons, Contents::ZeroOnAlloc).alloc_bulk(order, &mut pfns[..n]),
            };
            match got {
                Ok(got) => pfns[..got].iter().for_each(|&pfn| self.enter(Block::Number { pfn, order, count: 1 })),
                Err(error) => assert_eq!(error, AllocError::OutOfMemory),
            }
            return;
        }
        let mut pfns = Vec::with_capacity(n);
        while let Some(at) = self.blocks.iter().rposition(|block| matches!(block, Block::Number { count: 1, .. }))
            && pfns.len() < n
        {
            pfns.push(self.leave(at).pfn());
        }
        match self.random(2) {
            0 => pool.put_bulk(&pfns),
            _ => Erasing::new(pool, self.commons, Contents::ScrubOnPut).put_bulk(&pfns),
        }
        .expect(OURS);
    }

    /// Calls on a block of one's own that must be refused, and change nothing.
    pub(super) fn misuse(&mut self) {
        let Some(at) = self.any() else { return };
        let (pool, block) = (self.commons.pool, &self.blocks[at]);
        let pfn = block.pfn();
        if block.order() > 0 {
            assert_eq!(pool.put_page(Pfn::new(pfn.get() + 1)), Err(PageError::Tail));
        }
        match *block {
            Block::Number { count, .. } => {
                assert_eq!(pool.put_page_n(pfn, count + 1), Err(PageError::Underflow));
                assert_eq!(self.owner.get_page(pfn), Err(PageError::Held));
            }
            Block::Owned { .. } | Block::Handle(_) => {
                assert_eq!(pool.put_page(pfn), Err(PageError::Held));
                assert_eq!(self.magazine.put_page(pfn), Err(PageError::Held));
            }
        }
        assert_eq!(pool.get_page(Pfn::new(7)), Err(PageError::OutOfRange));
    }

    /// What takes long, or empties what fills slowly.
    pub(super) fn now_and_then(&mut self) {
        let cpu = self.cpu();
        match self.random(4096) {
            0..=31 => self.magazine.drain(),
            32..=63 => self.clearing.front_mut().drain(),
            64..=127 => self.commons.cpus.drain(cpu),
            128..=191 => self.commons.pool.coalesce(),
            192..=195 => self.commons.cpus.drain_all(),
            196..=199 => {
                let blocks = self.commons.pool.free_blocks();
                assert!(blocks.iter().enumerate().map(|(order, n)| n << order).sum::<usize>() <= self.commons.len());
            }
            200 => {
                self.commons.pool.check().unwrap_or_else(|error| panic!("{error}"));
            }
            _ => assert!(self.commons.pool.free_pages() <= self.commons.len()),
        }
    }
}
