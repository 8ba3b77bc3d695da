//! `remote-free`: who allocates a page does not put it back: the next core does, as when a guest's memory is torn down by
//! another CPU than the one that mapped it.
//!
//! ```text
//!   core 0 ──► outbox 0 ──► core 1 ──► outbox 1 ──► … ──► core 0
//!      allocates a page, leaves it; takes one that its predecessor has left, and puts it back
//! ```
//!
//! An operation is one page allocated. Nobody waits: a core whose outbox is full puts the page back itself. (So do cores that
//! run alone: then it is `pair` with 32 pages under way.)
//!
//! | atomic | ordering | pairs with | why |
//! |---|---|---|---|
//! | slot compare-exchange, 0 to page, by its owner | Release | take | the pool's word of the page is as the allocation left it |
//! | slot swap, to 0, by whoever takes | Acquire | leave | as above |
//! | slot load, before either | Relaxed | – | a look, to save the read-modify-write that would fail |

use core::sync::atomic::{AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

use hyp_pool::Pfn;

use super::{Load, Place};
use crate::machine::MAX_CORES;
use crate::pages::{Ops, Refused};

const SLOTS: usize = 32;

/// What a core has left for the next one: frame numbers, 0 where there is none (frame 0 is not in the range).
#[repr(align(128))]
struct Outbox([AtomicUsize; SLOTS]);

static OUTBOXES: [Outbox; MAX_CORES] = [const { Outbox([const { AtomicUsize::new(0) }; SLOTS]) }; MAX_CORES];

pub(crate) struct RemoteFree {
    own: &'static Outbox,
    before: &'static Outbox,
    leave: usize,
    take: usize,
}

impl Outbox {
    #[inline]
    fn leave(&self, at: usize, page: Pfn) -> bool {
        let slot = &self.0[at % SLOTS];
        slot.load(Relaxed) == 0 && slot.compare_exchange(0, page.get(), Release, Relaxed).is_ok()
    }

    #[inline]
    fn take(&self, at: usize) -> Option<Pfn> {
        let slot = &self.0[at % SLOTS];
        (slot.load(Relaxed) != 0).then(|| slot.swap(0, Acquire)).filter(|&page| page != 0).map(Pfn::new)
    }
}

/// Takes all that there is.
fn left() -> impl Iterator<Item = Pfn> {
    OUTBOXES.iter().flat_map(|outbox| (0..SLOTS).filter_map(|at| outbox.take(at)))
}

impl Load for RemoteFree {
    /// Outboxes are empty, unless a pass went wrong: then what is in them is of a pool that is gone.
    fn set_up(_: &mut dyn Ops) -> Result<(), Refused> {
        left().for_each(|_| ());
        Ok(())
    }

    /// Puts back what nobody has taken; all workers have ended.
    fn tear_down(ops: &mut dyn Ops) -> Result<(), Refused> {
        left().try_for_each(|page| ops.put(page))
    }

    fn begin(_: &mut dyn Ops, place: Place) -> Result<Self, Refused> {
        let own = &OUTBOXES[place.worker];
        let before = &OUTBOXES[(place.worker + place.workers - 1) % place.workers];
        Ok(Self { own, before, leave: 0, take: 0 })
    }

    #[inline]
    fn step(&mut self, ops: &mut dyn Ops) -> Result<(), Refused> {
        let page = ops.alloc(0)?;
        if self.own.leave(self.leave, page) {
            self.leave += 1;
        } else {
            ops.put(page)?;
        }
        match self.before.take(self.take) {
            Some(page) => {
                self.take += 1;
                ops.put(page)
            }
            None => Ok(()),
        }
    }
}
