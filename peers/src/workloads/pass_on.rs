//! `W9`: one thread allocates pages and passes them on through a bounded ring, the other one gives them back.
//!
//! The ring has one producer and one consumer and 256 places of 8 bytes. 0 is an empty place, so that neither reads the
//! other's position; a page's number plus one is stored with `Release` and taken with `Acquire`.
//!
//! What is measured is the pace of the slower of the two, and what it costs when memory changes hands: per-thread
//! caches have to send pages home.

use std::hint;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::{Place, Shared, Work};
use crate::subject::{Name, Pages, Refused};

const PLACES: usize = 256;

/// The ring.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Ring([AtomicUsize; PLACES]);

impl Default for Ring {
    fn default() -> Self {
        Self([const { AtomicUsize::new(0) }; PLACES])
    }
}

/// The work: thread 0 produces, thread 1 consumes.
#[derive(Debug)]
pub struct PassOn<'p> {
    producer: bool,
    at: usize,
    shared: &'p Shared,
}

impl<'p> PassOn<'p> {
    /// The place at which this side is, as soon as it is full, or empty.
    #[inline]
    fn wait(&mut self, full: bool) -> Result<(&'p AtomicUsize, usize), Refused> {
        let place = &self.shared.ring.0[self.at % PLACES];
        self.at += 1;
        loop {
            let number = place.load(Acquire);
            if (number != 0) == full {
                return Ok((place, number));
            }
            if self.shared.failed.load(Relaxed) {
                return Err(Refused);
            }
            hint::spin_loop();
        }
    }
}

impl<'p, P: Pages> Work<'p, P> for PassOn<'p> {
    fn begin(_: &mut P, place: Place<'p>) -> Result<Self, Refused> {
        Ok(Self { producer: place.thread == 0, at: 0, shared: place.shared })
    }

    fn chunk(&mut self, pages: &mut P, ops: usize) -> Result<(), Refused> {
        for _ in 0..ops {
            if self.producer {
                let page = pages.alloc(0)?;
                self.wait(false)?.0.store(page.number() + 1, Release);
            } else {
                let (place, number) = self.wait(true)?;
                place.store(0, Release);
                pages.free(P::Page::of(number - 1), 0)?;
            }
        }
        Ok(())
    }

    fn end(self, _: &mut P) -> Result<(), Refused> {
        Ok(())
    }
}
