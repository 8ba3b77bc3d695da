//! Bakery lock: plain loads and stores, for CPUs that have no read-modify-write yet.
//!
//! # In one sentence
//!
//! Take a number larger than all you see, and let those with smaller ones go first.
//!
//! # Paper, and where this departs from it
//!
//! Lamport, *A New Solution of Dijkstra's Concurrent Programming Problem*, CACM 17(8), 1974. `choosing` and the number
//! are one word, as in TF-A's `bakery_lock`: one look tells both. The numbers of the paper grow without bound while the
//! bakery is never empty; here whoever sees the `LAST` one out waits at the door until it is gone. A flag at the door
//! that no other CPU looks at keeps interrupt handlers of the same CPU, whatever they do, from half a draw. A
//! `try_lock` is added.
//!
//! # State
//!
//! ```text
//!  one line for each CPU, written by that CPU alone:
//!
//!            + 0               + 4
//!           ┌────────────────┬───────┬─────────
//!  CPU 0    │ word: 0        │ door  │ padding     away
//!  CPU 1    │ word: 7        │       │             holds
//!  CPU 2    │ word: 8        │       │             waits for CPU 1
//!  CPU 3    │ word: 8        │       │             waits for CPUs 1 and 2: the same number, the larger CPU
//!  CPU 4    │ word: 1        │   x   │             chooses: will draw 9 or less
//!           └────────────────┴───────┴─────────
//! ```
//!
//! | `word` | the CPU | `door` |
//! |---|---|---|
//! | 0 | is away | open, but for a moment |
//! | 1 | is choosing a number | shut |
//! | n, 2 to `LAST` | waits or holds | open |
//!
//! # Invariants
//!
//! * N1 Only CPU i writes line i: a guard is not `Send`, and the number is the CPU's own ([`CpuId`]).
//! * N2 The door is shut before `word` is seen to be 0, and until it is n, or 0 again. Who finds it shut goes away, so
//!   a handler finds either the door shut or `word` as it will be when the interrupted code goes on: no store of a draw
//!   lands on somebody else's number. A handler leaves the door as it found it.
//! * N3 `(number, CPU)` is different for any two that have drawn, and totally ordered.
//! * N4 If i, with its number n drawn (B8), sees j away, then j's next number is larger than n, or i has left before j
//!   looks: B8 of i precedes B5 of that draw (or j would have been seen choosing), so B6 sees n or what followed it.
//! * N5 The holder has seen every other CPU away, or with a larger `(number, CPU)`, since it has drawn.
//!
//! Two in the section would have seen each other so (N5). Both with numbers: both the smaller one, against N3. i saw
//! j away: then j's number is the larger one (N4), and j does not enter until it sees that i has left.
//!
//! # Transitions
//!
//! ```text
//!  come      word = 0   ->  1       lock and try_lock, the door shut
//!  draw      word = 1   ->  n       n = 1 + the largest word seen
//!  turn      word = n   ->  n       no other CPU is choosing or has a smaller (number, CPU)
//!  withdraw  word = 1   ->  0       lock: LAST is out; try_lock: somebody has a number
//!            word = n   ->  0       try_lock: somebody may go first
//!  release   word = n   ->  0
//! ```
//!
//! # Memory ordering
//!
//! | access | operation | ordering | pairs with | why not weaker, why not stronger |
//! |---|---|---|---|---|
//! | B1 | own `door` load | Relaxed | – | for this CPU and its handlers alone: program order, kept by compiler fences |
//! | B2 | own `door` store, shutting | Relaxed | – | as B1 |
//! | B3 | own `word` load | Relaxed | – | this CPU's own store (N1) |
//! | B4 | own `word` store, choosing | Relaxed | – | nobody goes on because of it; B5 makes it seen |
//! | B5 | fence | SeqCst | B8 | Dekker: of i's draw, then look at j, and j's coming, then look at i, one sees the other (N4). It is also the release of all earlier sections for B7 and B9, as which AcqRel would do |
//! | B6 | other `word` load, choosing | Relaxed | – | gives a number and nothing else; after B5, so not too old. B10 acquires |
//! | B7 | own `word` store, drawing | Relaxed | – | a look that sees it acquires what B5 released: the sections of this CPU before |
//! | B8 | fence | SeqCst | B5 | as B5 |
//! | B9 | own `word` store, withdrawing | Relaxed | – | as B7 |
//! | B10 | other `word` load, waiting | Acquire | B13, and B5 by B7 or B9 | the look that lets pass orders our section after the last one of that CPU |
//! | B11 | other `word` load, numbers all out | Acquire | – | could be Relaxed, for the next draw looks again; waiting always acquires, at no cost |
//! | B12 | other `word` load, trying | Acquire | as B10 | as B10 |
//! | B13 | own `word` store, leaving | Release | B10, B12 | the section is done before another CPU sees us away |
//! | B14 | `word` load, `is_locked` | Relaxed | – | a snapshot promises nothing to what follows |
//! | B15 | own `door` store, opening | Relaxed | – | as B1 |
//!
//! With caches off the fences are not all: see [`Visibility`].
//!
//! # Progress and fairness
//!
//! First come, first served, in Lamport's sense: who has drawn its number (B8) enters before whoever comes to the door
//! (B4) after that; of two that choose at the same time either may be first. Hence [`RawMutexFair`]. Choosing takes a
//! bounded number of steps, but for one case: when `LAST` is out (a bakery that was not empty for 2³² − 2 sections: 71
//! minutes at 1 µs each) whoever comes waits at the door until that CPU has left, in no order. A CPU that is stopped
//! while it chooses, waits or holds stops everyone behind it.
//!
//! `try_lock` never waits. It **may fail although nobody holds the lock** and nobody gets it: two that try at the same
//! time may both withdraw. That is no want of care: one that always takes a free lock, in a bounded number of steps,
//! would let two CPUs agree, and loads and stores alone cannot do that (Herlihy, *Wait-Free Synchronization*, TOPLAS
//! 13(1), 1991). It does not fail if no other CPU is at the lock.
//!
//! An interrupt handler that waits for the lock while the code that it interrupted is at it waits for ever, even if
//! that code only waits: a CPU has one line. Mask interrupts ([`IrqSave`](crate::IrqSave)), or `try_lock` in the
//! handler, an NMI's too, which then fails.
//!
//! # Footprint, and when not to use it
//!
//! 128 bytes a CPU, 4 in the guard. Uncontended: three stores of the own word and two of the flag beside it, two loads
//! of every other CPU's word, two full fences; contended the same, and the waiting. It is the lock for the time before
//! the MMU and the caches are on, when exclusives and LSE atomics are not to be had, and for what CPUs with and without
//! caches share. Elsewhere take any other.
//!
//! The lock cares for its own lines. **What it guards is the user's**: where some of its users have their caches on and
//! others off, each cleans what it has written before it drops the guard, and invalidates before it reads (`DC CIVAC`
//! does both), and nothing else lies in those granules.

use core::marker::PhantomData;
use core::sync::atomic::{Ordering, compiler_fence};

use lock_api::{RawMutex, RawMutexFair};

use crate::cpu::CpuId;
use crate::sync::{Acquire, Relaxed, Release, SeqCst, array, constructor, fence, initial, spin_loop};
use crate::wait::{Spin, Wait};

#[cfg(any(doc, all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom))))]
mod caches_off;
mod visibility;

#[cfg(any(doc, all(target_arch = "aarch64", target_pointer_width = "64", not(miri), not(loom))))]
pub use caches_off::CachesOff;
use visibility::Watched;
pub use visibility::{Coherent, Line, Visibility};

const AWAY: u32 = 0;
const CHOOSING: u32 = 1;
const FIRST: u32 = 2;

/// A first-come-first-served lock of plain loads and stores, for `CPUS` CPUs. See the [module](self).
///
/// ```
/// use hyp_locks::{Bakery, CpuId};
///
/// struct Boot;
/// // SAFETY: there is one thread here, and it is CPU 0.
/// unsafe impl CpuId for Boot {
///     fn cpu() -> usize {
///         0
///     }
/// }
///
/// static CONSOLE: lock_api::Mutex<Bakery<Boot, 4>, u32> = lock_api::Mutex::new(0);
/// *CONSOLE.lock() += 1;
/// ```
///
/// `V` says what makes a store seen ([`Visibility`]), `W` how to wait: no policy of [`wait`](crate::wait) uses an
/// exclusive here, `Wfe` neither. `LAST` is the largest number drawn; it is there for tests that want to see the
/// numbers run out.
///
/// A guard belongs to its CPU's line and stays on its CPU:
///
/// ```compile_fail,E0277
/// # struct Boot;
/// # // SAFETY: there is one thread here, and it is CPU 0.
/// # unsafe impl hyp_locks::CpuId for Boot { fn cpu() -> usize { 0 } }
/// static CONSOLE: lock_api::Mutex<hyp_locks::Bakery<Boot, 4>, u32> = lock_api::Mutex::new(0);
/// let guard = CONSOLE.lock();
/// std::thread::spawn(move || drop(guard));
/// ```
#[derive(Debug)]
pub struct Bakery<C, const CPUS: usize, V = Coherent, W = Spin, const LAST: u32 = { u32::MAX }> {
    lines: [Line; CPUS],
    cpu: PhantomData<fn() -> C>,
    visibility: PhantomData<fn() -> V>,
    wait: PhantomData<fn() -> W>,
}

/// The CPU that holds. Not `Send`: only that CPU writes its line.
#[derive(Debug)]
#[must_use]
pub struct BakeryGuard {
    cpu: u32,
    not_send: PhantomData<*mut ()>,
}

// SAFETY: nothing of it is accessed through a shared reference: what is shared is what the lock guards.
unsafe impl Sync for BakeryGuard {}

impl<C, const CPUS: usize, V, W, const LAST: u32> Bakery<C, CPUS, V, W, LAST> {
    const BOUNDS: () =
        assert!(LAST >= FIRST && CPUS <= u32::MAX as usize, "numbers are drawn from 2; CPUs have 32 bits");

    constructor! {
        /// A free lock; every CPU is away.
        pub fn new() = {
            let () = Self::BOUNDS;
            Self { lines: array![Line::new(); CPUS], cpu: PhantomData, visibility: PhantomData, wait: PhantomData }
        }
    }
}

impl<C, const CPUS: usize, V, W, const LAST: u32> Default for Bakery<C, CPUS, V, W, LAST> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: CpuId, const CPUS: usize, V: Visibility, W: Wait, const LAST: u32> Bakery<C, CPUS, V, W, LAST> {
    /// The lines of the other CPUs, with their numbers.
    fn others(&self, cpu: usize) -> impl Iterator<Item = (usize, &Line)> {
        self.lines.iter().enumerate().filter(move |&(other, _)| other != cpu)
    }

    /// Comes to the door and looks at what numbers are out: the largest word, and the door stays shut. `None`, and
    /// nothing has changed, if this CPU is at the lock already.
    fn come(&self, cpu: usize) -> Option<u32> {
        let me = &self.lines[cpu];
        let shut = me.door.load(Relaxed); // B1
        if shut {
            return None; // we have interrupted a draw
        }
        me.door.store(true, Relaxed); // B2
        compiler_fence(Ordering::SeqCst); // a handler that runs from here on finds the door shut
        let word = me.word.load(Relaxed); // B3
        if word != AWAY {
            open(me);
            return None;
        }
        me.word.store(CHOOSING, Relaxed); // B4 come: 0 -> 1
        V::publish(me);
        fence(SeqCst); // B5
        let words = self.others(cpu).map(|(_, other)| {
            V::refresh(other);
            other.word.load(Relaxed) // B6
        });
        Some(words.fold(CHOOSING, u32::max))
    }

    /// Draws `number`, and opens the door.
    fn draw(&self, cpu: usize, number: u32) {
        let me = &self.lines[cpu];
        me.word.store(number, Relaxed); // B7 draw: 1 -> n
        open(me);
        V::publish(me);
        fence(SeqCst); // B8
    }

    /// Goes away, from the door or with a number.
    fn withdraw(&self, cpu: usize) {
        let me = &self.lines[cpu];
        me.word.store(AWAY, Relaxed); // B9 withdraw: 1 or n -> 0
        open(me);
        V::publish(me);
    }

    /// Draws the next number when there is one.
    fn draw_next(&self, cpu: usize) -> u32 {
        loop {
            match self.come(cpu) {
                None => spin_loop(), // as any lock whose holder asks for it again
                Some(largest) if largest == LAST => {
                    self.withdraw(cpu);
                    for (_, other) in self.others(cpu) {
                        W::until(&Watched::<V>::new(other), |word| u32::from(word == LAST)); // B11
                    }
                }
                Some(largest) => {
                    self.draw(cpu, largest + 1);
                    return largest + 1;
                }
            }
        }
    }
}

/// Opens the door: a handler that runs from here on finds `word` as it is.
fn open(me: &Line) {
    compiler_fence(Ordering::SeqCst);
    me.door.store(false, Relaxed); // B15
}

/// Whether a CPU of which this word was seen may go before `mine`: it has a smaller number, or is choosing, which is
/// less than any number.
fn goes_first(word: u32, other: usize, mine: (u32, usize)) -> bool {
    word != AWAY && (word, other) < mine
}

fn guard(cpu: usize) -> BakeryGuard {
    BakeryGuard { cpu: cpu as u32, not_send: PhantomData } // by BOUNDS
}

// SAFETY: mutual exclusion by N5, N3 and N4, as argued there. B13 releases what B10 and B12 acquire, and where these
// see a later store than B13 they acquire what the B5 before it has released. A guard is a number: forgetting it leaves
// the lock held, and no part of the lock knows its own address.
unsafe impl<C: CpuId, const CPUS: usize, V: Visibility, W: Wait, const LAST: u32> RawMutex
    for Bakery<C, CPUS, V, W, LAST>
{
    const INIT: Self = initial!(Self::new());

    type Guard = BakeryGuard;

    /// Draws a number, and waits for those with smaller ones.
    ///
    /// # Panics
    ///
    /// If [`CpuId::cpu`] is not below `CPUS`, against its promise; nothing has changed then.
    fn lock(&self) -> BakeryGuard {
        let cpu = C::cpu();
        let number = self.draw_next(cpu);
        for (other, line) in self.others(cpu) {
            let ahead = |word| u32::from(goes_first(word, other, (number, cpu)));
            W::until(&Watched::<V>::new(line), ahead); // B10 turn
        }
        guard(cpu)
    }

    /// Never waits; may fail, although nobody holds the lock, if another CPU tries at the same time.
    ///
    /// # Panics
    ///
    /// As [`lock`](RawMutex::lock).
    fn try_lock(&self) -> Option<BakeryGuard> {
        if self.is_locked() {
            return None; // without making anyone wait for our choice
        }
        let cpu = C::cpu();
        if self.come(cpu)? != CHOOSING {
            self.withdraw(cpu);
            return None;
        }
        self.draw(cpu, FIRST);
        for (other, line) in self.others(cpu) {
            V::refresh(line);
            let word = line.word.load(Acquire); // B12 turn
            if goes_first(word, other, (FIRST, cpu)) {
                self.withdraw(cpu);
                return None;
            }
        }
        Some(guard(cpu))
    }

    /// One store.
    #[inline]
    unsafe fn unlock(&self, guard: BakeryGuard) {
        let me = &self.lines[guard.cpu as usize];
        me.word.store(AWAY, Release); // B13 release: n -> 0
        V::publish(me);
    }

    /// Looks at one CPU after the other: may miss a lock that goes from one to another in between. It never says "free"
    /// while the caller holds the lock.
    fn is_locked(&self) -> bool {
        self.lines.iter().any(|line| {
            V::refresh(line);
            line.word.load(Relaxed) > CHOOSING // B14
        })
    }
}

// SAFETY: first come, first served (N4): who comes after a CPU has drawn draws a larger number, and waits for it.
unsafe impl<C: CpuId, const CPUS: usize, V: Visibility, W: Wait, const LAST: u32> RawMutexFair
    for Bakery<C, CPUS, V, W, LAST>
{
    unsafe fn unlock_fair(&self, guard: BakeryGuard) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.unlock(guard) };
    }
}
