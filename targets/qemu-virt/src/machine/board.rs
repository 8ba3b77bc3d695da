//! The board as `main` gets it.

use super::cores::MAX_CORES;
use super::dt::Machine;
use super::level::Level;
use super::{console, cores, cpu, gic, step, timer};
use core::fmt;
use core::marker::PhantomData;
use hyp_locks::qspin::{CpuNodes, Nodes};
use hyp_locks::{CpuId, Daif, Depths, IrqSlot, Pmr};
use hyp_suite::{Next, NotApplicable, Pause};

/// The machine, up and running: all cores started, interrupts routed here, and masked.
pub struct Board<L> {
    machine: Machine,
    level: PhantomData<fn() -> L>,
}

impl<L: Level> Board<L> {
    pub(crate) fn new(machine: Machine) -> Self {
        Self { machine, level: PhantomData }
    }

    /// What the device tree says.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Cores that there are, all of them started.
    #[must_use]
    pub fn cores(&self) -> usize {
        self.machine.cores()
    }

    /// The virtual counter: the same on every core, [`hz`](Self::hz) ticks a second.
    #[inline]
    #[must_use]
    pub fn now(&self) -> u64 {
        cpu::counter()
    }

    /// Ticks of [`now`](Self::now) in a second.
    #[must_use]
    pub fn hz(&self) -> u64 {
        cpu::counter_hz()
    }

    /// Runs `work(i)` on cores `0..cores` at once, this one among them, and returns when all have returned.
    ///
    /// # Panics
    ///
    /// If it is called by another core than the boot core, in `work`, in the body or the handler of
    /// [`with_timer`](Self::with_timer), or with more cores than there are.
    pub fn run_on(&self, cores: usize, work: &(dyn Fn(usize) + Sync)) {
        cores::run_on::<L>(&self.machine, cores, work);
    }

    /// Calls `handler` in a timer interrupt on this core again and again while `body` runs, at least `period` ticks
    /// between the end of one call and the next. Interrupts are let in for just that time.
    ///
    /// # Panics
    ///
    /// If this core takes interrupts already: it is in another `with_timer`.
    pub fn with_timer(&self, period: u64, handler: &(dyn Fn() + Sync), body: &mut dyn FnMut()) {
        timer::with_timer::<L>(period, handler, body);
    }

    /// Runs `body` on this core with interrupts let in, and calls `between` before each of its instructions; says whether
    /// interrupts were still let in at the end. See [`hyp_suite::Board::step`].
    ///
    /// # Panics
    ///
    /// If this core takes interrupts already: it is in another `step` or in [`with_timer`](Self::with_timer). If an
    /// instruction went by unseen.
    pub fn step(
        &self,
        between: &(dyn Fn(Pause) -> Next + Sync),
        handler: &(dyn Fn(usize) + Sync),
        body: &mut dyn FnMut(),
    ) -> bool {
        step::step::<L>(between, handler, body)
    }

    /// The exception level.
    #[must_use]
    pub fn level(&self) -> u64 {
        cpu::current_el()
    }

    /// Implementer, part and revision of the boot core, as `MIDR_EL1` has them.
    #[must_use]
    pub fn midr(&self) -> u64 {
        cpu::midr()
    }

    /// How this image was built to read, change and write a word: by instructions of the Large System Extension,
    /// or by load-exclusive and store-exclusive in a loop.
    #[must_use]
    pub fn atomics(&self) -> &'static str {
        if cfg!(target_feature = "lse") { "LSE" } else { "LL/SC" }
    }
}

/// The cores, by the index that each has in a register of its own.
#[derive(Debug)]
pub struct Cpus<L>(PhantomData<fn() -> L>);

// SAFETY: `prepare` gives each core its index when it starts, once; a core's register is its own.
unsafe impl<L: Level> CpuId for Cpus<L> {
    #[inline]
    fn cpu() -> usize {
        L::core_index()
    }
}

// SAFETY: the slots are this function's, one for each core that there may be.
unsafe impl<L: Level> Depths<Daif> for Cpus<L> {
    fn slots() -> &'static [IrqSlot<Daif>] {
        static SLOTS: [IrqSlot<Daif>; MAX_CORES] = [IrqSlot::NEW; MAX_CORES];
        &SLOTS
    }
}

impl<L: Level> Nodes for Cpus<L> {
    fn nodes() -> &'static [CpuNodes] {
        static NODES: [CpuNodes; MAX_CORES] = [const { CpuNodes::new() }; MAX_CORES];
        &NODES
    }
}

/// For the suite; each method that has a namesake above is that one.
impl<L: Level> hyp_suite::Board for Board<L> {
    type Irq = Daif;
    type Priority = Pmr<{ gic::PRIORITY }>;
    type Cpus = Cpus<L>;

    fn cores(&self) -> usize {
        Self::cores(self)
    }

    #[inline]
    fn now(&self) -> u64 {
        Self::now(self)
    }

    fn hz(&self) -> u64 {
        Self::hz(self)
    }

    fn run_on(&self, cores: usize, work: &(dyn Fn(usize) + Sync)) {
        Self::run_on(self, cores, work);
    }

    fn has_interrupts(&self) -> Result<(), NotApplicable> {
        Ok(())
    }

    fn with_timer(&self, period: u64, handler: &(dyn Fn() + Sync), body: &mut dyn FnMut()) {
        Self::with_timer(self, period, handler, body);
    }

    fn step(
        &self,
        between: &(dyn Fn(Pause) -> Next + Sync),
        handler: &(dyn Fn(usize) + Sync),
        body: &mut dyn FnMut(),
    ) -> bool {
        Self::step(self, between, handler, body)
    }

    #[inline]
    fn relax() {
        cpu::yield_core();
    }

    fn print(&self, text: fmt::Arguments<'_>) {
        console::print(text);
    }
}
