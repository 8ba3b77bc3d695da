//! What masks interrupts on each target, as functions: so that the assembler reads what a generic library leaves to its
//! users, and a person may read what it made of it. Built, never run.
//!
//! ```text
//! cargo rustc -p masks --release --target riscv64imac-unknown-none-elf -- --emit asm
//! ```
//!
//! On a host, and on bare x86, which has no control here, it is empty.

#![no_std]

#[cfg(all(target_os = "none", not(target_arch = "x86_64")))]
use hyp_locks::{InterruptControl, IrqSave, Ticket};
#[cfg(all(target_os = "none", not(target_arch = "x86_64")))]
use lock_api::RawMutex;

/// Functions named after the control: a section of nothing but the mask, and the call of a lock.
#[cfg(all(target_os = "none", not(target_arch = "x86_64")))]
macro_rules! masks {
    ($($section:ident, $lock:ident: $control:ty;)*) => {$(
        #[doc = concat!("A section under `", stringify!($control), "`.")]
        #[inline(never)]
        pub fn $section(section: fn()) {
            let state = <$control>::save_and_mask();
            section();
            // SAFETY: saved above, on this CPU, and given back once.
            unsafe { <$control>::restore(state) };
        }

        #[doc = concat!("The same with a lock, `IrqSave<Ticket, ", stringify!($control), ">`.")]
        #[inline(never)]
        pub fn $lock(lock: &IrqSave<Ticket, $control>, section: fn()) {
            let guard = lock.lock();
            section();
            // SAFETY: acquired above.
            unsafe { lock.unlock(guard) };
        }
    )*};
}

#[cfg(all(target_os = "none", target_arch = "aarch64"))]
masks! {
    pmr, pmr_ticket: hyp_locks::Pmr<0xa0>;
    pmr_sync, pmr_sync_ticket: hyp_locks::Pmr<0xa0, true>;
    allint, allint_ticket: hyp_locks::AllInt;
}

#[cfg(all(target_os = "none", any(target_arch = "riscv32", target_arch = "riscv64")))]
masks! {
    sstatus, sstatus_ticket: hyp_locks::Sstatus;
}

#[cfg(all(target_os = "none", target_arch = "arm"))]
masks! {
    primask, primask_ticket: hyp_locks::Primask;
    basepri, basepri_ticket: hyp_locks::BasePri<0x80>;
}
