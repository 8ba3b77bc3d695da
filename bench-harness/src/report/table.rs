//! Every scenario with every figure; those without figures with the reason.
//!
//! There may be thousands: cells and rows end where the next one begins, as HTML lets them.

use std::fmt::Write as _;

use bench_core::{Axis as _, Scenario};

use super::text::{digits, escape, labelled, percent, spread, thousandths};
use crate::answer::first_in_first_out;
use crate::details::TOGETHER;
use crate::summary::{CellSummary, Percentiles, Run};

/// Columns after those that name the scenario, before the times.
const FIGURES: [&str; 18] = [
    "repeats",
    "ns/op (interval)",
    "Mops/s",
    "least share",
    "largest share",
    "Jain",
    "longest gap",
    "together",
    "passes apart",
    "probe overhead",
    "critical",
    "think",
    "overhead",
    "waiters",
    "handover, transfers",
    "longest masked",
    "hold achieved",
    "think achieved",
];
const TIMES: [&str; 3] = ["wait", "hold", "handover"];
const PERCENTILES: [&str; 4] = ["p50", "p99", "p99.9", "max"];

/// The table; words if there is nothing to show.
pub(super) fn table(run: &Run) -> String {
    let mut rows: Vec<(Scenario, String)> = vec![];
    rows.extend(run.cells.iter().map(|cell| (cell.scenario, figures(cell, run.header.emulated))));
    rows.extend(run.void.iter().map(|void| {
        let why = format!("void: {} (repeat {})", void.about(), void.repeat);
        (void.scenario, without(&why))
    }));
    rows.extend(run.refused.iter().map(|refused| (refused.scenario, without(&format!("left out: {}", refused.why)))));
    if rows.is_empty() {
        return "<p class=\"missing\">No scenario was measured to the end, none was void, none was left out.</p>\n"
            .into();
    }
    rows.sort_by_key(|(scenario, _)| (scenario.task(), scenario.cores, scenario.strategy, scenario.lock));
    let mut html = format!(
        "<p><b>*</b>: first in, first out. <b>!</b>: the measured windows of the cores overlap by less than {:.0} %.</p>\n\
         <div class=\"wide\" role=\"region\" aria-label=\"All figures\" tabindex=\"0\">\n<table class=\"figures\">\n\
         <caption>{} Times in nanoseconds.</caption>\n{}<tbody>\n",
        TOGETHER * 100.0,
        labelled(run, "All figures."),
        head()
    );
    for (scenario, cells) in rows {
        let Scenario { lock, strategy, cores, .. } = scenario;
        let task = escape(&scenario.task().to_string());
        let lock = escape(lock.name());
        let star = if first_in_first_out(scenario.lock) { "*" } else { "" };
        let _ = writeln!(html, "<tr><th scope=\"row\">{task}<td>{cores}<td>{strategy}<td>{lock}{star}{cells}");
    }
    html + "</tbody></table></div>\n"
}

fn head() -> String {
    let mut html = String::from("<thead><tr>");
    let names = ["task", "cores", "strategy", "lock"].map(|name| (name, ""));
    for (name, class) in names.into_iter().chain(FIGURES.map(|name| (name, " class=\"n\""))) {
        let _ = write!(html, "<th scope=\"col\" rowspan=\"2\"{class}>{name}</th>");
    }
    for name in TIMES {
        let _ = write!(html, "<th scope=\"colgroup\" colspan=\"4\">{name}</th>");
    }
    html.push_str("</tr>\n<tr>");
    for name in TIMES.iter().flat_map(|_| PERCENTILES) {
        let _ = write!(html, "<th scope=\"col\" class=\"n\">{name}</th>");
    }
    html + "</tr></thead>\n"
}

fn without(why: &str) -> String {
    format!("<td class=\"void\" colspan=\"{}\">{}", FIGURES.len() + TIMES.len() * PERCENTILES.len(), escape(why))
}

fn figures(cell: &CellSummary, emulated: bool) -> String {
    let apart = if cell.concurrency.median < TOGETHER { " !" } else { "" };
    let details = &cell.details;
    let mut texts = vec![
        cell.repeats.to_string(),
        spread(&cell.ns_per_op, digits),
        digits(cell.ops_per_s.median / 1e6),
        percent(cell.share_min()),
        percent(cell.share_max()),
        thousandths(cell.jain.median),
        optional(details.gap_ns, |ns| grouped(ns.round() as u64)),
        percent(cell.concurrency.median) + apart,
        details.apart.to_string(),
        cell.overhead.filter(|_| !emulated).map_or("–".into(), |overhead| format!("{overhead:.2} ×")),
        optional(details.parts, |parts| digits(parts.critical)),
        optional(details.parts, |parts| digits(parts.think)),
        optional(details.parts, |parts| digits(parts.overhead)),
        optional(details.waiters, digits),
        optional(details.handover_transfers, digits),
        optional(details.masked_ns, |ns| grouped(ns.round() as u64)),
        optional(details.hold_ns, digits),
        optional(details.think_ns, digits),
    ];
    for times in [cell.wait, cell.hold, cell.handover] {
        texts.extend(percentiles(times));
    }
    texts.iter().map(|text| format!("<td>{}", escape(text))).collect()
}

/// What is not known is a dash.
fn optional<T>(figure: Option<T>, format: impl FnOnce(T) -> String) -> String {
    figure.map_or("–".into(), format)
}

fn percentiles(times: Option<Percentiles>) -> [String; 4] {
    let Some(Percentiles { p50, p99, p999, max, .. }) = times else { return [(); 4].map(|()| "–".into()) };
    [p50, p99, p999, max].map(grouped)
}

/// Digits in threes, with a narrow space that does not break.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let threes = digits.as_bytes().rchunks(3).rev();
    let threes: Vec<_> = threes.map(|three| three.iter().map(|&digit| char::from(digit)).collect::<String>()).collect();
    threes.join("\u{202f}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_come_in_threes() {
        for (number, says) in [(0, "0"), (999, "999"), (1000, "1\u{202f}000"), (12_345_678, "12\u{202f}345\u{202f}678")]
        {
            assert_eq!(super::grouped(number), says);
        }
    }
}
