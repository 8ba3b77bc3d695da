//! A chunk: 32 frames, whose free ones are the bits of one word.
//!
//! ```text
//!              frame of the chunk  31                               0
//!   word 0     free?                0000 1111 0000 0000 1100 0001 0011
//!                                        └┬─┘           └┤       │  └┤
//!                                      order 2       order 1     0   1      blocks, by alignment: nothing to coalesce
//!   word 1     class
//!   word 2, 3  previous, next chunk of the class
//! ```
//!
//! Below order 5, buddies need not be looked for: a run of `1 << o` free bits at a multiple of `1 << o` *is* a free
//! block of order `o`, or part of a larger one, and which runs there are takes one `and` of the word with itself an
//! order. A chunk's **class** is the order of its largest free block; a chunk that is free as a whole, and no part of a
//! larger free block, is a block of order 5 and more, and that order is its class. A chunk with no free frame, or inside
//! a larger free block, has none. All chunks of a class are on one doubly linked list.
//!
//! Frames outside the pool's range, in its first and last chunk, are never free.

use crate::pfn::Order;
use crate::word::{MAX_FRAMES, TableWord};

/// Frames in a chunk.
pub(crate) const FRAMES: usize = 1 << ORDER.get();

/// The order of a whole chunk.
pub(crate) const ORDER: Order = match Order::new(5) {
    Some(order) => order,
    None => panic!(),
};

/// Words of a chunk in the frame table.
pub(crate) const WORDS: usize = 4;

/// All frames of a chunk.
pub(crate) const ALL: u32 = u32::MAX;

/// The words of the chunks that `nr_pages` frames need, wherever they start: one may be cut off at each end.
pub(crate) const fn words(nr_pages: usize) -> usize {
    WORDS * (nr_pages / FRAMES + 2)
}

/// A link of a list: the number of another chunk, or none. As a word: the number plus one, or all ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub(crate) struct Link(u32);

impl Link {
    pub(crate) const END: Self = Self(u32::MAX);

    #[inline]
    pub(crate) const fn to(chunk: usize) -> Self {
        debug_assert!(chunk < MAX_FRAMES);
        Self(chunk as u32 + 1)
    }

    #[inline]
    pub(crate) const fn chunk(self) -> Option<usize> {
        if self.0 == u32::MAX { None } else { Some(self.0.wrapping_sub(1) as usize) }
    }
}

/// What stands for no class; no word of a chunk is zero, lest a table in use be taken for one that is not.
const NO_CLASS: u32 = u32::MAX;

/// The chunks of a table, by number.
#[derive(Clone, Copy)]
pub(crate) struct Chunks<'t>(&'t [[TableWord; WORDS]]);

impl<'t> Chunks<'t> {
    #[inline]
    pub(crate) const fn new(words: &'t [[TableWord; WORDS]]) -> Self {
        Self(words)
    }

    /// Chunk number `at`.
    ///
    /// # Panics
    ///
    /// If there is none. Numbers come from [`chunk_of`](crate::table::Table::chunk_of) and from lists, which by I4 and
    /// I5 have chunks of the table alone.
    #[inline]
    pub(crate) fn at(self, at: usize) -> Chunk<'t> {
        Chunk(&self.0[at])
    }

    /// Whether chunk `at` is of this class; not, if there is none.
    #[inline]
    pub(crate) fn is_of(self, at: usize, class: Order) -> bool {
        self.0.get(at).is_some_and(|words| Chunk(words).class() == Some(class))
    }
}

/// The words of one chunk. Read and written under the lock.
#[derive(Clone, Copy)]
pub(crate) struct Chunk<'t>(&'t [TableWord; WORDS]);

impl Chunk<'_> {
    /// No free frame, on no list.
    pub(crate) fn clear(self) {
        self.set_free(0);
        self.set_class(None);
        self.set_prev(Link::END);
        self.set_next(Link::END);
    }

    /// The free frames; none, if the chunk is free as a whole.
    #[inline]
    pub(crate) fn free(self) -> u32 {
        !self.0[0].bits()
    }

    /// Sets the free frames: not all of them, since that is a block of order 5, which its class says.
    #[inline]
    pub(crate) fn set_free(self, free: u32) {
        self.0[0].set_bits(!free);
    }

    /// The class: which list it is on.
    #[inline]
    pub(crate) fn class(self) -> Option<Order> {
        Order::new(self.0[1].bits().wrapping_sub(1).min(0xff) as u8)
    }

    #[inline]
    pub(crate) fn set_class(self, class: Option<Order>) {
        self.0[1].set_bits(class.map_or(NO_CLASS, |order| u32::from(order.get()) + 1));
    }

    #[inline]
    pub(crate) fn prev(self) -> Link {
        Link(self.0[2].bits())
    }

    #[inline]
    pub(crate) fn set_prev(self, prev: Link) {
        self.0[2].set_bits(prev.0);
    }

    #[inline]
    pub(crate) fn next(self) -> Link {
        Link(self.0[3].bits())
    }

    #[inline]
    pub(crate) fn set_next(self, next: Link) {
        self.0[3].set_bits(next.0);
    }
}

/// `1 << order` frames from frame 0 on, for an order below 5.
#[inline]
pub(crate) const fn block(order: Order) -> u32 {
    debug_assert!(order.get() < ORDER.get());
    (1 << order.pages()) - 1
}

/// Where the aligned runs of `1 << order` free frames start.
///
/// ```text
/// free          1111 0111
/// order 1       0101 0001     two neighbours, at even places
/// order 2       0001 0000
/// ```
#[inline]
pub(crate) const fn runs(free: u32, order: Order) -> u32 {
    let mut runs = free;
    let mut o = 0;
    while o < order.get() {
        runs &= runs >> (1 << o) & STARTS[o as usize];
        o += 1;
    }
    runs
}

/// The multiples of 2, 4, 8 and 16.
const STARTS: [u32; 4] = [0x5555_5555, 0x1111_1111, 0x0101_0101, 0x0001_0001];

/// Of the runs of `order`, those that are in no run of the next order: free blocks of just this order.
#[inline]
pub(crate) const fn smallest(runs: u32, order: Order) -> u32 {
    if order.get() >= 4 {
        return runs;
    }
    let size = order.pages() as u32;
    let pairs = runs & runs >> size & STARTS[order.get() as usize];
    runs & !(pairs | pairs << size)
}

/// The lowest `n` of these bits, or all.
#[inline]
pub(crate) fn lowest(bits: u32, n: usize) -> u32 {
    let mut rest = bits;
    for _ in 0..n {
        if rest == 0 {
            break;
        }
        rest &= rest - 1;
    }
    bits & !rest
}

/// The class of a chunk with these free frames.
#[inline]
pub(crate) const fn class(free: u32) -> Option<Order> {
    if free == 0 {
        return None;
    }
    let pairs = free & free >> 1 & STARTS[0];
    let fours = pairs & pairs >> 2 & STARTS[1];
    let eights = fours & fours >> 4 & STARTS[2];
    let sixteens = eights & eights >> 8 & STARTS[3];
    Order::new((pairs != 0) as u8 + (fours != 0) as u8 + (eights != 0) as u8 + (sixteens != 0) as u8)
}

/// The order of the free block that starts at frame `at`, which is free: the largest aligned run from there.
pub(crate) fn order_at(free: u32, at: u32) -> Order {
    let starts_here = |order: &Order| *order < ORDER && runs(free, *order) >> at & 1 == 1;
    Order::all().rev().find(starts_here).unwrap_or(Order::ZERO)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn order(n: u8) -> Order {
        Order::new(n).unwrap()
    }

    /// By the definition.
    fn is_run(free: u32, at: usize, order: Order) -> bool {
        at.is_multiple_of(order.pages()) && (at..at + order.pages()).all(|frame| free >> frame & 1 == 1)
    }

    #[test]
    fn runs_are_aligned_free_blocks() {
        let mut free = 0x9E37_79B9_u32;
        let steps = if cfg!(miri) { 20 } else { 5000 };
        for step in 0..steps {
            free ^= free << 13;
            free ^= free >> 17;
            free ^= free << 5;
            // Mostly free, mostly not, and in between.
            let word = match step % 3 {
                0 => free | free.rotate_left(7) | free.rotate_left(11),
                1 => free & free.rotate_left(5),
                _ => free,
            };
            for o in (0..5).map(order) {
                let found = runs(word, o);
                let exact = smallest(found, o);
                for at in 0..32 {
                    let run = is_run(word, at, o);
                    assert_eq!(found >> at & 1 == 1, run);
                    let larger = o.get() < 4 && is_run(word, at & !(2 * o.pages() - 1), order(o.get() + 1));
                    assert_eq!(exact >> at & 1 == 1, run && !larger);
                }
            }
            let largest = (0..5).rev().map(order).find(|&o| (0..32).any(|at| is_run(word, at, o)));
            assert_eq!(class(word), largest);
        }
        assert_eq!((lowest(0b1011_0100, 2), lowest(0b11, 5), lowest(0, 1), lowest(ALL, 0)), (0b1_0100, 0b11, 0, 0));
        assert_eq!((class(0), class(1), class(ALL)), (None, Some(order(0)), Some(order(4))));
        assert_eq!(
            (order_at(0b1111_0111, 4), order_at(0b1111_0111, 0), order_at(ALL, 16)),
            (order(2), order(1), order(4))
        );
    }

    #[test]
    fn what_goes_in_comes_out() {
        let words = [const { TableWord::VACANT }; WORDS];
        let chunk = Chunk(&words);
        chunk.clear();
        assert_eq!((chunk.free(), chunk.class()), (0, None));
        for free in [0, 1, 1 << 31, ALL - 1, ALL >> 1] {
            chunk.set_free(free);
            assert_eq!(chunk.free(), free);
            assert!(!words[0].claim(), "zero, and taken for vacant");
        }
        for class in Order::all().map(Some).chain([None]) {
            for link in [Link::END, Link::to(0), Link::to(MAX_FRAMES - 1)] {
                chunk.set_class(class);
                chunk.set_prev(link);
                chunk.set_next(link);
                assert_eq!((chunk.class(), chunk.prev(), chunk.next()), (class, link, link));
                assert!(words.iter().all(|word| !word.claim()));
            }
        }
        assert_eq!((Link::END.chunk(), Link::to(7).chunk()), (None, Some(7)));
    }
}
