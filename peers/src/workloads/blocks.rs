//! `W2`, `W5`, `W5z` and `mixed`: blocks of orders 0 to 3, at random.

use super::{Place, Work};
use crate::rng::Rng;
use crate::subject::{Name, Pages, Refused};

const SLOTS: usize = 1024;

/// `W2`, `W5`; `ZERO`: `W5z`. A slot at random: what is there is given back, or else a block is allocated. Threads
/// share 1024 slots evenly.
#[derive(Debug)]
pub struct Blocks<N, const ZERO: bool> {
    rng: Rng,
    slots: Vec<Option<(N, u8)>>,
}

impl<'p, P: Pages, const ZERO: bool> Work<'p, P> for Blocks<P::Page, ZERO> {
    fn begin(_: &mut P, place: Place<'p>) -> Result<Self, Refused> {
        Ok(Self { rng: Rng::of(place.thread), slots: vec![None; SLOTS / place.threads.next_power_of_two()] })
    }

    fn chunk(&mut self, pages: &mut P, ops: usize) -> Result<(), Refused> {
        let mask = self.slots.len() - 1;
        for _ in 0..ops {
            let random = self.rng.draw();
            let slot = &mut self.slots[(random >> 32) as usize & mask];
            match slot.take() {
                Some((page, order)) if ZERO => pages.retire(page, order)?,
                Some((page, order)) => pages.free(page, order)?,
                None => {
                    let order = (random >> 62) as u8;
                    *slot = Some((pages.alloc(order)?, order));
                }
            }
        }
        Ok(())
    }

    fn end(self, pages: &mut P) -> Result<(), Refused> {
        self.slots.into_iter().flatten().try_for_each(|(page, order)| pages.free(page, order))
    }
}

/// `mixed`: the original's. 1024 blocks, of which a random one is given back and another allocated in its place.
#[derive(Debug)]
pub struct Mixed<N> {
    rng: Rng,
    blocks: Vec<(N, u8)>,
}

impl<N: Name> Mixed<N> {
    /// What the original's policy, oldest first from the lowest address up, makes of 200 000 operations.
    pub const HASH: u64 = 0x2f86_8115_296e_00e0;

    /// Where the blocks are, in a word: pages are counted from the one at `base` on.
    pub fn hash<P: Pages<Page = N>>(&self, pages: &P, base: usize) -> u64 {
        let fold = |hash: u64, &(page, _): &(N, u8)| {
            let index = (pages.address(page).addr() - base) / crate::arena::PAGE;
            (hash ^ index as u64).wrapping_mul(0x100_0000_01b3)
        };
        self.blocks.iter().fold(0xcbf2_9ce4_8422_2325, fold)
    }
}

impl<'p, P: Pages> Work<'p, P> for Mixed<P::Page> {
    fn begin(pages: &mut P, place: Place<'p>) -> Result<Self, Refused> {
        let mut rng = Rng::of(place.thread);
        let mut blocks = Vec::new();
        for _ in 0..SLOTS / place.threads.next_power_of_two() {
            let order = (rng.draw() >> 62) as u8;
            blocks.push((pages.alloc(order)?, order));
        }
        Ok(Self { rng, blocks })
    }

    fn chunk(&mut self, pages: &mut P, ops: usize) -> Result<(), Refused> {
        let mask = self.blocks.len() - 1;
        for _ in 0..ops {
            let random = self.rng.draw();
            let block = &mut self.blocks[(random >> 32) as usize & mask];
            pages.free(block.0, block.1)?;
            let order = (random >> 62) as u8;
            *block = (pages.alloc(order)?, order);
        }
        Ok(())
    }

    fn end(self, pages: &mut P) -> Result<(), Refused> {
        self.blocks.into_iter().try_for_each(|(page, order)| pages.free(page, order))
    }
}
