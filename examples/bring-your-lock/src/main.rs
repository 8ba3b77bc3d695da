//! `bench-harness` with two locks more, one in Rust and one in C, and a workload more.
//!
//! ```sh
//! cargo run --release -p bring-your-lock -- --lock ticket,my-tas,c-ticket --workload section,my-churn --strategy merged
//! ```

mod my_churn;
mod my_tas;

use std::process::ExitCode;

use bench_harness::own::{Own, main_with};

bench_harness::c_lock! {
    /// The ticket lock of `ticket.c`.
    struct CTicket([u32; 2]);
    lock = ticket_lock;
    unlock = ticket_unlock;
}

fn main() -> ExitCode {
    main_with(&[
        Own::lock::<my_tas::MyTas>("my-tas", "a test-and-set lock of one's own", false),
        Own::lock::<CTicket>("c-ticket", "a ticket lock in C, by its lock and unlock", true),
        Own::workload::<my_churn::MyChurn>("my-churn", "three pages, put in the order of their coming"),
    ])
}
