//! What the figures are of: machine, compiler, source, request, method; and what casts doubt on them.

use std::fmt::Write as _;

use super::text::escape;
use crate::method;
use crate::record::Header;
use crate::summary::Run;

/// Said of every emulated run, before anything else.
pub(super) const EMULATED: &str = "EMULATED: no figure here says anything about hardware speed";

/// Banners, loudest first.
pub(super) fn banners(run: &Run) -> String {
    let mut html = String::new();
    let mut banner = |text: &str| {
        let _ = writeln!(html, "<p class=\"banner\" role=\"alert\">{}</p>", escape(text));
    };
    if run.header.emulated {
        banner(EMULATED);
    }
    if !run.complete() {
        let why = match &run.end {
            None => "the records end without saying why",
            Some(end) => end.why.as_deref().unwrap_or("no reason is given"),
        };
        banner(&format!("INCOMPLETE: not everything that was planned was measured: {why}"));
    }
    if !run.void.is_empty() {
        let (number, those) = (run.void.len(), if run.void.len() == 1 { "scenario" } else { "scenarios" });
        banner(&format!("VOID: {number} {those} went wrong and have no figures; the table says why"));
    }
    html
}

/// Where it was measured, how, and what spoils it.
pub(super) fn foot(run: &Run) -> String {
    let method = method::method(run);
    let method = method.iter().map(|(term, text)| (*term, text.clone()));
    let list = |lines: Vec<String>| match &lines[..] {
        [] => "<p>Nothing of what was looked at.</p>\n".into(),
        lines => {
            let lines: String = lines.iter().map(|line| format!("<li>{}</li>\n", escape(line))).collect();
            format!("<ul>\n{lines}</ul>\n")
        }
    };
    format!(
        "<h3>Machine</h3>\n{}<h3>Method</h3>\n<dl class=\"method\">\n{}</dl>\n<h3>What spoils it</h3>\n{}<p>Not looked at, or not to be \
         read there: {}.</p>\n",
        facts(&run.header),
        terms(method),
        list(method::spoils(run)),
        escape(&method::unseen(run).join(", "))
    )
}

/// Terms and what they mean, as parts of a list.
fn terms<'a>(terms: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let terms = terms.into_iter().map(|(term, fact)| {
        format!("<div><dt>{term}</dt><dd>{}</dd></div>\n", escape(if fact.is_empty() { "–" } else { &fact }))
    });
    terms.collect()
}

/// The facts, as a list of terms.
fn facts(header: &Header) -> String {
    let machine = &header.machine;
    let or = |fact: &Option<String>| fact.clone().unwrap_or_else(|| "cannot be read".into());
    let yes = |fact: Option<bool>| match fact {
        Some(true) => "yes",
        Some(false) => "no",
        None => "cannot be read",
    };
    let build = &header.build;
    let placed = header.placement.as_ref().map_or_else(String::new, |placed| {
        let cores: Vec<_> = placed.cores.iter().map(ToString::to_string).collect();
        format!("{}: {}", placed.placement, cores.join(", "))
    });
    let features = if build.features.is_empty() { String::new() } else { format!(", {}", build.features) };
    let rows = [
        ("Began", header.started.clone()),
        ("Ran on", if header.emulated { format!("{}, emulated", header.place) } else { header.place.clone() }),
        ("Request", header.request.clone()),
        ("Command", header.command.join(" ")),
        ("Processor", or(&machine.cpu)),
        ("Architecture", machine.arch.clone()),
        ("Cores to use", machine.cores.to_string()),
        ("System", machine.os.clone()),
        ("Virtual machine", yes(machine.virtualised).into()),
        ("Governor", or(&machine.governor)),
        ("Threads share cores", yes(machine.smt).into()),
        ("Workers pinned", yes(Some(header.pinned)).into()),
        ("Cores chosen", placed),
        ("Clock", header.hz.map_or_else(|| "told by each pass".into(), |hz| format!("{hz} ticks a second"))),
        ("Compiler", build.rustc.clone()),
        ("Built for", format!("{}{features}, {}", build.target, build.profile)),
        ("Source", header.source.to_string()),
        ("Program", header.program.clone()),
    ];
    format!("<dl class=\"facts\">\n{}</dl>\n", terms(rows))
}
