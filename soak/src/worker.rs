//! One thread's blocks, and the mix of calls.
//!
//! ```text
//!                  by number ──adopt──► owner's      by handle ──clone──► handle, handle
//!                   │  ▲  ▲              │             │    ▲
//!                   │  │  └──release─────┘             │    │
//!   pool, owner,    │  └──────────────into_raw─────────┘    │
//!   magazine, cpu,  └─────────────────adopt─────────────────┘
//!   bulk, erasing
//! ```
//!
//! A thread knows what is right of its own blocks, so every call on them is either granted or refused as it must be:
//! nothing is left to chance but what others do at the same time.

use crate::commons::{CPUS, Commons};
use crate::ledger::SHARED;
use hyp_pool::{AllocError, BULK, Contents, Erasing, Magazine, Owner, PageError, PageRef, Pfn, RefcountPath};
use lock_api::RawMutex;

mod calls;

/// The most blocks that a thread keeps: eight threads run the pool dry now and then, one does not.
const MOST: usize = 256;

/// What a thread says it has.
#[derive(Debug, Default)]
pub struct Holdings {
    /// Frames of blocks that are its own.
    pub pages: usize,
    /// Blocks that are or were in a slot, one element a handle.
    pub handles: Vec<(Pfn, u8)>,
    /// Frames in its magazines.
    pub magazine: usize,
    /// References to each of the shared pages.
    pub references: Vec<u32>,
}

/// A block of a thread.
#[derive(Debug)]
enum Block<'p, L: RawMutex, R: RefcountPath> {
    Number { pfn: Pfn, order: u8, count: u32 },
    Owned { pfn: Pfn, order: u8, count: u32 },
    Handle(PageRef<'p, L, R>),
}

/// A thread's part of a soak.
#[derive(Debug)]
pub struct Worker<'c, 'p, L: RawMutex, R: RefcountPath> {
    commons: &'c Commons<'p, L, R>,
    me: usize,
    rng: u64,
    owner: Owner<'p, L, R>,
    magazine: Magazine<'p, L, R>,
    /// Another one, whose blocks are cleared: by every other thread when they are allocated, by the rest when they are put.
    clearing: Erasing<Magazine<'p, L, R>, &'c Commons<'p, L, R>>,
    blocks: Vec<Block<'p, L, R>>,
    handles: Vec<PageRef<'p, L, R>>,
    references: Vec<u32>,
}

impl<'c, 'p, L: RawMutex, R: RefcountPath> Worker<'c, 'p, L, R> {
    /// Worker number `me`.
    ///
    /// # Panics
    ///
    /// If there are too many.
    #[must_use]
    pub fn new(commons: &'c Commons<'p, L, R>, me: usize, seed: u64) -> Self {
        let rng = (seed ^ (me as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).max(1);
        let owner = commons.pool.owner().expect("no more threads than owners");
        let magazine = Magazine::new(commons.pool);
        let when = if me.is_multiple_of(2) { Contents::ZeroOnAlloc } else { Contents::ScrubOnPut };
        let clearing = Erasing::new(Magazine::new(commons.pool), commons, when);
        let references = vec![0; commons.pages.len()];
        Self { commons, me, rng, owner, magazine, clearing, blocks: Vec::new(), handles: Vec::new(), references }
    }

    /// What it has.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        let pages = self.blocks.iter().map(|block| 1 << block.order()).sum();
        let handles = self.handles.iter().map(|handle| (handle.pfn(), handle.order())).collect();
        let magazine = self.magazine.pages() + self.clearing.front().pages();
        Holdings { pages, handles, magazine, references: self.references.clone() }
    }

    /// One operation.
    ///
    /// # Panics
    ///
    /// If the pool did what it must not.
    pub fn step(&mut self) {
        match self.random(64) {
            0..=17 => self.alloc(),
            18..=35 => self.free_one(),
            36..=41 => self.count_own(),
            42..=51 => self.count_shared(),
            52..=54 => self.change_hands(),
            55..=58 => self.slot(),
            59 => self.split(),
            60 => self.bulk(),
            61 => self.misuse(),
            62 => self.drop_handle(),
            _ => self.now_and_then(),
        }
    }

    /// Gives everything back.
    ///
    /// # Panics
    ///
    /// If the pool did what it must not.
    pub fn put_all(mut self) {
        while !self.blocks.is_empty() {
            self.free(self.blocks.len() - 1);
        }
        while !self.handles.is_empty() {
            self.drop_handle();
        }
        for (&page, count) in self.commons.pages.iter().zip(&mut self.references) {
            self.commons.pool.put_page_n(page, std::mem::take(count)).expect("they are ours");
        }
        self.magazine.drain();
        self.clearing.front_mut().drain();
        assert_eq!(self.magazine.pages() + self.clearing.front().pages(), 0);
    }

    /// Below `n`; xorshift.
    fn random(&mut self, n: u64) -> u64 {
        self.rng ^= self.rng << 13;
        self.rng ^= self.rng >> 7;
        self.rng ^= self.rng << 17;
        ((self.rng >> 32) * n) >> 32
    }

    /// 0 mostly; each order a quarter as often as the one below, so that large blocks do not take all the time.
    fn order(&mut self) -> u8 {
        (self.random(1 << 22) | 1 << 20).trailing_zeros() as u8 / 2
    }

    fn number(&self) -> u32 {
        self.me as u32 + 1
    }

    /// A block of this thread's, if it has one.
    fn any(&mut self) -> Option<usize> {
        let len = self.blocks.len();
        (len > 0).then(|| self.random(len as u64) as usize)
    }

    /// A CPU: mostly that of this thread, sometimes another one's.
    fn cpu(&mut self) -> usize {
        (self.me + usize::from(self.random(16) == 0)) % CPUS
    }

    /// Writes a block of this thread's down.
    fn enter(&mut self, block: Block<'p, L, R>) {
        self.commons.ledger.enter(block.pfn(), block.order(), self.number());
        self.blocks.push(block);
    }

    /// Strikes it off.
    fn leave(&mut self, at: usize) -> Block<'p, L, R> {
        let block = self.blocks.swap_remove(at);
        self.commons.ledger.leave(block.pfn(), block.order(), self.number());
        block
    }
}

impl<L: RawMutex, R: RefcountPath> Block<'_, L, R> {
    fn pfn(&self) -> Pfn {
        match *self {
            Self::Number { pfn, .. } | Self::Owned { pfn, .. } => pfn,
            Self::Handle(ref handle) => handle.pfn(),
        }
    }

    fn order(&self) -> u8 {
        match *self {
            Self::Number { order, .. } | Self::Owned { order, .. } => order,
            Self::Handle(ref handle) => handle.order(),
        }
    }
}
