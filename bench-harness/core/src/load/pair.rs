//! `pair`: allocate a page, put it back. On a pool that is all free this splits and merges through all orders, the
//! longest critical section of an order-0 call.

use super::{Load, Place};
use crate::pages::{Pages, Refused};

pub(crate) struct Pair<'p, P>(&'p P);

impl<'p, P: Pages> Load<'p, P> for Pair<'p, P> {
    fn begin(pages: &'p P, _: Place) -> Result<Self, Refused> {
        Ok(Self(pages))
    }

    #[inline]
    fn step(&mut self) -> Result<(), Refused> {
        let page = self.0.alloc(0)?;
        self.0.put(page)
    }

    fn end(self) -> Result<(), Refused> {
        Ok(())
    }
}
