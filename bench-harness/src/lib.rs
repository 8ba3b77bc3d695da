//! The instrument's host program: which lock for this machine?
//!
//! ```text
//!  arguments ──► session ──┬─ local (host)    threads of this program ─┐
//!  (a request)             ├─ qemu            an emulated board ───────┤
//!                          ├─ serial          a board ─────────────────┤
//!                          └─ ssh             another machine ─────────┤
//!                                                            events    ▼
//!                            records ◄── write ◄─────────────────── follow
//!                               │                                      │
//!                             read ──────────► collect ◄───────────────┘
//!                                                 ▼ summary
//!                                      answer, table, report, export
//! ```
//!
//! 1. **Raw records first.** A pass is on disk before the next one begins; everything that is shown can be worked out
//!    again from the file.
//! 2. **Every run ends**: with everything, after Ctrl-C, or because nothing has happened for too long; and says which.
//! 3. **A figure without its doubts is none**: ranges, overlap, the instruments' cost, and what of the machine disturbs
//!    are shown with it; a pass that failed its check has no figures.

pub use lock_api;

pub mod ab;
pub mod answer;
pub mod arguments;
pub mod because;
pub mod busy;
pub mod collect;
pub mod compare;
pub mod console;
pub mod details;
pub mod events;
pub mod export;
pub mod fleet;
pub mod follow;
pub mod host;
pub mod ingest;
pub mod interrupt;
pub mod lead;
pub mod list;
pub mod local;
#[cfg(test)]
mod made_up;
pub mod method;
pub mod outline;
pub mod own;
pub mod placement;
pub mod program;
pub mod progress;
pub mod protocol;
pub mod provenance;
pub mod qemu;
pub mod read;
pub mod record;
pub mod replay;
pub mod report;
pub mod resume;
pub mod scenario;
pub mod schema;
pub mod serial;
pub mod session;
pub mod ssh;
pub mod statistics;
pub mod stream;
pub mod summary;
pub mod table;
pub mod write;
