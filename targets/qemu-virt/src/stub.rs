//! What an image is on a host.

/// Makes a program that says what it is and how to run it, and exits with status 2.
#[macro_export]
macro_rules! image {
    ($level:ident, $main:path) => {
        fn main() -> std::process::ExitCode {
            let name = env!("CARGO_CRATE_NAME").replace('_', "-");
            eprintln!("{name} is a bare-metal image for the `virt` machine of QEMU, at {}.", stringify!($level));
            eprintln!("This is only its stub: the image is built with --target aarch64-unknown-none-softfloat.");
            eprintln!("To build and boot it on emulated cores, and see its records in a report:");
            eprintln!("    cargo run --release -p bench-harness -- run --on qemu-virt-el1   (or -el2)");
            eprintln!("By hand: targets/README.md.");
            std::process::ExitCode::from(2)
        }
    };
}
