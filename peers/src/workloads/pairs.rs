//! `W1`, `W1f`, `W4`: a page allocated and given back at once.

use super::{Place, Work};
use crate::subject::{Pages, Refused};

/// `W1`, `W4`: from a whole pool. A buddy that merges at once splits its largest block down to a page and merges it up
/// again, each time.
#[derive(Debug)]
pub struct Pairs;

impl<'p, P: Pages> Work<'p, P> for Pairs {
    fn begin(_: &mut P, _: Place<'p>) -> Result<Self, Refused> {
        Ok(Self)
    }

    fn chunk(&mut self, pages: &mut P, ops: usize) -> Result<(), Refused> {
        for _ in 0..ops {
            let page = pages.alloc(0)?;
            pages.free(page, 0)?;
        }
        Ok(())
    }

    fn end(self, _: &mut P) -> Result<(), Refused> {
        Ok(())
    }
}

/// `W1f`: with every other page held, so that there is nothing to split and nothing to merge.
#[derive(Debug)]
pub struct PairsHeld<N>(Vec<N>);

impl<'p, P: Pages> Work<'p, P> for PairsHeld<P::Page> {
    fn begin(pages: &mut P, place: Place<'p>) -> Result<Self, Refused> {
        let mut all = Vec::new();
        for _ in 0..place.capacity {
            all.push(pages.alloc(0)?);
        }
        all.sort_unstable_by_key(|&page| pages.address(page).addr());
        let mut held = Vec::new();
        for (i, page) in all.into_iter().enumerate() {
            if i % 2 == 0 {
                pages.free(page, 0)?;
            } else {
                held.push(page);
            }
        }
        Ok(Self(held))
    }

    fn chunk(&mut self, pages: &mut P, ops: usize) -> Result<(), Refused> {
        Pairs.chunk(pages, ops)
    }

    fn end(self, pages: &mut P) -> Result<(), Refused> {
        self.0.into_iter().rev().try_for_each(|page| pages.free(page, 0))
    }
}
