//! The ids of a pool's owners: taken and given back without the lock.

use crate::sync::{Access, AtomicU32, Ordering};
use crate::word::{MAX_OWNERS, OwnerId};

/// The ids in use, a bit each.
pub(crate) struct OwnerIds([AtomicU32; WORDS]);

const WORDS: usize = (MAX_OWNERS as usize).div_ceil(32);

impl OwnerIds {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; WORDS])
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self(core::array::from_fn(|_| AtomicU32::new(0)))
    }

    /// An id that nobody else has.
    pub(super) fn take(&self) -> Option<OwnerId> {
        for (at, word) in (0_u8..).zip(&self.0) {
            let mut taken = word.load(Ordering::Relaxed);
            while taken != u32::MAX {
                let bit = (!taken).trailing_zeros();
                let Some(id) = OwnerId::new(at * 32 + bit as u8) else { break };
                // INVARIANT: W1: the exchange sets a bit that was clear.
                let to = taken | 1 << bit;
                match word.compare_exchange(taken, to, Access::TakeId.ordering(), Ordering::Relaxed) {
                    Ok(_) => return Some(id),
                    Err(now) => taken = now,
                }
            }
        }
        None
    }

    pub(crate) fn give_back(&self, id: OwnerId) {
        let (word, bit) = (&self.0[usize::from(id.get() / 32)], id.get() % 32);
        let mut taken = word.load(Ordering::Relaxed);
        while let Err(now) =
            word.compare_exchange(taken, taken & !(1 << bit), Access::GiveId.ordering(), Ordering::Relaxed)
        {
            taken = now;
        }
    }
}
