//! The suite and the bench agent at EL2, as in a hypervisor.
//!
//! ```text
//! qemu-system-aarch64 -machine virt,gic-version=3,virtualization=on … -kernel qemu-virt-el2 -append "suite"
//! ```

#![cfg_attr(target_os = "none", no_std, no_main)]

qemu_virt::image!(El2, qemu_virt::agent);
