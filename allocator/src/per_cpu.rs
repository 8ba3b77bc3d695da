//! A magazine for each CPU, for those who know which CPU they are on.
//!
//! ```text
//!   cpu 0 ─ try-lock ─ Magazine ┐                  taken, by an interrupt handler's caller or by one who drains:
//!   cpu 1 ─ try-lock ─ Magazine ┼── HypPool  ◄───  straight to the pool, nobody waits
//!   …                           ┘
//! ```
//!
//! The lock of a magazine is a type parameter, and never waited for in `alloc_pages` and `put_page`. With one that masks
//! interrupts (`hyp_locks::IrqSave`) a handler never finds it taken; with a plain one a handler that interrupts its own
//! CPU's call, and a thread that was moved to another CPU in between, go to the pool. Nobody else uses the line that
//! the lock is on, so that taking it costs a read-modify-write and no transfer.

use crate::coalesce::{Coalesce, Deferred};
use crate::contents::Cleared;
use crate::error::{AllocError, PageError};
use crate::line::Line;
use crate::pfn::Pfn;
use crate::pool::HypPool;
use crate::racks::Racks;
use crate::refcount::{Atomic, RefcountPath};
use crate::word::Holder;
use core::fmt;
use lock_api::{Mutex, RawMutex};

/// `CPUS` magazines of a pool with lock `L`, each behind a lock `M`.
///
/// ```
/// use hyp_pool::{HypPool, PerCpu, Pfn, PfnRange, TableWord, table_words};
/// use parking_lot::RawMutex as Lock; // or hyp_locks::IrqSave<…>
///
/// static TABLE: [TableWord; table_words(1024)] = [const { TableWord::VACANT }; table_words(1024)];
/// static POOL: HypPool<Lock> = HypPool::new(&TABLE);
/// static CPUS: PerCpu<Lock, 4> = PerCpu::new(&POOL);
///
/// POOL.init(PfnRange::new(Pfn::new(0), 1024), 0)?;
/// let page = CPUS.alloc_pages(2, 0)?; // on CPU 2
/// CPUS.put_page(3, page)?; // on CPU 3
/// CPUS.drain_all();
/// assert_eq!(POOL.free_pages(), 1024);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PerCpu<
    'p,
    L: RawMutex,
    const CPUS: usize,
    M: RawMutex = L,
    R: RefcountPath = Atomic,
    C: Coalesce = Deferred,
    const N: usize = 64,
> {
    pool: &'p HypPool<'p, L, R, C>,
    magazines: [Line<Mutex<M, Racks<N>>>; CPUS],
}

impl<'p, L: RawMutex, const CPUS: usize, M: RawMutex, R: RefcountPath, C: Coalesce, const N: usize>
    PerCpu<'p, L, CPUS, M, R, C, N>
{
    /// Empty magazines.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new(pool: &'p HypPool<'p, L, R, C>) -> Self {
        Self { pool, magazines: [const { Line(Mutex::new(Racks::EMPTY)) }; CPUS] }
    }

    /// As `new`, with locks of the caller's making.
    #[must_use]
    pub fn with_locks(pool: &'p HypPool<'p, L, R, C>, locks: [M; CPUS]) -> Self {
        Self { pool, magazines: locks.map(|lock| Line(Mutex::from_raw(lock, Racks::EMPTY))) }
    }

    /// As [`HypPool::alloc_pages`], from the magazine of `cpu` if nobody uses it at this moment. If the pool has no
    /// block, the magazines of all CPUs that nobody uses are emptied, and the pool asked again: also for a block that is
    /// larger than all they hold, since it may be they who keep it from being whole.
    ///
    /// # Errors
    ///
    /// [`AllocError`]; nobody has lost anything.
    pub fn alloc_pages(&self, cpu: usize, order: u8) -> Result<Pfn, AllocError> {
        self.alloc_as(cpu, order, Holder::Number)
    }

    /// As `alloc_pages`, for `holder`.
    pub(crate) fn alloc_as(&self, cpu: usize, order: u8, holder: Holder) -> Result<Pfn, AllocError> {
        let result = match self.magazines.get(cpu).and_then(|magazine| magazine.0.try_lock()) {
            Some(mut magazine) => match magazine.take(self.pool.frames(), order, holder) {
                Some(pfn) => Ok(pfn),
                None => magazine.refill(self.pool, order, holder),
            },
            None => self.pool.alloc_as(order, holder),
        };
        match result {
            Err(AllocError::OutOfMemory) => {
                self.magazines.iter().filter_map(|magazine| magazine.0.try_lock()).for_each(|mut m| m.drain(self.pool));
                self.pool.alloc_as(order, holder)
            }
            result => result,
        }
    }

    /// As [`HypPool::put_page`], into the magazine of `cpu` if it is the last reference and nobody uses the magazine at this
    /// moment.
    ///
    /// # Errors
    ///
    /// [`PageError`]; nothing has changed.
    pub fn put_page(&self, cpu: usize, pfn: Pfn) -> Result<(), PageError> {
        let word = self.pool.word(pfn)?;
        let magazine = self.magazines.get(cpu).filter(|_| word.count() == 1);
        match magazine.and_then(|magazine| magazine.0.try_lock()) {
            Some(mut magazine) => {
                let order = word.order().get();
                if magazine.keep::<R>(self.pool.frames(), pfn, order) {
                    Ok(())
                } else {
                    magazine.put(self.pool, pfn, order)
                }
            }
            // Others have references, or somebody uses the magazine.
            None => self.pool.put_page(pfn),
        }
    }

    /// As [`put_page`](Self::put_page), for a caller who knows the order of the block, which makes it quicker.
    ///
    /// # Errors
    ///
    /// As [`Magazine::put_page_of`](crate::Magazine::put_page_of); nothing has changed.
    pub fn put_page_of(&self, cpu: usize, pfn: Pfn, order: u8) -> Result<(), PageError> {
        match self.magazines.get(cpu).and_then(|magazine| magazine.0.try_lock()) {
            Some(mut magazine) => {
                if magazine.keep::<R>(self.pool.frames(), pfn, order) {
                    Ok(())
                } else {
                    magazine.put(self.pool, pfn, order)
                }
            }
            None if self.pool.word(pfn)?.order().get() != order => Err(PageError::WrongOrder),
            None => self.pool.put_page(pfn),
        }
    }

    /// Gives a block that has been cleared to the magazine of `cpu` if nobody uses it at this moment; or else to the pool.
    pub(crate) fn take_back(&self, cpu: usize, block: Cleared<'p>) {
        match self.magazines.get(cpu).and_then(|magazine| magazine.0.try_lock()) {
            Some(mut magazine) => magazine.take_back(self.pool, block),
            None => block.free(self.pool),
        }
    }

    pub(crate) const fn pool(&self) -> &'p HypPool<'p, L, R, C> {
        self.pool
    }

    /// Gives back what the magazine of `cpu` holds: when that CPU goes offline. Waits for whoever uses it.
    pub fn drain(&self, cpu: usize) {
        if let Some(magazine) = self.magazines.get(cpu) {
            magazine.0.lock().drain(self.pool);
        }
    }

    /// Gives back what all magazines hold: at shutdown. Waits for whoever uses them, one after the other.
    pub fn drain_all(&self) {
        (0..CPUS).for_each(|cpu| self.drain(cpu));
    }

    /// Pages that the magazines hold. Waits for whoever uses them.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.magazines.iter().map(|magazine| magazine.0.lock().pages()).sum()
    }
}

impl<L: RawMutex, const CPUS: usize, M: RawMutex, R: RefcountPath, C: Coalesce, const N: usize> Drop
    for PerCpu<'_, L, CPUS, M, R, C, N>
{
    fn drop(&mut self) {
        self.magazines.iter_mut().for_each(|magazine| magazine.0.get_mut().drain(self.pool));
    }
}

impl<L: RawMutex, const CPUS: usize, M: RawMutex, R: RefcountPath, C: Coalesce, const N: usize> fmt::Debug
    for PerCpu<'_, L, CPUS, M, R, C, N>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerCpu").field("cpus", &CPUS).finish_non_exhaustive()
    }
}
