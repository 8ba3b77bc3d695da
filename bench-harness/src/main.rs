//! The instrument; see the library for everything.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_harness::program::main()
}
