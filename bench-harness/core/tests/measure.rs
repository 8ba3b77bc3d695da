//! Every lock, strategy and workload, measured for a moment on threads of this host: it ends, counts, samples, and
//! finds the pool whole; and a lock that is none is found out.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use bench_core::plan::Times;
use bench_core::{
    Arena, Axis, Lock, Machine, Mix, Panicked, Pass, Scenario, Strategy, Workload, Wrong, measure, refusal,
};
use hyp_locks::Recorder;

const TIMES: Times = Times { warmup_us: 100, measure_us: 2000, sample_us: 2000 };

struct Host {
    cores: usize,
}

thread_local! {
    static WORKER: Cell<usize> = const { Cell::new(0) };
}

impl Machine for Host {
    type Irq = Recorder;

    const INTERRUPTS: bool = false;

    fn now() -> u64 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed().as_nanos() as u64
    }

    fn core() -> usize {
        WORKER.get()
    }

    fn hz(&self) -> u64 {
        1_000_000_000
    }

    fn cores(&self) -> usize {
        self.cores
    }

    fn run_on(&self, cores: usize, work: &(dyn Fn(usize) + Sync)) -> Result<(), Panicked> {
        let panicked = thread::scope(|scope| {
            let workers: Vec<_> = (0..cores)
                .map(|worker| {
                    scope.spawn(move || {
                        WORKER.set(worker);
                        catch_unwind(AssertUnwindSafe(|| work(worker))).is_err()
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).fold(false, |any, one| any | one)
        });
        if panicked { Err(Panicked) } else { Ok(()) }
    }
}

/// One test at a time has it.
fn arena() -> (MutexGuard<'static, ()>, &'static Arena) {
    static ARENA: Arena = Arena::new();
    static TURN: Mutex<()> = Mutex::new(());
    (TURN.lock().unwrap_or_else(PoisonError::into_inner), &ARENA)
}

fn run(host: &Host, scenario: Scenario, instrumented: bool) -> Pass {
    let (_turn, arena) = arena();
    measure(host, arena, scenario, 0, TIMES, instrumented)
}

#[track_caller]
fn is_good(pass: &Pass) {
    assert_eq!(pass.wrong, None, "{:?}", pass.scenario);
    assert_eq!(pass.cores.len(), usize::from(pass.scenario.cores));
}

#[test]
fn every_workload_under_every_strategy() {
    let host = Host { cores: 3 };
    for workload in Workload::all() {
        for &strategy in Strategy::ALL {
            for cores in [1, 3] {
                let scenario = Scenario::new(Lock::Queued, strategy, workload, cores);
                if refusal(&host, &scenario).is_none() {
                    is_good(&run(&host, scenario, false));
                }
            }
        }
    }
}

#[test]
fn every_lock_that_can_run_here() {
    let host = Host { cores: 2 };
    for lock in Lock::all() {
        let scenario = Scenario::new(lock, Strategy::Merged, Workload::Mixed, 2);
        match refusal(&host, &scenario) {
            None if lock == Lock::Broken => {}
            None => is_good(&run(&host, scenario, false)),
            Some(_) => assert!(matches!(lock, Lock::IrqTicket | Lock::ParkingLot), "{lock}"),
        }
    }
}

#[test]
fn an_instrumented_pass_has_samples_and_no_other_has() {
    let host = Host { cores: 2 };
    let scenario = Scenario::new(Lock::Ticket, Strategy::Merged, Workload::Pair, 2);
    let plain = run(&host, scenario, false);
    assert_eq!(plain.samples, None);
    let pass = run(&host, scenario, true);
    is_good(&pass);
    let samples = pass.samples.unwrap();
    // Two sections an operation, and nothing of what comes before and after.
    assert_eq!(samples.hold.len(), 2 * pass.cores.iter().map(|core| core.ops).sum::<u64>());
    assert_eq!(samples.wait.len(), samples.hold.len());
    assert!(samples.handover.len() <= samples.wait.len());
    assert!(samples.hold.max() > 0);
}

/// What makes a strategy is how often an operation takes the lock.
#[test]
fn strategies_differ_in_their_critical_sections() {
    let host = Host { cores: 1 };
    let sections = |strategy, workload| {
        let pass = run(&host, Scenario::new(Lock::Ticket, strategy, workload, 1), true);
        is_good(&pass);
        let (held, ops) = (pass.samples.unwrap().hold.len(), pass.cores[0].ops);
        assert_eq!(held % ops, 0, "{strategy} {workload}: {held} critical sections in {ops} operations");
        held / ops
    };
    for (strategy, pair, refpage) in
        [(Strategy::Split, 4, 2), (Strategy::MergedRef, 2, 2), (Strategy::Merged, 2, 2), (Strategy::Atomic, 2, 0)]
    {
        assert_eq!(sections(strategy, Workload::Pair), pair, "{strategy}");
        assert_eq!(sections(strategy, Workload::RefPage), refpage, "{strategy}");
    }
}

/// The pool is raced for with no lock at all, until that shows; it does at the first try, where two threads run at once.
fn caught(workload: Workload) -> Option<Wrong> {
    static QUIET: Mutex<()> = Mutex::new(());
    let _quiet = QUIET.lock().unwrap_or_else(PoisonError::into_inner);
    let host = Host { cores: 4 };
    let scenario = Scenario::new(Lock::Broken, Strategy::Merged, workload, 4);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let caught = (0..1000).find_map(|_| run(&host, scenario, false).wrong);
    std::panic::set_hook(hook);
    caught
}

#[test]
fn a_lock_that_is_none_is_caught_in_every_workload() {
    for workload in Workload::all() {
        match workload {
            Workload::Empty => {
                let nothing = Scenario::new(Lock::Broken, Strategy::Merged, workload, 4);
                assert!(refusal(&Host { cores: 4 }, &nothing).unwrap().contains("takes no lock"));
            }
            _ => assert!(caught(workload).is_some(), "{workload}: a thousand runs without a lock, and nobody noticed"),
        }
    }
}

/// A hold is in the section, and a think is not.
#[test]
fn what_a_scenario_adds_is_found_where_it_belongs() {
    const NS: u32 = 20_000;
    let host = Host { cores: 1 };
    let plain = Scenario::new(Lock::Ticket, Strategy::Merged, Workload::Section, 1);
    let holding = run(&host, Scenario { hold_ns: NS, ..plain }, true);
    let thinking = run(&host, Scenario { think_ns: NS, ..plain }, true);
    for (pass, burnt, other) in [(&holding, holding.hold, holding.think), (&thinking, thinking.think, thinking.hold)] {
        is_good(pass);
        let burnt = burnt.unwrap();
        assert!(burnt.achieved_ns(pass.hz) > f64::from(NS) * 0.9 && burnt.requested_ns == NS, "{burnt:?}");
        assert_eq!((burnt.instructions, other), (2 * u64::from(burnt.iterations), None));
        let core = pass.cores[0];
        assert!((core.stop - core.start) / core.ops >= u64::from(NS) * 9 / 10, "{core:?}");
    }
    let shortest = |pass: &Pass| pass.samples.as_ref().unwrap().hold.iter().next().unwrap().0;
    assert!(shortest(&holding) > u64::from(NS) * 9 / 10);
    assert!(shortest(&thinking) < u64::from(NS) / 2);
}

/// The waits show what every acquisition takes longer: with nobody else there, that and little more.
#[test]
fn a_delay_is_in_the_waits() {
    let host = Host { cores: 1 };
    let pass = run(&host, Scenario::new(Lock::Delayed, Strategy::Merged, Workload::Section, 1), true);
    is_good(&pass);
    let samples = pass.samples.unwrap();
    let all = samples.wait.len();
    let mut seen = 0;
    let (low, _, _) = samples
        .wait
        .iter()
        .find(|&(_, _, count)| {
            seen += u64::from(count);
            seen > all / 2
        })
        .unwrap();
    let delay = u64::from(bench_core::DELAY_NS);
    assert!((delay * 9 / 10..delay * 3 / 2).contains(&low), "the median wait is {low} ns of {all}");
    assert!(samples.waited >= all * delay * 9 / 10 && samples.longest >= delay);
}

/// The shares show who comes late: of passes in which both threads stayed on their cores, as their longest gaps tell.
#[test]
fn an_unfair_lock_has_uneven_shares() {
    let host = Host { cores: 2 };
    let scenario = Scenario::new(Lock::Unfair, Strategy::Merged, Workload::Pair, 2);
    let stayed = |pass: &Pass| pass.cores.iter().all(|core| core.gap < 300_000 && core.stop - core.start > 1_500_000);
    let passes = (0..5000).map(|_| run(&host, scenario, false)).inspect(is_good).filter(stayed);
    let uneven: Vec<bool> = passes.take(9).map(|pass| pass.cores[0].ops > 2 * pass.cores[1].ops).collect();
    assert_eq!(uneven.len(), 9, "of 5000 passes, in no more both threads stayed on their cores");
    assert!(uneven.iter().filter(|&&uneven| uneven).count() >= 7, "{uneven:?}");
}

#[test]
fn a_pass_gone_wrong_accuses_none_after_it() {
    let (strategy, workload) = (Strategy::Merged, Workload::Stage2Rand);
    for _ in 0..3 {
        assert!(caught(workload).is_some(), "a thousand runs without a lock, and nobody noticed");
        is_good(&run(&Host { cores: 3 }, Scenario::new(Lock::Ticket, strategy, workload, 3), false));
    }
}

#[test]
fn what_cannot_be_measured_is_refused_with_the_reason() {
    let host = Host { cores: 2 };
    let refused = |lock, cores| {
        let strategy = Strategy::Merged;
        refusal(&host, &Scenario::new(lock, strategy, Workload::Pair, cores))
    };
    assert_eq!(refused(Lock::Ticket, 2), None);
    assert!(refused(Lock::Ticket, 3).unwrap().contains("not so many cores"));
    assert!(refused(Lock::Ticket, 0).is_some());
    assert!(refused(Lock::IrqTicket, 1).unwrap().contains("interrupts"));
    assert!(refused(Lock::Broken, 1).unwrap().contains("one core alone"));
    assert_eq!(refused(Lock::Broken, 2), None);
    let (lock, workload) = (Lock::Broken, Workload::RefPage);
    let lockless = |strategy| refusal(&host, &Scenario::new(lock, strategy, workload, 2));
    assert!(lockless(Strategy::Atomic).unwrap().contains("refpage never takes it"));
    assert!(lockless(Strategy::Magazine).unwrap().contains("refpage never takes it"));
    let odd = |scenario: Scenario| refusal(&host, &scenario).unwrap();
    let pair = Scenario::new(Lock::Mcs, Strategy::Split, Workload::Pair, 1);
    assert!(odd(Scenario { mix: Mix::Huge, ..pair }).contains("only mixed"));
    assert!(odd(Scenario { workload: Workload::Section, ..pair }).contains("no pool"));
    let inside = Scenario { workload: Workload::ZeroInside, strategy: Strategy::Magazine, ..pair };
    assert!(odd(inside).contains("takes no lock to zero it under"));
    assert_eq!(lockless(Strategy::Merged), None);
}

#[test]
fn a_pass_comes_back_from_json() {
    let host = Host { cores: 2 };
    let scenario = Scenario::new(Lock::Mcs, Strategy::Split, Workload::RefPage, 2);
    let pass = run(&host, scenario, true);
    let json = serde_json::to_string(&pass).unwrap();
    assert_eq!(serde_json::from_str::<Pass>(&json).unwrap(), pass);
}

#[test]
fn the_machine_itself_is_measured() {
    let host = Host { cores: 3 };
    let clock = bench_core::probe::clock(&host).unwrap();
    assert!(clock.step > 0 && clock.read_ns() > 0.0 && clock.resolution_ns() >= 1.0, "{clock:?}");
    let transfer = bench_core::probe::transfer(&host, 2, 0).unwrap();
    assert_eq!((transfer.a, transfer.b), (2, 0));
    assert!(transfer.hops > 0 && transfer.ns() > 0.0, "{transfer:?}");
}
