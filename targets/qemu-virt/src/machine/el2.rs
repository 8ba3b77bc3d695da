//! EL2: a hypervisor, without the virtualization host extensions (`HCR_EL2.E2H` = 0).

use super::level::{Level, Syndrome};
use arm_gic::IntId;
use arm_gic::gicv3::GicCpuInterface;
use core::arch::asm;
use cortex_a::asm::barrier;
use cortex_a::registers::{
    CNTHP_CTL_EL2, CNTVOFF_EL2, ELR_EL2, ESR_EL2, FAR_EL2, HCR_EL2, MDCR_EL2, ReadWriteable, Readable, TPIDR_EL2,
    Writeable,
};

/// EL2.
pub struct El2;

impl Level for El2 {
    const EL: u64 = 2;
    const MACHINE: &'static str = "virt,gic-version=3,virtualization=on";
    type Conduit = smccc::Smc;
    const TIMER: IntId = IntId::ppi(10);
    const BREAKPOINT: u64 = 1 | 0b1111 << 5 | 1 << 13 | 0b11 << 14;

    fn prepare_core() {
        // Without IMO a physical interrupt belongs to EL1, and is never taken here.
        HCR_EL2.write(HCR_EL2::RW::EL1IsAarch64 + HCR_EL2::IMO::EnableVirtualIRQ);
        // A debug exception belongs to EL1 without it, and is never taken from here.
        MDCR_EL2.modify(MDCR_EL2::TDE.val(1));
        // HCR_EL2 decides what the ICC_* registers stand for, and whose interrupts are: a change of context, which
        // what follows sees only once it is synchronized.
        barrier::isb(barrier::SY);
        // CNTVCT is CNTPCT less this, which is unknown at reset: zero on every core makes them agree.
        CNTVOFF_EL2.set(0);
        GicCpuInterface::enable_system_register_el2(true);
        // As well: until then ICC_SRE_EL1, which comes next, may still trap.
        barrier::isb(barrier::SY);
    }

    fn set_core_index(index: usize) {
        TPIDR_EL2.set(index as u64);
    }

    #[inline]
    fn core_index() -> usize {
        TPIDR_EL2.get() as usize
    }

    fn start_timer(deadline: u64) {
        // SAFETY: the comparator of this core's own timer; cortex_a has only the timer's control register.
        unsafe { asm!("msr cnthp_cval_el2, {}", in(reg) deadline, options(nomem, nostack, preserves_flags)) };
        CNTHP_CTL_EL2.modify(CNTHP_CTL_EL2::ENABLE::SET + CNTHP_CTL_EL2::IMASK::CLEAR);
    }

    fn stop_timer() {
        CNTHP_CTL_EL2.modify(CNTHP_CTL_EL2::ENABLE::CLEAR);
    }

    fn syndrome() -> Syndrome {
        Syndrome { esr: ESR_EL2.get(), far: FAR_EL2.get(), elr: ELR_EL2.get() }
    }
}
