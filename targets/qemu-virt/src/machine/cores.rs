//! The cores: PSCI starts them once, and then they sleep until there is a function to run on several at once.
//!
//! ```text
//!   boot core                                   core i, asleep in WFI
//!   work = f, left = n - 1
//!   calls[i] += 1, ring(i)         ──►          sees calls[i], runs f(i)
//!   runs f(0)                                   left -= 1, and the last one rings
//!   sleeps until left = 0          ◄──          asleep again
//! ```
//!
//! They sleep, rather than spin, because a core that spins takes host time from the cores that work, where there
//! are more of them than the host has. Interrupts stay masked: a pending doorbell ends a WFI all the same, and one
//! that rings between the look at the counter and the WFI is pending then.
//!
//! | location | op | ordering | pairs with | why not weaker |
//! |---|---|---|---|---|
//! | `work` | plain | – | – | J1 |
//! | `calls[i]` | fetch_add | Release | the load of core i | publishes `work` and `left` |
//! | `calls[i]` | load | Acquire | the fetch_add | sees them |
//! | `left` | store | Relaxed | – | the fetch_add on `calls[i]` that follows publishes it |
//! | `left` | fetch_sub | AcqRel | the load of the boot core | what `f` did happens before `run_on` returns, by each core |
//! | `left` | load | Acquire | the fetch_sub | sees it |
//! | `running` | swap, store | Relaxed | – | the boot core alone touches it, and its program order is enough |
//! | `up` | fetch_add | Release | the load of the boot core | what a core set up happens before `start` returns; once at boot, there is nothing to gain |
//! | `up` | load | Acquire | the fetch_add of each core | sees it |
//!
//! J1: `work` is written by the boot core while `left` is 0, and read by a core between its call and its decrement
//! of `left`.

use super::dt::Machine;
use super::level::Level;
use super::{cpu, gic, timer};
use aarch64_rt::{Stack, start_core};
use core::cell::Cell;
use core::mem;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// As many cores as an image has stacks for.
pub const MAX_CORES: usize = 64;

const STACK_PAGES: usize = 32;
static mut STACKS: [Stack<STACK_PAGES>; MAX_CORES] = [const { Stack::new() }; MAX_CORES];

type Work<'a> = &'a (dyn Fn(usize) + Sync);

struct Job {
    work: Cell<Option<Work<'static>>>,
    /// How often core i was called.
    calls: [AtomicUsize; MAX_CORES],
    /// Cores that have yet to finish.
    left: AtomicUsize,
    /// The boot core is in `run_on`.
    running: AtomicBool,
    /// Cores that have come up.
    up: AtomicUsize,
}

// SAFETY: `work` is the only part that is not an atomic, and J1 keeps its accesses apart.
unsafe impl Sync for Job {}

static JOB: Job = Job {
    work: Cell::new(None),
    calls: [const { AtomicUsize::new(0) }; MAX_CORES],
    left: AtomicUsize::new(0),
    running: AtomicBool::new(false),
    up: AtomicUsize::new(1),
};

/// Starts all cores but the boot core, and waits until they are asleep.
///
/// # Panics
///
/// If the boot core is not the first of the tree, PSCI refuses, or a core does not come up within a minute.
pub(crate) fn start<L: Level>(machine: &Machine) {
    let boot = machine.mpidrs[0];
    assert_eq!(boot, cpu::mpidr(), "the boot core is not the first in the device tree");
    for core in 1..machine.cores() {
        let stack = (&raw mut STACKS).cast::<Stack<STACK_PAGES>>().wrapping_add(core);
        let entry = move || serve::<L>(core, boot);
        // SAFETY: the stack of this core alone, in the image, mapped by the same page table on both sides; it is
        // used once, because this function runs once.
        let started = unsafe { start_core::<L::Conduit, _, STACK_PAGES>(machine.mpidrs[core], stack, entry) };
        if let Err(error) = started {
            panic!("PSCI does not start core {core}: {error:?}");
        }
    }
    let deadline = cpu::counter() + 60 * cpu::counter_hz();
    while JOB.up.load(Ordering::Acquire) != machine.cores() {
        assert!(cpu::counter() < deadline, "of {} cores {:?} came up", machine.cores(), JOB.up);
        cpu::yield_core();
    }
}

/// Runs `work(i)` on cores `0..cores` at once, this one among them, and returns when all have returned.
///
/// # Panics
///
/// If it is called by another core than the boot core, in `work`, in the body or the handler of a timer, or with more
/// cores than there are.
pub(crate) fn run_on<L: Level>(machine: &Machine, cores: usize, work: Work<'_>) {
    assert!((1..=machine.cores()).contains(&cores), "{cores} of {} cores", machine.cores());
    assert_eq!(L::core_index(), 0, "run_on is for the boot core");
    // The last doorbell has to end the WFI. In the body it would be taken before; in the handler it is not signalled,
    // as its priority is the same.
    assert!(cpu::interrupts_masked() && !timer::is_running::<L>(), "run_on inside with_timer");
    assert!(!JOB.running.swap(true, Ordering::Relaxed), "run_on inside run_on");
    // SAFETY: lengthens the life of the reference. By J1 no core uses it once `left` is 0, and this function does
    // not return before; a panic on the way stops the machine.
    let work = unsafe { mem::transmute::<Work<'_>, Work<'static>>(work) };
    JOB.work.set(Some(work));
    JOB.left.store(cores - 1, Ordering::Relaxed);
    for core in 1..cores {
        JOB.calls[core].fetch_add(1, Ordering::Release);
        gic::ring(machine.mpidrs[core]);
    }
    work(0);
    while JOB.left.load(Ordering::Acquire) != 0 {
        gic::sleep::<L>();
    }
    JOB.work.set(None);
    JOB.running.store(false, Ordering::Relaxed);
}

/// The life of a core that is not the boot core.
fn serve<L: Level>(core: usize, boot: u64) {
    prepare::<L>(core);
    JOB.up.fetch_add(1, Ordering::Release);
    let mut answered = 0;
    loop {
        if JOB.calls[core].load(Ordering::Acquire) == answered {
            gic::sleep::<L>();
            continue;
        }
        answered += 1;
        if let Some(work) = JOB.work.get() {
            work(core);
        }
        if JOB.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            gic::ring(boot);
        }
    }
}

/// What each core does for itself, the boot core too.
pub(crate) fn prepare<L: Level>(core: usize) {
    L::set_core_index(core);
    L::prepare_core();
    gic::init_core();
}
