//! A scenario, once: makes the pool, sends the workers, and looks afterwards whether everything is still there.
//!
//! Locks and strategies are types, so that a pool is compiled for each of their combinations; a workload calls it as those
//! who embed one do.

use hyp_locks::{
    Instrumented, IrqSave, Mcs, QSpin, Queued, RawSpinlock, SpinMutex, SpinTicket, Tas, Ticket, TicketRelax, Ttas,
};
use hyp_pool::{Atomic, HypPool, Merged};
use lock_api::{Mutex, RawMutex};

use crate::arena::{Arena, RANGE};
use crate::axes::{Lock, Mix, Strategy, Workload};
use crate::burn::{Burnt, calibrate};
use crate::controls::{self, Broken, Delayed, Unfair};
use crate::gate::Gate;
use crate::inside::{self, Inside};
use crate::load::{
    Empty, Load, Mixed, Pair, Place, Random, RefPage, RemoteFree, Sequential, Sparse, Stage2, TopUp, Zero,
};
use crate::machine::{MAX_CORES, Machine, Panicked, Workers};
use crate::pages::{Magazines, Pages, Plain, Refused};
use crate::plan::Times;
use crate::record::{CoreCount, Pass, Scenario, Wrong};
use crate::samples::{self, Sampler};
use crate::section::Section;
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
    if matches!(scenario.workload, Workload::Empty | Workload::Section) && scenario.strategy != Strategy::Merged {
        return Some("it has no pool, so there is nothing to choose: merged");
    }
    if scenario.mix != Mix::Usual && scenario.workload != Workload::Mixed {
        return Some("only mixed allocates blocks of several orders");
    }
    if scenario.workload == Workload::ZeroInside && scenario.strategy == Strategy::Magazine {
        return Some("who puts a page into a magazine takes no lock to zero it under");
    }
    if Lock::OWN.contains(&scenario.lock) && M::own_lock(scenario.lock).is_none() {
        return Some("this program does not have that lock: only its records");
    }
    if Workload::OWN.contains(&scenario.workload) && M::own_workload(scenario.workload).is_none() {
        return Some("this program does not have that workload: only its records");
    }
    match scenario.lock {
        Lock::Broken if scenario.workload == Workload::Empty => Some("it takes no lock: a broken one harms nobody"),
        Lock::IrqTicket if !M::INTERRUPTS => Some("a host's threads take no interrupts: it is for bare metal"),
        Lock::ParkingLot if cfg!(not(feature = "parking_lot")) => Some("its waiters sleep, which takes an OS"),
        Lock::Broken if cores == 1 => Some("one core alone needs no lock: a broken one harms nobody"),
        Lock::Broken
            if matches!(scenario.strategy, Strategy::Atomic | Strategy::Magazine)
                && scenario.workload == Workload::RefPage =>
        {
            Some("counted without the lock, refpage never takes it: a broken one harms nobody")
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
        Lock::IrqTicket => run.with_masked::<Ticket>(),
        Lock::TicketRelax => run.with::<TicketRelax>(),
        Lock::SpinTicket => run.with::<SpinTicket>(),
        Lock::SpinMutex => run.with::<SpinMutex>(),
        Lock::SpinningTop => run.with::<RawSpinlock>(),
        #[cfg(feature = "parking_lot")]
        Lock::ParkingLot => run.with::<parking_lot::RawMutex>(),
        #[cfg(not(feature = "parking_lot"))]
        Lock::ParkingLot => unreachable!("refused above"),
        Lock::Unfair => run.with::<Unfair<M>>(),
        Lock::Delayed => run.with::<Delayed<M>>(),
        Lock::Broken => run.with::<Broken>(),
        Lock::Own0 | Lock::Own1 | Lock::Own2 | Lock::Own3 | Lock::Own4 | Lock::Own5 | Lock::Own6 | Lock::Own7 => {
            let own = M::own_lock(scenario.lock).expect("refused otherwise");
            (own.0)(&run)
        }
    }
}

/// A scenario that is about to be measured.
pub(crate) struct Run<'m, M> {
    machine: &'m M,
    arena: &'static Arena,
    scenario: Scenario,
    repeat: u32,
    times: Times,
    instrumented: bool,
}

impl<M: Machine> Run<'_, M> {
    /// Whether something is to be done in the section beside the pool's own.
    fn more_inside(&self) -> bool {
        self.scenario.hold_ns > 0 || self.scenario.workload == Workload::ZeroInside
    }

    pub(crate) fn with<L: RawMutex + Send + Sync>(&self) -> Pass {
        match (self.more_inside(), self.instrumented) {
            (false, false) => self.with_lock::<L>(),
            (false, true) => self.with_lock::<Instrumented<L, Sampler<M>>>(),
            (true, false) => self.with_lock::<Inside<L, M>>(),
            (true, true) => self.with_lock::<Inside<Instrumented<L, Sampler<M>>, M>>(),
        }
    }

    /// Interrupts are masked around everything: before the clock of the instruments is read, and until after.
    fn with_masked<L: RawMutex + Send + Sync>(&self) -> Pass {
        match (self.more_inside(), self.instrumented) {
            (false, false) => self.with_lock::<IrqSave<L, M::Irq>>(),
            (false, true) => self.with_lock::<IrqSave<Instrumented<L, Sampler<M>>, M::Irq>>(),
            (true, false) => self.with_lock::<IrqSave<Inside<L, M>, M::Irq>>(),
            (true, true) => self.with_lock::<IrqSave<Inside<Instrumented<L, Sampler<M>>, M>, M::Irq>>(),
        }
    }

    fn with_lock<L: RawMutex + Send + Sync>(&self) -> Pass {
        const FREE: &str = "one measurement at a time uses the arena";
        let arena = self.arena;
        if self.scenario.workload == Workload::Section {
            return self.pass(&Section::<L>::new());
        }
        match self.scenario.strategy {
            Strategy::Split => self.with_pages(&Plain::<L, true>::new(arena).expect(FREE)),
            Strategy::MergedRef => self.with_pages(&Plain::<L, false>::new(arena).expect(FREE)),
            Strategy::Merged => {
                self.with_pages(&HypPool::<'static, L, Merged>::with_table(&arena.frames, RANGE, 0).expect(FREE))
            }
            Strategy::Atomic => {
                self.with_pages(&HypPool::<'static, L, Atomic>::with_table(&arena.frames, RANGE, 0).expect(FREE))
            }
            Strategy::Magazine => self.with_pages(&Magazines::<L>::new(arena).expect(FREE)),
        }
    }

    fn with_pages(&self, pages: &dyn Pages) -> Pass {
        match self.scenario.workload {
            Workload::Empty => self.with_load::<Empty>(pages),
            Workload::Section => unreachable!("it has no pool"),
            Workload::Pair => self.with_load::<Pair>(pages),
            Workload::RefPage => self.with_load::<RefPage>(pages),
            Workload::Mixed => self.with_load::<Mixed>(pages),
            Workload::Stage2Seq => self.with_load::<Stage2<Sequential>>(pages),
            Workload::Stage2Rand => self.with_load::<Stage2<Random>>(pages),
            Workload::Stage2Sparse => self.with_load::<Stage2<Sparse>>(pages),
            Workload::TopUp => self.with_load::<TopUp>(pages),
            Workload::RemoteFree => self.with_load::<RemoteFree>(pages),
            Workload::ZeroInside => self.with_load::<Zero<true>>(pages),
            Workload::ZeroOutside => self.with_load::<Zero<false>>(pages),
            own => {
                let mut pass = None;
                let load = M::own_workload(own).expect("refused otherwise");
                load.on(pages, &mut |subject| pass = Some(self.pass(subject)));
                pass.expect("it is called once")
            }
        }
    }

    fn with_load<W: Load>(&self, pages: &dyn Pages) -> Pass {
        self.pass(&Loaded::<W>::new(pages))
    }

    /// What hold and think are in iterations, found by one core alone.
    fn burns(&self) -> [Burnt; 2] {
        let Scenario { hold_ns, think_ns, lock, .. } = self.scenario;
        let hz = self.machine.hz();
        let burns = Mutex::<Ticket, _>::new([Burnt::default(); 2]);
        let control = matches!(lock, Lock::Unfair | Lock::Delayed);
        if control || hold_ns > 0 || think_ns > 0 {
            let found = self.machine.run_on(1, &|_| {
                if control {
                    controls::prepare::<M>(hz);
                }
                *burns.lock() = [hold_ns, think_ns].map(|ns| calibrate::<M>(ns, hz));
            });
            found.expect("nothing panics here");
        }
        burns.into_inner()
    }

    fn pass(&self, subject: &dyn Subject) -> Pass {
        let workers = usize::from(self.scenario.cores);
        let counts = Mutex::<Ticket, _>::new([CoreCount::default(); MAX_CORES]);
        let [hold, think] = self.burns();
        inside::hold(hold.iterations);
        let wrong = self.work(subject, think, &|worker, count| counts.lock()[worker] = count).err();
        if wrong.is_some() {
            self.arena.clear(); // not every worker came to its end and emptied its tables
        }
        Pass {
            scenario: self.scenario,
            repeat: self.repeat,
            hz: self.machine.hz(),
            cores: counts.into_inner()[..workers].iter().copied().collect(),
            hold: (hold.requested_ns > 0).then_some(hold),
            think: (think.requested_ns > 0).then_some(think),
            samples: self.instrumented.then(|| samples::collect(workers)),
            wrong,
        }
    }

    /// The workers, and what comes before and after them.
    fn work(
        &self,
        subject: &dyn Subject,
        think: Burnt,
        counted: &(dyn Fn(usize, CoreCount) + Sync),
    ) -> Result<(), Wrong> {
        let workers = usize::from(self.scenario.cores);
        let ticks = Ticks::new(self.times, self.instrumented, self.machine.hz());
        let gate = Gate::new(workers);
        let alone = Mutex::<Ticket, ()>::new(());
        let verdict = Mutex::<Ticket, Result<(), Wrong>>::new(Ok(()));

        subject.begin()?;
        let all = self.machine.run_on(workers, &|worker| {
            let place = Place { arena: self.arena, worker, workers, mix: self.scenario.mix, think: think.iterations };
            match work::<M>(subject, place, &gate, &alone, ticks) {
                Ok(Some(count)) => counted(worker, count),
                Ok(None) => {} // another worker has a reason to stop
                Err(Refused) => *verdict.lock() = Err(Wrong::Refused),
            }
        });
        // On a worker too: a pool that was under a broken lock may panic even now.
        let referee = self.machine.run_on(1, &|_| {
            let mut verdict = verdict.lock();
            *verdict = verdict.and_then(|()| subject.end());
        });
        all.and(referee).map_err(|Panicked| Wrong::Panicked)?;
        verdict.into_inner()
    }
}
