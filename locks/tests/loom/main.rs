//! Every interleaving, and every value that a load may return, of small models of each algorithm; and known-bad
//! variants that the models must find:
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p hyp-locks --release --tests
//! ```
//!
//! | file | |
//! |---|---|
//! | `model` | the models, generic over the lock |
//! | `proof` | the algorithms as they are: the models hold |
//! | `mutants` | every ordering weakened, one by one: the models tell |
//! | `bad` | steps left out, or done in two: the models tell |
//!
//! What loom does not do: load buffering, and telling a `SeqCst` access from an `AcqRel` one (nothing here uses it;
//! fences it tells). A `SeqCst` fence also synchronizes with those before it, which C11 does not promise: for what a
//! section hands to the next one, a model with such fences shows too little, and the argument is in the file's table. A
//! queue node's end is an access of its own (`hyp_locks::sync`), so one that nothing orders before it is found; that an
//! address is used after its frame is gone is miri's to find, in the laws, but for the fault in `bad` that leads there.

#![cfg(loom)]

mod bad;
mod model;
mod mutants;
mod proof;
