//! The frame table: the words of consecutive page frames, found by number.
//!
//! A `Table` is a view, three machine words, made anew wherever it is needed. The words themselves are the
//! caller's memory, borrowed for the life of the pool and claimed word by word, so that a table that a live
//! pool already uses, even in part, is refused.

use crate::error::{InitError, PageError};
use crate::frame::{Frame, Index, MAX_FRAMES};
use crate::pfn::{Order, Pfn, PfnRange};

/// How long the frame table of a pool of `nr_pages` frames must be: one word a frame and nothing else.
#[must_use]
pub const fn frames_needed(nr_pages: usize) -> usize {
    nr_pages
}

/// A view of the words of one pool.
///
/// # Invariants
///
/// There are at most `MAX_FRAMES` words, and `base + frames.len()` does not overflow: checked by `claim`, or
/// the view has no word.
#[derive(Clone, Copy)]
pub(crate) struct Table<'t> {
    base: Pfn,
    frames: &'t [Frame],
}

impl<'t> Table<'t> {
    /// A view of words that have been claimed.
    #[inline]
    pub(crate) const fn new(base: Pfn, frames: &'t [Frame]) -> Self {
        Self { base, frames }
    }

    /// Takes the words for `range` out of `frames`: each `Vacant → Tail`.
    ///
    /// # Errors
    ///
    /// If the range or the table will not do. The words are then as they were.
    pub(crate) fn claim(frames: &'t [Frame], range: PfnRange, reserved: usize) -> Result<Self, InitError> {
        let needed = frames_needed(range.len());
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
        let Some(frames) = frames.get(..needed) else {
            return Err(InitError::TableTooShort { needed, len: frames.len() });
        };
        if let Some(index) = frames.iter().position(|frame| !frame.claim()) {
            // The words before this one are ours by their compare-exchange; nobody else writes them.
            Table::new(range.start(), &frames[..index]).vacate();
            return Err(InitError::TableInUse { index });
        }
        Ok(Self::new(range.start(), frames))
    }

    /// Gives all words back.
    pub(crate) fn vacate(self) {
        for frame in self.frames {
            frame.vacate();
        }
    }

    #[inline]
    pub(crate) const fn len(self) -> usize {
        self.frames.len()
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
    /// If there is none. Indices come from `find`, `buddy` and the links of free heads, which by I1 and I5
    /// are inside.
    #[inline]
    pub(crate) fn frame(self, index: Index) -> &'t Frame {
        &self.frames[index.get()]
    }

    #[inline]
    pub(crate) const fn pfn(self, index: Index) -> Pfn {
        Pfn::new(self.base.get().wrapping_add(index.get()))
    }

    /// Where the buddy of the block of `order` at `index` starts, if that is inside the range. The rest of
    /// the buddy need not be; but then it is no block, and its word does not say so (I1).
    #[inline]
    pub(crate) fn buddy(self, index: Index, order: Order) -> Option<Index> {
        let offset = self.pfn(index).buddy(order).get().wrapping_sub(self.base.get());
        (offset < self.frames.len()).then(|| Index::new(offset))
    }
}
