//! `zero-inside`, `zero-outside`: a page is allocated, written to, and given back zeroed, as the next guest must find it:
//! by whoever puts it, with the lock held (the original zeroes what it frees, under its lock), or before it asks for
//! the lock.

use core::sync::atomic::Ordering::Relaxed;

use super::{Load, Place};
use crate::inside::{zero, zero_in_next_section};
use crate::pages::{Ops, Refused};

pub(crate) struct Zero<const INSIDE: bool>(Place);

impl<const INSIDE: bool> Load for Zero<INSIDE> {
    fn begin(_: &mut dyn Ops, place: Place) -> Result<Self, Refused> {
        Ok(Self(place))
    }

    #[inline]
    fn step(&mut self, ops: &mut dyn Ops) -> Result<(), Refused> {
        let Place { arena, worker, .. } = self.0;
        let pfn = ops.alloc(0)?;
        let page = arena.page(pfn);
        page[pfn.get() % page.len()].store(1, Relaxed);
        if INSIDE {
            zero_in_next_section(worker, page);
        } else {
            zero(page);
        }
        ops.put(pfn)
    }
}
