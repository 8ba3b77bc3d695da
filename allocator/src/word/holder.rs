//! Who counts the references of a block, and where that stands in its word.

use super::{HOLDER_SHIFT, MAX_COUNT};

/// Who counts the references of an allocated block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holder {
    /// Code that remembers the frame number and calls `get_page` and `put_page`.
    Number,
    /// [`PageRef`](crate::PageRef)s.
    Handle,
    /// A [`Magazine`](crate::Magazine), which keeps the block for its next caller.
    Magazine,
    /// Whoever clears the block: an allocation before it hands it out, or a final put before it is free or a magazine's.
    Scrub,
    /// The [`Owner`](crate::Owner) of this number.
    Owner(OwnerId),
}

/// How many owners a pool may have at a time.
pub(crate) const MAX_OWNERS: u8 = 255 - OwnerId::FIRST;

/// The number of an owner.
///
/// # Invariants
///
/// Less than [`MAX_OWNERS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OwnerId(u8);

impl OwnerId {
    /// What stands in a word for the first of them.
    const FIRST: u8 = 4;

    #[inline]
    pub(crate) const fn new(id: u8) -> Option<Self> {
        if id < MAX_OWNERS { Some(Self(id)) } else { None }
    }

    #[inline]
    pub(crate) const fn get(self) -> u8 {
        self.0
    }
}

/// The number of a magazine: in the word of a block, so that one that was put twice, into two of them, is in one.
///
/// # Invariants
///
/// From 1 to [`MAX_COUNT`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MagazineId(pub(super) u32);

impl MagazineId {
    /// The `n`-th of a pool. The same numbers come again after [`MAX_COUNT`] of them.
    pub(crate) const fn nth(n: usize) -> Self {
        Self(1 + (n % MAX_COUNT as usize) as u32)
    }
}

impl Holder {
    #[inline]
    pub(super) const fn bits(self) -> u32 {
        let code = match self {
            Self::Number => 0,
            Self::Handle => 1,
            Self::Magazine => 2,
            Self::Scrub => 3,
            Self::Owner(id) => OwnerId::FIRST + id.0,
        };
        (code as u32) << HOLDER_SHIFT
    }
}
