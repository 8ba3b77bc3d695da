//! A barrier that is spun on, so that threads pass it together, and what the first thread tells the others there.

use std::hint;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::thread;

/// For a number of threads that do not change.
///
/// The last to arrive opens it: `Release` there, `Acquire` by who waits, so that what one did before it is done for all
/// behind it.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Gate {
    threads: usize,
    arrived: AtomicUsize,
    opened: AtomicUsize,
    /// What the first thread says, by matter. Written before a passage and read after it; a matter is not written again
    /// before another passage, which all reach after they have read it.
    said: [AtomicUsize; 2],
}

impl Gate {
    pub(super) fn new(threads: usize) -> Self {
        Self {
            threads,
            arrived: AtomicUsize::new(0),
            opened: AtomicUsize::new(0),
            said: [const { AtomicUsize::new(0) }; 2],
        }
    }

    /// Waits for the others.
    pub(super) fn pass(&self) {
        let opened = self.opened.load(Relaxed);
        if self.arrived.fetch_add(1, AcqRel) + 1 == self.threads {
            self.arrived.store(0, Relaxed);
            self.opened.store(opened.wrapping_add(1), Release);
            return;
        }
        let mut spins = 0_u32;
        while self.opened.load(Acquire) == opened {
            hint::spin_loop();
            spins += 1;
            if spins.is_multiple_of(1 << 16) {
                thread::yield_now(); // somebody may need this core to arrive
            }
        }
    }

    /// What the first thread says about a matter: each calls it, and gets that. Between two calls about the same matter
    /// there is another passage.
    pub(super) fn agree(&self, matter: Matter, first: bool, value: usize) -> usize {
        let said = &self.said[matter as usize];
        if first {
            said.store(value, Relaxed);
        }
        self.pass();
        said.load(Relaxed)
    }
}

/// What there is to agree about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Matter {
    /// Operations of the next chunk; 0: there is none.
    Next,
    /// Whether the chunk counts.
    Kept,
}

#[cfg(test)]
mod tests {
    use super::{Gate, Matter};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    #[test]
    fn nobody_is_past_it_before_all_are_there() {
        let (gate, sum) = (Gate::new(2), AtomicUsize::new(0));
        let rounds = || {
            for round in 1..=200 {
                sum.fetch_add(1, Relaxed);
                gate.pass();
                assert_eq!(sum.load(Relaxed), 2 * round);
                gate.pass();
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(rounds);
            rounds();
        });
    }

    #[test]
    fn all_get_what_the_first_one_said() {
        let gate = Gate::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(gate.agree(Matter::Next, false, 0), 7));
            assert_eq!(gate.agree(Matter::Next, true, 7), 7);
        });
    }
}
