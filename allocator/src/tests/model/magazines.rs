//! What magazines do to the model: what they hold is allocated, and theirs.

use super::{Block, Model, is_free};
use crate::pfn::Order;
use crate::racks;
use crate::tests::subject::{By, CAPACITY, CPUS, InMagazines, LEFT, MAGAZINE, at};
use crate::{AllocError, MAX_ORDER, PageError, Pfn};
use std::vec::Vec;

/// Whether it is a magazine that has the block.
pub(super) fn is_magazine(by: By) -> bool {
    by >= MAGAZINE && by != LEFT
}

/// The magazines of all CPUs.
pub(super) const ALL_CPUS: [By; CPUS] = [at(0), at(1)];

impl Model {
    /// What the magazines hold.
    pub(super) fn magazines(&self) -> InMagazines {
        let blocks = self.allocated.iter().filter(|(_, block)| is_magazine(block.by));
        blocks.map(|(&head, block)| (head, (block.order, block.by))).collect()
    }

    /// How many blocks of `order` the magazine `of` holds.
    pub(super) fn in_rack(&self, order: u8, of: By) -> usize {
        self.magazines().values().filter(|&&block| block == (order, of)).count()
    }

    /// What the magazines that are named hold is free.
    pub(super) fn drain(&mut self, those: &[By]) {
        self.allocated.retain(|_, block| !those.contains(&block.by));
    }

    /// As `allocate`, by way of the magazine `of`; all hold the blocks `held` afterwards.
    pub(super) fn magazine_allocate(
        &mut self,
        order: u8,
        of: By,
        got: Result<Pfn, AllocError>,
        held: &InMagazines,
    ) -> bool {
        if self.in_rack(order, of) > 0 {
            // It has one: no other is given.
            let Ok(pfn) = got else { return false };
            let right = self.magazines().get(&pfn.get()) == Some(&(order, of));
            self.allocated.insert(pfn.get(), Block { order, count: 1, by: None });
            return right;
        }
        if order <= MAX_ORDER && !self.fits(order) {
            // Emptied before it gives up; and those of the other CPUs with it.
            self.drain(&[of]);
            if of != MAGAZINE && !self.fits(order) {
                self.drain(&ALL_CPUS);
            }
        }
        let right = self.allocate(order, None, got);
        // What it has taken with the block that was asked for: less than half a rack of the same.
        let others: Vec<_> = held.iter().filter(|&(head, _)| !self.magazines().contains_key(head)).collect();
        let most = match Order::new(order) {
            Some(size) if usize::from(order) < racks::ORDERS && got.is_ok() => racks::limit::<CAPACITY>(size) / 2 - 1,
            _ => 0,
        };
        let few = others.len() <= most;
        let all_right = others.into_iter().all(|(&head, &(o, by))| {
            let right = (o, by) == (order, of) && is_free(&self.free(), head, o);
            self.allocated.insert(head, Block { order, count: 1, by: of });
            right
        });
        right && few && all_right
    }

    /// A put by way of the magazine `of`; all hold the blocks `held` afterwards.
    pub(super) fn magazine_put(&mut self, pfn: usize, of: By, held: &InMagazines) -> Result<(), PageError> {
        let block = self.find(pfn, None)?;
        let Some(order) = Order::new(block.order).filter(|_| usize::from(block.order) < racks::ORDERS) else {
            return self.put(None, pfn, 1);
        };
        if block.count > 1 {
            return self.put(None, pfn, 1);
        }
        let limit = racks::limit::<CAPACITY>(order);
        if self.in_rack(block.order, of) == limit {
            // Full: half of it is given back, of this order. Which half is not to be seen.
            let gone: Vec<_> = self.magazines().into_iter().filter(|(head, _)| !held.contains_key(head)).collect();
            assert!(
                gone.len() == limit.div_ceil(2) && gone.iter().all(|&(_, block_of)| block_of == (block.order, of)),
                "{gone:?}"
            );
            self.allocated.retain(|head, _| gone.iter().all(|(gone, _)| gone != head));
        }
        self.allocated.insert(pfn, Block { by: of, ..block });
        Ok(())
    }

    /// The same, for a caller who names the order.
    pub(super) fn magazine_put_of(
        &mut self,
        pfn: usize,
        order: u8,
        of: By,
        held: &InMagazines,
    ) -> Result<(), PageError> {
        if self.find(pfn, None)?.order != order {
            return Err(PageError::WrongOrder);
        }
        self.magazine_put(pfn, of, held)
    }
}
