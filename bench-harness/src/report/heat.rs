//! Heat maps, as tables whose cells are shaded: a figure of every cell can be read, copied and heard.
//!
//! ```text
//!  hold ↓  think → │ 0        │ 1000 ns          cores │ 0    │ 1    │ 2
//!  0               │ tas 2.1 ×│ mcs, ticket        0   │ –    │ 31.3 │ 90.4
//!  200 ns          │ mcs 1.2 ×│ none apart         1   │ 31.3 │ –    │ 31.0
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bench_core::{Axis as _, Mix, Transfer};

use super::data::data;
use super::palette::look;
use super::text::{cores, digits, escape, labelled, spread, time, trimmed_time};
use crate::answer::first_in_first_out;
use crate::details::median;
use crate::lead::{Lead, Sweep, sweeps};
use crate::summary::Run;

/// The best lock by hold and think: a map for each sweep. None of an emulated run, in which nothing is best.
pub(super) fn best(run: &Run) -> Vec<String> {
    if run.header.emulated {
        return vec![];
    }
    sweeps(run).iter().map(|sweep| best_of(run, sweep)).collect()
}

fn best_of(run: &Run, sweep: &Sweep<'_>) -> String {
    let mix = if sweep.mix == Mix::Usual { String::new() } else { format!(" ({})", sweep.mix) };
    let Sweep { workload, strategy, .. } = sweep;
    let title = format!("{workload}{mix}, {strategy}, {}: the fastest lock by hold and think", cores(sweep.cores));
    let title = labelled(run, &title);
    let length = |ns: u32| if ns == 0 { "0".to_owned() } else { trimmed_time(ns.into()) };
    let head = sweep.thinks.iter().map(|&think| length(think)).collect();
    let rows = sweep.holds.iter().map(|&hold| {
        let cells = sweep.thinks.iter().map(|&think| sweep.leads.get(&(hold, think)).map_or_else(nothing, cell));
        (length(hold), cells.collect())
    });
    grid(&title, "hold ↓ think →", head, rows.collect(), &leads(&title, sweep))
}

fn nothing() -> String {
    "<td class=\"c\">–</td>".into()
}

/// A lead in words, stronger the further it is ahead.
fn cell(lead: &Lead<'_>) -> String {
    let lock = lead.best.scenario.lock;
    let unfair = if first_in_first_out(lock) { "" } else { ", unfair" };
    let near: Vec<_> = lead.near.iter().map(|cell| cell.scenario.lock.to_string()).collect();
    let ahead = lead.behind.first().zip(lead.ratio());
    let ahead = ahead.map(|(next, ratio)| format!("{:.2} × {}", ratio.median, next.scenario.lock)).unwrap_or_default();
    let ns = time(lead.best.ns_per_op.median);
    let below = if ahead.is_empty() { ns } else { format!("{ns}; {ahead}") };
    if !near.is_empty() {
        let all = format!("{lock}, {}", near.join(", "));
        let names = if ahead.is_empty() { "none told apart" } else { &all };
        return format!("<td class=\"c\">{}<small>{}</small></td>", escape(names), escape(&below));
    }
    let plotters::style::RGBColor(r, g, b) = look(lock).colour;
    let strength = (0.15 + 0.35 * lead.ratio().map_or(1.0, |ratio| ratio.median - 1.0)).min(0.5);
    format!(
        "<td class=\"c\" style=\"background:rgba({r},{g},{b},{strength:.2})\"><b>{}</b>{unfair}<small>{}</small></td>",
        escape(lock.name()),
        escape(&below)
    )
}

fn leads(title: &str, sweep: &Sweep<'_>) -> String {
    let head = ["hold, ns", "think, ns", "fastest", "ns/op", "not told apart", "behind it", "lead"];
    let rows = sweep.leads.iter().map(|(&(hold, think), lead)| {
        let names = |cells: &[&crate::summary::CellSummary]| {
            let names: Vec<_> = cells.iter().map(|cell| cell.scenario.lock.to_string()).collect();
            if names.is_empty() { "–".into() } else { names.join(", ") }
        };
        vec![
            hold.to_string(),
            think.to_string(),
            lead.best.scenario.lock.to_string(),
            spread(&lead.best.ns_per_op, digits),
            names(&lead.near),
            names(&lead.behind),
            lead.ratio().map_or("–".into(), |ratio| spread(&ratio, digits) + " ×"),
        ]
    });
    data(title, &head, 0, rows)
}

/// From so many cores on, several share a row.
const MOST: u16 = 64;
/// How many shades there are: `h0` … in the style.
const SHADES: f64 = 8.0;

/// The way of a line between every two cores.
pub(super) fn ways(run: &Run) -> Vec<String> {
    let known: Vec<&Transfer> = run.transfers.iter().filter(|transfer| transfer.hops > 0).collect();
    let Some(last) = known.iter().map(|transfer| transfer.a.max(transfer.b)).max() else { return vec![] };
    let block = (last + 1).div_ceil(MOST);
    let mut blocks: BTreeMap<(u16, u16), Vec<f64>> = BTreeMap::new();
    for transfer in known {
        let [a, b] = [transfer.a / block, transfer.b / block];
        blocks.entry((a, b)).or_default().push(transfer.ns());
        if a != b {
            blocks.entry((b, a)).or_default().push(transfer.ns());
        }
    }
    let ways: BTreeMap<_, _> =
        blocks.into_iter().filter_map(|(place, mut ways)| Some((place, median(&mut ways)?))).collect();
    let shortest = ways.values().copied().fold(f64::INFINITY, f64::min);
    let longest = ways.values().copied().fold(0.0, f64::max);
    let name = |row: u16| {
        let (first, end) = (row * block, ((row + 1) * block - 1).min(last));
        if first < end {
            return format!("{first}–{end}");
        }
        let placed = run.header.placement.as_ref().and_then(|placed| placed.cores.get(usize::from(first)));
        placed.map_or_else(|| first.to_string(), ToString::to_string)
    };
    let places = 0..=last / block;
    let cell = |a, b| match ways.get(&(a, b)) {
        None => nothing(),
        Some(way) => {
            let part = (way - shortest) / (longest - shortest).max(f64::MIN_POSITIVE);
            let shade = (part * SHADES).min(SHADES - 1.0) as u32;
            format!("<td class=\"n h{shade}\">{}</td>", digits(*way))
        }
    };
    let rows = places.clone().map(|a| (name(a), places.clone().map(|b| cell(a, b)).collect())).collect();
    let range = [time(shortest), time(longest)];
    let range = if range[0] == range[1] { range[0].clone() } else { range.join(" to ") };
    let title = format!("One way of a cache line between two cores: {range}");
    vec![grid(&labelled(run, &title), "core", places.clone().map(name).collect(), rows, "")]
}

/// A table of `rows`, each with its name and its cells, under a `head`; `below` it, more.
fn grid(title: &str, corner: &str, head: Vec<String>, rows: Vec<(String, Vec<String>)>, below: &str) -> String {
    let title = escape(title);
    let mut html = format!(
        "<figure class=\"grid\">\n<figcaption>{title}</figcaption>\n<div class=\"wide\" role=\"region\" \
         aria-label=\"{title}\" tabindex=\"0\">\n<table class=\"heat\"><thead><tr><th scope=\"col\">{}</th>",
        escape(corner)
    );
    for name in head {
        let _ = write!(html, "<th scope=\"col\" class=\"c\">{}</th>", escape(&name));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for (name, cells) in rows {
        let _ = writeln!(html, "<tr><th>{}</th>{}</tr>", escape(&name), cells.concat());
    }
    html + "</tbody></table></div>\n" + below + "</figure>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{header, pass, run};
    use crate::record::{Header, Placed};
    use crate::summary::Collector;
    use bench_core::Lock::{Mcs, Tas, Ticket};
    use bench_core::Strategy::Merged;

    #[test]
    fn a_cell_names_the_fastest_and_its_lead() {
        let mut held = pass(Mcs, Merged, 0, &[10, 10]);
        held.scenario.hold_ns = 200;
        let mut also = pass(Ticket, Merged, 0, &[10, 10]);
        also.scenario.hold_ns = 200;
        let mut run = run(&[pass(Tas, Merged, 0, &[20, 20]), pass(Mcs, Merged, 0, &[10, 10]), held, also]);
        let [map] = &best(&run)[..] else { panic!() };
        assert!(map.contains("<b>tas</b>, unfair<small>50.0 ns; 2.00 × mcs</small>"), "{map}");
        assert!(map.contains("<td class=\"c\">none told apart<small>100 ns</small>"), "{map}");
        assert!(map.contains("<tr><td>200<td>0<td>mcs<td>100 (100–100)<td>ticket<td>–<td>–\n"), "{map}");
        run.header.emulated = true;
        assert!(best(&run).is_empty());
    }

    fn map(cores: u16) -> String {
        map_of(cores, None)
    }

    fn map_of(cores: u16, placement: Option<Placed>) -> String {
        let mut collector = Collector::default();
        for b in 1..cores {
            for a in 0..b {
                collector.add_transfer(Transfer { a, b, hz: 1_000_000_000, hops: 10, ticks: 10 * u64::from(a + b) });
            }
        }
        ways(&collector.finish(Header { placement, ..header() }, vec![], None)).concat()
    }

    #[test]
    fn ways_are_shown_both_ways_and_shaded() {
        let three = map(3);
        assert_eq!(three.matches("<td class=\"n h0\">1.00</td>").count(), 2, "{three}");
        assert_eq!(three.matches("<td class=\"n h7\">3.00</td>").count(), 2, "{three}");
        assert_eq!(three.matches("<td class=\"c\">–</td>").count(), 3, "{three}");
        assert_eq!(map(1), "");
        let placed = map_of(3, Some(Placed { placement: "pack".into(), cores: vec![0, 40, 1] }));
        assert!(
            placed.contains("<tr><th>40</th>") && !placed.contains("<th>2</th>"),
            "by the system's numbers: {placed}"
        );
    }

    #[test]
    fn many_cores_share_rows() {
        let many = map(256);
        assert!(many.contains("<th>0–3</th>") && many.contains("<th>252–255</th>"));
        assert!(many.len() < 250_000, "{}", many.len());
    }
}
