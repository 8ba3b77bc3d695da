//! What there is to choose from, and what cannot run here.

use std::fmt::Write as _;

use bench_core::{Axis, Lock, Mix, Preset, Request, Scenario, Strategy, Workload, refusal};

use crate::arguments::Place;
use crate::host::Host;
use crate::scenario::{Named, brought_along};

/// All of it.
#[must_use]
pub fn list(host: &Host) -> String {
    let all = u16::try_from(bench_core::Machine::cores(host)).unwrap_or(u16::MAX);
    let mut text = String::new();
    section(&mut text, "--lock", |lock: Lock| {
        let try_on = |cores| {
            let scenario = Scenario::new(lock, Strategy::Merged, Workload::Pair, cores);
            refusal(host, &scenario)
        };
        match (try_on(1), try_on(all)) {
            (None, _) => String::new(),
            (Some(_), Some(why)) => format!("\n      not on this host: {why}"),
            (Some(why), None) => format!("\n      not on one core: {why}"),
        }
    });
    section(&mut text, "--strategy", |_: Strategy| String::new());
    section(&mut text, "--workload", |_: Workload| String::new());
    section(&mut text, "--mix", |_: Mix| String::new());
    section(&mut text, "--preset", |preset: Preset| {
        let plan = Request::new(preset).plan(all.into());
        let cells: Vec<_> = plan.cells().filter(|cell| refusal(host, cell).is_none()).collect();
        let time = crate::local::duration(&plan, cells.len());
        format!("\n      here: {} scenarios, {} times each: {:.0?}", cells.len(), plan.repeats, time)
    });
    text += "--scenario\n";
    for Named { name, why } in brought_along() {
        let _ = writeln!(text, "  {name:<14}{why}");
    }
    text.push('\n');
    section(&mut text, "--on", |_: Place| String::new());
    text.pop();
    text += "  serial:DEVICE[,BAUD]     a board at a serial line, which runs the image\n";
    text += "  ssh:[USER@]HOST[:PORT]   another machine with Linux on AArch64 or x86-64\n\n";
    let _ = writeln!(text, "--cores  numbers of cores; here 1 to {all}, which is all");
    text
}

fn section<A: Axis>(text: &mut String, option: &str, more: impl Fn(A) -> String) {
    let _ = writeln!(text, "{option}");
    for value in A::all() {
        let _ = writeln!(text, "  {:<14}{}{}", value.name(), value.about(), more(value));
    }
    text.push('\n');
}
