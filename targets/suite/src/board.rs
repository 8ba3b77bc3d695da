//! What a case may ask of the machine under it.

use core::fmt;
use hyp_locks::qspin::Nodes;
use hyp_locks::{Depths, InterruptControl};

/// A machine: bare metal, or the threads of a host.
pub trait Board: Sync {
    /// How interrupts of a core are masked here.
    type Irq: InterruptControl + 'static;

    /// How those of an ordinary priority alone are masked here.
    type Priority: InterruptControl + 'static;

    /// Which core this is, where its masked sections are counted, and where it queues.
    type Cpus: Depths<Self::Irq> + Nodes + 'static;

    /// Cores there are.
    fn cores(&self) -> usize;

    /// A counter, the same on every core, that goes up [`hz`](Self::hz) times a second.
    fn now(&self) -> u64;

    /// Ticks of [`now`](Self::now) in a second.
    fn hz(&self) -> u64;

    /// Runs `work(i)` on `cores` cores at once, `i` from 0, this one among them; returns when all have.
    ///
    /// # Panics
    ///
    /// If there are not so many cores.
    fn run_on(&self, cores: usize, work: &(dyn Fn(usize) + Sync));

    /// Whether a core can be interrupted here.
    ///
    /// # Errors
    ///
    /// [`NotApplicable`], with the reason why not.
    fn has_interrupts(&self) -> Result<(), NotApplicable>;

    /// Runs `body` on this core while a timer interrupt calls `handler` on it, again and again, with at least
    /// `period` ticks from the end of one call to the next.
    ///
    /// # Panics
    ///
    /// If there are no interrupts here, or in `body` or `handler`.
    fn with_timer(&self, period: u64, handler: &(dyn Fn() + Sync), body: &mut dyn FnMut());

    /// Runs `body` on this core with interrupts let in, and calls `between` before each of its instructions, whatever
    /// is masked there: as a non-maskable interrupt, in which it may do what such a handler may. What it returns says
    /// how to go on. [`Next::Interrupt`] raises an interrupt that does respect the mask: it calls `handler` at once, or
    /// as soon as it is let in, with the address that it came to.
    ///
    /// Returns whether interrupts were still let in at the end of `body`.
    ///
    /// # Panics
    ///
    /// If there are no interrupts here, in `body`, `between` or `handler`, or if an instruction went by unseen.
    fn step(
        &self,
        between: &(dyn Fn(Pause) -> Next + Sync),
        handler: &(dyn Fn(usize) + Sync),
        body: &mut dyn FnMut(),
    ) -> bool;

    /// A hint: whoever else shares this core, or the host's core under it, may go on now.
    fn relax();

    /// Prints on the console, whole.
    fn print(&self, text: fmt::Arguments<'_>);
}

/// Where a core pauses between two instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pause {
    /// The address of the next one.
    pub pc: usize,
    /// Places inside of what begins there and cannot be stepped through, because a pause undoes it: a load-exclusive and
    /// its store-exclusive. 0 for any other instruction.
    pub inner: usize,
    /// Whether this is such a place.
    pub inside: bool,
}

/// How to go on after a [`Pause`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// With one instruction; what cannot be stepped through counts as one.
    Step,
    /// As `Step`, but raise an interrupt first.
    Interrupt,
    /// To one of the [`inner`](Pause::inner) places, from 1; the next pause is there, or where the way leads elsewhere.
    Into(usize),
}

/// Turns of one core of a crowd: `most` of them, or as many as it gets in a second. First-in-first-out locks are slow
/// where there are more cores than the host has: each hand-over waits for the host to run the next in line.
pub(crate) fn turns<B: Board>(board: &B, most: usize) -> impl Iterator<Item = usize> {
    let start = board.now();
    (0..most).take_while(move |_| board.now() - start < board.hz())
}

/// Why a case cannot say anything on this machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotApplicable(pub &'static str);
