//! Every word of the page, in a sentence.

use bench_core::{Axis, Lock, Strategy, Workload};

use super::text::escape;

const FIGURES: [(&str, &str); 27] = [
    ("scenario", "One lock, strategy, workload and number of cores."),
    (
        "repeat",
        "One measurement of a scenario; the repeats of all scenarios are interleaved, so that drift meets all alike.",
    ),
    (
        "median (interval)",
        "The repeat in the middle, and the interval that it would be in in 95 of 100 such runs (percentile bootstrap); of fewer than six repeats, their range.",
    ),
    ("overlap", "Two figures whose intervals have a value in common are not told apart."),
    (
        "ns/op",
        "Nanoseconds an operation takes as one core sees it: time of all cores divided by operations of all cores; less is better.",
    ),
    ("Mops/s", "Million operations a second, of all cores together; more is better."),
    ("share", "The part of all operations that one core did."),
    (
        "Jain index",
        "How evenly the cores got on: 1 if all did as many operations, 1/cores if one did all (Jain, Chiu, Hawe, DEC TR-301, 1984).",
    ),
    (
        "together",
        "Overlap of the measured windows: from the last core's start to the first one's stop, by from the first start to the last stop; below 95 % the figures say less about contention than they seem to. A worker that is taken off its core in the middle is not seen by it.",
    ),
    ("wait", "From the call that acquires the lock to the acquisition."),
    (
        "waiters",
        "How many cores waited for the lock on average over time: all waits together by the time measured (Little's law).",
    ),
    (
        "longest gap",
        "The longest time in which a core completed no operation, over all cores and repeats: starved, or off its core.",
    ),
    (
        "longest masked",
        "Under a lock that masks interrupts: the longest time from the call that acquires it to its release.",
    ),
    ("hold", "From the acquisition to the release: the critical section."),
    (
        "hold, think achieved",
        "What a hold or a think that was asked for came out as: a counted loop, timed by one core alone before each pass.",
    ),
    (
        "critical",
        "The mean hold, less a reading of the clock, times the acquisitions of an operation. Of sections shorter than such a reading, part is in the overhead.",
    ),
    ("think", "What a core does between two operations without the lock: as much as was asked for."),
    (
        "overhead",
        "ns/op less critical and think: asking for the lock, waiting for it, giving it back, and what the workload does outside of it.",
    ),
    (
        "transfer",
        "One way of a cache line from one core to another, measured in the same run; a handover in transfers can be compared between machines. Less than one: the cores were nearer to each other than when the way was measured, as happens to those of a virtual machine.",
    ),
    ("handover", "From one holder's release to the acquisition by a core that was waiting already."),
    (
        "p50, p99, p99.9",
        "The time that 50, 99 or 99.9 of 100 times do not exceed, over all cores and repeats, known to about 3 %, and never better than to the clock's own step: 10 ns on the TSC of many virtual machines, 16 to 42 ns on Arm. Uncontended waits of one or two steps are only the clock.",
    ),
    ("max", "The longest single time; on a host it is often the operating system taking the core away."),
    (
        "probe overhead",
        "ns/op with instruments on the lock divided by ns/op without; speeds and shares are measured without, waits, holds and handovers with them.",
    ),
    ("first in, first out", "Cores get the lock in the order in which they asked for it."),
    (
        "void",
        "A scenario after which the pool was not whole, or something was refused or panicked: none of its figures is shown.",
    ),
    ("left out", "A scenario that was asked for and cannot run on this machine."),
    (
        "emulated",
        "The machine is imitated by a program: that the code works is shown, how fast hardware would be is not.",
    ),
];

/// As a list of terms.
pub(super) fn glossary() -> String {
    fn axis<A: Axis>(html: &mut String) {
        html.push_str(&list(&format!("The {} axis", A::WHAT), A::all().map(|value| (value.name(), value.about()))));
    }
    let mut html = list("Figures", FIGURES);
    axis::<Strategy>(&mut html);
    axis::<Workload>(&mut html);
    axis::<Lock>(&mut html);
    html
}

fn list(heading: &str, terms: impl IntoIterator<Item = (&'static str, &'static str)>) -> String {
    let terms = terms
        .into_iter()
        .map(|(term, meaning)| format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(term), escape(meaning)));
    format!("<h3>{}</h3>\n<dl>\n{}</dl>\n", escape(heading), terms.collect::<String>())
}
