//! The `virt` machine of QEMU: a board for images that test and measure.
//!
//! ```text
//!   image!(El1, main)          the macro of a binary: reset code, page table, vectors, stack
//!        │
//!      boot ──► dt ──► gic ──► cores          finds the machine, starts all of it
//!        │
//!      Board<L>                               what main gets: run_on, with_timer, step, now, console
//!        │
//!   ┌────┴────┬─────────┬─────────┬─────────┐
//! cores    timer      step     console    exit    L: Level is El1 or El2, and all that differs between them
//! ```
//!
//! An image is a program of the `aarch64-unknown-none-softfloat` target, as kernels are: the vectors do not save
//! the SIMD registers. On a host this crate is all but empty, and [`image!`] makes a program that says how to run
//! the image: `cargo build`, `test`, `clippy` and `doc` need no bare-metal target.
//!
//! Statuses that an image exits with: see [`status`]. Kernel command lines: see [`bootargs`].

#![no_std]

pub mod bootargs;
pub mod exclusive;
pub mod status;

#[cfg(all(target_os = "none", target_arch = "aarch64"))]
mod machine;
#[cfg(all(target_os = "none", target_arch = "aarch64"))]
pub use machine::*;

#[cfg(not(all(target_os = "none", target_arch = "aarch64")))]
mod stub;

#[cfg(all(target_os = "none", target_arch = "aarch64", target_feature = "neon"))]
compile_error!(
    "the vectors save no SIMD register, so an interrupt handler must not use one: \
     build with --target aarch64-unknown-none-softfloat"
);
