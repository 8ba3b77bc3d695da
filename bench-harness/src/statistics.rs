//! How sure a figure is, and whether two differ.
//!
//! | | after | what it does not assume |
//! |---|---|---|
//! | [`Spread`] | percentile bootstrap of the median (Efron, *Bootstrap methods: another look at the jackknife*, 1979) | a distribution |
//! | [`ratio`] | the same, of the ratio of two medians | pairs |
//! | [`rank_test`] | Mann and Whitney, *On a test of whether one of two random variables is stochastically larger*, 1947 | a distribution; but that repeats are independent |
//! | [`holm`] | Holm, *A simple sequentially rejective multiple test procedure*, 1979 | that the tests are independent |
//!
//! Resampling starts from the same seed each time: the same records give the same intervals.

/// How often is resampled.
const RESAMPLES: usize = 2000;

/// From so many repeats on, an interval tells something: with five, the median of a resample is one of the two ends in one
/// of seventeen.
pub const ENOUGH: usize = 6;

/// A figure over the repeats: its median, and where it would be in 95 of 100 runs like this one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spread {
    /// The one in the middle; of an even number, the mean of the two.
    pub median: f64,
    /// The lower end of the interval; of fewer than [`ENOUGH`] repeats, the smallest.
    pub low: f64,
    /// The upper end; of fewer, the largest.
    pub high: f64,
}

impl Spread {
    /// Of `values`; `None` if there are none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (&smallest, &largest) = (values.first()?, values.last()?);
        let median = middle(&values);
        if values.len() < ENOUGH {
            return Some(Self { median, low: smallest, high: largest });
        }
        let mut random = Random(SEED);
        let [low, high] = interval((0..RESAMPLES).map(|_| random.median_of(&values)).collect());
        Some(Self { median, low, high })
    }

    /// Whether the intervals have a value in common: then the two figures are not told apart.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// The median of `b` by that of `a`, of independent repeats. `None` if one has none.
#[must_use]
pub fn ratio(a: &[f64], b: &[f64]) -> Option<Spread> {
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        (!values.is_empty()).then_some(values)
    };
    let (a, b) = (sorted(a)?, sorted(b)?);
    let mut random = Random(SEED);
    let ratios = (0..RESAMPLES).map(|_| random.median_of(&b) / random.median_of(&a)).collect();
    let [low, high] = interval(ratios);
    Some(Spread { median: middle(&b) / middle(&a), low, high })
}

/// Of sorted values.
fn middle(sorted: &[f64]) -> f64 {
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

/// What 95 of 100 lie between.
fn interval(mut values: Vec<f64>) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    let out = values.len() / 40;
    [values[out], values[last - out]]
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// xorshift64* (Vigna, 2016): good enough to draw indices with.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((u128::from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)) * n as u128) >> 64) as usize
    }

    /// The median of as many values drawn from `sorted`, each of which may come several times.
    fn median_of(&mut self, sorted: &[f64]) -> f64 {
        let n = sorted.len();
        let mut times = vec![0_usize; n]; // counting sort: the values are sorted already
        (0..n).for_each(|_| times[self.below(n)] += 1);
        let at = |rank: usize| {
            let mut seen = 0;
            let index = times.iter().position(|&times| {
                seen += times;
                seen > rank
            });
            sorted[index.expect("as many were drawn as there are")]
        };
        f64::midpoint(at((n - 1) / 2), at(n / 2))
    }
}

/// How likely two samples of one distribution differ as much as these, or more: the two-sided rank test. Exact without
/// ties; with them by the normal distribution, corrected for them and for continuity.
#[must_use]
pub fn rank_test(a: &[f64], b: &[f64]) -> f64 {
    let (n, m) = (a.len(), b.len());
    if n == 0 || m == 0 {
        return 1.0;
    }
    // How often one of `a` is larger; twice, so that a tie counts one half.
    let pairs = a.iter().flat_map(|x| b.iter().map(move |y| x.total_cmp(y) as i64 + 1));
    let twice_u: i64 = pairs.sum();
    let all = (n * m) as i64;
    let mut sorted: Vec<f64> = a.iter().chain(b).copied().collect();
    sorted.sort_by(f64::total_cmp);
    let ties: Vec<usize> = sorted.chunk_by(|x, y| x == y).map(<[f64]>::len).filter(|&len| len > 1).collect();
    if ties.is_empty() && n * m <= 4096 {
        let u = usize::try_from(twice_u.min(2 * all - twice_u) / 2).expect("it is no less than 0");
        let counts = arrangements(n, m);
        let total: f64 = counts.iter().sum();
        return (2.0 * counts[..=u].iter().sum::<f64>() / total).min(1.0);
    }
    let (n, m, count) = (n as f64, m as f64, (n + m) as f64);
    let tied: f64 = ties.iter().map(|&len| (len as f64).powi(3) - len as f64).sum();
    let variance = n * m / 12.0 * (count + 1.0 - tied / (count * (count - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let distance = ((twice_u - all).abs() as f64 / 2.0 - 0.5).max(0.0);
    (2.0 * above(distance / variance.sqrt())).min(1.0)
}

/// In how many of the orders of `n` and `m` values one of the first is larger than one of the others `u` times, for each `u`
/// from 0.
fn arrangements(n: usize, m: usize) -> Vec<f64> {
    // By the largest of all: one of the first (it beats all m), or one of the others. counts[i][u], for m others so far.
    let most = n * m;
    let mut counts = vec![vec![0.0; most + 1]; n + 1];
    counts.iter_mut().for_each(|of_i| of_i[0] = 1.0); // no others: nobody to beat
    for others in 1..=m {
        for i in 1..=n {
            for u in others..=most {
                // counts[i - 1] is of `others` already, counts[i] still of one less.
                let with_the_largest = counts[i - 1][u - others];
                counts[i][u] += with_the_largest;
            }
        }
    }
    counts.swap_remove(n)
}

/// The part of the normal distribution above `z`, to seven digits (Abramowitz and Stegun, 26.2.17).
fn above(z: f64) -> f64 {
    const B: [f64; 5] = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let sum = B.iter().rev().fold(0.0, |sum, b| (sum + b) * t);
    (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt() * sum
}

/// `p`s of tests that are made together, corrected: so likely is *any* of them as small as it is by chance.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let mut corrected = vec![1.0; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, &i) in order.iter().enumerate() {
        largest = largest.max(p[i] * (p.len() - rank) as f64).min(1.0);
        corrected[i] = largest;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64, by: f64) -> bool {
        (a - b).abs() <= by
    }

    #[test]
    fn of_few_repeats_a_spread_is_their_range() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, low: 1.0, high: 3.0 }));
        let even = Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!(even.median, 2.5);
        assert!(even.overlaps(&Spread::of([4.0, 9.0]).unwrap()));
        assert!(!even.overlaps(&Spread::of([4.5]).unwrap()));
    }

    /// The median of n resampled values is at most the k-th with the probability that a binomial gives: of 11, the
    /// 2.5 % points are the third and the ninth.
    #[test]
    fn an_interval_is_that_of_the_bootstrap() {
        let spread = Spread::of((1..=11).map(f64::from)).unwrap();
        assert_eq!((spread.median, spread.low, spread.high), (6.0, 3.0, 9.0));
        assert_eq!(Spread::of([5.0; 10]), Some(Spread { median: 5.0, low: 5.0, high: 5.0 }));
        let outlier = Spread::of((1..=10).map(f64::from).chain([1e9])).unwrap();
        assert!(outlier.high < 1e3, "one in eleven that is out moves no median: {outlier:?}");
    }

    #[test]
    fn a_ratio_is_of_the_second_by_the_first() {
        let a: Vec<f64> = (90..=110).map(f64::from).collect();
        let b: Vec<f64> = a.iter().map(|x| 2.0 * x).collect();
        let spread = ratio(&a, &b).unwrap();
        assert!(near(spread.median, 2.0, 1e-12) && spread.low < 2.0 && spread.high > 2.0, "{spread:?}");
        assert!(near(spread.low, 1.86, 0.06) && near(spread.high, 2.16, 0.06), "{spread:?}");
        assert_eq!(ratio(&a, &[]), None);
    }

    /// 3 and 4 of 5: tables of the test have U <= 0 for n = 3, m = 4 at 2/35; and 3, 3 at 2/20.
    #[test]
    fn the_rank_test_is_that_of_the_tables() {
        assert!(near(rank_test(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0, 7.0]), 2.0 / 35.0, 1e-12));
        assert!(near(rank_test(&[4.0, 5.0, 6.0], &[1.0, 2.0, 3.0]), 2.0 / 20.0, 1e-12));
        assert!(near(rank_test(&[1.0, 2.0, 4.0], &[3.0, 5.0, 6.0]), 4.0 / 20.0, 1e-12), "U = 1: 2 of 20 orders, twice");
        // n = m = 10: the 5 % point of the tables is U = 23, the 1 % point U = 16.
        let counts = arrangements(10, 10);
        let total: f64 = counts.iter().sum();
        assert!(near(total, 184_756.0, 1e-6), "20 choose 10");
        let p = |u: usize| 2.0 * counts[..=u].iter().sum::<f64>() / total;
        assert!(p(23) < 0.05 && p(24) > 0.05 && p(16) < 0.01 && p(17) > 0.01);
        assert_eq!((rank_test(&[], &[1.0]), rank_test(&[1.0; 5], &[1.0; 5])), (1.0, 1.0));
    }

    #[test]
    fn with_ties_it_is_the_corrected_normal_one() {
        // U = 10.5 of 64; ties of 2, 2, 2, 2, 2, 3: z = 2.220.
        let p = rank_test(&[1., 2., 2., 3., 4., 5., 5., 6.], &[3., 4., 5., 6., 7., 8., 8., 9.]);
        assert!(near(p, 0.0264, 1e-4), "{p}");
        assert!(near(above(1.96), 0.025, 1e-4) && near(above(0.0), 0.5, 1e-6));
    }

    #[test]
    fn holm_multiplies_the_smallest_most() {
        let corrected = holm(&[0.01, 0.04, 0.03, 0.5]);
        let expected = [0.04, 0.09, 0.09, 0.5];
        assert!(corrected.iter().zip(expected).all(|(c, e)| near(*c, e, 1e-12)), "{corrected:?}");
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }
}
