//! A scenario, once: makes the pool, sends the workers, and looks afterwards whether everything is still there.
//!
//! Locks, strategies and workloads are types, so that the loop which is measured is compiled for each of their
//! combinations and nothing in it is looked up.

use hyp_locks::{
    Instrumented, IrqSave, Mcs, QSpin, Queued, RawSpinlock, SpinMutex, SpinTicket, Tas, Ticket, TicketRelax, Ttas,
};
use hyp_pool::{Atomic, HypPool, Merged};
use lock_api::{Mutex, RawMutex};

use crate::arena::{Arena, RANGE};
use crate::axes::{Lock, Strategy, Workload};
use crate::broken::Broken;
use crate::gate::Gate;
use crate::load::{Load, Mixed, Pair, Place, Random, RefPage, Sequential, Sparse, Stage2};
use crate::machine::{MAX_CORES, Machine, Panicked, Workers};
use crate::pages::{Pages, Plain, Refused, conserved};
use crate::plan::Times;
use crate::record::{CoreCount, Pass, Scenario, Wrong};
use crate::samples::{self, Sampler};
use crate::subject::{Loaded, Subject};
use crate::worker::{Ticks, work};

/// Why `scenario` cannot be measured on `machine`, if it cannot.
pub fn refusal<M: Machine>(machine: &M, scenario: &Scenario) -> Option<&'static str> {
    let cores = usize::from(scenario.cores);
    if cores == 0 {
        return Some("nobody would do anything");
    }
    if cores > machine.cores() {
        return Some("there are not so many cores here");
    }
    if cores > MAX_CORES {
        return Some("there are samples for 256 cores only");
    }
    match scenario.lock {
        Lock::IrqTicket if !M::INTERRUPTS => Some("a host's threads take no interrupts: it is for bare metal"),
        Lock::ParkingLot if cfg!(not(feature = "parking_lot")) => Some("its waiters sleep, which takes an OS"),
        Lock::Broken if cores == 1 => Some("one core alone needs no lock: a broken one harms nobody"),
        Lock::Broken if scenario.strategy == Strategy::Atomic && scenario.workload == Workload::RefPage => {
            Some("under atomic, refpage never takes the lock: a broken one harms nobody")
        }
        _ => None,
    }
}

/// Measures `scenario`, with or without instruments on the lock.
///
/// One measurement at a time uses `arena`, and the places for samples.
///
/// # Panics
///
/// If [`refusal`] has a reason not to, or another measurement uses the arena.
pub fn measure<M: Machine>(
    machine: &M,
    arena: &'static Arena,
    scenario: Scenario,
    repeat: u32,
    times: Times,
    instrumented: bool,
) -> Pass {
    if let Some(why) = refusal(machine, &scenario) {
        panic!("{scenario:?}: {why}");
    }
    let run = Run { machine, arena, scenario, repeat, times, instrumented };
    match scenario.lock {
        Lock::Ticket => run.with::<Ticket>(),
        Lock::Mcs => run.with::<Mcs>(),
        Lock::Queued => run.with::<Queued>(),
        Lock::QSpin => run.with::<QSpin<Workers<M>>>(),
        Lock::Tas => run.with::<Tas>(),
        Lock::Ttas => run.with::<Ttas>(),
        Lock::IrqTicket if instrumented => run.with_lock::<IrqSave<Instrumented<Ticket, Sampler<M>>, M::Irq>>(),
        Lock::IrqTicket => run.with_lock::<IrqSave<Ticket, M::Irq>>(),
        Lock::TicketRelax => run.with::<TicketRelax>(),
        Lock::SpinTicket => run.with::<SpinTicket>(),
        Lock::SpinMutex => run.with::<SpinMutex>(),
        Lock::SpinningTop => run.with::<RawSpinlock>(),
        #[cfg(feature = "parking_lot")]
        Lock::ParkingLot => run.with::<parking_lot::RawMutex>(),
        #[cfg(not(feature = "parking_lot"))]
        Lock::ParkingLot => unreachable!("refused above"),
        Lock::Broken => run.with::<Broken>(),
    }
}

struct Run<'m, M> {
    machine: &'m M,
    arena: &'static Arena,
    scenario: Scenario,
    repeat: u32,
    times: Times,
    instrumented: bool,
}

impl<M: Machine> Run<'_, M> {
    fn with<L: RawMutex + Sync>(&self) -> Pass {
        if self.instrumented { self.with_lock::<Instrumented<L, Sampler<M>>>() } else { self.with_lock::<L>() }
    }

    fn with_lock<L: RawMutex + Sync>(&self) -> Pass {
        const FREE: &str = "one measurement at a time uses the arena";
        let arena = self.arena;
        match self.scenario.strategy {
            Strategy::Split => self.with_pages(&Plain::<L, true>::new(arena).expect(FREE)),
            Strategy::MergedRef => self.with_pages(&Plain::<L, false>::new(arena).expect(FREE)),
            Strategy::Merged => {
                self.with_pages(&HypPool::<'static, L, Merged>::with_table(&arena.frames, RANGE, 0).expect(FREE))
            }
            Strategy::Atomic => {
                self.with_pages(&HypPool::<'static, L, Atomic>::with_table(&arena.frames, RANGE, 0).expect(FREE))
            }
        }
    }

    fn with_pages<P: Pages>(&self, pages: &P) -> Pass {
        match self.scenario.workload {
            Workload::Pair => self.with_load::<P, Pair<'_, P>>(pages),
            Workload::RefPage => self.with_load::<P, RefPage<'_, P>>(pages),
            Workload::Mixed => self.with_load::<P, Mixed<'_, P>>(pages),
            Workload::Stage2Seq => self.with_load::<P, Stage2<'_, P, Sequential>>(pages),
            Workload::Stage2Rand => self.with_load::<P, Stage2<'_, P, Random>>(pages),
            Workload::Stage2Sparse => self.with_load::<P, Stage2<'_, P, Sparse>>(pages),
        }
    }

    fn with_load<'p, P: Pages, W: Load<'p, P>>(&self, pages: &'p P) -> Pass {
        self.pass(&Loaded::<P, W>::new(pages))
    }

    fn pass(&self, subject: &dyn Subject) -> Pass {
        let workers = usize::from(self.scenario.cores);
        let counts = Mutex::<Ticket, _>::new([CoreCount::default(); MAX_CORES]);
        let wrong = self.work(subject, workers, &|worker, count| counts.lock()[worker] = count).err();
        if wrong.is_some() {
            self.arena.clear(); // not every worker came to its end and emptied its tables
        }
        Pass {
            scenario: self.scenario,
            repeat: self.repeat,
            hz: self.machine.hz(),
            cores: counts.into_inner()[..workers].iter().copied().collect(),
            samples: self.instrumented.then(|| samples::collect(workers)),
            wrong,
        }
    }

    /// The workers, and what comes before and after them.
    fn work(
        &self,
        subject: &dyn Subject,
        workers: usize,
        counted: &(dyn Fn(usize, CoreCount) + Sync),
    ) -> Result<(), Wrong> {
        let ticks = Ticks::new(self.times, self.instrumented, self.machine.hz());
        let gate = Gate::new(workers);
        let alone = Mutex::<Ticket, ()>::new(());
        let verdict = Mutex::<Ticket, Result<(), Wrong>>::new(Ok(()));

        let before = subject.census()?;
        subject.set_up().map_err(|Refused| Wrong::Refused)?;
        let all = self.machine.run_on(workers, &|worker| {
            let place = Place { arena: self.arena, worker, workers };
            match work::<M>(subject, place, &gate, &alone, ticks) {
                Ok(Some(count)) => counted(worker, count),
                Ok(None) => {} // another worker has a reason to stop
                Err(Refused) => *verdict.lock() = Err(Wrong::Refused),
            }
        });
        // On a worker too: a pool that was under a broken lock may panic even now.
        let referee = self.machine.run_on(1, &|_| {
            let mut verdict = verdict.lock();
            *verdict = verdict.and_then(|()| {
                subject.tear_down().map_err(|Refused| Wrong::Refused)?;
                conserved(&subject.census()?, &before)
            });
        });
        all.and(referee).map_err(|Panicked| Wrong::Panicked)?;
        verdict.into_inner()
    }
}
