//! The suite on this host: cores are threads.
//!
//! `cargo test -p hyp-suite -- TEXT` runs the cases with `TEXT` in their names, `-- --list` lists them.

use hyp_locks::qspin::{CpuNodes, Nodes};
use hyp_locks::{CpuId, Depths, IrqSlot, Recorder};
use hyp_suite::{Board, Next, NotApplicable, Pause, cases, run};
use std::cell::Cell;
use std::env;
use std::fmt;
use std::hint;
use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

/// More threads would tell no more.
const MOST_CORES: usize = 8;

struct Host {
    start: Instant,
    cores: usize,
}

thread_local! {
    static CORE: Cell<usize> = const { Cell::new(0) };
}

/// The threads, as cores.
struct Threads;

// SAFETY: `run_on` gives each of the threads that run at a time a number of its own; the first one is the thread that
// started the others, and every thread's from the start.
unsafe impl CpuId for Threads {
    fn cpu() -> usize {
        CORE.get()
    }
}

// SAFETY: the slots are this function's, one for each number that there may be.
unsafe impl Depths<Recorder> for Threads {
    fn slots() -> &'static [IrqSlot<Recorder>] {
        static SLOTS: [IrqSlot<Recorder>; MOST_CORES] = [IrqSlot::NEW; MOST_CORES];
        &SLOTS
    }
}

impl Nodes for Threads {
    fn nodes() -> &'static [CpuNodes] {
        static NODES: [CpuNodes; MOST_CORES] = [const { CpuNodes::new() }; MOST_CORES];
        &NODES
    }
}

impl Board for Host {
    type Irq = Recorder;
    type Priority = Recorder;
    type Cpus = Threads;

    fn cores(&self) -> usize {
        self.cores
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn hz(&self) -> u64 {
        1_000_000_000
    }

    fn run_on(&self, cores: usize, work: &(dyn Fn(usize) + Sync)) {
        assert!((1..=self.cores).contains(&cores), "{cores} of {} cores", self.cores);
        // A panic of a thread goes on in this one when the scope ends.
        thread::scope(|scope| {
            for core in 1..cores {
                scope.spawn(move || {
                    CORE.set(core);
                    work(core);
                });
            }
            work(0);
        });
    }

    fn has_interrupts(&self) -> Result<(), NotApplicable> {
        Err(NotApplicable("a thread of a host takes no interrupts"))
    }

    fn with_timer(&self, _: u64, _: &(dyn Fn() + Sync), _: &mut dyn FnMut()) {
        unreachable!("has_interrupts says that there are none")
    }

    fn step(&self, _: &(dyn Fn(Pause) -> Next + Sync), _: &(dyn Fn(usize) + Sync), _: &mut dyn FnMut()) -> bool {
        unreachable!("has_interrupts says that there are none")
    }

    fn relax() {
        // Threads may be more than the host has cores, so a hint to the core alone may not be enough.
        thread::yield_now();
        hint::spin_loop();
    }

    fn print(&self, text: fmt::Arguments<'_>) {
        let mut out = io::stdout().lock();
        // Without a console there is nobody to tell; the status still says it.
        let _ = out.write_fmt(text).and_then(|()| out.flush());
    }
}

fn main() -> ExitCode {
    let mut filter = String::new();
    for argument in env::args().skip(1) {
        match argument.as_str() {
            "--list" => {
                cases::<Host>().for_each(|case| println!("{}: test", case.name));
                return ExitCode::SUCCESS;
            }
            flag if flag.starts_with('-') => {} // cargo passes libtest's flags to every test
            text => filter = text.to_owned(),
        }
    }
    // No more threads than cores: a lock that is first in, first out waits for the scheduler at each hand-over
    // otherwise.
    let cores = thread::available_parallelism().map_or(2, |n| n.get().clamp(2, MOST_CORES));
    let host = Host { start: Instant::now(), cores };
    let summary = run(&host, &filter);
    // As libtest has it, a filter that matches nothing here is no failure: cargo passes it to every test.
    if summary.is_success() || (summary.failed == 0 && !filter.is_empty()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
