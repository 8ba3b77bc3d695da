//! `pair`: allocate a page, put it back. On a pool that is all free this splits and merges through all orders, the
//! longest critical section of an order-0 call.

use super::{Load, Place};
use crate::pages::{Ops, Refused};

pub(crate) struct Pair;

impl Load for Pair {
    fn begin(_: &mut dyn Ops, _: Place) -> Result<Self, Refused> {
        Ok(Self)
    }

    #[inline]
    fn step(&mut self, ops: &mut dyn Ops) -> Result<(), Refused> {
        let page = ops.alloc(0)?;
        ops.put(page)
    }
}
