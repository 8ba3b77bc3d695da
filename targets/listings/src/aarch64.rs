//! What takes the machine: a CPU that knows its number, masks, caches that are off.

use core::arch::asm;

use hyp_locks::bakery::CachesOff;
use hyp_locks::qspin::{CpuNodes, Nodes};
use hyp_locks::timed::{Doze, Wfxt};
use hyp_locks::{Bakery, CpuId, Daif, IrqSave, QSpin, Tas, Ticket, Timed};
use lock_api::RawMutexTimed;

const CPUS: usize = 4;

/// The CPU by `TPIDR_EL2`.
#[derive(Debug)]
pub struct Tpidr;

// SAFETY: of a program that is never run: boot code numbers the CPUs there, from 0 to 3, before any of them locks.
unsafe impl CpuId for Tpidr {
    #[inline]
    fn cpu() -> usize {
        let cpu;
        // SAFETY: reads a register.
        unsafe { asm!("mrs {cpu}, tpidr_el2", cpu = out(reg) cpu, options(nomem, nostack, preserves_flags)) };
        cpu
    }
}

impl Nodes for Tpidr {
    #[inline]
    fn nodes() -> &'static [CpuNodes] {
        static NODES: [CpuNodes; CPUS] = [const { CpuNodes::new() }; CPUS];
        &NODES
    }
}

listings! {
    irq_ticket_lock irq_ticket_try_lock irq_ticket_unlock: IrqSave<Ticket, Daif>;
    qspin_lock qspin_try_lock qspin_unlock: QSpin<Tpidr>;
    bakery_lock bakery_try_lock bakery_unlock: Bakery<Tpidr, CPUS, CachesOff>;
}

/// Tries until `deadline`, asleep in between.
// SAFETY: no other symbol has this name: nothing is linked with this crate.
#[unsafe(no_mangle)]
pub fn timed_tas_try_lock_until(lock: &Timed<Tas, Wfxt, Doze>, deadline: u64) -> Option<lock_api::GuardSend> {
    lock.try_lock_until(deadline)
}
