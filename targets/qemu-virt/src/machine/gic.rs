//! The interrupts: a GICv3, its timer interrupt, a doorbell and a nudge on every core, in non-secure group 1.
//!
//! The boot core sets up distributor and redistributors, once, before it starts the others; each core its own CPU
//! interface, which is made of system registers. After that nobody touches a memory-mapped register.

use super::dt::Machine;
use super::level::Level;
use super::{cpu, step, timer};
use arm_gic::gicv3::registers::Gicd;
use arm_gic::gicv3::{GicCpuInterface, GicError, GicV3, SgiTarget, SgiTargetGroup};
use arm_gic::{IntId, InterruptGroup, UniqueMmioPointer};
use core::ptr::NonNull;
use cortex_a::asm::barrier;

/// Rung on a core that has something to do, and on the boot core when all is done: it ends their sleep.
const DOORBELL: IntId = IntId::sgi(0);

/// What a core interrupts itself with.
const NUDGE: IntId = IntId::sgi(1);

/// Of every interrupt here.
pub(crate) const PRIORITY: u8 = 0x80;
/// Lets [`PRIORITY`] through. QEMU implements five bits of a priority.
const LOWEST_PRIORITY: u8 = 0xf0;

/// Sets up distributor and redistributors. On the boot core, once.
pub(crate) fn init<L: Level>(machine: &Machine) -> Result<(), GicError> {
    let (distributor, redistributors) = machine.gic;
    let nowhere = GicError::InvalidRedistributorIndex(0);
    let distributor = NonNull::new(distributor as *mut Gicd).ok_or(nowhere)?;
    let redistributors = NonNull::new(redistributors as *mut _).ok_or(nowhere)?;
    // SAFETY: the distributor's registers, by the device tree, mapped as Device memory; `boot::start` calls this
    // once, and by its contract they are its alone.
    let distributor = unsafe { UniqueMmioPointer::new(distributor) };
    // SAFETY: as above, the redistributors': one for each core listed, one after the other.
    let mut gic = unsafe { GicV3::new(distributor, redistributors, machine.cores_listed) }?;
    gic.distributor().configure_default_settings();
    for core in 0..machine.cores_listed {
        let mut own = gic.redistributor(core)?;
        match own.mark_core_awake() {
            Ok(()) | Err(GicError::AlreadyAwake) => {}
            Err(error) => return Err(error),
        }
        own.configure_default_settings();
        for interrupt in [L::TIMER, DOORBELL, NUDGE] {
            own.set_interrupt_priority(interrupt, PRIORITY)?;
            own.enable_interrupt(interrupt, true)?;
        }
    }
    Ok(())
}

/// Sets up this core's CPU interface.
pub(crate) fn init_core() {
    GicCpuInterface::enable_system_register_el1();
    // A write to ICC_SRE_EL1 changes the context: until it is synchronized, the other ICC_* may still be undefined.
    barrier::isb(barrier::SY);
    GicCpuInterface::set_priority_mask(LOWEST_PRIORITY);
    GicCpuInterface::enable_group1(true);
}

/// Rings the core that has this MPIDR, which then sees everything that this core has stored.
pub(crate) fn ring(mpidr: u64) {
    // The write of a system register is not ordered after stores by anything less.
    barrier::dsb(barrier::ISHST);
    send(DOORBELL, mpidr);
}

/// Interrupts this core; returns when that is pending. With interrupts masked.
pub(crate) fn nudge() {
    // What the priority mask keeps out is not told to be pending.
    let mask = GicCpuInterface::get_priority_mask();
    GicCpuInterface::set_priority_mask(LOWEST_PRIORITY);
    send(NUDGE, cpu::mpidr());
    while !cpu::is_interrupt_pending() {}
    GicCpuInterface::set_priority_mask(mask);
}

fn send(interrupt: IntId, mpidr: u64) {
    let [aff0, affinity1, affinity2, _, affinity3, ..] = mpidr.to_le_bytes();
    let target = SgiTarget::List { affinity3, affinity2, affinity1, target_list: 1 << aff0 };
    GicCpuInterface::send_sgi(interrupt, target, SgiTargetGroup::CurrentGroup1).expect("it is an SGI");
}

/// Sleeps until an interrupt is pending, and takes it; with interrupts masked.
pub(crate) fn sleep<L: Level>() {
    cpu::wait_for_interrupt();
    handle::<L>();
}

/// The vector of an interrupt: whatever is pending on this core.
pub(crate) fn handle<L: Level>() {
    while GicCpuInterface::handle_interrupt(InterruptGroup::Group1, |interrupt| {
        if interrupt == L::TIMER {
            timer::expired::<L>();
        } else if interrupt == NUDGE {
            step::nudged::<L>();
        } else if interrupt != DOORBELL {
            panic!("unexpected interrupt: {interrupt:?}");
        }
    }) {}
}
