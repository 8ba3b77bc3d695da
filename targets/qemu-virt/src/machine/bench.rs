//! To be written.
use super::level::Level;
pub(crate) fn run<L: Level>(_: &crate::Board<L>, _: &str) -> u8 {
    1
}
