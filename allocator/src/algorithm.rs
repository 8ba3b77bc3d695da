//! The buddy allocator itself: pure, by `&mut`, with no lock and no knowledge of one.
//!
//! A free block is split until it fits, and coalesced with its buddy whenever that is free too. Below, 128 frames, four
//! chunks of 32, as calls change them under [`Eager`](crate::Eager) (`F` a free block, `A` an allocated one, with its
//! order):
//!
//! ```text
//! frame           0          32         64         96
//!                F7 ────────────────────────────────────
//! alloc order 0  A0 F0 F1…  F5 ─────── F6 ─────────────      extract: two steps on lists, then one bit of chunk 0
//! free 0         F7 ────────────────────────────────────      attach: chunk 0 is all free, then merged with 32, with 64
//! ```
//!
//! Below order 5 nothing is split and nothing merged: what is free in a chunk is bits of one word, and `F0`, `F1`, … are
//! what they show.
//!
//! Under [`Deferred`](crate::Deferred) a freed block of low order waits in a ring before it is attached, and an
//! allocation that finds the ring empty half fills it out of one chunk.
//!
//! # Invariants
//!
//! They hold whenever the lock that guards the free areas is free. Cited by number everywhere else.
//!
//! * **I1** A block of order `o` lies at a multiple of `1 << o` in physical frame numbers, inside the range.
//! * **I2** Only heads of allocated blocks speak: the words of free frames, and of those behind a head, are `Silent`.
//! * **I3** Blocks partition the range: every frame is in exactly one.
//! * **I4** A block that is not allocated is, once, among the free bits of its chunk, or, if it is a chunk or more, on
//!   the list of its order; or it is in a ring of blocks kept unmerged.
//! * **I5** Lists are well-formed: `next` and `prev` are inverse, they end, each has the chunks of its class and no
//!   others, and the mask says which have any.
//! * **I6** No two buddies of equal order are both on a list, nor is a chunk all of whose bits are free: what is not kept
//!   is coalesced.
//! * **I7** Nothing is lost: free and allocated frames (the reserved ones count as allocated) are all frames,
//!   and the counter agrees with the chunks.
//!
//! # Cost
//!
//! Allocating (`extract`) and freeing (`free`) change the words of one chunk, and take at most five steps, from order 5
//! to [`MAX_ORDER`](crate::MAX_ORDER), each of which moves another chunk from or to a list; besides, what
//! [`coalesce`](crate::Coalesce) says. No page is touched.
//!
//! After the binary buddy system: K. C. Knowlton, "A fast storage allocator", CACM 8(10), 1965; D. E. Knuth,
//! TAOCP volume 1, section 2.5.

use crate::chunk;
use crate::coalesce::{Coalesce, sealed::Kept};
use crate::error::{AllocError, PageError};
use crate::free_area::FreeAreas;
use crate::pfn::{NR_ORDERS, Order, Pfn};
use crate::table::{Frames, Table};
use crate::word::{Allocated, Holder, Index, State, TableWord};

impl<C: Coalesce> FreeAreas<C> {
    /// The free areas of a table just claimed, all of whose words are silent: `reserved` frames allocated one
    /// by one, the rest free in the largest blocks that alignment allows.
    pub(crate) fn fill(table: Table<'_>, reserved: usize) -> Self {
        for index in 0..reserved {
            table.frames().frame(Index::new(index)).set_allocated(Allocated::new(Order::ZERO, Holder::Number));
        }
        let mut areas = Self::EMPTY;
        let start = table.frames().base().get();
        // From the top down, so that the lowest chunk is listed last and comes first.
        let mut end = table.frames().len();
        while end > reserved {
            // I1: where an aligned block may end, one of the same order may start.
            let fits = |order: &Order| end - reserved >= order.pages() && Pfn::new(start + end).is_aligned(*order);
            let order = Order::all().rev().find(fits).unwrap_or(Order::ZERO);
            end -= order.pages();
            areas.attach(table, Index::new(end), order);
        }
        areas
    }

    /// Takes a block of `order` out of the free areas: one that is kept, or else one out of a chunk of the smallest class
    /// that will do. The caller, who still holds the lock, makes its word `Allocated`.
    #[inline]
    pub(crate) fn extract<'t>(&mut self, table: impl FnOnce() -> Table<'t>, order: Order) -> Result<Index, AllocError> {
        match self.reuse(order) {
            Some(index) => Ok(index),
            None => self.split_off(table(), order),
        }
    }

    /// A block of `order` out of a chunk, where none is kept. Of an order of which blocks are kept, half a ring of
    /// others is taken out of that chunk with it.
    #[inline(never)]
    fn split_off(&mut self, table: Table<'_>, order: Order) -> Result<Index, AllocError> {
        let others = if Self::keeps(order) { C::Kept::CAPACITY / 2 } else { 0 };
        let found = match self.take(table, order, 1 + others) {
            None => {
                self.coalesce(table);
                self.take(table, order, 1)
            }
            found => found,
        };
        let (at, mut taken) = found.ok_or(AllocError::OutOfMemory)?;
        let first = taken.trailing_zeros();
        taken &= taken - 1;
        while taken != 0 {
            // So that the lowest is the next to be reused.
            let bit = if C::OLDEST_FIRST { taken.trailing_zeros() } else { 31 - taken.leading_zeros() };
            taken &= !(1 << bit);
            self.keep(table.in_chunk(at, bit), order);
        }
        Ok(table.in_chunk(at, first))
    }

    /// Takes at least one and at most `n` blocks of `order` out of the first chunk of the smallest class that will do,
    /// splitting a larger block if it must. Tells which chunk, and where in it they start.
    fn take(&mut self, table: Table<'_>, order: Order, n: usize) -> Option<(usize, u32)> {
        let chunks = table.chunks();
        let (class, at) = self.smallest(order)?;
        if class >= chunk::ORDER {
            self.unlist(chunks, at, class);
            let mut size = class;
            while size > order.max(chunk::ORDER)
                && let Some(half) = size.down()
            {
                // INVARIANT: I1, I3: the upper half of an aligned block is one, too. I6: the lower half is about to be
                // split or allocated.
                self.list(chunks, at + half.pages() / chunk::FRAMES, half);
                size = half;
            }
        }
        if order >= chunk::ORDER {
            self.count(-(order.pages() as isize));
            return Some((at, 1));
        }
        let (from, free) = if class >= chunk::ORDER { (None, chunk::ALL) } else { (Some(class), chunks.at(at).free()) };
        let runs = chunk::runs(free, order);
        // Those first that are no part of a larger one.
        let exact = chunk::smallest(runs, order);
        let source = if exact == 0 { runs } else { exact };
        let taken = chunk::lowest(source, n);
        // INVARIANT: I4: out of the chunk, and from here on allocated or in a ring.
        self.set_free(chunks, at, from, free & !(taken * chunk::block(order)));
        self.count(-((taken.count_ones() as isize) << order.get()));
        Some((at, taken))
    }

    /// Takes blocks of `order`, one for each of `out`, and tells how many there were. The caller makes their words
    /// `Allocated`.
    pub(crate) fn extract_many(&mut self, table: Table<'_>, order: Order, out: &mut [u32]) -> usize {
        let mut len = 0;
        let mut coalesced = false;
        while len < out.len() {
            match self.take(table, order, out.len() - len) {
                Some((at, mut taken)) => {
                    while taken != 0 {
                        out[len] = table.in_chunk(at, taken.trailing_zeros()).get() as u32;
                        len += 1;
                        taken &= taken - 1;
                    }
                }
                None if coalesced => break,
                None => {
                    self.coalesce(table);
                    coalesced = true;
                }
            }
        }
        len
    }

    /// Puts blocks of `order`, whose words are silent and which are in no free area, into the chunks, as long as `next`
    /// has one. Neighbours in a chunk that follow each other cost one.
    pub(crate) fn attach_many(
        &mut self,
        table: Table<'_>,
        order: Order,
        mut next: impl FnMut(&mut Self) -> Option<Index>,
    ) {
        let mut block = next(self);
        while let Some(index) = block {
            if order >= chunk::ORDER {
                self.attach(table, index, order);
                block = next(self);
                continue;
            }
            let (at, bit) = table.chunk_of(index);
            let mut freed = chunk::block(order) << bit;
            block = loop {
                match next(self).map(|index| (index, table.chunk_of(index))) {
                    Some((_, (chunk, bit))) if chunk == at => freed |= chunk::block(order) << bit,
                    other => break other.map(|(index, _)| index),
                }
            };
            self.attach_bits(table, at, freed);
        }
    }

    /// Makes the block at `index`, whose word is silent and which is in no free area, free: keeps it, or coalesces
    /// it.
    #[inline]
    pub(crate) fn free<'t>(&mut self, table: impl FnOnce() -> Table<'t>, index: Index, order: Order) {
        if !Self::keeps(order) {
            return self.attach(table(), index, order);
        }
        if !self.has_room(order) {
            self.settle(table(), order, C::Kept::CAPACITY.div_ceil(2));
        }
        self.keep(index, order);
    }

    /// Puts the block at `index` into its chunk, or onto a list, coalesced with every buddy that is free.
    #[inline(never)]
    fn attach(&mut self, table: Table<'_>, index: Index, order: Order) {
        let (at, bit) = table.chunk_of(index);
        if order < chunk::ORDER {
            self.attach_bits(table, at, chunk::block(order) << bit);
        } else {
            self.count(order.pages() as isize);
            self.attach_chunks(table, at, order);
        }
    }

    /// Frames of chunk `at` become free.
    fn attach_bits(&mut self, table: Table<'_>, at: usize, freed: u32) {
        self.count(freed.count_ones() as isize);
        let chunk = table.chunks().at(at);
        let (from, free) = (chunk.class(), chunk.free() | freed);
        if free == chunk::ALL {
            self.set_free(table.chunks(), at, from, 0);
            self.attach_chunks(table, at, chunk::ORDER);
        } else {
            // INVARIANT: I4. I6: what is next to it in the word is one with it.
            self.set_free(table.chunks(), at, from, free);
        }
    }

    /// Puts the block of `order`, 5 or more, that starts with chunk `at` onto a list, coalesced with every buddy that is
    /// free.
    fn attach_chunks(&mut self, table: Table<'_>, mut at: usize, order: Order) {
        let mut size = order;
        while let Some(up) = size.up()
            && let buddy = table.buddy(at, size)
            && table.chunks().is_of(buddy, size)
        {
            steps::count();
            // By I1, "of this class" at the buddy's first chunk implies all of the buddy.
            self.unlist(table.chunks(), buddy, size);
            // INVARIANT: I1, I3: two buddies are the aligned block of the next order.
            at = at.min(buddy);
            size = up;
        }
        // INVARIANT: I4, I6.
        self.list(table.chunks(), at, size);
    }

    /// Coalesces all blocks that are kept.
    #[cold]
    pub(crate) fn coalesce(&mut self, table: Table<'_>) {
        for order in Order::all() {
            self.settle(table, order, usize::MAX);
        }
    }

    /// Coalesces the `n` oldest blocks of `order` that are kept.
    #[inline(never)]
    fn settle(&mut self, table: Table<'_>, order: Order, mut n: usize) {
        self.attach_many(table, order, |areas| {
            n = n.checked_sub(1)?;
            areas.oldest(order)
        });
    }

    /// Makes the allocated block at `index` into blocks of order 0, each with one reference. The head's own
    /// word has been changed already.
    pub(crate) fn scatter(frames: Frames<'_>, index: Index, order: Order, holder: Holder) {
        for tail in 1..order.pages() {
            // INVARIANT: I1: order 0 is aligned everywhere. I3: the block's frames, each now its own block.
            frames.frame(Index::new(index.get() + tail)).set_allocated(Allocated::new(Order::ZERO, holder));
        }
    }

    /// Free blocks of each order, those that are kept apart. O(chunks).
    pub(crate) fn free_blocks(&self, table: Table<'_>) -> [usize; NR_ORDERS] {
        let mut blocks = [0; NR_ORDERS];
        for at in 0..table.nr_chunks() {
            let chunk = table.chunks().at(at);
            match chunk.class() {
                Some(class) if class >= chunk::ORDER => blocks[usize::from(class.get())] += 1,
                _ => {
                    for order in Order::all().take_while(|&order| order < chunk::ORDER) {
                        let exact = chunk::smallest(chunk::runs(chunk.free(), order), order);
                        blocks[usize::from(order.get())] += exact.count_ones() as usize;
                    }
                }
            }
        }
        for order in Order::all() {
            blocks[usize::from(order.get())] += self.kept(order);
        }
        blocks
    }
}

/// The merges made on this thread, for the tests of the bounds that [`coalesce`](crate::Coalesce) states.
pub(crate) mod steps {
    #[cfg(all(test, not(loom)))]
    std::thread_local! {
        pub(crate) static MERGES: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
    }

    #[inline]
    pub(crate) fn count() {
        #[cfg(all(test, not(loom)))]
        MERGES.set(MERGES.get() + 1);
    }
}

/// The word of an allocated block's head, or what the frame is instead.
#[inline]
pub(crate) fn allocated(frames: Frames<'_>, pfn: Pfn, frame: &TableWord) -> Result<Allocated, PageError> {
    match frame.state() {
        State::Allocated(word) => Ok(word),
        State::Silent | State::Vacant => Err(frames.unallocated(pfn)),
    }
}
