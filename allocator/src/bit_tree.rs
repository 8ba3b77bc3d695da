//! Candidate A, for the measurement: two link words a frame.
use crate::frame::Frame;

#[derive(Clone, Copy)]
pub(crate) struct Links<'t>(pub(crate) &'t [Frame]);

pub(crate) const END: u32 = (1 << 26) - 1;

impl Links<'_> {
    #[inline]
    pub(crate) fn prev(self, at: usize) -> u32 { self.0[2 * at].raw_bits() & END }
    #[inline]
    pub(crate) fn is_free(self, at: usize, order: u8) -> bool { self.0.get(2 * at).is_some_and(|w| w.raw_bits() >> 26 == 0b100000 | u32::from(order)) }
    #[inline]
    pub(crate) fn set_prev(self, at: usize, order: u8, prev: u32) { self.0[2 * at].set_raw_bits((0b100000 | u32::from(order)) << 26 | prev) }
    #[inline]
    pub(crate) fn set_out(self, at: usize) { self.0[2 * at].set_raw_bits(1 << 30) }
    #[inline]
    pub(crate) fn next(self, at: usize) -> u32 { self.0[2 * at + 1].raw_bits() & END }
    #[inline]
    pub(crate) fn set_next(self, at: usize, next: u32) { self.0[2 * at + 1].set_raw_bits(1 << 30 | next) }
}
