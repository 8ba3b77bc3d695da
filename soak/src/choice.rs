//! What can be chosen of a pool: its lock, and who counts.

use clap::ValueEnum;

/// The lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Lock {
    /// First in, first out; all wait on one word
    Ticket,
    /// First in, first out; each waits on a word of its own
    Mcs,
    /// A flag, and a queue of those who wait for it
    Queued,
    /// A flag for all, in no order
    Ttas,
    /// Excludes, and orders nothing: the negative control, which ThreadSanitizer must catch
    Unordered,
}

/// How references are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Counts {
    /// Without the lock, but for the last one
    Atomic,
    /// Under the lock
    Merged,
}
