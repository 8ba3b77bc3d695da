//! What our pool has to reach, and whether it does. Ratios within a repetition, of medians of chunks, as in the table.

use hyp_pool::{TableWord, table_words};

use super::tables::{table, text};
use super::{digits, interval};
use crate::arena::PAGES;
use crate::results::Results;
use crate::statistics::Estimate;
use crate::subjects::{self, Kind, ORIGINAL};
use crate::workloads::Workload as W;

/// What something is compared with.
enum By {
    /// That one, under that workload.
    One(W, &'static str),
    /// The fastest peer under the same workload.
    BestPeer,
}

/// `of` under its workload takes at most `most` times as long as `by`; `None`: no bar, only said.
struct Bar {
    of: (W, &'static str),
    by: By,
    most: Option<f64>,
}

const fn bar(workload: W, subject: &'static str, most: f64, by: By) -> Bar {
    Bar { of: (workload, subject), by, most: Some(most) }
}

const fn said(workload: W, subject: &'static str, by: By) -> Bar {
    Bar { of: (workload, subject), by, most: None }
}

const MEMSET: &str = "original+memset";
const SLAB: &str = "buddy-slab";

const BARS: &[Bar] = &[
    bar(W::W1, "pool-merged", 1.0, By::One(W::W1, "bitmap")),
    bar(W::W1, "pool", 1.15, By::One(W::W1, "bitmap")),
    said(W::W1, "pool", By::BestPeer),
    bar(W::W1, "pool", 0.2, By::One(W::W1, ORIGINAL)),
    bar(W::W1, "magazine", 0.55, By::One(W::W1, "floor")),
    bar(W::W2, "pool", 0.95, By::BestPeer),
    bar(W::W2, "magazine", 0.62, By::BestPeer),
    bar(W::W3l, "pool", 1.0, By::One(W::W3l, SLAB)),
    bar(W::W3f, "pool", 1.0, By::One(W::W3f, SLAB)),
    bar(W::W3r, "pool", 1.0, By::One(W::W3r, SLAB)),
    bar(W::W3r, "pool", 1.4, By::One(W::W3l, "pool")),
    bar(W::W4, "pool", 0.45, By::One(W::W4, ORIGINAL)),
    bar(W::W5, "pool", 0.65, By::One(W::W5, ORIGINAL)),
    bar(W::W9, "pool", 0.68, By::One(W::W9, ORIGINAL)),
    bar(W::W4, "magazine", 1.1, By::One(W::W1, "magazine")),
    said(W::W4, "null", By::One(W::W1, "null")),
    bar(W::W5, "magazine", 0.045, By::One(W::W5, ORIGINAL)),
    bar(W::W9, "magazine", 0.15, By::One(W::W9, ORIGINAL)),
    bar(W::W6, "pool", 1.2, By::One(W::W6, "pool-merged")),
    bar(W::W6, "owner", 0.35, By::One(W::W6, "pool-merged")),
    bar(W::W7, "pool", 1.1, By::One(W::W6, "pool")),
    said(W::W7b, "pool", By::One(W::W6, "pool")),
    bar(W::W8, "pool", 0.25, By::One(W::W8, "pool-merged")),
    bar(W::S2Seq, "pool", 0.8, By::One(W::S2Seq, ORIGINAL)),
    bar(W::S2Rand, "pool", 0.95, By::One(W::S2Rand, ORIGINAL)),
    bar(W::S2Sparse, "pool", 0.9, By::One(W::S2Sparse, ORIGINAL)),
    bar(W::S2Seq, "owner", 0.4, By::One(W::S2Seq, ORIGINAL)),
    bar(W::S2Rand, "owner", 0.8, By::One(W::S2Rand, ORIGINAL)),
    bar(W::S2Rand2, "pool", 0.17, By::One(W::S2Rand2, ORIGINAL)),
    said(W::S2Rand2, "owner", By::One(W::S2Rand2, ORIGINAL)),
    said(W::S2Rand2, "pool", By::One(W::S2Rand, "pool")),
    bar(W::W5z, "pool", 0.45, By::One(W::W5z, MEMSET)),
    said(W::W1, "split", By::One(W::W1, "pool-merged")),
    said(W::W4, "split", By::One(W::W4, "pool-merged")),
];

impl Bar {
    /// Who it is compared with, here.
    fn by(&self, results: &Results) -> Option<(W, &'static str)> {
        match self.by {
            By::One(workload, subject) => Some((workload, subject)),
            By::BestPeer => {
                let workload = self.of.0;
                let peers = subjects::ALL.iter().filter(|one| one.kind == Kind::Peer);
                let timed = peers.filter_map(|peer| Some((results.ns(workload, peer.name)?.median, peer.name)));
                timed.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| (workload, name))
            }
        }
    }

    fn row(&self, results: &Results, denominator: bool) -> [String; 6] {
        let by = self.by(results);
        let excluded = !denominator && by.is_some_and(|(_, subject)| subject == ORIGINAL);
        let ratio = by.filter(|_| !excluded).and_then(|by| results.ratio(self.of, by));
        let (workload, subject) = self.of;
        let by = match (by, &self.by) {
            (Some((_, name)), By::BestPeer) => format!("{name}, the best peer"),
            (Some((other, name)), _) if other == workload => name.to_owned(),
            (Some((other, name)), _) => format!("{name} under {}", other.name()),
            (None, _) => "the best peer".to_owned(),
        };
        let most = self.most.map_or("-".to_owned(), |most| format!("<= {most}"));
        let (value, range) = ratio.map_or(("-".to_owned(), String::new()), |r| (digits(r.median), interval(r)));
        [format!("{} {subject}", workload.name()), by, value, range, most, verdict(ratio, self.most)]
    }
}

/// Of an interval that holds the median less often nothing is concluded: of fewer than six repetitions, that is.
const ENOUGH: f64 = 0.95;

/// Whether it is at most so much; with a question mark where the bar is inside the interval.
pub(crate) fn verdict(ratio: Option<Estimate>, most: Option<f64>) -> String {
    let Some(ratio) = ratio else { return "not measured".to_owned() };
    if ratio.confidence < ENOUGH {
        return "too few".to_owned();
    }
    let Some(most) = most else { return "said".to_owned() };
    let met = if ratio.median <= most { "met" } else { "MISSED" };
    let doubt = if ratio.low <= most && most < ratio.high { "?" } else { "" };
    format!("{met}{doubt}")
}

/// The bars, as text.
pub(super) fn bars(results: &Results, denominator: bool) -> String {
    let header = ["bar", "by", "ratio", "interval", "at most", ""];
    let mut table = table(header.map(String::from).to_vec());
    let rows = BARS.iter().filter(|bar| results.has(bar.of.0, bar.of.1) || subjects::named(bar.of.1).is_none());
    for bar in rows {
        table.add_row(bar.row(results, denominator));
    }
    let bytes = (table_words(PAGES) * size_of::<TableWord>()) as f64 / PAGES as f64;
    let fits = if bytes <= 8.0 { "met" } else { "MISSED" };
    table.add_row(["frame table", "bytes a page", &digits(bytes), "", "<= 8", fits]);
    "Bars; `?`: the interval holds the bar. `too few`: repetitions, to say anything. `not measured`: not asked for\n\n"
        .to_owned()
        + &text(&mut table, 2)
}

#[cfg(test)]
mod tests {
    use super::{BARS, By, verdict};
    use crate::measure::Measured;
    use crate::results::Results;
    use crate::statistics::Estimate;
    use crate::workloads::Workload as W;

    #[test]
    fn a_bar_is_met_missed_or_in_doubt() {
        let ratio = |low, median, high| Some(Estimate { median, low, high, confidence: 0.96 });
        assert_eq!(verdict(ratio(0.3, 0.4, 0.44), Some(0.45)), "met");
        assert_eq!(verdict(ratio(0.3, 0.4, 0.5), Some(0.45)), "met?");
        assert_eq!(verdict(ratio(0.4, 0.5, 0.6), Some(0.45)), "MISSED?");
        assert_eq!(verdict(ratio(0.5, 0.6, 0.7), Some(0.45)), "MISSED");
        assert_eq!(verdict(None, Some(0.45)), "not measured");
        let three = Estimate { median: 0.4, low: 0.3, high: 0.44, confidence: 0.75 };
        assert_eq!(verdict(Some(three), Some(0.45)), "too few");
    }

    #[test]
    fn the_best_peer_is_the_fastest_one_that_is_not_ours() {
        let mut results = Results::default();
        for (subject, ns) in [("pool", 1.0), ("floor", 2.0), ("bitmap", 4.0), ("talc", 5.0)] {
            results.add(W::W1, subject, 0, Measured { ns: Some(ns), ..Measured::default() });
        }
        let best = BARS.iter().find(|bar| matches!(bar.by, By::BestPeer)).and_then(|bar| bar.by(&results));
        assert_eq!(best, Some((W::W1, "bitmap")));
    }
}
