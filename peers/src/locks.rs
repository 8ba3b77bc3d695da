//! Our locks, and those that one could take instead, in one run: what they cost when nobody contends, and what two cores
//! get through them.
//!
//! ```sh
//! cargo run --profile measured -p peers -- locks        # a minute
//! ```
//!
//! | column | |
//! |---|---|
//! | `alone` | acquire, count, release: ns, one core |
//! | `floor` | the same by the least that a lock can be: an exchange, and a store |
//! | `section` | two cores, one critical section of about 100 ns after the other: ns from one to the next |
//! | `handover` | what of that is not the section itself, by the time that a line takes from core to core |
//! | `least` | the share of the core that got less |
//!
//! Interleaved: each repetition measures everybody once, in an order that is rotated. Medians, and intervals as
//! [`Estimate`] has them; ratios are of pairs of one repetition.

mod alone;
mod together;
mod who;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use crate::report::{digits, interval, table, text};
use crate::session::say;
use crate::statistics::Estimate;

use together::{Together, Work};
use who::{ALL, Contestant, FLOOR};

/// What one contestant did in each repetition.
struct Figures {
    contestant: &'static Contestant,
    alone: Vec<Option<f64>>,
    together: Vec<Together>,
}

/// Ours, compared with: at most so many times as long.
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
    Bar { ours: "ticket", by: &["spin-ticket", "hermit-ticket"], most: 1.0 },
    Bar { ours: "mcs", by: &["mcslock", "clhlock"], most: 1.0 },
    Bar { ours: "queued", by: &["mcslock-barging"], most: 1.0 },
];

/// Measures all, and prints the tables.
///
/// # Errors
///
/// The standard output cannot be written to.
pub fn measure(repeats: usize, slice_ms: u64) -> Result<()> {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let slice = std::time::Duration::from_millis(slice_ms);
    let mut all: Vec<Figures> =
        ALL.iter().map(|contestant| Figures { contestant, alone: vec![], together: vec![] }).collect();
    let mut transfers = vec![];
    let work = Work::calibrated();
    let two = cores.len() >= 2;
    if !two {
        eprintln!("not measured: two cores at once, here is one");
    }
    let progress = ProgressBar::new((repeats * all.len()) as u64);
    progress.set_style(ProgressStyle::with_template("{bar:30} {elapsed_precise} of {duration_precise}  {msg}")?);
    for repetition in 0..repeats {
        if two {
            transfers.push(together::transfer([cores[0], cores[1]], slice));
        }
        for turn in 0..all.len() {
            let at = (turn + repetition) % all.len();
            let figures = &mut all[at];
            progress.set_message(figures.contestant.name);
            figures.alone.push((figures.contestant.alone)(cores.first().copied(), slice));
            if two {
                figures.together.push((figures.contestant.together)([cores[0], cores[1]], slice, work));
            }
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    say(format_args!("{}", report(&all, &transfers, work)))
}

/// Alone, in each repetition that has a figure.
fn estimate(figures: impl Iterator<Item = f64>) -> Option<Estimate> {
    Estimate::of(&figures.collect::<Vec<_>>())
}

/// A median and its interval, or nothing.
fn two(estimate: Option<Estimate>) -> [String; 2] {
    estimate.map_or(["-".into(), String::new()], |estimate| [digits(estimate.median), interval(estimate)])
}

fn report(all: &[Figures], transfers: &[f64], work: Work) -> String {
    let mut out = String::new();
    if let Some(transfer) = Estimate::of(transfers) {
        let [ns, range] = two(Some(transfer));
        out += &format!(
            "A line goes from one core to the other in {ns} ns ({range}); the work of a section takes {}.\n\n",
            digits(work.ns)
        );
    }
    let floor = all.iter().find(|figures| figures.contestant.name == FLOOR);
    let header = ["", "", "alone", "by floor", "", "section", "", "handover", "", "least"];
    let mut rows = table(header.map(String::from).to_vec());
    for Figures { contestant, alone, together } in all {
        let mut row = vec![contestant.name.to_owned(), contestant.about.to_owned()];
        let [ns, _] = two(estimate(alone.iter().copied().flatten()));
        row.push(ns);
        row.extend(two(floor.and_then(|floor| Estimate::of_ratios(alone, &floor.alone))));
        row.extend(two(estimate(together.iter().map(|pass| pass.section))));
        let handovers = together.iter().zip(transfers).map(|(pass, transfer)| (pass.section - work.ns) / transfer);
        row.extend(two(estimate(handovers)));
        let least = estimate(together.iter().map(|pass| pass.least * 100.0));
        row.push(least.map_or("-".into(), |least| format!("{:.0} %", least.median)));
        rows.add_row(row);
    }
    out += &text(&mut rows, 2);
    out += "\nalone: ns, one core; section: ns from one of about 100 ns to the next, two cores; handover: what of it is not work,\n\
            by the time of a line; least: share of the core that got less\n\n";
    let mut bars = table(["bar", "by", "ratio", "interval", "at most", ""].map(String::from).to_vec());
    for bar in ALONE {
        let of = |name: &str| all.iter().find(|figures| figures.contestant.name == name);
        let ns = |figures: &Figures| Some(estimate(figures.alone.iter().copied().flatten())?.median);
        let by = bar.by.iter().filter_map(|name| of(name)).filter_map(|by| Some((ns(by)?, by)));
        let Some((_, by)) = by.min_by(|a, b| a.0.total_cmp(&b.0)) else { continue };
        let Some(ratio) = of(bar.ours).and_then(|ours| Estimate::of_ratios(&ours.alone, &by.alone)) else { continue };
        let met = if ratio.median <= bar.most { "met" } else { "MISSED" };
        let doubt = if ratio.low <= bar.most && bar.most < ratio.high { "?" } else { "" };
        bars.add_row([
            format!("{} alone", bar.ours),
            by.contestant.name.to_owned(),
            digits(ratio.median),
            interval(ratio),
            format!("<= {}", bar.most),
            format!("{met}{doubt}"),
        ]);
    }
    for (name, what, value, bar, met) in together_bars(all, transfers, work) {
        bars.add_row([format!("{name} {what}"), String::new(), digits(value), String::new(), bar, met]);
    }
    out + &text(&mut bars, 2)
}

/// What two cores ought to get: name, what, figure, bar, verdict.
fn together_bars(
    all: &[Figures],
    transfers: &[f64],
    work: Work,
) -> Vec<(&'static str, &'static str, f64, String, String)> {
    let of = |name: &str| all.iter().find(|figures| figures.contestant.name == name);
    let verdict = |met: bool| if met { "met" } else { "MISSED" }.to_owned();
    let mut rows = vec![];
    for name in ["ticket", "mcs", "queued"] {
        if let Some(least) = of(name).and_then(|figures| estimate(figures.together.iter().map(|pass| pass.least))) {
            rows.push((
                name,
                "share of the slower core",
                least.median,
                ">= 0.49".to_owned(),
                verdict(least.median >= 0.49),
            ));
        }
    }
    if let (Some(ticket), Some(spin)) = (of("ticket"), of("spin-ticket")) {
        let sections = |figures: &Figures| figures.together.iter().map(|pass| Some(pass.section)).collect::<Vec<_>>();
        if let Some(ratio) = Estimate::of_ratios(&sections(spin), &sections(ticket)) {
            rows.push((
                "ticket",
                "sections by spin-ticket's",
                ratio.median,
                ">= 1.15".to_owned(),
                verdict(ratio.median >= 1.15),
            ));
        }
        let handovers =
            ticket.together.iter().zip(transfers).map(|(pass, transfer)| (pass.section - work.ns) / transfer);
        if let Some(handover) = estimate(handovers) {
            rows.push((
                "ticket",
                "handover, in transfers",
                handover.median,
                "<= 2.2".to_owned(),
                verdict(handover.median <= 2.2),
            ));
        }
    }
    rows
}
