//! The harness itself, on random strings: what the pool says has changed, and the model has not, is noticed on the next
//! change and not by the next one who fuzzes. Without the engine, coverage or a nightly toolchain:
//!
//! ```sh
//! cargo test --manifest-path fuzz/Cargo.toml --no-default-features --release
//! ```

use arbitrary::{Arbitrary, Unstructured};
use hyp_pool_fuzz::ops::{Op, Setup};
use hyp_pool_fuzz::{Input, run};

/// Random bytes, the same ones on every run.
fn bytes(rng: &mut u64, words: usize) -> Vec<u8> {
    let words = (0..words).flat_map(|_| {
        *rng ^= *rng << 13;
        *rng ^= *rng >> 7;
        *rng ^= *rng << 17;
        rng.to_le_bytes()
    });
    words.collect()
}

const SEED: u64 = 0x9E37_79B9_7F4A_7C15;
const ANY: &str = "any bytes will do";

/// As the engine makes strings of bytes.
#[test]
fn the_pool_and_the_model_agree_on_random_strings() {
    let mut rng = SEED;
    for _ in 0..2000 {
        let bytes = bytes(&mut rng, 128);
        run(&Input::arbitrary_take_rest(Unstructured::new(&bytes)).expect(ANY));
    }
}

/// Random bytes end a string after two calls or so, since each may be the last; these have hundreds.
#[test]
fn the_pool_and_the_model_agree_on_long_lives() {
    let mut rng = SEED;
    for _ in 0..200 {
        let bytes = bytes(&mut rng, 1024);
        let mut rest = Unstructured::new(&bytes);
        let setup = Setup::arbitrary(&mut rest).expect(ANY);
        let ops: Vec<Op> = (0..600).map(|_| Op::arbitrary(&mut rest).expect(ANY)).collect();
        run(&Input { lives: vec![(setup, ops)] });
    }
}
