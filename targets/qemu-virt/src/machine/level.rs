//! The exception level of an image: all that differs between EL1 and EL2.
//!
//! | | EL1 | EL2 |
//! |---|---|---|
//! | started by | `-machine virt` | `-machine virt,virtualization=on` |
//! | PSCI calls by | HVC | SMC |
//! | timer | CNTP, PPI 14 | CNTHP, PPI 10 |
//! | interrupts come here | always | by `HCR_EL2.IMO` |
//! | debug exceptions come here | always | by `MDCR_EL2.TDE` |
//! | core index in | `TPIDR_EL1` | `TPIDR_EL2` |
//! | what happened, and where | `ESR_EL1`, `FAR_EL1`, `ELR_EL1` | `ESR_EL2`, `FAR_EL2`, `ELR_EL2` |
//!
//! The page table serves both ([`mmu`](super::mmu)).

use arm_gic::IntId;

/// An exception level.
pub trait Level: Sync + 'static {
    /// As `CurrentEL` has it.
    const EL: u64;
    /// The argument of `-machine` that makes QEMU start an image here.
    const MACHINE: &'static str;
    /// The instruction that calls PSCI.
    type Conduit: smccc::Call;
    /// The interrupt of this level's physical timer. Arm BSA 1.0, table of PPIs.
    const TIMER: IntId;

    /// A breakpoint's control register: enabled, at the address of an instruction, at this level alone. Arm ARM,
    /// `DBGBCR<n>_EL1`: E, PMC, BAS, HMC, SSC.
    const BREAKPOINT: u64;

    /// Makes this core's interrupts and debug exceptions come to this level, and its counter the common one.
    fn prepare_core();

    /// Notes the index of this core, which from then on is [`core_index`](Self::core_index).
    fn set_core_index(index: usize);

    /// The index of this core: 0 for the one that booted.
    fn core_index() -> usize;

    /// Raises [`TIMER`](Self::TIMER) once the physical counter is at `deadline`.
    fn start_timer(deadline: u64);

    /// Takes the interrupt back.
    fn stop_timer();

    /// What the exception just taken was.
    fn syndrome() -> Syndrome;
}

/// The registers that tell what an exception was.
pub struct Syndrome {
    /// Exception class in bits 31:26, details below.
    pub esr: u64,
    /// The address, if it was about one.
    pub far: u64,
    /// The instruction that it came before, or at.
    pub elr: u64,
}

impl Syndrome {
    /// The exception class: Arm ARM, `ESR_ELx.EC`.
    #[must_use]
    pub fn code(&self) -> u64 {
        (self.esr >> 26) & 0x3f
    }

    /// The exception class by name: the ones that a bug here can cause.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self.code() {
            0x00 => "undefined instruction",
            0x07 => "SIMD or floating point",
            0x0e => "illegal execution state",
            0x16 => "HVC",
            0x17 => "SMC",
            0x18 => "system register access",
            0x21 => "instruction abort",
            0x22 => "PC alignment",
            0x25 => "data abort",
            0x26 => "SP alignment",
            0x31 => "breakpoint",
            0x33 => "software step",
            0x3c => "BRK",
            _ => "other",
        }
    }
}
