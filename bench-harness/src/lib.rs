//! The instrument's host program.
pub mod record;
pub mod summary;
pub mod report;
