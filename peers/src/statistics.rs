//! Medians, and how sure we are of them.

/// The median; none of nothing.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len() % 2 == 1 { upper } else { f64::midpoint(sorted[middle - 1], upper) })
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// A median with an interval around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The median.
    pub median: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How likely the interval holds the true median, if the values are independent.
    pub confidence: f64,
}

impl Estimate {
    /// Of these values, the narrowest interval between two of them that holds the true median with 95 %, whatever
    /// their distribution is: each value is below the median with 1/2, so how many are is binomial. With fewer than
    /// six values there is none; then it is their range, with less.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let median = median(values)?;
        let sorted = sorted(values);
        let n = sorted.len();
        // Left out at each end: k values. The median is outside if at most k of n are on one side of it.
        let mut outside = 0.5_f64.powi(n as i32); // P(none of n)
        let mut tail = outside;
        let mut k = 0;
        while 2 * (k + 1) < n {
            outside *= (n - k) as f64 / (k + 1) as f64;
            if 2.0 * (tail + outside) > 0.05 {
                break;
            }
            tail += outside;
            k += 1;
        }
        Some(Self { median, low: sorted[k], high: sorted[n - 1 - k], confidence: (1.0 - 2.0 * tail).max(0.0) })
    }

    /// Of the ratios of values that were measured side by side: what slowed both down is gone.
    #[must_use]
    pub fn of_ratios(of: &[Option<f64>], by: &[Option<f64>]) -> Option<Self> {
        let ratios: Vec<f64> = of.iter().zip(by).filter_map(|(of, by)| Some((*of)? / (*by)?)).collect();
        Self::of(&ratios)
    }
}

#[cfg(test)]
mod tests {
    use super::{Estimate, median};

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn the_interval_is_the_one_of_the_tables() {
        // Ranks from tables of the sign test: n = 9: second and eighth, 96.1 %; n = 6: all, 96.9 %; n = 15: fourth
        // and twelfth, 96.5 %.
        for (n, low, high, confidence) in [(6, 1.0, 6.0, 0.969), (9, 2.0, 8.0, 0.961), (15, 4.0, 12.0, 0.965)] {
            let values: Vec<f64> = (1..=n).map(f64::from).collect();
            let estimate = Estimate::of(&values).unwrap();
            assert_eq!((estimate.low, estimate.high), (low, high), "{n}");
            assert!((estimate.confidence - confidence).abs() < 5e-4, "{n}: {}", estimate.confidence);
        }
    }

    #[test]
    fn few_values_give_their_range_and_say_so() {
        let estimate = Estimate::of(&[1.0, 5.0, 2.0]).unwrap();
        assert_eq!((estimate.low, estimate.high), (1.0, 5.0));
        assert!(estimate.confidence < 0.95);
    }

    #[test]
    fn ratios_are_of_those_measured_side_by_side() {
        let (slow, fast) = ([Some(2.0), None, Some(40.0)], [Some(1.0), Some(1.0), Some(10.0)]);
        assert_eq!(Estimate::of_ratios(&slow, &fast).unwrap().median, 3.0);
    }
}
