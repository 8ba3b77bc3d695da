//! Blocks on their way into the free areas, gathered while the lock is held.
//!
//! Blocks of one order that follow each other are put into the chunks together: neighbours in a chunk cost one change of
//! its word ([`attach_many`](FreeAreas::attach_many)).

use crate::bulk::BULK;
use crate::coalesce::Coalesce;
use crate::free_area::FreeAreas;
use crate::pfn::Order;
use crate::table::Table;
use crate::word::Index;

/// Up to [`BULK`] blocks of one order whose words are silent and which are in no free area yet.
///
/// # Invariants
///
/// `len <= BULK`. It is empty whenever the lock is free.
pub(crate) struct Run {
    order: Order,
    len: usize,
    blocks: [u32; BULK],
}

impl Run {
    pub(crate) const EMPTY: Self = Self { order: Order::ZERO, len: 0, blocks: [0; BULK] };

    /// One block more. Those before it become free if they are of another order, or there is no room.
    pub(crate) fn push<C: Coalesce>(&mut self, index: Index, order: Order, table: Table<'_>, areas: &mut FreeAreas<C>) {
        if order != self.order || self.len == BULK {
            self.attach(table, areas);
            self.order = order;
        }
        if let Some(slot) = self.blocks.get_mut(self.len) {
            *slot = index.get() as u32;
            self.len += 1;
        }
    }

    /// All of them become free.
    pub(crate) fn attach<C: Coalesce>(&mut self, table: Table<'_>, areas: &mut FreeAreas<C>) {
        let mut blocks = self.blocks.iter().take(self.len).map(|&index| Index::new(index as usize));
        areas.attach_many(table, self.order, |_| blocks.next());
        self.len = 0;
    }
}
