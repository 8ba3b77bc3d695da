//! `mixed`: a live set of blocks of orders 0 to 3, one of which is put and another allocated in its place.
//!
//! 1024 blocks; where several cores share a pool, each has its part of them.

use hyp_pool::Pfn;

use super::{Load, Place, Rng};
use crate::pages::{Pages, Refused};

const LIVE: usize = 1024;

pub(crate) struct Mixed<'p, P> {
    pages: &'p P,
    rng: Rng,
    blocks: [Pfn; LIVE],
    live: usize,
}

impl<'p, P: Pages> Load<'p, P> for Mixed<'p, P> {
    fn begin(pages: &'p P, place: Place) -> Result<Self, Refused> {
        // A power of two, as the original's mask wants it.
        let live = (LIVE / place.workers).max(1);
        let live = 1 << live.ilog2();
        let mut rng = Rng::of(place.worker);
        let mut blocks = [Pfn::new(0); LIVE];
        for block in &mut blocks[..live] {
            *block = pages.alloc((rng.next() >> 62) as u8)?;
        }
        Ok(Self { pages, rng, blocks, live })
    }

    #[inline]
    fn step(&mut self) -> Result<(), Refused> {
        let random = self.rng.next();
        let block = &mut self.blocks[(random >> 32) as usize & (self.live - 1)];
        self.pages.put(*block)?;
        *block = self.pages.alloc((random >> 62) as u8)?;
        Ok(())
    }

    fn end(self) -> Result<(), Refused> {
        self.blocks[..self.live].iter().try_for_each(|&block| self.pages.put(block))
    }
}
