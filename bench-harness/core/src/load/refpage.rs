//! `refpage`: get and put a page that all cores share; never the last put.
//!
//! 16 pages, whose counts lie together (128 bytes of frame words): cores that meet on a page meet on its word, and
//! those that do not meet on its line. Each core goes round in steps of its own, so that none follows another: for up to 8
//! cores; with more, those 8 apart are in step: half a round apart, and 16 apart on one page.

use hyp_pool::Pfn;

use super::{Load, Place};
use crate::arena::RANGE;
use crate::pages::{Ops, Refused};

const SHARED: usize = 16;

pub(crate) struct RefPage {
    at: usize,
    stride: usize,
}

/// The pages: the first of the pool, which hands out the lowest address first while it is fresh.
fn shared(i: usize) -> Pfn {
    Pfn::new(RANGE.start().get() + i % SHARED)
}

impl Load for RefPage {
    fn set_up(ops: &mut dyn Ops) -> Result<(), Refused> {
        (0..SHARED).try_for_each(|i| if ops.alloc(0)? == shared(i) { Ok(()) } else { Err(Refused) })
    }

    fn tear_down(ops: &mut dyn Ops) -> Result<(), Refused> {
        (0..SHARED).try_for_each(|i| ops.put(shared(i)))
    }

    fn begin(_: &mut dyn Ops, place: Place) -> Result<Self, Refused> {
        Ok(Self { at: place.worker, stride: 2 * place.worker + 1 })
    }

    #[inline]
    fn step(&mut self, ops: &mut dyn Ops) -> Result<(), Refused> {
        self.at = self.at.wrapping_add(self.stride);
        let page = shared(self.at);
        ops.get(page)?;
        ops.put(page)
    }
}
