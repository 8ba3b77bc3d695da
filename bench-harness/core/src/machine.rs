//! What the measured loop asks of the machine under it: a host's threads, or the cores of a board.

use core::marker::PhantomData;

use hyp_locks::qspin::{CpuNodes, Nodes};
use hyp_locks::{CpuId, InterruptControl};

use crate::axes::{Lock, Workload};
use crate::own::{OwnLoad, OwnLock};

/// A machine that workers can run on.
///
/// What a worker needs in the measured loop is static: no pointer to chase.
pub trait Machine: Sync + 'static {
    /// How interrupts of a core are masked here.
    type Irq: InterruptControl + 'static;

    /// Whether a worker can be interrupted, and `Irq` keeps that from happening.
    const INTERRUPTS: bool;

    /// How a lock of one's own is measured here; `None` if there is no such lock.
    #[must_use]
    fn own_lock(_: Lock) -> Option<OwnLock<Self>>
    where
        Self: Sized,
    {
        None
    }

    /// How a workload of one's own is measured; `None` if there is no such workload.
    #[must_use]
    fn own_workload(_: Workload) -> Option<OwnLoad> {
        None
    }

    /// Now, in ticks of a clock that does not go back and is one for all cores.
    fn now() -> u64;

    /// Which worker this is: the `i` that [`run_on`](Self::run_on) gave it, below [`MAX_CORES`].
    fn core() -> usize;

    /// Ticks of [`now`](Self::now) in a second.
    fn hz(&self) -> u64;

    /// Workers that can run at once, each on a core of its own.
    fn cores(&self) -> usize;

    /// Runs `work(i)` on `cores` cores at once, `i` from 0; returns when all have.
    ///
    /// # Errors
    ///
    /// [`Panicked`] if one of them did. All have ended nevertheless.
    fn run_on(&self, cores: usize, work: &(dyn Fn(usize) + Sync)) -> Result<(), Panicked>;
}

/// As many workers as there are places for samples.
pub const MAX_CORES: usize = 256;

/// The workers of `M`, as CPUs: where a [`QSpin`](hyp_locks::QSpin) queues them.
pub(crate) struct Workers<M>(PhantomData<fn() -> M>);

// SAFETY: workers that run at once have numbers of their own, for as long as they run, below `MAX_CORES`.
unsafe impl<M: Machine> CpuId for Workers<M> {
    #[inline]
    fn cpu() -> usize {
        M::core()
    }
}

impl<M: Machine> Nodes for Workers<M> {
    fn nodes() -> &'static [CpuNodes] {
        static NODES: [CpuNodes; MAX_CORES] = [const { CpuNodes::new() }; MAX_CORES];
        &NODES
    }
}

/// A worker panicked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Panicked;
