//! `W3`: all pages allocated, then all given back. An operation is either; a chunk is the whole of it.
//!
//! Those whose free walks a list as long as there are free blocks have [`FEW`] pages in the random order, so that the
//! program ends today; the table says so.

use super::{Place, Plan, Work};
use crate::rng::Rng;
use crate::subject::{Pages, Refused};

/// Pages for those who walk lists.
pub const FEW: usize = 1024;

/// In which order they are given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Way {
    /// Last in, first out.
    Lifo,
    /// First in, first out.
    Fifo,
    /// A permutation, always the same.
    Random,
}

/// The work; `WAY` is a [`Way`].
#[derive(Debug)]
pub struct Fill<N, const WAY: u8> {
    pages: usize,
    all: Vec<N>,
    order: Vec<u32>,
}

impl<'p, P: Pages, const WAY: u8> Work<'p, P> for Fill<P::Page, WAY> {
    fn begin(_: &mut P, place: Place<'p>) -> Result<Self, Refused> {
        let n = place.capacity;
        let order = if WAY == Way::Random as u8 { Rng::of(place.thread).permutation(n) } else { Vec::new() };
        Ok(Self { pages: n, all: Vec::with_capacity(n), order })
    }

    fn plan(&self) -> Plan {
        Plan::Passes { chunks: 1, ops: 2 * self.pages }
    }

    fn chunk(&mut self, pages: &mut P, ops: usize) -> Result<(), Refused> {
        self.all.clear();
        for _ in 0..ops / 2 {
            self.all.push(pages.alloc(0)?);
        }
        if WAY == Way::Lifo as u8 {
            self.all.iter().rev().try_for_each(|&page| pages.free(page, 0))
        } else if WAY == Way::Fifo as u8 {
            self.all.iter().try_for_each(|&page| pages.free(page, 0))
        } else {
            self.order.iter().try_for_each(|&i| pages.free(self.all[i as usize], 0))
        }
    }

    fn end(self, _: &mut P) -> Result<(), Refused> {
        Ok(())
    }
}
