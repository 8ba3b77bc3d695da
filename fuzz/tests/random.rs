//! The harness itself, on random operations: what the pool says has changed, and the model has not, is noticed on the
//! next change and not by the next one who fuzzes. Without the engine, coverage or a nightly toolchain:
//!
//! ```sh
//! cargo test --manifest-path fuzz/Cargo.toml --no-default-features --release
//! ```

use arbitrary::{Arbitrary, Unstructured};
use hyp_pool_fuzz::ops::{Op, Setup};
use hyp_pool_fuzz::{Input, run};

/// Strings of two lives each.
const STRINGS: usize = 4000;
/// Operations of a life: enough for magazines to overflow and for memory to run short.
const OPS: usize = 250;

#[test]
fn the_pool_and_the_model_agree_on_random_operations() {
    let mut rng = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..STRINGS {
        let lives = (0..2).map(|_| (made_of(&mut rng), (0..OPS).map(|_| made_of(&mut rng)).collect()));
        run(&Input { lives: lives.collect::<Vec<(Setup, Vec<Op>)>>() });
    }
}

/// A value of random bytes. Each gets more than it needs: who runs out of bytes gets zeros.
fn made_of<T: for<'b> Arbitrary<'b>>(rng: &mut u64) -> T {
    let bytes: Vec<u8> = (0..4)
        .flat_map(|_| {
            *rng ^= *rng << 13;
            *rng ^= *rng >> 7;
            *rng ^= *rng << 17;
            rng.to_le_bytes()
        })
        .collect();
    T::arbitrary(&mut Unstructured::new(&bytes)).expect("any bytes will do")
}
