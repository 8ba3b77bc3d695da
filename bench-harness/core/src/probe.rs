//! What the machine itself costs, in the same run as what is measured on it: a reading of the clock, and the way of a cache
//! line from one core to another.
//!
//! ```text
//!  core a  stores 1 ──────────► sees 2, stores 3 ──────────►          ticks of the best of TRIES, by hops:
//!  core b        sees 1, stores 2 ──────────► sees 3, …               one way of a line, as a lock's waiter sees it
//! ```
//!
//! A handover in transfers can be compared between machines; one in nanoseconds cannot.
//!
//! | atomic | ordering | why |
//! |---|---|---|
//! | `ball` load; store | Relaxed | it is the line that is measured; nothing else goes with it |

use core::hint::spin_loop;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hyp_locks::Ticket;
use lock_api::Mutex;
use serde::{Deserialize, Serialize};

use crate::machine::{MAX_CORES, Machine, Panicked};

/// A reading of the clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Clock {
    /// Ticks in a second.
    pub hz: u64,
    /// So many readings, one after the other ...
    pub reads: u32,
    /// ... took so many ticks, the quickest of several times.
    pub ticks: u64,
    /// The smallest step that it was seen to make, in ticks.
    pub step: u64,
}

impl Clock {
    /// What one reading takes, in nanoseconds.
    #[must_use]
    pub fn read_ns(&self) -> f64 {
        self.ticks as f64 * 1e9 / (self.hz as f64 * f64::from(self.reads.max(1)))
    }

    /// The smallest time that it can tell, in nanoseconds.
    #[must_use]
    pub fn resolution_ns(&self) -> f64 {
        self.step as f64 * 1e9 / self.hz as f64
    }
}

/// The way of a line between two cores.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Transfer {
    /// One core.
    pub a: u16,
    /// The other one.
    pub b: u16,
    /// Ticks in a second.
    pub hz: u64,
    /// So many ways ...
    pub hops: u64,
    /// ... took so many ticks, in the quickest try.
    pub ticks: u64,
}

impl Transfer {
    /// One way, in nanoseconds.
    #[must_use]
    pub fn ns(&self) -> f64 {
        self.ticks as f64 * 1e9 / (self.hz as f64 * self.hops.max(1) as f64)
    }
}

const READS: u32 = 1024;
const TRIES: usize = 5;
/// Ways there, and ways back, of a try.
const ROUNDS: u64 = 400;
/// A try ends after so long nevertheless: emulated cores may have to wait for each other's turn.
const LONGEST_US: u64 = 10_000;
const OVER: u64 = u64::MAX;

/// Measures the clock, on one core.
///
/// # Errors
///
/// [`Panicked`], which it does not.
pub fn clock<M: Machine>(machine: &M) -> Result<Clock, Panicked> {
    let found = Mutex::<Ticket, _>::new((u64::MAX, u64::MAX));
    machine.run_on(1, &|_| {
        let (mut quickest, mut step) = (u64::MAX, u64::MAX);
        for _ in 0..TRIES {
            let start = M::now();
            let mut last = start;
            for _ in 0..READS {
                let now = M::now();
                if now > last {
                    step = step.min(now - last);
                }
                last = now;
            }
            quickest = quickest.min(last - start);
        }
        *found.lock() = (quickest, step);
    })?;
    let (ticks, step) = found.into_inner();
    Ok(Clock { hz: machine.hz(), reads: READS, ticks, step })
}

/// The one line that goes to and fro.
#[repr(align(128))]
struct Ball(AtomicU64);

impl Ball {
    /// Waits until the ball is this player's, who plays when its number is odd or even; `None`: the game is over.
    #[inline]
    fn catch(&self, parity: u64) -> Option<u64> {
        loop {
            match self.0.load(Relaxed) {
                OVER => return None,
                at if at % 2 == parity => return Some(at),
                _ => spin_loop(),
            }
        }
    }
}

/// Measures the way of a line between the cores of workers `a` and `b`, who are not the same.
///
/// # Errors
///
/// [`Panicked`], which it does not.
///
/// # Panics
///
/// If the machine has not so many cores.
pub fn transfer<M: Machine>(machine: &M, a: u16, b: u16) -> Result<Transfer, Panicked> {
    let [first, second] = [a, b].map(usize::from);
    let workers = first.max(second) + 1;
    assert!(first != second && workers <= machine.cores().min(MAX_CORES), "two cores of those that there are");
    let hz = machine.hz();
    let mut best = Transfer { a, b, hz, hops: 0, ticks: 0 };
    for _ in 0..TRIES {
        let ball = Ball(AtomicU64::new(0));
        let found = Mutex::<Ticket, _>::new((0, 0));
        machine.run_on(workers, &|worker| {
            if worker == first {
                *found.lock() = serve::<M>(&ball, hz);
            } else if worker == second {
                while let Some(at) = ball.catch(1) {
                    ball.0.store(at + 1, Relaxed);
                }
            }
        })?;
        let (hops, ticks) = found.into_inner();
        // hops / ticks, the most.
        if hops > 0 && (best.hops == 0 || ticks * best.hops < best.ticks * hops) {
            (best.hops, best.ticks) = (hops, ticks);
        }
    }
    Ok(best)
}

/// Plays until it is over: ways, and ticks. The first round, for which the other one has to come, does not count.
fn serve<M: Machine>(ball: &Ball, hz: u64) -> (u64, u64) {
    ball.0.store(1, Relaxed);
    let begun = ball.catch(0).unwrap_or(0);
    let start = M::now();
    let late = start + LONGEST_US * hz / 1_000_000;
    let (mut at, mut now) = (begun, start);
    while at - begun < 2 * ROUNDS && now < late {
        ball.0.store(at + 1, Relaxed);
        at = ball.catch(0).unwrap_or(at);
        now = M::now();
    }
    ball.0.store(OVER, Relaxed);
    (at - begun, now - start)
}
