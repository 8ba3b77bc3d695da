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
//! What serves both levels, where the attributes of EL1 and EL2 differ:
//!
//! | bit | at EL1 | at EL2 | here |
//! |---|---|---|---|
//! | 6 | EL0 may access it, and EL1 not execute it | RES1 | 0: a core at EL2 ignores it |
//! | 53 | EL1 never executes it (PXN) | RES0 | 1 for Device |
//! | 54 | EL0 never executes it (UXN) | EL2 never executes it (XN) | 1 for Device |

use aarch64_paging::descriptor::{El1Attributes, El23Attributes as Attributes};
use aarch64_paging::mair::{Mair, MairAttribute, NormalMemory};
use aarch64_rt::InitialPagetable;

/// Bit 53, which EL2 has no name for.
const PXN: Attributes = Attributes::from_bits_retain(El1Attributes::PXN.bits());

const DEVICE: Attributes =
    Attributes::VALID.union(Attributes::ATTRIBUTE_INDEX_0).union(Attributes::ACCESSED).union(PXN).union(Attributes::XN);

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
