//! Time that passes: a loop of two instructions, as many times as a length asks for.
//!
//! ```text
//!  requested ns ──calibrate──► iterations ──► burn, in the loop that is measured
//!                                   └──────► BURNS burns, timed: achieved ns, in the record beside the requested ones
//! ```
//!
//! Instructions are what can be repeated on the same processor; ns are what one asks for and compares between machines.
//! So both are in the record. (A loop that waits for the clock would read it in the section that is measured, and ends at
//! a multiple of what a reading takes.)

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use core::arch::asm;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// Instructions of an iteration.
const INSTRUCTIONS: u64 = 2;
/// How many burns are timed to know one.
const BURNS: u32 = 256;
/// Iterations that are timed to know how many there are in a tick, and how often; the quickest counts.
const SAMPLE: u32 = 1 << 14;
const TRIES: usize = 15;

/// A length of time that was asked for, and what came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Burnt {
    /// Nanoseconds that were asked for.
    pub requested_ns: u32,
    /// Iterations that stand for them.
    pub iterations: u32,
    /// Instructions that these are.
    pub instructions: u64,
    /// So many burns, one after the other and by one core alone ...
    pub burns: u32,
    /// ... took so many ticks.
    pub ticks: u64,
}

impl Burnt {
    /// What one of them took, in nanoseconds.
    #[must_use]
    pub fn achieved_ns(&self, hz: u64) -> f64 {
        self.ticks as f64 * 1e9 / (hz as f64 * f64::from(self.burns.max(1)))
    }
}

/// Lets `iterations` iterations pass.
#[inline(always)]
pub(crate) fn burn(iterations: u32) {
    if iterations == 0 {
        return;
    }
    #[cfg(target_arch = "x86_64")]
    // SAFETY: counts a register down to 0, and touches nothing else.
    unsafe {
        asm!(".p2align 4", "2:", "dec {n:e}", "jnz 2b", n = inout(reg) iterations => _, options(nomem, nostack));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: counts a register down to 0, and touches nothing else.
    unsafe {
        asm!(".p2align 4", "2:", "subs {n:w}, {n:w}, #1", "b.ne 2b", n = inout(reg) iterations => _, options(nomem, nostack));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    (0..iterations).for_each(|i| drop(core::hint::black_box(i)));
}

/// Ticks that `burns` burns take.
fn timed<M: Machine>(burns: u32, iterations: u32) -> u64 {
    let before = M::now();
    (0..burns).for_each(|_| burn(iterations));
    M::now().saturating_sub(before)
}

/// The quickest of several.
fn quickest<M: Machine>(burns: u32, iterations: u32) -> u64 {
    (0..TRIES).map(|_| timed::<M>(burns, iterations)).min().unwrap_or(0).max(1)
}

/// How many iterations stand for `ns`, found by timing on this core, alone.
pub(crate) fn calibrate<M: Machine>(ns: u32, hz: u64) -> Burnt {
    if ns == 0 {
        return Burnt::default();
    }
    let wanted = u64::from(ns) * hz * u64::from(BURNS) / 1_000_000_000; // ticks of all burns
    let sample = quickest::<M>(1, SAMPLE);
    let fit = |iterations: u64| u32::try_from(iterations).unwrap_or(u32::MAX).max(1);
    let mut iterations = fit(wanted * u64::from(SAMPLE) / sample / u64::from(BURNS));
    // To begin and to end a burn takes a little as well, which matters where it is short.
    let ticks = quickest::<M>(BURNS, iterations);
    iterations = fit(u64::from(iterations) * wanted.max(1) / ticks);
    Burnt {
        requested_ns: ns,
        iterations,
        instructions: u64::from(iterations) * INSTRUCTIONS,
        burns: BURNS,
        ticks: quickest::<M>(BURNS, iterations),
    }
}
