//! What is measured, as the rest of the program sees it: a load on a pool, whatever their types.
//!
//! A load is compiled once, a pool once for each lock and strategy, and they meet at calls of [`Ops`]. Here that ends: a batch
//! of operations is one call, and takes about a microsecond, as of the warm-up.

use core::marker::PhantomData;

use hyp_locks::Ticket;
use hyp_pool::Census;
use lock_api::Mutex;

use crate::burn::burn;
use crate::load::{Load, Place};
use crate::pages::{Ops, Pages, Refused, conserved};
use crate::record::Wrong;

/// A load, set up for one worker.
pub(crate) trait Batch {
    /// So many operations.
    fn run(&mut self, operations: u32) -> Result<(), Refused>;
}

/// What workers are sent to.
pub(crate) trait Subject: Sync {
    /// Before there is a worker: it is whole, and what all of them share is set up.
    fn begin(&self) -> Result<(), Wrong>;

    /// Sets the load up for one worker, calls `body`, and puts back what the worker has; not the latter if `body` was
    /// refused something. Setting up and putting back is done one by one, under `alone`: the lock under test may be
    /// slow to hand over, where there are more emulated cores than real ones, and thousands of operations of no
    /// interest would wait.
    fn with(
        &self,
        place: Place,
        alone: &Mutex<Ticket, ()>,
        body: &mut dyn FnMut(&mut dyn Batch) -> Result<(), Refused>,
    ) -> Result<(), Refused>;

    /// After all workers have ended: nothing was lost.
    fn end(&self) -> Result<(), Wrong>;
}

/// So many operations, after each of which a worker thinks for so many iterations.
#[inline(always)]
pub(crate) fn thinking(
    operations: u32,
    think: u32,
    mut operation: impl FnMut() -> Result<(), Refused>,
) -> Result<(), Refused> {
    if think == 0 {
        return (0..operations).try_for_each(|_| operation());
    }
    (0..operations).try_for_each(|_| {
        operation()?;
        burn(think);
        Ok(())
    })
}

/// Load `W` on a pool.
pub(crate) struct Loaded<'p, W> {
    pages: &'p dyn Pages,
    /// What the pool consisted of.
    before: Mutex<Ticket, Option<Census>>,
    load: PhantomData<fn() -> W>,
}

impl<'p, W> Loaded<'p, W> {
    pub(crate) fn new(pages: &'p dyn Pages) -> Self {
        Self { pages, before: Mutex::new(None), load: PhantomData }
    }
}

struct Steps<'o, W> {
    load: &'o mut W,
    ops: &'o mut dyn Ops,
    think: u32,
}

impl<W: Load> Batch for Steps<'_, W> {
    fn run(&mut self, operations: u32) -> Result<(), Refused> {
        thinking(operations, self.think, || self.load.step(self.ops))
    }
}

impl<W: Load> Subject for Loaded<'_, W> {
    fn begin(&self) -> Result<(), Wrong> {
        *self.before.lock() = Some(self.pages.census()?);
        self.pages.with(&mut |ops| W::set_up(ops)).map_err(|Refused| Wrong::Refused)
    }

    fn with(
        &self,
        place: Place,
        alone: &Mutex<Ticket, ()>,
        body: &mut dyn FnMut(&mut dyn Batch) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        self.pages.with(&mut |ops| {
            let mut load = {
                let _alone = alone.lock();
                W::begin(ops, place)?
            };
            body(&mut Steps { load: &mut load, ops, think: place.think })?;
            let _alone = alone.lock();
            load.end(ops)
        })
    }

    fn end(&self) -> Result<(), Wrong> {
        self.pages.with(&mut |ops| W::tear_down(ops)).map_err(|Refused| Wrong::Refused)?;
        let after = self.pages.census()?;
        self.before.lock().as_ref().map_or(Ok(()), |before| conserved(&after, before))
    }
}
