//! Lock laws and pool laws as cases that know no board.
//!
//! ```text
//!   board: Board            case: Case<B>                runner
//!   host threads,     ×     lock.ticket.…          ──►   case lock.ticket.mutual_exclusion ... ok (12 ms)
//!   QEMU virt EL1,          pool.atomic.storm            …
//!   QEMU virt EL2, …        irq.section_is_masked        41 passed, 0 failed, 3 not applicable
//! ```
//!
//! A case is a function from a board to whether the law holds ([`Outcome`]): it fails by its value and not by a
//! panic, which ends a bare-metal machine. What it asks of the machine is [`Board`]; a new board brings that and
//! has all cases. `control.…` are cases that something wrong is *seen*: a lock that does not lock, a section that
//! lets interrupts in. `nest.…` are sweeps: one run for each instruction boundary of a lock's code, with a handler there.
//!
//! On a host: `cargo test -p hyp-suite` (where cores are threads, and nothing interrupts them). On bare metal: the
//! images of the `qemu-virt` crate.

#![no_std]

mod bakery;
mod board;
mod case;
mod irq;
mod locks;
mod nesting;
mod pool;
mod random;
mod runner;

pub use board::{Board, Next, NotApplicable, Pause};
pub use case::{Case, Failure, Outcome, Stop};
pub use irq::deadlock;
pub use runner::Summary;

/// All cases.
pub fn cases<B: Board>() -> impl Iterator<Item = Case<B>> {
    locks::cases().chain(bakery::cases()).chain(pool::cases()).chain(irq::cases()).chain(nesting::cases())
}

/// Runs the cases that have `filter` in their names, and prints how each ended.
pub fn run<B: Board>(board: &B, filter: &str) -> Summary {
    runner::run(board, cases(), filter)
}
