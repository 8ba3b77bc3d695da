//! The page table: two blocks of 1 GiB, the same at EL1 and EL2, in the image as a constant.
//!
//! ```text
//!   0x0000_0000 ┌─────────────┐
//!               │ Device      │   flash, GIC, UART: never executed
//!   0x4000_0000 ├─────────────┤
//!               │ Normal      │   RAM: write-back, inner shareable, so that exclusives and WFE work; code
//!   0x8000_0000 ├─────────────┤   and data together in one block, writable and executable
//!               │ (faults)    │
//! ```
//!
//! The image, its stacks and the device tree lie in the first GiB of RAM; the pools under test never touch the
//! pages that they hand out, so the rest needs no mapping. A real hypervisor would map its text read-only.
//!
//! EL1 and EL2 attributes differ in two bits: EL2's bit 6 is RES1 where EL1's gives EL0 access, which makes
//! EL1's privileged execution impossible (so it stays 0; the core ignores it at EL2), and bit 54 is the
//! "never execute" of both.

use aarch64_paging::descriptor::El23Attributes as Attributes;
use aarch64_paging::mair::{Mair, MairAttribute, NormalMemory};
use aarch64_rt::InitialPagetable;

const DEVICE: Attributes =
    Attributes::VALID.union(Attributes::ATTRIBUTE_INDEX_0).union(Attributes::ACCESSED).union(Attributes::XN);

const RAM: Attributes = Attributes::VALID
    .union(Attributes::ATTRIBUTE_INDEX_1)
    .union(Attributes::INNER_SHAREABLE)
    .union(Attributes::ACCESSED);

const WRITE_BACK: NormalMemory = NormalMemory::WriteBackNonTransientReadWriteAllocate;

/// What the two attribute indices mean.
pub const MAIR: u64 = Mair::EMPTY
    .with_attribute(0, MairAttribute::DEVICE_NGNRE)
    .with_attribute(1, MairAttribute::normal(WRITE_BACK, WRITE_BACK))
    .0;

/// The root table, which level-1 blocks make the only one.
pub const ROOT: InitialPagetable = {
    let mut entries = [0; 512];
    entries[0] = DEVICE.bits();
    entries[1] = RAM.bits() | super::dt::RAM_BASE;
    InitialPagetable(entries)
};
