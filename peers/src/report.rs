//! What is said at the end: ratios, nanoseconds, bars, and what was left out.

mod bars;
mod tables;

pub(crate) use bars::verdict;
pub(crate) use tables::{table, text};

use crate::results::Results;
use crate::statistics::Estimate;
use crate::subjects::Contestant;
use crate::workloads::Workload;

/// All of it, as text.
#[must_use]
pub fn report(results: &Results, workloads: &[Workload], contestants: &[&Contestant], denominator: bool) -> String {
    let mut parts = Vec::new();
    if denominator {
        parts.push(tables::ratios(results, workloads, contestants));
    } else {
        parts.push("No ratios: `original` was not measured, or is not what it should be.\n".to_owned());
    }
    parts.push(tables::nanoseconds(results, workloads, contestants));
    parts.push(tables::left_out(results, workloads));
    parts.push(bars::bars(results, denominator));
    parts.join("\n")
}

/// With as many digits as are worth reading.
pub(crate) fn digits(value: f64) -> String {
    match value {
        v if v >= 99.95 => format!("{v:.0}"),
        v if v >= 9.995 => format!("{v:.1}"),
        v if v >= 0.0995 => format!("{v:.2}"),
        v => format!("{v:.3}"),
    }
}

pub(crate) fn interval(estimate: Estimate) -> String {
    format!("{}-{}", digits(estimate.low), digits(estimate.high))
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn three_digits_are_shown() {
        assert_eq!(
            [1465.4, 73.84, 15.6, 1.0, 0.45, 0.045, 99.96].map(digits),
            ["1465", "73.8", "15.6", "1.00", "0.45", "0.045", "100"]
        );
    }
}
