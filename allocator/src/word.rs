//! The state of one page frame in one atomic word. Nothing else in the crate knows the bits.
//!
//! ```text
//!  31 30 29     26 25          18 17                       0
//! +-----+---------+--------------+--------------------------+
//! | 00  |                       0                           |  Vacant     no pool has claimed this word
//! | 01  |                       0                           |  Silent     in a free block, or inside an allocated one
//! | 10  |  order  |    holder    |         count            |  Allocated  head of an allocated block, count >= 1
//! +-----+---------+--------------+--------------------------+
//! ```
//!
//! A count exists in `Allocated` alone, where it is at least 1: *"count 0 but on no free list" cannot be
//! written down*. It is the state that Linux's `hyp_pool` passed through between two critical sections,
//! and that its lock-free successor brought back. Which free block a silent frame belongs to, the free
//! areas know ([`free_area`](crate::free_area)); a word that is freed has one thing to become, whatever its
//! block merges with.
//!
//! | before → after | by | how |
//! |---|---|---|
//! | `Vacant → Silent` | claiming the table | compare-exchange, no lock |
//! | `Silent → Allocated` | init, alloc, split | store under the lock: nobody else writes a word that is not `Allocated` |
//! | `Allocated → Allocated` (count, holder, order) | get, non-final put, change of holder, split; final put of a block that is to be cleared | by what the holder is, below |
//! | `Allocated → Silent` | final put | under the lock. By number or by handles: `Atomic`: compare-exchange. `Merged`: store |
//! | any → `Vacant` | dropping the pool; a claim that came to nothing | store, `&mut`; by who claimed it |
//!
//! Who may change an `Allocated` word, and how, is written in it:
//!
//! | holder | who counts | how |
//! |---|---|---|
//! | `Number` | whoever knows the frame's number | `Atomic`: compare-exchange. `Merged`: store under the lock |
//! | `Handle` | [`PageRef`](crate::PageRef)s | the same |
//! | `Magazine` | nobody: the block is in a [`Magazine`](crate::Magazine), its count is 1, and the magazine's number stands where the count would | in: as `Number`; from `Scrub`: store. Out: store, by the magazine, which is `&mut` |
//! | `Scrub` | nobody: the block is being cleared, on its way in or out | in: as `Number`, or a store by its `Owner` or its magazine. Out, to a holder or to a magazine: store, by the one who clears it |
//! | `Owner(id)` | one [`Owner`](crate::Owner), which is `&mut`; nobody, once it has gone without its blocks | store |
//!
//! Whoever finds another holder than itself in the word leaves it alone.

mod allocated;
mod holder;
#[cfg(all(test, not(loom)))]
mod tests;

use crate::pfn::Order;
#[cfg(loom)]
use crate::sync::Bits;
use crate::sync::{Access, AtomicU32, Ordering};
pub(crate) use allocated::Allocated;
pub(crate) use holder::{Holder, MAX_OWNERS, MagazineId, OwnerId};

const STATE_SHIFT: u32 = 30;
const ORDER_SHIFT: u32 = 26;
const HOLDER_SHIFT: u32 = 18;
const ORDER_MASK: u32 = 0xf << ORDER_SHIFT;
const COUNT_MASK: u32 = (1 << HOLDER_SHIFT) - 1;
/// State and holder: what decides whether a caller may count.
const MATCH_MASK: u32 = 0b11 << STATE_SHIFT | 0xff << HOLDER_SHIFT;

const VACANT: u32 = 0;
const SILENT: u32 = 1 << STATE_SHIFT;
const ALLOCATED: u32 = 2 << STATE_SHIFT;

const _: () = assert!(Order::MAX.get() < 1 << (STATE_SHIFT - ORDER_SHIFT));

/// The most frames that a table may have: 4 TiB of 4 KiB pages.
pub(crate) const MAX_FRAMES: usize = 1 << 30;

/// The count at which a block is pinned: it stays allocated for ever.
const PINNED: u32 = COUNT_MASK;

/// The highest count that a get may reach, 262 142. A clone of a handle beyond it pins the block.
pub const MAX_COUNT: u32 = PINNED - 1;

/// A frame's place in its table.
///
/// # Invariants
///
/// Less than [`MAX_FRAMES`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(transparent)]
pub(crate) struct Index(u32);

impl Index {
    /// `index`, which is inside a table.
    #[inline]
    pub(crate) const fn new(index: usize) -> Self {
        debug_assert!(index < MAX_FRAMES);
        Self(index as u32)
    }

    #[inline]
    pub(crate) const fn get(self) -> usize {
        self.0 as usize
    }
}

/// What a word says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Vacant,
    Silent,
    Allocated(Allocated),
}

/// The pool's knowledge of one page frame, or one of its words about free frames: four bytes that
/// the caller supplies and the pool owns. [`table_words`](crate::table_words) tells how many.
///
/// Made vacant, by [`TableWord::VACANT`]; all bytes zero, so that a table in a `static` costs no image space.
#[derive(Debug)]
#[cfg_attr(not(loom), repr(transparent))]
pub struct TableWord {
    word: AtomicU32,
    /// Loom watches the words of the free areas for accesses outside the lock, and need not reorder them.
    #[cfg(loom)]
    bits: Bits,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<TableWord>() == 4);

impl TableWord {
    /// A word that no pool has claimed.
    #[cfg(not(loom))]
    #[expect(clippy::declare_interior_mutable_const, reason = "an initialiser for tables in statics, never borrowed")]
    pub const VACANT: Self = Self { word: AtomicU32::new(VACANT) };

    /// A word that no pool has claimed.
    #[cfg(all(test, loom))]
    pub(crate) fn vacant() -> Self {
        Self { word: AtomicU32::new(VACANT), bits: Bits::default() }
    }

    /// `Vacant → Silent`, and whether it was vacant.
    pub(crate) fn claim(&self) -> bool {
        self.word.compare_exchange(VACANT, SILENT, Access::Claim.ordering(), Ordering::Relaxed).is_ok()
    }

    /// any → `Vacant`.
    pub(crate) fn vacate(&self) {
        self.word.store(VACANT, Access::Vacate.ordering());
    }

    /// One load, decoded: a snapshot.
    #[inline]
    pub(crate) fn state(&self) -> State {
        Self::decode(self.word.load(Ordering::Relaxed))
    }

    #[inline]
    const fn decode(word: u32) -> State {
        match word >> STATE_SHIFT {
            0 => State::Vacant,
            1 => State::Silent,
            _ => State::Allocated(Allocated(word)),
        }
    }

    /// The word, if `holder` may count in it; else what it says. One load.
    #[inline]
    pub(crate) fn held_by(&self, holder: Holder, access: Access) -> Result<Allocated, State> {
        let word = self.word.load(access.ordering());
        // What is left is the count, from 1 to MAX_COUNT; of anything else, something out of that range.
        let count = (word & !ORDER_MASK).wrapping_sub(ALLOCATED | holder.bits());
        // INVARIANT: Allocated, with a count: by the range.
        if count.wrapping_sub(1) < MAX_COUNT { Ok(Allocated(word)) } else { Err(Self::decode(word)) }
    }

    /// `→ Silent`. Under the lock, and not of an `Allocated` word that somebody else may be changing.
    #[inline]
    pub(crate) fn set_silent(&self) {
        self.word.store(SILENT, Ordering::Relaxed);
    }

    /// `→ Allocated`. As [`set_silent`](Self::set_silent); or by its one holder.
    #[inline]
    pub(crate) fn set_allocated(&self, to: Allocated) {
        self.word.store(to.0, Ordering::Relaxed);
    }

    /// `Allocated → Allocated` against everybody else; on failure somebody else has changed the word.
    #[inline]
    pub(crate) fn exchange(&self, from: Allocated, to: Allocated, access: Access) -> bool {
        self.word.compare_exchange_weak(from.0, to.0, access.ordering(), Ordering::Relaxed).is_ok()
    }

    /// All of it, for tests that compare whole tables.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn raw(&self) -> u32 {
        self.word.load(Ordering::Relaxed)
    }

    /// `Allocated → Silent` against everybody else who may get a reference. Under the lock.
    #[inline]
    pub(crate) fn release(&self, from: Allocated) -> bool {
        self.word.compare_exchange(from.0, SILENT, Access::LastPut.ordering(), Ordering::Relaxed).is_ok()
    }

    /// `Allocated → Allocated` against everybody else, not to fail but for them.
    #[inline]
    pub(crate) fn exchange_strong(&self, from: Allocated, to: Allocated, access: Access) -> bool {
        self.word.compare_exchange(from.0, to.0, access.ordering(), Ordering::Relaxed).is_ok()
    }

    /// This word as one of a [chunk](crate::chunk)'s. Under the lock.
    #[inline]
    pub(crate) fn bits(&self) -> u32 {
        #[cfg(not(loom))]
        return self.word.load(Ordering::Relaxed);
        #[cfg(loom)]
        return self.bits.get();
    }

    /// Sets a word of a chunk: not to zero, which says that nobody uses it. Under the lock.
    #[inline]
    pub(crate) fn set_bits(&self, bits: u32) {
        debug_assert!(bits != VACANT);
        #[cfg(not(loom))]
        self.word.store(bits, Ordering::Relaxed);
        #[cfg(loom)]
        self.bits.set(bits);
    }
}
