//! The suite and the bench agent at EL1, as in the kernel of a guest or of a machine without a hypervisor.
//!
//! ```text
//! qemu-system-aarch64 -machine virt,gic-version=3 … -kernel qemu-virt-el1 -append "suite"
//! ```

#![cfg_attr(target_os = "none", no_std, no_main)]

qemu_virt::image!(El1, qemu_virt::agent);
