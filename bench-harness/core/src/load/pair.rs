//! `pair`: allocate a page, put it back. On a pool that is all free this splits and merges through all orders, the
//! longest critical section of an order-0 call.

use super::{Load, Place};
use crate::pages::{Pages, Refused};

pub(crate) struct Pair<'p, P>(Place<'p, P>);

impl<'p, P: Pages> Load<'p, P> for Pair<'p, P> {
    fn begin(place: Place<'p, P>) -> Result<Self, Refused> {
        Ok(Self(place))
    }

    #[inline]
    fn step(&mut self) -> Result<(), Refused> {
        let page = self.0.pages.alloc(0)?;
        self.0.pages.put(page)
    }

    fn end(self) -> Result<(), Refused> {
        Ok(())
    }
}
