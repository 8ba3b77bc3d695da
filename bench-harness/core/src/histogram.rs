//! A histogram of fixed size: log-linear, 32 buckets to each power of two, so that a value is known to 1/32 of itself.
//!
//! ```text
//!  value    0 1 2 … 31 │ 32 33 … 63 │ 64 66 … 126 │ 128 132 … 252 │ …      2^40 and above: the last bucket
//!  bucket   0 1 2 … 31 │ 32      63 │ 64       95 │ 96        127 │
//! ```
//!
//! The geometry is that of HdrHistogram (Gil Tene, <https://hdrhistogram.org>). Counting is one increment of a word
//! that only one core writes; percentiles are for the host, which has the library for it.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{SerializeSeq, SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

/// The binary logarithm of the buckets to a power of two.
const BITS: u32 = 5;
const LINEAR: u64 = 1 << BITS;
/// Values from here on share the last bucket.
const TOP: u32 = 40;
/// Buckets in all.
pub const BUCKETS: usize = ((TOP - BITS + 1) as usize) << BITS;

/// The bucket of `value`.
#[inline]
const fn bucket(value: u64) -> usize {
    if value < LINEAR {
        return value as usize;
    }
    let shift = value.ilog2() - BITS;
    let bucket = ((shift as usize + 1) << BITS) + ((value >> shift) - LINEAR) as usize;
    if bucket < BUCKETS { bucket } else { BUCKETS - 1 }
}

/// The smallest value of bucket `bucket`, and how many values it has.
#[must_use]
pub const fn values(bucket: usize) -> (u64, u64) {
    if bucket < LINEAR as usize {
        return (bucket as u64, 1);
    }
    let shift = (bucket >> BITS) as u32 - 1;
    ((LINEAR + (bucket as u64 & (LINEAR - 1))) << shift, 1 << shift)
}

/// Counts in progress, written by one core: plain loads and stores, `Relaxed` since whoever reads them has waited for
/// that core to end.
#[derive(Debug)]
pub struct Counting {
    counts: [AtomicU32; BUCKETS],
    max: AtomicU64,
}

impl Counting {
    /// Nothing counted.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "for statics: as a default it would go through the stack")]
    pub const fn new() -> Self {
        Self { counts: [const { AtomicU32::new(0) }; BUCKETS], max: AtomicU64::new(0) }
    }

    /// Counts `value`.
    #[inline]
    pub fn record(&self, value: u64) {
        let count = &self.counts[bucket(value)];
        count.store(count.load(Relaxed).saturating_add(1), Relaxed);
        if value > self.max.load(Relaxed) {
            self.max.store(value, Relaxed);
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.counts.iter().for_each(|count| count.store(0, Relaxed));
        self.max.store(0, Relaxed);
    }
}

/// Counts, done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Histogram {
    counts: [u32; BUCKETS],
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], max: 0 }
    }
}

impl Histogram {
    /// Adds what a core has counted.
    pub fn add(&mut self, counting: &Counting) {
        for (sum, count) in self.counts.iter_mut().zip(&counting.counts) {
            *sum = sum.saturating_add(count.load(Relaxed));
        }
        self.max = self.max.max(counting.max.load(Relaxed));
    }

    /// The largest value, exactly; 0 if nothing was counted.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.max
    }

    /// How many values were counted.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.counts.iter().map(|&count| u64::from(count)).sum()
    }

    /// Whether nothing was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The buckets that are not empty: smallest value, how many values wide, and count.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64, u32)> {
        let counted = self.counts.iter().enumerate().filter(|&(_, &count)| count != 0);
        counted.map(|(bucket, &count)| {
            let (low, width) = values(bucket);
            (low, width, count)
        })
    }
}

/// As `{"max": value, "counts": [bucket, count, bucket, count, …]}`, empty buckets left out.
impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Sparse<'a>(&'a [u32; BUCKETS]);
        impl Serialize for Sparse<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let counted = self.0.iter().filter(|&&count| count != 0).count();
                let mut seq = serializer.serialize_seq(Some(2 * counted))?;
                for (bucket, count) in (0_u32..).zip(self.0).filter(|&(_, &count)| count != 0) {
                    seq.serialize_element(&bucket)?;
                    seq.serialize_element(count)?;
                }
                seq.end()
            }
        }
        let mut histogram = serializer.serialize_struct("Histogram", 2)?;
        histogram.serialize_field("max", &self.max)?;
        histogram.serialize_field("counts", &Sparse(&self.counts))?;
        histogram.end()
    }
}

/// By hand, as what is written is.
#[cfg(feature = "schema")]
impl schemars::JsonSchema for Histogram {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Histogram".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Log-linear, 32 buckets to each power of two: bucket, count, bucket, count, ...; empty ones left out.",
            "type": "object",
            "properties": {
                "max": { "description": "The largest value, exactly; 0 if nothing was counted.", "type": "integer", "minimum": 0 },
                "counts": { "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": u32::MAX } },
            },
            "required": ["max", "counts"],
        })
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Dense([u32; BUCKETS]);
        impl<'de> Deserialize<'de> for Dense {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Pairs;
                impl<'de> Visitor<'de> for Pairs {
                    type Value = Dense;

                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        write!(f, "bucket, count, bucket, count, …, buckets below {BUCKETS}")
                    }

                    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Dense, A::Error> {
                        let mut counts = [0; BUCKETS];
                        while let Some(bucket) = seq.next_element::<u32>()? {
                            let count =
                                seq.next_element()?.ok_or_else(|| A::Error::custom("a bucket without a count"))?;
                            *counts
                                .get_mut(bucket as usize)
                                .ok_or_else(|| A::Error::custom("a bucket that there is not"))? = count;
                        }
                        Ok(Dense(counts))
                    }
                }
                deserializer.deserialize_seq(Pairs)
            }
        }

        #[derive(Deserialize)]
        #[serde(rename = "Histogram")]
        struct Fields {
            max: u64,
            counts: Dense,
        }
        let Fields { max, counts: Dense(counts) } = Fields::deserialize(deserializer)?;
        Ok(Self { counts, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_its_bucket_and_buckets_join() {
        let mut next = 0;
        for b in 0..BUCKETS {
            let (low, width) = values(b);
            assert_eq!(low, next);
            assert_eq!(bucket(low), b);
            assert_eq!(bucket(low + width - 1), b);
            assert!(width <= low.max(LINEAR) / LINEAR, "known to 1/32");
            next = low + width;
        }
        assert_eq!(next, 1 << TOP);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn what_was_counted_comes_back_from_json() {
        let counting = Counting::new();
        for value in [0, 3, 3, 1000, 1 << 50] {
            counting.record(value);
        }
        let mut histogram = Histogram::default();
        histogram.add(&counting);
        histogram.add(&counting);
        assert_eq!(histogram.len(), 10);
        assert_eq!(histogram.max(), 1 << 50);
        let json = serde_json::to_string(&histogram).unwrap();
        assert_eq!(serde_json::from_str::<Histogram>(&json).unwrap(), histogram);
        counting.clear();
        let mut empty = Histogram::default();
        empty.add(&counting);
        assert!(empty.is_empty());
    }

    #[test]
    fn a_record_that_is_none_is_refused() {
        for counts in ["[1]", "[99999,1]", "[1,-1]"] {
            let json = std::format!(r#"{{"max":1,"counts":{counts}}}"#);
            assert!(serde_json::from_str::<Histogram>(&json).is_err(), "{json}");
        }
    }
}
