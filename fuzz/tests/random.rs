//! The harness itself, on random strings: what the pool says has changed, and the model has not, is noticed on the next
//! change and not by the next one who fuzzes. Without the engine, coverage or a nightly toolchain:
//!
//! ```sh
//! cargo test --manifest-path fuzz/Cargo.toml --no-default-features --release
//! ```

use arbitrary::{Arbitrary, Unstructured};
use hyp_pool_fuzz::{Input, ops::Op, run};

/// Calls of each pool. `arbitrary` by itself would end a string after every other call: what needs a block that was
/// allocated some way, and put another, would not come up.
const CALLS: usize = 120;

#[test]
fn the_pool_and_the_model_agree_on_random_strings() {
    let mut rng = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..512)
            .flat_map(|_| {
                rng ^= rng << 13;
                rng ^= rng >> 7;
                rng ^= rng << 17;
                rng.to_le_bytes()
            })
            .collect();
        let mut bytes = Unstructured::new(&bytes);
        let lives = (0..2).map(|_| {
            let setup = Arbitrary::arbitrary(&mut bytes)?;
            let calls = (0..CALLS).map(|_| Op::arbitrary(&mut bytes)).collect::<Result<_, _>>()?;
            Ok::<_, arbitrary::Error>((setup, calls))
        });
        run(&Input { lives: lives.collect::<Result<_, _>>().expect("any bytes will do") });
    }
}
