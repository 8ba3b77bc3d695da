//! `cargo ci`: one matrix file, one program that runs its jobs, and nothing else that knows a job.
//!
//! ```text
//!  matrix.toml ──► matrix ──► expand ──► choose ──► run ──► summary
//!  (promises)      (typed)    (axes)     (names)     │
//!                                                    ├── needs ──► install   what a job stands on
//!                                                    ├── step                one command, its log, its time
//!                                                    └── progress            one line on the terminal
//! ```
//!
//! 1. **A job is a promise.** The matrix says in a sentence what a green job means, and lists the commands that
//!    show it. Each of them can be typed by hand; on failure the program prints the line to type.
//! 2. **Nothing is skipped in silence.** What a job needs is installed, or the job fails and says what to type.
//! 3. **Every job ends.** A job past its budget is killed with all that it started, and has failed; the budgets
//!    together are bounded by the matrix.
//! 4. **The same on a desk and on a server.** The workflow calls this program, and a test holds its list of jobs to
//!    the matrix.

pub mod choose;
pub mod command;
pub mod expand;
pub mod install;
pub mod interrupt;
pub mod log;
pub mod matrix;
pub mod needs;
pub mod progress;
pub mod run;
pub mod step;
pub mod summary;
pub mod tables;
