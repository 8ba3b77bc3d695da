//! The tables.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{digits, interval};
use crate::results::Results;
use crate::subjects::{Contestant, ORIGINAL};
use crate::workloads::{FEW, Workload};

pub(crate) fn table(header: Vec<String>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    table
}

/// Text, without the blanks at the ends of its lines.
pub(crate) fn text(table: &mut Table, left: usize) -> String {
    for (i, column) in table.column_iter_mut().enumerate() {
        if i >= left {
            column.set_cell_alignment(CellAlignment::Right);
        }
        column.set_padding((0, 1));
    }
    table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A table a group of workloads, since they would not fit beside each other.
fn grouped(
    results: &Results,
    workloads: &[Workload],
    contestants: &[&Contestant],
    cell: impl Fn(Workload, &str) -> String,
) -> String {
    let mut out = String::new();
    for counts in [false, true] {
        let group: Vec<Workload> =
            workloads.iter().copied().filter(|w| w.counts() == counts && any(results, *w, contestants)).collect();
        if group.is_empty() {
            continue;
        }
        let mut table =
            table(std::iter::once(String::new()).chain(group.iter().map(|w| w.name().to_owned())).collect());
        for contestant in contestants {
            if group.iter().any(|&workload| results.has(workload, contestant.name)) {
                let cells = group.iter().map(|&workload| cell(workload, contestant.name));
                table.add_row(std::iter::once(contestant.name.to_owned()).chain(cells));
            }
        }
        out.push_str(&text(&mut table, 1));
        out.push('\n');
    }
    out
}

fn any(results: &Results, workload: Workload, contestants: &[&Contestant]) -> bool {
    contestants.iter().any(|contestant| results.has(workload, contestant.name))
}

pub(super) fn ratios(results: &Results, workloads: &[Workload], contestants: &[&Contestant]) -> String {
    let confidence = workloads.iter().find_map(|&w| results.ns(w, ORIGINAL)).map_or(0.0, |e| e.confidence * 100.0);
    let head = format!(
        "Time by that of `{ORIGINAL}`: median of {} repetitions, and the interval that holds the median with {confidence:.0} %\n\n",
        results.repetitions()
    );
    head + &grouped(results, workloads, contestants, |workload, subject| {
        match results.ratio((workload, subject), (workload, ORIGINAL)) {
            None => "-".to_owned(),
            Some(_) if subject == ORIGINAL => "1".to_owned(),
            Some(ratio) => format!("{}\n{}", digits(ratio.median), interval(ratio)),
        }
    })
}

pub(super) fn nanoseconds(results: &Results, workloads: &[Workload], contestants: &[&Contestant]) -> String {
    let cell = |workload, subject: &str| results.ns(workload, subject).map_or("-".to_owned(), |ns| digits(ns.median));
    "Nanoseconds an operation, as one thread sees it\n\n".to_owned() + &grouped(results, workloads, contestants, cell)
}

pub(super) fn left_out(results: &Results, workloads: &[Workload]) -> String {
    let mut table = table(["chunks", "clean", "preempted", "starts apart"].map(String::from).to_vec());
    for &workload in workloads {
        let (clean, preempted, apart) = results.chunks(workload);
        let all = clean + preempted + apart;
        if all == 0 {
            continue;
        }
        let share = |part: u64| format!("{:.1} %", part as f64 * 100.0 / all as f64);
        table.add_row([workload.name().to_owned(), clean.to_string(), share(preempted), share(apart)]);
    }
    let mut out =
        "Left out: chunks in which a thread was preempted, and rounds whose two starts are more than 5 % apart\n\n"
            .to_owned()
            + &text(&mut table, 1);
    let fewer: Vec<_> = results.fewer().iter().map(|(w, s, _)| format!("{s} ({})", w.name())).collect();
    if !fewer.is_empty() {
        out += &format!(
            "\nWith {FEW} pages in place of all, since their free walks a list as long (with all of them they would take many \
             times as long): {}.\n",
            fewer.join(", ")
        );
    }
    for (workload, subject) in results.lost() {
        out += &format!("\nPAGES LOST: {subject} under {}. Its figures are worth nothing.\n", workload.name());
    }
    out
}
