//! `section`: one counter under the lock, and no pool: the lock alone, as other benchmarks measure it.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hyp_locks::Ticket;
use lock_api::{Mutex, RawMutex};

use crate::load::Place;
use crate::pages::Refused;
use crate::record::Wrong;
use crate::subject::{Batch, Subject, thinking};

/// The counter, and how far it should have come: sums of the workers' own, added when they end (Relaxed: read after that).
pub(crate) struct Section<L> {
    counter: Mutex<L, u64>,
    counted: AtomicU64,
}

impl<L: RawMutex> Section<L> {
    pub(crate) fn new() -> Self {
        Self { counter: Mutex::new(0), counted: AtomicU64::new(0) }
    }
}

struct Counting<'s, L: RawMutex> {
    counter: &'s Mutex<L, u64>,
    own: u64,
    think: u32,
}

impl<L: RawMutex> Batch for Counting<'_, L> {
    fn run(&mut self, operations: u32) -> Result<(), Refused> {
        self.own += u64::from(operations);
        thinking(operations, self.think, || {
            *self.counter.lock() += 1;
            Ok(())
        })
    }
}

impl<L: RawMutex + Send + Sync> Subject for Section<L> {
    fn begin(&self) -> Result<(), Wrong> {
        Ok(())
    }

    fn with(
        &self,
        place: Place,
        _: &Mutex<Ticket, ()>,
        body: &mut dyn FnMut(&mut dyn Batch) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut counting = Counting { counter: &self.counter, own: 0, think: place.think };
        body(&mut counting)?;
        self.counted.fetch_add(counting.own, Relaxed);
        Ok(())
    }

    fn end(&self) -> Result<(), Wrong> {
        if *self.counter.lock() == self.counted.load(Relaxed) { Ok(()) } else { Err(Wrong::Lost) }
    }
}
