//! The frame table: the words of consecutive page frames, found by number, and behind them those of the free areas.
//!
//! ```text
//!   | frame 0 | frame 1 | … | frame n - 1 | trees of the free areas        |  not ours
//!    ◄───────── 4 bytes a page ─────────►  ◄─ about half a byte a page ──►
//! ```
//!
//! A `Table` is a view, made anew wherever it is needed. The words themselves are the caller's memory, borrowed for
//! the life of the pool and claimed word by word, so that a table that a live pool already uses, even in part, is
//! refused.

use crate::error::{InitError, PageError};
use crate::frame::{Frame, Index, MAX_FRAMES};
use crate::free_area::tree_words;
use crate::pfn::{Pfn, PfnRange};

/// How many words the frame table of a pool of `nr_pages` frames must have, 4 bytes each: one a frame, and about an
/// eighth as many for the free areas (for a very small pool, some 40).
#[must_use]
pub const fn frames_needed(nr_pages: usize) -> usize {
    // Saturating: of a table as long as that there is none.
    nr_pages.saturating_add(tree_words(nr_pages))
}

/// A view of the words of one pool.
///
/// # Invariants
///
/// There are at most `MAX_FRAMES` frames, `base + frames.len()` does not overflow, and `trees` has
/// `tree_words(frames.len())` words: checked by `claim`, or the view has no word.
#[derive(Clone, Copy)]
pub(crate) struct Table<'t> {
    base: Pfn,
    frames: &'t [Frame],
    trees: &'t [Frame],
}

impl<'t> Table<'t> {
    /// A view of words that have been claimed, for `len` frames; of none, if they are too few.
    #[inline]
    pub(crate) fn new(base: Pfn, words: &'t [Frame], len: usize) -> Self {
        let (frames, trees) = words.split_at_checked(len).unwrap_or((&[], &[]));
        Self { base, frames, trees }
    }

    /// Takes the words for `range` out of `frames`: each `Vacant → Tail`.
    ///
    /// # Errors
    ///
    /// If the range or the table will not do. The words are then as they were.
    pub(crate) fn claim(frames: &'t [Frame], range: PfnRange, reserved: usize) -> Result<Self, InitError> {
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
        let needed = frames_needed(range.len());
        let Some(words) = frames.get(..needed) else {
            return Err(InitError::TableTooShort { needed, len: frames.len() });
        };
        if let Some(index) = words.iter().position(|word| !word.claim()) {
            // The words before this one are ours by their compare-exchange; nobody else writes them.
            words[..index].iter().for_each(Frame::vacate);
            return Err(InitError::TableInUse { index });
        }
        let table = Self::new(range.start(), words, range.len());
        table.trees.iter().for_each(|word| word.set_bits(0));
        Ok(table)
    }

    /// Gives all words back.
    pub(crate) fn vacate(self) {
        let words = frames_needed(self.frames.len()) - self.frames.len();
        let trees = self.trees.get(..words).unwrap_or(&[]);
        self.frames.iter().chain(trees).for_each(Frame::vacate);
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

    /// The words of the free areas from `start` on.
    ///
    /// # Panics
    ///
    /// If there are not so many; there are where [`FreeAreas`](crate::free_area::FreeAreas) says.
    #[inline]
    pub(crate) fn trees(self, start: usize) -> &'t [Frame] {
        &self.trees[start..]
    }

    /// The frame numbers that the words stand for.
    pub(crate) const fn range(self) -> PfnRange {
        PfnRange::new(self.base, self.frames.len())
    }

    /// The word of `pfn`.
    #[inline]
    pub(crate) fn find(self, pfn: Pfn) -> Result<(Index, &'t Frame), PageError> {
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
    /// If there is none. Indices come from `find`, from the trees and from the rings, which by I1 and I4 have blocks
    /// of the range alone.
    #[inline]
    pub(crate) fn frame(self, index: Index) -> &'t Frame {
        &self.frames[index.get()]
    }

    #[inline]
    pub(crate) const fn pfn(self, index: Index) -> Pfn {
        Pfn::new(self.base.get().wrapping_add(index.get()))
    }
}
