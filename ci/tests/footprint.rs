//! The code of a pool with a ticket lock is no larger than 6 KiB on AArch64.
//!
//! Builds `targets/footprint` and weighs it. To see the figures:
//!
//! ```text
//! cargo test -p ci --test footprint -- --nocapture
//! ```

use object::{Object, ObjectSection, ObjectSymbol};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const TARGET: &str = "aarch64-unknown-none-softfloat";
const LIMIT: u64 = 6 << 10;

/// Bytes of code, and of the static pool.
fn footprint(features: &str) -> (u64, u64) {
    let directory = tempfile::tempdir().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "footprint", "--profile", "small", "--target", TARGET]);
    cargo.args(["--features", features]).arg("--target-dir").arg(directory.path()).current_dir(ROOT);
    assert!(cargo.status().unwrap().success(), "if there is no such target: rustup target add {TARGET}");
    let image = std::fs::read(directory.path().join(TARGET).join("small/footprint")).unwrap();
    let image = object::File::parse(&*image).unwrap();
    let pool = image.symbols().find(|symbol| symbol.name().is_ok_and(|name| name.contains("4POOL"))).unwrap();
    (image.section_by_name(".text").unwrap().size(), pool.size())
}

#[test]
fn a_pool_and_its_ticket_lock_are_six_kibibytes_of_code() {
    let (text, pool) = footprint("");
    let (all, _) = footprint("extras");
    println!("init, alloc, get, put, split, count: {text} bytes of code; the pool itself: {pool} bytes");
    println!("with an owner, a magazine and bulk calls: {all} bytes of code");
    assert!(text <= LIMIT, "{text} bytes");
    assert!(text < all, "the extras are not in the image");
}
