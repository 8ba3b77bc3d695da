//! The report: one page of HTML without scripts that refers to nothing outside itself, to be read anywhere, mailed
//! and printed.
//!
//! ```text
//!  Run ──► html ─┬─ answer, banners              provenance; the words are the terminal's
//!                ├─ maps: best lock by hold and think, ways of a line      heat: tables, shaded
//!                ├─ plots, one for each task     which cells: select
//!                │    speed  speedup  strategies  parts  fairness  waits  holds
//!                │      └────────┴───────┬──────────┴───────┘        │      bars, curves, lines: how they are drawn
//!                │                       ▼                           ▼      canvas: SVG; palette: a lock looks the same
//!                │                                                          everywhere; data: the numbers beneath
//!                ├─ table of everything          table
//!                ├─ machine and method           provenance
//!                └─ glossary                     glossary
//! ```
//!
//! 1. Whatever the run has, there is a page: what is missing is said, with the reason.
//! 2. Nothing of the run is taken for HTML (`text::escape`).
//! 3. No figure is told by colour alone, or by a plot alone: bars have their figures beside them, every plot has its data
//!    as a table beneath it, and the table at the end has all.
//! 4. What is many is folded away: the first plots of a section are enough to read on.

mod bars;
mod canvas;
mod curves;
mod data;
mod fairness;
mod glossary;
mod heat;
mod holds;
mod lines;
mod palette;
mod parts;
mod provenance;
mod select;
mod speed;
mod speedup;
mod strategies;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod waits;

use crate::answer::answer;
use crate::summary::Run;
use text::escape;

/// The page.
#[must_use]
pub fn html(run: &Run) -> String {
    let title = escape(&format!("Which lock: {}, {}", run.header.place, run.header.started));
    let strategy = select::strategy(run);
    let alone = match &select::of_one_lock(run)[..] {
        [] => String::new(),
        some => {
            let names: Vec<_> = some.iter().map(ToString::to_string).collect();
            format!(" Measured with one lock only, hence in the table only: {}.", names.join(", "))
        }
    };
    let maps = heat::best(run);
    let sweep = if maps.is_empty() {
        String::new() // most runs have one hold and one think
    } else {
        section(
            "Best lock by hold and think",
            "The fastest lock, shaded the stronger the further it is ahead, and how many times as fast it is as which \
             other one. Without shade: locks that the repeats do not tell apart.",
            &maps,
            "",
        )
    };
    let plots = [
        sweep,
        section(
            "Speed",
            &format!(
                "What an operation costs as one core sees it, by lock, strategy {strategy}. Whiskers: where \
                 the median would be in 95 of 100 such runs; of few repeats, the smallest and the largest.{alone}"
            ),
            &speed::plots(run),
            "no scenario was measured to the end.",
        ),
        section(
            "Speed-up",
            &format!(
                "Operations a second of all cores together, by those of one core, strategy {strategy}. Whiskers: the \
                 interval of the ratio. Below 1, more cores get less done than one."
            ),
            &speedup::plots(run),
            if run.header.emulated {
                "ratios of emulated times are none of hardware."
            } else {
                "no lock was measured on one core and on several."
            },
        ),
        section(
            "Strategies",
            if run.header.emulated {
                "Under one lock, what its critical sections cover."
            } else {
                "Under one lock, what its critical sections cover. ×: by the merged strategy on as many cores; \
                 overlaps: the repeats do not tell the two apart."
            },
            &strategies::plots(run),
            "no lock was measured under more than one strategy.",
        ),
        section(
            "Where the time goes",
            &format!(
                "An operation as a core sees it: the time with the lock held (from the passes with instruments, less a \
                 reading of the clock each), the think, and the overhead, which is the rest: asking for the lock, \
                 waiting for it, giving it back, and what the workload does outside of it. Strategy {strategy}. ≈: the sections \
                 are shorter than a reading of the clock, so that part of them is in the overhead. Below zero: with \
                 instruments the lock was held longer than the whole operation takes without."
            ),
            &parts::plots(run),
            "no pass with instruments says how long the lock was held.",
        ),
        section(
            "Fairness",
            &format!(
                "Which part of the operations each core did, the largest first, strategy {strategy}. Beside it the \
                 Jain index, and the smallest and the largest share."
            ),
            &fairness::plots(run),
            "no scenario was measured on more than one core, and one core has all of it.",
        ),
        section(
            "Waiting",
            &format!(
                "Which part of the waits for the lock is at least so long, strategy {strategy}, with instruments. \
                 Further left is better; what goes on to the far right is the tail."
            ),
            &waits::plots(run),
            "no pass with instruments has waits.",
        ),
        section(
            "Holding and handing over",
            &format!("Each bar goes from the median to the 99th percentile, strategy {strategy}, with instruments."),
            &holds::plots(run),
            "no pass with instruments has times of holding or handing over.",
        ),
        section(
            "From core to core",
            "What the hardware takes to move a cache line from one core to another, measured in the same run without any \
             lock: what a handover is compared with. Cores have \
             the system's numbers where these are known, else those of the workers in the first repeat.",
            &heat::ways(run),
            "the way of a line between two cores was not measured in this run.",
        ),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{}{}{}\
         <section>\n<h2>All figures</h2>\n{}</section>\n{}<section class=\"glossary\">\n<h2>Glossary</h2>\n{}</section>\n\
         </main>\n</body>\n</html>\n",
        provenance::banners(run),
        answer_section(run),
        plots.concat(),
        table::table(run),
        format_args!("<section>\n<h2>The machine and the method</h2>\n{}</section>\n", provenance::foot(run)),
        glossary::glossary(),
    )
}

const STYLE: &str = include_str!("style.css");

/// What the terminal says, word for word and in its order; notes as lists.
fn answer_section(run: &Run) -> String {
    let answer = answer(run);
    let lines: Vec<_> = answer.lines().collect();
    let parts = lines.chunk_by(|one, next| is_note(one) == is_note(next)).map(|part| {
        let tag = if is_note(part[0]) { "li" } else { "p" };
        let html: String = part.iter().map(|line| format!("<{tag}>{}</{tag}>\n", escape(line))).collect();
        if is_note(part[0]) { format!("<ul class=\"notes\">\n{html}</ul>\n") } else { html }
    });
    format!("<section class=\"answer\">\n<h2>Answer</h2>\n{}</section>\n", parts.collect::<String>())
}

fn is_note(line: &str) -> bool {
    line.starts_with("Note: ")
}

/// `plots` under a heading, or why there are `none`.
fn section(heading: &str, about: &str, plots: &[String], none: &str) -> String {
    if plots.is_empty() {
        return format!(
            "<section>\n<h2>{heading}</h2>\n<p class=\"missing\">No plot: {}</p>\n</section>\n",
            escape(none)
        );
    }
    let (first, more) = plots.split_at(plots.len().min(OPEN));
    let more = match more.len() {
        0 => String::new(),
        number => format!(
            "<details class=\"more\"><summary>{number} more</summary>\n<div class=\"plots\">\n{}</div></details>\n",
            more.concat()
        ),
    };
    format!(
        "<section>\n<h2>{heading}</h2>\n<p>{}</p>\n<div class=\"plots\">\n{}</div>\n{more}</section>\n",
        escape(about),
        first.concat()
    )
}

/// So many plots of a section are open.
const OPEN: usize = 6; // two rows of three, or three of two
