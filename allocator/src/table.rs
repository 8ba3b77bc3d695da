//! The frame table: the words of consecutive page frames, found by number, and behind them those of the free areas.
//!
//! ```text
//!   | frame 0 | frame 1 | … | frame n - 1 | chunk 0 | chunk 1 | …   |  not ours
//!    ◄───────── 4 bytes a page ─────────►  ◄─ 16 bytes a 32 pages ─►
//! ```
//!
//! `Table` is a view, made anew wherever it is needed, and `Frames` the half of it that most calls need. The words themselves are the caller's memory, borrowed for
//! the life of the pool and claimed word by word, so that a table that a live pool already uses, even in part, is
//! refused.

use crate::chunk::{self, Chunks};
use crate::error::{InitError, PageError};
use crate::pfn::{Order, Pfn, PfnRange};
use crate::word::{Index, MAX_FRAMES, State, TableWord};

/// How many words the frame table of a pool of `nr_pages` frames must have, 4 bytes each: one a frame, and four for
/// each 32 frames and for two more such chunks, as the range may cut one in two at each end.
#[must_use]
pub const fn table_words(nr_pages: usize) -> usize {
    // Saturating: of a table as long as that there is none.
    nr_pages.saturating_add(chunk::words(nr_pages))
}

/// A view of the words of a pool's frames.
///
/// # Invariants
///
/// There are at most `MAX_FRAMES` frames, and `base + frames.len()` does not overflow: checked by `claim`, or the view
/// has no word.
#[derive(Clone, Copy)]
pub(crate) struct Frames<'t> {
    base: Pfn,
    frames: &'t [TableWord],
}

impl<'t> Frames<'t> {
    /// A view of nothing.
    pub(crate) const NONE: Self = Self { base: Pfn::new(0), frames: &[] };

    /// The word at `index`, if there is one.
    #[inline]
    pub(crate) fn get(self, index: Index) -> Option<&'t TableWord> {
        self.frames.get(index.get())
    }

    /// A view of the first `len` of `words`, which have been claimed; of none, if there are not so many.
    #[inline]
    pub(crate) fn new(base: Pfn, words: &'t [TableWord], len: usize) -> Self {
        Self { base, frames: words.get(..len).unwrap_or(&[]) }
    }

    #[inline]
    pub(crate) const fn len(self) -> usize {
        self.frames.len()
    }

    /// The first frame.
    #[inline]
    pub(crate) const fn base(self) -> Pfn {
        self.base
    }

    /// The frame numbers that the words stand for.
    pub(crate) const fn range(self) -> PfnRange {
        PfnRange::new(self.base, self.frames.len())
    }

    /// The word of `pfn`.
    #[inline]
    pub(crate) fn find(self, pfn: Pfn) -> Result<(Index, &'t TableWord), PageError> {
        let offset = pfn.get().wrapping_sub(self.base.get());
        match self.frames.get(offset) {
            Some(frame) => Ok((Index::new(offset), frame)),
            None => Err(PageError::OutOfRange),
        }
    }

    /// The word at `index`.
    ///
    /// # Panics
    ///
    /// If there is none. Indices come from `find`, from chunks and from rings, which by I1 and I4 have frames of the
    /// range alone.
    #[inline]
    pub(crate) fn frame(self, index: Index) -> &'t TableWord {
        &self.frames[index.get()]
    }

    #[inline]
    pub(crate) const fn pfn(self, index: Index) -> Pfn {
        Pfn::new(self.base.get().wrapping_add(index.get()))
    }

    /// What the silent frame `pfn` is: inside an allocated block, or free. A snapshot, if nobody holds the lock.
    #[cold]
    pub(crate) fn unallocated(self, pfn: Pfn) -> PageError {
        for order in Order::all().skip(1) {
            // Where a block of this order that has the frame in it would start.
            let Ok((_, head)) = self.find(Pfn::new(pfn.get() & !(order.pages() - 1))) else { break };
            if let State::Allocated(word) = head.state()
                && word.order() >= order
            {
                return PageError::Tail;
            }
        }
        PageError::Free
    }
}

/// A view of all words of a pool.
#[derive(Clone, Copy)]
pub(crate) struct Table<'t> {
    frames: Frames<'t>,
    chunks: &'t [[TableWord; chunk::WORDS]],
}

impl<'t> Table<'t> {
    /// A view of words that have been claimed, for `len` frames; of none, if they are too few.
    #[inline]
    pub(crate) fn new(base: Pfn, words: &'t [TableWord], len: usize) -> Self {
        // A pool without a range has claimed none.
        let needed = if len == 0 { 0 } else { table_words(len) };
        let chunks = words.get(len..needed).unwrap_or(&[]);
        Self { frames: Frames::new(base, words, len), chunks: chunks.as_chunks().0 }
    }

    /// Takes the words for `range` out of `frames`: each `Vacant → Silent`.
    ///
    /// # Errors
    ///
    /// If the range or the table will not do. The words are then as they were.
    pub(crate) fn claim(frames: &'t [TableWord], range: PfnRange, reserved: usize) -> Result<Self, InitError> {
        if range.is_empty() {
            return Err(InitError::EmptyRange);
        }
        if range.end().is_none() {
            return Err(InitError::RangeOverflow);
        }
        if range.len() > MAX_FRAMES {
            return Err(InitError::TooManyFrames { max: MAX_FRAMES });
        }
        if reserved > range.len() {
            return Err(InitError::ReservedTooLong);
        }
        let needed = table_words(range.len());
        let Some(words) = frames.get(..needed) else {
            return Err(InitError::TableTooShort { needed, len: frames.len() });
        };
        if let Some(index) = words.iter().position(|word| !word.claim()) {
            // The words before this one are ours by their compare-exchange; nobody else writes them.
            words[..index].iter().for_each(TableWord::vacate);
            return Err(InitError::TableInUse { index });
        }
        let table = Self::new(range.start(), words, range.len());
        (0..table.nr_chunks()).for_each(|at| table.chunks().at(at).clear());
        Ok(table)
    }

    /// Gives all words back.
    pub(crate) fn vacate(self) {
        self.frames.frames.iter().chain(self.chunks.as_flattened()).for_each(TableWord::vacate);
    }

    #[inline]
    pub(crate) const fn frames(self) -> Frames<'t> {
        self.frames
    }

    /// Chunks that the table has words for.
    pub(crate) const fn nr_chunks(self) -> usize {
        self.chunks.len()
    }

    /// The chunks, by number.
    #[inline]
    pub(crate) const fn chunks(self) -> Chunks<'t> {
        Chunks::new(self.chunks)
    }

    /// Where the buddy of the block of `order`, 5 or more, that starts with chunk `at` would start.
    #[inline]
    pub(crate) const fn buddy(self, at: usize, order: Order) -> usize {
        let first = self.frames.base.get() / chunk::FRAMES;
        // By number in all of memory, as alignment is.
        ((first + at) ^ (order.pages() / chunk::FRAMES)).wrapping_sub(first)
    }

    /// The first frame of chunk `at`: of the range, or before it.
    pub(crate) const fn chunk_start(self, at: usize) -> Pfn {
        Pfn::new((self.frames.base.get() / chunk::FRAMES).wrapping_add(at).wrapping_mul(chunk::FRAMES))
    }

    /// The chunk that the frame at `index` is in, and its place there.
    #[inline]
    pub(crate) const fn chunk_of(self, index: Index) -> (usize, u32) {
        let place = self.frames.base.get() % chunk::FRAMES + index.get();
        (place / chunk::FRAMES, (place % chunk::FRAMES) as u32)
    }

    /// The frame at place `bit` of chunk `at`, which is one of the range.
    #[inline]
    pub(crate) const fn in_chunk(self, at: usize, bit: u32) -> Index {
        Index::new((at * chunk::FRAMES + bit as usize).wrapping_sub(self.frames.base.get() % chunk::FRAMES))
    }
}
