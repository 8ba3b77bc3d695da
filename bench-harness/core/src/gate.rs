//! The start gate: everybody begins at one time, which lies in the future when the last one has come.
//!
//! | access | ordering | why |
//! |---|---|---|
//! | `arrived` + 1 | AcqRel | what each did before it came is seen by all who then go (the pool, set up) |
//! | `opens` store, once, by the last to come | Release | as above, passed on |
//! | `opens` load, waiting | Acquire | as above |

use core::hint::spin_loop;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::machine::Machine;

const CLOSED: u64 = 0;
const NEVER: u64 = u64::MAX;

/// A gate for a number of workers, used once.
#[derive(Debug)]
pub(crate) struct Gate {
    expected: usize,
    arrived: AtomicUsize,
    /// When it opens: `CLOSED` is "nobody knows yet", `NEVER` "somebody will not come".
    opens: AtomicU64,
}

/// One who is expected. If it is dropped before it came, by a panic or a refusal, nobody waits for it.
#[derive(Debug)]
pub(crate) struct Expected<'g>(&'g Gate);

impl Gate {
    pub(crate) const fn new(expected: usize) -> Self {
        Self { expected, arrived: AtomicUsize::new(0), opens: AtomicU64::new(CLOSED) }
    }

    /// A worker, on its way.
    pub(crate) fn expect(&self) -> Expected<'_> {
        Expected(self)
    }
}

impl Expected<'_> {
    /// Comes, waits for the others, and for the time when all begin; `None` if one of them will not come. That time
    /// is `lead` ticks after the last one came.
    pub(crate) fn pass<M: Machine>(self, lead: u64) -> Option<u64> {
        let gate = self.0;
        core::mem::forget(self);
        if gate.arrived.fetch_add(1, Ordering::AcqRel) + 1 == gate.expected {
            let opens = M::now() + lead;
            // Not over a NEVER.
            let _ = gate.opens.compare_exchange(CLOSED, opens, Ordering::Release, Ordering::Relaxed);
        }
        loop {
            match gate.opens.load(Ordering::Acquire) {
                CLOSED => spin_loop(),
                NEVER => return None,
                opens if M::now() >= opens => return Some(opens),
                _ => spin_loop(),
            }
        }
    }
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        self.0.opens.store(NEVER, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Panicked;
    use std::sync::LazyLock;
    use std::thread;
    use std::time::Instant;
    use std::vec::Vec;

    const LEAD: u64 = 5_000_000;

    struct Host;

    impl Machine for Host {
        type Irq = hyp_locks::Recorder;

        const INTERRUPTS: bool = false;

        fn now() -> u64 {
            static START: LazyLock<Instant> = LazyLock::new(Instant::now);
            START.elapsed().as_nanos() as u64 + 1 // CLOSED is no time
        }

        fn core() -> usize {
            unreachable!("a gate does not ask who comes")
        }

        fn hz(&self) -> u64 {
            1_000_000_000
        }

        fn cores(&self) -> usize {
            3
        }

        fn run_on(&self, _: usize, _: &(dyn Fn(usize) + Sync)) -> Result<(), Panicked> {
            unreachable!("a gate sends nobody")
        }
    }

    /// What `come` of 3 who are expected get at the gate, and when; the others do not come.
    fn pass(come: usize) -> Vec<(Option<u64>, u64)> {
        let gate = Gate::new(3);
        thread::scope(|scope| {
            let expected: Vec<_> = (0..3).map(|_| gate.expect()).collect();
            let workers: Vec<_> = expected
                .into_iter()
                .enumerate()
                .filter_map(|(i, expected)| {
                    (i < come).then(|| scope.spawn(move || (expected.pass::<Host>(LEAD), Host::now())))
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        })
    }

    #[test]
    fn all_begin_at_one_time_and_none_before() {
        let before = Host::now();
        let passed = pass(3);
        let opens = passed[0].0.unwrap();
        assert!(opens >= before + LEAD);
        assert!(passed.iter().all(|&(opened, now)| opened == Some(opens) && now >= opens), "{passed:?}");
    }

    #[test]
    fn nobody_waits_for_one_who_will_not_come() {
        for come in [1, 2] {
            let passed = pass(come);
            assert!(passed.len() == come && passed.iter().all(|(opened, _)| opened.is_none()), "{passed:?}");
        }
    }
}
