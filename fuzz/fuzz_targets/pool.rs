//! The whole interface of the pool, driven by bytes. See the crate's documentation.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: hyp_pool_fuzz::Input| hyp_pool_fuzz::run(&input));
