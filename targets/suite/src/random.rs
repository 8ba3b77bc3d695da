//! Numbers without pattern, the same in every run: xorshift64* (Vigna, "An experimental exploration of
//! Marsaglia's xorshift generators", ACM TOMS 42, 2016).

/// A generator.
pub(crate) struct Random(u64);

impl Random {
    /// One for each core.
    pub(crate) fn new(core: usize) -> Self {
        // Any state but 0; the golden ratio spreads the cores.
        Self((core as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below `limit`, which is small.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }
}
