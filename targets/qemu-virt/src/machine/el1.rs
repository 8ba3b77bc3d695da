//! EL1: a kernel, in a guest or without a hypervisor.

use super::level::{Level, Syndrome};
use arm_gic::IntId;
use cortex_a::registers::{
    CNTP_CTL_EL0, CNTP_CVAL_EL0, ELR_EL1, ESR_EL1, FAR_EL1, ReadWriteable, Readable, TPIDR_EL1, Writeable,
};

/// EL1.
pub struct El1;

impl Level for El1 {
    const EL: u64 = 1;
    const MACHINE: &'static str = "virt,gic-version=3";
    type Conduit = smccc::Hvc;
    const TIMER: IntId = IntId::ppi(14);
    const BREAKPOINT: u64 = 1 | 0b01 << 1 | 0b1111 << 5;

    fn prepare_core() {
        // Nothing: interrupts and debug exceptions come to EL1 unless somebody above takes them.
    }

    fn set_core_index(index: usize) {
        TPIDR_EL1.set(index as u64);
    }

    #[inline]
    fn core_index() -> usize {
        TPIDR_EL1.get() as usize
    }

    fn start_timer(deadline: u64) {
        CNTP_CVAL_EL0.set(deadline);
        CNTP_CTL_EL0.modify(CNTP_CTL_EL0::ENABLE::SET + CNTP_CTL_EL0::IMASK::CLEAR);
    }

    fn stop_timer() {
        CNTP_CTL_EL0.modify(CNTP_CTL_EL0::ENABLE::CLEAR);
    }

    fn syndrome() -> Syndrome {
        Syndrome { esr: ESR_EL1.get(), far: FAR_EL1.get(), elr: ELR_EL1.get() }
    }
}
