//! The pool, and every page allocator that one could pick instead, on the same workloads in one run.
//!
//! ```sh
//! cargo run --profile measured -p peers                       # all of it, less than five minutes
//! cargo run --profile measured -p peers -- --quick --only W1,W4 --subjects pool,bitmap
//! cargo run --profile measured -p peers -- instructions       # instructions an operation, under valgrind
//! cargo run --profile measured -p peers -- locks              # our locks and those of others
//! ```
//!
//! What is done: [`workloads`]; of locks, [`locks`]. By whom: [`subjects`]. How it is timed, and what is left out: [`measure`]. Repetitions
//! are outermost, and in each the subjects take turns, another one first each time: what changes on the machine meets
//! them all. A ratio is the median of the ratios within a repetition.

pub mod arena;
pub mod arguments;
pub mod instructions;
pub mod interrupt;
pub mod json;
pub mod limits;
pub mod locks;
pub mod measure;
pub mod report;
pub mod results;
pub mod rng;
pub mod session;
pub mod statistics;
pub mod subject;
pub mod subjects;
pub mod workloads;
