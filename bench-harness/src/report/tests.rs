//! Pages of made-up runs, whole and broken.

use bench_core::record::{CoreCount, Samples};
use bench_core::{Axis, Clock, Lock, Pass, Request, Scenario, Strategy, Transfer, Workload, Wrong};

use super::html;
use super::provenance::EMULATED;
use crate::record::{Build, End, Header, MachineInfo, Refused, Source};
use crate::summary::{Collector, Run};

fn header() -> Header {
    Header {
        program: "0.1.0".into(),
        source: Source::Commit { id: "0123abcd".into(), dirty: true },
        build: Build {
            rustc: "rustc 1.95.0".into(),
            target: "x86_64-unknown-linux-gnu".into(),
            features: String::new(),
            profile: "release".into(),
        },
        command: vec!["bench-harness".into(), "run".into(), "<script>".into()],
        scenario: None,
        own: vec![],
        placement: None,
        request: "quick".into(),
        started: "2026-01-02T03:04:05Z".into(),
        place: "host".into(),
        emulated: false,
        pinned: true,
        hz: Some(1_000_000_000),
        passes: None,
        machine: MachineInfo {
            cpu: Some("A \"CPU\" & more".into()),
            arch: "x86_64".into(),
            cores: 4,
            os: "Linux 6.1".into(),
            virtualised: Some(true),
            governor: None,
            smt: None,
        },
        notes: vec!["other <programs> ran".into()],
    }
}

/// A histogram of `times`.
fn histogram(times: &[u64]) -> bench_core::histogram::Histogram {
    let counting = bench_core::histogram::Counting::new();
    times.iter().for_each(|&time| counting.record(time));
    let mut histogram = bench_core::histogram::Histogram::default();
    histogram.add(&counting);
    histogram
}

/// Figures that depend on the scenario in a way that nobody would mistake for measured ones.
fn pass(scenario: Scenario, repeat: u32, instrumented: bool) -> Pass {
    let slow = 60 + 25 * u64::from(scenario.cores) + 9 * scenario.lock as u64 + 30 * (4 - scenario.strategy as u64);
    let cores = (0..u64::from(scenario.cores)).map(|core| CoreCount {
        ops: 10_000_000 / (slow + core * (scenario.lock as u64 % 4) * 20 + u64::from(repeat)),
        start: core,
        stop: 10_000_000 + core,
        gap: 1000,
    });
    let samples = instrumented.then(|| {
        let times: Vec<u64> =
            (0..4000).map(|i| slow / 4 + (i * i * i) % 700 + if i % 500 == 7 { 90_000 } else { 0 }).collect();
        Samples {
            wait: histogram(&times),
            hold: histogram(&times[..1000]),
            handover: if scenario.cores > 1 { histogram(&times[..50]) } else { Default::default() },
            longest: 91_000,
            waited: 1_000_000,
        }
    });
    Pass { hz: 1_000_000_000, cores: cores.collect(), samples, ..Pass::of(scenario, repeat) }
}

/// What `request` would leave on a machine of `cores`, every pass through `change`.
fn run(request: &str, cores: usize, change: impl Fn(&mut Pass)) -> Run {
    let plan = Request::parse(request).unwrap().plan(cores);
    let mut collector = Collector::default();
    collector.add_clock(Clock { hz: 1_000_000_000, reads: 10, ticks: 95, step: 2 });
    for b in 1..cores as u16 {
        (0..b).for_each(|a| collector.add_transfer(Transfer { a, b, hz: 1_000_000_000, hops: 10, ticks: 400 }));
    }
    for (repeat, scenario) in plan.passes() {
        for instrumented in [false, true] {
            let mut pass = pass(scenario, repeat, instrumented);
            change(&mut pass);
            collector.add(&pass);
        }
    }
    collector.finish(header(), vec![], Some(End::COMPLETE))
}

/// Panics unless tags are balanced, and nothing outside is referred to.
fn assert_is_a_page(html: &str) {
    const VOID: [&str; 1] = ["meta"];
    assert!(html.starts_with("<!DOCTYPE html>"));
    for outside in ["http", "<script", "src=", "@import", "url(", "<link"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let mut open: Vec<&str> = vec![];
    for tag in html.split('<').skip(2) {
        let (tag, _) = tag.split_once('>').expect("every tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            while open.last().is_some_and(|last| ["td", "th", "tr"].contains(last) && *last != name) {
                open.pop();
            }
            assert_eq!(open.pop(), Some(name), "</{name}> after {open:?}");
        } else {
            let name = tag.split_whitespace().next().unwrap();
            assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
            let ended: &[&str] = match name {
                "td" | "th" => &["td", "th"],
                "tr" => &["td", "th", "tr"],
                _ => &[],
            };
            while open.last().is_some_and(|last| ended.contains(last)) {
                open.pop();
            }
            if !tag.ends_with('/') && !VOID.contains(&name) {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
    for nonsense in ["NaN", "inf", "-0.00<"] {
        for before in [">", "\""] {
            let found = html.find(&format!("{before}{nonsense}"));
            assert!(found.is_none(), "{}", &html[found.unwrap().saturating_sub(300)..found.unwrap() + 20]);
        }
    }
}

#[test]
fn every_scenario_and_every_word_is_on_the_page() {
    let run = run("full repeats=2", 4, |_| {});
    let page = html(&run);
    assert_is_a_page(&page);
    assert_eq!(page.matches("<th scope=\"row\">").count(), run.cells.len());
    for name in Lock::all().map(|lock| lock.name()).chain(Strategy::ALL.iter().map(|strategy| strategy.name())) {
        assert!(page.contains(&format!("<dt>{name}</dt>")), "{name}");
    }
    // Speed, speed-up, strategies, parts, fairness, waiting for each workload; holding and handing over.
    let plots = page.matches("<svg role=\"img\"").count();
    assert_eq!(plots, Workload::all().count() * 8);
    assert_eq!(page.matches("<details class=\"data\">").count(), plots, "a table for each plot");
    assert!(page.len() < 2_000_000, "{}", page.len());
    assert!(!page.contains("class=\"missing\"") && !page.contains("class=\"banner\""));
    assert!(page.contains("Note: other &lt;programs&gt; ran"));
    assert!(page.contains("0123abcd, with changes"));
}

#[test]
fn one_core_is_enough_for_a_page() {
    let page = html(&run("quick", 1, |_| {}));
    assert_is_a_page(&page);
    assert!(page.contains("one core has all of it"));
}

#[test]
fn one_scenario_is_enough_for_a_page() {
    let page = html(&run("quick locks=mcs strategies=split workloads=pair cores=3 repeats=1", 4, |_| {}));
    assert_is_a_page(&page);
    assert!(page.contains("strategy split") && page.contains("no lock was measured under more than one strategy."));
}

#[test]
fn a_run_without_instruments_says_what_is_missing() {
    let page = html(&run("smoke", 2, |pass| pass.samples = None));
    assert_is_a_page(&page);
    assert!(page.contains("no pass with instruments has waits."));
}

#[test]
fn scenarios_without_figures_say_why() {
    let mut run = run("smoke", 2, |pass| pass.wrong = Some(Wrong::Leaked));
    let scenario = Scenario::new(Lock::Broken, Strategy::Split, Workload::Pair, 9);
    run.refused.push(Refused { scenario, why: "there are <2> cores".into() });
    let page = html(&run);
    assert_is_a_page(&page);
    assert!(run.cells.is_empty());
    assert_eq!(page.matches(Wrong::Leaked.about()).count(), run.void.len());
    assert!(page.contains("left out: there are &lt;2&gt; cores"));
    assert!(page.contains("VOID:"));
}

#[test]
fn an_empty_run_that_was_cut_off_is_a_page() {
    let page = html(&Collector::default().finish(header(), vec![], None));
    assert_is_a_page(&page);
    assert!(page.contains("INCOMPLETE:") && page.contains("without saying why"));
    let page = html(&Collector::default().finish(header(), vec![], Some(End::early("Ctrl-C"))));
    assert!(page.contains("INCOMPLETE: not everything that was planned was measured: Ctrl-C"));
}

#[test]
fn an_emulated_run_says_so_first() {
    let mut run = run("quick repeats=1", 3, |_| {});
    run.header.emulated = true;
    let page = html(&run);
    assert_is_a_page(&page);
    let labelled = |end: &str| page.matches(&format!(" [EMULATED]{end}")).count();
    let plots = page.matches("<figure>").count();
    assert!(plots > 5);
    assert_eq!(labelled("</figcaption>\n<div class=\"wide\""), 1, "the map");
    assert_eq!([labelled("</figcaption>\n<svg"), labelled("</title>"), labelled("\" viewBox")], [plots; 3]);
    assert_eq!(page.matches("<caption>All figures. [EMULATED] ").count(), page.matches("<caption>").count());
    assert!(!page.contains('×'), "no ratio of emulated times");
    let (banner, answer) = (page.find(EMULATED).unwrap(), page.find("<h2>Answer</h2>").unwrap());
    assert!(banner < answer);
}

#[test]
fn extreme_times_are_drawn() {
    for (hz, stop) in [(1, 4), (u64::MAX, 10), (1_000_000_000, u64::MAX)] {
        let page = html(&run("quick repeats=3", 4, |pass| {
            pass.hz = hz;
            pass.cores.iter_mut().for_each(|core| *core = CoreCount { ops: 1, start: 0, stop, gap: stop });
        }));
        assert_is_a_page(&page);
    }
}
