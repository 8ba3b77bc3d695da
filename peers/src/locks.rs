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

use together::Together;
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
                figures.together.push((figures.contestant.together)([cores[0], cores[1]], slice));
            }
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    say(format_args!("{}", report(&all, &transfers)))
}

fn report(all: &[Figures], transfers: &[f64]) -> String {
    let transfer = Estimate::of(transfers);
    let mut out = String::new();
    if let Some(transfer) = transfer {
        out += &format!(
            "A line goes from one core to the other in {} ns ({}).\n\n",
            digits(transfer.median),
            interval(transfer)
        );
    }
    let floor = all.iter().find(|figures| figures.contestant.name == FLOOR);
    let header = ["", "alone", "by floor", "", "section", "", "handover", "least", ""];
    let mut rows = table(header.map(String::from).to_vec());
    for figures in all {
        let alone: Vec<f64> = figures.alone.iter().copied().flatten().collect();
        let by_floor = floor.and_then(|floor| Estimate::of_ratios(&figures.alone, &floor.alone));
        let mut row = vec![figures.contestant.name.to_owned()];
        row.push(Estimate::of(&alone).map_or("-".into(), |e| digits(e.median)));
        row.extend(by_floor.map_or(["-".into(), String::new()], |e| [digits(e.median), interval(e)]));
        let sections: Vec<f64> = figures.together.iter().map(|pass| pass.section).collect();
        row.extend(Estimate::of(&sections).map_or(["-".into(), String::new()], |e| [digits(e.median), interval(e)]));
        let handovers: Vec<f64> = figures
            .together
            .iter()
            .zip(transfers)
            .map(|(pass, transfer)| (pass.section - pass.work) / transfer)
            .collect();
        row.push(Estimate::of(&handovers).map_or("-".into(), |e| digits(e.median)));
        let least: Vec<f64> = figures.together.iter().map(|pass| pass.least * 100.0).collect();
        row.push(Estimate::of(&least).map_or("-".into(), |e| format!("{:.0} %", e.median)));
        row.push(figures.contestant.about.to_owned());
        rows.add_row(row);
    }
    out += &text(&mut rows, 1);
    out += "\nalone: ns, one core; section: ns from one of about 100 ns to the next, two cores; handover: by the time of a line;\n\
            least: share of the core that got less\n\n";
    let mut bars = table(["bar", "by", "ratio", "interval", "at most", ""].map(String::from).to_vec());
    for bar in ALONE {
        let of = |name: &str| all.iter().find(|figures| figures.contestant.name == name);
        let ns = |figures: &Figures| Estimate::of(&figures.alone.iter().copied().flatten().collect::<Vec<_>>());
        let by = bar.by.iter().filter_map(|name| of(name)).filter_map(|by| Some((ns(by)?.median, by)));
        let Some((_, by)) = by.min_by(|a, b| a.0.total_cmp(&b.0)) else { continue };
        let ratio = of(bar.ours).and_then(|ours| Estimate::of_ratios(&ours.alone, &by.alone));
        let Some(ratio) = ratio else { continue };
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
    out + &text(&mut bars, 2)
}
