//! A hypervisor that embeds the pool: read `hypervisor.rs`.
//!
//! ```text
//! cargo build --release -p qemu-virt --example embed --target aarch64-unknown-none-softfloat
//! qemu-system-aarch64 -machine virt,gic-version=3,virtualization=on -cpu cortex-a72 -nographic \
//!     -semihosting-config enable=on,target=native -kernel …/release/examples/embed
//! ```

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod hypervisor;

qemu_virt::image!(El2, hypervisor::main);
