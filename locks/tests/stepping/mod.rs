//! An interrupt after any one instruction of a piece of code: the processor's own single-step trap stands for it.

use std::arch::asm;
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Once;

/// The trap flag of `EFLAGS`.
const TRAP: i64 = 1 << 8;

thread_local! {
    static COUNTDOWN: Cell<usize> = const { Cell::new(0) };
    static HANDLER: Cell<Option<fn()>> = const { Cell::new(None) };
}

extern "C" fn on_trap(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    match COUNTDOWN.get() {
        0 => {
            // SAFETY: the kernel hands a handler with SA_SIGINFO a context of this type.
            let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
            context.uc_mcontext.gregs[libc::REG_EFL as usize] &= !TRAP; // the rest runs on
            if let Some(handler) = HANDLER.take() {
                handler();
            }
        }
        left => COUNTDOWN.set(left - 1),
    }
}

/// `code`, interrupted by `handler` after instruction `at`; whether it was that long.
///
/// The handler may use what a signal handler may, and thread-locals that are `const`.
pub(crate) fn interrupted<R>(at: usize, handler: fn(), code: impl FnOnce() -> R) -> (bool, R) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: all-zero is a valid `sigaction`: no flags, an empty mask.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        action.sa_flags = libc::SA_SIGINFO;
        action.sa_sigaction = on_trap as *const () as usize;
        // SAFETY: `on_trap` has the signature that SA_SIGINFO asks for, and accesses const thread-locals alone.
        assert_eq!(unsafe { libc::sigaction(libc::SIGTRAP, &raw const action, ptr::null_mut()) }, 0);
    });
    COUNTDOWN.set(at);
    HANDLER.set(Some(handler));
    // SAFETY: sets the trap flag; each instruction ends in `on_trap` from here on.
    unsafe { asm!("pushfq", "or dword ptr [rsp], 0x100", "popfq") };
    let result = code();
    // SAFETY: clears it.
    unsafe { asm!("pushfq", "and dword ptr [rsp], ~0x100", "popfq") };
    (HANDLER.take().is_none(), result)
}
