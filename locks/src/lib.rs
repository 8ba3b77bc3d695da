//! Locks for hypervisors and RTOSes, behind [`lock_api`] 0.5: anything generic over
//! [`RawMutex`](lock_api::RawMutex) can use them, and be measured with each.
//!
//! ```
//! use hyp_locks::Ticket;
//!
//! static COUNTER: lock_api::Mutex<Ticket, u64> = lock_api::Mutex::new(0);
//! *COUNTER.lock() += 1;
//! ```
//!
//! # The locks
//!
//! | lock | order | release | take it when |
//! |---|---|---|---|
//! | [`Tas`], [`Ttas`] | none | one store | the lock is rarely held when somebody comes; a waiter must be able to give up |
//! | [`Ticket`] | first in, first out | one store | up to about eight cores |
//! | [`Mcs`] | first in, first out | one store to the waiter's line; without one a compare-exchange, may wait for a link | many cores, strict order, interrupts masked while it is waited for |
//! | [`Queued`] | first in, first out among those who wait | one store | many cores, interruptible holders |
//! | [`QSpin<C>`](QSpin) | first in, first out among those who wait | one store | many locks: four bytes each, 64 a CPU |
//! | [`Bakery<C, CPUS>`](Bakery) | first come, first served | one store | caches or MMU off: plain loads and stores |
//! | [`IrqSave<L, I>`](IrqSave) | as `L` | as `L` | interrupt handlers take it too |
//! | [`IrqDepth<L, I, C>`](IrqDepth) | as `L` | as `L` | the same, and guards are dropped in any order |
//! | [`IrqMask<I>`](IrqMask) | – | one store | one core |
//! | [`NoLock`] | – | one store | one core, no handler: the control in a measurement |
//! | [`Timed<L, K>`](Timed) | as `L`, but for those who may give up | as `L` | a wait must end at a deadline; with [`Doze`](timed::Doze) it sleeps meanwhile, until a release or the deadline (`WFET`) |
//! | [`Checked<L, K>`](Checked) | as `L` | as `L` | debugging: recursion, long and crossing sections are named |
//! | [`Instrumented<L, P>`](Instrumented) | as `L` | as `L` | wait, hold and handover are to be measured |
//! | `Compat04<R>` | as `R`, which the type does not tell | as `R` | the lock is written for `lock_api` 0.4: `SpinTicket`, `SpinMutex` |
//! | `RawSpinlock<R>` | none | one store | `spinning_top`'s, as it is (feature `spinning_top`) |
//!
//! What handlers take, too, is taken with interrupts masked. On AArch64:
//!
//! ```text
//! use hyp_locks::{Daif, IrqSave, Ticket};
//!
//! static PENDING: lock_api::Mutex<IrqSave<Ticket, Daif>, u32> = lock_api::Mutex::new(0);
//! ```
//!
//! Decorators go around each other in this order, the outermost first, each of them or not: [`Timed`], [`Checked`],
//! [`IrqSave`] or [`IrqDepth`], [`Instrumented`], the lock. `Timed` is outermost because what it adds to a lock, the others do
//! not pass on; then a wait with a deadline has interrupts unmasked between two tries, and one for a lock that this CPU
//! holds itself ends at the deadline, unreported; and `Instrumented` sees each of its tries alone.
//!
//! Not here, and why: **CLH** hands its nodes from waiter to waiter, so each lock needs one when it is made and gives one
//! back when it is dropped, which a lock with a constant initial value that may be dropped while it is held cannot do
//! without a heap or a pool; the crate `clhlock` has it, with a heap. **Cohort locks, CNA, TWA, Hemlock, Reciprocating
//! Locks**: there are patents or applications (Oracle).
//!
//! # Principles
//!
//! 1. **One file an algorithm**, with the state drawn, the transitions listed, and every atomic access argued.
//! 2. **Proved, not hoped for**: loom runs every interleaving of small models of each algorithm, the larger ones within a
//!    bound, and must find each ordering weakened, each store left out, and each known-bad variant; miri and
//!    `ThreadSanitizer` run the laws; the same laws run on bare metal (`laws`), where a handler comes after each
//!    instruction, too.
//! 3. **Waiting knows the address** ([`wait`]): AArch64 sleeps in `WFE` on the word that will change.
//! 4. **Decorate, don't fork**: interrupts, measurement and waiting are type parameters.
//! 5. **Locks know no allocator, no board, no OS**; what they need of one is a trait.
//! 6. **A locked lock may be moved, dropped, and its guard forgotten**: no lock knows its own address, and nothing
//!    but a waiter's own frame holds a queue node.
//!
//! # Features, all off by default
//!
//! | feature | gives |
//! |---|---|
//! | `spin` | `Compat04`, `SpinTicket`, `SpinMutex` |
//! | `spinning_top` | `RawSpinlock`, `TicketRelax`, `RelaxWith` |
//! | `critical-section` | `CriticalSection<P>`, and `Nested`, the promise that it wants of `P` |
//! | `cortex-a` | `Daif`, `DaifIf` on AArch64 bare metal; reads `DAIF` through the crate `aarch64-cpu`, as its maintainers have renamed `cortex-a` |
//! | `cortex-m` | `Primask`, `BasePri`: the program runs on a Cortex-M, which no `cfg` tells |
//! | `laws` | `laws`: what every lock must do, to be run on any machine |
//! | `recorder` | `Recorder`, the host double of an interrupt control; and `std` |
//! | `std` | `wait::Yield`, `timed::Monotonic` |

#![no_std]

#[cfg(any(feature = "std", loom))]
extern crate std;

pub mod bakery;
#[cfg(not(loom))] // it adds nothing to be modelled
pub mod checked;
#[cfg(feature = "spin")]
pub mod compat;
pub mod cpu;
pub mod instrumented;
pub mod irq;
#[cfg(all(feature = "laws", not(loom)))] // a law runs for real, a model does not
pub mod laws;
pub mod mcs;
pub mod no_lock;
pub mod qspin;
pub mod queued;
#[cfg(not(loom))]
mod sync;
#[cfg(loom)]
pub mod sync;
pub mod tas;
pub mod ticket;
pub mod timed;
pub mod ttas;
pub mod wait;

pub use bakery::Bakery;
#[cfg(not(loom))]
pub use checked::{Check, Checked, Fault};
#[cfg(feature = "spin")]
pub use compat::{Compat04, SpinMutex, SpinTicket};
pub use cpu::CpuId;
pub use instrumented::{Acquired, Instrumented, Probe};
#[cfg(any(doc, all(any(target_arch = "riscv32", target_arch = "riscv64"), target_os = "none")))]
pub use irq::Sstatus;
#[cfg(any(doc, all(target_arch = "aarch64", target_os = "none")))]
pub use irq::{AllInt, Pmr};
#[cfg(all(feature = "cortex-m", any(doc, all(target_arch = "arm", target_os = "none"))))]
pub use irq::{BasePri, Primask};
#[cfg(feature = "critical-section")]
pub use irq::{CriticalSection, Nested};
#[cfg(all(feature = "cortex-a", any(doc, all(target_arch = "aarch64", target_os = "none"))))]
pub use irq::{Daif, DaifIf};
pub use irq::{Depth, Depths, InterruptControl, IrqDepth, IrqMask, IrqSave, IrqSlot, SingleCore};
#[cfg(feature = "recorder")]
pub use irq::{Event, Recorder};
pub use mcs::Mcs;
pub use no_lock::NoLock;
pub use qspin::QSpin;
pub use queued::Queued;
#[cfg(feature = "spinning_top")]
pub use spinning_top::RawSpinlock;
pub use tas::Tas;
pub use ticket::Ticket;
pub use timed::{Clock, Timed};
pub use ttas::Ttas;

/// A ticket lock that waits with a `spinning_top` [`Relax`](spinning_top::relax::Relax).
///
/// Prefer one that waits a constant time: exponential backoff, in a queue, makes everyone behind the sleeper wait.
#[cfg(feature = "spinning_top")]
pub type TicketRelax<R = spinning_top::relax::Spin> = Ticket<wait::RelaxWith<R>>;
