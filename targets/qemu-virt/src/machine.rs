//! The machine itself, one concept a file.

#[macro_use]
pub mod console;

mod agent;
mod bench;
mod board;
#[doc(hidden)]
pub mod boot;
mod cores;
mod cpu;
mod dt;
mod el1;
mod el2;
mod exit;
mod gic;
mod level;
mod mmu;
mod step;
mod timer;
#[doc(hidden)]
pub mod vectors;

#[doc(hidden)]
pub use aarch64_rt as rt;
pub use agent::agent;
pub use board::Board;
pub use cores::MAX_CORES;
pub use dt::Machine;
pub use el1::El1;
pub use el2::El2;
pub use exit::exit;
pub use level::Level;
