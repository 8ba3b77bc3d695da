//! The statuses that an image exits with, as the shell sees them when QEMU has semihosting.

/// All is well.
pub const PASSED: u8 = 0;
/// A case failed, or a measurement was not valid.
pub const FAILED: u8 = 1;
/// The kernel command line asks for something that there is not.
pub const BAD_BOOTARGS: u8 = 2;
/// The machine is not one that this image can run on.
pub const BAD_MACHINE: u8 = 3;
/// A panic, on any core, as of a Rust program.
pub const PANIC: u8 = 101;
/// An exception or interrupt that nobody expects, on any core.
pub const EXCEPTION: u8 = 102;
