//! `Primask` and `BasePri` on a Cortex-M3, seen to mask: `PendSV` is the interrupt, pending when this program says so.
//!
//! ```sh
//! cargo build --release -p mps2-an385 --target thumbv7m-none-eabi
//! qemu-system-arm -machine mps2-an385 -nographic -semihosting-config enable=on,target=native \
//!     -kernel target/thumbv7m-none-eabi/release/mps2-an385
//! ```
//!
//! | | nothing masked | `Primask` | `BasePri`, urgent enough | `BasePri`, not urgent | a lock's section |
//! |---|---|---|---|---|---|
//! | it comes | at once | after it | at once | after it | after it |

#![cfg_attr(all(target_arch = "arm", target_os = "none"), no_std, no_main)]

#[cfg(all(target_arch = "arm", target_os = "none"))]
mod masks;

/// On a host there is nothing to run.
#[cfg(not(all(target_arch = "arm", target_os = "none")))]
fn main() -> std::process::ExitCode {
    eprintln!("this is an image for a Cortex-M: build it with --target thumbv7m-none-eabi");
    std::process::ExitCode::FAILURE
}
