//! The measured loop of the instrument: the same on a host and on bare metal.
//!
//! ```text
//!  Request ──► Plan ──► Scenario × repeat          plan: what, in which order, how long
//!                          │
//!                       measure ─┬─ pool: strategy × lock, over the Arena       pages
//!                                ├─ workers on cores: Gate, warm-up, fixed time  gate, worker
//!                                │    └─ each: a Load, one operation a step      subject, load
//!                                └─ Instrumented lock ──► Samples, by core       samples, histogram
//!                          ▼
//!                         Pass                      record: ticks and counts, as JSON
//! ```
//!
//! # Principles
//!
//! 1. **Fixed time, not fixed work**: who is fast goes on, so that nobody is left to run alone. How far the times that the
//!    cores measured overlap is in the record.
//! 2. **A speed is measured without instruments.** Waiting, holding and handing over are measured in a pass of their
//!    own; what the instruments cost is the ratio of the two speeds.
//! 3. **Nothing is believed that was not checked**: after every pass the pool must be whole, and all of it free.
//! 4. **Raw data leaves here**, and is interpreted once, on the host.

#![no_std]

#[cfg(feature = "schema")]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod arena;
pub mod axes;
mod burn;
mod controls;
pub mod frame;
mod gate;
pub mod histogram;
mod inside;
pub mod load;
pub mod machine;
mod measure;
pub mod own;
mod pages;
pub mod plan;
pub mod probe;
pub mod record;
mod samples;
mod section;
mod subject;
mod worker;

pub use arena::Arena;
pub use axes::{Axis, Lock, Mix, Set, Strategy, Workload};
pub use burn::Burnt;
pub use controls::{DELAY_NS, DETOUR_NS};
pub use machine::{MAX_CORES, Machine, Panicked};
pub use measure::{measure, refusal};
pub use plan::{Plan, Preset, Request};
pub use probe::{Clock, Transfer};
pub use record::{Pass, Scenario, Task, Wrong};
