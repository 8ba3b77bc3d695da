//! The tables: everybody, and the bars.

use std::path::Path;
use std::thread;

use bench_harness::provenance;

use super::who::FLOOR;
use super::{Figures, Results};
use crate::report::{digits, interval, table, text, verdict};
use crate::statistics::Estimate;

/// Ours alone, compared with: at most so many times as long.
struct Bar {
    ours: &'static str,
    by: &'static [&'static str],
    most: f64,
}

/// Alone. The second half: no slower than the best of the same kind.
const ALONE: &[Bar] = &[
    Bar { ours: "tas", by: &[FLOOR], most: 1.05 },
    Bar { ours: "queued", by: &[FLOOR], most: 1.05 },
    Bar { ours: "ticket", by: &[FLOOR], most: 1.3 },
    Bar { ours: "mcs", by: &[FLOOR], most: 2.4 },
    Bar { ours: "tas", by: &["spin-mutex", "spinning-top", "parking-lot"], most: 1.0 },
    Bar { ours: "ttas", by: &["spin-mutex", "spinning-top", "parking-lot"], most: 1.0 },
    Bar { ours: "ticket", by: &["spin-ticket", "spin-ticket-raw", "hermit-ticket"], most: 1.0 },
    Bar { ours: "mcs", by: &["mcslock", "clhlock"], most: 1.0 },
    Bar { ours: "queued", by: &["mcslock-barging"], most: 1.0 },
    Bar { ours: "qspin", by: &["mcslock-barging"], most: 1.0 },
];

/// Those of whom two cores get the same share.
const EVEN: [&str; 5] = ["ticket", "mcs", "queued", "qspin", "bakery"];

/// `ticket` gets at least so many times as many sections done as these.
const AHEAD_OF: [(&str, f64); 2] = [("spin-ticket", 1.15), ("spin-ticket-raw", 1.15)];

impl Results {
    fn of(&self, name: &str) -> Option<&Figures> {
        self.all.iter().find(|figures| figures.contestant.name == name)
    }

    /// What of a section is not work, in transfers of a line.
    fn handover(&self, figures: &Figures) -> Option<Estimate> {
        let sections = figures.together.iter().zip(&self.transfers);
        estimate(sections.map(|(got, transfer)| Some((got.as_ref()?.section - self.work.ns) / transfer)))
    }
}

impl Figures {
    fn sections(&self) -> Vec<Option<f64>> {
        self.together.iter().map(|got| Some(got.as_ref()?.section)).collect()
    }

    fn least(&self) -> Option<Estimate> {
        estimate(self.together.iter().map(|got| Some(got.as_ref()?.least)))
    }

    fn jain(&self) -> Option<Estimate> {
        estimate(self.together.iter().map(|got| Some(jain(got.as_ref()?.least))))
    }
}

/// Of the repetitions that have a figure.
fn estimate(figures: impl Iterator<Item = Option<f64>>) -> Option<Estimate> {
    Estimate::of(&figures.flatten().collect::<Vec<_>>())
}

/// A median and its interval, or nothing.
fn two(estimate: Option<Estimate>) -> [String; 2] {
    estimate.map_or(["-".into(), String::new()], |estimate| [digits(estimate.median), interval(estimate)])
}

/// The same of a ratio, which may be close to its bar.
fn three_places(ratio: Option<Estimate>) -> [String; 2] {
    let range = |ratio: Estimate| format!("{:.3}-{:.3}", ratio.low, ratio.high);
    ratio.map_or(["-".into(), String::new()], |ratio| [format!("{:.3}", ratio.median), range(ratio)])
}

/// Everything, as text.
pub(super) fn report(results: &Results) -> String {
    [provenance(), transfer(results), everybody(results), bars(results)].concat()
}

/// What was measured, and on what.
fn provenance() -> String {
    let machine = provenance::machine(thread::available_parallelism().map_or(1, usize::from));
    let source = provenance::source_now(Path::new(env!("CARGO_MANIFEST_DIR")));
    let cpu = machine.cpu.as_deref().unwrap_or("a CPU that does not tell its name");
    let shared = if machine.virtualised == Some(true) { ", virtual" } else { "" };
    format!("Commit {source}\n{} cores{shared}: {cpu}; {}\n", machine.cores, provenance::build().rustc)
}

fn transfer(results: &Results) -> String {
    let Some(transfer) = Estimate::of(&results.transfers) else { return "\n".to_owned() };
    let work = digits(results.work.ns);
    let (ns, range) = (digits(transfer.median), interval(transfer));
    format!("A line goes from one core to the other in {ns} ns ({range}); the work of a section takes {work}.\n\n")
}

fn everybody(results: &Results) -> String {
    let header = ["", "", "alone", "by floor", "", "section", "", "handover", "", "least", "empty", ""];
    let mut rows = table(header.map(String::from).to_vec());
    let floor = results.of(FLOOR);
    for figures in &results.all {
        let mut row = vec![figures.contestant.name.to_owned(), figures.contestant.about.to_owned()];
        let [ns, _] = two(estimate(figures.alone.iter().copied()));
        row.push(ns);
        row.extend(two(floor.and_then(|floor| Estimate::of_ratios(&figures.alone, &floor.alone))));
        row.extend(two(estimate(figures.sections().into_iter())));
        row.extend(two(results.handover(figures)));
        row.push(figures.least().map_or("-".into(), |least| format!("{:.0} %", least.median * 100.0)));
        row.extend(two(estimate(figures.empty.iter().copied())));
        rows.add_row(row);
    }
    text(&mut rows, 2)
        + "\nalone: ns, one core; section: ns from one of about 100 ns to the next, two cores; handover: what of it is not work,\n\
           by the time of a line; least: share of the core that got less; empty: as section, with nothing to do in it\n\n"
}

fn bars(results: &Results) -> String {
    let mut bars = table(["bar", "by", "", "interval", "bar", ""].map(String::from).to_vec());
    let mut row = |what: String, by: &str, found: Option<Estimate>, bar: String, verdict: String| {
        let [median, interval] = three_places(found);
        bars.add_row([what, by.to_owned(), median, interval, bar, verdict]);
    };
    for Bar { ours, by, most } in ALONE {
        let ns = |name: &str| Some((estimate(results.of(name)?.alone.iter().copied())?.median, results.of(name)?));
        let best = by.iter().filter_map(|name| ns(name)).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, best)| best);
        let ratio = best.zip(results.of(ours)).and_then(|(by, ours)| Estimate::of_ratios(&ours.alone, &by.alone));
        let name = best.map_or("-", |best| best.contestant.name);
        row(format!("{ours} alone"), name, ratio, format!("<= {most}"), verdict(ratio, Some(*most)));
    }
    for name in EVEN {
        let least = results.of(name).and_then(Figures::least);
        row(format!("{name} share of the slower core"), "", least, ">= 0.49".to_owned(), at_least(least, 0.49));
        let jain = results.of(name).and_then(Figures::jain);
        row(format!("{name} Jain's index"), "", jain, ">= 0.999".to_owned(), at_least(jain, 0.999));
    }
    let ticket = results.of("ticket");
    for (name, bar) in AHEAD_OF {
        let both = results.of(name).zip(ticket);
        let ratio = both.and_then(|(other, ticket)| Estimate::of_ratios(&other.sections(), &ticket.sections()));
        row("ticket sections".to_owned(), name, ratio, format!(">= {bar}"), at_least(ratio, bar));
    }
    if let Some((apart, ticket)) = results.of("ticket-apart").zip(ticket) {
        let sections = Estimate::of_ratios(&apart.sections(), &ticket.sections());
        let empty = Estimate::of_ratios(&apart.empty, &ticket.empty);
        row("ticket sections".to_owned(), "ticket-apart", sections, "-".to_owned(), verdict(sections, None));
        row("ticket empty sections".to_owned(), "ticket-apart", empty, "-".to_owned(), verdict(empty, None));
    }
    let handover = ticket.and_then(|ticket| results.handover(ticket));
    row("ticket handover".to_owned(), "a transfer", handover, "<= 2.2".to_owned(), verdict(handover, Some(2.2)));
    "Bars; `?`: the interval holds the bar. `too few`: repetitions, to say anything\n\n".to_owned()
        + &text(&mut bars, 2)
}

/// Jain, Chiu and Hawe's index of fairness of two, of whom one has this share: 1 when both have the same, 1/2 when one has
/// it all.
fn jain(share: f64) -> f64 {
    0.5 / (share.powi(2) + (1.0 - share).powi(2))
}

/// The verdict of a figure that must not be less: the same, the other way round.
fn at_least(found: Option<Estimate>, bar: f64) -> String {
    let flipped = found.map(|Estimate { median, low, high, confidence }| Estimate {
        median: -median,
        low: -high,
        high: -low,
        confidence,
    });
    verdict(flipped, Some(-bar))
}

#[cfg(test)]
mod tests {
    use super::{at_least, jain};
    use crate::statistics::Estimate;

    #[test]
    fn at_least_is_at_most_the_other_way_round() {
        let found = |low, median, high| Some(Estimate { median, low, high, confidence: 0.96 });
        assert_eq!(at_least(found(1.2, 1.3, 1.4), 1.15), "met");
        assert_eq!(at_least(found(1.1, 1.3, 1.4), 1.15), "met?");
        assert_eq!(at_least(found(1.0, 1.1, 1.2), 1.15), "MISSED?");
        assert_eq!(at_least(found(1.0, 1.1, 1.14), 1.15), "MISSED");
    }

    #[test]
    fn jains_index_of_two() {
        assert!((jain(0.5) - 1.0).abs() < 1e-12 && (jain(0.0) - 0.5).abs() < 1e-12);
        assert!((0.9995..0.9997).contains(&jain(0.49)));
    }
}
