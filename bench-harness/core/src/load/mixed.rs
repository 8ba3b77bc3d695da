//! `mixed`: a live set of blocks, one of which is put and another allocated in its place.
//!
//! 1024 blocks; where several cores share a pool, each has its part of them. Their orders are the scenario's mix: 0 to 3
//! evenly, as the original has them, unless it says otherwise.

use hyp_pool::Pfn;

use super::{Load, Place, Rng};
use crate::axes::Mix;
use crate::pages::{Ops, Refused};

const LIVE: usize = 1024;
/// 2 MiB, what a guest's memory is mapped by where it can be. There is room for 31 of them, so they are rare.
const HUGE: u8 = 9;

pub(crate) struct Mixed {
    rng: Rng,
    mix: Mix,
    blocks: [Pfn; LIVE],
    live: usize,
    /// The one huge block that this worker has, if it has one.
    huge: Option<usize>,
    huge_workers: bool,
}

impl Mixed {
    /// The order of the next block, which takes place `at`.
    #[inline]
    fn order(&mut self, random: u64, at: usize) -> u8 {
        match self.mix {
            Mix::Usual | Mix::Small => (random >> 62) as u8,
            Mix::Pages => 0,
            Mix::Huge if self.huge_workers && self.huge.is_none() && random >> 56 == 0 => {
                self.huge = Some(at);
                HUGE
            }
            Mix::Huge => 0,
        }
    }
}

impl Load for Mixed {
    fn begin(ops: &mut dyn Ops, place: Place) -> Result<Self, Refused> {
        // A power of two, as the original's mask wants it.
        let live = (LIVE / place.workers).max(1);
        let live = 1 << live.ilog2();
        // Half of the pool's huge blocks, so that the pages between them leave enough whole.
        let huge_workers = place.worker < 8;
        let (rng, blocks) = (Rng::of(place.worker), [Pfn::new(0); LIVE]);
        let mut own = Self { rng, mix: place.mix, blocks, live, huge: None, huge_workers };
        for at in 0..live {
            let random = own.rng.next();
            let order = own.order(random, at);
            own.blocks[at] = ops.alloc(order)?;
        }
        Ok(own)
    }

    #[inline]
    fn step(&mut self, ops: &mut dyn Ops) -> Result<(), Refused> {
        let random = self.rng.next();
        let at = (random >> 32) as usize & (self.live - 1);
        ops.put(self.blocks[at])?;
        if self.huge == Some(at) {
            self.huge = None;
        }
        let order = self.order(random, at);
        self.blocks[at] = ops.alloc(order)?;
        Ok(())
    }

    fn end(self, ops: &mut dyn Ops) -> Result<(), Refused> {
        self.blocks[..self.live].iter().try_for_each(|&block| ops.put(block))
    }
}
