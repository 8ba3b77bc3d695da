//! A set of small numbers as a tree of bits, 16 to a word: a bit in a higher level says that the word below it
//! is not zero.
//!
//! ```text
//! level 2                  0 … 0 1                     one word: where to look in level 1
//!                                │
//! level 1        0 … 0 1 1       0 … 0 0               which words of level 0 are not zero
//!                      │ │
//! level 0   0…010  0…0110  0…0  …                      bit n of word w: number 16 w + n is in the set
//! ```
//!
//! Insertion and removal go up as long as a word becomes, or ceases to be, zero: mostly one word. The smallest
//! number is found on the way down with one count of zeros a level. There are at most eight levels, and four for
//! 65 536 numbers. No pointer, no order of insertion; two neighbours 2n and 2n + 1 are bits of one word.
//!
//! The words are a part of the frame table, and are changed under the lock that guards the free areas. Half of each
//! says that a pool has claimed it, lest an empty one be taken for a word that nobody uses.

use crate::frame::Frame;

const BITS: usize = 16;

/// Levels of the largest tree: 16^8 is more than [`MAX_FRAMES`](crate::frame::MAX_FRAMES).
const MAX_LEVELS: usize = 8;

/// Words of a tree for `numbers` numbers, all levels together.
pub(crate) const fn words(numbers: usize) -> usize {
    let mut level = numbers.div_ceil(BITS);
    let mut sum = level;
    while level > 1 {
        level = level.div_ceil(BITS);
        sum += level;
    }
    sum
}

/// A view of one tree's words, level 0 first.
#[derive(Clone, Copy)]
pub(crate) struct BitTree<'t> {
    words: &'t [Frame],
    /// Words of level 0.
    leaves: usize,
}

impl<'t> BitTree<'t> {
    /// The tree for `numbers` numbers in the first [`words(numbers)`](words) of `words`.
    #[inline]
    pub(crate) const fn new(words: &'t [Frame], numbers: usize) -> Self {
        Self { words, leaves: numbers.div_ceil(BITS) }
    }

    #[inline]
    fn word(&self, at: usize) -> u32 {
        self.words[at].bits()
    }

    #[inline]
    pub(crate) fn contains(&self, number: usize) -> bool {
        self.word(number / BITS) >> (number % BITS) & 1 == 1
    }

    /// Adds `number`, which is not in the set.
    #[inline]
    pub(crate) fn insert(&self, mut number: usize) {
        let (mut start, mut len) = (0, self.leaves);
        loop {
            let word = &self.words[start + number / BITS];
            let before = word.bits();
            word.set_bits(before | 1 << (number % BITS));
            // INVARIANT: above a word that was not zero there is a bit already.
            if before != 0 || len <= 1 {
                return;
            }
            number /= BITS;
            start += len;
            len = len.div_ceil(BITS);
        }
    }

    /// Takes out `number`, which is in the set.
    #[inline]
    pub(crate) fn remove(&self, mut number: usize) {
        let (mut start, mut len) = (0, self.leaves);
        loop {
            let word = &self.words[start + number / BITS];
            let after = word.bits() & !(1 << (number % BITS));
            word.set_bits(after);
            // INVARIANT: the bit above a word goes when the word becomes zero.
            if after != 0 || len <= 1 {
                return;
            }
            number /= BITS;
            start += len;
            len = len.div_ceil(BITS);
        }
    }

    /// The smallest number in the set.
    #[inline]
    pub(crate) fn first(&self) -> Option<usize> {
        let mut starts = [0; MAX_LEVELS];
        let (mut top, mut len) = (0, self.leaves);
        while len > 1 && top < MAX_LEVELS - 1 {
            starts[top + 1] = starts[top] + len;
            len = len.div_ceil(BITS);
            top += 1;
        }
        let mut number = 0;
        for level in (0..=top).rev() {
            let word = self.word(starts[level] + number);
            // INVARIANT: zero at the top alone, and then the set is empty.
            if word == 0 {
                return None;
            }
            number = number * BITS + word.trailing_zeros() as usize;
        }
        Some(number)
    }

    /// How many numbers there are, if every level agrees with the one below. For the referee.
    pub(crate) fn count(&self) -> Option<usize> {
        let mut count = 0;
        let (mut start, mut len) = (0, self.leaves);
        for leaf in 0..len {
            count += self.word(leaf).count_ones() as usize;
        }
        while len > 1 {
            let above = start + len;
            for at in 0..len.div_ceil(BITS) * BITS {
                let below = at < len && self.word(start + at) != 0;
                if below != (self.word(above + at / BITS) >> (at % BITS) & 1 == 1) {
                    return None;
                }
            }
            start = above;
            len = len.div_ceil(BITS);
        }
        Some(count)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    fn agrees_with_a_set(numbers: usize, steps: usize) {
        let table: Vec<Frame> = (0..words(numbers)).map(|_| Frame::VACANT).collect();
        let tree = BitTree::new(&table, numbers);
        let mut set = BTreeSet::new();
        let mut rng = 0x9E37_79B9_7F4A_7C15_u64;
        for step in 0..steps {
            rng ^= rng << 13;
            rng ^= rng >> 7;
            rng ^= rng << 17;
            let number = if step % 16 < 8 { rng as usize % numbers } else { rng as usize % numbers.min(40) };
            if set.insert(number) {
                assert!(!tree.contains(number));
                tree.insert(number);
            } else {
                set.remove(&number);
                tree.remove(number);
            }
            assert_eq!(tree.contains(number), set.contains(&number));
            assert_eq!(tree.first(), set.first().copied());
        }
        assert_eq!(tree.count(), Some(set.len()));
        while let Some(number) = tree.first() {
            tree.remove(number);
            assert!(set.remove(&number));
        }
        assert!(set.is_empty());
        assert!(table.iter().all(|word| word.bits() == 0));
    }

    #[test]
    fn a_tree_is_a_set() {
        for numbers in [1, 2, 15, 16, 17, 255, 256, 257, 64 * 1024 + 1] {
            agrees_with_a_set(numbers, if cfg!(miri) { 200 } else { 20_000 });
        }
    }

    #[test]
    fn a_level_that_disagrees_is_noticed() {
        let table: Vec<Frame> = (0..words(257)).map(|_| Frame::VACANT).collect();
        let tree = BitTree::new(&table, 257);
        tree.insert(256);
        for word in &table {
            let before = word.bits();
            word.set_bits(before ^ 2);
            assert_ne!(tree.count(), Some(1));
            word.set_bits(before);
        }
        assert_eq!(tree.count(), Some(1));
    }

    #[test]
    fn a_tree_is_as_large_as_it_must_be() {
        assert_eq!((words(1), words(16), words(17), words(257)), (1, 1, 3, 17 + 2 + 1));
        assert!(words(1 << 30) < (1 << 30) / 14);
    }
}
