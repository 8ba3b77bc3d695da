//! What is measured, as the rest of the program sees it: a load on a pool, whatever their types.
//!
//! Only what is measured is compiled for each lock, strategy and workload. Here that ends: a batch of operations is one
//! call through a pointer, and takes about a microsecond, as of the warm-up.

use core::marker::PhantomData;

use hyp_locks::Ticket;
use hyp_pool::Census;
use lock_api::Mutex;

use crate::load::{Load, Place};
use crate::pages::{Pages, Refused};
use crate::record::Wrong;

/// A load, set up for one worker.
pub(crate) trait Batch {
    /// So many operations.
    fn run(&mut self, operations: u32) -> Result<(), Refused>;
}

/// A load on a pool.
pub(crate) trait Subject: Sync {
    /// What the pool consists of, if its invariants hold.
    fn census(&self) -> Result<Census, Wrong>;

    /// What all workers share, before there is one.
    fn set_up(&self) -> Result<(), Refused>;

    /// Puts that back, after all workers have ended.
    fn tear_down(&self) -> Result<(), Refused>;

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
}

/// Load `W` on pool `pages`.
pub(crate) struct Loaded<'p, P, W> {
    pages: &'p P,
    load: PhantomData<fn() -> W>,
}

impl<'p, P, W> Loaded<'p, P, W> {
    pub(crate) fn new(pages: &'p P) -> Self {
        Self { pages, load: PhantomData }
    }
}

struct Steps<W, P>(W, PhantomData<fn() -> P>);

impl<'p, P: Pages + 'p, W: Load<'p, P>> Batch for Steps<W, &'p P> {
    fn run(&mut self, operations: u32) -> Result<(), Refused> {
        (0..operations).try_for_each(|_| self.0.step())
    }
}

impl<'p, P: Pages, W: Load<'p, P>> Subject for Loaded<'p, P, W> {
    fn census(&self) -> Result<Census, Wrong> {
        self.pages.census()
    }

    fn set_up(&self) -> Result<(), Refused> {
        W::set_up(self.pages)
    }

    fn tear_down(&self) -> Result<(), Refused> {
        W::tear_down(self.pages)
    }

    fn with(
        &self,
        place: Place,
        alone: &Mutex<Ticket, ()>,
        body: &mut dyn FnMut(&mut dyn Batch) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut steps = {
            let _alone = alone.lock();
            Steps(W::begin(self.pages, place)?, PhantomData::<fn() -> &'p P>)
        };
        body(&mut steps)?;
        let _alone = alone.lock();
        steps.0.end()
    }
}
