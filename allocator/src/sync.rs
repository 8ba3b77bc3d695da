//! The one door to atomics: `core`'s, or loom's when the crate is built for its models.
//!
//! Every ordering that carries weight has a name and its argument here, so that a model can weaken one of
//! them at run time and show that it is noticed; the algorithms know nothing of that.
//!
//! | access | what | ordering | pairs with | why not weaker |
//! |---|---|---|---|---|
//! | `Get` | count + 1, without the lock | Relaxed | – | whoever gets has a reference already: the block cannot go away, and what brought that reference to this CPU has ordered the block's contents. As in `Arc` |
//! | `Put` | count − 1 to at least 1, without the lock | Release | `LastPut` | what this owner did to the block is done before the last owner frees it |
//! | `LastPut` | the last count to free, under the lock | Acquire | `Put` | sees what all earlier owners did, and so does the next owner, whom the lock orders after this one. Not Release: the unlock that follows is |
//! | `Keep` | count 1 to a magazine's, without the lock | Acquire | `Put` | as `LastPut`; the next owner is ordered after by the magazine's `&mut`, or by the lock when it is flushed |
//! | `Look` | load, first look of a call | Relaxed | – | a snapshot; whatever follows from it is done by a compare-exchange of the same word, by a store of its one holder or under the lock, or after another look under the lock |
//! | `Sole` | the owner of the only reference changes the block's order or holder; or of all that there are, and has it cleared | Acquire | `Put` | "I am the only one" means that the others are done with it |
//! | `Pin` | count to pinned, without the lock | Relaxed | – | as `Get`; nobody frees the block any more |
//! | `Publish` | the length of the pool, once, at `init` | Release | `Observe` | whoever sees the length sees the base and the words |
//! | `Observe` | that length, on every call | Acquire | `Publish` | as above |
//! | `Claim` | `Vacant` to `Silent`, when a pool is made | Acquire | `Vacate` | the words' last use by the pool that gave them up, links included, comes before their first by this one |
//! | `Vacate` | any to `Vacant`, when a pool is dropped, or could not be made | Release | `Claim` | as above |
//! | `TakeId` | an owner's id, free to taken | Acquire | `GiveId` | no word says this id any more when the owner who had it gives it back. Who saw an older word would take somebody else's block, or a free one, for its own, and store to it |
//! | `GiveId` | taken to free, when an owner without blocks is dropped | Release | `TakeId` | as above |
//! | words of an `Owner`, of a `Magazine` (but for `Keep`) or of a scrub | load, store | Relaxed | – | nobody else writes them; whoever gets the `&mut` next is ordered after by what gave it to them, and whoever gets a block that was cleared by that too, by the lock, or by what tells them its number |
//! | words and chunks under the lock | | Relaxed | – | the lock orders them |
//! | word, for `page_count` and errors | load | Relaxed | – | a snapshot |
//! | base, after `Observe` | load | Relaxed | – | ordered by `Observe` |
//! | pinned blocks | count | Relaxed | – | a statistic |
//! | numbers of magazines | count | Relaxed | – | a number of one's own is all that is asked of it |

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
#[cfg(loom)]
pub(crate) use door::{AtomicU32, Bits};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicUsize, Ordering};

/// A named access of the table above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    Get,
    Put,
    LastPut,
    Sole,
    Pin,
    Publish,
    Observe,
    Claim,
    Vacate,
    TakeId,
    GiveId,
    Keep,
    Look,
}

impl Access {
    const fn proved(self) -> Ordering {
        match self {
            Self::Get | Self::Pin | Self::Look => Ordering::Relaxed,
            Self::Put | Self::Publish | Self::Vacate | Self::GiveId => Ordering::Release,
            Self::LastPut | Self::Sole | Self::Observe | Self::Claim | Self::TakeId | Self::Keep => Ordering::Acquire,
        }
    }

    /// The ordering of this access.
    #[cfg(not(loom))]
    #[inline(always)]
    pub(crate) const fn ordering(self) -> Ordering {
        self.proved()
    }

    /// The ordering of this access, unless the model under way has weakened it.
    #[cfg(loom)]
    pub(crate) fn ordering(self) -> Ordering {
        if crate::models::weakened() == Some(self) { Ordering::Relaxed } else { self.proved() }
    }
}

#[cfg(loom)]
mod door {
    use loom::cell::UnsafeCell;
    use loom::sync::atomic::{AtomicU32 as Word, Ordering};

    /// A word that is used under the lock alone. Loom fails a model that has two accesses which nothing orders.
    #[derive(Debug, Default)]
    pub(crate) struct Bits(UnsafeCell<u32>);

    // SAFETY: loom runs one thread at a time, and fails the model at an access that would be a race.
    unsafe impl Sync for Bits {}

    impl Bits {
        pub(crate) fn get(&self) -> u32 {
            // SAFETY: no other access is under way: loom runs one thread at a time.
            self.0.with(|bits| unsafe { *bits })
        }

        pub(crate) fn set(&self, to: u32) {
            // SAFETY: as in `get`.
            self.0.with_mut(|bits| unsafe { *bits = to });
        }
    }

    /// An atomic whose every load is an event that loom reorders with the other threads'.
    ///
    /// Loom remembers the last access to an atomic alone. "A loads; B loads, then exchanges" hides A's load
    /// behind B's, two loads do not depend on each other, and the order in which B came first is never run: a
    /// whole class of interleavings of compare-exchange loops. A relaxed read-modify-write of a second word,
    /// which orders nothing, brings them back; the load itself may still be stale.
    #[derive(Debug)]
    pub(crate) struct AtomicU32 {
        value: Word,
        loads: Word,
    }

    impl AtomicU32 {
        pub(crate) fn new(value: u32) -> Self {
            Self { value: Word::new(value), loads: Word::new(0) }
        }

        pub(crate) fn load(&self, ordering: Ordering) -> u32 {
            self.loads.fetch_add(0, Ordering::Relaxed);
            self.value.load(ordering)
        }

        pub(crate) fn store(&self, value: u32, ordering: Ordering) {
            self.value.store(value, ordering);
        }

        pub(crate) fn compare_exchange(&self, from: u32, to: u32, ok: Ordering, err: Ordering) -> Result<u32, u32> {
            self.value.compare_exchange(from, to, ok, err)
        }

        pub(crate) fn compare_exchange_weak(
            &self,
            from: u32,
            to: u32,
            ok: Ordering,
            err: Ordering,
        ) -> Result<u32, u32> {
            self.value.compare_exchange_weak(from, to, ok, err)
        }
    }
}
