//! xorshift64*, with the seed of the original's measurements (Vigna, *An experimental exploration of Marsaglia's
//! xorshift generators, scrambled*, 2016).

/// The generator.
#[derive(Clone, Debug)]
pub struct Rng(u64);

/// What the original's measurements start from.
pub const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

impl Rng {
    /// The generator of a thread: the seed plus its number.
    #[must_use]
    pub fn of(thread: usize) -> Self {
        Self(SEED.wrapping_add(thread as u64))
    }

    /// The next number.
    #[inline]
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// `0..n` in random order (Fisher and Yates).
    #[must_use]
    pub fn permutation(mut self, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        for i in (1..n).rev() {
            order.swap(i, (self.draw() % (i as u64 + 1)) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn the_generator_is_the_one_of_the_paper() {
        // From the seed 1, by hand: 1 ^ 1 << 25 = 0x2000001, which a shift right by 27 leaves alone.
        assert_eq!(Rng(1).draw(), 0x200_0001_u64.wrapping_mul(0x2545_f491_4f6c_dd1d));
    }

    #[test]
    fn a_permutation_has_every_number_once_and_is_none_of_the_two_orders() {
        let order = Rng::of(0).permutation(1000);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..1000));
        let ascents = order.windows(2).filter(|w| w[0] < w[1]).count();
        assert!((400..600).contains(&ascents), "{ascents} ascents of 999");
    }
}
