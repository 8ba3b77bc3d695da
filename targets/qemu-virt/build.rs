//! Puts `memory.ld` and `near.ld` on the linker's search path, for the binaries that stand on this crate and for its example.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    // A copy, as aarch64-rt does with image.ld: a build directory may outlive the checkout that it was made from.
    let out = env::var("OUT_DIR").expect("cargo sets it");
    for script in ["memory.ld", "near.ld"] {
        println!("cargo::rerun-if-changed={script}");
        fs::copy(script, Path::new(&out).join(script))?;
    }
    println!("cargo::rustc-link-search={out}");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        println!("cargo::rustc-link-arg-examples=-Tnear.ld");
        println!("cargo::rustc-link-arg-examples=-Timage.ld");
        println!("cargo::rustc-link-arg-examples=-Tmemory.ld");
    }
    Ok(())
}
