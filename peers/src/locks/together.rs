//! Two cores, one critical section after the other.

use std::hint::{black_box, spin_loop};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::time::{Duration, Instant};

use core_affinity::CoreId;

use super::who::{Cpus, Lock};
use crate::measure::pin;
use crate::statistics::median;

/// What two cores got.
#[derive(Clone, Copy, Debug)]
pub(super) struct Together {
    /// Nanoseconds from one section to the next.
    pub(super) section: f64,
    /// The share of the core that got less.
    pub(super) least: f64,
}

/// How long a section is to take, in nanoseconds.
const SECTION: f64 = 100.0;

/// What is done in a section: a dependent chain, which no compiler shortens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    rounds: u32,
    /// Nanoseconds that it takes, alone.
    pub(super) ns: f64,
}

impl Work {
    /// Reads the data and writes them.
    pub(super) const NONE: Self = Self { rounds: 0, ns: 0.0 };

    /// As much as takes [`SECTION`] here and now.
    pub(super) fn calibrated(core: Option<&CoreId>) -> Self {
        std::thread::scope(|scope| {
            scope.spawn(|| Self::calibrated_on(core)).join().unwrap_or(Self { rounds: 1, ns: 0.0 })
        })
    }

    fn calibrated_on(core: Option<&CoreId>) -> Self {
        const MANY: u32 = 1000;
        if let Some(&core) = core {
            let _ = pin(core); // as those that are measured
        }
        // A core that has been idle is slow for a while.
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(100) {
            Self { rounds: MANY, ns: 0.0 }.time();
        }
        let round = Self { rounds: MANY, ns: 0.0 }.time() / f64::from(MANY);
        let work = Self { rounds: (SECTION / round).round().max(1.0) as u32, ns: 0.0 };
        Self { ns: work.time(), ..work }
    }

    /// A call: the same code wherever it is timed.
    #[inline(never)]
    fn run(self, data: &mut u64) {
        let mut value = *data;
        for _ in 0..self.rounds {
            value = black_box(value.wrapping_mul(3) ^ 1);
        }
        *data = value;
    }

    /// The median of some runs: nothing that came in between counts.
    fn time(self) -> f64 {
        const TIMES: u32 = 100;
        let once = |_| {
            let (mut data, start) = (1, Instant::now());
            (0..TIMES).for_each(|_| self.run(black_box(&mut data)));
            start.elapsed().as_nanos() as f64 / f64::from(TIMES)
        };
        median(&(0..31).map(once).collect::<Vec<f64>>()).unwrap_or(0.0)
    }
}

/// Both cores, as fast as they can, for as long.
pub(super) fn together<L: Lock>(cores: [CoreId; 2], slice: Duration, work: Work) -> Together {
    let (OwnLines(lock), barrier, stop) = (&OwnLines(L::new()), Barrier::new(3), AtomicBool::new(false));
    // Relaxed: the flag says all there is to say; the counts are handed over by joining.
    let worker = |cpu, core| {
        Cpus::enter(cpu);
        let _ = pin(core); // where it is refused, the shares tell
        barrier.wait();
        let mut sections = 0_u64;
        while !stop.load(Relaxed) {
            lock.with(|data| work.run(data));
            sections += 1;
        }
        sections
    };
    let (counts, elapsed) = std::thread::scope(|scope| {
        let worker = &worker;
        let workers = [0, 1].map(|cpu| scope.spawn(move || worker(cpu, cores[cpu])));
        barrier.wait();
        let start = Instant::now();
        std::thread::sleep(slice);
        stop.store(true, Relaxed);
        let elapsed = start.elapsed();
        (workers.map(|worker| worker.join().unwrap_or(0)), elapsed)
    });
    let all = (counts[0] + counts[1]).max(1) as f64;
    Together { section: elapsed.as_nanos() as f64 / all, least: counts[0].min(counts[1]) as f64 / all }
}

/// Nothing else on its cache lines, nor on those that a prefetcher takes with them.
#[repr(align(128))]
pub(super) struct OwnLines<L>(pub(super) L);

/// Nanoseconds that a line takes from one core to the other: half a round of a word that each changes in turn.
pub(super) fn transfer(cores: [CoreId; 2], slice: Duration) -> f64 {
    let (line, stop, barrier) = (OwnLines(AtomicU64::new(0)), OwnLines(AtomicBool::new(false)), Barrier::new(2));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _ = pin(cores[1]);
            barrier.wait();
            loop {
                // Acquire, Release: what a lock's word does.
                let seen = line.0.load(Acquire);
                if seen % 2 == 1 {
                    line.0.store(seen + 1, Release);
                } else if stop.0.load(Relaxed) {
                    break;
                } else {
                    spin_loop();
                }
            }
        });
        let here = scope.spawn(|| {
            let _ = pin(cores[0]);
            barrier.wait();
            let (start, mut rounds) = (Instant::now(), 0_u32);
            while rounds % 64 != 0 || rounds == 0 || start.elapsed() < slice {
                line.0.store(u64::from(rounds) * 2 + 1, Release);
                while line.0.load(Acquire) % 2 == 1 {
                    spin_loop();
                }
                rounds += 1;
            }
            let ns = start.elapsed().as_nanos() as f64 / f64::from(rounds) / 2.0;
            stop.0.store(true, Relaxed);
            ns
        });
        here.join().unwrap_or(f64::NAN)
    })
}
