//! What every core does: one operation a step, on a pool under any strategy.
//!
//! The definitions are those of the measurements of Linux's allocator that this project compares itself with; where
//! they leave open what several cores do, it is said at the load.

#[cfg(test)]
mod counts;
mod empty;
mod mixed;
mod pair;
mod refpage;
mod remote_free;
mod stage2;
mod top_up;
mod zero;

pub(crate) use empty::Empty;
pub(crate) use mixed::Mixed;
pub(crate) use pair::Pair;
pub(crate) use refpage::RefPage;
pub(crate) use remote_free::RemoteFree;
pub(crate) use stage2::{Random, Sequential, Sparse, Stage2};
pub(crate) use top_up::TopUp;
pub(crate) use zero::Zero;

use crate::arena::Arena;
use crate::axes::Mix;
pub use crate::pages::{Ops, Refused};

/// Where a worker stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The memory of the pool.
    pub arena: &'static Arena,
    /// Which worker it is, from 0.
    pub worker: usize,
    /// How many there are.
    pub workers: usize,
    /// Which orders it allocates.
    pub mix: Mix,
    /// Iterations between two operations.
    pub(crate) think: u32,
}

/// A load of one worker. What it allocates it puts back, at the latest in [`end`](Self::end): else the pass is void.
pub trait Load: Sized {
    /// Before there is a worker: what all of them share.
    ///
    /// # Errors
    ///
    /// The pool refused something.
    fn set_up(_: &mut dyn Ops) -> Result<(), Refused> {
        Ok(())
    }

    /// After all workers have ended: puts that back.
    ///
    /// # Errors
    ///
    /// The pool refused something.
    fn tear_down(_: &mut dyn Ops) -> Result<(), Refused> {
        Ok(())
    }

    /// Before the gate: what it needs to be set up.
    ///
    /// # Errors
    ///
    /// The pool refused something.
    fn begin(ops: &mut dyn Ops, place: Place) -> Result<Self, Refused>;

    /// One operation.
    ///
    /// # Errors
    ///
    /// The pool refused something.
    fn step(&mut self, ops: &mut dyn Ops) -> Result<(), Refused>;

    /// Puts back what this worker has.
    ///
    /// # Errors
    ///
    /// The pool refused something.
    fn end(self, _: &mut dyn Ops) -> Result<(), Refused> {
        Ok(())
    }
}

/// xorshift64* (Vigna, *An experimental exploration of Marsaglia's xorshift generators, scrambled*, 2016).
#[derive(Debug)]
struct Rng(u64);

impl Rng {
    /// The generator of a worker: the seed of the original measurements, plus its number.
    fn of(worker: usize) -> Self {
        Self(0x9e37_79b9_7f4a_7c15_u64.wrapping_add(worker as u64))
    }

    #[inline]
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}
