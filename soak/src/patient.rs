//! How a thread of a host waits for a ticket lock: it spins for a while, then lets others run.
//!
//! ```text
//!   look, hint, look, hint, … 64 looks ──► sched_yield ──► again
//! ```
//!
//! First in, first out means that the lock goes to the next in line, running or not. With more threads than cores, or
//! with somebody else's work on them, whoever's turn it is may have to wait for a core that those behind it keep busy by
//! spinning; they give it up here. Both a holder and a waiter are preempted all the time then, wherever they are:
//! what such a run is good for.

use hyp_locks::wait::{Wait, Word};
use std::hint::spin_loop;
use std::thread::yield_now;

const LOOKS: u32 = 64;

/// See the module.
#[derive(Debug)]
pub enum Patient {}

// SAFETY: returns a value of `look` of which `ahead` has said 0, and no other; neither `spin_loop` nor `yield_now`
// unwinds.
unsafe impl Wait for Patient {
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        let mut looks = 0;
        loop {
            let seen = word.look();
            if ahead(seen) == 0 {
                return seen;
            }
            looks += 1;
            if looks % LOOKS == 0 { yield_now() } else { spin_loop() }
        }
    }
}
